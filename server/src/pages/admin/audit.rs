//! `/admin/audit`: the log, by what one looks for, on a page and as CSV.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use super::csv;
use super::line::Line;
use crate::core::audit::Event;
use crate::core::clock::Timestamp;
use crate::core::flows::audit_log::{self, Filter};
use crate::core::flows::authority::Authority;
use crate::core::flows::session::Need;
use crate::core::flows::users;
use crate::core::model::{AuditId, UserId};
use crate::core::{Error, Refusal};
use crate::pages::render::View;
use crate::pages::return_to::with_query;
use crate::pages::visit::{Turned, Visit};
use crate::pages::words::{Choice, choices, sample_choices};

/// The lines, and the form that filters them.
#[derive(Default, Serialize)]
pub(in crate::pages) struct Audit {
    section: &'static str,
    asked_user: String,
    events: Vec<Choice>,
    outcomes: Vec<Choice>,
    dialect: String,
    since: String,
    until: String,
    user_problem: Option<String>,
    since_problem: Option<String>,
    until_problem: Option<String>,
    lines: Vec<Line>,
    /// The address of the next page.
    next: Option<String>,
    csv: String,
}

impl View for Audit {
    const TEMPLATE: &'static str = "admin/audit.html";

    fn samples() -> Vec<Self> {
        let text = || "Sample".to_owned();
        let some = || Some(text());
        let full = Self {
            section: SECTION,
            asked_user: text(),
            events: sample_choices(),
            outcomes: sample_choices(),
            dialect: text(),
            since: text(),
            until: text(),
            user_problem: some(),
            since_problem: some(),
            until_problem: some(),
            lines: Line::samples(),
            next: some(),
            csv: text(),
        };
        vec![full, Self::default()]
    }
}

const SECTION: &str = "audit";
const PAGE: &str = "/admin/audit";
const CSV: &str = "/admin/audit.csv";
const SHOWN: i64 = 50;

const FIELDS: [&str; 6] = ["user", "event", "outcome", "dialect", "since", "until"];

fn typed<'a>(visit: &'a Visit, name: &str) -> &'a str {
    visit.query(name).unwrap_or_default().trim()
}

/// The form as it was filled in, as pairs of a query.
fn pairs(visit: &Visit) -> Vec<(&'static str, &str)> {
    FIELDS.map(|name| (name, typed(visit, name))).into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

/// A whole moment, or the beginning of a day of UTC.
fn moment(text: &str) -> Result<Option<Timestamp>, ()> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().or_else(|_| format!("{text}T00:00:00Z").parse()).map(Some).map_err(|_| ())
}

/// What is looked for, and what of the form cannot be.
struct Asked {
    filter: Filter,
    user: bool,
    since: bool,
    until: bool,
}

impl Asked {
    fn is_wrong(&self) -> bool {
        self.user || self.since || self.until
    }
}

async fn asked(visit: &Visit, authority: Authority) -> Result<Asked, Error> {
    let name = |name| Some(typed(visit, name).to_owned()).filter(|name| !name.is_empty());
    let user = user(visit, authority).await?;
    let (since, until) = (moment(typed(visit, "since")), moment(typed(visit, "until")));
    let (no_user, no_since, no_until) = (user.is_err(), since.is_err(), until.is_err());
    let filter = Filter {
        user: user.unwrap_or_default(),
        event: name("event"),
        outcome: name("outcome"),
        dialect: name("dialect"),
        since: since.unwrap_or_default(),
        until: until.unwrap_or_default(),
    };
    Ok(Asked { filter, user: no_user, since: no_since, until: no_until })
}

/// By id, which a deleted one still has in the log, or by username or address.
async fn user(visit: &Visit, authority: Authority) -> Result<Result<Option<UserId>, ()>, Error> {
    let reference = typed(visit, "user");
    if reference.is_empty() {
        return Ok(Ok(None));
    }
    if let Ok(id) = reference.parse() {
        return Ok(Ok(Some(id)));
    }
    match users::find(visit.core(), authority, reference).await {
        Ok(found) => Ok(Ok(Some(found.user.id))),
        Err(Error::Refused(Refusal::NotFound)) => Ok(Err(())),
        Err(error) => Err(error),
    }
}

/// Shows the lines.
pub(in crate::pages) async fn list(mut visit: Visit) -> Result<Response, Turned> {
    let here = visit.here.clone();
    let authority = visit.administrator(Need::Full, &here).await?;
    let asked = asked(&visit, authority).await.map_err(|error| visit.turn(&error, PAGE))?;
    let text = |name| typed(&visit, name).to_owned();
    let problem = |wrong: bool, key: &str| wrong.then(|| visit.say(key, &[]));
    let mut view = Audit {
        section: SECTION,
        asked_user: text("user"),
        events: choices(&visit, "event", Event::ALL.into_iter().map(Event::as_str), typed(&visit, "event")),
        outcomes: choices(&visit, "outcome", ["ok"].into_iter().chain(Refusal::NAMES), typed(&visit, "outcome")),
        dialect: text("dialect"),
        since: text("since"),
        until: text("until"),
        user_problem: problem(asked.user, "admin.user_unknown"),
        since_problem: problem(asked.since, "admin.time_wrong"),
        until_problem: problem(asked.until, "admin.time_wrong"),
        csv: with_query(CSV, &pairs(&visit)),
        ..Audit::default()
    };
    if asked.is_wrong() {
        return Ok(visit.show(StatusCode::UNPROCESSABLE_ENTITY, &view));
    }
    let found = audit_log::list(visit.core(), authority, asked.filter, visit.page(SHOWN)).await;
    let found = found.map_err(|error| visit.turn(&error, PAGE))?;
    view.lines = found.items.iter().map(|entry| Line::of(&visit, entry)).collect();
    view.next = found.next.map(|next| {
        let mut pairs = pairs(&visit);
        pairs.push(("after", &next));
        with_query(PAGE, &pairs)
    });
    Ok(visit.show(StatusCode::OK, &view))
}

/// The same lines as a file, newest first. One that was cut says at its end by which moment the rest is asked for.
pub(in crate::pages) async fn export(mut visit: Visit) -> Result<Response, Turned> {
    let back = with_query(PAGE, &pairs(&visit));
    let authority = visit.administrator(Need::Full, &back).await?;
    let asked = asked(&visit, authority).await.map_err(|error| visit.turn(&error, PAGE))?;
    if asked.is_wrong() {
        return Ok(visit.go(&back, None));
    }
    let found = audit_log::export(visit.core(), authority, asked.filter).await;
    let found = found.map_err(|error| visit.turn(&error, PAGE))?;
    let stopped_at = found.next.as_deref().and_then(|id| id.parse::<AuditId>().ok()).and_then(AuditId::written_at);
    let mut text = csv::entries(&found.items);
    if let Some(last) = stopped_at {
        // What is of the same millisecond comes twice rather than never.
        let until = last.after(Duration::from_millis(1)).to_string();
        text.push_str(&csv::end(last, &visit.say("admin.csv_cut", &[("until", &until)])));
    }
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8; header=present"));
    let cut = stopped_at.is_some();
    let name = if cut { "attachment; filename=\"audit-cut.csv\"" } else { "attachment; filename=\"audit.csv\"" };
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static(name));
    Ok(response)
}
