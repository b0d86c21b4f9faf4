//! Runs the backfills from the start on, and looks again now and then: an older release beside this one may still be writing.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::{BREATH, Desk, stops_within};
use crate::core::flows::backfill::{self, Backfill};
use crate::core::{Core, Error};

/// Between two rounds.
const PAUSE: Duration = Duration::from_secs(60);

/// Runs until `stop` says true; what is not filled by then is at the next start.
pub async fn run(core: Arc<Core>, desk: Desk, mut stop: watch::Receiver<bool>) {
    loop {
        for backfill in Backfill::ALL {
            if let Err(error) = fill(&core, &desk, backfill, &mut stop).await {
                tracing::warn!(?error, backfill = backfill.as_str(), "a backfill will be tried again");
            }
        }
        if stops_within(PAUSE, &mut stop).await {
            return;
        }
    }
}

/// Batch after batch until none is left.
async fn fill(core: &Core, desk: &Desk, backfill: Backfill, stop: &mut watch::Receiver<bool>) -> Result<(), Error> {
    let mut was_long = false;
    while backfill::batch(core, &desk.call(), backfill).await? {
        if stops_within(BREATH, stop).await {
            return Ok(());
        }
        was_long = true;
    }
    if was_long {
        tracing::info!(backfill = backfill.as_str(), "a backfill has come to its end");
    }
    Ok(())
}
