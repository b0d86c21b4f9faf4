//! `/auth/v1/session`: who am I, and signing out.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

use super::auth::{Brought, presented};
use super::document::{Always, Changes, Unauthorized};
use super::error::Problem;
use super::shown::Shown;
use super::view;
use super::wire::CurrentSession;
use crate::core::call::Call;
use crate::core::flows::session::{self, Authenticated, Need};
use crate::dialect::shared::Shared;
use crate::http::call::Caller;

/// Who am I
#[utoipa::path(
    get, path = "/auth/v1/session", operation_id = "showSession", tag = "Session",
    security(("bearer" = []), ("cookie" = [])),
    responses((status = 200, description = "The session and its user", body = CurrentSession), Always, Unauthorized),
)]
pub(super) async fn show(
    State(shared): State<Shared>,
    Caller(call): Caller,
    Brought(presented): Brought,
) -> Result<Shown, Problem> {
    shown(&session::check(shared.core(), &call, &presented, Need::Full).await?)
}

/// As [`show`], if memory has the session.
pub(super) fn show_at_once(shared: &Shared, call: &Call, request: &Request) -> Option<Response> {
    let presented = presented(shared, request.headers()).ok()?;
    let checked = session::check_at_once(shared.core(), call, &presented)?;
    shown(&checked).ok().map(Shown::into_response)
}

fn shown(checked: &Authenticated) -> Result<Shown, Problem> {
    Shown::of(&view::current(&checked.session, &checked.user))
}

/// Sign out
#[utoipa::path(
    delete, path = "/auth/v1/session", operation_id = "signOut", tag = "Session",
    security(("bearer" = []), ("cookie" = [])),
    responses((status = 204, description = "Signed out"), Always, Changes, Unauthorized),
)]
pub(super) async fn sign_out(
    State(shared): State<Shared>,
    Caller(call): Caller,
    Brought(presented): Brought,
) -> Result<Response, Problem> {
    session::sign_out(shared.core(), &call, &presented).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    shared.clear_cookies(response.headers_mut());
    Ok(response)
}
