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

use super::Dialect;
use super::document::Document;
use super::shared::Shared;
use super::urls::urls;
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
    at_once: &[],
    not_found: |_| error::not_found(),
};

urls![
    methods::index,
    recovery::forgotten,
    recovery::reset,
    sign_in::request_code,
    invitations::accept,
    invitations::create,
    sign_in::login,
];

fn routes(shared: Shared) -> Router {
    served()
        .route("/api/v1/forgotten-password", head(error::get_only).fallback(error::get_only))
        .route("/api/v1/request-code/{email}", head(error::get_only).fallback(error::get_only))
        .method_not_allowed_fallback(async || error::method_not_allowed())
        .with_state(shared)
}
