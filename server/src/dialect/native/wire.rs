//! The JSON of `/auth/v1`, and what `/admin/v1` has in common with it. Times are RFC 3339 in UTC.

use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Serialize, Serializer};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use crate::core::clock::Timestamp;
use crate::core::flows::history::By;
use crate::core::model::{ApplicationId, AuditId, Factors, Role, SecurityKeyId, SessionId, UserId};
use crate::core::token::Secret;
use crate::core::{PublicKeyCredential, RegisterPublicKeyCredential};

/// RFC 9457, section 3.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct ProblemDocument {
    pub(super) r#type: String,
    pub(super) title: &'static str,
    pub(super) status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) detail: Option<String>,
    /// Which value is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) field: Option<&'static str>,
    /// What is wrong with a new password.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) problems: Vec<PasswordProblem>,
    /// Whole seconds, as in the header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) retry_after: Option<u64>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PasswordProblem {
    pub(super) code: &'static str,
    pub(super) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) minimum: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) maximum: Option<usize>,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct PasswordSignIn {
    pub(super) identifier: String,
    #[schema(value_type = String)]
    pub(super) password: Secret,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct CodeRequest {
    pub(super) email: String,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct CodeSignIn {
    pub(super) email: String,
    #[schema(value_type = String)]
    pub(super) code: Secret,
}

/// The answer to every call that issues a token: it is in no other.
#[derive(Serialize, ToSchema)]
pub(super) struct SignedIn<'a> {
    pub(super) token: &'a str,
    /// `full` or `half`.
    pub(super) status: &'static str,
    pub(super) second_factor_required: bool,
    pub(super) session: Session<'a>,
    pub(super) user: User<'a>,
}

/// Who am I.
#[derive(Serialize, ToSchema)]
pub(super) struct CurrentSession<'a> {
    pub(super) user: User<'a>,
    pub(super) factors: Factors,
    pub(super) assurance_level: u8,
    pub(super) expires_at: Timestamp,
    pub(super) idle_expires_at: Timestamp,
    pub(super) session: Session<'a>,
}

pub(super) struct User<'a> {
    pub(super) id: UserId,
    /// Left out while a second factor is owed.
    pub(super) profile: Option<Profile<'a>>,
}

/// As `flatten` would have it, which takes every member for one of a map: on the way of a session check that is felt.
impl Serialize for User<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut user = serializer.serialize_struct("User", if self.profile.is_some() { 7 } else { 1 })?;
        user.serialize_field("id", &self.id)?;
        if let Some(Profile { email, username, first_name, last_name, role, email_verified }) = &self.profile {
            user.serialize_field("email", email)?;
            user.serialize_field("username", username)?;
            user.serialize_field("first_name", first_name)?;
            user.serialize_field("last_name", last_name)?;
            user.serialize_field("role", role)?;
            user.serialize_field("email_verified", email_verified)?;
        }
        user.end()
    }
}

/// The members of the profile are there together or not at all, which a schema could not say in fewer words than these.
impl PartialSchema for User<'_> {
    fn schema() -> RefOr<Schema> {
        let RefOr::T(Schema::Object(mut user)) = Profile::schema() else { return UserId::schema() };
        user.description = Some("Its `id` alone while a second factor is owed.".to_owned());
        user.properties.insert("id".to_owned(), UserId::schema());
        user.required = vec!["id".to_owned()];
        user.into()
    }
}

impl ToSchema for User<'_> {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Profile::schemas(schemas);
    }
}

#[derive(ToSchema)]
pub(super) struct Profile<'a> {
    pub(super) email: &'a str,
    pub(super) username: &'a str,
    pub(super) first_name: &'a str,
    pub(super) last_name: &'a str,
    pub(super) role: Role,
    pub(super) email_verified: bool,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Session<'a> {
    pub(super) id: SessionId,
    /// `full` or `half`.
    pub(super) status: &'static str,
    pub(super) factors: Factors,
    pub(super) assurance_level: u8,
    pub(super) application_id: Option<ApplicationId>,
    pub(super) dialect: &'a str,
    pub(super) address: Option<&'a str>,
    pub(super) user_agent: Option<&'a str>,
    pub(super) created_at: Timestamp,
    pub(super) authenticated_at: Timestamp,
    pub(super) last_seen_at: Timestamp,
    pub(super) idle_expires_at: Timestamp,
    pub(super) expires_at: Timestamp,
}

#[derive(Serialize, ToSchema)]
pub(super) struct OwnSession<'a> {
    #[serde(flatten)]
    pub(super) session: Session<'a>,
    pub(super) current: bool,
}

/// A piece of a list; `next` is the `after` of the next piece.
#[derive(Serialize, ToSchema)]
pub(super) struct Items<T> {
    pub(super) items: Vec<T>,
    pub(super) next: Option<String>,
}

/// The query of every list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PageQuery {
    /// The `next` of the page before.
    #[param(value_type = Option<uuid::Uuid>)]
    pub(super) after: Option<String>,
    /// How many; 50 if left out.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 200)]
    pub(super) limit: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Ended {
    pub(super) ended: u64,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct PasswordChange {
    #[schema(value_type = String)]
    pub(super) current_password: Secret,
    #[schema(value_type = String)]
    pub(super) new_password: Secret,
}

/// What is left out stays as it is.
#[derive(Deserialize, ToSchema)]
pub(super) struct ProfileChange {
    pub(super) first_name: Option<String>,
    pub(super) last_name: Option<String>,
}

/// A line of the audit log as its subject sees it.
#[derive(Serialize, ToSchema)]
pub(super) struct Happening {
    pub(super) id: AuditId,
    pub(super) at: Timestamp,
    pub(super) event: String,
    /// `ok`, or the name of a refusal.
    pub(super) outcome: String,
    pub(super) by: By,
    pub(super) dialect: String,
    /// Null if it was not the user.
    pub(super) address: Option<String>,
    /// Null if it was not the user.
    pub(super) user_agent: Option<String>,
    pub(super) detail: Option<String>,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct RecoveryRequest {
    pub(super) identifier: String,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct RecoveryConfirmation {
    #[schema(value_type = String)]
    pub(super) code: Secret,
    #[schema(value_type = String)]
    pub(super) password: Secret,
    pub(super) user_id: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Methods {
    pub(super) password: bool,
    pub(super) email_code: bool,
    pub(super) passkey: bool,
    pub(super) security_key: bool,
    pub(super) totp: bool,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct KeyRegistration {
    pub(super) name: String,
    #[schema(value_type = Object)]
    pub(super) credential: RegisterPublicKeyCredential,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct KeyNaming {
    pub(super) name: String,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Key {
    pub(super) id: SecurityKeyId,
    pub(super) name: String,
    pub(super) created_at: Timestamp,
    pub(super) last_used_at: Option<Timestamp>,
    /// Whether it can sign in by itself; null while that is not known.
    pub(super) passkey: Option<bool>,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct PasskeySignIn {
    #[schema(value_type = Object)]
    pub(super) credential: PublicKeyCredential,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct SecondFactor {
    #[schema(value_type = Object)]
    pub(super) credential: PublicKeyCredential,
}

/// A code of an authenticator app.
#[derive(Deserialize, ToSchema)]
pub(super) struct TotpCode {
    #[schema(value_type = String)]
    pub(super) code: Secret,
}

/// The seed: it is in no other answer.
#[derive(Serialize, ToSchema)]
pub(super) struct TotpEnrolment {
    /// Base32.
    pub(super) secret: String,
    /// `otpauth://…`
    pub(super) uri: String,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Totp {
    pub(super) enrolled: bool,
    pub(super) created_at: Option<Timestamp>,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct InvitationReference {
    #[schema(value_type = String)]
    pub(super) id: Secret,
}

#[derive(Serialize, ToSchema)]
pub(super) struct OpenInvitation {
    pub(super) email: String,
    pub(super) role: Role,
    pub(super) created_at: Timestamp,
    pub(super) expires_at: Timestamp,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct NewAccount {
    #[schema(value_type = String)]
    pub(super) id: Secret,
    pub(super) first_name: String,
    pub(super) last_name: String,
    #[schema(value_type = String)]
    pub(super) password: Secret,
}
