//! The dialect `native`, Doorward's own API: see README.md beside this file.

mod admin;
mod auth;
mod document;
mod error;
mod forward;
mod history;
mod invitations;
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
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Dialect;
use super::document::Document;
use super::shared::Shared;
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
            annotations: || document::annotations(table()),
        },
        Document {
            name: "admin",
            about: "Doorward's own API for administrators. Whoever has a second factor must have proven it in the session that calls, \
                    and with the setting `administrators.second_factor` everybody must: else 401 `second-factor-required`, which a \
                    call under `/auth/v1/second-factor` with the same token mends. What takes something away for good or lets \
                    somebody in needs a recent sign-in: else 403 `recent-sign-in-required`.",
            base: "",
            servers: &[],
            annotations: || document::annotations(admin::table()),
        },
    ],
    words: |_| Words::new(error::panicked, error::timed_out, error::unreadable),
    admit: auth::own_origin,
    not_found: |_| error::not_found(),
};

fn routes(shared: Shared) -> Router {
    let router = Router::from(table()).merge(Router::from(admin::table()));
    router.method_not_allowed_fallback(error::method_not_allowed).with_state(shared)
}

fn table() -> OpenApiRouter<Shared> {
    OpenApiRouter::default()
        .routes(routes!(methods::list))
        .routes(routes!(sign_in::with_password))
        .routes(routes!(sign_in::with_code))
        .routes(routes!(sign_in::request_code))
        .routes(routes!(passkey::start))
        .routes(routes!(passkey::finish))
        .routes(routes!(second_factor::start))
        .routes(routes!(second_factor::finish))
        .routes(routes!(second_factor::with_totp))
        .routes(routes!(session::show, session::sign_out))
        .routes(routes!(profile::change))
        .routes(routes!(history::list))
        .routes(routes!(forward::check))
        .routes(routes!(sessions::list, sessions::end_others))
        .routes(routes!(sessions::end))
        .routes(routes!(password::change))
        .routes(routes!(recovery::request))
        .routes(routes!(recovery::confirm))
        .routes(routes!(keys::start))
        .routes(routes!(keys::finish, keys::list))
        .routes(routes!(keys::rename, keys::remove))
        .routes(routes!(totp::show, totp::confirm, totp::remove))
        .routes(routes!(totp::start))
        .routes(routes!(invitations::inspect))
        .routes(routes!(invitations::accept))
        .routes(routes!(invitations::create_account))
}
