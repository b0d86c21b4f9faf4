//! What Doorward decides and keeps, knowing nothing of HTTP, configuration files or dialects.
//!
//! A caller hands a flow a [`call::Call`] (who, when, from where) and a request; it gets the outcome or an [`Error`].

mod argon;
pub mod audit;
pub mod call;
pub mod clock;
pub mod database;
mod decoy;
pub mod entropy;
pub mod fault;
pub mod flows;
pub mod gate;
pub mod limit;
pub mod model;
pub mod outbox;
pub mod password;
mod places;
pub mod policy;
pub mod refusal;
mod seen;
mod store;
mod strength;
pub mod striped;
pub mod token;
mod totp;
mod webauthn;

pub use fault::Fault;
pub use refusal::Refusal;
pub use webauthn_rs::prelude::{
    CreationChallengeResponse, PublicKeyCredential, RegisterPublicKeyCredential, RequestChallengeResponse,
};

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use call::Call;
use decoy::Decoys;
use password::Hasher;
use policy::Policy;
use seen::Seen;
use store::Store;
use webauthn::RelyingParty;

/// Why a flow did not come to its outcome.
#[derive(Clone, Debug)]
pub enum Error {
    /// An expected "no": the caller is told, in the dialect's words.
    Refused(Refusal),
    /// The unexpected: logged once, told to nobody.
    Faulted(Fault),
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::Faulted(fault)
    }
}

/// What every flow returns.
pub type Result<T> = std::result::Result<T, Error>;

/// See [`Core::session_memory`].
#[derive(Clone, Copy, Debug)]
pub struct SessionMemory {
    /// Whether checks are answered from memory.
    pub live: bool,
    /// Checks that were.
    pub hits: u64,
    /// Checks that asked the database.
    pub misses: u64,
    /// Changes that nodes have told one another (PostgreSQL).
    pub pushed: u64,
    /// The time from such a change to its receipt here: all together.
    pub lag_sum: Duration,
    /// The longest of them.
    pub lag_worst: Duration,
}

/// In the place of a number of mails that nobody has counted yet.
const UNCOUNTED: i64 = -1;

/// The open core: the store and what works on it. One for a process, shared by all calls.
pub struct Core {
    store: Store,
    hasher: Hasher,
    decoys: Decoys,
    relying_party: RelyingParty,
    policy: Policy,
    seen: Seen,
    mail_promised: Notify,
    mails_waiting: AtomicI64,
}

impl Core {
    /// Opens the store and starts the hashing threads.
    ///
    /// # Errors
    /// A fault when the database cannot be opened or is of a later release.
    pub async fn open(policy: Policy, call: &Call) -> std::result::Result<Self, Fault> {
        let hasher = Hasher::new(&policy.passwords)?;
        let relying_party = RelyingParty::new(&policy.public_url, &policy.service_name, policy.tickets.challenge)?;
        let store = Store::open(&policy.database.0, policy.store_deadline, policy.session_cache).await?;
        let decoys = Decoys::open(&store, call).await?;
        Ok(Self {
            store,
            hasher,
            decoys,
            relying_party,
            seen: Seen::new(policy.sessions.idle),
            policy,
            mail_promised: Notify::new(),
            mails_waiting: AtomicI64::new(UNCOUNTED),
        })
    }

    /// What the operator decided.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The hashing threads, for their gauges.
    #[must_use]
    pub const fn hasher(&self) -> &Hasher {
        &self.hasher
    }

    /// Whether security keys can be used here: not when the public URL is an IP address.
    #[must_use]
    pub fn has_webauthn(&self) -> bool {
        self.relying_party.is_available()
    }

    /// Whether the store can be read and written.
    ///
    /// # Errors
    /// A fault when it does not.
    pub async fn ping(&self) -> Result<()> {
        match self.store.ping().await {
            // Busy is not away: what is taken out of service for it leaves the others with more.
            Err(Error::Refused(Refusal::Overloaded { .. })) => Ok(()),
            other => other,
        }
    }

    /// How the memory of sessions has served: its counts, and whether it is in use, which it is not while the writes of other processes
    /// are not known to come through.
    #[must_use]
    pub fn session_memory(&self) -> SessionMemory {
        let (counts, live) = self.store.memory();
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        SessionMemory {
            live,
            hits: counts.hits.sum(),
            misses: read(&counts.misses),
            pushed: read(&counts.pushed),
            lag_sum: Duration::from_micros(read(&counts.lag_sum)),
            lag_worst: Duration::from_micros(read(&counts.lag_worst)),
        }
    }

    /// Waits until a server beside this process honours no session any more that was ended here. For the command line, before it
    /// ends.
    pub async fn obeyed(&self) {
        self.store.obeyed().await;
    }

    /// Waits until what calls have left to be done after their answers is done: tries that have succeeded are given back. For the end of
    /// the process; each takes seconds at most.
    pub async fn settled(&self) {
        self.store.settled().await;
    }

    /// How many transactions were run again because they had met others; none on SQLite, which has one writer at a time.
    #[must_use]
    pub fn store_reruns(&self) -> u64 {
        self.store.reruns()
    }

    /// How many mails waited to be sent when [`flows::mails::count_waiting`] last counted them; `None` before that.
    #[must_use]
    pub fn mails_waiting(&self) -> Option<i64> {
        Some(self.mails_waiting.load(Ordering::Relaxed)).filter(|waiting| *waiting != UNCOUNTED)
    }

    /// Waits until a mail is promised in this process.
    pub async fn mail_promised(&self) {
        self.mail_promised.notified().await;
    }
}
