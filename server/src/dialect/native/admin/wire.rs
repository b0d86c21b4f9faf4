//! The JSON of `/admin/v1`. Times are RFC 3339 in UTC.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::super::wire::{Key, Session};
use crate::core::clock::Timestamp;
use crate::core::model::{
    ApplicationId, InvitationId, InvitationState, MailId, MailKind, MailState, Network, Role, Status, UserId,
};
use crate::core::token::Secret;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct UsersQuery {
    /// The `next` of the page before.
    #[param(value_type = Option<uuid::Uuid>)]
    pub(super) after: Option<String>,
    /// How many; 50 if left out.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 200)]
    pub(super) limit: Option<String>,
    pub(super) search: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct AuditQuery {
    /// The `next` of the page before.
    #[param(value_type = Option<uuid::Uuid>)]
    pub(super) after: Option<String>,
    /// How many; 50 if left out.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 200)]
    pub(super) limit: Option<String>,
    /// About this user.
    #[param(value_type = Option<uuid::Uuid>)]
    pub(super) user: Option<String>,
    pub(super) event: Option<String>,
    /// `ok`, or the name of a refusal.
    pub(super) outcome: Option<String>,
    pub(super) dialect: Option<String>,
    /// Written then or later.
    #[param(value_type = Option<Timestamp>)]
    pub(super) since: Option<String>,
    /// Written before.
    #[param(value_type = Option<Timestamp>)]
    pub(super) until: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct CountsQuery {
    /// `hour` (the last 48) or `day` (the last 30); hours if left out.
    #[param(value_type = Option<CountedBy>)]
    pub(super) by: Option<String>,
}

#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum CountedBy {
    Hour,
    Day,
}

/// The oldest first; the last is not over yet.
#[derive(Serialize, ToSchema)]
pub(super) struct Counts {
    pub(super) by: CountedBy,
    pub(super) items: Vec<Count>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Count {
    pub(super) from: Timestamp,
    /// First factors that were right.
    pub(super) sign_ins: i64,
    /// First and second factors that were refused.
    pub(super) refusals: i64,
    /// Whether there were more than are counted.
    pub(super) more: bool,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct NewUser {
    pub(super) username: String,
    pub(super) email: String,
    #[serde(default)]
    pub(super) first_name: String,
    #[serde(default)]
    pub(super) last_name: String,
    pub(super) role: Option<Role>,
    #[serde(default)]
    pub(super) email_verified: bool,
    #[schema(value_type = Option<String>)]
    pub(super) password: Option<Secret>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct User {
    pub(super) id: UserId,
    pub(super) username: String,
    pub(super) email: String,
    pub(super) first_name: String,
    pub(super) last_name: String,
    pub(super) role: Role,
    pub(super) status: Status,
    pub(super) email_verified: bool,
    pub(super) email_verified_at: Option<Timestamp>,
    pub(super) created_at: Timestamp,
}

#[derive(Serialize, ToSchema)]
pub(super) struct UserDetail {
    #[serde(flatten)]
    pub(super) user: User,
    pub(super) security_keys: Vec<Key>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct UserSession<'a> {
    #[serde(flatten)]
    pub(super) session: Session<'a>,
    pub(super) user_id: UserId,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct NewInvitation {
    pub(super) email: String,
    pub(super) role: Option<Role>,
    pub(super) expires_in: Option<ExpiresIn>,
}

/// Whole seconds, or a number with a unit: `7d`.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
pub(super) enum ExpiresIn {
    Seconds(u64),
    Span(String),
}

#[derive(Serialize, ToSchema)]
pub(super) struct Invitation {
    pub(super) handle: InvitationId,
    pub(super) email: String,
    pub(super) role: Role,
    pub(super) state: InvitationState,
    pub(super) created_at: Timestamp,
    pub(super) expires_at: Timestamp,
    pub(super) used_at: Option<Timestamp>,
    pub(super) revoked_at: Option<Timestamp>,
}

/// The only answer that has the secret.
#[derive(Serialize, ToSchema)]
pub(super) struct Invited {
    #[serde(flatten)]
    pub(super) invitation: Invitation,
    pub(super) id: String,
    pub(super) link: String,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct NewApplication {
    pub(super) name: String,
    #[serde(default)]
    pub(super) networks: Vec<String>,
    #[serde(default)]
    pub(super) one_time_token_suffices: bool,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct ApplicationChange {
    /// In CIDR notation; none: from anywhere.
    pub(super) networks: Vec<String>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Application {
    pub(super) app_id: ApplicationId,
    pub(super) name: String,
    pub(super) networks: Vec<Network>,
    pub(super) one_time_token_suffices: bool,
    pub(super) created_at: Timestamp,
    pub(super) revoked_at: Option<Timestamp>,
}

/// The only answer that has the secrets.
#[derive(Serialize, ToSchema)]
pub(super) struct Registered {
    #[serde(flatten)]
    pub(super) application: Application,
    pub(super) consumer_key: String,
    pub(super) access_token: String,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Mail {
    pub(super) id: MailId,
    pub(super) kind: MailKind,
    pub(super) state: MailState,
    pub(super) recipient: Option<String>,
    pub(super) user_id: Option<UserId>,
    pub(super) attempts: i64,
    pub(super) due_at: Timestamp,
    pub(super) created_at: Timestamp,
    pub(super) finished_at: Option<Timestamp>,
    pub(super) error: Option<String>,
}

/// In words, without its secret.
#[derive(Serialize, ToSchema)]
pub(super) struct MailPreview {
    pub(super) subject: String,
    pub(super) text: String,
    /// A whole document.
    pub(super) html: String,
}
