//! `/auth/v1/sign-in/passkey`: with a key that says whose it is and has verified them.

use axum::Json;
use axum::extract::State;
use axum::response::Response;

use super::auth::Brought;
use super::document::{Always, Changes, Limited, Reads, Unauthorized};
use super::error::Problem;
use super::read::Body;
use super::sign_in::answer;
use super::wire::{self, PasskeySignIn};
use crate::core::RequestChallengeResponse;
use crate::core::flows::passkey;
use crate::dialect::shared::Shared;
use crate::http::call::Caller;

/// Begin to sign in with a passkey
#[utoipa::path(
    post, path = "/auth/v1/sign-in/passkey/start", operation_id = "startPasskeySignIn", tag = "Sign in",
    responses((status = 200, description = "Request options (WebAuthn)", body = Object), Always, Changes, Limited),
)]
pub(super) async fn start(State(shared): State<Shared>, Caller(call): Caller) -> Result<Json<RequestChallengeResponse>, Problem> {
    Ok(Json(passkey::start(shared.core(), &call).await?))
}

/// Sign in with a passkey
#[utoipa::path(
    post, path = "/auth/v1/sign-in/passkey", operation_id = "signInWithPasskey", tag = "Sign in",
    request_body = PasskeySignIn,
    responses((status = 200, description = "Signed in", body = wire::SignedIn), Always, Changes, Reads, Unauthorized, Limited),
)]
pub(super) async fn finish(
    State(shared): State<Shared>,
    Caller(call): Caller,
    Brought(presented): Brought,
    Body(body): Body<PasskeySignIn>,
) -> Result<Response, Problem> {
    let opened = passkey::finish(shared.core(), &call, presented.tokens, &body.credential).await?;
    answer(&shared, &call, &opened)
}
