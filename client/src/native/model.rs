//! The JSON of `/auth/v1`, and what `/admin/v1` has in common with it. Members may be added to answers within version 1.

use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a user may do.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Role {
    /// Signs in and manages their own account.
    Member,
    /// Also manages everybody's.
    Admin,
    /// One that this client does not know.
    #[serde(other)]
    Other,
}

/// What a person proved themselves with.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Factor {
    /// The password.
    Password,
    /// A mailed code.
    EmailCode,
    /// A security key (WebAuthn).
    SecurityKey,
    /// The access code of an application's sign-in.
    AccessCode,
    /// A code of an authenticator app (RFC 6238).
    Totp,
    /// What the security key checked of its user: with the key, two factors.
    UserVerification,
    /// One that this client does not know.
    #[serde(other)]
    Other,
}

/// Whether a session owes a second factor.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SessionStatus {
    /// It owes nothing.
    Full,
    /// It owes one, and is good for giving it and for signing out.
    Half,
}

/// What a server offers.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[non_exhaustive]
pub struct Methods {
    /// Signing in with a password.
    pub password: bool,
    /// Signing in with a mailed code.
    pub email_code: bool,
    /// Signing in with a passkey; `false` of a server of an earlier release.
    #[serde(default)]
    pub passkey: bool,
    /// Security keys as a second factor.
    pub security_key: bool,
    /// Authenticator apps as a second factor.
    pub totp: bool,
}

/// A session, as its lists show it. Its token is not part of it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SessionInfo {
    /// Its id, which opens nothing.
    pub id: Uuid,
    /// Whether it owes a second factor.
    pub status: SessionStatus,
    /// What its user proved themselves with.
    pub factors: Vec<Factor>,
    /// 1 or 2 (NIST SP 800-63B).
    pub assurance_level: u8,
    /// The application that opened it.
    pub application_id: Option<Uuid>,
    /// Through which of the server's APIs it was opened.
    pub dialect: String,
    /// From which address.
    pub address: Option<String>,
    /// With which client.
    pub user_agent: Option<String>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When the last factor was given.
    pub authenticated_at: Timestamp,
    /// When it was last used.
    pub last_seen_at: Timestamp,
    /// When it ends if it is not used.
    pub idle_expires_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// One of a user's own sessions.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[non_exhaustive]
pub struct OwnSession {
    /// The session.
    #[serde(flatten)]
    pub session: SessionInfo,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// The holder of an account.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[non_exhaustive]
pub struct User {
    /// The id.
    pub id: Uuid,
    /// The e-mail address.
    pub email: String,
    /// The username.
    pub username: String,
    /// The first name.
    pub first_name: String,
    /// The last name.
    pub last_name: String,
    /// What they may do.
    pub role: Role,
    /// Whether the address is verified.
    pub email_verified: bool,
}

/// Who am I.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[non_exhaustive]
pub struct CurrentSession {
    /// The holder.
    pub user: User,
    /// The session.
    pub session: SessionInfo,
}

/// A user as far as a half session shows one.
#[derive(Deserialize)]
pub(super) struct UserId {
    pub(super) id: Uuid,
}

/// The answer to every call that issues a token.
#[derive(Deserialize)]
pub(super) struct TokenAnswer {
    pub(super) token: SecretString,
    pub(super) session: SessionInfo,
    pub(super) user: UserId,
}

/// A piece of a list.
#[derive(Deserialize)]
pub(super) struct Items<T> {
    pub(super) items: Vec<T>,
    pub(super) next: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Ended {
    pub(super) ended: u64,
}

/// Who did what happened to an account.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum By {
    /// The user.
    Oneself,
    /// An administrator or the operator.
    Administrator,
    /// The server.
    Server,
    /// Somebody who was not signed in.
    Anybody,
    /// One that this client does not know.
    #[serde(other)]
    Other,
}

/// What happened to an account.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[non_exhaustive]
pub struct Happening {
    /// The id; ids sort by time.
    pub id: Uuid,
    /// When.
    pub at: Timestamp,
    /// What.
    pub event: String,
    /// `ok`, or the name of a refusal.
    pub outcome: String,
    /// Who did it.
    pub by: By,
    /// Through which API.
    pub dialect: String,
    /// From where, if it was the user.
    pub address: Option<String>,
    /// With which client, if it was the user.
    pub user_agent: Option<String>,
    /// What the event leaves open: a key's name.
    pub detail: Option<String>,
}

/// A security key.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[non_exhaustive]
pub struct Key {
    /// The id.
    pub id: Uuid,
    /// What its user calls it.
    pub name: String,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
    /// Whether it is a passkey, which signs in by itself; `None` while the server does not know, or is of an earlier release.
    #[serde(default)]
    pub passkey: Option<bool>,
}

/// Whether there is an authenticator app.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totp {
    /// Whether there is one.
    pub enrolled: bool,
    /// Since when.
    pub created_at: Option<Timestamp>,
}

/// What an authenticator app needs to know.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct TotpEnrolment {
    /// The seed, in base32.
    pub secret: SecretString,
    /// The same as `otpauth://…`, for a QR code.
    pub uri: SecretString,
}

/// An invitation as who holds its secret sees it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpenInvitation {
    /// Who is invited.
    pub email: String,
    /// As what.
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it can be used.
    pub expires_at: Timestamp,
}

/// A new password for who holds the code of the mailed link.
#[derive(Clone, Debug, Serialize)]
pub struct RecoveryConfirmation {
    /// From the link.
    #[serde(serialize_with = "crate::secret::expose")]
    pub code: SecretString,
    /// The new password.
    #[serde(serialize_with = "crate::secret::expose")]
    pub password: SecretString,
    /// From the link too; may be left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<Uuid>,
}

/// An account to be made of an invitation.
#[derive(Clone, Debug, Serialize)]
pub struct NewAccount {
    /// The invitation's secret.
    #[serde(serialize_with = "crate::secret::expose")]
    pub id: SecretString,
    /// The first name.
    pub first_name: String,
    /// The last name.
    pub last_name: String,
    /// The password.
    #[serde(serialize_with = "crate::secret::expose")]
    pub password: SecretString,
}
