//! The models of the published client, by their names.

use std::fmt;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// How one can sign in.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
pub struct AuthControllerAuth {
    /// With a password.
    pub login_password: bool,
    /// Whether mails are sent.
    pub mails_enabled: bool,
    /// With a mailed code.
    pub passwordless: bool,
    /// With external providers, by name.
    pub oauths: Vec<String>,
}

/// A new password for who holds the mailed token.
#[derive(Clone, Debug, Serialize)]
pub struct AuthControllerResetPasswordRequest {
    /// From the query of the mailed link.
    #[serde(serialize_with = "crate::secret::expose")]
    pub token: SecretString,
    /// The new password.
    #[serde(serialize_with = "crate::secret::expose")]
    pub password: SecretString,
}

impl AuthControllerResetPasswordRequest {
    /// From both.
    pub fn new(token: impl Into<SecretString>, password: impl Into<SecretString>) -> Self {
        Self { token: token.into(), password: password.into() }
    }
}

/// Who makes an account of an invitation.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthControllerInvitationUserRequest {
    /// The first name.
    pub first_name: String,
    /// The last name.
    pub last_name: String,
    /// The password of the new account.
    #[serde(serialize_with = "crate::secret::expose")]
    pub password: SecretString,
}

impl AuthControllerInvitationUserRequest {
    /// From all three.
    pub fn new(first_name: impl Into<String>, last_name: impl Into<String>, password: impl Into<SecretString>) -> Self {
        Self { first_name: first_name.into(), last_name: last_name.into(), password: password.into() }
    }
}

/// The body of every refusal, as the Micronaut framework has it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[non_exhaustive]
pub struct JsonError {
    /// What is wrong.
    pub message: String,
    #[serde(rename = "_embedded", default)]
    embedded: Embedded,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
struct Embedded {
    errors: Vec<Message>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
struct Message {
    message: String,
}

impl JsonError {
    /// One by one: each broken rule of a password, for instance.
    pub fn errors(&self) -> impl Iterator<Item = &str> {
        self.embedded.errors.iter().map(|error| error.message.as_str())
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for error in self.errors().filter(|error| *error != self.message) {
            write!(f, "; {error}")?;
        }
        Ok(())
    }
}
