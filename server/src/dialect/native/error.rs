//! Problems (RFC 9457): how every refusal, fault and unreadable request looks on this wire.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::wire::{PasswordProblem, ProblemDocument};
use crate::core::fault::FaultKind;
use crate::core::refusal;
use crate::core::{Error, Fault, Refusal};
use crate::dialect::shared::{log_fault, set_retry_after};
use crate::http::body::BodyError;
use crate::http::head::HeadError;
use crate::http::original::Malformed;

/// Every type begins with this; the rest is the problem's name with hyphens. Names are never reused for something else.
const TYPE_PREFIX: &str = "urn:doorward:problem:";

/// An answer that is not what was asked for.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    document: Box<ProblemDocument>,
    retry_after: Option<Duration>,
}

impl Problem {
    fn new(status: StatusCode, name: &str, title: &'static str) -> Self {
        let document = ProblemDocument {
            r#type: format!("{TYPE_PREFIX}{}", name.replace('_', "-")),
            title,
            status: status.as_u16(),
            detail: None,
            field: None,
            problems: Vec::new(),
            retry_after: None,
        };
        Self { status, document: Box::new(document), retry_after: None }
    }

    fn detail(mut self, detail: impl Into<String>) -> Self {
        self.document.detail = Some(detail.into());
        self
    }

    /// The query is not one: not UTF-8, or a name is given twice.
    pub(super) fn query(error: &BodyError) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed_query", "The query cannot be read").detail(error.to_string())
    }

    /// A trusted proxy does not say plainly which request it asks about.
    pub(super) fn forwarded(malformed: Malformed) -> Self {
        let title = "The request that is asked about cannot be told";
        Self::new(StatusCode::FORBIDDEN, "malformed_forwarding", title).detail(malformed.0)
    }

    /// A part of the path is too long, or not UTF-8 once decoded.
    pub(super) fn path() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed_path", "A part of the path is too long or not UTF-8")
    }
}

/// Status and title of every refusal.
const fn words(refusal: &Refusal) -> (StatusCode, &'static str) {
    match refusal {
        Refusal::Invalid { .. } => (StatusCode::BAD_REQUEST, "A value is not of the form that it must have"),
        Refusal::InvalidCredentials => (StatusCode::UNAUTHORIZED, "The name, the password or the code is not right"),
        Refusal::AccountDisabled => (StatusCode::FORBIDDEN, "The account is disabled"),
        Refusal::SecondFactorOwed => (StatusCode::UNAUTHORIZED, "A second factor is required"),
        Refusal::NotSignedIn => (StatusCode::UNAUTHORIZED, "Not signed in"),
        Refusal::RecentSignInRequired => (StatusCode::FORBIDDEN, "A recent sign-in is required: sign in again"),
        Refusal::NotPermitted => (StatusCode::FORBIDDEN, "Not permitted"),
        Refusal::ForeignOrigin => (StatusCode::FORBIDDEN, "The request comes from another site"),
        Refusal::TooManyAttempts { .. } => (StatusCode::TOO_MANY_REQUESTS, "Too many attempts"),
        Refusal::Overloaded { .. } => (StatusCode::SERVICE_UNAVAILABLE, "The server is too busy"),
        Refusal::TicketInvalid => (StatusCode::BAD_REQUEST, "The code is not valid, or not any more"),
        Refusal::PasswordRejected(_) => (StatusCode::UNPROCESSABLE_ENTITY, "The password is not good enough"),
        Refusal::InvitationNotFound => (StatusCode::NOT_FOUND, "No open invitation has this id"),
        Refusal::InvitationForAnother => (StatusCode::FORBIDDEN, "The invitation is for another e-mail address"),
        Refusal::EmailTaken => (StatusCode::CONFLICT, "An account with this e-mail address exists"),
        Refusal::UsernameTaken => (StatusCode::CONFLICT, "An account with this username exists"),
        Refusal::NoSecurityKey => (StatusCode::CONFLICT, "No security key is registered"),
        Refusal::KeyNameTaken => (StatusCode::CONFLICT, "A security key has this name, or is registered already"),
        Refusal::WebauthnFailed => (StatusCode::BAD_REQUEST, "The security key's answer was not accepted: start again"),
        Refusal::WebauthnUnavailable => (StatusCode::FORBIDDEN, "Security keys cannot be used with this server"),
        Refusal::ApplicationUnknown => (StatusCode::UNAUTHORIZED, "The application's credentials are not right"),
        Refusal::NetworkNotAllowed => (StatusCode::FORBIDDEN, "The application may not be used from this network"),
        Refusal::AccessCodeRequired => (StatusCode::UNAUTHORIZED, "The access code is required"),
        Refusal::NotFound => (StatusCode::NOT_FOUND, "Not found"),
        Refusal::Conflict { .. } => (StatusCode::CONFLICT, "Not possible in the present state"),
        Refusal::SwitchedOff => (StatusCode::FORBIDDEN, "This server does not offer that"),
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let (status, title) = words(&refusal);
        let mut problem = Self::new(status, refusal.name(), title);
        problem.retry_after = refusal.retry_after();
        problem.document.retry_after = problem.retry_after.map(|after| after.as_secs().max(1));
        if let Refusal::Invalid { field, problem: wrong } = &refusal {
            problem.document.field = Some(field);
            problem.document.detail = Some((*wrong).to_owned());
        }
        if let Refusal::Conflict { problem: wrong } = &refusal {
            problem.document.detail = Some((*wrong).to_owned());
        }
        if let Refusal::PasswordRejected(broken) = &refusal {
            problem.document.detail = Some(refusal::PasswordProblem::messages(broken));
            problem.document.problems = broken.iter().map(PasswordProblem::from).collect();
        }
        problem
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        log_fault(&fault);
        match fault.kind() {
            FaultKind::Unavailable | FaultKind::Deadline => unavailable(),
            FaultKind::Internal => internal(),
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refusal) => refusal.into(),
            Error::Faulted(fault) => fault.into(),
        }
    }
}

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        let (status, name, title) = match &error {
            BodyError::ContentType => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "The body must be application/json")
            }
            BodyError::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", "The body is too large"),
            BodyError::Empty | BodyError::Syntax(_) | BodyError::Shape(_) | BodyError::Broken => {
                (StatusCode::BAD_REQUEST, "malformed_body", "The body cannot be read")
            }
        };
        Self::new(status, name, title).detail(error.to_string())
    }
}

impl From<HeadError> for Problem {
    fn from(error: HeadError) -> Self {
        let (name, title) = match error {
            HeadError::TooLarge => ("head_too_large", "The head of the request is too large"),
            HeadError::Malformed | HeadError::Host => ("malformed_head", "The head of the request cannot be read"),
        };
        Self::new(error.status(), name, title).detail(error.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.document)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(after) = self.retry_after {
            set_retry_after(headers, after);
        }
        response
    }
}

fn internal() -> Problem {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", "Something went wrong on the server")
}

/// When what is unavailable may be back.
const SOON: Duration = Duration::from_secs(1);

fn unavailable() -> Problem {
    let text = "The server cannot answer at the moment: try again";
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", text);
    Problem { retry_after: Some(SOON), ..problem }
}

pub(super) fn unreadable(error: HeadError) -> Response {
    Problem::from(error).into_response()
}

pub(super) fn panicked() -> Response {
    internal().into_response()
}

pub(super) fn timed_out() -> Response {
    unavailable().into_response()
}

pub(super) fn not_found() -> Response {
    Problem::from(Refusal::NotFound).into_response()
}

pub(super) async fn method_not_allowed() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "The URL does not have this method")
}
