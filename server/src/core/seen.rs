//! When sessions were last used: gathered in memory, written in batches, never on the path of a check. A crash loses what the last
//! batch has not written, which can only make a session expire early by as much.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::clock::Timestamp;
use super::model::{Session, SessionId};

/// A use is noted only if the last that was written down is older than this, or than a tenth of the idle time if that is less: one write a
/// session in that time at most.
const INTERVAL: Duration = Duration::from_secs(60);
/// More sessions than this between two batches: the rest is noted in the next.
const CAPACITY: usize = 100_000;

/// The uses that are not written yet.
#[derive(Clone, Default)]
pub(in crate::core) struct Seen(Arc<Mutex<HashMap<SessionId, (Timestamp, Timestamp)>>>);

impl Seen {
    /// Notes a use at `now`, which moves the idle expiry.
    pub(in crate::core) fn note(&self, session: &Session, now: Timestamp, idle: Duration) {
        if now.since(session.last_seen_at) < INTERVAL.min(idle / 10) {
            return;
        }
        let mut noted = self.lock();
        if noted.len() < CAPACITY || noted.contains_key(&session.id) {
            noted.insert(session.id, (now, now.after(idle).min(session.expires_at)));
        }
    }

    /// Brings a session as it was read up to what is noted of it.
    pub(in crate::core) fn apply(&self, session: &mut Session) {
        if let Some((at, idle_expires_at)) = self.lock().get(&session.id) {
            session.last_seen_at = session.last_seen_at.max(*at);
            session.idle_expires_at = session.idle_expires_at.max(*idle_expires_at).min(session.expires_at);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, (Timestamp, Timestamp)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes all that is noted, in one order on every node, lest two that write down the same sessions wait for each other.
    pub(in crate::core) fn take(&self) -> Vec<(SessionId, Timestamp, Timestamp)> {
        let taken = std::mem::take(&mut *self.lock());
        let mut noted: Vec<_> = taken.into_iter().map(|(id, (at, idle))| (id, at, idle)).collect();
        noted.sort_unstable_by_key(|(id, ..)| *id);
        noted
    }
}
