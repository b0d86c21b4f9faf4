//! The dialect `kraken`: see README.md beside this file.

mod error;
mod keys;
mod session;
mod wire;

use axum::Router;
use axum::routing::{get, post};

use super::Dialect;
use super::shared::Shared;
use crate::http::layers::Words;

/// Its line in the list.
pub const DIALECT: Dialect = Dialect {
    name: "kraken",
    enabled: |dialects| dialects.kraken,
    prefixes: &["/api/v1/auth"],
    routes,
    words: |_| Words::new(error::panicked, error::timed_out, error::unreadable),
    not_found: |_| error::not_found(),
};

fn routes(shared: Shared) -> Router {
    Router::new()
        .route("/api/v1/auth/login", post(session::login))
        // HEAD must change nothing (RFC 9110, 9.2.1), and would otherwise be answered by the GET.
        .route("/api/v1/auth/logout", get(session::logout).head(error::get_only).fallback(error::get_only))
        .route("/api/v1/auth/test", get(session::test))
        .route("/api/v1/auth/startRegister", post(keys::start_register))
        .route("/api/v1/auth/finishRegister", post(keys::finish_register))
        .route("/api/v1/auth/startAuth", post(keys::start_auth))
        .route("/api/v1/auth/finishAuth", post(keys::finish_auth))
        .method_not_allowed_fallback(error::wrong_method)
        .with_state(shared)
}
