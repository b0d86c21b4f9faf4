//! Live sessions in memory, so that a check of one need not ask the database.
//!
//! What is found here is as good as what the database would say, by three rules. A write invalidates exactly what it touched before it is
//! acknowledged. Writes of other processes are pushed: on SQLite the writer sees that the file has changed, on PostgreSQL they are
//! notified. And while the channel of that push is not known to be live, nothing is found here at all: each sign of life is good for a
//! short time, by the machine's own monotonic clock.
//!
//! Only yes is kept: whoever is to be refused is refused by the database. Tokens that open nothing take no room.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tokio::time::Instant;
use uuid::Uuid;

use super::clients::Clients;
use super::packed::{Packed, Unpacked};
use crate::core::model::{ApplicationId, Session, SessionId, User, UserId};
use crate::core::seen::Use;
use crate::core::striped::Count;
use crate::core::token::SecretHash;

/// What a write has changed of what is kept here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::core) enum Touch {
    /// One session.
    Session(SessionId),
    /// A user, and with them all their sessions.
    User(UserId),
    /// All sessions of an application.
    Application(ApplicationId),
    /// Nobody knows what.
    All,
}

/// A session and its user as the database has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::core) struct Known {
    pub(in crate::core) session: Arc<Session>,
    pub(in crate::core) user: Arc<User>,
}

/// A moment in the order of invalidations. What was read from the database after it may be kept under it.
#[derive(Clone, Copy, Debug)]
pub(in crate::core) struct Moment(u64);

#[derive(Clone)]
struct Weigh;

impl Weighter<SecretHash, Packed> for Weigh {
    fn weight(&self, _: &SecretHash, packed: &Packed) -> u64 {
        (OWN + packed.size()) as u64
    }
}

/// What an entry takes besides what it holds: its places in the table, and what the allocator adds.
const OWN: usize = size_of::<Packed>() + size_of::<SecretHash>() + 64;
/// Places for the last invalidation of an id. Ids that share one share its invalidations, which costs a reading and nothing else.
const SLOTS: usize = 1 << 13;

/// The sessions that are kept.
pub(super) struct Sessions {
    entries: Option<Cache<SecretHash, Packed, Weigh>>,
    clients: Clients,
    /// The number of the last invalidation.
    clock: AtomicU64,
    /// When what an id stands for was last invalidated, by the id's last bits.
    slots: Box<[AtomicU64]>,
    /// When everything was.
    all: AtomicU64,
    began: Instant,
    /// Until when writes of other processes are known to come through, in microseconds since `began`; 0: they are not.
    live_until: AtomicU64,
    has_written: AtomicBool,
    pub(super) counts: Counts,
}

/// For the metrics.
#[derive(Debug, Default)]
pub(in crate::core) struct Counts {
    pub(in crate::core) hits: Count,
    pub(in crate::core) misses: AtomicU64,
    /// Invalidations that other nodes, and this one, have pushed.
    pub(in crate::core) pushed: AtomicU64,
    /// Their time from write to receipt, in microseconds: all together, and the longest.
    pub(in crate::core) lag_sum: AtomicU64,
    pub(in crate::core) lag_worst: AtomicU64,
}

impl Sessions {
    /// Room for about `bytes`; none at all for 0.
    pub(super) fn new(bytes: u64) -> Self {
        // A guess at how many that is, for the size of the first table.
        let items = usize::try_from(bytes / OWN as u64).unwrap_or(usize::MAX).min(1024);
        Self {
            entries: (bytes > 0).then(|| Cache::with_weighter(items, bytes, Weigh)),
            clients: Clients::new(bytes / 16),
            clock: AtomicU64::new(1),
            slots: (0..SLOTS).map(|_| AtomicU64::new(0)).collect(),
            all: AtomicU64::new(0),
            began: Instant::now(),
            live_until: AtomicU64::new(0),
            has_written: AtomicBool::new(false),
            counts: Counts::default(),
        }
    }

    /// None, for those who check no sessions.
    pub(super) fn none() -> Arc<Self> {
        Arc::new(Self::new(0))
    }

    /// Whether any are ever kept.
    pub(super) const fn has_room(&self) -> bool {
        self.entries.is_some()
    }

    /// A moment before a reading that is about to begin.
    pub(super) fn now(&self) -> Moment {
        Moment(self.clock.load(Ordering::SeqCst))
    }

    /// What the database would say of this token; `None` when only the database can tell.
    pub(super) fn get(&self, token: &SecretHash) -> Option<Known> {
        let found = self.find(token)?;
        self.counts.hits.add(1);
        Some(found)
    }

    fn find(&self, token: &SecretHash) -> Option<Known> {
        let entries = self.entries.as_ref().filter(|_| self.is_live())?;
        let unpacked = entries.get(token)?.unpack();
        let known = unpacked.filter(|found| self.is_current(&found.known, found.as_of)).map(|found| found.known);
        if known.is_none() {
            entries.remove(token);
        }
        known
    }

    fn is_current(&self, known: &Known, as_of: u64) -> bool {
        let Known { session, user } = known;
        let application = session.application_id.map(ApplicationId::uuid);
        let ids = [Some(session.id.uuid()), Some(user.id.uuid()), application];
        let touched = ids.into_iter().flatten().map(|id| self.slot(id).load(Ordering::SeqCst)).max();
        touched.max(Some(self.all.load(Ordering::SeqCst))) <= Some(as_of)
    }

    /// Keeps what was read of a token in a reading that began after `as_of`.
    pub(super) fn put(&self, token: SecretHash, known: &Known, as_of: Moment) {
        let Some(entries) = self.entries.as_ref().filter(|_| self.is_live()) else { return };
        let before = entries.get(&token);
        let Some(packed) = Packed::of(known, as_of.0, &self.clients, before.as_ref()) else { return };
        entries.insert(token, packed);
    }

    /// Brings what is kept of a session up to a use of it. It was read when it was read: what is void stays void.
    pub(super) fn used(&self, noted: &Use) {
        let Some(entries) = &self.entries else { return };
        let Some(packed) = entries.get(&noted.token) else { return };
        let Some(Unpacked { mut known, as_of }) = packed.unpack() else { return };
        Arc::make_mut(&mut known.session).used(noted.at, noted.idle_expires_at);
        let Some(packed) = packed.again(&known, as_of) else { return };
        entries.insert(noted.token, packed);
    }

    /// Makes void what was read before this.
    pub(super) fn invalidate(&self, touched: &[Touch]) {
        if touched.is_empty() {
            return;
        }
        // One number for all: they were written together.
        let moment = self.clock.fetch_add(1, Ordering::SeqCst) + 1;
        for touch in touched {
            let place = match touch {
                Touch::Session(id) => self.slot(id.uuid()),
                Touch::User(id) => self.slot(id.uuid()),
                Touch::Application(id) => self.slot(id.uuid()),
                Touch::All => &self.all,
            };
            place.fetch_max(moment, Ordering::SeqCst);
        }
    }

    /// The writes of others were known to come through at `seen`, and that is good for `lease`. What came while they were not is not known
    /// of.
    pub(super) fn renew(&self, seen: Instant, lease: Duration) {
        if self.live_until.load(Ordering::SeqCst) == 0 {
            self.invalidate(&[Touch::All]);
        }
        self.live_until.store(self.micros(seen + lease).max(1), Ordering::SeqCst);
    }

    /// The writes of others may be lost from now on.
    pub(super) fn cut(&self) {
        self.live_until.store(0, Ordering::SeqCst);
    }

    pub(super) fn is_live(&self) -> bool {
        self.micros(Instant::now()) < self.live_until.load(Ordering::SeqCst)
    }

    fn micros(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.began).as_micros()).unwrap_or(u64::MAX)
    }

    /// Makes void what this process has written.
    pub(super) fn wrote(&self, touched: &[Touch]) {
        self.has_written.fetch_or(!touched.is_empty(), Ordering::SeqCst);
        self.invalidate(touched);
    }

    /// Whether this process has ever written what another may have in memory.
    pub(super) fn has_written(&self) -> bool {
        self.has_written.load(Ordering::SeqCst)
    }

    /// Records how long an invalidation has been on its way.
    pub(super) fn arrived(&self, lag: Duration) {
        let micros = u64::try_from(lag.as_micros()).unwrap_or(u64::MAX);
        self.counts.pushed.fetch_add(1, Ordering::Relaxed);
        self.counts.lag_sum.fetch_add(micros, Ordering::Relaxed);
        self.counts.lag_worst.fetch_max(micros, Ordering::Relaxed);
    }

    fn slot(&self, id: Uuid) -> &AtomicU64 {
        // The last bits of a UUIDv7 are random.
        let [.., a, b] = *id.as_bytes();
        &self.slots[usize::from(u16::from_be_bytes([a, b])) % SLOTS]
    }
}

#[cfg(test)]
#[path = "cache_tests.rs"]
mod tests;
