//! `/admin/v1/applications`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::super::auth::Administrator;
use super::super::document::{Always, Changes, Conflicts, Forbidden, Reads, Unauthorized, Unknown};
use super::super::error::Problem;
use super::super::read::{Body, Id, Query, page};
use super::super::wire::{Items, PageQuery};
use super::wire::{Application, ApplicationChange, NewApplication, Registered};
use crate::core::Refusal;
use crate::core::flows::applications::{self, Registration};
use crate::core::model::{ApplicationId, Network};
use crate::dialect::shared::Shared;
use crate::http::call::Caller;

fn networks(texts: &[String]) -> Result<Vec<Network>, Refusal> {
    texts.iter().map(|network| network.parse()).collect()
}

/// List applications
#[utoipa::path(
    get, path = "/admin/v1/applications", operation_id = "listApplications", tag = "Applications",
    security(("bearer" = []), ("cookie" = [])), params(PageQuery),
    responses(
        (status = 200, description = "A page of applications, revoked ones too", body = Items<Application>),
        Always, Unauthorized, Forbidden,
    ),
)]
pub(super) async fn list(
    State(shared): State<Shared>,
    Administrator(authority): Administrator,
    Query(query): Query<PageQuery>,
) -> Result<Json<Items<Application>>, Problem> {
    let page = page(query.after.as_deref(), query.limit.as_deref())?;
    Ok(Json(Items::of(&applications::list(shared.core(), authority, page).await?, Application::from)))
}

/// Register an application
#[utoipa::path(
    post, path = "/admin/v1/applications", operation_id = "registerApplication", tag = "Applications",
    security(("bearer" = []), ("cookie" = [])), request_body = NewApplication,
    responses(
        (status = 201, description = "The application with its secrets, this once", body = Registered),
        Always, Changes, Unauthorized, Forbidden, Reads, Conflicts,
    ),
)]
pub(super) async fn create(
    State(shared): State<Shared>,
    Caller(call): Caller,
    Administrator(authority): Administrator,
    Body(body): Body<NewApplication>,
) -> Result<(StatusCode, Json<Registered>), Problem> {
    let registration = Registration {
        name: body.name,
        networks: networks(&body.networks)?,
        one_time_token_suffices: body.one_time_token_suffices,
    };
    let registered = applications::create(shared.core(), &call, authority, registration).await?;
    Ok((StatusCode::CREATED, Json((&registered).into())))
}

/// Give an application new secrets
#[utoipa::path(
    post, path = "/admin/v1/applications/{id}/rotate", operation_id = "rotateApplication", tag = "Applications",
    security(("bearer" = []), ("cookie" = [])), params(("id" = ApplicationId, Path, description = "The application")),
    responses(
        (status = 200, description = "The application with its secrets, this once", body = Registered),
        Always, Changes, Unauthorized, Forbidden, Unknown, Conflicts,
    ),
)]
pub(super) async fn rotate(
    State(shared): State<Shared>,
    Caller(call): Caller,
    Administrator(authority): Administrator,
    Id(id): Id<ApplicationId>,
) -> Result<Json<Registered>, Problem> {
    Ok(Json((&applications::rotate(shared.core(), &call, authority, id).await?).into()))
}

/// Limit an application to other networks
#[utoipa::path(
    patch, path = "/admin/v1/applications/{id}", operation_id = "changeApplication", tag = "Applications",
    description = "In place of the networks before; none: from anywhere. Its next call is judged by them, whichever node it reaches.",
    security(("bearer" = []), ("cookie" = [])), params(("id" = ApplicationId, Path, description = "The application")),
    request_body = ApplicationChange,
    responses(
        (status = 200, description = "The application", body = Application),
        Always, Changes, Unauthorized, Forbidden, Unknown, Reads,
    ),
)]
pub(super) async fn change(
    State(shared): State<Shared>,
    Caller(call): Caller,
    Administrator(authority): Administrator,
    Id(id): Id<ApplicationId>,
    Body(body): Body<ApplicationChange>,
) -> Result<Json<Application>, Problem> {
    let networks = networks(&body.networks)?;
    Ok(Json((&applications::limit(shared.core(), &call, authority, id, networks).await?).into()))
}

/// Revoke an application
#[utoipa::path(
    delete, path = "/admin/v1/applications/{id}", operation_id = "revokeApplication", tag = "Applications",
    security(("bearer" = []), ("cookie" = [])), params(("id" = ApplicationId, Path, description = "The application")),
    responses(
        (status = 204, description = "It is revoked; the sessions that it opened have ended"),
        Always, Changes, Unauthorized, Forbidden, Unknown, Conflicts,
    ),
)]
pub(super) async fn revoke(
    State(shared): State<Shared>,
    Caller(call): Caller,
    Administrator(authority): Administrator,
    Id(id): Id<ApplicationId>,
) -> Result<StatusCode, Problem> {
    applications::revoke(shared.core(), &call, authority, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
