//! `/auth/v1/invitations`: what the holder of an invitation does with it. Its id is a secret, and so in bodies only.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::auth::SignedIn;
use super::error::Problem;
use super::read::Body;
use super::wire::{self, InvitationReference, OpenInvitation, User};
use crate::core::flows::invitations::{self, NewAccount};
use crate::core::model::PersonName;
use crate::dialect::shared::Shared;
use crate::http::call::Caller;

pub(super) async fn inspect(
    State(shared): State<Shared>,
    Caller(call): Caller,
    Body(body): Body<InvitationReference>,
) -> Result<Json<OpenInvitation>, Problem> {
    let invitation = invitations::inspect(shared.core(), &call, &body.id).await?;
    let (created_at, expires_at) = (invitation.created_at, invitation.expires_at);
    Ok(Json(OpenInvitation { email: invitation.email.as_str().to_owned(), role: invitation.role, created_at, expires_at }))
}

pub(super) async fn accept(
    State(shared): State<Shared>,
    Caller(call): Caller,
    SignedIn(presented): SignedIn,
    Body(body): Body<InvitationReference>,
) -> Result<Json<User>, Problem> {
    let user = invitations::accept(shared.core(), &call, &presented, &body.id).await?;
    Ok(Json((&user).into()))
}

pub(super) async fn create_account(
    State(shared): State<Shared>,
    Caller(call): Caller,
    Body(body): Body<wire::NewAccount>,
) -> Result<(StatusCode, Json<User>), Problem> {
    let account = NewAccount {
        first_name: PersonName::parse("first_name", &body.first_name)?,
        last_name: PersonName::parse("last_name", &body.last_name)?,
        password: body.password,
    };
    let user = invitations::create_account(shared.core(), &call, &body.id, account).await?;
    Ok((StatusCode::CREATED, Json((&user).into())))
}
