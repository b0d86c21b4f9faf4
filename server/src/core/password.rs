//! Passwords: Argon2id in PHC strings, on threads of its own.
//!
//! Hashing is the one thing here that is slow on purpose. It runs on a fixed number of threads, each with its memory kept from hash to
//! hash and wiped after each; when too many calls wait, the next is told to come back, and everything else goes on undisturbed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use crossbeam_channel::{Receiver, Sender};
use subtle::ConstantTimeEq as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use unicode_normalization::UnicodeNormalization as _;

use super::call::Call;
use super::policy::PasswordPolicy;
use super::refusal::Refusal;
use super::token::Secret;
use super::{Fault, Result};

/// A password as it is hashed: in Unicode's composed form (NFC), so that it does not depend on the keyboard it was typed on.
#[derive(Clone, Debug)]
pub struct Password(Secret);

impl Password {
    /// Takes a password as typed.
    #[must_use]
    pub fn new(typed: &Secret) -> Self {
        Self(Secret::new(typed.reveal().nfc().collect::<String>()))
    }

    pub(in crate::core) fn reveal(&self) -> &str {
        self.0.reveal()
    }
}

/// What a comparison found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::core) struct Verdict {
    /// It is the password.
    pub(in crate::core) matches: bool,
    /// The hash is cheaper than the configuration now asks.
    pub(in crate::core) outdated: bool,
}

/// The most that a hash may cost: what the configuration can ask for, and what is computed for a stored hash. A row that asks for more is
/// refused unread.
pub const MAXIMUM_MEMORY_KIB: u32 = 1 << 20;
/// As [`MAXIMUM_MEMORY_KIB`].
pub const MAXIMUM_ITERATIONS: u32 = 64;
/// As [`MAXIMUM_MEMORY_KIB`].
pub const MAXIMUM_LANES: u32 = 16;

/// Runs on a hashing thread, with the thread's memory.
type Job = Box<dyn FnOnce(&mut Vec<Block>) + Send>;

/// The hashing threads.
pub struct Hasher {
    jobs: Sender<Job>,
    /// How many more calls may wait for a thread or be on one.
    places: Arc<Semaphore>,
    capacity: usize,
    params: Params,
    /// Compared against when there is no such user, at the same cost.
    dummy: String,
    compared: Arc<AtomicU64>,
}

/// A place at the hashing threads. Taken before a try is charged, so that a busy server costs nobody a try.
pub(in crate::core) struct Place(OwnedSemaphorePermit);

impl Hasher {
    pub(in crate::core) fn new(policy: &PasswordPolicy, call: &Call) -> std::result::Result<Self, Fault> {
        let params = Params::new(policy.memory_kib, policy.iterations, policy.parallelism, None).map_err(Fault::internal)?;
        let (jobs, waiting) = crossbeam_channel::unbounded();
        for _ in 0..policy.threads.max(1) {
            let waiting = waiting.clone();
            let thread = std::thread::Builder::new().name("password-hash".to_owned());
            thread.spawn(move || work(&waiting)).map_err(Fault::internal)?;
        }
        let dummy = compute(&mut Vec::new(), &params, &call.random::<32>()?, &call.random::<16>()?)?;
        let capacity = policy.queue.saturating_add(policy.threads.max(1)).min(Semaphore::MAX_PERMITS);
        Ok(Self { jobs, places: Arc::new(Semaphore::new(capacity)), capacity, params, dummy, compared: Arc::default() })
    }

    /// Takes a place at the threads.
    ///
    /// # Errors
    /// [`Refusal::Overloaded`] when too many wait.
    pub(in crate::core) fn reserve(&self) -> std::result::Result<Place, Refusal> {
        let overloaded = |_| Refusal::Overloaded { retry_after: Duration::from_secs(2) };
        Arc::clone(&self.places).try_acquire_owned().map(Place).map_err(overloaded)
    }

    /// Hashes a new password.
    pub(in crate::core) async fn hash(&self, place: Place, call: &Call, password: &Password) -> Result<String> {
        let (params, salt, password) = (self.params.clone(), call.random::<16>()?, password.clone());
        Ok(self.run(place, move |blocks| compute(blocks, &params, password.reveal().as_bytes(), &salt)).await??)
    }

    /// Compares a password with a hash, or with nobody's at the same cost.
    pub(in crate::core) async fn verify(&self, place: Place, password: &Password, phc: Option<&str>) -> Result<Verdict> {
        let known = phc.is_some();
        let phc = phc.unwrap_or(&self.dummy).to_owned();
        let (password, params, compared) = (password.clone(), self.params.clone(), Arc::clone(&self.compared));
        let verdict = self.run(place, move |blocks| {
            compared.fetch_add(1, Ordering::Relaxed);
            compare(blocks, &params, &password, &phc)
        });
        let verdict = verdict.await??;
        Ok(Verdict { matches: verdict.matches && known, outdated: verdict.outdated && known })
    }

    /// Runs something slow on a hashing thread.
    pub(in crate::core) async fn run<T: Send + 'static>(
        &self,
        place: Place,
        work: impl FnOnce(&mut Vec<Block>) -> T + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |blocks| {
            // Whoever has hung up is not worth 19 MiB of work.
            if !reply.is_closed() {
                let _ = reply.send(work(blocks));
            }
            drop(place.0);
        });
        self.jobs.send(job).map_err(|_| Fault::internal("the hashing threads have ended"))?;
        Ok(answer.await.map_err(|_| Fault::internal("a hashing thread gave up its work"))?)
    }

    /// How many places at the threads are taken.
    #[must_use]
    pub fn busy(&self) -> usize {
        self.capacity.saturating_sub(self.places.available_permits())
    }

    /// How many comparisons were computed since the start.
    #[must_use]
    pub fn compared(&self) -> u64 {
        self.compared.load(Ordering::Relaxed)
    }
}

fn work(waiting: &Receiver<Job>) {
    let mut blocks = Vec::new();
    while let Ok(job) = waiting.recv() {
        let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| job(&mut blocks)));
        // What a hash leaves in memory is as good as the password's hash; after a panic, begin anew.
        blocks.fill(Block::default());
        if ran.is_err() {
            blocks = Vec::new();
        }
    }
}

fn derive(
    blocks: &mut Vec<Block>,
    params: &Params,
    password: &[u8],
    salt: &[u8],
    length: usize,
) -> std::result::Result<Vec<u8>, Fault> {
    let count = params.block_count();
    if blocks.len() < count {
        blocks.resize(count, Block::default());
    }
    let mut out = vec![0; length];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
        .hash_password_into_with_memory(password, salt, &mut out, blocks.get_mut(..count).unwrap_or_default())
        .map_err(Fault::internal)?;
    Ok(out)
}

fn compute(blocks: &mut Vec<Block>, params: &Params, password: &[u8], salt: &[u8]) -> std::result::Result<String, Fault> {
    let out = derive(blocks, params, password, salt, Params::DEFAULT_OUTPUT_LEN)?;
    let phc = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(params).map_err(Fault::internal)?,
        salt: Some(Salt::new(salt).map_err(Fault::internal)?),
        hash: Some(Output::new(&out).map_err(Fault::internal)?),
    };
    Ok(phc.to_string())
}

fn compare(blocks: &mut Vec<Block>, wanted: &Params, password: &Password, phc: &str) -> std::result::Result<Verdict, Fault> {
    let unreadable = |_| Fault::internal("a stored password hash cannot be read");
    let stored = PasswordHash::new(phc).map_err(unreadable)?;
    let params = Params::try_from(&stored).map_err(|_| Fault::internal("a stored password hash has unknown parameters"))?;
    let sane = stored.algorithm == Algorithm::Argon2id.ident()
        && stored.version == Some(Version::V0x13.into())
        && params.m_cost() <= MAXIMUM_MEMORY_KIB
        && params.t_cost() <= MAXIMUM_ITERATIONS
        && params.p_cost() <= MAXIMUM_LANES;
    let (Some(salt), Some(hash), true) = (&stored.salt, &stored.hash, sane) else {
        return Err(Fault::internal("a stored password hash is not Argon2id of a bearable cost"));
    };
    let computed = derive(blocks, &params, password.reveal().as_bytes(), salt, hash.len())?;
    let cheaper = params.m_cost() < wanted.m_cost() || params.t_cost() < wanted.t_cost() || params.p_cost() < wanted.p_cost();
    let matches = computed.as_slice().ct_eq(hash.as_bytes()).into();
    if let (false, Some(rest)) = (matches, shortfall(&params, wanted)) {
        // Otherwise a name whose hash is from before the setting grew would be refused far sooner than one that nobody has.
        derive(blocks, &rest, password.reveal().as_bytes(), salt, hash.len())?;
    }
    Ok(Verdict { matches, outdated: cheaper })
}

/// What is to be computed after a hash at `stored` costs, for about the time that one at `wanted` costs takes: time grows with memory
/// times passes.
fn shortfall(stored: &Params, wanted: &Params) -> Option<Params> {
    let work = |params: &Params| u64::from(params.m_cost()) * u64::from(params.t_cost());
    let missing = work(wanted).checked_sub(work(stored))?;
    let passes = missing.div_ceil(u64::from(wanted.m_cost()).max(1)).max(1);
    // Too little for Argon2 is too little to be heard.
    Params::new(u32::try_from(missing / passes).ok()?, u32::try_from(passes).ok()?, 1, None).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_and_rest_are_as_much_work_as_new() {
        let params = |memory, passes| Params::new(memory, passes, 1, None).unwrap();
        let wanted = params(19456, 3);
        for (memory, passes) in [(19456, 2), (19456, 1), (8192, 1), (12288, 3), (1024, 7)] {
            let rest = shortfall(&params(memory, passes), &wanted).unwrap();
            let (sum, whole) = (memory * passes + rest.m_cost() * rest.t_cost(), 19456 * 3);
            assert!(sum <= whole && whole - sum < 8 && rest.m_cost() <= wanted.m_cost(), "{memory} {passes}: {rest:?}");
        }
        for enough in [wanted.clone(), params(65536, 1)] {
            assert!(shortfall(&enough, &wanted).is_none());
        }
    }

    #[test]
    fn a_wrong_password_for_an_old_hash_computes_the_rest_and_a_right_one_does_not() {
        let (old, wanted) = (Params::new(64, 1, 1, None).unwrap(), Params::new(1024, 2, 1, None).unwrap());
        let phc = compute(&mut Vec::new(), &old, b"right", &[7; 16]).unwrap();
        for (typed, matches) in [("right", true), ("wrong", false)] {
            let mut blocks = Vec::new();
            let verdict = compare(&mut blocks, &wanted, &Password::new(&Secret::new(typed)), &phc).unwrap();
            assert_eq!(verdict, Verdict { matches, outdated: true });
            // The memory that was worked in tells what was computed.
            assert_eq!(blocks.len() > old.block_count(), !matches, "{typed}: {} blocks", blocks.len());
        }
    }

    #[test]
    fn the_bounds_are_those_of_one_row() {
        let phc = |memory: u32, passes: u32, lanes: u32| {
            format!(
                "$argon2id$v=19$m={memory},t={passes},p={lanes}$c2FsdHNhbHRzYWx0c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
            )
        };
        let wanted = Params::new(64, 1, 1, None).unwrap();
        let password = Password::new(&Secret::new("x"));
        for absurd in [phc(MAXIMUM_MEMORY_KIB + 1, 1, 1), phc(64, MAXIMUM_ITERATIONS + 1, 1), phc(512, 1, MAXIMUM_LANES + 1)] {
            let mut blocks = Vec::new();
            assert!(compare(&mut blocks, &wanted, &password, &absurd).is_err(), "{absurd}");
            assert!(blocks.is_empty(), "{absurd} was computed");
        }
        assert!(compare(&mut Vec::new(), &wanted, &password, &phc(128, MAXIMUM_ITERATIONS, MAXIMUM_LANES)).is_ok());
    }
}
