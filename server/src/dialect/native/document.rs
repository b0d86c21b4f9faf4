//! What the annotations of the handlers cannot say by themselves.

use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{OpenApi, ResponseBuilder};

use super::wire::ProblemDocument;
use crate::dialect::document::{component, failure, failures, security};

/// Those of a table, with the body of every failure, and the ways to show a session.
pub(super) fn annotations(mut document: OpenApi) -> OpenApi {
    component::<ProblemDocument>(&mut document);
    security(&mut document, "bearer", SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build()));
    let about = "The cookie that signing in sets. Over https its name is `__Host-doorward`.";
    let cookie = ApiKey::Cookie(ApiKeyValue::with_description("doorward", about));
    security(&mut document, "cookie", SecurityScheme::ApiKey(cookie));
    document
}

failures! {
    /// What any call may come to.
    Always: 400 431 500 503;
    /// A call that changes something, from another site.
    Changes: 403;
    /// A body that is not taken.
    Reads: 413 415;
    /// No session.
    Unauthorized: 401;
    /// No administrator's session.
    Forbidden: 403;
    /// No such thing.
    Unknown: 404;
    /// Not in the present state.
    Conflicts: 409;
    /// A new password that breaks the rules.
    NewPassword: 422;
    /// Too many attempts.
    Limited: 429;
}

fn answer(status: u16, added: bool) -> ResponseBuilder {
    failure::<ProblemDocument>(status, "application/problem+json", added)
}
