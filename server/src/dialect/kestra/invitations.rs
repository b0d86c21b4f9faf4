//! Using an invitation.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;

use super::auth::presented;
use super::error::Failure;
use super::request::Segment;
use super::wire::{Done, InvitedUser};
use crate::core::flows::invitations::{self, NewAccount};
use crate::core::model::PersonName;
use crate::core::token::Secret;
use crate::dialect::shared::Shared;
use crate::http::body::{Untyped, read_json};
use crate::http::call::Caller;

/// Accepts one for the signed-in user. Whatever the request has for a body is not read.
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

/// Creates the account that one was invited to.
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
