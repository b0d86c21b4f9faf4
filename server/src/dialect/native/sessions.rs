//! `/auth/v1/sessions`: one's own sessions.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::auth::SignedIn;
use super::document::{Always, Changes, Unauthorized, Unknown};
use super::error::Problem;
use super::read::{Id, Query, page};
use super::shown::Shown;
use super::wire::{Ended, Items, OwnSession, PageQuery};
use crate::core::flows::sessions;
use crate::core::model::SessionId;
use crate::dialect::shared::Shared;
use crate::http::call::Caller;

/// List my sessions
#[utoipa::path(
    get, path = "/auth/v1/sessions", operation_id = "listSessions", tag = "Session",
    security(("bearer" = []), ("cookie" = [])), params(PageQuery),
    responses((status = 200, description = "A page of sessions", body = Items<OwnSession>), Always, Unauthorized),
)]
pub(super) async fn list(
    State(shared): State<Shared>,
    Caller(call): Caller,
    SignedIn(presented): SignedIn,
    Query(query): Query<PageQuery>,
) -> Result<Shown, Problem> {
    let page = page(query.after.as_deref(), query.limit.as_deref())?;
    let own = sessions::list_own(shared.core(), &call, &presented, page).await?;
    Shown::of(&Items::of(&own.sessions, |session| OwnSession { current: own.current == session.id, session: session.into() }))
}

/// End one of my sessions
#[utoipa::path(
    delete, path = "/auth/v1/sessions/{id}", operation_id = "endSession", tag = "Session",
    security(("bearer" = []), ("cookie" = [])), params(("id" = SessionId, Path, description = "The session")),
    responses((status = 204, description = "It has ended"), Always, Changes, Unauthorized, Unknown),
)]
pub(super) async fn end(
    State(shared): State<Shared>,
    Caller(call): Caller,
    SignedIn(presented): SignedIn,
    Id(id): Id<SessionId>,
) -> Result<StatusCode, Problem> {
    sessions::end_own(shared.core(), &call, &presented, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// End all my other sessions
#[utoipa::path(
    delete, path = "/auth/v1/sessions", operation_id = "endOtherSessions", tag = "Session",
    security(("bearer" = []), ("cookie" = [])),
    responses((status = 200, description = "How many have ended", body = Ended), Always, Changes, Unauthorized),
)]
pub(super) async fn end_others(
    State(shared): State<Shared>,
    Caller(call): Caller,
    SignedIn(presented): SignedIn,
) -> Result<Json<Ended>, Problem> {
    let ended = sessions::end_others(shared.core(), &call, &presented).await?;
    Ok(Json(Ended { ended }))
}
