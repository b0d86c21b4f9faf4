//! How the session comes back.

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};

use super::LoginResponse;
use crate::error::Invalid;
use crate::secret;

/// What goes into the header `Authorization`, which the API's security scheme `cookie` means in truth.
#[derive(Clone, Debug)]
pub struct ApiKey(SecretString);

impl ApiKey {
    /// `<token>`.
    #[must_use]
    pub fn bare(token: SecretString) -> Self {
        Self(token)
    }

    /// `Bearer <token>`: with `api_key_prefix['cookie']`, in the Python client's words.
    #[must_use]
    pub fn bearer(token: &SecretString) -> Self {
        Self(format!("Bearer {}", token.expose_secret()).into())
    }

    /// `Bearer <user id> <token>`, as users of the original service send it.
    #[must_use]
    pub fn of(session: &LoginResponse) -> Self {
        Self(format!("Bearer {} {}", session.user_id, session.token.expose_secret()).into())
    }

    pub(super) fn header(&self) -> Result<HeaderValue, Invalid> {
        secret::header("authorization", self.0.expose_secret())
    }
}
