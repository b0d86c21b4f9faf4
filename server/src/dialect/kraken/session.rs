//! Signing in and out, and the session check. This wire carries a session in a cookie, and in nothing else.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};

use super::document::{Failures, GuessFailures};
use super::error::Failure;
use super::wire::LoginRequest;
use crate::core::call::Call;
use crate::core::flows::Proof;
use crate::core::flows::SignedIn;
use crate::core::flows::session::{self, Need};
use crate::core::flows::sign_in::{self, SignIn};
use crate::core::gate::Door;
use crate::core::model::Identifier;
use crate::dialect::shared::Shared;
use crate::http::body::{Untyped, read_json};
use crate::http::call::Caller;

/// Sign in
///
/// Opens a session with a username or an e-mail address and a password. Whoever has a security key is signed in by half, until
/// `finishAuth`.
#[utoipa::path(
    post, path = "/api/v1/auth/login", operation_id = "login", tag = "Authentication", request_body = LoginRequest,
    responses((status = 200, description = "Signed in, perhaps by half"), GuessFailures),
)]
pub(super) async fn login(
    State(shared): State<Shared>,
    Caller(call): Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Failure> {
    let login: LoginRequest = read_json(&headers, body, shared.max_body(), Untyped::Refuse).await?;
    shared.check_origin(&headers)?;
    let request = SignIn {
        identifier: Identifier::any(&login.username),
        proof: Proof::Password(login.password),
        door: Door::OpensHalf,
        replaces: shared.cookies(&headers).tokens,
    };
    let signed_in = sign_in::sign_in(shared.core(), &call, request).await?;
    with_cookie(&shared, &call, &signed_in)
}

/// The empty answer that hands over a token.
pub(super) fn with_cookie(shared: &Shared, call: &Call, signed_in: &SignedIn) -> Result<Response, Failure> {
    let mut response = StatusCode::OK.into_response();
    let name = shared.cookie_name();
    shared.set_cookie(response.headers_mut(), name, &signed_in.token, &signed_in.session, call.now)?;
    Ok(response)
}

/// Sign out
///
/// Ends the session.
#[utoipa::path(
    get, path = "/api/v1/auth/logout", operation_id = "logout", tag = "Authentication",
    responses((status = 200, description = "Signed out"), Failures),
)]
pub(super) async fn logout(State(shared): State<Shared>, Caller(call): Caller, headers: HeaderMap) -> Result<Response, Failure> {
    shared.check_origin(&headers)?;
    session::sign_out(shared.core(), &call, &shared.cookies(&headers)).await?;
    let mut response = StatusCode::OK.into_response();
    shared.clear_cookies(response.headers_mut());
    Ok(response)
}

/// Ask whether one is signed in
///
/// Succeeds for a full session only.
#[utoipa::path(
    get, path = "/api/v1/auth/test", operation_id = "test", tag = "Authentication",
    responses((status = 200, description = "Signed in"), Failures),
)]
pub(super) async fn test(State(shared): State<Shared>, Caller(call): Caller, headers: HeaderMap) -> Result<StatusCode, Failure> {
    session::check(shared.core(), &call, &shared.cookies(&headers), Need::Full).await?;
    Ok(StatusCode::OK)
}
