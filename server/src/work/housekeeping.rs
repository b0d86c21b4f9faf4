//! Deletes what expired, writes down when sessions were last used, and counts what waits in the outbox.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::{BREATH, Desk, stops_within};
use crate::core::flows::sweep::Left;
use crate::core::flows::{mails, sweep};
use crate::core::{Core, Error};

/// Between two rounds.
const PAUSE: Duration = Duration::from_secs(10);

/// Of the time, sweeping takes this part: of a hundred checks hardly one is to come while a processor is at it. What is expired is dead, and
/// only takes room.
const SHARE: u32 = 128;
/// How often that part is doubled at most, once for each hour that there is always more: what is opened all day must be deleted all day.
const DOUBLED: u64 = 5;
/// However long a batch took.
const LONGEST: Duration = Duration::from_secs(1);

/// How long to wait after a batch that took so long, when there has been more to delete for a while.
fn pause_after(took: Duration, behind: Duration) -> Duration {
    let share = SHARE >> (behind.as_secs() / 3600).min(DOUBLED);
    (took * share).clamp(BREATH, LONGEST)
}

/// Runs until `stop` says true; what was noted of sessions is written before it ends. What is expired then is deleted after the next start.
pub async fn run(core: Arc<Core>, desk: Desk, mut stop: watch::Receiver<bool>) {
    let mut pause = PAUSE;
    let mut caught_up = Instant::now();
    loop {
        let ended = stops_within(pause, &mut stop).await;
        let more = paced(&core, &desk, caught_up, &mut stop).await.unwrap_or_else(|error| {
            tracing::warn!(?error, "housekeeping will be tried again");
            false
        });
        if more {
            pause = BREATH;
        } else {
            (pause, caught_up) = (PAUSE, Instant::now());
        }
        if ended {
            return;
        }
    }
}

/// One round that leaves room for others, and ends early when it is to stop, or when it is time to write uses down again: other nodes take
/// a session for expired whose use is not written for long. Whether there is more to delete.
async fn paced(core: &Core, desk: &Desk, caught_up: Instant, stop: &mut watch::Receiver<bool>) -> Result<bool, Error> {
    notes(core).await?;
    let end = Instant::now() + PAUSE;
    let mut left = Left::UNKNOWN;
    while left.any() {
        let began = Instant::now();
        left = sweep::expired(core, &desk.call(), left).await?;
        let pause = pause_after(began.elapsed(), caught_up.elapsed());
        if left.any() && (stops_within(pause, stop).await || Instant::now() >= end) {
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
    let mut left = Left::UNKNOWN;
    while left.any() {
        left = sweep::expired(core, &desk.call(), left).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_is_left_the_longer_the_more_time_it_gets() {
        let pause = |took, hours: u64| pause_after(Duration::from_micros(took), Duration::from_secs(hours * 3600)).as_micros();
        assert_eq!(pause(1000, 0), 128_000);
        assert_eq!(pause(1000, 1), 64_000);
        assert_eq!([pause(10_000, 5), pause(10_000, 1000)], [40_000; 2], "never more than a fifth");
        assert_eq!(pause(1, 0), BREATH.as_micros());
        assert_eq!(pause(1_000_000, 0), LONGEST.as_micros());
    }
}
