//! What goes over the wire, both ways.

use serde::{Deserialize, Serialize};

use crate::core::token::Secret;

/// `LoginRequest`, of both versions.
#[derive(Deserialize)]
pub(super) struct LoginRequest {
    pub(super) email: String,
    pub(super) password: Secret,
}

/// `LoginResponse` of v1.
#[derive(Serialize)]
pub(super) struct LoginResponse<'a> {
    pub(super) user_id: String,
    pub(super) token: &'a str,
    pub(super) access_level: &'static str,
}

/// `LoginResponse` of v2.
#[derive(Serialize)]
pub(super) struct LoginResponseV2<'a> {
    pub(super) member_id: String,
    pub(super) token: &'a str,
}

/// `ResetPasswordRequest`.
#[derive(Deserialize)]
pub(super) struct ResetPasswordRequest {
    pub(super) email: String,
}

/// `ConfirmPasswordResetRequest`.
#[derive(Deserialize)]
pub(super) struct ConfirmPasswordResetRequest {
    pub(super) password: Secret,
    pub(super) user_id: String,
}

/// `JSONError`: the body of every refusal. The same four texts go out as headers, too.
#[derive(Serialize)]
pub(super) struct JsonError<'a> {
    pub(super) code: &'a str,
    pub(super) message: &'a str,
    pub(super) details: &'a str,
    pub(super) service: &'a str,
}
