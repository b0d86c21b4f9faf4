//! The dialect `kotak`: see README.md beside this file.

mod auth;
mod error;
mod headers;
mod place;
mod session_init;
mod sign_in;
mod sign_out;
mod wire;

use axum::Router;
use axum::routing::{delete, get, post};

use super::Dialect;
use super::shared::Shared;
use crate::http::layers::Words;

/// Its line in the list.
pub const DIALECT: Dialect = Dialect {
    name: "kotak",
    enabled: |dialects| dialects.kotak,
    prefixes: &["/apim"],
    routes,
    words: |_| Words::new(error::panicked, error::timed_out, error::unreadable),
    not_found: |_| error::not_found(),
};

fn routes(shared: Shared) -> Router {
    Router::new()
        .route("/apim/session/1.0/session/init", get(session_init::session_init))
        .route("/apim/session/1.0/session/login/userid", post(sign_in::login))
        .route("/apim/session/1.0/session/2FA/accesscode", post(sign_in::access_code))
        .route("/apim/session/1.0/session/2FA/oneTimeToken", post(sign_in::one_time_token))
        .route("/apim/session/1.0/session/logout", delete(sign_out::logout))
        .method_not_allowed_fallback(async || error::method_not_allowed())
        .with_state(shared)
}
