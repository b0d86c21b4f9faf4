//! The models of the published client, by their names.

use std::fmt;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Who signs in.
#[derive(Clone, Debug, Serialize)]
pub struct LoginRequest {
    /// The username; to a Doorward also the e-mail address.
    pub username: String,
    /// The password.
    #[serde(serialize_with = "crate::secret::expose")]
    pub password: SecretString,
}

impl LoginRequest {
    /// From both.
    pub fn new(username: impl Into<String>, password: impl Into<SecretString>) -> Self {
        Self { username: username.into(), password: password.into() }
    }
}

/// A new security key. The Python package's model has its `name` alone; on the wire the credential's own members stand beside it.
#[derive(Clone, Debug, Serialize)]
pub struct FinishRegisterRequest {
    /// What the user calls the key.
    pub name: String,
    /// The authenticator's answer, an object as of `PublicKeyCredential.toJSON()` (WebAuthn level 3, `RegistrationResponseJSON`).
    #[serde(flatten)]
    pub credential: Value,
}

impl FinishRegisterRequest {
    /// From both.
    pub fn new(name: impl Into<String>, credential: Value) -> Self {
        Self { name: name.into(), credential }
    }
}

/// The body of every refusal.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiErrorResponse {
    /// The API's own number: 1000 log-in failed, 1005 not signed in, 1006 second factor missing, 1008 no security key, 2003 WebAuthn …
    pub status_code: u16,
    /// A sentence for it.
    #[serde(default)]
    pub message: String,
}

impl fmt::Display for ApiErrorResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.status_code)
    }
}
