//! `/auth/v1/totp`: one's own authenticator app.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::auth::SignedIn;
use super::document::{Always, Changes, Conflicts, Limited, Reads, Unauthorized, Unknown};
use super::error::Problem;
use super::read::Body;
use super::wire::{Totp, TotpCode, TotpEnrolment};
use crate::core::flows::authenticator_app;
use crate::dialect::shared::Shared;
use crate::http::call::Caller;

/// Begin to enrol an authenticator app
#[utoipa::path(
    post, path = "/auth/v1/totp/start", operation_id = "startTotp", tag = "Authenticator app",
    security(("bearer" = []), ("cookie" = [])),
    responses((status = 200, description = "A new seed", body = TotpEnrolment), Always, Changes, Unauthorized, Conflicts),
)]
pub(super) async fn start(
    State(shared): State<Shared>,
    Caller(call): Caller,
    SignedIn(presented): SignedIn,
) -> Result<Json<TotpEnrolment>, Problem> {
    let begun = authenticator_app::start(shared.core(), &call, &presented).await?;
    Ok(Json(TotpEnrolment { secret: begun.seed.reveal().to_owned(), uri: begun.uri.reveal().to_owned() }))
}

/// Enrol an authenticator app
#[utoipa::path(
    post, path = "/auth/v1/totp", operation_id = "confirmTotp", tag = "Authenticator app",
    security(("bearer" = []), ("cookie" = [])), request_body = TotpCode,
    responses(
        (status = 201, description = "It is enrolled", body = Totp),
        Always, Changes, Reads, Unauthorized, Limited, Conflicts,
    ),
)]
pub(super) async fn confirm(
    State(shared): State<Shared>,
    Caller(call): Caller,
    SignedIn(presented): SignedIn,
    Body(body): Body<TotpCode>,
) -> Result<(StatusCode, Json<Totp>), Problem> {
    let since = authenticator_app::confirm(shared.core(), &call, &presented, &body.code).await?;
    Ok((StatusCode::CREATED, Json(Totp { enrolled: true, created_at: Some(since) })))
}

/// Ask whether I have an authenticator app
#[utoipa::path(
    get, path = "/auth/v1/totp", operation_id = "showTotp", tag = "Authenticator app",
    security(("bearer" = []), ("cookie" = [])),
    responses((status = 200, description = "Whether, and since when", body = Totp), Always, Unauthorized),
)]
pub(super) async fn show(
    State(shared): State<Shared>,
    Caller(call): Caller,
    SignedIn(presented): SignedIn,
) -> Result<Json<Totp>, Problem> {
    let since = authenticator_app::enrolled_since(shared.core(), &call, &presented).await?;
    Ok(Json(Totp { enrolled: since.is_some(), created_at: since }))
}

/// Remove my authenticator app
#[utoipa::path(
    delete, path = "/auth/v1/totp", operation_id = "removeTotp", tag = "Authenticator app",
    security(("bearer" = []), ("cookie" = [])),
    responses((status = 204, description = "It is removed"), Always, Changes, Unauthorized, Unknown),
)]
pub(super) async fn remove(
    State(shared): State<Shared>,
    Caller(call): Caller,
    SignedIn(presented): SignedIn,
) -> Result<StatusCode, Problem> {
    authenticator_app::remove(shared.core(), &call, &presented).await?;
    Ok(StatusCode::NO_CONTENT)
}
