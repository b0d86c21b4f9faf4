//! Signing in, with a password or a mailed code.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};

use super::document::{MailFailures, SignInFailures};
use super::error::Failure;
use super::request::Segment;
use super::wire::{Done, Login};
use crate::core::Refusal;
use crate::core::flows::sign_in::{SignIn, sign_in};
use crate::core::flows::{Proof, login_code};
use crate::core::gate::Door;
use crate::core::model::Identifier;
use crate::dialect::shared::Shared;
use crate::http::body::{Untyped, read_json_or_form};
use crate::http::call::Caller;
use crate::http::origin;

/// Bytes that no address is longer than (RFC 5321, 4.5.3.1: 64 and 255, and the `@`).
const LONGEST_ADDRESS: usize = 320;

/// Ask for a code to sign in with
///
/// Mails it, if anybody has that address; the answer does not say.
#[utoipa::path(
    get, path = "/api/v1/request-code/{email}", operation_id = "requestCode", tag = "Auth",
    params(("email" = String, Path, description = "E-mail address")),
    responses((status = 200, description = "A code is on its way, if anybody has that address", body = Object), MailFailures),
)]
pub(super) async fn request_code(
    State(shared): State<Shared>,
    Caller(call): Caller,
    headers: HeaderMap,
    Segment(email): Segment,
) -> Result<Json<Done>, Failure> {
    shared.check_origin(&headers)?;
    if email.len() > LONGEST_ADDRESS {
        return Err(Failure::Malformed("The address is too long.".to_owned()));
    }
    login_code::request(shared.core(), &call, &Identifier::email(&email)).await?;
    Ok(Json(Done {}))
}

/// Sign in
///
/// Opens a session with a password or a mailed code. The session travels in a cookie.
#[utoipa::path(
    post, path = "/login", operation_id = "login", tag = "Login", extensions(("x-added" = json!(true))),
    request_body(content((Login = "application/json"), (Login = "application/x-www-form-urlencoded"))),
    responses((status = 200, description = "Signed in", body = Object), SignInFailures),
)]
pub(super) async fn login(
    State(shared): State<Shared>,
    Caller(call): Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Failure> {
    // Even without a cookie: a form of another site could sign its visitor in to an account of its own choosing.
    origin::check(&headers, true, shared.public_url()).map_err(|origin::Foreign| Refusal::ForeignOrigin)?;
    let Login { username, password } = read_json_or_form(&headers, body, shared.max_body(), Untyped::Refuse).await?;
    let request = SignIn {
        identifier: Identifier::any(&username),
        proof: Proof::PasswordOrCode(password),
        door: Door::FullOnly,
        replaces: shared.cookies(&headers).tokens,
    };
    let opened = sign_in(shared.core(), &call, request).await?;
    let mut response = Json(Done {}).into_response();
    shared.set_cookie(response.headers_mut(), shared.cookie_name(), &opened.token, &opened.session, call.now)?;
    Ok(response)
}
