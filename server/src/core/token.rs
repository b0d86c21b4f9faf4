//! Secrets that the server issues: 256-bit random texts, kept as SHA-256 only. A hash of a secret with so much entropy need not be
//! slow (ASVS V6.5.2); mailed codes have less, and are kept as password hashes instead.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::call::Call;
use super::fault::Fault;
use super::model::Purpose;

/// A secret text: a token, a password, a code. Debug prints nothing of it, and its memory is wiped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a secret that a caller presents.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// A new secret of 256 random bits, base64url without padding (43 characters).
    ///
    /// # Errors
    /// A fault when the operating system has no randomness to give.
    pub fn generate(call: &Call) -> Result<Self, Fault> {
        Ok(Self::new(URL_SAFE_NO_PAD.encode(call.random::<32>()?)))
    }

    /// A new code for a person to type: 6 characters of an alphabet without look-alikes, 30 bits (ASVS V6.5.4 wants 20). Always with a
    /// letter and a digit, so that it is neither a word nor a number.
    ///
    /// # Errors
    /// As [`Secret::generate`].
    pub fn generate_code(call: &Call) -> Result<Self, Fault> {
        loop {
            let code: String =
                call.random::<CODE_LENGTH>()?.iter().map(|byte| char::from(CODE_ALPHABET[usize::from(byte % 32)])).collect();
            if code.bytes().any(|c| c.is_ascii_digit()) && code.bytes().any(|c| c.is_ascii_uppercase()) {
                return Ok(Self::new(code));
            }
        }
    }

    /// The code that a text has the form of, spaces and case aside. A long password of few letters can have it too: whoever takes either
    /// looks at its length as typed (`flows::first_factor`).
    #[must_use]
    pub fn as_code(&self) -> Option<Self> {
        let code: String = self.0.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_uppercase()).collect();
        (code.len() == CODE_LENGTH && code.bytes().all(|c| c.is_ascii_alphanumeric())).then(|| Self::new(code))
    }

    /// The text itself, for the one place that must have it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The hash under which a ticket of this purpose is kept. The purpose goes into it, so that no ticket can be found by the secret of
    /// another kind.
    #[must_use]
    pub fn ticket_hash(&self, purpose: Purpose) -> SecretHash {
        SecretHash::of(purpose.as_str(), self.reveal())
    }

    /// The hash under which an invitation is kept.
    #[must_use]
    pub fn invitation_hash(&self) -> SecretHash {
        SecretHash::of("invitation", self.reveal())
    }

    /// The hash under which an application's consumer key is kept.
    #[must_use]
    pub fn consumer_key_hash(&self) -> SecretHash {
        SecretHash::of("consumer_key", self.reveal())
    }

    /// The hash under which an application's access token is kept.
    #[must_use]
    pub fn access_token_hash(&self) -> SecretHash {
        SecretHash::of("access_token", self.reveal())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl<'de> serde::Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

const CODE_LENGTH: usize = 6;
const CODE_ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// What opens a session.
#[derive(Clone, Debug)]
pub struct SessionToken(Secret);

impl SessionToken {
    /// A new token.
    ///
    /// # Errors
    /// A fault when the operating system has no randomness to give.
    pub fn generate(call: &Call) -> Result<Self, Fault> {
        Secret::generate(call).map(Self)
    }

    /// What a token that a caller presents is known by; any text may be tried. Nothing of the text itself is kept.
    #[must_use]
    pub fn presented(text: &str) -> SecretHash {
        SecretHash::of("session", text)
    }

    /// The token itself, for the answer that issues it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }

    pub(in crate::core) fn hash(&self) -> SecretHash {
        Self::presented(self.reveal())
    }
}

/// SHA-256 of a secret and what it is for. At rest: 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    fn of(kind: &str, secret: &str) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(kind.as_bytes());
        hasher.update([0]);
        hasher.update(secret.as_bytes());
        Self(hasher.finalize().into())
    }

    /// As it is at rest.
    #[must_use]
    pub(in crate::core) fn digits(&self) -> String {
        hex(&self.0)
    }

    /// Whether this is the hash at rest, in constant time.
    #[must_use]
    pub(in crate::core) fn matches(&self, at_rest: &str) -> bool {
        self.digits().as_bytes().ct_eq(at_rest.as_bytes()).into()
    }

    /// A digest of a text that is no secret, for keys that should not show it (limits by e-mail address).
    pub(in crate::core) fn digest(kind: &str, text: &str) -> Self {
        Self::of(kind, text)
    }
}

/// Two lower-case digits for each byte.
pub(in crate::core) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for half in bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]) {
        text.push(char::from(DIGITS[usize::from(half)]));
    }
    text
}
