//! `/admin/v1/mail`: the outbox.

use axum::Json;
use axum::extract::State;

use super::super::auth::Administrator;
use super::super::error::Problem;
use super::super::read::{Id, Query, page};
use super::super::wire::{Items, PageQuery};
use super::wire::Mail;
use crate::core::flows::mails;
use crate::core::model::MailId;
use crate::dialect::shared::Shared;
use crate::http::call::Caller;

pub(super) async fn list(
    State(shared): State<Shared>,
    Administrator(authority): Administrator,
    Query(query): Query<PageQuery>,
) -> Result<Json<Items<Mail>>, Problem> {
    let page = page(query.after.as_deref(), query.limit.as_deref())?;
    Ok(Json(Items::of(&mails::list(shared.core(), authority, page).await?, Mail::from)))
}

pub(super) async fn show(
    State(shared): State<Shared>,
    Administrator(authority): Administrator,
    Id(id): Id<MailId>,
) -> Result<Json<Mail>, Problem> {
    Ok(Json((&mails::show(shared.core(), authority, id).await?).into()))
}

pub(super) async fn retry(
    State(shared): State<Shared>,
    Caller(call): Caller,
    Administrator(authority): Administrator,
    Id(id): Id<MailId>,
) -> Result<Json<Mail>, Problem> {
    Ok(Json((&mails::retry(shared.core(), &call, authority, id).await?).into()))
}
