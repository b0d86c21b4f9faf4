//! Passwords: Argon2id in PHC strings, on threads of its own.
//!
//! Hashing is the one thing here that is slow on purpose. It runs on a fixed number of threads, each with its memory kept from hash to
//! hash and given back when none waits; when too many calls wait, the next is told to come back, and everything else goes on undisturbed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Params, Version};
use crossbeam_channel::{Receiver, Sender};
use subtle::ConstantTimeEq as _;
use tokio::sync::oneshot;
use unicode_normalization::UnicodeNormalization as _;

use super::argon::Argon2id;
use super::call::Call;
use super::places::{Place, Places};
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

/// What a password is compared with.
pub(in crate::core) enum Against {
    /// A stored hash.
    Stored(String),
    /// Nothing: a random hash in the place of one, at the cost of somebody's, or of a new one.
    Nobody {
        /// Whose parameters are borrowed.
        like: Option<String>,
    },
}

/// A stored hash, or nothing at the cost of a new one.
impl From<Option<String>> for Against {
    fn from(stored: Option<String>) -> Self {
        stored.map_or(Self::Nobody { like: None }, Self::Stored)
    }
}

/// The most that a hash may cost: what the configuration can ask for, and what is computed for a stored hash. A row that asks for more is
/// refused unread.
pub const MAXIMUM_MEMORY_KIB: u32 = 1 << 20;
/// As [`MAXIMUM_MEMORY_KIB`].
pub const MAXIMUM_ITERATIONS: u32 = 64;
/// As [`MAXIMUM_MEMORY_KIB`].
pub const MAXIMUM_LANES: u32 = 16;

/// Runs on a hashing thread, with the thread's memory.
type Job = Box<dyn FnOnce(&mut Argon2id) + Send>;

/// The hashing threads.
pub struct Hasher {
    jobs: Sender<Job>,
    /// Of the calls that wait for a thread or are on one.
    places: Arc<Places>,
    params: Params,
    compared: Arc<AtomicU64>,
}

impl Hasher {
    pub(in crate::core) fn new(policy: &PasswordPolicy) -> std::result::Result<Self, Fault> {
        let params = Params::new(policy.memory_kib, policy.iterations, policy.parallelism, None).map_err(Fault::internal)?;
        let (jobs, waiting) = crossbeam_channel::unbounded();
        for _ in 0..policy.threads.max(1) {
            let (waiting, mut argon2) = (waiting.clone(), Argon2id::new(&params)?);
            let thread = std::thread::Builder::new().name("password-hash".to_owned());
            thread.spawn(move || work(&waiting, &mut argon2)).map_err(Fault::internal)?;
        }
        let capacity = policy.queue.saturating_add(policy.threads.max(1));
        Ok(Self { jobs, places: Places::new(capacity), params, compared: Arc::default() })
    }

    /// Takes a place at the threads.
    ///
    /// # Errors
    /// [`Refusal::Overloaded`] when too many wait, or too many of the caller's network.
    pub(in crate::core) fn reserve(&self, call: &Call) -> std::result::Result<Place, Refusal> {
        self.places.take(call).ok_or(Refusal::Overloaded { retry_after: Duration::from_secs(2) })
    }

    /// Hashes a new password.
    pub(in crate::core) async fn hash(&self, place: Place, call: &Call, password: &Password) -> Result<String> {
        let (params, salt, password) = (self.params.clone(), call.random::<16>()?, password.clone());
        Ok(self.run(place, move |argon2| compute(argon2, &params, password.reveal().as_bytes(), &salt)).await??)
    }

    /// Compares a password with a hash, or does the work of it for nobody, whom no password matches.
    pub(in crate::core) async fn verify(
        &self,
        place: Place,
        call: &Call,
        password: &Password,
        against: Against,
    ) -> Result<Verdict> {
        let (password, params, compared) = (password.clone(), self.params.clone(), Arc::clone(&self.compared));
        let (known, salt, hash) = (matches!(against, Against::Stored(_)), call.random::<16>()?, call.random::<32>()?);
        let verdict = self.run(place, move |argon2| {
            compared.fetch_add(1, Ordering::Relaxed);
            let target = match against {
                Against::Stored(phc) => Target::read(&phc)?,
                Against::Nobody { like } => {
                    let params = like.map_or_else(|| Ok(params.clone()), |phc| Target::read(&phc).map(|target| target.params))?;
                    Target { params, salt: salt.into(), hash: hash.into() }
                }
            };
            compare(argon2, &params, &password, &target)
        });
        let verdict = verdict.await??;
        Ok(Verdict { matches: verdict.matches && known, outdated: verdict.outdated && known })
    }

    /// Runs something slow on a hashing thread.
    pub(in crate::core) async fn run<T: Send + 'static>(
        &self,
        place: Place,
        work: impl FnOnce(&mut Argon2id) -> T + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |argon2| {
            // Whoever has hung up is not worth 19 MiB of work.
            if reply.is_closed() {
                return;
            }
            let done = work(argon2);
            // Before the answer: whoever has it may want the place again.
            drop(place);
            let _ = reply.send(done);
        });
        self.jobs.send(job).map_err(|_| Fault::internal("the hashing threads have ended"))?;
        Ok(answer.await.map_err(|_| Fault::internal("a hashing thread gave up its work"))?)
    }

    /// How many places at the threads are taken.
    #[must_use]
    pub fn busy(&self) -> usize {
        self.places.taken()
    }

    /// How many comparisons were computed since the start.
    #[must_use]
    pub fn compared(&self) -> u64 {
        self.compared.load(Ordering::Relaxed)
    }
}

fn work(waiting: &Receiver<Job>, argon2: &mut Argon2id) {
    give_way();
    while let Ok(job) = waiting.recv() {
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| job(argon2)));
        if done.is_err() || waiting.is_empty() {
            argon2.rest();
        }
    }
}

/// How much less the hashing threads are worth to the system than all others, as `nice` counts it. They get whatever nobody else wants, and
/// a third beside one who wants all.
const NICENESS: i32 = 5;

/// Lowers the priority of this thread: what takes microseconds need not wait for what takes milliseconds.
fn give_way() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICENESS) {
        tracing::debug!(%error, "hashing threads keep their priority");
    }
}

fn compute(argon2: &mut Argon2id, params: &Params, password: &[u8], salt: &[u8]) -> std::result::Result<String, Fault> {
    let out = argon2.derive(params, password, salt, Params::DEFAULT_OUTPUT_LEN)?;
    let phc = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(params).map_err(Fault::internal)?,
        salt: Some(Salt::new(salt).map_err(Fault::internal)?),
        hash: Some(Output::new(&out).map_err(Fault::internal)?),
    };
    Ok(phc.to_string())
}

/// A hash to compare with, taken apart.
struct Target {
    params: Params,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Target {
    fn read(phc: &str) -> std::result::Result<Self, Fault> {
        let stored = PasswordHash::new(phc).map_err(|_| Fault::internal("a stored password hash cannot be read"))?;
        let params = Params::try_from(&stored).map_err(|_| Fault::internal("a stored password hash has unknown parameters"))?;
        let sane = stored.algorithm == Algorithm::Argon2id.ident()
            && stored.version == Some(Version::V0x13.into())
            && params.m_cost() <= MAXIMUM_MEMORY_KIB
            && params.t_cost() <= MAXIMUM_ITERATIONS
            && params.p_cost() <= MAXIMUM_LANES;
        match (&stored.salt, &stored.hash, sane) {
            (Some(salt), Some(hash), true) => Ok(Self { params, salt: salt.to_vec(), hash: hash.as_bytes().to_vec() }),
            _ => Err(Fault::internal("a stored password hash is not Argon2id of a bearable cost")),
        }
    }
}

fn compare(argon2: &mut Argon2id, wanted: &Params, password: &Password, target: &Target) -> std::result::Result<Verdict, Fault> {
    let Target { params, salt, hash } = target;
    let computed = argon2.derive(params, password.reveal().as_bytes(), salt, hash.len())?;
    let outdated = params.m_cost() < wanted.m_cost() || params.t_cost() < wanted.t_cost() || params.p_cost() < wanted.p_cost();
    Ok(Verdict { matches: computed.as_slice().ct_eq(hash).into(), outdated })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::call::Origin;
    use crate::core::clock::Timestamp;
    use crate::core::entropy::{Entropy, EntropyError, Randomness};

    struct Seeded;

    impl Entropy for Seeded {
        fn fill(&self, buffer: &mut [u8]) -> std::result::Result<(), EntropyError> {
            buffer.fill(7);
            Ok(())
        }
    }

    fn call() -> Call {
        Call { now: Timestamp::from_millis(0), entropy: Randomness::Of(Arc::new(Seeded)), origin: Origin::local("test", "test") }
    }

    fn hasher(memory_kib: u32) -> Hasher {
        let (min_length, max_length, min_score) = (8, 256, 3);
        let (iterations, parallelism, threads, queue) = (1, 1, 1, 4);
        let policy = PasswordPolicy { min_length, max_length, min_score, memory_kib, iterations, parallelism, threads, queue };
        Hasher::new(&policy).unwrap()
    }

    /// The blocks of memory that a comparison has worked in: they tell what was computed.
    async fn worked_in(setting: u32, typed: &str, against: Against) -> (Verdict, u32) {
        let hasher = hasher(setting);
        let password = Password::new(&Secret::new(typed));
        let verdict = hasher.verify(hasher.reserve(&call()).unwrap(), &call(), &password, against).await.unwrap();
        (verdict, hasher.run(hasher.reserve(&call()).unwrap(), |argon2| argon2.worked_in()).await.unwrap())
    }

    #[tokio::test]
    async fn nobody_costs_what_somebody_does_whatever_the_setting_is_now() {
        let of = |memory| {
            let params = Params::new(memory, 1, 1, None).unwrap();
            compute(&mut Argon2id::new(&params).unwrap(), &params, b"right", &[7; 16]).unwrap()
        };
        for (at_rest, setting) in [(64, 64), (64, 512), (512, 64)] {
            let (right, blocks) = worked_in(setting, "right", Against::Stored(of(at_rest))).await;
            assert_eq!((right, blocks), (Verdict { matches: true, outdated: at_rest < setting }, at_rest));
            let (wrong, blocks) = worked_in(setting, "wrong", Against::Stored(of(at_rest))).await;
            assert_eq!((wrong, blocks), (Verdict { matches: false, outdated: at_rest < setting }, at_rest));
            // Not even the password of the hash whose cost is borrowed matches.
            let (nobody, blocks) = worked_in(setting, "right", Against::Nobody { like: Some(of(at_rest)) }).await;
            assert_eq!((nobody, blocks), (Verdict { matches: false, outdated: false }, at_rest));
            let (alone, blocks) = worked_in(setting, "right", None.into()).await;
            assert_eq!((alone, blocks), (Verdict { matches: false, outdated: false }, setting));
        }
    }

    #[test]
    fn memory_is_kept_while_somebody_waits_and_no_longer() {
        let (jobs, waiting) = crossbeam_channel::unbounded::<Job>();
        let (tell, told) = crossbeam_channel::unbounded();
        let params = Params::new(64, 1, 1, None).unwrap();
        let hash = || -> Job {
            let (tell, params) = (tell.clone(), params.clone());
            Box::new(move |argon2| {
                tell.send(argon2.kept()).unwrap();
                compute(argon2, &params, b"password", &[7; 16]).unwrap();
            })
        };
        for job in [hash(), hash(), Box::new(|_| panic!("on purpose")), hash()] {
            jobs.send(job).unwrap();
        }
        drop(jobs);
        let mut argon2 = Argon2id::new(&params).unwrap();
        work(&waiting, &mut argon2);
        assert_eq!(told.try_iter().collect::<Vec<_>>(), [0, 64, 0], "what the first has left, and a panic has not");
        assert_eq!(argon2.kept(), 0, "nobody waits");
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
            assert!(Target::read(&absurd).is_err(), "{absurd}");
        }
        let most = Target::read(&phc(128, MAXIMUM_ITERATIONS, MAXIMUM_LANES)).unwrap();
        assert!(compare(&mut Argon2id::new(&wanted).unwrap(), &wanted, &password, &most).is_ok());
    }
}
