//! What the pages of the mailbox show.

use serde::Serialize;

use super::links::{Piece, pieces};
use crate::core::clock::Timestamp;
use crate::mailbox::{Facts, Letter, Listing, Name};
use crate::pages::render::View;
use crate::pages::visit::Visit;

/// Longest subject or list of people in the list, in characters.
const LINE_MOST: usize = 200;

/// The list.
#[derive(Default, Serialize)]
pub(in crate::pages) struct List {
    mails: Vec<Row>,
    /// The address of the next page.
    next: Option<String>,
    /// Whether these are the newest: then the page keeps itself up to date.
    newest: bool,
    seen: String,
}

/// A mail in it.
#[derive(Default, Serialize)]
pub(in crate::pages) struct Row {
    name: String,
    subject: String,
    to: String,
    at: String,
}

/// One mail.
#[derive(Serialize)]
pub(in crate::pages) struct One {
    name: String,
    subject: String,
    from: String,
    to: String,
    at: String,
    head: String,
    text: Vec<Piece>,
    html: bool,
    cut: bool,
}

impl View for List {
    const TEMPLATE: &'static str = "dev/mail.html";

    fn samples() -> Vec<Self> {
        let text = || "Sample".to_owned();
        let row = || Row { name: text(), subject: text(), to: text(), at: text() };
        let older = Self { mails: vec![row()], ..Self::default() };
        vec![Self { mails: vec![row(), row()], next: Some(text()), newest: true, seen: text() }, Self::default(), older]
    }
}

impl View for One {
    const TEMPLATE: &'static str = "dev/letter.html";

    fn samples() -> Vec<Self> {
        let text = || "Sample".to_owned();
        let some = |all: bool| if all { text() } else { String::new() };
        let of = |all: bool| Self {
            name: text(),
            subject: text(),
            from: some(all),
            to: some(all),
            at: text(),
            head: some(all),
            text: [false, true].into_iter().filter(|_| all).map(|link| Piece { text: text(), link }).collect(),
            html: all,
            cut: all,
        };
        vec![of(true), of(false)]
    }
}

impl List {
    pub(super) fn of(visit: &Visit, found: &Listing, newest: bool) -> Self {
        Self {
            mails: found.mails.iter().map(|(name, facts)| Row::of(visit, name, facts)).collect(),
            next: found.next.as_ref().map(|next| next.as_str().to_owned()),
            newest,
            seen: found.seen.clone(),
        }
    }
}

impl Row {
    pub(super) fn of(visit: &Visit, name: &Name, facts: &Facts) -> Self {
        Self { name: name.as_str().to_owned(), subject: subject(visit, facts), to: line(&facts.to), at: second(name.at()) }
    }
}

impl One {
    pub(super) fn of(visit: &Visit, name: &Name, letter: &Letter) -> Self {
        Self {
            name: name.as_str().to_owned(),
            subject: subject(visit, &letter.facts),
            from: letter.facts.from.clone(),
            to: letter.facts.to.clone(),
            at: second(name.at()),
            head: letter.head.trim_end().to_owned(),
            text: letter.text.as_deref().map(pieces).unwrap_or_default(),
            html: letter.html.is_some(),
            cut: letter.cut,
        }
    }
}

fn subject(visit: &Visit, facts: &Facts) -> String {
    Some(line(&facts.subject)).filter(|line| !line.is_empty()).unwrap_or_else(|| visit.say("dev_mail.no_subject", &[]))
}

/// One line, cut, of characters that are seen: what is hidden or turns the direction of writing would make another line of it.
fn line(text: &str) -> String {
    let seen = |c: &char| {
        !c.is_control() && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let mut kept: String = text.trim().chars().filter(seen).take(LINE_MOST + 1).collect();
    if let Some((end, _)) = kept.char_indices().nth(LINE_MOST) {
        kept.truncate(end);
        kept.push('…');
    }
    kept
}

/// To the second: `2026-11-23 17:59:00 UTC`.
fn second(at: Timestamp) -> String {
    let text = at.to_string();
    text.get(..19).map_or_else(|| text.clone(), |cut| format!("{} UTC", cut.replace('T', " ")))
}
