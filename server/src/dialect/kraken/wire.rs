//! What goes over the wire, both ways. The options and answers of the WebAuthn ceremonies are the library's own structs.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::Code;
use crate::core::RegisterPublicKeyCredential;
use crate::core::token::Secret;

/// Who signs in.
#[derive(Deserialize, ToSchema)]
pub(super) struct LoginRequest {
    /// A username or an e-mail address.
    pub(super) username: String,
    #[schema(value_type = String)]
    pub(super) password: Secret,
}

/// The credential's own members, and beside them the name that the key is to have.
#[derive(Deserialize, ToSchema)]
pub(super) struct FinishRegisterRequest {
    // Any JSON: a name that is missing or no text is an invalid name, and not an invalid body.
    #[serde(default)]
    #[schema(value_type = String, required = true, min_length = 1)]
    pub(super) name: serde_json::Value,
    #[serde(flatten)]
    #[schema(ignore)]
    pub(super) credential: RegisterPublicKeyCredential,
}

/// What went wrong.
#[derive(Serialize, ToSchema)]
pub(super) struct ApiErrorResponse<'a> {
    pub(super) status_code: Code,
    pub(super) message: &'a str,
}
