//! What goes over the wire. Member names are those of the published client's models.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::core::token::Secret;

/// Ways to sign in, and what goes with them.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AuthController::Auth)]
pub(super) struct Methods {
    #[schema(required = false)]
    pub(super) login_password: bool,
    #[schema(required = false)]
    pub(super) mails_enabled: bool,
    #[schema(required = false)]
    pub(super) passwordless: bool,
    #[schema(required = false)]
    pub(super) oauths: Vec<String>,
}

/// Success without anything to say: the client takes any object.
#[derive(Serialize)]
pub(super) struct Done {}

/// The query of `forgotten-password`.
#[derive(Deserialize)]
pub(super) struct ForgottenPassword {
    pub(super) username: String,
}

/// A mailed token and the new password. Both are needed; that is said by the server alone.
#[derive(Deserialize, ToSchema)]
#[schema(as = AuthController::ResetPasswordRequest)]
pub(super) struct ResetPassword {
    #[schema(value_type = String, required = false)]
    pub(super) token: Secret,
    #[schema(value_type = String, required = false)]
    pub(super) password: Secret,
}

/// Name and password of a new user.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AuthController::InvitationUserRequest)]
pub(super) struct InvitedUser {
    pub(super) first_name: String,
    pub(super) last_name: String,
    #[schema(value_type = String)]
    pub(super) password: Secret,
}

/// Who signs in.
#[derive(Deserialize, ToSchema)]
pub(super) struct Login {
    pub(super) username: String,
    /// Or the mailed code.
    #[schema(value_type = String)]
    pub(super) password: Secret,
}

/// Every refusal, in the shape of the Micronaut framework that the client knows.
#[derive(Serialize, ToSchema)]
pub(super) struct Problem {
    pub(super) message: String,
    #[serde(rename = "_embedded")]
    pub(super) embedded: Embedded,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Embedded {
    pub(super) errors: Vec<Message>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Message {
    pub(super) message: String,
}
