//! What is published about the dialects: an OpenAPI document of each table of URLs, and a page to read and try them.
//!
//! A document is made once, from the annotations of the handlers that are mounted. It is OpenAPI 3.0, because the generators with
//! which the clients of the four APIs were made read nothing newer.

mod page;
mod place;
mod three_zero;

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde_json::Value;
use utoipa::openapi::Info;

use crate::config::Dialects;
use crate::config::url::PublicUrl;
use crate::dialect;
use crate::dialect::document::Document;
use crate::http::head::HeadError;
use crate::http::layers::Words;

/// Where the URLs below begin.
pub const PREFIXES: [&str; 2] = ["/openapi", "/docs"];

/// A document, ready to be sent.
pub struct Published {
    /// `kalshi`, for instance.
    pub name: &'static str,
    /// The document.
    pub document: Value,
}

/// The documents of every dialect that is on.
///
/// # Errors
/// Never: what the annotations say can be written as JSON.
pub fn documents(dialects: &Dialects, public_url: &PublicUrl) -> Result<Vec<Published>, serde_json::Error> {
    let published = |document: &Document| Ok(Published { name: document.name, document: publish(document, public_url)? });
    of(dialects).map(published).collect()
}

/// The names of all documents there can be.
pub fn names() -> impl Iterator<Item = &'static str> {
    dialect::ALL.into_iter().flat_map(|dialect| dialect.documents).map(|document| document.name)
}

fn of(dialects: &Dialects) -> impl Iterator<Item = &'static Document> {
    dialect::ALL.into_iter().filter(|dialect| (dialect.enabled)(dialects)).flat_map(|dialect| dialect.documents)
}

fn publish(document: &Document, public_url: &PublicUrl) -> Result<Value, serde_json::Error> {
    let mut annotations = (document.annotations)();
    let mut info = Info::new(format!("Doorward: {}", document.name), env!("CARGO_PKG_VERSION").to_owned());
    info.description = Some(document.about.to_owned());
    annotations.info = info;
    let mut value = serde_json::to_value(annotations)?;
    three_zero::lower(&mut value);
    place::put(&mut value, document, public_url.origin());
    place::mark_schemas(&mut value);
    Ok(value)
}

/// The URL table: the documents and the page. A document is made when it is first asked for: making them all took half the time of a start.
pub fn routes(dialects: &Dialects, public_url: &PublicUrl) -> Router {
    let names: Vec<_> = of(dialects).map(|document| document.name).collect();
    of(dialects).fold(page::routes(&names), |router, document| {
        let (made, public_url) = (Arc::new(OnceLock::new()), public_url.clone());
        let answer = move || std::future::ready(made.get_or_init(|| written(document, &public_url)).clone().into_response());
        router.route(&format!("/openapi/{}.json", document.name), get(answer))
    })
}

/// The document as it is sent, or what is answered in its place.
type Written = Result<([(HeaderName, &'static str); 1], Bytes), StatusCode>;

fn written(document: &Document, public_url: &PublicUrl) -> Written {
    match publish(document, public_url) {
        Ok(value) => Ok(([(header::CONTENT_TYPE, "application/json")], value.to_string().into())),
        Err(error) => {
            tracing::error!(document = document.name, %error, "a document cannot be written");
            Err(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

/// How they say what only the layers around them know: with a bare status.
#[must_use]
pub fn words() -> Words {
    let bare = |status: StatusCode| move || -> Response { status.into_response() };
    let (panicked, timed_out) = (StatusCode::INTERNAL_SERVER_ERROR, StatusCode::SERVICE_UNAVAILABLE);
    Words::new(bare(panicked), bare(timed_out), HeadError::into_response)
}
