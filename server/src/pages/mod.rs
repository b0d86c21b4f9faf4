//! Pages for people: plain HTML forms over the flows of core, working without JavaScript but for security keys.
//!
//! A page reads the same session cookie as `native`. Each form carries a token bound to the visitor's cookie (`csrf.rs`) and must come from
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
mod words;

use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts as _, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};

use crate::dialect::shared::Shared;
use crate::http::accept::wants_a_page;
use crate::http::layers::Words;
use crate::mailbox::Mailbox;
use render::Pages;
use visit::Visit;

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
pub struct Site {
    shared: Shared,
    pages: Arc<Pages>,
    /// The configuration as it is in force, secrets masked.
    settings: Arc<[(String, String)]>,
    /// Where the URLs of APIs begin: no places for people.
    apis: Arc<[&'static str]>,
}

impl Site {
    /// `settings` are shown to administrators: secrets among them are masked already. `apis` is where the URLs of APIs begin: nobody is sent
    /// there after signing in.
    #[must_use]
    pub fn new(shared: Shared, pages: Arc<Pages>, settings: Vec<(String, String)>, apis: Vec<&'static str>) -> Self {
        Self { shared, pages, settings: settings.into(), apis: apis.into() }
    }

    /// The answer for an address that nothing is at and that belongs to no API: a page for a browser, and nothing but the status for anybody
    /// else.
    pub async fn unknown(&self, request: Request) -> Response {
        if !wants_a_page(request.headers()) {
            return StatusCode::NOT_FOUND.into_response();
        }
        let (mut parts, _) = request.into_parts();
        match Visit::from_request_parts(&mut parts, self).await {
            Ok(visit) => problem::not_found(visit).await,
            Err(turned) => turned.into_response(),
        }
    }
}

/// The URL table. The mails of `mailbox` are shown to whoever is at this machine.
pub fn routes(site: Site, mailbox: Option<Mailbox>) -> Router {
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
        .merge(admin::routes())
        .merge(mailbox.map(|mailbox| dev_mail::routes(&site, mailbox)).unwrap_or_default())
        .route(assets::STYLE, get(assets::style))
        .route(assets::SCRIPT, get(assets::script))
        .route(assets::ICON, get(assets::icon))
        .method_not_allowed_fallback(problem::not_allowed)
        .with_state(site)
}
