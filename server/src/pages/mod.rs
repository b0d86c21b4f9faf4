//! The few pages that mailed links lead to. Opening one shows a form and spends nothing; only the form's POST does.
//!
//! The forms carry the link's secret and rely on no cookie: cookies are not read here, and there is nothing to forge.

mod invitation;
pub mod render;
mod reset;
mod respond;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use crate::dialect::shared::Shared;
use crate::http::layers::Words;
use render::{Pages, STYLESHEET_PATH};

/// How the pages say what only the layers around them know.
#[must_use]
pub fn words() -> Words {
    Words::new(respond::panicked, respond::timed_out, respond::unreadable)
}

/// Where the pages' URLs begin.
pub const PREFIXES: [&str; 3] = ["/reset", "/invitation", STYLESHEET_PATH];

/// What the handlers share.
#[derive(Clone)]
struct Site {
    shared: Shared,
    pages: Arc<Pages>,
}

/// The URL table.
pub fn routes(shared: Shared, pages: Pages) -> Router {
    Router::new()
        .route("/reset", get(reset::form).post(reset::confirm))
        .route("/invitation", get(invitation::form).post(invitation::create))
        .route(STYLESHEET_PATH, get(respond::stylesheet))
        .with_state(Site { shared, pages: Arc::new(pages) })
}
