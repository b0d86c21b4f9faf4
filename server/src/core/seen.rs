//! When sessions were last used: gathered in memory, written in batches, never on the path of a check. A crash loses what the last
//! batch has not written, which can only make a session expire early by as much.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::clock::Timestamp;
use super::model::{Session, SessionId, SessionState};
use super::token::SecretHash;

/// A use is noted only if the last that was written down is older than this, or than a tenth of the idle time if that is less: one write a
/// session in that time at most.
///
/// At a minute a hundred thousand sessions in use would be 1,700 writes a second, which is more than the checks themselves cost a database;
/// people are told when they were last seen, and nobody needs that to the minute.
const INTERVAL: Duration = Duration::from_secs(5 * 60);
/// More sessions than this between two batches: the rest is noted in the next.
const CAPACITY: usize = 100_000;
/// Parts with a lock each, so that checks of different sessions do not wait for one another.
const PARTS: usize = 64;

/// A use of a session.
#[derive(Clone, Copy, Debug)]
pub(in crate::core) struct Use {
    /// The session.
    pub(in crate::core) id: SessionId,
    /// The hash of the token by which it was used.
    pub(in crate::core) token: SecretHash,
    /// When.
    pub(in crate::core) at: Timestamp,
    /// When it ends from then on if it is not used again.
    pub(in crate::core) idle_expires_at: Timestamp,
}

type Part = HashMap<SessionId, Use>;

/// The uses that are not written yet.
#[derive(Clone)]
pub(in crate::core) struct Seen {
    parts: Arc<[Mutex<Part>; PARTS]>,
    /// How long a session lives without a use.
    idle: Duration,
}

impl Seen {
    /// Nothing is noted yet.
    pub(in crate::core) fn new(idle: Duration) -> Self {
        Self { parts: Arc::new(std::array::from_fn(|_| Mutex::default())), idle }
    }

    /// Whether a use now is to be noted.
    fn is_due(&self, session: &Session, now: Timestamp) -> bool {
        now.since(session.last_seen_at) >= INTERVAL.min(self.idle / 10)
    }

    /// Notes a use at `now`, which moves the idle expiry. Not of a half session, which ends when it ends: written down once the session is full,
    /// it would have that end as early.
    pub(in crate::core) fn note(&self, session: &Session, token: SecretHash, now: Timestamp) {
        if session.state == SessionState::Half || !self.is_due(session, now) {
            return;
        }
        let mut noted = self.part(session.id);
        if noted.len() < CAPACITY / PARTS || noted.contains_key(&session.id) {
            let idle_expires_at = now.after(self.idle).min(session.expires_at);
            noted.insert(session.id, Use { id: session.id, token, at: now, idle_expires_at });
        }
    }

    /// Brings a session as it was read up to what is noted of it. While no use of it would be noted none has been, so that nobody is to be
    /// asked, and no check waits for another.
    pub(in crate::core) fn apply(&self, session: &mut Arc<Session>, now: Timestamp) {
        if !self.is_due(session, now) {
            return;
        }
        let noted = self.part(session.id).get(&session.id).copied();
        if let Some(Use { at, idle_expires_at, .. }) = noted {
            Arc::make_mut(session).used(at, idle_expires_at);
        }
    }

    /// Takes all that is noted, in one order on every node, lest two that write down the same sessions wait for each other.
    pub(in crate::core) fn take(&self) -> Vec<Use> {
        let mut noted: Vec<_> = self.parts.iter().flat_map(|part| std::mem::take(&mut *lock(part)).into_values()).collect();
        noted.sort_unstable_by_key(|noted| noted.id);
        noted
    }

    fn part(&self, id: SessionId) -> MutexGuard<'_, Part> {
        // The last bits of a UUIDv7 are random.
        let [.., last] = *id.uuid().as_bytes();
        lock(&self.parts[usize::from(last) % PARTS])
    }
}

fn lock(part: &Mutex<Part>) -> MutexGuard<'_, Part> {
    part.lock().unwrap_or_else(PoisonError::into_inner)
}
