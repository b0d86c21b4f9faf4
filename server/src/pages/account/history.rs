//! `/account/history`: what happened lately to one's own account.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use super::through;
use crate::core::flows::history::{self, By, Happening};
use crate::core::flows::session::Need;
use crate::core::model::{AuditId, Page};
use crate::locale::minute;
use crate::pages::render::View;
use crate::pages::return_to::with_query;
use crate::pages::visit::{Turned, Visit};
use crate::pages::words::word;

const HERE: &str = "/account/history";

/// As many fit a screen or two.
const A_PAGE: i64 = 30;

/// A page of it.
#[derive(Serialize)]
pub(in crate::pages) struct History {
    lines: Vec<Line>,
    /// Not the newest.
    later: bool,
    /// Where the older ones are.
    older: Option<String>,
}

/// One thing that happened.
#[derive(Serialize)]
pub(super) struct Line {
    what: String,
    /// What became of it, where it did not simply succeed.
    outcome: Option<String>,
    /// The name of the key that it was about.
    key: Option<String>,
    at: String,
    by: String,
    device: Option<String>,
    address: Option<String>,
}

impl Line {
    /// With all there can be, and without.
    pub(super) fn samples() -> Vec<Self> {
        let (text, some) = (|| "Sample".to_owned(), || Some("Sample".to_owned()));
        let bare = Self { what: text(), outcome: None, key: None, at: text(), by: text(), device: None, address: None };
        let full = Self { outcome: some(), key: some(), device: some(), address: some(), what: text(), at: text(), by: text() };
        vec![full, bare]
    }

    fn of(visit: &Visit, happening: &Happening) -> Self {
        let Happening { entry, by } = happening;
        let about_key = matches!(entry.event.as_str(), "key_added" | "key_renamed" | "key_removed" | "key_clone_suspected");
        let oneself = *by == By::Oneself;
        Self {
            what: word(visit, "event", &entry.event),
            outcome: outcome(&entry.outcome).map(|words| visit.say(words, &[])),
            key: entry.detail.clone().filter(|_| about_key),
            at: minute(entry.at),
            by: visit.say(who(*by), &[]),
            device: oneself.then(|| through(visit, entry.user_agent.as_deref(), &entry.dialect)),
            address: entry.address.clone(),
        }
    }
}

fn outcome(name: &str) -> Option<&'static str> {
    match name {
        "ok" => None,
        "second_factor_required" => Some("history.owed"),
        "too_many_attempts" => Some("history.limited"),
        _ => Some("history.refused"),
    }
}

fn who(by: By) -> &'static str {
    match by {
        By::Oneself => "history.by_oneself",
        By::Administrator => "history.by_administrator",
        By::Server => "history.by_server",
        By::Anybody => "history.by_anybody",
    }
}

impl View for History {
    const TEMPLATE: &'static str = "account_history.html";

    fn samples() -> Vec<Self> {
        let full = Self { lines: Line::samples(), later: true, older: Some("Sample".to_owned()) };
        vec![full, Self { lines: Vec::new(), later: false, older: None }]
    }
}

/// The newest lines, or those after one; and the id to go on after.
pub(super) async fn read(visit: &Visit, page: Page) -> crate::core::Result<(Vec<Line>, Option<String>)> {
    let found = history::list(visit.core(), &visit.call, &visit.presented, page).await?;
    Ok((found.items.iter().map(|happening| Line::of(visit, happening)).collect(), found.next))
}

/// Shows it.
pub(in crate::pages) async fn show(mut visit: Visit) -> Result<Response, Turned> {
    // What is no id was never an address of ours: the newest, then.
    let after = visit.query("after").and_then(|text| text.parse::<AuditId>().ok()).map(|id| id.to_string());
    let back = after.as_deref().map_or_else(|| HERE.to_owned(), from);
    visit.signed_in(Need::Full, &back).await?;
    let later = after.is_some();
    let read = read(&visit, Page::new(after, Some(A_PAGE))).await;
    let (lines, next) = read.map_err(|error| visit.turn(&error, &back))?;
    Ok(visit.show(StatusCode::OK, &History { lines, later, older: next.as_deref().map(from) }))
}

fn from(after: &str) -> String {
    with_query(HERE, &[("after", after)])
}
