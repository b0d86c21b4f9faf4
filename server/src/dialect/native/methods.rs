//! `/auth/v1/methods`: what this server offers.

use axum::Json;
use axum::extract::State;

use super::document::Always;
use super::wire::Methods;
use crate::core::flows::methods::methods;
use crate::dialect::shared::Shared;

/// List the ways to sign in
#[utoipa::path(
    get, path = "/auth/v1/methods", operation_id = "listMethods", tag = "Sign in",
    responses((status = 200, description = "What this server offers", body = Methods), Always),
)]
pub(super) async fn list(State(shared): State<Shared>) -> Json<Methods> {
    let offered = methods(shared.core());
    Json(Methods {
        password: offered.password,
        email_code: offered.email_code,
        passkey: offered.passkey,
        security_key: offered.security_key,
        totp: offered.totp,
    })
}
