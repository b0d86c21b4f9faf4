//! Reading the audit log.

use super::session::Authority;
use crate::core::audit::Entry;
use crate::core::model::{Page, Paged, UserId};
use crate::core::store::audit;
use crate::core::{Core, Result};

/// Which lines are wanted.
#[derive(Clone, Debug, Default)]
pub enum Filter {
    /// All.
    #[default]
    All,
    /// Those about one user.
    User(UserId),
    /// Those of one event, by its name.
    Event(String),
}

/// Lines of the log, newest first.
///
/// # Errors
/// Faults only.
pub async fn list(core: &Core, _: Authority, filter: Filter, page: Page) -> Result<Paged<Entry>> {
    let work = core.store.read(move |tx| {
        Box::pin(async move {
            let entries = match &filter {
                Filter::All => audit::list(tx, &page).await?,
                Filter::User(user) => audit::of_user(tx, *user, &page).await?,
                Filter::Event(event) => audit::of_event(tx, event, &page).await?,
            };
            Ok(page.cut(entries, |entry| entry.id.to_string()))
        })
    });
    work.await
}
