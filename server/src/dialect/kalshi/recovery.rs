//! A forgotten password.

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};

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

/// `POST /v1/passwords/reset`. Answers 202 for every address, and 400 for what is none.
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

/// `PUT /v1/passwords/reset/{code}/confirm`.
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
