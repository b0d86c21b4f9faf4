//! `/auth/v1/profile`: one's own names.

use axum::extract::State;

use super::auth::SignedIn;
use super::document::{Always, Changes, Reads, Unauthorized};
use super::error::Problem;
use super::read::Body;
use super::shown::Shown;
use super::wire::{ProfileChange, User};
use crate::core::Refusal;
use crate::core::flows::profile;
use crate::core::model::PersonName;
use crate::dialect::shared::Shared;
use crate::http::call::Caller;

impl ProfileChange {
    fn read(&self) -> Result<profile::Changes, Refusal> {
        let name = |field, name: Option<&String>| name.map(|text| PersonName::parse(field, text)).transpose();
        let first_name = name("first_name", self.first_name.as_ref())?;
        Ok(profile::Changes { first_name, last_name: name("last_name", self.last_name.as_ref())? })
    }
}

/// Change my names
#[utoipa::path(
    patch, path = "/auth/v1/profile", operation_id = "changeProfile", tag = "Session",
    security(("bearer" = []), ("cookie" = [])), request_body = ProfileChange,
    responses((status = 200, description = "The user", body = User), Always, Changes, Reads, Unauthorized),
)]
pub(super) async fn change(
    State(shared): State<Shared>,
    Caller(call): Caller,
    SignedIn(presented): SignedIn,
    Body(body): Body<ProfileChange>,
) -> Result<Shown, Problem> {
    Shown::of(&User::from(&profile::change(shared.core(), &call, &presented, body.read()?).await?))
}
