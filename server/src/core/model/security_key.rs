//! Security keys.

use unicode_normalization::UnicodeNormalization as _;

use super::user::canonical;
use super::{SecurityKeyId, UserId};
use crate::core::clock::Timestamp;
use crate::core::refusal::Refusal;

/// What a new key is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyUse {
    /// As a second factor only: the authenticator need keep nothing of it.
    SecondFactor,
    /// To sign in without a password too, if the authenticator can.
    Passkey,
}

/// A registered WebAuthn authenticator: a user's second factor, or, as a passkey, both factors at once.
#[derive(Clone, Debug)]
pub struct SecurityKey {
    /// The id.
    pub id: SecurityKeyId,
    /// Whose it is.
    pub user_id: UserId,
    /// What the user calls it; unique among their keys.
    pub name: KeyName,
    /// The credential as the WebAuthn library keeps it (JSON); holds the public key, no secret.
    pub credential: String,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
    /// Whether it can sign its user in by itself: it is discoverable, and verified its user when it was registered. `None` while that is
    /// not known.
    pub passkey: Option<bool>,
}

/// A key's name: 1 to 64 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyName(String);

impl KeyName {
    /// Reads a name.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] for the field `name`.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let text = text.trim();
        if !(1..=64).contains(&text.chars().count()) || text.chars().any(char::is_control) {
            return Err(Refusal::Invalid {
                field: "name",
                problem: "A key's name has 1 to 64 characters and no control characters.",
            });
        }
        Ok(Self(text.nfc().collect()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form under which names are compared.
    #[must_use]
    pub fn key(&self) -> String {
        canonical(&self.0)
    }
}
