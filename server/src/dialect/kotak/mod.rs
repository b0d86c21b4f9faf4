//! The dialect `kotak`: see README.md beside this file.

mod auth;
mod document;
mod error;
mod headers;
mod place;
mod session_init;
mod sign_in;
mod sign_out;
mod wire;

use axum::Router;

use super::Dialect;
use super::document::Document;
use super::shared::Shared;
use super::urls::urls;
use crate::http::layers::{Words, everybody};

/// Its line in the list.
pub const DIALECT: Dialect = Dialect {
    name: "kotak",
    enabled: |dialects| dialects.kotak,
    prefixes: &["/apim"],
    routes,
    documents: &[Document {
        name: "kotak",
        about: "Signing in and out through an application, as clients of the Kotak Securities trade API do it.",
        base: "/apim",
        servers: &["https://tradeapi.kotaksecurities.com/apim"],
        annotations: document::annotations,
    }],
    words: |_| Words::new(error::panicked, error::timed_out, error::unreadable),
    admit: |_, request| everybody(request),
    at_once: &[],
    not_found: |_| error::not_found(),
};

urls![session_init::session_init, sign_in::login, sign_in::access_code, sign_in::one_time_token, sign_out::logout,];

fn routes(shared: Shared) -> Router {
    served().method_not_allowed_fallback(async || error::method_not_allowed()).with_state(shared)
}
