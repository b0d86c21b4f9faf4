//! Housekeeping: what is expired is dead already, and is deleted here to free its room; when sessions were last used is written down.

use std::sync::Arc;
use std::time::Duration;

use crate::core::call::Call;
use crate::core::seen::Use;
use crate::core::store::{SWEEP_BATCH, limits, mails, sessions, tickets, unbound_tickets};
use crate::core::{Core, Result};

/// Another node may know of a use that it has not written down yet (housekeeping does every ten seconds), and that keeps a session from
/// having expired.
const UNWRITTEN: Duration = Duration::from_secs(15);
/// Uses of sessions that one transaction writes: so few that on SQLite the writer looks at the file between two of them before checks must
/// not be answered from memory any more.
const SEEN_BATCH: usize = 100;

/// Deletes a batch of each kind, few enough that nobody waits for it; whether there may be more.
///
/// # Errors
/// Faults only.
pub async fn expired(core: &Core, call: &Call) -> Result<bool> {
    let (now, ended) = (call.now, call.now.before(core.policy.mail_retention));
    let idle = now.before(UNWRITTEN);
    let work = core.store.write_soon(move |tx| {
        Box::pin(async move {
            let most = [
                sessions::sweep(tx, idle).await?,
                tickets::sweep(tx, now).await?,
                unbound_tickets::sweep(tx, now).await?,
                limits::sweep(tx, now).await?,
                mails::sweep(tx, ended).await?,
            ];
            Ok(most.into_iter().any(|deleted| deleted >= SWEEP_BATCH))
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
        let written = Arc::clone(&batch);
        let work = core.store.write_soon(move |tx| {
            Box::pin(async move {
                for noted in batch.iter() {
                    sessions::seen(tx, noted).await?;
                }
                Ok(())
            })
        });
        work.await?;
        core.store.used(&written);
    }
    Ok(())
}
