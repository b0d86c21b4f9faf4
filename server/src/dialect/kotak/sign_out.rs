//! Signing out.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;

use super::auth::application;
use super::document::{ApplicationHeaders, SignOutFailures};
use super::error::Failure;
use super::headers::required;
use super::wire::{Envelope, LoggedOut};
use crate::core::flows::session::{Claim, Presented, sign_out};
use crate::core::model::Identifier;
use crate::dialect::shared::Shared;
use crate::http::call::Caller;

/// Sign out
///
/// Ends the session, for the application that opened it and the user whose it is.
#[utoipa::path(
    delete, path = "/apim/session/1.0/session/logout", operation_id = "session-logout", tag = "Session",
    security(("bearerAuth" = [])),
    params(
        ("sessionToken" = String, Header, description = "The token of the session"),
        ApplicationHeaders,
        ("userid" = String, Header, description = "Username or e-mail address"),
    ),
    responses((status = 200, description = "Signed out", body = Object), SignOutFailures),
)]
pub(super) async fn logout(
    State(shared): State<Shared>,
    Caller(call): Caller,
    headers: HeaderMap,
) -> Result<Json<Envelope<LoggedOut>>, Failure> {
    let application = application(&shared, &call, &headers).await?;
    let token = required(&headers, "sessionToken")?;
    let claim = Claim::Application(application.id, Identifier::any(required(&headers, "userid")?));
    sign_out(shared.core(), &call, &Presented::token(token, claim)).await?;
    Ok(Json(Envelope { success: LoggedOut { message: "The session has ended." } }))
}
