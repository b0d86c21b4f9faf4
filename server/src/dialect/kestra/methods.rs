//! `auths`: what this server offers.

use axum::Json;
use axum::extract::State;

use super::wire::Methods;
use crate::core::flows::methods::methods;
use crate::dialect::shared::Shared;

/// The ways to sign in. Mails always go somewhere, to a mail server or into files; there are no external providers.
pub(super) async fn index(State(shared): State<Shared>) -> Json<Methods> {
    let methods = methods(shared.core());
    Json(Methods { login_password: methods.password, mails_enabled: true, passwordless: methods.email_code, oauths: Vec::new() })
}
