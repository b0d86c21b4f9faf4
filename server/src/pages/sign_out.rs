//! `/sign-out`: by POST alone; a link leads to a page that asks.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use super::notice::Notice;
use super::posted::{Action, Nothing};
use super::render::View;
use super::visit::{HOME, Turned, Visit};
use crate::core::flows::session;
use crate::core::{Error, Refusal};

/// The question.
#[derive(Serialize)]
pub(super) struct SignOut {}

impl View for SignOut {
    const TEMPLATE: &'static str = "sign_out.html";

    fn samples() -> Vec<Self> {
        vec![Self {}]
    }
}

/// Asks; who is not signed in is told so.
pub(super) async fn form(visit: Visit) -> Response {
    if visit.all_presented().tokens.is_empty() { visit.go("/sign-in", None) } else { visit.show(StatusCode::OK, &SignOut {}) }
}

/// Ends the session, full or half, and takes its cookies.
pub(super) async fn submit(Action(visit, Nothing {}): Action<Nothing>) -> Result<Response, Turned> {
    match session::sign_out(visit.core(), &visit.call, &visit.all_presented()).await {
        // Whoever wanted to be signed out is.
        Ok(()) | Err(Error::Refused(Refusal::NotSignedIn)) => {
            let mut response = visit.go("/sign-in", Some(Notice::SignedOut));
            visit.site.shared.clear_cookies(response.headers_mut());
            Ok(response)
        }
        Err(error) => Err(visit.turn(&error, HOME)),
    }
}
