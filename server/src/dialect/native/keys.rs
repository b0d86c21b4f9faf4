//! `/auth/v1/keys`: one's own security keys.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::auth::SignedIn;
use super::document::{Always, Changes, Conflicts, Limited, Reads, Unauthorized, Unknown};
use super::error::Problem;
use super::read::{Body, Id};
use super::wire::{Items, Key, KeyNaming, KeyRegistration};
use crate::core::CreationChallengeResponse;
use crate::core::flows::security_keys;
use crate::core::model::{KeyName, KeyUse, SecurityKeyId};
use crate::dialect::shared::Shared;
use crate::http::call::Caller;

/// Begin to register a security key
#[utoipa::path(
    post, path = "/auth/v1/keys/start", operation_id = "startKey", tag = "Security keys",
    security(("bearer" = []), ("cookie" = [])),
    responses((status = 200, description = "Creation options (WebAuthn)", body = Object), Always, Changes, Unauthorized),
)]
pub(super) async fn start(
    State(shared): State<Shared>,
    Caller(call): Caller,
    SignedIn(presented): SignedIn,
) -> Result<Json<CreationChallengeResponse>, Problem> {
    Ok(Json(security_keys::start_registration(shared.core(), &call, &presented, KeyUse::Passkey).await?))
}

/// Register a security key
#[utoipa::path(
    post, path = "/auth/v1/keys", operation_id = "finishKey", tag = "Security keys",
    security(("bearer" = []), ("cookie" = [])), request_body = KeyRegistration,
    responses((status = 201, description = "The key", body = Key), Always, Changes, Reads, Unauthorized, Conflicts, Limited),
)]
pub(super) async fn finish(
    State(shared): State<Shared>,
    Caller(call): Caller,
    SignedIn(presented): SignedIn,
    Body(body): Body<KeyRegistration>,
) -> Result<(StatusCode, Json<Key>), Problem> {
    let name = KeyName::parse(&body.name)?;
    let key = security_keys::finish_registration(shared.core(), &call, &presented, name, &body.credential).await?;
    Ok((StatusCode::CREATED, Json((&key).into())))
}

/// List my security keys
#[utoipa::path(
    get, path = "/auth/v1/keys", operation_id = "listKeys", tag = "Security keys",
    security(("bearer" = []), ("cookie" = [])),
    responses((status = 200, description = "All keys, oldest first", body = Items<Key>), Always, Unauthorized),
)]
pub(super) async fn list(
    State(shared): State<Shared>,
    Caller(call): Caller,
    SignedIn(presented): SignedIn,
) -> Result<Json<Items<Key>>, Problem> {
    let keys = security_keys::list(shared.core(), &call, &presented).await?;
    Ok(Json(Items::whole(&keys, Key::from)))
}

/// Give a security key another name
#[utoipa::path(
    patch, path = "/auth/v1/keys/{id}", operation_id = "renameKey", tag = "Security keys",
    security(("bearer" = []), ("cookie" = [])), params(("id" = SecurityKeyId, Path, description = "The key")),
    request_body = KeyNaming,
    responses((status = 204, description = "It has the name"), Always, Changes, Reads, Unauthorized, Unknown, Conflicts),
)]
pub(super) async fn rename(
    State(shared): State<Shared>,
    Caller(call): Caller,
    SignedIn(presented): SignedIn,
    Id(id): Id<SecurityKeyId>,
    Body(body): Body<KeyNaming>,
) -> Result<StatusCode, Problem> {
    security_keys::rename(shared.core(), &call, &presented, id, KeyName::parse(&body.name)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Remove a security key
#[utoipa::path(
    delete, path = "/auth/v1/keys/{id}", operation_id = "removeKey", tag = "Security keys",
    security(("bearer" = []), ("cookie" = [])), params(("id" = SecurityKeyId, Path, description = "The key")),
    responses((status = 204, description = "It is removed"), Always, Changes, Unauthorized, Unknown),
)]
pub(super) async fn remove(
    State(shared): State<Shared>,
    Caller(call): Caller,
    SignedIn(presented): SignedIn,
    Id(id): Id<SecurityKeyId>,
) -> Result<StatusCode, Problem> {
    security_keys::remove(shared.core(), &call, &presented, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
