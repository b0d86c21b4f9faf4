//! What went wrong, in this API's words: a status, a `JSONError`, and the same texts as headers.

use std::borrow::Cow;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::wire::JsonError;
use crate::core::fault::FaultKind;
use crate::core::refusal::PasswordProblem;
use crate::core::{Error, Fault, Refusal};
use crate::dialect::shared::{Shared, log_fault, set_retry_after};
use crate::http::body::BodyError;
use crate::http::head::HeadError;
use crate::http::layers::Words;

/// The most bytes of a text that goes out as a header.
const LONGEST_HEADER: usize = 256;

/// An answer other than a success, without the service's name: [`write`] adds that.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    status: StatusCode,
    code: &'static str,
    message: &'static str,
    details: Cow<'static, str>,
    retry_after: Option<Duration>,
}

impl Failure {
    const fn new(status: StatusCode, code: &'static str, message: &'static str, details: &'static str) -> Self {
        Self { status, code, message, details: Cow::Borrowed(details), retry_after: None }
    }

    fn told(self, response: &mut Response, service: &str) {
        let Self { code, message, ref details, .. } = self;
        let (parts, body) = Json(JsonError { code, message, details, service }).into_response().into_parts();
        *response.status_mut() = self.status;
        *response.body_mut() = body;
        let headers = response.headers_mut();
        headers.extend(parts.headers);
        for (name, text) in [("code", code), ("message", message), ("details", details), ("service", service)] {
            headers.insert(name, header_value(text));
        }
        if let Some(after) = self.retry_after {
            set_retry_after(headers, after);
        }
    }

    /// Whole, for answers that do not pass [`write`].
    fn whole(self, shared: &Shared) -> Response {
        let mut response = Response::new(Body::empty());
        self.told(&mut response, &shared.core().policy().service_name);
        response
    }
}

/// Leaves a mark on the answer, from which [`write`] makes it.
impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the failures of the handlers, which do not know what the service is called.
pub(super) async fn write(State(shared): State<Shared>, mut response: Response) -> Response {
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        failure.told(&mut response, &shared.core().policy().service_name);
    }
    response
}

/// A text as a header's value: other whitespace becomes a space, what is not visible ASCII a question mark; cut to 256 bytes.
fn header_value(text: &str) -> HeaderValue {
    let plain = |c: char| {
        if matches!(c, ' '..='~') {
            c
        } else if c.is_whitespace() {
            ' '
        } else {
            '?'
        }
    };
    let reduced: String = text.chars().map(plain).take(LONGEST_HEADER).collect();
    HeaderValue::from_str(reduced.trim()).unwrap_or(HeaderValue::from_static(""))
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let (status, message, details) = words(&refusal);
        Self { status, code: refusal.name(), message, details, retry_after: refusal.retry_after() }
    }
}

/// How each refusal looks here. Those at the end are of flows that this API does not have.
fn words(refusal: &Refusal) -> (StatusCode, &'static str, Cow<'static, str>) {
    const TOO_MANY: StatusCode = StatusCode::TOO_MANY_REQUESTS;
    let (status, message, details) = match refusal {
        Refusal::Invalid { problem, .. } => (StatusCode::BAD_REQUEST, "A value is not of the right form.", *problem),
        Refusal::PasswordRejected(problems) => {
            let details = PasswordProblem::messages(problems).into();
            return (StatusCode::BAD_REQUEST, "The new password was not accepted.", details);
        }
        Refusal::TicketInvalid => (
            StatusCode::BAD_REQUEST,
            "The reset code is not valid.",
            "It may be mistyped, used, expired or replaced by a newer one. Ask for a new link.",
        ),
        Refusal::InvalidCredentials => (StatusCode::UNAUTHORIZED, "The e-mail address or the password is wrong.", ""),
        Refusal::NotSignedIn => (StatusCode::UNAUTHORIZED, "You are not signed in.", "Sign in, then try again."),
        Refusal::AccountDisabled => (StatusCode::FORBIDDEN, "This account is disabled.", "Ask the operator of this service."),
        Refusal::SecondFactorOwed => (
            StatusCode::FORBIDDEN,
            "A second factor is required.",
            "This account has a second factor, which this API has no way to ask for. Sign in through another API of this service.",
        ),
        Refusal::SwitchedOff => (StatusCode::FORBIDDEN, "Signing in this way is switched off.", ""),
        Refusal::ForeignOrigin => (StatusCode::FORBIDDEN, "The request came from another site.", ""),
        Refusal::TooManyAttempts { .. } => (TOO_MANY, "Too many attempts.", "Wait for as long as Retry-After says."),
        Refusal::Overloaded { .. } => (StatusCode::SERVICE_UNAVAILABLE, "The service is busy.", "Nothing was tried. Try again."),
        Refusal::RecentSignInRequired => (StatusCode::FORBIDDEN, "Your sign-in is too old for this.", "Sign in again."),
        Refusal::NotPermitted
        | Refusal::InvitationForAnother
        | Refusal::ApplicationUnknown
        | Refusal::NetworkNotAllowed
        | Refusal::AccessCodeRequired => (StatusCode::FORBIDDEN, "You may not do this.", ""),
        Refusal::NotFound | Refusal::InvitationNotFound | Refusal::NoSecurityKey => {
            (StatusCode::NOT_FOUND, "There is no such thing.", "")
        }
        Refusal::EmailTaken | Refusal::UsernameTaken | Refusal::KeyNameTaken | Refusal::Conflict { .. } => {
            (StatusCode::CONFLICT, "This cannot be done now.", "")
        }
        Refusal::WebauthnFailed | Refusal::WebauthnUnavailable => {
            (StatusCode::BAD_REQUEST, "The security key was not accepted.", "")
        }
    };
    (status, message, Cow::Borrowed(details))
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        log_fault(&fault);
        match fault.kind() {
            FaultKind::Unavailable | FaultKind::Deadline => UNAVAILABLE,
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
        let details = Cow::Owned(error.to_string());
        Self { details, ..Self::new(StatusCode::BAD_REQUEST, "invalid_parameters", "The request body cannot be used.", "") }
    }
}

impl From<HeadError> for Failure {
    fn from(error: HeadError) -> Self {
        let details = Cow::Owned(error.to_string());
        Self { details, ..Self::new(StatusCode::BAD_REQUEST, "invalid_parameters", "The request cannot be read.", "") }
    }
}

/// When what is unavailable may be back.
const SOON: Duration = Duration::from_secs(1);

const UNAVAILABLE: Failure = Failure {
    status: StatusCode::SERVICE_UNAVAILABLE,
    code: "unavailable",
    message: "The service cannot answer now.",
    details: Cow::Borrowed("Try again in a moment."),
    retry_after: Some(SOON),
};

const INTERNAL: Failure = Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", "Something went wrong.", "");

pub(super) async fn wrong_method() -> Failure {
    Failure::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "This URL does not have this method.", "See Allow.")
}

pub(super) fn not_found(shared: &Shared) -> Response {
    Failure::new(StatusCode::NOT_FOUND, "not_found", "There is nothing at this URL.", "").whole(shared)
}

/// What the layers around the handlers say.
pub(super) fn words_of_layers(shared: &Shared) -> Words {
    let (panicked, timed_out, refused) = (shared.clone(), shared.clone(), shared.clone());
    Words::new(
        move || INTERNAL.whole(&panicked),
        move || UNAVAILABLE.whole(&timed_out),
        move |error| Failure::from(error).whole(&refused),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_holds_visible_ascii_only() {
        for (text, value) in [
            ("plain text, as it is.", "plain text, as it is."),
            ("", ""),
            (" \t padded \r\n", "padded"),
            ("a\r\nSet-Cookie: b=c", "a  Set-Cookie: b=c"),
            ("a\0b\u{7f}c\u{1b}[31m", "a?b?c?[31m"),
            ("Zürich\u{2028}東京", "Z?rich ??"),
            ("\u{a0}\u{85}x", "x"),
        ] {
            assert_eq!(header_value(text).to_str().expect("visible"), value, "{text:?}");
        }
        assert_eq!(header_value(&"é".repeat(5000)).len(), 256);
        assert_eq!(header_value(&"x".repeat(5000)).len(), 256);
    }

    #[test]
    fn statuses_of_the_contract() {
        let after = Duration::from_secs(7);
        let table = [
            (Refusal::Invalid { field: "email", problem: "x" }, 400, "invalid_parameters"),
            (Refusal::TicketInvalid, 400, "invalid_code"),
            (Refusal::PasswordRejected(vec![]), 400, "password_rejected"),
            (Refusal::InvalidCredentials, 401, "invalid_credentials"),
            (Refusal::NotSignedIn, 401, "not_signed_in"),
            (Refusal::AccountDisabled, 403, "account_disabled"),
            (Refusal::SecondFactorOwed, 403, "second_factor_required"),
            (Refusal::ForeignOrigin, 403, "foreign_origin"),
            (Refusal::SwitchedOff, 403, "switched_off"),
            (Refusal::TooManyAttempts { retry_after: after }, 429, "too_many_attempts"),
            (Refusal::Overloaded { retry_after: after }, 503, "overloaded"),
        ];
        for (refusal, status, code) in table {
            let failure = Failure::from(refusal.clone());
            assert_eq!((failure.status.as_u16(), failure.code, failure.retry_after), (status, code, refusal.retry_after()));
        }
    }

    #[tokio::test]
    async fn four_texts_in_the_body_are_the_four_headers() {
        let problems = vec![PasswordProblem::TooShort { minimum: 8 }, PasswordProblem::TooLong { maximum: 9 }];
        let mut response = StatusCode::OK.into_response();
        Failure::from(Refusal::PasswordRejected(problems)).told(&mut response, "Zürich Login");
        assert_eq!(response.status(), 400);
        let header = |name: &str| response.headers()[name].to_str().expect("visible").to_owned();
        assert_eq!(header("service"), "Z?rich Login");
        assert_eq!(header("content-type"), "application/json");
        let named = ["code", "message", "details"].map(header);
        let body = axum::body::to_bytes(response.into_body(), 4096).await.expect("a body");
        let body: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&body).expect("an object");
        assert_eq!(body.keys().collect::<Vec<_>>(), ["code", "details", "message", "service"]);
        assert_eq!(["code", "message", "details"].map(|name| body[name].as_str().expect("a text").to_owned()), named);
        assert_eq!(body["service"], "Zürich Login");
        assert!(named[2].contains("at least 8") && named[2].contains("at most 9"), "{named:?}");
    }
}
