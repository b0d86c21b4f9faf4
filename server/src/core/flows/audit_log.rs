//! Reading the audit log.

use super::authority::Authority;
use crate::core::audit::Entry;
use crate::core::clock::Timestamp;
use crate::core::model::{AuditId, Page, Paged, UserId};
use crate::core::store::audit::{self, By, Slice};
use crate::core::{Core, Result};

/// Which lines are wanted: those that are all of this.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// About this user.
    pub user: Option<UserId>,
    /// Of this event, by its name.
    pub event: Option<String>,
    /// That ended so: `ok`, or the name of a refusal.
    pub outcome: Option<String>,
    /// Through this dialect.
    pub dialect: Option<String>,
    /// Written at this moment or later.
    pub since: Option<Timestamp>,
    /// Written before this moment.
    pub until: Option<Timestamp>,
}

/// Lines that one statement reads, where more than an index is to be asked for.
const SLICE: i64 = 200;
/// Lines that are looked at for one page. A page may be short of its limit, or empty, and not the last.
const MOST: i64 = 5_000;
/// Lines that one export has at most.
const MOST_EXPORTED: i64 = 10_000;
/// Lines that are looked at for one export, give or take a page: what is rare is not sought through all of a long log at once.
const MOST_FOR_EXPORT: i64 = 50_000;

impl Filter {
    /// The index to go by: one user has fewer lines than one event, as a rule.
    fn by(&self) -> By {
        match (self.user, &self.event) {
            (Some(user), _) => By::User(user),
            (None, Some(event)) => By::Event(event.clone()),
            (None, None) => By::Id,
        }
    }

    /// Whether the index alone finds what is wanted.
    fn is_indexed(&self) -> bool {
        self.outcome.is_none() && self.dialect.is_none() && (self.user.is_none() || self.event.is_none())
    }

    /// What no index says.
    fn takes(&self, entry: &Entry) -> bool {
        let is = |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|wanted| wanted == found);
        is(&self.event, &entry.event) && is(&self.outcome, &entry.outcome) && is(&self.dialect, &entry.dialect)
    }
}

/// Lines of the log, newest first. Times are those of the ids, which never go back.
///
/// # Errors
/// Faults only.
pub async fn list(core: &Core, _: Authority, filter: Filter, page: Page) -> Result<Paged<Entry>> {
    Ok(search(core, filter, page).await?.0)
}

/// The same lines in one piece; where there are more than one export may have or look at, `next` says where it stopped.
///
/// # Errors
/// Faults only.
pub async fn export(core: &Core, _: Authority, filter: Filter) -> Result<Paged<Entry>> {
    let (mut all, mut room, mut looked_at) = (Paged { items: Vec::new(), next: None }, MOST_EXPORTED, 0);
    loop {
        let page = Page::new(all.next.take(), Some(room.min(Page::MAXIMUM)));
        let (found, looked) = search(core, filter.clone(), page).await?;
        room -= i64::try_from(found.items.len()).unwrap_or(room);
        looked_at += looked;
        all.items.extend(found.items);
        all.next = found.next;
        if all.next.is_none() || room <= 0 || looked_at >= MOST_FOR_EXPORT {
            return Ok(all);
        }
    }
}

/// A page, and how many lines were looked at for it.
async fn search(core: &Core, filter: Filter, page: Page) -> Result<(Paged<Entry>, i64)> {
    if filter.event.as_ref().is_some_and(|event| event.contains('\0')) {
        // Nothing is called so, and PostgreSQL knows no such text.
        return Ok((Paged { items: Vec::new(), next: None }, 0));
    }
    let by = filter.by();
    let (until, since) = (filter.until.map(AuditId::least_at), filter.since.map(AuditId::least_at));
    let before = until.map_or_else(|| page.before_id().to_owned(), |until| until.min(page.before_id().to_owned()));
    let limit = if filter.is_indexed() { page.fetch() } else { SLICE };
    let start = Slice { before, from: since.unwrap_or_default(), limit };
    let work = core.store.read(move |tx| {
        Box::pin(async move {
            let (mut found, mut slice, mut looked_at) = (Vec::new(), start, 0);
            loop {
                let entries = audit::slice(tx, &by, &slice).await?;
                let last = entries.last().map(|entry| entry.id.to_string()).filter(|_| is_full(&entries, &slice));
                found.extend(entries.into_iter().filter(|entry| filter.takes(entry)));
                looked_at += slice.limit;
                match last {
                    Some(last) if !page.is_filled_by(found.len()) && looked_at < MOST => slice.before = last,
                    Some(last) if !page.is_filled_by(found.len()) => {
                        return Ok((Paged { items: found, next: Some(last) }, looked_at));
                    }
                    Some(_) | None => return Ok((page.cut(found, |entry| entry.id.to_string()), looked_at)),
                }
            }
        })
    });
    work.await
}

/// Whether there may be more where these have come from.
fn is_full(entries: &[Entry], slice: &Slice) -> bool {
    i64::try_from(entries.len()).is_ok_and(|entries| entries >= slice.limit)
}
