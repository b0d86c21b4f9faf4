//! `/auth/v1/second-factor`: authenticating with a security key, or with a code of an authenticator app.

use axum::Json;
use axum::extract::State;
use axum::response::Response;

use super::auth::{Brought, HalfSignedIn};
use super::document::{Always, Changes, Conflicts, Limited, Reads, Unauthorized};
use super::error::Problem;
use super::read::Body;
use super::sign_in::answer;
use super::wire::{self, SecondFactor, TotpCode};
use crate::core::RequestChallengeResponse;
use crate::core::flows::session::{self, Need};
use crate::core::flows::{second_factor, second_factor_code};
use crate::dialect::shared::Shared;
use crate::http::call::Caller;

/// Begin to give a security key as second factor
#[utoipa::path(
    post, path = "/auth/v1/second-factor/start", operation_id = "startSecondFactor", tag = "Second factor",
    security(("bearer" = []), ("cookie" = [])),
    responses(
        (status = 200, description = "Request options (WebAuthn)", body = Object),
        Always, Changes, Unauthorized, Conflicts,
    ),
)]
pub(super) async fn start(
    State(shared): State<Shared>,
    Caller(call): Caller,
    HalfSignedIn(presented): HalfSignedIn,
) -> Result<Json<RequestChallengeResponse>, Problem> {
    Ok(Json(second_factor::start(shared.core(), &call, &presented).await?))
}

/// Give a security key as second factor
#[utoipa::path(
    post, path = "/auth/v1/second-factor", operation_id = "finishSecondFactor", tag = "Second factor",
    security(("bearer" = []), ("cookie" = [])), request_body = SecondFactor,
    responses(
        (status = 200, description = "Signed in", body = wire::SignedIn),
        Always, Changes, Reads, Unauthorized, Limited, Conflicts,
    ),
)]
pub(super) async fn finish(
    State(shared): State<Shared>,
    Caller(call): Caller,
    HalfSignedIn(presented): HalfSignedIn,
    Body(body): Body<SecondFactor>,
) -> Result<Response, Problem> {
    let promoted = second_factor::finish(shared.core(), &call, &presented, &body.credential).await?;
    answer(&shared, &call, &promoted)
}

/// Give a code of the authenticator app as second factor
#[utoipa::path(
    post, path = "/auth/v1/second-factor/totp", operation_id = "giveTotp", tag = "Second factor",
    security(("bearer" = []), ("cookie" = [])), request_body = TotpCode,
    responses(
        (status = 200, description = "Signed in", body = wire::SignedIn),
        Always, Changes, Reads, Unauthorized, Limited, Conflicts,
    ),
)]
pub(super) async fn with_totp(
    State(shared): State<Shared>,
    Caller(call): Caller,
    Brought(presented): Brought,
    body: Result<Body<TotpCode>, Problem>,
) -> Result<Response, Problem> {
    let Body(body) = match body {
        Ok(body) => body,
        // Whoever is not signed in hears that before what is wrong with the body. With a sound one the store is asked once, for both.
        Err(problem) => {
            session::check(shared.core(), &call, &presented, Need::EvenHalf).await?;
            return Err(problem);
        }
    };
    let raised = second_factor_code::present(shared.core(), &call, &presented, &body.code).await?;
    answer(&shared, &call, &raised)
}
