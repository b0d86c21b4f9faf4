//! The dialect `kalshi`: see README.md beside this file.

mod auth;
mod document;
mod error;
mod recovery;
mod session;
mod wire;

use axum::Router;
use axum::middleware::map_response_with_state;

use super::Dialect;
use super::document::Document;
use super::shared::Shared;
use super::urls::urls;
use crate::http::layers::everybody;

/// Its line in the list.
pub const DIALECT: Dialect = Dialect {
    name: "kalshi",
    enabled: |dialects| dialects.kalshi,
    prefixes: &["/v1", "/trade-api/v2"],
    routes,
    documents: &[Document {
        name: "kalshi",
        about: "Signing in and out and resetting a password, as clients of the Kalshi trade API do it.",
        base: "/v1",
        servers: &["https://trading-api.kalshi.com/v1"],
        annotations: document::annotations,
    }],
    words: error::words_of_layers,
    admit: |_, request| everybody(request),
    at_once: &[],
    not_found: error::not_found,
};

urls![session::log_in, session::log_out, recovery::request, recovery::confirm, session::log_in_v2, session::log_out_v2,];

fn routes(shared: Shared) -> Router {
    served()
        .method_not_allowed_fallback(error::wrong_method)
        .layer(map_response_with_state(shared.clone(), error::write))
        .with_state(shared)
}
