//! Asking for a mailed code to sign in with.

use super::mail_request::request_mail;
use crate::core::call::Call;
use crate::core::model::{Identifier, MailKind};
use crate::core::{Core, Refusal, Result};

/// Asks for a code; a new one replaces the last. The answer is the same whether or not anybody has that address.
///
/// # Errors
/// [`Refusal::TooManyAttempts`], [`Refusal::SwitchedOff`].
pub async fn request(core: &Core, call: &Call, identifier: &Identifier) -> Result<()> {
    if !core.policy.methods.email_code {
        return Err(Refusal::SwitchedOff.into());
    }
    request_mail(core, call, identifier, MailKind::LoginCode, "").await
}
