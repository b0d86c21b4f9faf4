//! Deletes what expired, and writes down when sessions were last used.

use std::time::Duration;

use tokio::sync::watch;

use super::Desk;
use crate::core::Error;
use crate::core::flows::sweep;
use crate::dialect::shared::Shared;

/// Between two rounds.
const PAUSE: Duration = Duration::from_secs(10);

/// Runs until `stop` says true; what was noted of sessions is written before it ends.
pub async fn run(shared: Shared, desk: Desk, mut stop: watch::Receiver<bool>) {
    loop {
        let ended = tokio::time::timeout(PAUSE, stop.wait_for(|stop| *stop)).await.is_ok();
        if let Err(error) = round(&shared, &desk).await {
            tracing::warn!(?error, "housekeeping will be tried again");
        }
        if ended {
            return;
        }
    }
}

async fn round(shared: &Shared, desk: &Desk) -> Result<(), Error> {
    sweep::seen(shared.core()).await?;
    while sweep::expired(shared.core(), &desk.call()).await? {}
    Ok(())
}
