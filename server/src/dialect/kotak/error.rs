//! How a "no" looks here: a `fault` with a number of the API gateway that the client knows, or with the status where there is none.

use std::borrow::Cow;
use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::wire::{FaultEnvelope, WireFault};
use crate::core::fault::FaultKind;
use crate::core::{Error, Fault, Refusal};
use crate::dialect::shared::{log_fault, set_retry_after};
use crate::http::body::BodyError;
use crate::http::head::HeadError;

const THROTTLED: u32 = 900_800;
const INVALID_APPLICATION: u32 = 900_901;
const MISSING_APPLICATION: u32 = 900_902;

/// For a store that is away: nobody knows for how long.
const SOON: Duration = Duration::from_secs(1);

/// Why a handler has no success to answer.
pub(super) enum Failure {
    /// Core's answer.
    Core(Error),
    /// One of the application's three credentials is not there: which.
    NoCredential(&'static str),
    /// A header or the body is not as this call has it; why. Never holds a value that came with it.
    Malformed(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

impl From<BodyError> for Failure {
    fn from(error: BodyError) -> Self {
        Self::Malformed(error.to_string())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::Core(Error::Refused(refusal)) => refused(&refusal),
            Self::Core(Error::Faulted(fault)) => faulted(&fault),
            Self::NoCredential(name) => {
                let description = format!("The header `{name}` is missing or has no credential in it.");
                challenge(say(StatusCode::UNAUTHORIZED, MISSING_APPLICATION, "Missing Credentials", description))
            }
            Self::Malformed(why) => plain(StatusCode::BAD_REQUEST, "Invalid or missing input parameters", why),
        }
    }
}

fn refused(refusal: &Refusal) -> Response {
    let mut response = words(refusal);
    if let Some(after) = refusal.retry_after() {
        set_retry_after(response.headers_mut(), after);
    }
    response
}

/// The answer to every refusal, within the statuses that the API has: 400 for what is wrong with the request, 401 for what is wrong with
/// the caller.
fn words(refusal: &Refusal) -> Response {
    match refusal {
        Refusal::ApplicationUnknown => application("appId, consumerKey and access token are not those of one application."),
        Refusal::NetworkNotAllowed => application("The application may not be used from this network."),
        Refusal::InvalidCredentials => user("The userid, or the password or access code, is wrong."),
        Refusal::TicketInvalid => user("The one-time token is unknown, spent, expired or not this user's. Log in again."),
        Refusal::AccountDisabled => user("The account is disabled."),
        Refusal::AccessCodeRequired => user("The one-time token does not suffice: the access code is needed."),
        Refusal::SecondFactorOwed => user("A second factor is needed."),
        Refusal::NotSignedIn => user("The session token is unknown, expired, or not this user's and this application's."),
        Refusal::RecentSignInRequired => user("The session is too old for this. Log in again."),
        Refusal::NotPermitted | Refusal::InvitationForAnother => user("You may not do this."),
        Refusal::ForeignOrigin => user("The request comes from another site."),
        Refusal::SwitchedOff => user("Signing in with a password is switched off on this server."),
        Refusal::TooManyAttempts { .. } => {
            let description = "Too many attempts. Wait a while, then try again.";
            say(StatusCode::TOO_MANY_REQUESTS, THROTTLED, "Message throttled out", description)
        }
        Refusal::Overloaded { .. } => {
            plain(StatusCode::SERVICE_UNAVAILABLE, "Service unavailable", "The server is very busy. Try again in a moment.")
        }
        Refusal::Invalid { field, problem } => wrong(format!("{field}: {problem}")),
        Refusal::Conflict { problem } => wrong(*problem),
        Refusal::PasswordRejected(_) => wrong("The password breaks the rules for passwords."),
        Refusal::InvitationNotFound | Refusal::NotFound => wrong("There is no such thing."),
        Refusal::EmailTaken | Refusal::UsernameTaken | Refusal::KeyNameTaken => wrong("There is one of this name."),
        Refusal::NoSecurityKey => wrong("The account has no security key."),
        Refusal::WebauthnFailed => wrong("The security key was not accepted."),
        Refusal::WebauthnUnavailable => wrong("Security keys cannot be used on this server."),
    }
}

fn faulted(fault: &Fault) -> Response {
    log_fault(fault);
    match fault.kind() {
        FaultKind::Deadline => timed_out(),
        FaultKind::Unavailable => {
            let description = "The server cannot answer at present. Try again in a moment.";
            let mut response = plain(StatusCode::SERVICE_UNAVAILABLE, "Service unavailable", description);
            set_retry_after(response.headers_mut(), SOON);
            response
        }
        FaultKind::Internal => panicked(),
    }
}

pub(super) fn unreadable(error: HeadError) -> Response {
    Failure::Malformed(error.to_string()).into_response()
}

pub(super) fn panicked() -> Response {
    plain(StatusCode::INTERNAL_SERVER_ERROR, "Unexpected error", "Something went wrong.")
}

pub(super) fn timed_out() -> Response {
    let description = "The server did not come to an answer in time. Try again.";
    let mut response = plain(StatusCode::GATEWAY_TIMEOUT, "Gateway timeout", description);
    set_retry_after(response.headers_mut(), SOON);
    response
}

pub(super) fn not_found() -> Response {
    plain(StatusCode::NOT_FOUND, "No matching resource found", "There is nothing under this URL.")
}

pub(super) fn method_not_allowed() -> Response {
    plain(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed", "This URL does not take this method.")
}

fn application(description: &'static str) -> Response {
    challenge(say(StatusCode::UNAUTHORIZED, INVALID_APPLICATION, "Invalid Credentials", description))
}

fn user(description: &'static str) -> Response {
    challenge(plain(StatusCode::UNAUTHORIZED, "Unauthorized", description))
}

fn wrong(description: impl Into<Cow<'static, str>>) -> Response {
    plain(StatusCode::BAD_REQUEST, "Invalid or missing input parameters", description)
}

fn plain(status: StatusCode, message: &'static str, description: impl Into<Cow<'static, str>>) -> Response {
    say(status, u32::from(status.as_u16()), message, description)
}

fn say(status: StatusCode, code: u32, message: &'static str, description: impl Into<Cow<'static, str>>) -> Response {
    let fault = WireFault { code, message, description: description.into().into_owned() };
    (status, Json(FaultEnvelope { fault })).into_response()
}

/// Every 401 names a scheme (RFC 9110, 15.5.2).
fn challenge(mut response: Response) -> Response {
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_tell_nothing_but_when_to_come_back() {
        for (fault, status, comes_back) in [
            (Fault::internal("table users"), StatusCode::INTERNAL_SERVER_ERROR, false),
            (Fault::unavailable("disk full"), StatusCode::SERVICE_UNAVAILABLE, true),
            (Fault::deadline("2 s"), StatusCode::GATEWAY_TIMEOUT, true),
        ] {
            let response = Failure::Core(fault.into()).into_response();
            assert_eq!((response.status(), response.headers().contains_key(header::RETRY_AFTER)), (status, comes_back));
        }
    }
}
