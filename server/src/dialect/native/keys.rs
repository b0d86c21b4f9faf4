//! `/auth/v1/keys`: one's own security keys.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::auth::SignedIn;
use super::error::Problem;
use super::read::{Body, Id};
use super::wire::{Items, Key, KeyNaming, KeyRegistration};
use crate::core::CreationChallengeResponse;
use crate::core::flows::security_keys;
use crate::core::model::{KeyName, SecurityKeyId};
use crate::dialect::shared::Shared;
use crate::http::call::Caller;

pub(super) async fn start(
    State(shared): State<Shared>,
    Caller(call): Caller,
    SignedIn(presented): SignedIn,
) -> Result<Json<CreationChallengeResponse>, Problem> {
    Ok(Json(security_keys::start_registration(shared.core(), &call, &presented).await?))
}

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

pub(super) async fn list(
    State(shared): State<Shared>,
    Caller(call): Caller,
    SignedIn(presented): SignedIn,
) -> Result<Json<Items<Key>>, Problem> {
    let keys = security_keys::list(shared.core(), &call, &presented).await?;
    Ok(Json(Items::whole(&keys, Key::from)))
}

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

pub(super) async fn remove(
    State(shared): State<Shared>,
    Caller(call): Caller,
    SignedIn(presented): SignedIn,
    Id(id): Id<SecurityKeyId>,
) -> Result<StatusCode, Problem> {
    security_keys::remove(shared.core(), &call, &presented, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
