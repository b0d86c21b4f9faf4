//! The dialect `kalshi`: see README.md beside this file.

mod auth;
mod error;
mod recovery;
mod session;
mod wire;

use axum::Router;
use axum::middleware::map_response_with_state;
use axum::routing::{post, put};

use super::Dialect;
use super::shared::Shared;

/// Its line in the list.
pub const DIALECT: Dialect = Dialect {
    name: "kalshi",
    enabled: |dialects| dialects.kalshi,
    prefixes: &["/v1", "/trade-api/v2"],
    routes,
    words: error::words_of_layers,
    not_found: error::not_found,
};

fn routes(shared: Shared) -> Router {
    Router::new()
        .route("/v1/log_in", post(session::log_in))
        .route("/v1/log_out", post(session::log_out))
        .route("/v1/passwords/reset", post(recovery::request))
        .route("/v1/passwords/reset/{code}/confirm", put(recovery::confirm))
        .route("/trade-api/v2/login", post(session::log_in_v2))
        .route("/trade-api/v2/logout", post(session::log_out))
        .method_not_allowed_fallback(error::wrong_method)
        .layer(map_response_with_state(shared.clone(), error::write))
        .with_state(shared)
}
