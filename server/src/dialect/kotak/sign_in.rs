//! Signing in, in two steps.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::de::DeserializeOwned;

use super::auth::application;
use super::document::{ApplicationHeaders, Failures};
use super::error::Failure;
use super::headers::{optional, required};
use super::wire::{Envelope, LoggedIn, Place, Redirect, SessionOpened, UserCredentials, UserDetails, UserOnly};
use crate::core::call::Call;
use crate::core::flows::application_sign_in::CodeFrom;
use crate::core::flows::{SignedIn, application_sign_in};
use crate::core::model::{Email, Identifier};
use crate::core::token::Secret;
use crate::dialect::shared::Shared;
use crate::http::body::{Untyped, read_json};
use crate::http::call::Caller;

/// Sign in, first step
///
/// Takes the password and answers a one-time token. An access code goes out by mail, to who has no authenticator app.
#[utoipa::path(
    post, path = "/apim/session/1.0/session/login/userid", operation_id = "login-with-user-id", tag = "Session",
    security(("bearerAuth" = [])), params(ApplicationHeaders), request_body = Option<UserCredentials>,
    responses((status = 200, description = "The one-time token", body = Object), Failures),
)]
pub(super) async fn login(
    State(shared): State<Shared>,
    Caller(call): Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Envelope<LoggedIn>>, Failure> {
    let application = application(&shared, &call, &headers).await?;
    let UserCredentials { userid, password } = read_json(&headers, body, shared.max_body(), Untyped::Refuse).await?;
    let named = Identifier::any(&userid);
    let begun = application_sign_in::begin(shared.core(), &call, &application, &named, &password).await?;
    let email_id = masked(&begun.user.email);
    let success = LoggedIn {
        one_time_token: begun.one_time_token.reveal().to_owned(),
        message: match begun.code_from {
            CodeFrom::Mail => format!("An access code is on its way to {email_id}."),
            CodeFrom::AuthenticatorApp => "The access code is the one that your authenticator app shows.".to_owned(),
        },
        status: "Temporary",
        email_id,
        access_code_time: begun.valid_for.as_secs(),
        redirect: Redirect { place: Place::of(shared.public_url()), userid },
    };
    Ok(Json(Envelope { success }))
}

/// Sign in, second step
///
/// Takes the one-time token and the access code, and opens the session.
#[utoipa::path(
    post, path = "/apim/session/1.0/session/2FA/accesscode", operation_id = "generate-session2FA", tag = "Session",
    security(("bearerAuth" = [])),
    params(("oneTimeToken" = String, Header, description = "What the first step answered"), ApplicationHeaders),
    request_body = Option<UserDetails>,
    responses((status = 200, description = "The session token", body = Object), Failures),
)]
pub(super) async fn access_code(
    State(shared): State<Shared>,
    Caller(call): Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Envelope<SessionOpened>>, Failure> {
    let details = |UserDetails { userid, access_code }| (userid, Some(access_code));
    finish(&shared, &call, &headers, body, details).await
}

/// Sign in, second step without an access code
///
/// For applications that are registered so, and users without a second factor.
#[utoipa::path(
    post, path = "/apim/session/1.0/session/2FA/oneTimeToken", operation_id = "one-time-token", tag = "OneTimeToken",
    extensions(("x-added" = json!(true))), security(("bearerAuth" = [])),
    params(("oneTimeToken" = String, Header, description = "What the first step answered"), ApplicationHeaders),
    request_body = UserOnly,
    responses((status = 200, description = "The session token", body = Object), Failures),
)]
pub(super) async fn one_time_token(
    State(shared): State<Shared>,
    Caller(call): Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Envelope<SessionOpened>>, Failure> {
    finish(&shared, &call, &headers, body, |UserOnly { userid }| (userid, None)).await
}

/// The second step, whichever it is; `parts` takes the user id and the access code out of its body.
async fn finish<T: DeserializeOwned>(
    shared: &Shared,
    call: &Call,
    headers: &HeaderMap,
    body: Body,
    parts: impl FnOnce(T) -> (String, Option<Secret>),
) -> Result<Json<Envelope<SessionOpened>>, Failure> {
    let application = application(shared, call, headers).await?;
    let token = Secret::new(required(headers, "oneTimeToken")?);
    let (userid, code) = parts(read_json(headers, body, shared.max_body(), Untyped::Refuse).await?);
    // The header is not asked for here, but whoever sends it must name the same user.
    let mut named = vec![Identifier::any(&userid)];
    named.extend(optional(headers, "userid")?.map(Identifier::any));
    let opened = application_sign_in::finish(shared.core(), call, &application, &named, &token, code.as_ref()).await?;
    Ok(session_opened(shared, userid, &opened))
}

fn session_opened(shared: &Shared, userid: String, opened: &SignedIn) -> Json<Envelope<SessionOpened>> {
    let success = SessionOpened {
        session_token: opened.token.reveal().to_owned(),
        user_id: userid,
        client_code: opened.user.username.as_str().to_owned(),
        client_name: opened.user.display_name(),
        login_time: opened.session.authenticated_at,
        redirect: Place::of(shared.public_url()),
        service: Place::of(shared.public_url()),
    };
    Json(Envelope { success })
}

/// Enough of an address for its owner to know it by: the first character, if there are more, and the domain. The stars do not tell the
/// length.
fn masked(email: &Email) -> String {
    let (local, domain) = email.as_str().rsplit_once('@').unwrap_or_default();
    let mut local = local.chars();
    let first = local.next().filter(|_| local.next().is_some());
    format!("{}***@{domain}", first.map(String::from).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::masked;
    use crate::core::model::Email;

    #[test]
    fn masks() {
        for (address, shown) in [("ann@example.com", "a***@example.com"), ("a@b.c", "***@b.c"), ("éa@b.c", "é***@b.c")] {
            assert_eq!(masked(&Email::parse(address).unwrap()), shown);
        }
    }
}
