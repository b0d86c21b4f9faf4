//! Authenticator apps.

use crate::core::clock::Timestamp;
use crate::core::token::Secret;

/// What an authenticator app and the server share. A user has at most one.
#[derive(Clone, Debug)]
pub struct AuthenticatorApp {
    /// The seed, in base32.
    pub(in crate::core) seed: Secret,
    /// When a code of it was first shown; `None` while that is awaited, and it counts for nothing.
    pub confirmed_at: Option<Timestamp>,
    /// When the seed was made.
    pub created_at: Timestamp,
}
