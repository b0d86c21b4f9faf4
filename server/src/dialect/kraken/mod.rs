//! The dialect `kraken`: see README.md beside this file.

mod document;
mod error;
mod keys;
mod session;
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
    name: "kraken",
    enabled: |dialects| dialects.kraken,
    prefixes: &["/api/v1/auth"],
    routes,
    documents: &[Document {
        name: "kraken",
        about: "Signing in and out and security keys, as clients of the Kraken project do it. A session travels in a cookie.",
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
    session::login,
    session::logout,
    session::test,
    keys::start_register,
    keys::finish_register,
    keys::start_auth,
    keys::finish_auth,
];

fn routes(shared: Shared) -> Router {
    served()
        // HEAD must change nothing (RFC 9110, 9.2.1), and would otherwise be answered by the GET.
        .route("/api/v1/auth/logout", head(error::get_only).fallback(error::get_only))
        .method_not_allowed_fallback(error::wrong_method)
        .with_state(shared)
}
