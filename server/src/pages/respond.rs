//! Pages as answers.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Site;
use super::render::{CONTENT_SECURITY_POLICY, Page};
use crate::core::fault::FaultKind;
use crate::core::{Error, Refusal};
use crate::dialect::shared::{log_fault, set_retry_after};
use crate::http::body::BodyError;
use crate::http::head::HeadError;

impl Site {
    /// The page with this status.
    pub(super) fn respond(&self, status: StatusCode, page: &Page<'_>) -> Response {
        match self.pages.render(page) {
            Ok(html) => {
                let mut response = (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response();
                let policy = HeaderValue::from_static(CONTENT_SECURITY_POLICY);
                response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
                response
            }
            Err(error) => {
                tracing::error!(%error, "a page could not be rendered");
                panicked()
            }
        }
    }

    /// What no form can show beside a field.
    pub(super) fn problem(&self, error: &Error) -> Response {
        let (status, heading, explanation) = match error {
            Error::Refused(Refusal::TooManyAttempts { .. }) => {
                (StatusCode::TOO_MANY_REQUESTS, "Too many attempts", "Please wait a while, then open the link again.")
            }
            Error::Refused(Refusal::Overloaded { .. }) => {
                (StatusCode::SERVICE_UNAVAILABLE, "Very busy", "Please wait a moment, then try again.")
            }
            // Every other refusal of these flows has its own page; one that has not is at least no secret.
            Error::Refused(refusal) => {
                tracing::error!(refusal = refusal.name(), "a page has no words for a refusal");
                (StatusCode::BAD_REQUEST, "This cannot be done", "Please open the link in the mail again, and try from there.")
            }
            Error::Faulted(fault) => {
                log_fault(fault);
                let status = match fault.kind() {
                    FaultKind::Unavailable | FaultKind::Deadline => StatusCode::SERVICE_UNAVAILABLE,
                    FaultKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
                };
                (status, "Something went wrong", "Nothing has been changed. Please try again in a moment.")
            }
        };
        let mut response = self.respond(status, &Page::Problem { heading, explanation });
        if let Error::Refused(refusal) = error
            && let Some(after) = refusal.retry_after()
        {
            set_retry_after(response.headers_mut(), after);
        }
        response
    }

    /// A form that did not come as our pages send it.
    pub(super) fn unreadable(&self, error: &BodyError) -> Response {
        let status = match error {
            BodyError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            BodyError::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            BodyError::Empty | BodyError::Syntax(_) | BodyError::Shape(_) | BodyError::Broken => StatusCode::BAD_REQUEST,
        };
        let explanation = "Please open the link in the mail again, and send the form from there.";
        self.respond(status, &Page::Problem { heading: "The form was not complete", explanation })
    }
}

pub(super) async fn stylesheet(State(site): State<Site>) -> Response {
    let headers = [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "public, max-age=3600")];
    (headers, site.pages.stylesheet().to_owned()).into_response()
}

pub(super) fn panicked() -> Response {
    (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong. Please try again in a moment.").into_response()
}

pub(super) fn timed_out() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, "This took too long. Please try again in a moment.").into_response()
}

pub(super) fn unreadable(error: HeadError) -> Response {
    (error.status(), "This address could not be read. Please open the link in the mail again.").into_response()
}
