//! What the annotations of the handlers cannot say by themselves.

use utoipa::ToSchema as _;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, ResponseBuilder};

use super::wire::JsonError;
use crate::dialect::document::{added, component, failures, marked, security, text_header};

/// Those of the table, and how a session is shown.
pub(super) fn annotations() -> OpenApi {
    let mut document = super::described();
    component::<JsonError<'_>>(&mut document);
    let description = "The token of the session, alone or after `Bearer`; or, before the token, the user's id and a space.";
    let scheme = ApiKey::Header(ApiKeyValue::with_description("Authorization", description));
    // A header, whatever its name: this is what the API's own clients send.
    security(&mut document, "cookie", SecurityScheme::ApiKey(scheme));
    document
}

failures! {
    /// Of signing in and out.
    SessionFailures: 400 401 403 500 503; 429
    /// Of a forgotten password.
    RecoveryFailures: 400 500 503; 403 429
}

/// The four texts stand in headers; that they stand in a JSON body, too, clients of this API do not know.
fn answer(status: u16, added_status: bool) -> ResponseBuilder {
    let texts = [
        ("code", "What went wrong, for programs."),
        ("message", "What went wrong, for people."),
        ("details", "What would help; may be empty."),
        ("service", "What this service calls itself."),
    ];
    let schema = Ref::from_schema_name(JsonError::name());
    let body = ContentBuilder::new().schema(Some(schema)).extensions(Some(added())).build();
    let response = marked(status, added_status).content("application/json", body);
    texts.into_iter().fold(response, |response, (name, text)| response.header(name, text_header(text)))
}
