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
/// Parts with a lock each, so that checks of different sessions do not wait for one another.
const PARTS: usize = 64;

/// When a session was last used, and its idle expiry from then on.
type Use = (Timestamp, Timestamp);

/// The uses that are not written yet.
#[derive(Clone)]
pub(in crate::core) struct Seen(Arc<[Mutex<HashMap<SessionId, Use>>; PARTS]>);

impl Default for Seen {
    fn default() -> Self {
        Self(Arc::new(std::array::from_fn(|_| Mutex::default())))
    }
}

impl Seen {
    /// Notes a use at `now`, which moves the idle expiry.
    pub(in crate::core) fn note(&self, session: &Session, now: Timestamp, idle: Duration) {
        if now.since(session.last_seen_at) < INTERVAL.min(idle / 10) {
            return;
        }
        let mut noted = self.part(session.id);
        if noted.len() < CAPACITY / PARTS || noted.contains_key(&session.id) {
            noted.insert(session.id, (now, now.after(idle).min(session.expires_at)));
        }
    }

    /// Brings a session as it was read up to what is noted of it.
    pub(in crate::core) fn apply(&self, session: &mut Arc<Session>) {
        let Some((at, idle_expires_at)) = self.part(session.id).get(&session.id).copied() else { return };
        let session = Arc::make_mut(session);
        session.last_seen_at = session.last_seen_at.max(at);
        session.idle_expires_at = session.idle_expires_at.max(idle_expires_at).min(session.expires_at);
    }

    fn part(&self, id: SessionId) -> MutexGuard<'_, HashMap<SessionId, Use>> {
        // The last bits of a UUIDv7 are random.
        let [.., last] = *id.uuid().as_bytes();
        lock(&self.0[usize::from(last) % PARTS])
    }

    /// Takes all that is noted, in one order on every node, lest two that write down the same sessions wait for each other.
    pub(in crate::core) fn take(&self) -> Vec<(SessionId, Timestamp, Timestamp)> {
        let taken = self.0.iter().flat_map(|part| std::mem::take(&mut *lock(part)));
        let mut noted: Vec<_> = taken.map(|(id, (at, idle))| (id, at, idle)).collect();
        noted.sort_unstable_by_key(|(id, ..)| *id);
        noted
    }
}

fn lock(part: &Mutex<HashMap<SessionId, Use>>) -> MutexGuard<'_, HashMap<SessionId, Use>> {
    part.lock().unwrap_or_else(PoisonError::into_inner)
}
