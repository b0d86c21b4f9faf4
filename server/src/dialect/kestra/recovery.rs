//! A forgotten password.

use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;

use super::document::{MailFailures, ResetFailures};
use super::error::Failure;
use super::request::query;
use super::wire::{Done, ForgottenPassword, ResetPassword};
use crate::core::flows::recovery;
use crate::core::model::Identifier;
use crate::core::outbox::LinkForm;
use crate::dialect::shared::Shared;
use crate::http::body::{Untyped, read_json};
use crate::http::call::Caller;

/// Ask for a link to set a new password
///
/// Mails it, if anybody has that name; the answer does not say.
#[utoipa::path(
    get, path = "/api/v1/forgotten-password", operation_id = "forgottenPassword", tag = "Auth",
    params(("username" = String, Query, description = "Username or e-mail address")),
    responses((status = 200, description = "A link is on its way, if anybody has that name", body = Object), MailFailures),
)]
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

/// Set a new password
///
/// Spends the token of the mailed link, and ends every session of its user. With a password that breaks the rules the token stays good.
#[utoipa::path(
    post, path = "/api/v1/reset-password", operation_id = "resetPassword", tag = "Auth",
    request_body(content = ResetPassword, description = "Token and new password"),
    responses((status = 200, description = "The password is set", body = Object), ResetFailures),
)]
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
