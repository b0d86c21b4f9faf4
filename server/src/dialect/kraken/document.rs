//! What the annotations of the handlers cannot say by themselves.

use utoipa::openapi::{OpenApi, ResponseBuilder};

use super::wire::ApiErrorResponse;
use crate::dialect::document::{component, failure, failures};

/// Those of the table, and the body of every failure.
pub(super) fn annotations() -> OpenApi {
    let mut document = super::described();
    component::<ApiErrorResponse<'_>>(&mut document);
    document
}

failures! {
    /// Of every call.
    Failures: 400 500;
    /// Of a call with something to guess.
    GuessFailures: 400 500; 429 503
}

fn answer(status: u16, added: bool) -> ResponseBuilder {
    failure::<ApiErrorResponse<'_>>(status, "application/json", added)
}
