//! What the annotations of the handlers cannot say by themselves. This API's own document has successes only.

use utoipa::openapi::{OpenApi, ResponseBuilder};

use super::wire::Problem;
use crate::dialect::document::{component, failure, failures};

/// Those of the table, and the body of every failure.
pub(super) fn annotations() -> OpenApi {
    let mut document = super::described();
    component::<Problem>(&mut document);
    document
}

failures! {
    /// Of what can only break.
    Faults:; 500 503
    /// Of asking for a mail.
    MailFailures:; 400 403 429 500 503
    /// Of a reset with a mailed token.
    ResetFailures:; 400 403 422 429 500 503
    /// Of accepting an invitation.
    AcceptFailures:; 400 401 403 404 409 429 500 503
    /// Of creating an account from one.
    CreateFailures:; 400 403 404 409 422 429 500 503
    /// Of signing in.
    SignInFailures:; 400 401 403 429 500 503
}

fn answer(status: u16, added: bool) -> ResponseBuilder {
    failure::<Problem>(status, "application/json", added)
}
