//! `/admin/v1/invitations`: as their makers see them, by handle.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::super::auth::Administrator;
use super::super::document::{Always, Changes, Conflicts, Forbidden, Reads, Unauthorized, Unknown};
use super::super::error::Problem;
use super::super::read::{Body, Id, Query, page};
use super::super::wire::{Items, PageQuery};
use super::view;
use super::wire::{ExpiresIn, Invitation, Invited, NewInvitation};
use crate::config::duration::Span;
use crate::core::Refusal;
use crate::core::flows::invitations;
use crate::core::model::{Email, InvitationId, Role};
use crate::dialect::shared::Shared;
use crate::http::call::Caller;

impl ExpiresIn {
    fn read(&self) -> Result<Duration, Refusal> {
        let span = match self {
            Self::Seconds(seconds) => Some(Duration::from_secs(*seconds)),
            Self::Span(text) => text.parse::<Span>().ok().map(Span::get),
        };
        let within = |span: &Duration| (Duration::from_secs(1)..=invitations::LONGEST).contains(span);
        let problem = "An invitation is good for a second to 366 days: whole seconds, or a text such as 90m, 24h or 7d.";
        span.filter(within).ok_or(Refusal::Invalid { field: "expires_in", problem })
    }
}

/// List invitations
#[utoipa::path(
    get, path = "/admin/v1/invitations", operation_id = "listInvitations", tag = "Invitations",
    security(("bearer" = []), ("cookie" = [])), params(PageQuery),
    responses((status = 200, description = "A page of invitations", body = Items<Invitation>), Always, Unauthorized, Forbidden),
)]
pub(super) async fn list(
    State(shared): State<Shared>,
    Caller(call): Caller,
    Administrator(authority): Administrator,
    Query(query): Query<PageQuery>,
) -> Result<Json<Items<Invitation>>, Problem> {
    let page = page(query.after.as_deref(), query.limit.as_deref())?;
    let found = invitations::list(shared.core(), authority, page).await?;
    Ok(Json(Items::of(&found, |invitation| view::invitation(invitation, call.now))))
}

/// Invite somebody
#[utoipa::path(
    post, path = "/admin/v1/invitations", operation_id = "invite", tag = "Invitations",
    security(("bearer" = []), ("cookie" = [])), request_body = NewInvitation,
    responses(
        (status = 201, description = "The invitation with its secret, this once", body = Invited),
        Always, Changes, Unauthorized, Forbidden, Reads, Conflicts,
    ),
)]
pub(super) async fn create(
    State(shared): State<Shared>,
    Caller(call): Caller,
    Administrator(authority): Administrator,
    Body(body): Body<NewInvitation>,
) -> Result<(StatusCode, Json<Invited>), Problem> {
    let email = Email::parse(&body.email)?;
    let role = body.role.unwrap_or(Role::Member);
    let valid_for = body.expires_in.as_ref().map(ExpiresIn::read).transpose()?;
    let made = invitations::create(shared.core(), &call, authority, email, role, valid_for).await?;
    Ok((StatusCode::CREATED, Json(view::invited(&made, call.now))))
}

/// Mail an invitation once more
#[utoipa::path(
    post, path = "/admin/v1/invitations/{id}/reissue", operation_id = "reissueInvitation", tag = "Invitations",
    security(("bearer" = []), ("cookie" = [])),
    params(("id" = InvitationId, Path, description = "The handle of the invitation")),
    responses(
        (status = 200, description = "The invitation with another secret, this once", body = Invited),
        Always, Changes, Unauthorized, Forbidden, Unknown, Conflicts,
    ),
)]
pub(super) async fn reissue(
    State(shared): State<Shared>,
    Caller(call): Caller,
    Administrator(authority): Administrator,
    Id(handle): Id<InvitationId>,
) -> Result<Json<Invited>, Problem> {
    let made = invitations::reissue(shared.core(), &call, authority, handle).await?;
    Ok(Json(view::invited(&made, call.now)))
}

/// Take an invitation back
#[utoipa::path(
    delete, path = "/admin/v1/invitations/{id}", operation_id = "revokeInvitation", tag = "Invitations",
    security(("bearer" = []), ("cookie" = [])),
    params(("id" = InvitationId, Path, description = "The handle of the invitation")),
    responses((status = 204, description = "It is revoked"), Always, Changes, Unauthorized, Forbidden, Unknown, Conflicts),
)]
pub(super) async fn revoke(
    State(shared): State<Shared>,
    Caller(call): Caller,
    Administrator(authority): Administrator,
    Id(handle): Id<InvitationId>,
) -> Result<StatusCode, Problem> {
    invitations::revoke(shared.core(), &call, authority, handle).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expiry() {
        let day = Duration::from_secs(86_400);
        for (given, right) in [
            (ExpiresIn::Seconds(86_400), Some(day)),
            (ExpiresIn::Span("7d".to_owned()), Some(day * 7)),
            (ExpiresIn::Seconds(0), None),
            (ExpiresIn::Seconds(u64::MAX), None),
            (ExpiresIn::Span("367d".to_owned()), None),
            (ExpiresIn::Span("soon".to_owned()), None),
            (ExpiresIn::Span("999ms".to_owned()), None),
        ] {
            assert_eq!(given.read().ok(), right);
        }
    }
}
