//! What stands in the way and no form can show: refusals, faults, unreadable requests, each with a way on.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use super::render::{Frame, Pages, View};
use super::visit::{HOME, Visit};
use crate::core::fault::FaultKind;
use crate::core::flows::session::{self, Need};
use crate::core::{Error, Fault, Refusal};
use crate::dialect::shared::{log_fault, set_retry_after};
use crate::http::body::BodyError;
use crate::http::head::HeadError;
use crate::locale::Language;

/// What happened, what would help, and where to go on.
#[derive(Serialize)]
pub(super) struct Problem {
    heading: String,
    explanation: String,
    way: String,
    way_text: String,
}

impl View for Problem {
    const TEMPLATE: &'static str = "problem.html";

    fn samples() -> Vec<Self> {
        let text = || "Sample".to_owned();
        vec![Self { heading: text(), explanation: text(), way: text(), way_text: text() }]
    }
}

fn words(say: impl Fn(&str) -> String, heading: &str, explanation: String) -> Problem {
    let way_text = say("common.back_to_account");
    Problem { heading: say(heading), explanation, way: HOME.to_owned(), way_text }
}

/// A problem in the words of two messages.
pub(super) fn told(visit: &Visit, status: StatusCode, heading: &str, explanation: &str) -> Response {
    let say = |key: &str| visit.say(key, &[]);
    visit.show(status, &words(say, heading, say(explanation)))
}

/// A button of a page that is out of date. It leads back to that page, if the browser says which it was.
pub(super) fn stale(visit: &Visit) -> Response {
    let mut view = words(|key| visit.say(key, &[]), "stale.title", visit.say("stale.text", &[]));
    if let Some(page) = visit.came_from() {
        page.as_str().clone_into(&mut view.way);
        view.way_text = visit.say("stale.way", &[]);
    }
    visit.show(StatusCode::FORBIDDEN, &view)
}

/// A page for an error that a flow met.
pub(super) fn page(visit: &Visit, error: &Error) -> Response {
    if let Some(later) = later(visit, error) {
        let view = words(|key| visit.say(key, &[]), later.heading, later.told.clone());
        return later.on(visit.show(later.status, &view));
    }
    let (status, heading, explanation) = match error {
        Error::Faulted(fault) => {
            log_fault(fault);
            (status_of(fault), "problem.fault_title", "problem.fault")
        }
        Error::Refused(refusal) => refused(refusal),
    };
    told(visit, status, heading, explanation)
}

fn refused(refusal: &Refusal) -> (StatusCode, &'static str, &'static str) {
    match refusal {
        Refusal::NotFound => (StatusCode::NOT_FOUND, "problem.not_found_title", "problem.not_found"),
        Refusal::SwitchedOff => (StatusCode::FORBIDDEN, "problem.other_title", "problem.switched_off"),
        Refusal::WebauthnUnavailable => (StatusCode::FORBIDDEN, "problem.other_title", "account.keys_unavailable"),
        // Every other refusal has its words beside a form; one that has not is at least no secret.
        other => {
            tracing::error!(refusal = other.name(), "a page has no words for a refusal");
            (StatusCode::BAD_REQUEST, "problem.other_title", "problem.other")
        }
    }
}

/// What is said to an error, beside a form or on a page of its own.
pub(super) struct Told {
    pub(super) status: StatusCode,
    pub(super) told: String,
    heading: &'static str,
    after: Option<Duration>,
}

/// For a store that is away: a failover takes seconds.
const AWAY: Duration = Duration::from_secs(5);

/// What may succeed as it is, later. Too many tries (429) are told from a server that could not try (503).
pub(super) fn later(visit: &Visit, error: &Error) -> Option<Told> {
    let busy = StatusCode::SERVICE_UNAVAILABLE;
    let (status, heading, told, after) = match error {
        Error::Refused(Refusal::TooManyAttempts { retry_after }) => {
            let told = visit.say("problem.too_many", &[("wait", &visit.span(*retry_after))]);
            (StatusCode::TOO_MANY_REQUESTS, "problem.too_many_title", told, *retry_after)
        }
        Error::Refused(Refusal::Overloaded { retry_after }) => {
            (busy, "problem.busy_title", visit.say("problem.busy", &[]), *retry_after)
        }
        Error::Faulted(fault) if status_of(fault) == busy => {
            log_fault(fault);
            (busy, "problem.away_title", visit.say("problem.away", &[]), AWAY)
        }
        Error::Refused(_) | Error::Faulted(_) => return None,
    };
    Some(Told { status, told, heading, after: Some(after) })
}

impl Told {
    pub(super) fn new(status: StatusCode, told: String) -> Self {
        Self { status, told, heading: "problem.other_title", after: None }
    }

    /// The answer, which says when to come back, where that is known.
    pub(super) fn on(&self, mut response: Response) -> Response {
        if let Some(after) = self.after {
            set_retry_after(response.headers_mut(), after);
        }
        response
    }
}

/// A form that did not come as our pages send it.
pub(super) fn unreadable(visit: &Visit, error: &BodyError) -> Response {
    let status = match error {
        BodyError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        BodyError::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        BodyError::Empty | BodyError::Syntax(_) | BodyError::Shape(_) | BodyError::Broken => StatusCode::BAD_REQUEST,
    };
    told(visit, status, "problem.unreadable_title", "problem.unreadable")
}

/// An address that nothing is at. Who is signed in keeps the way to where they were.
pub(super) async fn not_found(visit: Visit) -> Response {
    nowhere(visit, StatusCode::NOT_FOUND, "problem.not_found_title", "problem.not_found").await
}

/// A page that is there, in another way than it was asked for; a page only for who can show one.
pub(super) async fn not_allowed(visit: Visit) -> Response {
    if !visit.wants_a_page() {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    nowhere(visit, StatusCode::METHOD_NOT_ALLOWED, "problem.method_title", "problem.method").await
}

async fn nowhere(mut visit: Visit, status: StatusCode, heading: &str, explanation: &str) -> Response {
    if let Ok(checked) = session::check(visit.core(), &visit.call, &visit.presented, Need::Full).await {
        visit.known_as(&checked.user);
    }
    told(&visit, status, heading, explanation)
}

fn status_of(fault: &Fault) -> StatusCode {
    match fault.kind() {
        FaultKind::Unavailable | FaultKind::Deadline => StatusCode::SERVICE_UNAVAILABLE,
        FaultKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// A fault before there is a visit.
pub(super) fn faulted(pages: &Pages, language: Language, fault: &Fault) -> Response {
    log_fault(fault);
    bare(pages, language, status_of(fault), "problem.fault_title", "problem.fault")
}

pub(super) fn panicked(pages: &Arc<Pages>) -> Response {
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    bare(pages, pages.language, status, "problem.fault_title", "problem.fault")
}

pub(super) fn timed_out(pages: &Arc<Pages>) -> Response {
    bare(pages, pages.language, StatusCode::SERVICE_UNAVAILABLE, "problem.slow_title", "problem.fault")
}

pub(super) fn head(pages: &Arc<Pages>, error: HeadError) -> Response {
    bare(pages, pages.language, error.status(), "problem.not_found_title", "problem.not_found")
}

fn bare(pages: &Pages, language: Language, status: StatusCode, heading: &str, explanation: &str) -> Response {
    let say = |key: &str| pages.say(language, key, &[]);
    let view = words(say, heading, say(explanation));
    pages.respond(status, language, &Frame { csrf: "", user: None, administers: false, notice: None }, &view)
}
