//! Proves that the store can be written to again, once it could not: who is not ready is sent nothing by which it would be seen.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::{Desk, stops_within};
use crate::core::Core;
use crate::core::flows::proof;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(500);

/// Runs until `stop` says true.
pub async fn run(core: Arc<Core>, desk: Desk, mut stop: watch::Receiver<bool>) {
    while !stops_within(PAUSE, &mut stop).await {
        if let Err(error) = proof::write(&core, &desk.call()).await {
            tracing::debug!(?error, "the store still cannot be written to");
        }
    }
}
