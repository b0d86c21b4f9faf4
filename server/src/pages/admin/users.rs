//! `/admin/users`: everybody, or those whose address or name begins with something.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use crate::core::flows::session::Need;
use crate::core::flows::users;
use crate::core::model::{Page, Role, Status, User};
use crate::locale::minute;
use crate::pages::render::View;
use crate::pages::visit::{Turned, Visit};

/// The list.
#[derive(Default, Serialize)]
pub(in crate::pages) struct Users {
    section: &'static str,
    search: String,
    users: Vec<Person>,
    /// Whether a search has found as many as it shows.
    more: bool,
    next: Option<String>,
}

/// A user.
#[derive(Clone, Serialize)]
pub(super) struct Person {
    id: String,
    email: String,
    username: String,
    name: String,
    administrator: bool,
    disabled: bool,
    created: String,
}

impl Person {
    pub(super) fn of(user: &User) -> Self {
        Self {
            id: user.id.to_string(),
            email: user.email.as_str().to_owned(),
            username: user.username.as_str().to_owned(),
            name: user.full_name(),
            administrator: user.role == Role::Admin,
            disabled: user.status == Status::Disabled,
            created: minute(user.created_at),
        }
    }

    pub(super) fn sample(all: bool) -> Self {
        let text = || "Sample".to_owned();
        let name = if all { text() } else { String::new() };
        let (id, email, username, created) = (text(), text(), text(), text());
        Self { id, email, username, name, administrator: all, disabled: all, created }
    }
}

impl View for Users {
    const TEMPLATE: &'static str = "admin/users.html";

    fn samples() -> Vec<Self> {
        let text = || "Sample".to_owned();
        let users = vec![Person::sample(true), Person::sample(false)];
        vec![Self { section: SECTION, search: text(), users, more: true, next: Some(text()) }, Self::default()]
    }
}

pub(super) const SECTION: &str = "users";
const LIST: &str = "/admin/users";
const SHOWN: i64 = 50;

/// Shows the list.
pub(in crate::pages) async fn list(mut visit: Visit) -> Result<Response, Turned> {
    let here = visit.here.clone();
    let authority = visit.administrator(Need::Full, &here).await?;
    let search = visit.query("search").unwrap_or_default().trim().to_owned();
    let view = if search.is_empty() {
        let found = users::list(visit.core(), authority, visit.page(SHOWN)).await;
        let found = found.map_err(|error| visit.turn(&error, LIST))?;
        Users { section: SECTION, users: found.items.iter().map(Person::of).collect(), next: found.next, ..Users::default() }
    } else {
        let found = users::search(visit.core(), authority, &search).await;
        let found = found.map_err(|error| visit.turn(&error, LIST))?;
        let more = i64::try_from(found.len()).is_ok_and(|found| found >= Page::MAXIMUM);
        Users { section: SECTION, search, users: found.iter().map(Person::of).collect(), more, next: None }
    };
    Ok(visit.show(StatusCode::OK, &view))
}
