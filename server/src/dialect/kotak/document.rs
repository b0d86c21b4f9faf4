//! What the annotations of the handlers cannot say by themselves.

use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, ObjectBuilder, OpenApi, Ref, Required, ResponseBuilder, Type};
use utoipa::{IntoParams, ToSchema as _};

use super::wire::WireFault;
use crate::dialect::document::{component, failures, marked, security};

/// Those of the table, the body of every failure, and the application's token.
pub(super) fn annotations() -> OpenApi {
    let mut document = super::described();
    component::<WireFault>(&mut document);
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
    let bearer = bearer.description(Some("The access token of the application."));
    security(&mut document, "bearerAuth", SecurityScheme::Http(bearer.build()));
    document
}

failures! {
    /// Of every call but the last.
    Failures: 400 401 429 500 503 504;
    /// Of signing out.
    SignOutFailures: 400 429 500 503 504; 401
}

/// The envelope is said as a map, because the API has no model of it.
fn answer(status: u16, added: bool) -> ResponseBuilder {
    let envelope = ObjectBuilder::new().description(Some("The member `fault`, and no other."));
    let envelope = envelope.required("fault").additional_properties(Some(Ref::from_schema_name(WireFault::name())));
    marked(status, added).content("application/json", ContentBuilder::new().schema(Some(envelope)).build())
}

/// The headers by which every call shows its application, beside the access token.
pub(super) struct ApplicationHeaders;

impl IntoParams for ApplicationHeaders {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let headers = [
            ("consumerKey", "The consumer key of the application"),
            ("ip", "The address of the application's user, as it sees it; recorded, and nothing depends on it"),
            ("appId", "The id of the application"),
        ];
        headers.map(|(name, description)| header(name, description)).into()
    }
}

fn header(name: &str, description: &str) -> Parameter {
    let text = ObjectBuilder::new().schema_type(Type::String).build();
    let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Header).required(Required::True);
    parameter.schema(Some(text)).description(Some(description)).build()
}
