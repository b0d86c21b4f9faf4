//! Deletes what expired, writes down when sessions were last used, and counts what waits in the outbox.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::Desk;
use crate::core::flows::{mails, sweep};
use crate::core::{Core, Error};

/// Between two rounds.
const PAUSE: Duration = Duration::from_secs(10);

/// Runs until `stop` says true; what was noted of sessions is written before it ends.
pub async fn run(core: Arc<Core>, desk: Desk, mut stop: watch::Receiver<bool>) {
    loop {
        let ended = tokio::time::timeout(PAUSE, stop.wait_for(|stop| *stop)).await.is_ok();
        if let Err(error) = round(&core, &desk).await {
            tracing::warn!(?error, "housekeeping will be tried again");
        }
        if ended {
            return;
        }
    }
}

/// One round.
///
/// # Errors
/// When the store fails; the next round begins anew.
pub async fn round(core: &Core, desk: &Desk) -> Result<(), Error> {
    sweep::seen(core).await?;
    mails::count_waiting(core).await?;
    while sweep::expired(core, &desk.call()).await? {}
    Ok(())
}
