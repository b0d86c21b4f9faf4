//! `/auth/v1/invitations`: what the holder of an invitation does with it. Its id is a secret, and so in bodies only.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::auth::SignedIn;
use super::document::{Always, Changes, Conflicts, Limited, NewPassword, Reads, Unauthorized, Unknown};
use super::error::Problem;
use super::read::Body;
use super::shown::Shown;
use super::wire::{self, InvitationReference, OpenInvitation, User};
use crate::core::flows::invitations::{self, NewAccount};
use crate::core::model::PersonName;
use crate::dialect::shared::Shared;
use crate::http::call::Caller;

/// Look at an invitation
#[utoipa::path(
    post, path = "/auth/v1/invitations/inspect", operation_id = "inspectInvitation", tag = "Invitations",
    request_body = InvitationReference,
    responses(
        (status = 200, description = "The invitation; nothing is spent", body = OpenInvitation),
        Always, Changes, Reads, Unknown,
    ),
)]
pub(super) async fn inspect(
    State(shared): State<Shared>,
    Caller(call): Caller,
    Body(body): Body<InvitationReference>,
) -> Result<Json<OpenInvitation>, Problem> {
    let invitation = invitations::inspect(shared.core(), &call, &body.id).await?;
    let (created_at, expires_at) = (invitation.created_at, invitation.expires_at);
    Ok(Json(OpenInvitation { email: invitation.email.as_str().to_owned(), role: invitation.role, created_at, expires_at }))
}

/// Accept an invitation
#[utoipa::path(
    post, path = "/auth/v1/invitations/accept", operation_id = "acceptInvitation", tag = "Invitations",
    security(("bearer" = []), ("cookie" = [])), request_body = InvitationReference,
    responses((status = 200, description = "The user", body = User), Always, Changes, Reads, Unauthorized, Unknown, Conflicts, Limited),
)]
pub(super) async fn accept(
    State(shared): State<Shared>,
    Caller(call): Caller,
    SignedIn(presented): SignedIn,
    Body(body): Body<InvitationReference>,
) -> Result<Shown, Problem> {
    let user = invitations::accept(shared.core(), &call, &presented, &body.id).await?;
    Shown::of(&User::from(&user))
}

/// Create the account that one was invited to
#[utoipa::path(
    post, path = "/auth/v1/invitations/account", operation_id = "createAccount", tag = "Invitations",
    request_body = wire::NewAccount,
    responses(
        (status = 201, description = "The user; no session is opened", body = User),
        Always, Changes, Reads, Unknown, Conflicts, Limited, NewPassword,
    ),
)]
pub(super) async fn create_account(
    State(shared): State<Shared>,
    Caller(call): Caller,
    Body(body): Body<wire::NewAccount>,
) -> Result<(StatusCode, Shown), Problem> {
    let account = NewAccount {
        first_name: PersonName::parse("first_name", &body.first_name)?,
        last_name: PersonName::parse("last_name", &body.last_name)?,
        password: body.password,
    };
    let user = invitations::create_account(shared.core(), &call, &body.id, account).await?;
    Ok((StatusCode::CREATED, Shown::of(&User::from(&user))?))
}
