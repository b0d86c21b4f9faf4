//! How a "no" looks here: a status, one message, and every single complaint under `_embedded`.

use std::borrow::Cow;
use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::wire::{Embedded, Message, Problem};
use crate::core::fault::FaultKind;
use crate::core::refusal::PasswordProblem;
use crate::core::{Error, Fault, Refusal};
use crate::dialect::shared::{log_fault, set_retry_after};
use crate::http::body::BodyError;
use crate::http::head::HeadError;

/// For a store that is away: nobody knows for how long.
const SOON: Duration = Duration::from_secs(1);

/// Why a handler has no success to answer.
pub(super) enum Failure {
    /// Core's answer.
    Core(Error),
    /// The request is not one of this API; why. Never holds a value that came with it.
    Malformed(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Core(refusal.into())
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Core(fault.into())
    }
}

impl From<BodyError> for Failure {
    fn from(error: BodyError) -> Self {
        Self::Malformed(sentence(&error.to_string()))
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::Core(Error::Refused(refusal)) => refused(&refusal),
            Self::Core(Error::Faulted(fault)) => faulted(&fault),
            Self::Malformed(why) => say(StatusCode::BAD_REQUEST, &why),
        }
    }
}

fn refused(refusal: &Refusal) -> Response {
    let (status, message) = words(refusal);
    let mut response = if let Refusal::PasswordRejected(problems) = refusal {
        embed(status, message.into_owned(), problems.iter().map(PasswordProblem::message).collect())
    } else {
        say(status, &message)
    };
    if let Some(after) = refusal.retry_after() {
        set_retry_after(response.headers_mut(), after);
    }
    response
}

/// Status and message of every refusal.
fn words(refusal: &Refusal) -> (StatusCode, Cow<'static, str>) {
    let (status, message) = match refusal {
        Refusal::Invalid { field, problem } => return (StatusCode::BAD_REQUEST, format!("{field}: {problem}").into()),
        Refusal::Conflict { problem } => (StatusCode::CONFLICT, *problem),
        Refusal::InvalidCredentials => (StatusCode::UNAUTHORIZED, "The username, or the password or code, is wrong."),
        Refusal::AccountDisabled => (StatusCode::FORBIDDEN, "The account is disabled."),
        Refusal::SecondFactorOwed => {
            (StatusCode::FORBIDDEN, "This account needs its second factor to sign in, which this API cannot ask for.")
        }
        Refusal::NotSignedIn => (StatusCode::UNAUTHORIZED, "Sign in first."),
        Refusal::RecentSignInRequired => (StatusCode::FORBIDDEN, "Sign in again first: the session is too old for this."),
        Refusal::NotPermitted => (StatusCode::FORBIDDEN, "You may not do this."),
        Refusal::ForeignOrigin => (StatusCode::FORBIDDEN, "The request comes from another site."),
        Refusal::TooManyAttempts { .. } => (StatusCode::TOO_MANY_REQUESTS, "Too many attempts. Wait a while, then try again."),
        Refusal::Overloaded { .. } => (StatusCode::SERVICE_UNAVAILABLE, "The server is very busy. Try again in a moment."),
        Refusal::TicketInvalid => (StatusCode::BAD_REQUEST, "The token is unknown, expired or has been used. Ask for a new one."),
        Refusal::PasswordRejected(_) => (StatusCode::UNPROCESSABLE_ENTITY, "The password breaks the rules for passwords."),
        Refusal::InvitationNotFound => (StatusCode::NOT_FOUND, "There is no such invitation, or it is no longer open."),
        Refusal::InvitationForAnother => (StatusCode::FORBIDDEN, "The invitation is for another address."),
        Refusal::EmailTaken => (StatusCode::CONFLICT, "There is an account with this address. Sign in to accept the invitation."),
        Refusal::UsernameTaken => (StatusCode::CONFLICT, "There is an account with this username."),
        Refusal::NoSecurityKey => (StatusCode::CONFLICT, "The account has no security key."),
        Refusal::KeyNameTaken => (StatusCode::CONFLICT, "The account has a security key of this name."),
        Refusal::WebauthnFailed => (StatusCode::BAD_REQUEST, "The security key was not accepted."),
        Refusal::WebauthnUnavailable => (StatusCode::CONFLICT, "Security keys cannot be used on this server."),
        Refusal::ApplicationUnknown => (StatusCode::UNAUTHORIZED, "The application's credentials are wrong."),
        Refusal::NetworkNotAllowed => (StatusCode::FORBIDDEN, "The application may not be used from this network."),
        Refusal::AccessCodeRequired => (StatusCode::FORBIDDEN, "An access code is needed."),
        Refusal::NotFound => (StatusCode::NOT_FOUND, "There is no such thing."),
        Refusal::SwitchedOff => (StatusCode::FORBIDDEN, "This way to sign in is switched off on this server."),
    };
    (status, message.into())
}

fn faulted(fault: &Fault) -> Response {
    log_fault(fault);
    match fault.kind() {
        FaultKind::Unavailable | FaultKind::Deadline => timed_out(),
        FaultKind::Internal => panicked(),
    }
}

pub(super) fn unreadable(error: HeadError) -> Response {
    Failure::Malformed(sentence(&error.to_string())).into_response()
}

pub(super) fn panicked() -> Response {
    say(StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong.")
}

pub(super) fn timed_out() -> Response {
    let mut response = say(StatusCode::SERVICE_UNAVAILABLE, "The server cannot answer at present. Try again in a moment.");
    set_retry_after(response.headers_mut(), SOON);
    response
}

pub(super) fn not_found() -> Response {
    say(StatusCode::NOT_FOUND, "There is nothing under this URL.")
}

pub(super) fn method_not_allowed() -> Response {
    say(StatusCode::METHOD_NOT_ALLOWED, "This URL does not take this method.")
}

/// For a URL whose GET has an effect: a HEAD, which promises to have none, must not set it off.
pub(super) async fn get_only() -> Response {
    let mut response = method_not_allowed();
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET"));
    response
}

fn say(status: StatusCode, message: &str) -> Response {
    embed(status, message.to_owned(), vec![message.to_owned()])
}

fn embed(status: StatusCode, message: String, errors: Vec<String>) -> Response {
    let errors = errors.into_iter().map(|message| Message { message }).collect();
    let mut response = (status, Json(Problem { message, embedded: Embedded { errors } })).into_response();
    if status == StatusCode::UNAUTHORIZED {
        // Every 401 names a scheme (RFC 9110, 15.5.2).
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

/// With a capital and a full stop.
fn sentence(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map(|first| format!("{}{}.", first.to_uppercase(), rest.as_str().trim_end_matches('.'))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_tell_nothing_but_when_to_come_back() {
        for (fault, status, comes_back) in [
            (Fault::internal("table users"), StatusCode::INTERNAL_SERVER_ERROR, false),
            (Fault::unavailable("disk full"), StatusCode::SERVICE_UNAVAILABLE, true),
            (Fault::deadline("2 s"), StatusCode::SERVICE_UNAVAILABLE, true),
        ] {
            let response = Failure::from(fault).into_response();
            assert_eq!((response.status(), response.headers().contains_key(header::RETRY_AFTER)), (status, comes_back));
        }
    }

    #[test]
    fn sentences() {
        for (text, told) in [("field `a` is missing", "Field `a` is missing."), ("Done.", "Done."), ("", "")] {
            assert_eq!(sentence(text), told);
        }
    }
}
