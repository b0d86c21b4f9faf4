//! `auths`: what this server offers.

use axum::Json;
use axum::extract::State;

use super::document::Faults;
use super::wire::Methods;
use crate::core::flows::methods::methods;
use crate::dialect::shared::Shared;

/// List the ways to sign in
#[utoipa::path(
    get, path = "/api/v1/auths", operation_id = "index", tag = "Auth",
    responses((status = 200, description = "What this server offers", body = Methods), Faults),
)]
// Mails always go somewhere, to a mail server or into files; there are no external providers.
pub(super) async fn index(State(shared): State<Shared>) -> Json<Methods> {
    let methods = methods(shared.core());
    Json(Methods { login_password: methods.password, mails_enabled: true, passwordless: methods.email_code, oauths: Vec::new() })
}
