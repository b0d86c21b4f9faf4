//! The list of dialects, one line each. A dialect is one wire API: its URLs, JSON, cookies, statuses and error bodies, and nothing else.

pub mod document;
pub mod kalshi;
pub mod kestra;
pub mod kotak;
pub mod kraken;
pub mod native;
pub mod shared;
mod urls;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;

use crate::config::Dialects;
use crate::core::call::Call;
use crate::http::layers::Words;
use document::Document;
use shared::Shared;

/// What the server needs to know of a dialect.
pub struct Dialect {
    /// Its name, in the configuration, the audit log and the metrics.
    pub name: &'static str,
    /// Whether the configuration has it on.
    pub enabled: fn(&Dialects) -> bool,
    /// Where its URLs begin; an unknown one below is answered in its words.
    pub prefixes: &'static [&'static str],
    /// Its URL table.
    pub routes: fn(Shared) -> Router,
    /// What is published about that table.
    pub documents: &'static [Document],
    /// How it says what only the layers around it know.
    pub words: fn(&Shared) -> Words,
    /// Refuses what no handler of it is to see; `None` lets a request in.
    pub admit: fn(&Shared, &Request) -> Option<Response>,
    /// What of its table can be answered without waiting.
    pub at_once: &'static [AtOnce],
    /// Its answer to a URL that it does not have.
    pub not_found: fn(&Shared) -> Response,
}

/// A GET that is nearly all that a server is asked, and that is answered from memory most often: then before the router and what is around
/// a route, which cost more than the answer. What it refuses, or has to wait for, is its handler's.
pub struct AtOnce {
    /// The path, in full.
    pub path: &'static str,
    /// The answer of its handler to a request without a body, or `None`.
    pub answer: fn(&Shared, &Call, &Request) -> Option<Response>,
}

/// Every dialect.
pub const ALL: [Dialect; 5] = [native::DIALECT, kalshi::DIALECT, kraken::DIALECT, kestra::DIALECT, kotak::DIALECT];
