//! The dialect `native`, Doorward's own API: see README.md beside this file.

mod admin;
mod auth;
mod document;
mod error;
mod forward;
mod history;
mod invitations;
mod json;
mod keys;
mod methods;
mod passkey;
mod password;
mod profile;
mod read;
mod recovery;
mod second_factor;
mod session;
mod sessions;
mod shown;
mod sign_in;
mod totp;
mod view;
mod wire;

use axum::Router;

use super::document::Document;
use super::shared::Shared;
use super::urls::urls;
use super::{AtOnce, Dialect};
use crate::http::layers::Words;

/// Its line in the list.
pub const DIALECT: Dialect = Dialect {
    name: "native",
    enabled: |dialects| dialects.native,
    prefixes: &["/auth/v1", "/admin/v1"],
    routes,
    documents: &[
        Document {
            name: "native",
            about: "Doorward's own API for everybody's account.",
            base: "",
            servers: &[],
            annotations: || document::annotations(described()),
        },
        Document {
            name: "admin",
            about: "Doorward's own API for administrators. Whoever has a second factor must have proven it in the session that calls, \
                    and with the setting `administrators.second_factor` everybody must: else 401 `second-factor-required`, which a \
                    call under `/auth/v1/second-factor` with the same token mends. What takes something away for good or lets \
                    somebody in needs a recent sign-in: else 403 `recent-sign-in-required`.",
            base: "",
            servers: &[],
            annotations: || document::annotations(admin::described()),
        },
    ],
    words: |_| Words::new(error::panicked, error::timed_out, error::unreadable),
    admit: auth::own_origin,
    at_once: &[AtOnce { path: "/auth/v1/session", answer: session::show_at_once }],
    not_found: |_| error::not_found(),
};

fn routes(shared: Shared) -> Router {
    let router = served().merge(admin::served());
    router.method_not_allowed_fallback(error::method_not_allowed).with_state(shared)
}

urls![
    methods::list,
    sign_in::with_password,
    sign_in::with_code,
    sign_in::request_code,
    passkey::start,
    passkey::finish,
    second_factor::start,
    second_factor::finish,
    second_factor::with_totp,
    session::show,
    session::sign_out,
    profile::change,
    history::list,
    forward::check,
    sessions::list,
    sessions::end_others,
    sessions::end,
    password::change,
    recovery::request,
    recovery::confirm,
    keys::start,
    keys::finish,
    keys::list,
    keys::rename,
    keys::remove,
    totp::show,
    totp::confirm,
    totp::remove,
    totp::start,
    invitations::inspect,
    invitations::accept,
    invitations::create_account,
];
