//! `/auth/v1/recovery`: a forgotten password.

use axum::extract::State;
use axum::http::StatusCode;

use super::error::Problem;
use super::read::Body;
use super::wire::{RecoveryConfirmation, RecoveryRequest};
use crate::core::flows::recovery;
use crate::core::model::Identifier;
use crate::core::outbox::LinkForm;
use crate::dialect::shared::Shared;
use crate::http::call::Caller;

pub(super) async fn request(
    State(shared): State<Shared>,
    Caller(call): Caller,
    Body(body): Body<RecoveryRequest>,
) -> Result<StatusCode, Problem> {
    recovery::request(shared.core(), &call, &Identifier::any(&body.identifier), LinkForm::CodeAndUser).await?;
    Ok(StatusCode::ACCEPTED)
}

pub(super) async fn confirm(
    State(shared): State<Shared>,
    Caller(call): Caller,
    Body(body): Body<RecoveryConfirmation>,
) -> Result<StatusCode, Problem> {
    recovery::confirm(shared.core(), &call, &body.code, body.user_id.as_deref(), &body.password).await?;
    Ok(StatusCode::NO_CONTENT)
}
