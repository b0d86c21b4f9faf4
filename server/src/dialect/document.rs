//! What a dialect publishes about itself: the handlers' own annotations, and words for what their macros cannot say.

use std::collections::BTreeMap;

use utoipa::ToSchema;
use utoipa::openapi::extensions::{Extensions, ExtensionsBuilder};
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::security::SecurityScheme;
use utoipa::openapi::{ContentBuilder, ObjectBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder, Type};

/// An OpenAPI document of a dialect.
pub struct Document {
    /// Its name: `/openapi/<name>.json`.
    pub name: &'static str,
    /// What it is about, in a sentence or two.
    pub about: &'static str,
    /// Where its paths begin. Clients are given the public URL with this at its end.
    pub base: &'static str,
    /// The servers that the API's own document has.
    pub servers: &'static [&'static str],
    /// The annotations of all that its table mounts.
    pub annotations: fn() -> OpenApi,
}

/// Marks what the API's own document does not have.
pub const ADDED: &str = "x-added";

/// The mark as an extension.
#[must_use]
pub fn added() -> Extensions {
    ExtensionsBuilder::new().add(ADDED, true).build()
}

/// Adds a schema that only failures refer to.
pub fn component<T: ToSchema>(document: &mut OpenApi) {
    let components = document.components.get_or_insert_default();
    let mut inner = Vec::new();
    T::schemas(&mut inner);
    components.schemas.extend(inner);
    components.schemas.insert(T::name().into_owned(), T::schema());
}

/// Adds a way to show who one is.
pub fn security(document: &mut OpenApi, name: &str, scheme: SecurityScheme) {
    document.components.get_or_insert_default().add_security_scheme(name, scheme);
}

/// A failure with a JSON body of type `T`; `added` if the API's own document does not have this status.
pub fn failure<T: ToSchema>(status: u16, media_type: &str, added: bool) -> ResponseBuilder {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(T::name())));
    marked(status, added).content(media_type, content.build())
}

/// A failure without a body as yet.
#[must_use]
pub fn marked(status: u16, added: bool) -> ResponseBuilder {
    let response = ResponseBuilder::new().description(reason(status));
    let response = if matches!(status, 429 | 503 | 504) { response.header("Retry-After", retry_after()) } else { response };
    if added { response.extensions(Some(self::added())) } else { response }
}

/// A text as a header.
#[must_use]
pub fn text_header(description: &str) -> Header {
    let text = ObjectBuilder::new().schema_type(Type::String).build();
    HeaderBuilder::new().schema(Some(text)).description(Some(description)).build()
}

fn retry_after() -> Header {
    let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).build();
    let description = Some("Seconds after which another try may succeed (RFC 9110, 10.2.3).");
    HeaderBuilder::new().schema(Some(seconds)).description(description).extensions(Some(added())).build()
}

const fn reason(status: u16) -> &'static str {
    match status {
        400 => "The request is not as the call has it, or a code in it is not good.",
        401 => "The caller has not shown who they are, or not rightly.",
        403 => "The caller may not do this, or not yet.",
        404 => "There is no such thing.",
        409 => "This cannot be done in the present state.",
        413 => "The body is too large.",
        415 => "The body is of another content type.",
        422 => "The new password breaks the rules for passwords.",
        429 => "Too many attempts.",
        500 => "A defect of the server, which tells nothing of its cause.",
        503 => "The server is too busy, or its database away. Nothing was done.",
        504 => "The server did not come to an answer in time.",
        _ => "The call failed.",
    }
}

/// Failures by status.
pub type Failures = BTreeMap<String, RefOr<Response>>;

/// Names sets of failures for `responses(…)` of an annotation. The caller's `fn answer(status: u16, added: bool) -> ResponseBuilder` says
/// what they look like; statuses after the semicolon are not in the API's own document.
macro_rules! failures {
    ($($(#[$doc:meta])* $name:ident: $($own:literal)* ; $($added:literal)*)+) => { $(
        $(#[$doc])*
        pub(super) struct $name;

        impl utoipa::IntoResponses for $name {
            fn responses() -> $crate::dialect::document::Failures {
                let all = [$(($own, false),)* $(($added, true),)*];
                all.into_iter().map(|(status, added): (u16, bool)| (status.to_string(), answer(status, added).build().into())).collect()
            }
        }
    )+ };
}
pub(super) use failures;
