//! A forgotten password.

use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;

use super::error::Failure;
use super::request::query;
use super::wire::{Done, ForgottenPassword, ResetPassword};
use crate::core::flows::recovery;
use crate::core::model::Identifier;
use crate::core::outbox::LinkForm;
use crate::dialect::shared::Shared;
use crate::http::body::{Untyped, read_json};
use crate::http::call::Caller;

/// Mails a link, if anybody has that name; the answer does not say.
pub(super) async fn forgotten(
    State(shared): State<Shared>,
    Caller(call): Caller,
    headers: HeaderMap,
    raw: RawQuery,
) -> Result<Json<Done>, Failure> {
    shared.check_origin(&headers)?;
    let ForgottenPassword { username } = query(raw)?;
    recovery::request(shared.core(), &call, &Identifier::any(&username), LinkForm::Token).await?;
    Ok(Json(Done {}))
}

/// Sets a new password with the token of the link.
pub(super) async fn reset(
    State(shared): State<Shared>,
    Caller(call): Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Done>, Failure> {
    shared.check_origin(&headers)?;
    let request: ResetPassword = read_json(&headers, body, shared.max_body(), Untyped::Refuse).await?;
    recovery::confirm(shared.core(), &call, &request.token, None, &request.password).await?;
    Ok(Json(Done {}))
}
