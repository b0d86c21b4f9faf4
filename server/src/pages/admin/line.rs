//! A line of the audit log as a page shows it.

use serde::Serialize;

use crate::core::audit::Entry;
use crate::locale::minute;

/// Names of events and outcomes are shown as they are at rest: the filters and the command line take the same.
#[derive(Serialize)]
pub(in crate::pages) struct Line {
    at: String,
    event: String,
    outcome: String,
    ok: bool,
    user: Option<String>,
    actor: String,
    dialect: String,
    address: Option<String>,
    detail: Option<String>,
}

impl Line {
    pub(super) fn of(entry: &Entry) -> Self {
        Self {
            at: minute(entry.at),
            event: entry.event.clone(),
            outcome: entry.outcome.clone(),
            ok: entry.outcome == "ok",
            user: entry.user_id.map(|user| user.to_string()),
            actor: entry.actor.clone(),
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
                let (at, event, outcome, actor, dialect) = (text(), text(), text(), text(), text());
                Self { at, event, outcome, ok, user: some(), actor, dialect, address: some(), detail: some() }
            })
            .into()
    }
}
