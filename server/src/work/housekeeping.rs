//! Deletes what expired, writes down when sessions were last used, and counts what waits in the outbox.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::{BREATH, Desk, stops_within};
use crate::core::flows::{mails, sweep};
use crate::core::{Core, Error};

/// Between two rounds.
const PAUSE: Duration = Duration::from_secs(10);

/// Runs until `stop` says true; what was noted of sessions is written before it ends. What is expired then is deleted after the next start.
pub async fn run(core: Arc<Core>, desk: Desk, mut stop: watch::Receiver<bool>) {
    let mut pause = PAUSE;
    loop {
        let ended = stops_within(pause, &mut stop).await;
        pause = match paced(&core, &desk, &mut stop).await {
            Ok(true) => BREATH,
            Ok(false) => PAUSE,
            Err(error) => {
                tracing::warn!(?error, "housekeeping will be tried again");
                PAUSE
            }
        };
        if ended {
            return;
        }
    }
}

/// One round that leaves room for others, and ends early when it is to stop, or when it is time to write uses down again: other nodes take
/// a session for expired whose use is not written for long. Whether there is more to delete.
async fn paced(core: &Core, desk: &Desk, stop: &mut watch::Receiver<bool>) -> Result<bool, Error> {
    notes(core).await?;
    let end = Instant::now() + PAUSE;
    while sweep::expired(core, &desk.call()).await? {
        if stops_within(BREATH, stop).await || Instant::now() >= end {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn notes(core: &Core) -> Result<(), Error> {
    sweep::seen(core).await?;
    mails::count_waiting(core).await
}

/// One round, at once.
///
/// # Errors
/// When the store fails; the next round begins anew.
pub async fn round(core: &Core, desk: &Desk) -> Result<(), Error> {
    notes(core).await?;
    while sweep::expired(core, &desk.call()).await? {}
    Ok(())
}
