//! A forgotten password.

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};

use super::document::RecoveryFailures;
use super::error::Failure;
use super::wire::{ConfirmPasswordResetRequest, ResetPasswordRequest};
use crate::core::Refusal;
use crate::core::flows::recovery;
use crate::core::model::{Email, Identifier};
use crate::core::outbox::LinkForm;
use crate::core::token::Secret;
use crate::dialect::shared::Shared;
use crate::http::body::{Untyped, read_json};
use crate::http::call::Caller;

/// Ask for a reset link
///
/// Mails a link to whoever has this e-mail address. The answer is the same if nobody has it.
#[utoipa::path(
    post, path = "/v1/passwords/reset", operation_id = "ResetPassword", tag = "auth",
    request_body(content = Option<ResetPasswordRequest>, description = "Whose password is forgotten"),
    responses((status = 202, description = "A link is on its way, if anybody has the address"), RecoveryFailures),
)]
pub(super) async fn request(
    State(shared): State<Shared>,
    Caller(call): Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Failure> {
    let request: ResetPasswordRequest = read_json(&headers, body, shared.max_body(), Untyped::Refuse).await?;
    shared.check_origin(&headers)?;
    let email = Email::parse(&request.email)?;
    recovery::request(shared.core(), &call, &Identifier::Email(email.key()), LinkForm::CodeAndUser).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Set a new password
///
/// Spends the code of a reset link, and ends every session of its user.
#[utoipa::path(
    put, path = "/v1/passwords/reset/{code}/confirm", operation_id = "ResetPasswordConfirm", tag = "auth",
    params(("code" = String, Path, description = "The code of the mailed link")),
    request_body(content = Option<ConfirmPasswordResetRequest>, description = "The new password, and whose it is"),
    responses((status = 204, description = "The password is set"), RecoveryFailures),
)]
pub(super) async fn confirm(
    State(shared): State<Shared>,
    Caller(call): Caller,
    code: Result<Path<Secret>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Failure> {
    let request: ConfirmPasswordResetRequest = read_json(&headers, body, shared.max_body(), Untyped::Refuse).await?;
    shared.check_origin(&headers)?;
    // A path that is no UTF-8 has no code of ours in it.
    let Path(code) = code.map_err(|_| Refusal::TicketInvalid)?;
    recovery::confirm(shared.core(), &call, &code, Some(&request.user_id), &request.password).await?;
    Ok(StatusCode::NO_CONTENT)
}
