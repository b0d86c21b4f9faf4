//! The dialect `kalshi`: see README.md beside this file.

use axum::Router;
use axum::response::{IntoResponse as _, Response};

use super::Dialect;
use super::shared::Shared;
use crate::http::layers::Words;

/// Its line in the list.
pub const DIALECT: Dialect = Dialect {
    name: "kalshi",
    enabled: |dialects| dialects.kalshi,
    prefixes: &["/v1", "/trade-api/v2"],
    routes,
    words: Words { panicked: not_found, timed_out: not_found },
    not_found,
};

fn routes(shared: Shared) -> Router {
    Router::new().with_state(shared)
}

fn not_found() -> Response {
    axum::http::StatusCode::NOT_FOUND.into_response()
}
