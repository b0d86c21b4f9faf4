//! `/auth/v1/password`: changing one's own password.

use axum::extract::State;
use axum::response::Response;

use super::auth::SignedIn;
use super::document::{Always, Changes, Limited, NewPassword, Reads, Unauthorized};
use super::error::Problem;
use super::read::Body;
use super::sign_in::answer;
use super::wire::{self, PasswordChange};
use crate::core::flows::change_password::change_password;
use crate::dialect::shared::Shared;
use crate::http::call::Caller;

/// Change my password
#[utoipa::path(
    post, path = "/auth/v1/password", operation_id = "changePassword", tag = "Password",
    security(("bearer" = []), ("cookie" = [])), request_body = PasswordChange,
    responses(
        (status = 200, description = "Signed in anew; all other sessions have ended", body = wire::SignedIn),
        Always, Changes, Reads, Unauthorized, Limited, NewPassword,
    ),
)]
pub(super) async fn change(
    State(shared): State<Shared>,
    Caller(call): Caller,
    SignedIn(presented): SignedIn,
    Body(body): Body<PasswordChange>,
) -> Result<Response, Problem> {
    let changed = change_password(shared.core(), &call, &presented, &body.current_password, &body.new_password).await?;
    answer(&shared, &call, &changed)
}
