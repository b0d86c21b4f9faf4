//! The dialect `native`, Doorward's own API: see README.md beside this file.

mod admin;
mod auth;
mod error;
mod forward;
mod invitations;
mod keys;
mod methods;
mod password;
mod read;
mod recovery;
mod second_factor;
mod session;
mod sessions;
mod sign_in;
mod totp;
mod view;
mod wire;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, patch, post};

use super::Dialect;
use super::shared::Shared;
use crate::http::layers::Words;

/// Its line in the list.
pub const DIALECT: Dialect = Dialect {
    name: "native",
    enabled: |dialects| dialects.native,
    prefixes: &["/auth/v1", "/admin/v1"],
    routes,
    words: |_| Words::new(error::panicked, error::timed_out, error::unreadable),
    not_found: |_| error::not_found(),
};

fn routes(shared: Shared) -> Router {
    let own_origin = from_fn_with_state(shared.clone(), auth::own_origin);
    own().merge(admin::routes()).method_not_allowed_fallback(error::method_not_allowed).layer(own_origin).with_state(shared)
}

fn own() -> Router<Shared> {
    Router::new()
        .route("/auth/v1/methods", get(methods::list))
        .route("/auth/v1/sign-in/password", post(sign_in::with_password))
        .route("/auth/v1/sign-in/code", post(sign_in::with_code))
        .route("/auth/v1/sign-in/code/request", post(sign_in::request_code))
        .route("/auth/v1/second-factor/start", post(second_factor::start))
        .route("/auth/v1/second-factor", post(second_factor::finish))
        .route("/auth/v1/second-factor/totp", post(second_factor::with_totp))
        .route("/auth/v1/session", get(session::show).delete(session::sign_out))
        .route("/auth/v1/forward", get(forward::check))
        .route("/auth/v1/sessions", get(sessions::list).delete(sessions::end_others))
        .route("/auth/v1/sessions/{id}", axum::routing::delete(sessions::end))
        .route("/auth/v1/password", post(password::change))
        .route("/auth/v1/recovery", post(recovery::request))
        .route("/auth/v1/recovery/confirm", post(recovery::confirm))
        .route("/auth/v1/keys", get(keys::list).post(keys::finish))
        .route("/auth/v1/keys/start", post(keys::start))
        .route("/auth/v1/keys/{id}", patch(keys::rename).delete(keys::remove))
        .route("/auth/v1/totp", get(totp::show).post(totp::confirm).delete(totp::remove))
        .route("/auth/v1/totp/start", post(totp::start))
        .route("/auth/v1/invitations/inspect", post(invitations::inspect))
        .route("/auth/v1/invitations/accept", post(invitations::accept))
        .route("/auth/v1/invitations/account", post(invitations::create_account))
}
