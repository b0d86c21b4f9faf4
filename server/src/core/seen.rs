//! When sessions were last used: gathered in memory, written in batches, never on the path of a check. A crash loses what the last
//! batch has not written, which can only make a session expire early by as much.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::clock::Timestamp;
use super::model::{Session, SessionId};

/// A use is noted only if the last that was written down is older: one write a session in that time at most.
const INTERVAL: Duration = Duration::from_secs(60);
/// More sessions than this between two batches: the rest is noted in the next.
const CAPACITY: usize = 100_000;

/// The uses that are not written yet.
#[derive(Default)]
pub(in crate::core) struct Seen(Mutex<HashMap<SessionId, (Timestamp, Timestamp)>>);

impl Seen {
    /// Notes a use at `now`, which moves the idle expiry.
    pub(in crate::core) fn note(&self, session: &Session, now: Timestamp, idle: Duration) {
        if now.since(session.last_seen_at) < INTERVAL {
            return;
        }
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.len() < CAPACITY || noted.contains_key(&session.id) {
            noted.insert(session.id, (now, now.after(idle).min(session.expires_at)));
        }
    }

    /// Takes all that is noted.
    pub(in crate::core) fn take(&self) -> Vec<(SessionId, Timestamp, Timestamp)> {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *noted).into_iter().map(|(id, (at, idle))| (id, at, idle)).collect()
    }
}
