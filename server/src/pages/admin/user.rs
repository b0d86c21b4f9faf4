//! `/admin/users/{id}`: one user, and what an administrator does about them.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use super::line::Line;
use super::users::{Person, SECTION};
use crate::core::flows::audit_log::{self, Filter};
use crate::core::flows::authority::Authority;
use crate::core::flows::session::Need;
use crate::core::flows::{sessions, users};
use crate::core::model::{Page, SecurityKeyId, SessionId, UserId};
use crate::core::outbox::LinkForm;
use crate::core::{Error, Refusal, Result as Outcome};
use crate::locale::minute;
use crate::pages::account::{Key, Row, row};
use crate::pages::notice::Notice;
use crate::pages::posted::{Action, Nothing};
use crate::pages::render::View;
use crate::pages::visit::{Turned, Visit};

/// All of it.
#[derive(Serialize)]
pub(in crate::pages) struct One {
    section: &'static str,
    person: Person,
    verified: Option<String>,
    keys: Vec<Key>,
    app: bool,
    sessions: Vec<Row>,
    more: bool,
    lines: Vec<Line>,
}

impl View for One {
    const TEMPLATE: &'static str = "admin/user.html";

    fn samples() -> Vec<Self> {
        let text = || "Sample".to_owned();
        let key = |used| Key { id: text(), name: text(), added: text(), used };
        let row = |address| Row { id: text(), current: false, device: text(), address, since: text(), seen: text() };
        let full = Self {
            section: SECTION,
            person: Person::sample(true),
            verified: Some(text()),
            keys: vec![key(None), key(Some(text()))],
            app: true,
            sessions: vec![row(None), row(Some(text()))],
            more: true,
            lines: Line::samples(),
        };
        let person = Person::sample(false);
        let (keys, sessions, lines) = (Vec::new(), Vec::new(), Vec::new());
        vec![full, Self { section: SECTION, person, verified: None, keys, app: false, sessions, more: false, lines }]
    }
}

const MOST_SESSIONS: i64 = 50;
const MOST_LINES: i64 = 20;

fn address(id: UserId) -> String {
    format!("/admin/users/{id}")
}

/// Shows them.
pub(in crate::pages) async fn show(mut visit: Visit, Path(id): Path<String>) -> Result<Response, Turned> {
    let here = visit.here.clone();
    let authority = visit.administrator(Need::Full, &here).await?;
    let id = visit.known(&id)?;
    let view = collect(&visit, authority, id).await.map_err(|error| visit.turn(&error, &here))?;
    Ok(visit.show(StatusCode::OK, &view))
}

async fn collect(visit: &Visit, authority: Authority, id: UserId) -> Outcome<One> {
    let (core, call) = (visit.core(), &visit.call);
    let detail = users::find(core, authority, &id.to_string()).await?;
    let live = sessions::list(core, call, authority, Some(id), Page::new(None, Some(MOST_SESSIONS))).await?;
    let filter = Filter { user: Some(id), ..Filter::default() };
    let lines = audit_log::list(core, authority, filter, Page::new(None, Some(MOST_LINES))).await?;
    Ok(One {
        section: SECTION,
        person: Person::of(&detail.user),
        verified: detail.user.email_verified_at.map(minute),
        keys: detail.security_keys.iter().map(Key::of).collect(),
        app: detail.totp,
        sessions: live.items.iter().map(|session| row(visit, session, false)).collect(),
        more: live.next.is_some(),
        lines: lines.items.iter().map(|entry| Line::of(visit, entry)).collect(),
    })
}

/// Who may act on whom, once that is checked.
struct Act {
    visit: Visit,
    authority: Authority,
    user: UserId,
}

impl Act {
    async fn begin(mut visit: Visit, id: &str, need: Need) -> Result<Self, Turned> {
        // What is no id was never an address of ours.
        let back = id.parse().map_or_else(|_| "/admin".to_owned(), address);
        let authority = visit.administrator(need, &back).await?;
        let user = visit.known(id)?;
        Ok(Self { visit, authority, user })
    }

    fn end<T>(&self, done: Outcome<T>, notice: Notice) -> Result<Response, Turned> {
        let back = address(self.user);
        match done {
            Ok(_) => Ok(self.visit.go(&back, Some(notice))),
            Err(error) => Err(self.visit.refused_act(&error, &back, "admin.user_conflict")),
        }
    }
}

/// Disables them.
pub(in crate::pages) async fn disable(
    Path(id): Path<String>,
    Action(visit, Nothing {}): Action<Nothing>,
) -> Result<Response, Turned> {
    let act = Act::begin(visit, &id, Need::Recent).await?;
    let done = users::disable(act.visit.core(), &act.visit.call, act.authority, &act.user.to_string()).await;
    act.end(done, Notice::UserDisabled)
}

/// Enables them again.
pub(in crate::pages) async fn enable(
    Path(id): Path<String>,
    Action(visit, Nothing {}): Action<Nothing>,
) -> Result<Response, Turned> {
    let act = Act::begin(visit, &id, Need::Recent).await?;
    let done = users::enable(act.visit.core(), &act.visit.call, act.authority, &act.user.to_string()).await;
    act.end(done, Notice::UserEnabled)
}

/// Has a link to set a new password mailed to them.
pub(in crate::pages) async fn send_recovery(
    Path(id): Path<String>,
    Action(visit, Nothing {}): Action<Nothing>,
) -> Result<Response, Turned> {
    let act = Act::begin(visit, &id, Need::Recent).await?;
    let (core, user) = (act.visit.core(), act.user.to_string());
    let done = users::send_recovery(core, &act.visit.call, act.authority, &user, LinkForm::CodeAndUser).await;
    act.end(done, Notice::RecoverySent)
}

/// Removes a key that they have lost.
pub(in crate::pages) async fn remove_key(
    Path((id, key)): Path<(String, String)>,
    Action(visit, Nothing {}): Action<Nothing>,
) -> Result<Response, Turned> {
    let act = Act::begin(visit, &id, Need::Recent).await?;
    let key: SecurityKeyId = act.visit.known(&key)?;
    let done = users::remove_key(act.visit.core(), &act.visit.call, act.authority, act.user, key).await;
    act.end(done, Notice::KeyRemoved)
}

/// Removes the authenticator app that they have lost.
pub(in crate::pages) async fn remove_app(
    Path(id): Path<String>,
    Action(visit, Nothing {}): Action<Nothing>,
) -> Result<Response, Turned> {
    let act = Act::begin(visit, &id, Need::Recent).await?;
    let done = users::remove_authenticator_app(act.visit.core(), &act.visit.call, act.authority, act.user).await;
    act.end(done, Notice::AppRemoved)
}

/// Ends all of their sessions. No fresh sign-in is asked for: in an emergency it must be quick.
pub(in crate::pages) async fn end_sessions(
    Path(id): Path<String>,
    Action(visit, Nothing {}): Action<Nothing>,
) -> Result<Response, Turned> {
    let act = Act::begin(visit, &id, Need::Full).await?;
    let done = sessions::end_all(act.visit.core(), &act.visit.call, act.authority, act.user).await;
    act.end(done, Notice::SessionsEnded)
}

/// Ends one of their sessions.
pub(in crate::pages) async fn end_session(
    Path((id, session)): Path<(String, String)>,
    Action(visit, Nothing {}): Action<Nothing>,
) -> Result<Response, Turned> {
    let act = Act::begin(visit, &id, Need::Full).await?;
    let session: SessionId = act.visit.known(&session)?;
    match sessions::end_of(act.visit.core(), &act.visit.call, act.authority, act.user, session).await {
        // One that has ended since is what was wanted.
        Err(Error::Refused(Refusal::NotFound)) => act.end(Ok(()), Notice::SessionGone),
        done => act.end(done, Notice::SessionGone),
    }
}
