//! What goes over the wire. Member names are those of the published client's models.

use serde::{Deserialize, Serialize};

use crate::core::token::Secret;

/// `AuthControllerAuth`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Methods {
    pub(super) login_password: bool,
    pub(super) mails_enabled: bool,
    pub(super) passwordless: bool,
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

/// `AuthControllerResetPasswordRequest`.
#[derive(Deserialize)]
pub(super) struct ResetPassword {
    pub(super) token: Secret,
    pub(super) password: Secret,
}

/// `AuthControllerInvitationUserRequest`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InvitedUser {
    pub(super) first_name: String,
    pub(super) last_name: String,
    pub(super) password: Secret,
}

/// The body of `login`, as JSON or as a form.
#[derive(Deserialize)]
pub(super) struct Login {
    pub(super) username: String,
    /// Or the mailed code.
    pub(super) password: Secret,
}

/// Every refusal, in the shape of the Micronaut framework that the client knows.
#[derive(Serialize)]
pub(super) struct Problem {
    pub(super) message: String,
    #[serde(rename = "_embedded")]
    pub(super) embedded: Embedded,
}

#[derive(Serialize)]
pub(super) struct Embedded {
    pub(super) errors: Vec<Message>,
}

#[derive(Serialize)]
pub(super) struct Message {
    pub(super) message: String,
}
