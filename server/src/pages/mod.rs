//! Pages for people: plain HTML forms over the flows of core, working without JavaScript but for security keys.
//!
//! A page reads the same session cookie as `native`. Each form carries a token bound to the visitor's cookie ([`csrf`]) and must come from
//! our own origin; what succeeds is answered with a redirect (POST, redirect, GET), what does not with the form and what is wrong with it.

mod account;
mod admin;
mod assets;
mod code;
mod csrf;
mod dev_mail;
mod device;
mod forgotten;
mod form;
mod invitation;
mod notice;
mod passkey;
mod posted;
mod problem;
mod qr;
pub mod render;
mod reset;
mod return_to;
mod second_factor;
mod setup;
mod sign_in;
mod sign_out;
mod visit;

use std::sync::Arc;

use axum::Router;
use axum::routing::{any, get, post};

use crate::dialect::shared::Shared;
use crate::http::layers::Words;
use crate::mailbox::Mailbox;
use render::Pages;

/// How the pages say what only the layers around them know.
#[must_use]
pub fn words(pages: &Arc<Pages>) -> Words {
    let [panicked, timed_out, unreadable] = [(); 3].map(|()| Arc::clone(pages));
    Words::new(
        move || problem::panicked(&panicked),
        move || problem::timed_out(&timed_out),
        move |error| problem::head(&unreadable, error),
    )
}

/// Where the pages' URLs begin.
pub const PREFIXES: [&str; 11] = [
    "/sign-in",
    "/second-factor",
    "/sign-out",
    "/forgotten",
    "/check-your-mail",
    "/reset",
    "/invitation",
    "/setup",
    "/account",
    "/admin",
    assets::FOLDER,
];

/// What the handlers share.
#[derive(Clone)]
struct Site {
    shared: Shared,
    pages: Arc<Pages>,
    /// The configuration as it is in force, secrets masked.
    settings: Arc<[(String, String)]>,
    /// Where the URLs of APIs begin: no places for people.
    apis: Arc<[&'static str]>,
}

/// What is said to the pages of the server around them.
pub struct Around {
    /// The configuration as it is in force, secrets masked: administrators see it.
    pub settings: Vec<(String, String)>,
    /// Where the URLs of APIs begin: nobody is sent there after signing in.
    pub apis: Vec<&'static str>,
    /// Mails that are files: shown to whoever is at this machine.
    pub mailbox: Option<Mailbox>,
}

/// The URL table.
pub fn routes(shared: Shared, pages: Arc<Pages>, around: Around) -> Router {
    let (settings, apis, mailbox) = (around.settings.into(), around.apis.into(), around.mailbox);
    Router::new()
        .route("/", get(sign_in::begin))
        .route("/sign-in", get(sign_in::form).post(sign_in::submit))
        .route("/sign-in/code", get(code::form).post(code::request))
        .route("/sign-in/code/enter", get(code::entry).post(code::submit))
        .route("/sign-in/passkey", post(passkey::submit))
        .route("/sign-in/passkey/options", post(passkey::options))
        .route("/second-factor", get(second_factor::form).post(second_factor::with_app))
        .route("/second-factor/key", post(second_factor::with_key))
        .route("/second-factor/key/options", post(second_factor::options))
        .route("/sign-out", get(sign_out::form).post(sign_out::submit))
        .route("/forgotten", get(forgotten::form).post(forgotten::submit))
        .route("/check-your-mail", get(forgotten::sent))
        .route("/reset", get(reset::form).post(reset::submit))
        .route("/invitation", get(invitation::form).post(invitation::create))
        .route("/invitation/accept", post(invitation::accept))
        .route("/setup", get(setup::form).post(setup::submit))
        .route("/account", get(account::show))
        .route("/account/profile", get(account::profile::form).post(account::profile::submit))
        .route("/account/history", get(account::history::show))
        .route("/account/password", get(account::password::form).post(account::password::submit))
        .route("/account/app", get(account::app::back).post(account::app::confirm))
        .route("/account/app/start", post(account::app::start))
        .route("/account/app/remove", get(account::app::removal).post(account::app::remove))
        .route("/account/keys", get(account::keys::form).post(account::keys::add))
        .route("/account/keys/options", post(account::keys::options))
        .route("/account/keys/{id}", get(account::keys::one).post(account::keys::rename))
        .route("/account/keys/{id}/remove", post(account::keys::remove))
        .route("/account/sessions/end-others", post(account::sessions::end_others))
        .route("/account/sessions/{id}/end", post(account::sessions::end))
        .route("/account/{*rest}", any(problem::not_found))
        .merge(admin::routes())
        .merge(mailbox.map(dev_mail::routes).unwrap_or_default())
        .route(assets::STYLE, get(assets::style))
        .route(assets::SCRIPT, get(assets::script))
        .route(assets::ICON, get(assets::icon))
        .with_state(Site { shared, pages, settings, apis })
}
