//! Security keys: registering one, and authenticating with one. The calls that start a ceremony take no body, and ignore one.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::document::{Failures, GuessFailures};
use super::error::Failure;
use super::session::with_cookie;
use super::wire::FinishRegisterRequest;
use crate::core::flows::session::{self, Need};
use crate::core::flows::{second_factor, security_keys};
use crate::core::model::{KeyName, KeyUse};
use crate::core::{CreationChallengeResponse, PublicKeyCredential, RequestChallengeResponse};
use crate::dialect::shared::Shared;
use crate::http::body::{Untyped, read_json};
use crate::http::call::Caller;

/// Begin to register a security key
///
/// Answers the creation options of WebAuthn, which `finishRegister` wants the credential for within five minutes.
#[utoipa::path(
    post, path = "/api/v1/auth/startRegister", operation_id = "startRegister", tag = "Authentication",
    responses((status = 200, description = "Creation options", body = Object), Failures),
)]
pub(super) async fn start_register(
    State(shared): State<Shared>,
    Caller(call): Caller,
    headers: HeaderMap,
) -> Result<Json<CreationChallengeResponse>, Failure> {
    shared.check_origin(&headers)?;
    let presented = shared.cookies(&headers);
    Ok(Json(security_keys::start_registration(shared.core(), &call, &presented, KeyUse::SecondFactor).await?))
}

/// Register a security key
///
/// Takes the credential that the key made for the options of `startRegister`: its own members, and beside them the key's name.
#[utoipa::path(
    post, path = "/api/v1/auth/finishRegister", operation_id = "finishRegister", tag = "Authentication",
    request_body = FinishRegisterRequest,
    responses((status = 200, description = "The key is registered"), GuessFailures),
)]
pub(super) async fn finish_register(
    State(shared): State<Shared>,
    Caller(call): Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Failure> {
    session::check(shared.core(), &call, &shared.cookies(&headers), Need::Full).await?;
    let request: FinishRegisterRequest = read_json(&headers, body, shared.max_body(), Untyped::Refuse).await?;
    shared.check_origin(&headers)?;
    let name = KeyName::parse(request.name.as_str().unwrap_or_default())?;
    let presented = shared.cookies(&headers);
    security_keys::finish_registration(shared.core(), &call, &presented, name, &request.credential).await?;
    Ok(StatusCode::OK)
}

/// Begin to give the second factor
///
/// After `login`. Answers the request options of WebAuthn, which `finishAuth` wants the answer to.
#[utoipa::path(
    post, path = "/api/v1/auth/startAuth", operation_id = "startAuth", tag = "Authentication",
    responses((status = 200, description = "Request options", body = Object), Failures),
)]
pub(super) async fn start_auth(
    State(shared): State<Shared>,
    Caller(call): Caller,
    headers: HeaderMap,
) -> Result<Json<RequestChallengeResponse>, Failure> {
    shared.check_origin(&headers)?;
    Ok(Json(second_factor::start(shared.core(), &call, &shared.cookies(&headers)).await?))
}

/// Give the second factor
///
/// Takes the key's answer to the options of `startAuth`, and makes the session full.
#[utoipa::path(
    post, path = "/api/v1/auth/finishAuth", operation_id = "finishAuth", tag = "Authentication",
    request_body(content = Object, description = "The credential of the key, as WebAuthn has it"),
    responses((status = 200, description = "Signed in"), GuessFailures),
)]
pub(super) async fn finish_auth(
    State(shared): State<Shared>,
    Caller(call): Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Failure> {
    session::check(shared.core(), &call, &shared.cookies(&headers), Need::EvenHalf).await?;
    let credential: PublicKeyCredential = read_json(&headers, body, shared.max_body(), Untyped::Refuse).await?;
    shared.check_origin(&headers)?;
    let signed_in = second_factor::finish(shared.core(), &call, &shared.cookies(&headers), &credential).await?;
    with_cookie(&shared, &call, &signed_in)
}
