//! Background work: what happens after the answer, or on no call at all.

pub mod backfill;
pub mod housekeeping;
pub mod mail;
pub mod outbox;
pub mod proof;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::core::Core;
use crate::core::call::{Call, Origin};
use crate::core::clock::Clock;
use crate::core::entropy::Randomness;
use outbox::Mailer;

/// Between two batches of long work, for those who wait to write and for the processors.
const BREATH: Duration = Duration::from_millis(20);

/// Where the calls of background work get their time and randomness.
#[derive(Clone)]
pub struct Desk {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The randomness.
    pub entropy: Randomness,
}

impl Desk {
    /// A call of the server's own.
    #[must_use]
    pub fn call(&self) -> Call {
        let origin = Origin::local("work", "background");
        Call { now: self.clock.now(), entropy: self.entropy.clone(), origin }
    }
}

/// Starts the loops; each ends soon after `stop` says true, with what it is doing done.
pub fn start(core: &Arc<Core>, desk: &Desk, mailer: Mailer, stop: &watch::Receiver<bool>) -> JoinSet<()> {
    let mut loops = JoinSet::new();
    loops.spawn(outbox::run(Arc::clone(core), desk.clone(), mailer, stop.clone()));
    loops.spawn(housekeeping::run(Arc::clone(core), desk.clone(), stop.clone()));
    loops.spawn(backfill::run(Arc::clone(core), desk.clone(), stop.clone()));
    loops.spawn(proof::run(Arc::clone(core), desk.clone(), stop.clone()));
    loops
}

/// Waits so long, or until `stop` says true; whether it did.
async fn stops_within(pause: Duration, stop: &mut watch::Receiver<bool>) -> bool {
    tokio::time::timeout(pause, stop.wait_for(|stop| *stop)).await.is_ok()
}
