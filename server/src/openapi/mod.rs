//! What is published about the dialects: an OpenAPI document of each table of URLs, and a page to read and try them.
//!
//! The documents are made once, from the annotations of the handlers that are mounted. They are OpenAPI 3.0, because the generators with
//! which the clients of the four APIs were made read nothing newer.

mod page;
mod place;
mod three_zero;

use axum::Router;
use axum::body::Bytes;
use axum::http::header;
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
    let on = dialect::ALL.into_iter().filter(|dialect| (dialect.enabled)(dialects));
    on.flat_map(|dialect| dialect.documents).map(|document| publish(document, public_url)).collect()
}

/// The names of all documents there can be.
pub fn names() -> impl Iterator<Item = &'static str> {
    dialect::ALL.into_iter().flat_map(|dialect| dialect.documents).map(|document| document.name)
}

fn publish(document: &Document, public_url: &PublicUrl) -> Result<Published, serde_json::Error> {
    let mut annotations = (document.annotations)();
    let mut info = Info::new(format!("Doorward: {}", document.name), env!("CARGO_PKG_VERSION").to_owned());
    info.description = Some(document.about.to_owned());
    annotations.info = info;
    let mut value = serde_json::to_value(annotations)?;
    three_zero::lower(&mut value);
    place::put(&mut value, document, public_url.origin());
    place::mark_schemas(&mut value);
    Ok(Published { name: document.name, document: value })
}

/// The URL table: the documents and the page.
pub fn routes(documents: &[Published]) -> Router {
    let names: Vec<_> = documents.iter().map(|published| published.name).collect();
    documents.iter().fold(page::routes(&names), |router, published| {
        let text = Bytes::from(published.document.to_string());
        let answer = move || std::future::ready(([(header::CONTENT_TYPE, "application/json")], text.clone()));
        router.route(&format!("/openapi/{}.json", published.name), get(answer))
    })
}

/// How they say what only the layers around them know: with a bare status.
#[must_use]
pub fn words() -> Words {
    let bare = |status: axum::http::StatusCode| move || -> Response { status.into_response() };
    let (panicked, timed_out) = (axum::http::StatusCode::INTERNAL_SERVER_ERROR, axum::http::StatusCode::SERVICE_UNAVAILABLE);
    Words::new(bare(panicked), bare(timed_out), HeadError::into_response)
}
