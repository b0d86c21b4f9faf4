//! `/admin/v1/mail`: the outbox.

use axum::Json;
use axum::extract::State;

use super::super::auth::Administrator;
use super::super::document::{Always, Changes, Conflicts, Forbidden, Unauthorized, Unknown};
use super::super::error::Problem;
use super::super::read::{Id, Query, page};
use super::super::wire::{Items, PageQuery};
use super::wire::{Mail, MailPreview};
use crate::core::flows::{mails, preview};
use crate::core::model::MailId;
use crate::dialect::shared::{Shared, WrittenMail};
use crate::http::call::Caller;

/// List promised mails
#[utoipa::path(
    get, path = "/admin/v1/mail", operation_id = "listMails", tag = "Mail",
    security(("bearer" = []), ("cookie" = [])), params(PageQuery),
    responses((status = 200, description = "A page of mails", body = Items<Mail>), Always, Unauthorized, Forbidden),
)]
pub(super) async fn list(
    State(shared): State<Shared>,
    Administrator(authority): Administrator,
    Query(query): Query<PageQuery>,
) -> Result<Json<Items<Mail>>, Problem> {
    let page = page(query.after.as_deref(), query.limit.as_deref())?;
    Ok(Json(Items::of(&mails::list(shared.core(), authority, page).await?, Mail::from)))
}

/// Show a mail
#[utoipa::path(
    get, path = "/admin/v1/mail/{id}", operation_id = "showMail", tag = "Mail",
    security(("bearer" = []), ("cookie" = [])), params(("id" = MailId, Path, description = "The mail")),
    responses(
        (status = 200, description = "The mail, without its text", body = Mail),
        Always, Unauthorized, Forbidden, Unknown,
    ),
)]
pub(super) async fn show(
    State(shared): State<Shared>,
    Administrator(authority): Administrator,
    Id(id): Id<MailId>,
) -> Result<Json<Mail>, Problem> {
    Ok(Json((&mails::show(shared.core(), authority, id).await?).into()))
}

/// Preview a mail
///
/// As it reads, or read, with a link or a code that opens nothing in the place of its own.
#[utoipa::path(
    get, path = "/admin/v1/mail/{id}/preview", operation_id = "previewMail", tag = "Mail",
    security(("bearer" = []), ("cookie" = [])), params(("id" = MailId, Path, description = "The mail")),
    responses(
        (status = 200, description = "The mail in words", body = MailPreview),
        Always, Unauthorized, Forbidden, Unknown,
    ),
)]
pub(super) async fn preview(
    State(shared): State<Shared>,
    Administrator(authority): Administrator,
    Id(id): Id<MailId>,
) -> Result<Json<MailPreview>, Problem> {
    let WrittenMail { subject, text, html } = shared.words(&preview::letter(shared.core(), authority, id).await?)?;
    Ok(Json(MailPreview { subject, text, html }))
}

/// Send a mail again
#[utoipa::path(
    post, path = "/admin/v1/mail/{id}/retry", operation_id = "retryMail", tag = "Mail",
    security(("bearer" = []), ("cookie" = [])), params(("id" = MailId, Path, description = "The mail")),
    responses(
        (status = 200, description = "The mail, due now", body = Mail),
        Always, Changes, Unauthorized, Forbidden, Unknown, Conflicts,
    ),
)]
pub(super) async fn retry(
    State(shared): State<Shared>,
    Caller(call): Caller,
    Administrator(authority): Administrator,
    Id(id): Id<MailId>,
) -> Result<Json<Mail>, Problem> {
    Ok(Json((&mails::retry(shared.core(), &call, authority, id).await?).into()))
}
