//! `/admin/v1/counts`: sign-ins and refusals over time.

use axum::Json;
use axum::extract::State;

use super::super::auth::Administrator;
use super::super::document::{Always, Forbidden, Unauthorized};
use super::super::error::Problem;
use super::super::read::Query;
use super::wire::{Count, CountedBy, Counts, CountsQuery};
use crate::core::Refusal;
use crate::core::flows::counts::{self, Span};
use crate::dialect::shared::Shared;
use crate::http::call::Caller;

impl CountsQuery {
    fn read(&self) -> Result<(CountedBy, Span), Refusal> {
        match self.by.as_deref() {
            None | Some("hour") => Ok((CountedBy::Hour, Span::Hour)),
            Some("day") => Ok((CountedBy::Day, Span::Day)),
            Some(_) => Err(Refusal::Invalid { field: "by", problem: "Counts are by hour or by day." }),
        }
    }
}

impl From<&counts::Count> for Count {
    fn from(count: &counts::Count) -> Self {
        Self { from: count.from, sign_ins: count.sign_ins, refusals: count.refusals, more: count.more }
    }
}

/// Count sign-ins and refusals
#[utoipa::path(
    get, path = "/admin/v1/counts", operation_id = "countSignIns", tag = "Audit",
    security(("bearer" = []), ("cookie" = [])), params(CountsQuery),
    responses((status = 200, description = "By hour or by day of UTC", body = Counts), Always, Unauthorized, Forbidden),
)]
pub(super) async fn sign_ins(
    State(shared): State<Shared>,
    Caller(call): Caller,
    Administrator(authority): Administrator,
    Query(query): Query<CountsQuery>,
) -> Result<Json<Counts>, Problem> {
    let (by, span) = query.read()?;
    let counted = counts::sign_ins(shared.core(), &call, authority, span).await?;
    Ok(Json(Counts { by, items: counted.iter().map(Count::from).collect() }))
}
