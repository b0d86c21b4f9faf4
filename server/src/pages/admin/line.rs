//! A line of the audit log as a page shows it.

use serde::Serialize;

use crate::core::audit::Entry;
use crate::core::model::UserId;
use crate::locale::minute;
use crate::pages::visit::Visit;
use crate::pages::words::word;

/// In words; a file of the log has the names as they are at rest.
#[derive(Serialize)]
pub(in crate::pages) struct Line {
    at: String,
    event: String,
    outcome: String,
    ok: bool,
    user: Option<String>,
    /// A user's id.
    actor: Option<String>,
    /// Who it was if it was no user.
    by: Option<String>,
    dialect: String,
    address: Option<String>,
    detail: Option<String>,
}

impl Line {
    pub(super) fn of(visit: &Visit, entry: &Entry) -> Self {
        let user = entry.actor.parse::<UserId>().is_ok();
        Self {
            at: minute(entry.at),
            event: word(visit, "event", &entry.event),
            outcome: word(visit, "outcome", &entry.outcome),
            ok: entry.outcome == "ok",
            user: entry.user_id.map(|user| user.to_string()),
            actor: user.then(|| entry.actor.clone()),
            by: (!user).then(|| word(visit, "actor", &entry.actor)),
            dialect: entry.dialect.clone(),
            address: entry.address.clone(),
            detail: entry.detail.clone(),
        }
    }

    pub(super) fn samples() -> Vec<Self> {
        let text = || "Sample".to_owned();
        [true, false]
            .map(|ok| {
                let some = || ok.then(text);
                let (at, event, outcome, dialect) = (text(), text(), text(), text());
                let (actor, by) = (some(), (!ok).then(text));
                Self { at, event, outcome, ok, user: some(), actor, by, dialect, address: some(), detail: some() }
            })
            .into()
    }
}
