//! The models of the published client, by their names.

use std::fmt;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// Who signs in.
#[derive(Clone, Debug, Serialize)]
pub struct LoginRequest {
    /// The e-mail address.
    pub email: String,
    /// The password.
    #[serde(serialize_with = "crate::secret::expose")]
    pub password: SecretString,
}

impl LoginRequest {
    /// From both.
    pub fn new(email: impl Into<String>, password: impl Into<SecretString>) -> Self {
        Self { email: email.into(), password: password.into() }
    }
}

/// A session.
#[derive(Clone, Debug, Deserialize)]
pub struct LoginResponse {
    /// The user's id.
    pub user_id: String,
    /// The session's token: see [`ApiKey`](super::ApiKey).
    pub token: SecretString,
    /// The account's level; Doorward says `member`, or `applicant` while the e-mail address is not verified.
    pub access_level: String,
}

/// Who has forgotten their password.
#[derive(Clone, Debug, Serialize)]
pub struct ResetPasswordRequest {
    /// The e-mail address.
    pub email: String,
}

impl ResetPasswordRequest {
    /// For an address.
    pub fn new(email: impl Into<String>) -> Self {
        Self { email: email.into() }
    }
}

/// The new password, and whose it is.
#[derive(Clone, Debug, Serialize)]
pub struct ConfirmPasswordResetRequest {
    /// The new password.
    #[serde(serialize_with = "crate::secret::expose")]
    pub password: SecretString,
    /// The user's id, from the query of the mailed link.
    pub user_id: String,
}

impl ConfirmPasswordResetRequest {
    /// From both.
    pub fn new(password: impl Into<SecretString>, user_id: impl Into<String>) -> Self {
        Self { password: password.into(), user_id: user_id.into() }
    }
}

/// The body of every refusal, `JSONError`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[non_exhaustive]
pub struct JsonError {
    /// A stable name, such as `invalid_credentials`.
    pub code: String,
    /// A sentence for it.
    #[serde(default)]
    pub message: String,
    /// What this case adds.
    #[serde(default)]
    pub details: String,
    /// Who says so.
    #[serde(default)]
    pub service: String,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.code)?;
        if self.details.is_empty() { Ok(()) } else { write!(f, ": {}", self.details) }
    }
}
