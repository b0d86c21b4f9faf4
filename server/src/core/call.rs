//! What a flow knows of the call that it serves: when, with which randomness, from where.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::clock::Timestamp;
use super::entropy::Randomness;
use super::fault::Fault;

/// One call of a flow. Made once at the edge (`http::call`, `cli`), then only read.
#[derive(Clone)]
pub struct Call {
    /// The moment that the whole call counts as; every expiry is judged against it.
    pub now: Timestamp,
    /// Where secrets and ids come from.
    pub entropy: Randomness,
    /// Who asks, as far as the network tells.
    pub origin: Origin,
}

/// Where a call came from. Recorded in the audit log; the address also keys the limits per network.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Through which dialect: `native`, `kalshi`, …, `pages`, `cli`, `work`.
    pub dialect: &'static str,
    /// The client's address: the peer's, or what a trusted proxy said it was. `None` for the command line and background work.
    pub address: Option<IpAddr>,
    /// Whether the address is the client's own: false behind a trusted proxy that has not said for whom it asks. Then `address` is the
    /// proxy's, good enough to be limited by and not to be let in by.
    pub address_vouched: bool,
    /// The address at the other end of the connection.
    pub peer: Option<IpAddr>,
    /// The `User-Agent`, cut to 256 characters.
    pub user_agent: Option<Arc<str>>,
    /// The request id that log lines and the answer carry.
    pub request_id: Arc<str>,
}

impl Origin {
    /// The origin of what happens on the server's own machine.
    #[must_use]
    pub fn local(dialect: &'static str, request_id: &str) -> Self {
        let request_id = request_id.into();
        Self { dialect, address: None, address_vouched: false, peer: None, user_agent: None, request_id }
    }

    /// The client's address, if it is known to be that.
    #[must_use]
    pub fn vouched_address(&self) -> Option<IpAddr> {
        self.address.filter(|_| self.address_vouched)
    }
}

impl Call {
    /// `N` random bytes.
    ///
    /// # Errors
    /// A fault when the operating system has no randomness to give.
    pub fn random<const N: usize>(&self) -> Result<[u8; N], Fault> {
        let mut bytes = [0; N];
        self.entropy.fill(&mut bytes).map_err(|_| Fault::internal("no randomness from the operating system"))?;
        Ok(bytes)
    }

    /// A new UUIDv7: ids of one process sort in the order in which they were made, also within a millisecond (RFC 9562, 6.2, method 1).
    ///
    /// # Errors
    /// As [`Call::random`].
    pub fn new_id(&self) -> Result<uuid::Uuid, Fault> {
        let mut random = self.random::<10>()?;
        let place = next_place(u64::try_from(self.now.as_millis()).unwrap_or(0));
        let [.., high, low] = place.to_be_bytes();
        random[0] = high & 0x0f;
        random[1] = low;
        Ok(uuid::Builder::from_unix_timestamp_millis(place >> COUNTER_BITS, &random).into_uuid())
    }
}

/// Bits of the counter that orders ids of one millisecond.
const COUNTER_BITS: u32 = 12;

/// The millisecond and a counter, always greater than the last.
fn next_place(millis: u64) -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let earliest = millis << COUNTER_BITS;
    let next = |last: u64| earliest.max(last + 1);
    let last = LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(next(last)));
    next(last.unwrap_or_else(|unchanged| unchanged))
}
