//! The dialect `kestra`: see README.md beside this file.

mod auth;
mod error;
mod invitations;
mod methods;
mod recovery;
mod request;
mod sign_in;
mod wire;

use axum::Router;
use axum::routing::{get, post};

use super::Dialect;
use super::shared::Shared;
use crate::http::layers::Words;

/// Its line in the list.
pub const DIALECT: Dialect = Dialect {
    name: "kestra",
    enabled: |dialects| dialects.kestra,
    prefixes: &["/api/v1", "/login"],
    routes,
    words: |_| Words::new(error::panicked, error::timed_out, error::unreadable),
    not_found: |_| error::not_found(),
};

fn routes(shared: Shared) -> Router {
    Router::new()
        .route("/api/v1/auths", get(methods::index))
        .route("/api/v1/forgotten-password", get(recovery::forgotten).head(error::no_head))
        .route("/api/v1/reset-password", post(recovery::reset))
        .route("/api/v1/request-code/{email}", get(sign_in::request_code).head(error::no_head))
        .route("/api/v1/invitation/accept/{invitation_id}", post(invitations::accept))
        .route("/api/v1/invitation/create/{invitation_id}", post(invitations::create))
        .route("/login", post(sign_in::login))
        .method_not_allowed_fallback(async || error::method_not_allowed())
        .with_state(shared)
}
