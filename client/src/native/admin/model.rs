//! The JSON of `/admin/v1`.

use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize, Serializer};
use uuid::Uuid;

use super::super::model::{Key, Role, SessionInfo};

/// Whether a user may sign in.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum UserStatus {
    /// May.
    Active,
    /// May not, and has no sessions.
    Disabled,
    /// One that this client does not know.
    #[serde(other)]
    Other,
}

/// A user as administrators see one.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[non_exhaustive]
pub struct ManagedUser {
    /// The id.
    pub id: Uuid,
    /// The username.
    pub username: String,
    /// The e-mail address.
    pub email: String,
    /// The first name.
    pub first_name: String,
    /// The last name.
    pub last_name: String,
    /// What they may do.
    pub role: Role,
    /// Whether they may sign in.
    pub status: UserStatus,
    /// Whether the address is verified.
    pub email_verified: bool,
    /// Since when.
    pub email_verified_at: Option<Timestamp>,
    /// Since when there is the account.
    pub created_at: Timestamp,
}

/// A user with their security keys.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserDetail {
    /// The user.
    #[serde(flatten)]
    pub user: ManagedUser,
    /// The keys.
    pub security_keys: Vec<Key>,
}

/// A user to be made.
#[derive(Clone, Debug, Serialize)]
pub struct NewUser {
    /// The username.
    pub username: String,
    /// The e-mail address.
    pub email: String,
    /// The first name.
    pub first_name: String,
    /// The last name.
    pub last_name: String,
    /// What they may do.
    pub role: Role,
    /// Whether the address counts as verified.
    pub email_verified: bool,
    /// The password; without one, the user sets it through [`Admin::send_recovery`](super::Admin::send_recovery).
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "crate::secret::expose_some")]
    pub password: Option<SecretString>,
}

impl NewUser {
    /// A member without names and password, whose address is not verified.
    pub fn new(username: impl Into<String>, email: impl Into<String>) -> Self {
        Self {
            username: username.into(),
            email: email.into(),
            first_name: String::new(),
            last_name: String::new(),
            role: Role::Member,
            email_verified: false,
            password: None,
        }
    }
}

/// Anybody's session.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserSession {
    /// The session.
    #[serde(flatten)]
    pub session: SessionInfo,
    /// Whose it is.
    pub user_id: Uuid,
}

/// Where an invitation stands.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum InvitationState {
    /// Can be used.
    Open,
    /// Was used.
    Used,
    /// Was taken back.
    Revoked,
    /// Its time ran out.
    Expired,
    /// One that this client does not know.
    #[serde(other)]
    Other,
}

/// An invitation as administrators see one.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[non_exhaustive]
pub struct Invitation {
    /// What it is called; opens nothing.
    pub handle: Uuid,
    /// Who is invited.
    pub email: String,
    /// As what.
    pub role: Role,
    /// Where it stands.
    pub state: InvitationState,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it can be used.
    pub expires_at: Timestamp,
    /// When it was used.
    pub used_at: Option<Timestamp>,
    /// When it was taken back.
    pub revoked_at: Option<Timestamp>,
}

/// An invitation to be made.
#[derive(Clone, Debug, Serialize)]
pub struct NewInvitation {
    /// Who is invited.
    pub email: String,
    /// As what.
    pub role: Role,
    /// For how long it is good, in whole seconds; as the server is configured if not said.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "seconds")]
    pub expires_in: Option<Duration>,
}

fn seconds<S: Serializer>(span: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    span.map(|span| span.as_secs()).serialize(serializer)
}

impl NewInvitation {
    /// For a member.
    pub fn new(email: impl Into<String>) -> Self {
        Self { email: email.into(), role: Role::Member, expires_in: None }
    }
}

/// An invitation just made; it is mailed too.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Invited {
    /// The invitation.
    #[serde(flatten)]
    pub invitation: Invitation,
    /// Its secret, shown this once.
    pub id: SecretString,
    /// The link with the secret in it.
    pub link: SecretString,
}

/// An application.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[non_exhaustive]
pub struct Application {
    /// The id.
    pub app_id: Uuid,
    /// The name.
    pub name: String,
    /// From which networks (CIDR) it may be used; from all if none is named.
    pub networks: Vec<String>,
    /// Whether its one-time token opens a session without an access code.
    pub one_time_token_suffices: bool,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// An application to be registered.
#[derive(Clone, Debug, Serialize)]
pub struct NewApplication {
    /// The name.
    pub name: String,
    /// From which networks (CIDR) it may be used; from all if none is named.
    pub networks: Vec<String>,
    /// Whether its one-time token opens a session without an access code.
    pub one_time_token_suffices: bool,
}

impl NewApplication {
    /// One that may be used from everywhere, and needs access codes.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), networks: Vec::new(), one_time_token_suffices: false }
    }
}

/// An application with its secrets, shown this once.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Registered {
    /// The application.
    #[serde(flatten)]
    pub application: Application,
    /// `consumerKey`.
    pub consumer_key: SecretString,
    /// `Authorization: Bearer …`.
    pub access_token: SecretString,
}

/// Where a mail stands.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum MailState {
    /// To be sent.
    Due,
    /// Taken by the receiving server, or written to a file.
    Sent,
    /// Given up.
    Failed,
    /// Never to be sent.
    Void,
    /// One that this client does not know.
    #[serde(other)]
    Other,
}

/// A mail of the outbox; never its text.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mail {
    /// The id.
    pub id: Uuid,
    /// What it is for, such as `recovery`.
    pub kind: String,
    /// Where it stands.
    pub state: MailState,
    /// To whom.
    pub recipient: Option<String>,
    /// For which user.
    pub user_id: Option<Uuid>,
    /// How often it was tried.
    pub attempts: i64,
    /// When it is to be tried.
    pub due_at: Timestamp,
    /// When it was promised.
    pub created_at: Timestamp,
    /// When it came to its end.
    pub finished_at: Option<Timestamp>,
    /// What the last try failed of.
    pub error: Option<String>,
}

/// A mail in words, without its secret.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[non_exhaustive]
pub struct MailPreview {
    /// One line.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
}

/// Which lines of the audit log: those that are all of this.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// About a user.
    pub user: Option<Uuid>,
    /// Of an event, such as `sign_in`.
    pub event: Option<String>,
    /// That ended so: `ok`, or the name of a refusal.
    pub outcome: Option<String>,
    /// Through an API, such as `native`.
    pub dialect: Option<String>,
    /// Written then or later.
    pub since: Option<Timestamp>,
    /// Written before.
    pub until: Option<Timestamp>,
}

impl AuditFilter {
    /// What is about a user.
    #[must_use]
    pub fn of_user(id: Uuid) -> Self {
        Self { user: Some(id), ..Self::default() }
    }

    /// What is of an event.
    #[must_use]
    pub fn of_event(event: &str) -> Self {
        Self { event: Some(event.to_owned()), ..Self::default() }
    }
}

/// How fine counts are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountedBy {
    /// The last 48 hours.
    Hour,
    /// The last 30 days.
    Day,
}

/// What happened in one hour or day of UTC.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[non_exhaustive]
pub struct Count {
    /// Its beginning.
    pub from: Timestamp,
    /// First factors that were right.
    pub sign_ins: i64,
    /// First and second factors that were refused.
    pub refusals: i64,
    /// Whether there were more than are counted.
    pub more: bool,
}

#[derive(Deserialize)]
pub(super) struct Counts {
    pub(super) items: Vec<Count>,
}

/// A line of the audit log.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditEntry {
    /// The id.
    pub id: Uuid,
    /// When.
    pub at: Timestamp,
    /// What.
    pub event: String,
    /// `ok`, or the name of the refusal.
    pub outcome: String,
    /// About whom.
    pub user_id: Option<Uuid>,
    /// Who did it: a user's id, `operator`, `server` or `anonymous`.
    pub actor: String,
    /// Through which of the server's APIs.
    pub dialect: String,
    /// From which address.
    pub address: Option<String>,
    /// From which peer, where a proxy stands between.
    pub peer: Option<String>,
    /// With which client.
    pub user_agent: Option<String>,
    /// In which request.
    pub request_id: String,
    /// What the event leaves open.
    pub detail: Option<String>,
}
