//! `/auth/v1/recovery`: a forgotten password.

use axum::extract::State;
use axum::http::StatusCode;

use super::document::{Always, Changes, Limited, NewPassword, Reads};
use super::error::Problem;
use super::read::Body;
use super::wire::{RecoveryConfirmation, RecoveryRequest};
use crate::core::flows::recovery;
use crate::core::model::Identifier;
use crate::core::outbox::LinkForm;
use crate::dialect::shared::Shared;
use crate::http::call::Caller;

/// Ask for a link to set a new password
#[utoipa::path(
    post, path = "/auth/v1/recovery", operation_id = "requestRecovery", tag = "Password",
    request_body = RecoveryRequest,
    responses((status = 202, description = "A link is on its way, if anybody has that name"), Always, Changes, Reads, Limited),
)]
pub(super) async fn request(
    State(shared): State<Shared>,
    Caller(call): Caller,
    Body(body): Body<RecoveryRequest>,
) -> Result<StatusCode, Problem> {
    recovery::request(shared.core(), &call, &Identifier::any(&body.identifier), LinkForm::CodeAndUser).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Set a new password with the code of a link
#[utoipa::path(
    post, path = "/auth/v1/recovery/confirm", operation_id = "confirmRecovery", tag = "Password",
    request_body = RecoveryConfirmation,
    responses(
        (status = 204, description = "The password is set; all sessions have ended"),
        Always, Changes, Reads, Limited, NewPassword,
    ),
)]
pub(super) async fn confirm(
    State(shared): State<Shared>,
    Caller(call): Caller,
    Body(body): Body<RecoveryConfirmation>,
) -> Result<StatusCode, Problem> {
    recovery::confirm(shared.core(), &call, &body.code, body.user_id.as_deref(), &body.password).await?;
    Ok(StatusCode::NO_CONTENT)
}
