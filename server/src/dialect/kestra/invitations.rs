//! Using an invitation.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;

use super::auth::presented;
use super::document::{AcceptFailures, CreateFailures};
use super::error::Failure;
use super::request::Segment;
use super::wire::{Done, InvitedUser};
use crate::core::flows::invitations::{self, NewAccount};
use crate::core::model::PersonName;
use crate::core::token::Secret;
use crate::dialect::shared::Shared;
use crate::http::body::{Untyped, read_json};
use crate::http::call::Caller;

/// Accept an invitation
///
/// For the signed-in user, under whose address it is. A body is not read.
#[utoipa::path(
    post, path = "/api/v1/invitation/accept/{invitationId}", operation_id = "acceptInvitation", tag = "Auth",
    params(("invitationId" = String, Path, description = "The secret of the mailed link")),
    responses((status = 200, description = "The invitation is accepted", body = Object), AcceptFailures),
)]
pub(super) async fn accept(
    State(shared): State<Shared>,
    Caller(call): Caller,
    headers: HeaderMap,
    Segment(invitation_id): Segment,
) -> Result<Json<Done>, Failure> {
    shared.check_origin(&headers)?;
    let presented = presented(&shared, &headers)?;
    invitations::accept(shared.core(), &call, &presented, &Secret::new(invitation_id)).await?;
    Ok(Json(Done {}))
}

/// Create the account that one was invited to
///
/// Its e-mail address counts as verified, for the invitation came there.
#[utoipa::path(
    post, path = "/api/v1/invitation/create/{invitationId}", operation_id = "createFromInvitation", tag = "Auth",
    params(("invitationId" = String, Path, description = "The secret of the mailed link")),
    request_body(content = InvitedUser, description = "Name and password of the new user"),
    responses((status = 200, description = "The account is there", body = Object), CreateFailures),
)]
pub(super) async fn create(
    State(shared): State<Shared>,
    Caller(call): Caller,
    headers: HeaderMap,
    Segment(invitation_id): Segment,
    body: Body,
) -> Result<Json<Done>, Failure> {
    shared.check_origin(&headers)?;
    let request: InvitedUser = read_json(&headers, body, shared.max_body(), Untyped::Refuse).await?;
    let account = NewAccount {
        first_name: PersonName::parse("firstName", &request.first_name)?,
        last_name: PersonName::parse("lastName", &request.last_name)?,
        password: request.password,
    };
    invitations::create_account(shared.core(), &call, &Secret::new(invitation_id), account).await?;
    Ok(Json(Done {}))
}
