//! `/auth/v1/history`: what happened to one's own account.

use axum::Json;
use axum::extract::State;

use super::auth::SignedIn;
use super::document::{Always, Unauthorized};
use super::error::Problem;
use super::read::{Query, page};
use super::wire::{Happening, Items, PageQuery};
use crate::core::flows::history;
use crate::dialect::shared::Shared;
use crate::http::call::Caller;

/// Read what happened to my account
#[utoipa::path(
    get, path = "/auth/v1/history", operation_id = "listHistory", tag = "Session",
    security(("bearer" = []), ("cookie" = [])), params(PageQuery),
    responses((status = 200, description = "A page of it, newest first", body = Items<Happening>), Always, Unauthorized),
)]
pub(super) async fn list(
    State(shared): State<Shared>,
    Caller(call): Caller,
    SignedIn(presented): SignedIn,
    Query(query): Query<PageQuery>,
) -> Result<Json<Items<Happening>>, Problem> {
    let page = page(query.after.as_deref(), query.limit.as_deref())?;
    let found = history::list(shared.core(), &call, &presented, page).await?;
    Ok(Json(Items::of(&found, Happening::from)))
}
