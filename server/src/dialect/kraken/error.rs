//! What went wrong, in this API's words: a status, and a number with a text.

use std::borrow::Cow;
use std::time::Duration;

use axum::Json;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::wire::ApiErrorResponse;
use crate::core::fault::FaultKind;
use crate::core::refusal::PasswordProblem;
use crate::core::{Error, Fault, Refusal};
use crate::dialect::shared::{log_fault, set_retry_after};
use crate::http::body::BodyError;
use crate::http::head::HeadError;

/// The numbers of this API's error table that are used here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(super) enum Code {
    LoginFailed = 1000,
    NotFound = 1001,
    InvalidContentType = 1002,
    InvalidJson = 1003,
    PayloadTooLarge = 1004,
    Unauthenticated = 1005,
    MissingSecondFactor = 1006,
    MissingPrivileges = 1007,
    NoSecurityKeyAvailable = 1008,
    NameAlreadyExists = 1013,
    InvalidPassword = 1017,
    InvalidName = 1020,
    InternalError = 2000,
    DatabaseError = 2001,
    WebauthnError = 2003,
}

impl Code {
    const ALL: [Self; 15] = [
        Self::LoginFailed,
        Self::NotFound,
        Self::InvalidContentType,
        Self::InvalidJson,
        Self::PayloadTooLarge,
        Self::Unauthenticated,
        Self::MissingSecondFactor,
        Self::MissingPrivileges,
        Self::NoSecurityKeyAvailable,
        Self::NameAlreadyExists,
        Self::InvalidPassword,
        Self::InvalidName,
        Self::InternalError,
        Self::DatabaseError,
        Self::WebauthnError,
    ];
}

/// On the wire it is the number.
impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u16(*self as u16)
    }
}

impl PartialSchema for Code {
    fn schema() -> RefOr<Schema> {
        let numbers = ObjectBuilder::new().schema_type(Type::Integer).enum_values(Some(Self::ALL.map(|code| code as u16)));
        numbers.description(Some("1xxx: the client's fault; 2xxx: the server's.")).into()
    }
}

impl ToSchema for Code {
    fn name() -> Cow<'static, str> {
        "ApiStatusCode".into()
    }
}

/// An answer other than a success.
#[derive(Debug)]
pub(super) struct Failure {
    status: StatusCode,
    code: Code,
    message: Cow<'static, str>,
    retry_after: Option<Duration>,
}

impl Failure {
    const fn new(status: StatusCode, code: Code, message: &'static str) -> Self {
        Self { status, code, message: Cow::Borrowed(message), retry_after: None }
    }

    /// A fault of the client's.
    const fn client(code: Code, message: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// A fault of the server's.
    const fn server(code: Code, message: &'static str) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, code, message)
    }

    /// A fault of the server's that may soon be over.
    const fn away(code: Code, message: &'static str) -> Self {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self { status, code, message: Cow::Borrowed(message), retry_after: Some(SOON) }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let body = ApiErrorResponse { status_code: self.code, message: &self.message };
        let mut response = (self.status, Json(body)).into_response();
        if let Some(after) = self.retry_after {
            set_retry_after(response.headers_mut(), after);
        }
        response
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self { retry_after: refusal.retry_after(), ..words(&refusal) }
    }
}

/// How each refusal looks here. Those at the end are of flows that this API does not have.
fn words(refusal: &Refusal) -> Failure {
    match refusal {
        Refusal::Invalid { field, problem } => {
            let code = if *field == "name" { Code::InvalidName } else { Code::InvalidJson };
            Failure::client(code, problem)
        }
        // The table has one number for both, and so do the words: they must not tell more.
        Refusal::InvalidCredentials | Refusal::AccountDisabled => Failure::client(Code::LoginFailed, "The login has failed."),
        Refusal::NotSignedIn => Failure::client(Code::Unauthenticated, "You are not signed in."),
        Refusal::RecentSignInRequired => {
            Failure::client(Code::Unauthenticated, "Your sign-in is too old for this. Sign in again, then repeat it.")
        }
        Refusal::SecondFactorOwed => {
            Failure::client(Code::MissingSecondFactor, "The second factor is missing. Give it with startAuth and finishAuth.")
        }
        Refusal::ForeignOrigin => Failure::client(Code::MissingPrivileges, "The request came from another site."),
        Refusal::SwitchedOff => Failure::client(Code::MissingPrivileges, "Signing in this way is switched off."),
        Refusal::TooManyAttempts { .. } => {
            Failure::new(StatusCode::TOO_MANY_REQUESTS, Code::LoginFailed, "Too many attempts. Wait as long as Retry-After says.")
        }
        Refusal::Overloaded { .. } => Failure::new(
            StatusCode::SERVICE_UNAVAILABLE,
            Code::InternalError,
            "The server is busy. Nothing was tried; try again.",
        ),
        Refusal::NoSecurityKey => Failure::client(Code::NoSecurityKeyAvailable, "You have no security key."),
        Refusal::KeyNameTaken => Failure::client(Code::NameAlreadyExists, "You have a security key of this name already."),
        Refusal::WebauthnFailed => {
            Failure::client(Code::WebauthnError, "The security key was not accepted. Start again for a new challenge.")
        }
        Refusal::WebauthnUnavailable => Failure::server(
            Code::WebauthnError,
            "This server's address is an IP address, with which no security key can be used.",
        ),
        Refusal::PasswordRejected(problems) => {
            let problems = PasswordProblem::messages(problems);
            Failure { message: problems.into(), ..Failure::client(Code::InvalidPassword, "") }
        }
        Refusal::NotFound | Refusal::InvitationNotFound => NOT_FOUND,
        Refusal::EmailTaken | Refusal::UsernameTaken => Failure::client(Code::NameAlreadyExists, "This name is taken."),
        Refusal::Conflict { problem } => Failure::client(Code::MissingPrivileges, problem),
        Refusal::TicketInvalid | Refusal::ApplicationUnknown => {
            Failure::client(Code::Unauthenticated, "The code or key is not valid.")
        }
        Refusal::AccessCodeRequired => Failure::client(Code::MissingSecondFactor, "An access code is required."),
        Refusal::NotPermitted | Refusal::NetworkNotAllowed | Refusal::InvitationForAnother => {
            Failure::client(Code::MissingPrivileges, "You may not do this.")
        }
    }
}

/// This API knows no status for an unavailable server: 500 is its word for every fault.
impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        log_fault(&fault);
        match fault.kind() {
            FaultKind::Unavailable | FaultKind::Deadline => DATABASE,
            FaultKind::Internal => INTERNAL,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refusal) => refusal.into(),
            Error::Faulted(fault) => fault.into(),
        }
    }
}

impl From<BodyError> for Failure {
    fn from(error: BodyError) -> Self {
        let code = match error {
            BodyError::ContentType => Code::InvalidContentType,
            BodyError::TooLarge => Code::PayloadTooLarge,
            BodyError::Empty | BodyError::Syntax(_) | BodyError::Shape(_) | BodyError::Broken => Code::InvalidJson,
        };
        Self { message: error.to_string().into(), ..Self::client(code, "") }
    }
}

impl From<HeadError> for Failure {
    fn from(error: HeadError) -> Self {
        let code = match error {
            HeadError::TooLarge => Code::PayloadTooLarge,
            HeadError::Malformed | HeadError::Host => Code::InvalidJson,
        };
        Self { message: error.to_string().into(), ..Self::client(code, "") }
    }
}

const NOT_FOUND: Failure = Failure::new(StatusCode::NOT_FOUND, Code::NotFound, "There is nothing here.");

/// When what is unavailable may be back.
const SOON: Duration = Duration::from_secs(1);

const DATABASE: Failure = Failure::away(Code::DatabaseError, "The server cannot answer now. Try again in a moment.");
const INTERNAL: Failure = Failure::server(Code::InternalError, "Something went wrong.");

pub(super) async fn wrong_method() -> Failure {
    Failure::new(StatusCode::METHOD_NOT_ALLOWED, Code::NotFound, "This URL does not have this method.")
}

/// For a URL whose GET has an effect, so that it has no HEAD.
pub(super) async fn get_only() -> ([(HeaderName, &'static str); 1], Failure) {
    ([(header::ALLOW, "GET")], wrong_method().await)
}

pub(super) fn not_found() -> Response {
    NOT_FOUND.into_response()
}

pub(super) fn unreadable(error: HeadError) -> Response {
    Failure::from(error).into_response()
}

pub(super) fn panicked() -> Response {
    INTERNAL.into_response()
}

pub(super) fn timed_out() -> Response {
    Failure::away(Code::InternalError, "This took too long. Try again in a moment.").into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn statuses_and_numbers_of_the_contract() {
        let after = Duration::from_secs(7);
        let table = [
            (Failure::from(Refusal::InvalidCredentials), 400, 1000),
            (Refusal::AccountDisabled.into(), 400, 1000),
            (Refusal::NotFound.into(), 404, 1001),
            (BodyError::ContentType.into(), 400, 1002),
            (BodyError::Empty.into(), 400, 1003),
            (BodyError::Syntax("x".to_owned()).into(), 400, 1003),
            (BodyError::Shape("x".to_owned()).into(), 400, 1003),
            (BodyError::TooLarge.into(), 400, 1004),
            (HeadError::TooLarge.into(), 400, 1004),
            (HeadError::Malformed.into(), 400, 1003),
            (HeadError::Host.into(), 400, 1003),
            (Refusal::NotSignedIn.into(), 400, 1005),
            (Refusal::RecentSignInRequired.into(), 400, 1005),
            (Refusal::SecondFactorOwed.into(), 400, 1006),
            (Refusal::ForeignOrigin.into(), 400, 1007),
            (Refusal::NoSecurityKey.into(), 400, 1008),
            (Refusal::KeyNameTaken.into(), 400, 1013),
            (Refusal::PasswordRejected(vec![PasswordProblem::TooShort { minimum: 8 }]).into(), 400, 1017),
            (Refusal::Invalid { field: "name", problem: "x" }.into(), 400, 1020),
            (Refusal::WebauthnFailed.into(), 400, 2003),
            (Refusal::WebauthnUnavailable.into(), 500, 2003),
            (Fault::internal("x").into(), 500, 2000),
            (Fault::unavailable("x").into(), 500, 2001),
            (Fault::deadline("x").into(), 500, 2001),
            (Refusal::TooManyAttempts { retry_after: after }.into(), 429, 1000),
            (Refusal::Overloaded { retry_after: after }.into(), 503, 2000),
        ];
        for (failure, status, number) in table {
            let away = number == 2001;
            let limited = failure.retry_after.map(|_| if away { "1" } else { "7" });
            assert!(limited.is_some() || !away, "{number}");
            let response = failure.into_response();
            assert_eq!(response.status(), status, "{number}");
            assert_eq!(response.headers().get("retry-after").map(|value| value.to_str().expect("ASCII")), limited);
            let body = axum::body::to_bytes(response.into_body(), 4096).await.expect("a body");
            let body: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&body).expect("an object");
            assert_eq!((body.len(), body["status_code"].as_u64()), (2, Some(number)));
            assert!(body["message"].as_str().is_some_and(|message| !message.is_empty()), "{number}");
        }
    }
}
