//! The dialect `kestra`: see README.md beside this file.

mod auth;
mod document;
mod error;
mod invitations;
mod methods;
mod recovery;
mod request;
mod sign_in;
mod wire;

use axum::Router;
use axum::routing::head;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Dialect;
use super::document::Document;
use super::shared::Shared;
use crate::http::layers::{Words, everybody};

/// Its line in the list.
pub const DIALECT: Dialect = Dialect {
    name: "kestra",
    enabled: |dialects| dialects.kestra,
    prefixes: &["/api/v1", "/login"],
    routes,
    documents: &[Document {
        name: "kestra",
        about: "Ways to sign in, mailed codes, forgotten passwords and invitations, as clients of Kestra do it.",
        base: "",
        servers: &[],
        annotations: document::annotations,
    }],
    words: |_| Words::new(error::panicked, error::timed_out, error::unreadable),
    admit: |_, request| everybody(request),
    not_found: |_| error::not_found(),
};

fn table() -> OpenApiRouter<Shared> {
    OpenApiRouter::default()
        .routes(routes!(methods::index))
        .routes(routes!(recovery::forgotten))
        .routes(routes!(recovery::reset))
        .routes(routes!(sign_in::request_code))
        .routes(routes!(invitations::accept))
        .routes(routes!(invitations::create))
        .routes(routes!(sign_in::login))
}

fn routes(shared: Shared) -> Router {
    Router::from(table())
        .route("/api/v1/forgotten-password", head(error::no_head))
        .route("/api/v1/request-code/{email}", head(error::no_head))
        .method_not_allowed_fallback(async || error::method_not_allowed())
        .with_state(shared)
}
