//! From a letter to words: subject, text part and HTML part.
//!
//! A mail goes to an address that somebody typed, with names that somebody typed. So names are reduced to what cannot be a link, a
//! line or a header, and the rules for links and codes in the text part are checked on every mail: alone on its line, exactly once.

use std::path::Path;
use std::time::Duration;

use minijinja::{HtmlEscape, Value, context};

use crate::core::clock::Timestamp;
use crate::core::flows::delivery::{Carries, Letter};
use crate::core::model::MailKind;
use crate::core::token::Secret;
use crate::locale::{Catalogues, Language, minute, span};
use crate::templates::{Source, TemplateError, Templates};

macro_rules! sources {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../../templates/mail/", $name)))),*]
    };
}

const SOURCES: &[Source] = sources![
    "layout.html",
    "greeting.txt",
    "footer.txt",
    "recovery.txt",
    "recovery.html",
    "login_code.txt",
    "login_code.html",
    "access_code.txt",
    "access_code.html",
    "invitation.txt",
    "invitation.html",
    "password_changed.txt",
    "password_changed.html",
    "key_added.txt",
    "key_added.html",
    "key_removed.txt",
    "key_removed.html",
    "authenticator_added.txt",
    "authenticator_added.html",
    "authenticator_removed.txt",
    "authenticator_removed.html",
];

/// Longest name that a mail shows, in characters.
const NAME_MAX: usize = 64;
/// Longest subject, in characters.
const SUBJECT_MAX: usize = 150;

/// A mail in words.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendered {
    /// One line.
    pub subject: String,
    /// Lines ended by `\n`.
    pub text: String,
    /// A whole document.
    pub html: String,
}

/// Puts letters into words; made once at start.
#[derive(Debug)]
pub struct Renderer {
    templates: Templates,
    catalogues: Catalogues,
    language: Language,
    service: String,
    host: String,
}

impl Renderer {
    /// `service` is what the installation calls itself; `public_url` is where people reach it; `overrides` is the operator's folder,
    /// whose `mail/<name>` replaces the built-in template of that name. With such a folder every kind is rendered once with sample data, in every language.
    ///
    /// # Errors
    /// The first template that does not compile, does not render, or breaks the rules for links and codes.
    pub fn new(
        service: &str,
        public_url: &str,
        language: Language,
        catalogues: Catalogues,
        overrides: Option<&Path>,
    ) -> Result<Self, TemplateError> {
        let templates = Templates::load("mail", SOURCES, catalogues.clone(), overrides)?;
        let host = url::Url::parse(public_url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
        let mut renderer = Self { templates, catalogues, language, service: one_line(service), host };
        // What is built in has been through the tests, under a name that is no code.
        if overrides.is_some() || is_code(&renderer.service) {
            renderer.rehearse()?;
            renderer.language = language;
        }
        Ok(renderer)
    }

    fn rehearse(&mut self) -> Result<(), TemplateError> {
        for language in Language::ALL {
            self.language = language;
            for letter in samples() {
                self.put(&letter, true)?;
            }
        }
        Ok(())
    }

    /// The letter in words.
    ///
    /// # Errors
    /// When it does not carry what its kind needs, in the form that a link or code has, or a template fails it. The error shows neither
    /// link nor code.
    pub fn render(&self, letter: &Letter) -> Result<Rendered, TemplateError> {
        self.put(letter, false)
    }

    fn put(&self, letter: &Letter, rehearsal: bool) -> Result<Rendered, TemplateError> {
        let kind = letter.kind.as_str();
        let (text_name, html_name) = (format!("{kind}.txt"), format!("{kind}.html"));
        if !is_complete(letter) {
            return Err(self.templates.fault(&text_name, None, "the letter's link or code is missing or malformed"));
        }
        let fill = |name: &str, subject: Option<&str>| {
            let values = self.values(letter, subject);
            if rehearsal { self.templates.rehearse(name, values) } else { self.templates.render(name, values) }
        };
        let text = fill(&text_name, None)?;
        let Some((subject, body)) = text.strip_prefix("Subject: ").and_then(|rest| rest.split_once('\n')) else {
            return Err(self.templates.fault(&text_name, Some(1), "the first line must be \"Subject: …\""));
        };
        let subject: String = one_line(subject).chars().take(SUBJECT_MAX).collect();
        let text = tidy(body);
        check_text(&text, &letter.carries).map_err(|problem| self.templates.fault(&text_name, None, problem))?;
        let html = fill(&html_name, Some(&subject))?;
        check_html(&html, &letter.carries).map_err(|problem| self.templates.fault(&html_name, None, problem))?;
        Ok(Rendered { subject, text, html })
    }

    fn values(&self, letter: &Letter, subject: Option<&str>) -> Value {
        let detail = letter.detail.as_deref().and_then(harmless);
        let (key, application) = match letter.kind {
            MailKind::KeyAdded | MailKind::KeyRemoved => (detail, None),
            MailKind::AccessCode => (None, detail),
            _ => (None, None),
        };
        let valid_for = match &letter.carries {
            Carries::Link(_, valid_for) | Carries::Code(_, valid_for) => span(&self.catalogues, self.language, *valid_for),
            Carries::Nothing => None,
        };
        context! {
            lang => self.language.tag(),
            service => &self.service,
            host => &self.host,
            subject => subject,
            name => letter.name.as_deref().and_then(harmless),
            at => minute(letter.promised_at),
            link => letter.carries.link(),
            code => letter.carries.code(),
            valid_for => valid_for,
            key => key,
            application => application,
        }
    }
}

/// What a person typed, made fit for a mail that somebody else reads: no control, formatting or line-breaking character, nothing that a
/// mail program makes a link of, at most 64 characters. `None` when nothing is left.
fn harmless(typed: &str) -> Option<String> {
    let mut kept = String::new();
    for character in typed.chars() {
        match character {
            '/' | '\\' | ':' | '@' | '<' | '>' | '"' | '[' | ']' | '(' | ')' | '\u{ff0f}' | '\u{ff1a}' | '\u{ff20}' => {
                kept.push(' ');
            }
            // With a space behind it a dot joins no host name: "J.R." stays readable, "evil.example" is no link.
            '.' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}' => kept.push_str(". "),
            _ if is_invisible(character) => kept.push(' '),
            _ => kept.push(character),
        }
    }
    let name: String = kept.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(NAME_MAX).collect();
    let name = name.trim_end();
    (!name.is_empty()).then(|| name.to_owned())
}

/// Controls, line and paragraph separators, and the formatting characters that hide text or turn its direction.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        || matches!(character, '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn one_line(text: &str) -> String {
    let visible: String = text.chars().map(|character| if is_invisible(character) { ' ' } else { character }).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Lines of the text part are no longer than this, but for what cannot be broken, as links.
const LINE_MAX: usize = 72;

/// No blank lines at the ends, never two in a row, no blanks at the ends of lines, and long lines broken between words.
fn tidy(body: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in body.lines().map(str::trim_end) {
        if line.chars().count() > LINE_MAX {
            lines.extend(broken(line));
        } else if !line.is_empty() || lines.last().is_some_and(|last| !last.is_empty()) {
            lines.push(line.to_owned());
        }
    }
    format!("{}\n", lines.join("\n").trim_end())
}

/// A long line in pieces. None of them looks like a code: such a word stays where it stood, at the end of too long a line if need be.
fn broken(line: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    for word in line.split_whitespace() {
        match pieces.last_mut() {
            Some(last) if last.chars().count() + 1 + word.chars().count() <= LINE_MAX || is_code(word) || is_code(last) => {
                last.push(' ');
                last.push_str(word);
            }
            Some(_) | None => pieces.push(word.to_owned()),
        }
    }
    pieces
}

fn check_text(text: &str, carries: &Carries) -> Result<(), String> {
    let alone = |wanted: &str| text.lines().filter(|line| line.trim() == wanted).count() == 1;
    if !carries.link().is_none_or(alone) {
        return Err("{{ link }} must stand alone on one line of the text".to_owned());
    }
    if !carries.code().is_none_or(alone) {
        return Err("{{ code }} must stand alone on one line of the text".to_owned());
    }
    // Programs find the code by its form, so nothing else may have it.
    let code_lines = text.lines().filter(|line| is_code(line.trim())).count();
    if code_lines != usize::from(carries.code().is_some()) {
        return Err("a line of the text other than {{ code }} looks like a code".to_owned());
    }
    Ok(())
}

fn check_html(html: &str, carries: &Carries) -> Result<(), String> {
    let has = |wanted: &str| html.contains(&HtmlEscape(wanted).to_string());
    if !carries.link().is_none_or(has) {
        return Err("{{ link }} is missing".to_owned());
    }
    if !carries.code().is_none_or(has) {
        return Err("{{ code }} is missing".to_owned());
    }
    Ok(())
}

/// Whether the letter carries the secret of its kind, of the right form.
fn is_complete(letter: &Letter) -> bool {
    match letter.kind {
        MailKind::Recovery | MailKind::Invitation => letter.carries.link().is_some_and(is_link),
        MailKind::LoginCode | MailKind::AccessCode => letter.carries.code().is_some_and(is_code),
        MailKind::PasswordChanged
        | MailKind::KeyAdded
        | MailKind::KeyRemoved
        | MailKind::AuthenticatorAdded
        | MailKind::AuthenticatorRemoved => matches!(letter.carries, Carries::Nothing),
    }
}

fn is_code(line: &str) -> bool {
    line.len() == 6 && line.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

fn is_link(link: &str) -> bool {
    let web = link.starts_with("https://") || link.starts_with("http://");
    web && link.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'"'))
}

/// Every kind, with all that may be absent present and once more without. The names look like codes, so that a template which puts one on
/// a line of its own is found out at start.
pub(super) fn samples() -> Vec<Letter> {
    let name = || "SAMPLE".to_owned();
    let full = |kind| Letter {
        kind,
        to: "sample@example.com".to_owned(),
        name: Some(name()),
        carries: sample_of(kind),
        detail: Some(name()),
        promised_at: Timestamp::from_millis(1_795_456_740_000),
    };
    let bare = |kind| Letter { name: None, detail: None, ..full(kind) };
    MailKind::ALL.into_iter().flat_map(|kind| [full(kind), bare(kind)]).collect()
}

fn sample_of(kind: MailKind) -> Carries {
    let link = |valid_for| Carries::Link(Secret::new("https://login.example.com/reset?code=sample&user_id=0"), valid_for);
    let code = || Carries::Code(Secret::new("S4MPL3"), Duration::from_secs(10 * 60));
    match kind {
        MailKind::Recovery => link(Duration::from_secs(30 * 60)),
        MailKind::Invitation => link(Duration::from_secs(7 * 24 * 60 * 60)),
        MailKind::LoginCode | MailKind::AccessCode => code(),
        MailKind::PasswordChanged
        | MailKind::KeyAdded
        | MailKind::KeyRemoved
        | MailKind::AuthenticatorAdded
        | MailKind::AuthenticatorRemoved => Carries::Nothing,
    }
}
