//! `/admin/v1/audit`.

use axum::Json;
use axum::extract::State;

use super::super::auth::Administrator;
use super::super::document::{Always, Forbidden, Unauthorized};
use super::super::error::Problem;
use super::super::read::{Query, page};
use super::super::wire::Items;
use super::wire::AuditQuery;
use crate::core::Refusal;
use crate::core::audit::Entry;
use crate::core::clock::Timestamp;
use crate::core::flows::audit_log::{self, Filter};
use crate::dialect::shared::Shared;

fn filter(query: &AuditQuery) -> Result<Filter, Refusal> {
    let user = query
        .user
        .as_deref()
        .map(|user| user.parse().map_err(|_| Refusal::Invalid { field: "user", problem: "A user is named by id here." }));
    Ok(Filter {
        user: user.transpose()?,
        event: query.event.clone(),
        outcome: query.outcome.clone(),
        dialect: query.dialect.clone(),
        since: time("since", query.since.as_deref())?,
        until: time("until", query.until.as_deref())?,
    })
}

fn time(field: &'static str, text: Option<&str>) -> Result<Option<Timestamp>, Refusal> {
    let problem = "A time is of the form 2026-11-23T17:59:00Z (RFC 3339).";
    text.map(|text| text.parse().map_err(|_| Refusal::Invalid { field, problem })).transpose()
}

/// Read the audit log
#[utoipa::path(
    get, path = "/admin/v1/audit", operation_id = "listAudit", tag = "Audit",
    security(("bearer" = []), ("cookie" = [])), params(AuditQuery),
    responses(
        (status = 200, description = "A page of entries, newest first", body = Items<Entry>),
        Always, Unauthorized, Forbidden,
    ),
)]
pub(super) async fn list(
    State(shared): State<Shared>,
    Administrator(authority): Administrator,
    Query(query): Query<AuditQuery>,
) -> Result<Json<Items<Entry>>, Problem> {
    let page = page(query.after.as_deref(), query.limit.as_deref())?;
    let found = audit_log::list(shared.core(), authority, filter(&query)?, page).await?;
    Ok(Json(Items::of(&found, Entry::clone)))
}
