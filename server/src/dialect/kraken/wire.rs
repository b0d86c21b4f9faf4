//! What goes over the wire, both ways. The options and answers of the WebAuthn ceremonies are the library's own structs.

use serde::{Deserialize, Serialize};

use crate::core::RegisterPublicKeyCredential;
use crate::core::token::Secret;

/// `LoginRequest`.
#[derive(Deserialize)]
pub(super) struct LoginRequest {
    /// A username or an e-mail address.
    pub(super) username: String,
    pub(super) password: Secret,
}

/// `FinishRegisterRequest`: the credential's own fields, and beside them the name that the key is to have.
#[derive(Deserialize)]
pub(super) struct FinishRegisterRequest {
    /// Any JSON: a name that is missing or no text is an invalid name, and not an invalid body.
    #[serde(default)]
    pub(super) name: serde_json::Value,
    #[serde(flatten)]
    pub(super) credential: RegisterPublicKeyCredential,
}

/// `ApiErrorResponse`: the body of every refusal.
#[derive(Serialize)]
pub(super) struct ApiErrorResponse<'a> {
    pub(super) status_code: u16,
    pub(super) message: &'a str,
}
