//! What goes over the wire, both ways.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::core::token::Secret;

/// Who signs in.
#[derive(Deserialize, ToSchema)]
pub(super) struct LoginRequest {
    pub(super) email: String,
    #[schema(value_type = String)]
    pub(super) password: Secret,
}

/// The session that was opened.
#[derive(Serialize, ToSchema)]
pub(super) struct LoginResponse<'a> {
    pub(super) user_id: String,
    pub(super) token: &'a str,
    /// `member`, or `applicant` until the e-mail address is verified.
    pub(super) access_level: &'static str,
}

/// The session that was opened, in version 2.
#[derive(Serialize, ToSchema)]
pub(super) struct LoginResponseV2<'a> {
    pub(super) member_id: String,
    pub(super) token: &'a str,
}

/// Who has forgotten their password.
#[derive(Deserialize, ToSchema)]
pub(super) struct ResetPasswordRequest {
    pub(super) email: String,
}

/// A new password, with the user of the link.
#[derive(Deserialize, ToSchema)]
pub(super) struct ConfirmPasswordResetRequest {
    #[schema(value_type = String)]
    pub(super) password: Secret,
    pub(super) user_id: String,
}

/// What went wrong. The same four texts go out as headers, too.
#[derive(Serialize, ToSchema)]
#[schema(as = JSONError)]
pub(super) struct JsonError<'a> {
    pub(super) code: &'a str,
    pub(super) message: &'a str,
    pub(super) details: &'a str,
    pub(super) service: &'a str,
}
