//! `/admin/v1/sessions`, and those of one user.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::super::auth::Administrator;
use super::super::document::{Always, Changes, Forbidden, Unauthorized, Unknown};
use super::super::error::Problem;
use super::super::read::{Id, Query, UserReference, page};
use super::super::shown::Shown;
use super::super::wire::{Ended, Items, PageQuery};
use super::wire::UserSession;
use crate::core::flows::{sessions, users};
use crate::core::model::SessionId;
use crate::dialect::shared::Shared;
use crate::http::call::Caller;

/// List everybody's sessions
#[utoipa::path(
    get, path = "/admin/v1/sessions", operation_id = "listAllSessions", tag = "Session",
    security(("bearer" = []), ("cookie" = [])), params(PageQuery),
    responses((status = 200, description = "A page of sessions", body = Items<UserSession>), Always, Unauthorized, Forbidden),
)]
pub(super) async fn list(
    State(shared): State<Shared>,
    Caller(call): Caller,
    Administrator(authority): Administrator,
    Query(query): Query<PageQuery>,
) -> Result<Shown, Problem> {
    let page = page(query.after.as_deref(), query.limit.as_deref())?;
    Shown::of(&Items::of(&sessions::list(shared.core(), &call, authority, None, page).await?, UserSession::from))
}

/// End a session
#[utoipa::path(
    delete, path = "/admin/v1/sessions/{id}", operation_id = "endAnySession", tag = "Session",
    security(("bearer" = []), ("cookie" = [])), params(("id" = SessionId, Path, description = "The session")),
    responses((status = 204, description = "It has ended"), Always, Changes, Unauthorized, Forbidden, Unknown),
)]
pub(super) async fn end(
    State(shared): State<Shared>,
    Caller(call): Caller,
    Administrator(authority): Administrator,
    Id(id): Id<SessionId>,
) -> Result<StatusCode, Problem> {
    sessions::end(shared.core(), &call, authority, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List the sessions of a user
#[utoipa::path(
    get, path = "/admin/v1/users/{user}/sessions", operation_id = "listUserSessions", tag = "Session",
    security(("bearer" = []), ("cookie" = [])),
    params(("user" = String, Path, min_length = 1, max_length = 254, description = "Id, username or e-mail address"), PageQuery),
    responses(
        (status = 200, description = "A page of sessions", body = Items<UserSession>),
        Always, Unauthorized, Forbidden, Unknown,
    ),
)]
pub(super) async fn list_of_user(
    State(shared): State<Shared>,
    Caller(call): Caller,
    Administrator(authority): Administrator,
    UserReference(user): UserReference,
    Query(query): Query<PageQuery>,
) -> Result<Shown, Problem> {
    let page = page(query.after.as_deref(), query.limit.as_deref())?;
    let user = users::find(shared.core(), authority, &user).await?.user.id;
    Shown::of(&Items::of(&sessions::list(shared.core(), &call, authority, Some(user), page).await?, UserSession::from))
}

/// End all sessions of a user
#[utoipa::path(
    delete, path = "/admin/v1/users/{user}/sessions", operation_id = "endUserSessions", tag = "Session",
    security(("bearer" = []), ("cookie" = [])),
    params(("user" = String, Path, min_length = 1, max_length = 254, description = "Id, username or e-mail address")),
    responses(
        (status = 200, description = "How many have ended", body = Ended),
        Always, Changes, Unauthorized, Forbidden, Unknown,
    ),
)]
pub(super) async fn end_of_user(
    State(shared): State<Shared>,
    Caller(call): Caller,
    Administrator(authority): Administrator,
    UserReference(user): UserReference,
) -> Result<Json<Ended>, Problem> {
    let user = users::find(shared.core(), authority, &user).await?.user.id;
    let ended = sessions::end_all(shared.core(), &call, authority, user).await?;
    Ok(Json(Ended { ended }))
}
