//! `/account`: what a person has, and the ways to change it.

pub(super) mod app;
pub(super) mod history;
pub(super) mod keys;
pub(super) mod password;
pub(super) mod profile;
pub(super) mod sessions;

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use super::device::device;
use super::render::View;
use super::visit::{HOME, Turned, Visit};
use crate::core::flows::methods::methods;
use crate::core::flows::session::{Authenticated, Need};
use crate::core::flows::{authenticator_app, security_keys};
use crate::core::model::{Page, SecurityKey, Session};
use crate::locale::minute;

/// All of it.
#[derive(Default, Serialize)]
pub(super) struct Account {
    name: String,
    email: String,
    username: String,
    password: bool,
    app_since: Option<String>,
    keys_available: bool,
    keys: Vec<Key>,
    sessions: Vec<Row>,
    others: bool,
    more: bool,
    /// What happened lately.
    lines: Vec<history::Line>,
}

/// A security key.
#[derive(Clone, Serialize)]
pub(super) struct Key {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) added: String,
    pub(super) used: Option<String>,
}

/// A session.
#[derive(Clone, Serialize)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) current: bool,
    pub(super) device: String,
    pub(super) address: Option<String>,
    pub(super) since: String,
    pub(super) seen: String,
}

impl View for Account {
    const TEMPLATE: &'static str = "account.html";

    fn samples() -> Vec<Self> {
        let text = || "Sample".to_owned();
        let key = |used| Key { id: text(), name: text(), added: text(), used };
        let row = |current, address| Row { id: text(), current, device: text(), address, since: text(), seen: text() };
        let full = Self {
            name: text(),
            email: text(),
            username: text(),
            password: true,
            app_since: Some(text()),
            keys_available: true,
            keys: vec![key(None), key(Some(text()))],
            sessions: vec![row(true, None), row(false, Some(text()))],
            others: true,
            more: true,
            lines: history::Line::samples(),
        };
        vec![full, Self { keys_available: true, ..Self::default() }, Self::default()]
    }
}

/// More sessions than this are not listed.
const MOST_SESSIONS: i64 = 50;

/// As many of the newest lines of the history are shown beside the rest.
const LINES: i64 = 5;

impl Key {
    pub(super) fn of(key: &SecurityKey) -> Self {
        Self {
            id: key.id.to_string(),
            name: key.name.as_str().to_owned(),
            added: minute(key.created_at),
            used: key.last_used_at.map(minute),
        }
    }
}

/// Shows it.
pub(super) async fn show(mut visit: Visit) -> Result<Response, Turned> {
    let checked = visit.signed_in(Need::Full, HOME).await?;
    let view = collect(&visit, checked).await.map_err(|error| visit.turn(&error, HOME))?;
    Ok(visit.show(StatusCode::OK, &view))
}

async fn collect(visit: &Visit, checked: Authenticated) -> crate::core::Result<Account> {
    let (core, call, presented) = (visit.core(), &visit.call, &visit.presented);
    let since = authenticator_app::enrolled_since(core, call, presented).await?;
    let keys = security_keys::list(core, call, presented).await?;
    let page = Page::new(None, Some(MOST_SESSIONS));
    let own = crate::core::flows::sessions::list_own(core, call, presented, page).await?;
    let (lines, _) = history::read(visit, Page::new(None, Some(LINES))).await?;
    let user = checked.user;
    // Its own first: what to leave alone is found at once.
    let (mine, others): (Vec<_>, Vec<_>) = own.sessions.items.iter().partition(|session| session.id == own.current);
    let others_are = !others.is_empty();
    Ok(Account {
        name: user.display_name(),
        email: user.email.as_str().to_owned(),
        username: user.username.as_str().to_owned(),
        password: methods(core).password,
        app_since: since.map(minute),
        keys_available: core.has_webauthn(),
        keys: keys.iter().map(Key::of).collect(),
        sessions: mine.into_iter().chain(others).map(|session| row(visit, session, own.current == session.id)).collect(),
        others: others_are,
        more: own.sessions.next.is_some(),
        lines,
    })
}

pub(super) fn row(visit: &Visit, session: &Session, current: bool) -> Row {
    Row {
        id: session.id.to_string(),
        current,
        device: through(visit, session.user_agent.as_deref(), &session.dialect),
        address: session.address.as_deref().map(str::to_owned),
        since: minute(session.created_at),
        seen: minute(session.last_seen_at),
    }
}

/// With which program, and through which API if not through the pages.
fn through(visit: &Visit, agent: Option<&str>, dialect: &str) -> String {
    let named =
        agent.and_then(device).map(|(browser, system)| visit.say("device.on", &[("browser", browser), ("system", system)]));
    let name = named.unwrap_or_else(|| visit.say("device.unknown", &[]));
    if dialect == visit.call.origin.dialect {
        name
    } else {
        format!("{name}, {}", visit.say("device.api", &[("dialect", dialect)]))
    }
}
