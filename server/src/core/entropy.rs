//! Randomness as an argument: the server draws from the operating system, a test from a seed.

use rand::TryRng as _;

/// A source of cryptographically secure random bytes (ASVS V6.5.3).
pub trait Entropy: Send + Sync {
    /// Fills `buffer` with random bytes.
    ///
    /// # Errors
    /// When the source cannot deliver; nothing may then be issued.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError>;
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
}
