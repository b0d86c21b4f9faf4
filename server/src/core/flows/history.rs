//! What happened lately to a user's own account.

use super::session::{Need, Presented, check};
use crate::core::audit::Entry;
use crate::core::call::Call;
use crate::core::model::{Page, Paged, UserId};
use crate::core::store::audit;
use crate::core::{Core, Result};

/// Who did it, as far as its subject may know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// The user.
    Oneself,
    /// An administrator, or whoever runs the command line on the server's machine.
    Administrator,
    /// The server itself.
    Server,
    /// Somebody who was not signed in: the user who mistyped, or a stranger who tried.
    Anybody,
}

/// A line of the audit log as its subject sees it: from where only where it was the user.
#[derive(Clone, Debug)]
pub struct Happening {
    /// The line. Address, peer and client of anybody but the user are left out.
    pub entry: Entry,
    /// Who did it.
    pub by: By,
}

/// The lines about the caller, newest first.
///
/// # Errors
/// [`crate::core::Refusal::NotSignedIn`], [`crate::core::Refusal::SecondFactorOwed`].
pub async fn list(core: &Core, call: &Call, presented: &Presented, page: Page) -> Result<Paged<Happening>> {
    let user = check(core, call, presented, Need::Full).await?.user.id;
    let work = core.store.read(move |tx| {
        Box::pin(async move { Ok(page.cut(audit::of_user(tx, user, &page).await?, |entry| entry.id.to_string())) })
    });
    let Paged { items, next } = work.await?;
    Ok(Paged { items: items.into_iter().map(|entry| seen_by(user, entry)).collect(), next })
}

fn seen_by(user: UserId, mut entry: Entry) -> Happening {
    let by = match entry.actor.as_str() {
        "anonymous" => By::Anybody,
        "server" => By::Server,
        actor if actor == user.to_string() => By::Oneself,
        _ => By::Administrator,
    };
    if by != By::Oneself {
        (entry.address, entry.peer, entry.user_agent) = (None, None, None);
    }
    Happening { entry, by }
}
