//! Housekeeping: what is expired or of a revoked application is dead already, and is deleted here to free its room; when sessions were last
//! used is written down.

use std::sync::Arc;
use std::time::Duration;

use crate::core::call::Call;
use crate::core::model::ApplicationId;
use crate::core::seen::Use;
use crate::core::store::{SWEEP_BATCH, limits, mails, sessions, tickets, unbound_tickets};
use crate::core::{Core, Result};

/// Another node may know of a use that it has not written down yet, and that keeps a session from having expired. Housekeeping writes uses
/// down twenty seconds after the last time at the latest; the rest is for batches that wait, and for clocks that differ.
const UNWRITTEN: Duration = Duration::from_secs(30);
/// Uses of sessions that one transaction writes: so few that on SQLite the writer looks at the file between two of them before checks must
/// not be answered from memory any more.
const SEEN_BATCH: usize = 100;
/// Batches of what a revoked application has left that one transaction deletes at most, when it is revoked.
const CLEARED: usize = 10;
/// Between two of those transactions, so that whoever waits to write, in this process or another, comes first.
const BREATH: Duration = Duration::from_millis(5);
/// Of the time in which the store is to answer, they take this part at most: the revocation holds, and its caller waits to hear so.
const CLEARING: u32 = 8;

/// The kinds of which there may be something to delete.
#[derive(Clone, Copy, Debug)]
pub struct Left {
    sessions: bool,
    tickets: bool,
    unbound_tickets: bool,
    limits: bool,
    mails: bool,
    revoked: bool,
}

impl Left {
    /// Of all of them: nobody has looked yet.
    pub const UNKNOWN: Self =
        Self { sessions: true, tickets: true, unbound_tickets: true, limits: true, mails: true, revoked: true };

    /// Whether there may be anything.
    #[must_use]
    pub const fn any(self) -> bool {
        self.sessions || self.tickets || self.unbound_tickets || self.limits || self.mails || self.revoked
    }
}

/// Deletes a batch of each kind that may have something left, few enough that nobody waits for it; what may be left then.
///
/// # Errors
/// Faults only.
pub async fn expired(core: &Core, call: &Call, left: Left) -> Result<Left> {
    let (now, ended) = (call.now, call.now.before(core.policy.mail_retention));
    let idle = now.before(UNWRITTEN);
    let work = core.store.write_soon(move |tx| {
        Box::pin(async move {
            Ok(Left {
                sessions: left.sessions && sessions::sweep(tx, idle).await? >= SWEEP_BATCH,
                tickets: left.tickets && tickets::sweep(tx, now).await? >= SWEEP_BATCH,
                unbound_tickets: left.unbound_tickets && unbound_tickets::sweep(tx, now).await? >= SWEEP_BATCH,
                limits: left.limits && limits::sweep(tx, now).await? >= SWEEP_BATCH,
                mails: left.mails && mails::sweep(tx, ended).await? >= SWEEP_BATCH,
                // Fewer than a batch may be the last of one application before the next.
                revoked: left.revoked && tickets::sweep_revoked(tx).await? + sessions::sweep_revoked(tx).await? > 0,
            })
        })
    });
    work.await
}

/// Deletes what a revoked application has left, while there is time: it counts for nothing here, but a node of an older release goes by the
/// rows. What remains, and what such a node adds, is deleted as what is expired is, by whichever server runs next.
pub(super) async fn clear(core: &Core, application: ApplicationId) {
    let patience = core.policy.store_deadline / CLEARING;
    if let Ok(Err(error)) = tokio::time::timeout(patience, clear_all(core, application)).await {
        tracing::warn!(?error, "what a revoked application has left will be deleted later");
    }
}

async fn clear_all(core: &Core, application: ApplicationId) -> Result<()> {
    while clear_some(core, application).await? {
        tokio::time::sleep(BREATH).await;
    }
    Ok(())
}

/// Tickets before sessions: they are few, and open more of those. Whether there may be more to delete.
async fn clear_some(core: &Core, application: ApplicationId) -> Result<bool> {
    let work = core.store.write_soon(move |tx| {
        Box::pin(async move {
            for _ in 0..CLEARED {
                let tickets = tickets::delete_of_application(tx, application).await?;
                if tickets + sessions::delete_of_application(tx, application).await? == 0 {
                    return Ok(false);
                }
            }
            Ok(true)
        })
    });
    work.await
}

/// Writes down when sessions were last used.
///
/// # Errors
/// Faults only; what was not written is noted again at the next use.
pub async fn seen(core: &Core) -> Result<()> {
    let mut noted = core.seen.take();
    while !noted.is_empty() {
        let batch: Arc<[Use]> = noted.drain(..noted.len().min(SEEN_BATCH)).collect();
        let work = core.store.write_soon(move |tx| Box::pin(async move { Ok(sessions::seen(tx, &batch).await?) }));
        core.store.used(&work.await?);
    }
    Ok(())
}
