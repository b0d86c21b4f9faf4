//! Signing in and out.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::auth;
use super::document::SessionFailures;
use super::error::Failure;
use super::wire::{LoginRequest, LoginResponse, LoginResponseV2};
use crate::core::call::Call;
use crate::core::flows::Proof;
use crate::core::flows::SignedIn;
use crate::core::flows::session;
use crate::core::flows::sign_in::{self, SignIn};
use crate::core::gate::Door;
use crate::core::model::{Identifier, User};
use crate::dialect::shared::Shared;
use crate::http::body::{Untyped, read_json};
use crate::http::call::Caller;
use crate::http::cookie;

/// Sign in
///
/// Opens a session with an e-mail address and a password. Its token comes back in the body and in the cookie `sessions`.
#[utoipa::path(
    post, path = "/v1/log_in", operation_id = "Login", tag = "auth",
    request_body(content = Option<LoginRequest>, description = "Who, and their password"),
    responses(
        (status = 200, description = "Signed in", body = LoginResponse,
         headers(("Set-Cookie" = String, description = "The token once more, as the cookie `sessions`"))),
        SessionFailures,
    ),
)]
pub(super) async fn log_in(
    State(shared): State<Shared>,
    Caller(call): Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Failure> {
    let signed_in = sign_in(&shared, &call, &headers, body).await?;
    let answer = LoginResponse {
        user_id: signed_in.user.id.to_string(),
        token: signed_in.token.reveal(),
        access_level: access_level(&signed_in.user),
    };
    with_cookie(&shared, &call, &signed_in, Json(answer).into_response())
}

/// Sign in, version 2
///
/// As version 1, but for what comes back.
#[utoipa::path(
    post, path = "/trade-api/v2/login", operation_id = "LoginV2", tag = "authV2",
    request_body(content = LoginRequest, description = "Who, and their password"),
    responses((status = 200, description = "Signed in", body = LoginResponseV2), SessionFailures),
)]
pub(super) async fn log_in_v2(
    State(shared): State<Shared>,
    Caller(call): Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Failure> {
    let signed_in = sign_in(&shared, &call, &headers, body).await?;
    let answer = LoginResponseV2 { member_id: signed_in.user.id.to_string(), token: signed_in.token.reveal() };
    with_cookie(&shared, &call, &signed_in, Json(answer).into_response())
}

async fn sign_in(shared: &Shared, call: &Call, headers: &HeaderMap, body: Body) -> Result<SignedIn, Failure> {
    let login: LoginRequest = read_json(headers, body, shared.max_body(), Untyped::Refuse).await?;
    shared.check_origin(headers)?;
    let request = SignIn {
        identifier: Identifier::email(&login.email),
        proof: Proof::Password(login.password),
        // This API has no call in which a second factor could be given.
        door: Door::FullOnly,
        replaces: shared.cookies(headers).tokens,
    };
    Ok(sign_in::sign_in(shared.core(), call, request).await?)
}

fn with_cookie(shared: &Shared, call: &Call, signed_in: &SignedIn, mut response: Response) -> Result<Response, Failure> {
    shared.set_cookie(response.headers_mut(), cookie::SESSIONS, &signed_in.token, &signed_in.session, call.now)?;
    Ok(response)
}

fn access_level(user: &User) -> &'static str {
    if user.email_verified_at.is_some() { "member" } else { "applicant" }
}

/// Sign out
///
/// Ends the session. A body, of whatever type, is ignored: some clients send one.
#[utoipa::path(
    post, path = "/v1/log_out", operation_id = "Logout", tag = "auth", security(("cookie" = [])),
    responses((status = 204, description = "Signed out; nothing is said"), SessionFailures),
)]
pub(super) async fn log_out(State(shared): State<Shared>, Caller(call): Caller, headers: HeaderMap) -> Result<Response, Failure> {
    shared.check_origin(&headers)?;
    session::sign_out(shared.core(), &call, &auth::presented(&shared, &headers)?).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    // A browser's cookie may be of another session than the one that the header named.
    if !headers.contains_key(header::AUTHORIZATION) {
        shared.clear_cookies(response.headers_mut());
    }
    Ok(response)
}

/// Sign out, version 2
#[utoipa::path(
    post, path = "/trade-api/v2/logout", operation_id = "LogoutV2", tag = "authV2", security(("cookie" = [])),
    responses((status = 204, description = "Signed out; nothing is said"), SessionFailures),
)]
pub(super) async fn log_out_v2(shared: State<Shared>, caller: Caller, headers: HeaderMap) -> Result<Response, Failure> {
    log_out(shared, caller, headers).await
}
