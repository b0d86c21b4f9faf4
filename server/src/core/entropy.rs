//! Randomness as an argument: the server draws from the operating system, a test from a seed.

use std::ops::Deref;
use std::sync::Arc;

use rand::{Rng as _, TryRng as _};

/// A source of cryptographically secure random bytes (ASVS V6.5.3).
pub trait Entropy: Send + Sync {
    /// Fills `buffer` with random bytes.
    ///
    /// # Errors
    /// When the source cannot deliver; nothing may then be issued.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError>;

    /// As [`Entropy::fill`], for what must be unique and hard to foretell but is no secret: the ids of requests. May be cheaper.
    ///
    /// # Errors
    /// As [`Entropy::fill`].
    fn fill_public(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        self.fill(buffer)
    }
}

/// A source as calls hold it.
#[derive(Clone)]
pub enum Randomness {
    /// The operating system's. Nobody counts who holds it: all requests would meet at that count.
    System,
    /// Another.
    Of(Arc<dyn Entropy>),
}

impl Deref for Randomness {
    type Target = dyn Entropy;

    fn deref(&self) -> &(dyn Entropy + 'static) {
        match self {
            Self::System => &OsEntropy,
            Self::Of(source) => &**source,
        }
    }
}

/// The operating system would not give random bytes.
#[derive(Debug, Clone, Copy)]
pub struct EntropyError;

/// The operating system's generator.
#[derive(Debug, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        rand::rngs::SysRng.try_fill_bytes(buffer).map_err(|_| EntropyError)
    }

    /// Of a generator that each thread has for itself (ChaCha12, seeded by the operating system): no request waits for a system call.
    #[expect(clippy::disallowed_methods, reason = "the one place that draws randomness, beside the other")]
    fn fill_public(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        rand::rng().fill_bytes(buffer);
        Ok(())
    }
}
