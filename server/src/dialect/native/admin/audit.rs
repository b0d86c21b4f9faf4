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
use crate::core::flows::audit_log::{self, Filter};
use crate::dialect::shared::Shared;

fn filter(query: &AuditQuery) -> Result<Filter, Refusal> {
    match (&query.user, &query.event) {
        (None, None) => Ok(Filter::All),
        (Some(user), None) => {
            let user = user.parse().map_err(|_| Refusal::Invalid { field: "user", problem: "A user is named by id here." })?;
            Ok(Filter::User(user))
        }
        (None, Some(event)) => Ok(Filter::Event(event.clone())),
        (Some(_), Some(_)) => Err(Refusal::Invalid { field: "event", problem: "Ask for a user or for an event, not for both." }),
    }
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
