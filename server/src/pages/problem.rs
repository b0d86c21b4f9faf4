//! What stands in the way and no form can show: refusals, faults, unreadable requests, each with a way on.

use std::sync::Arc;

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Serialize;

use super::render::{Frame, Pages, View};
use super::visit::{HOME, Visit};
use crate::core::fault::FaultKind;
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
    match error {
        Error::Faulted(fault) => {
            log_fault(fault);
            told(visit, status_of(fault), "problem.fault_title", "problem.fault")
        }
        Error::Refused(refusal) => {
            let (status, heading, explanation) = refused(visit, refusal);
            let mut response = visit.show(status, &words(|key| visit.say(key, &[]), heading, explanation));
            retry(response.headers_mut(), refusal);
            response
        }
    }
}

fn refused(visit: &Visit, refusal: &Refusal) -> (StatusCode, &'static str, String) {
    if let Some((status, heading)) = match refusal {
        Refusal::TooManyAttempts { .. } => Some((StatusCode::TOO_MANY_REQUESTS, "problem.too_many_title")),
        Refusal::Overloaded { .. } => Some((StatusCode::SERVICE_UNAVAILABLE, "problem.busy_title")),
        _ => None,
    } {
        return (status, heading, limited(visit, refusal).unwrap_or_default());
    }
    match refusal {
        Refusal::NotFound => (StatusCode::NOT_FOUND, "problem.not_found_title", visit.say("problem.not_found", &[])),
        Refusal::SwitchedOff => (StatusCode::FORBIDDEN, "problem.other_title", visit.say("problem.switched_off", &[])),
        Refusal::WebauthnUnavailable => {
            (StatusCode::FORBIDDEN, "problem.other_title", visit.say("account.keys_unavailable", &[]))
        }
        // Every other refusal has its words beside a form; one that has not is at least no secret.
        other => {
            tracing::error!(refusal = other.name(), "a page has no words for a refusal");
            (StatusCode::BAD_REQUEST, "problem.other_title", visit.say("problem.other", &[]))
        }
    }
}

/// The words, beside a form, for having to wait.
pub(super) fn limited(visit: &Visit, refusal: &Refusal) -> Option<String> {
    match refusal {
        Refusal::TooManyAttempts { retry_after } => Some(visit.say("problem.too_many", &[("wait", &visit.span(*retry_after))])),
        Refusal::Overloaded { .. } => Some(visit.say("problem.busy", &[])),
        _ => None,
    }
}

/// `Retry-After`, where it is known.
pub(super) fn retry(headers: &mut HeaderMap, refusal: &Refusal) {
    if let Some(after) = refusal.retry_after() {
        set_retry_after(headers, after);
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

/// An address below ours that nothing is at.
pub(super) async fn not_found(visit: Visit) -> Response {
    told(&visit, StatusCode::NOT_FOUND, "problem.not_found_title", "problem.not_found")
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
