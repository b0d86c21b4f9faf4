//! The style sheet, the script and the icon. Their URLs carry a hash of what they hold, so that a browser may keep them for good.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::Site;

pub(super) const FOLDER: &str = "/assets";
pub(super) const STYLE: &str = "/assets/doorward.css";
pub(super) const SCRIPT: &str = "/assets/doorward.js";
pub(super) const ICON: &str = "/assets/doorward.svg";

/// A file as it is served.
#[derive(Clone, Debug)]
pub(super) struct Asset {
    text: String,
    hash: String,
}

impl Asset {
    pub(super) fn new(text: &str) -> Self {
        let digest = Sha256::digest(text.as_bytes());
        Self { text: text.to_owned(), hash: URL_SAFE_NO_PAD.encode(&digest[..9]) }
    }

    /// The URL under which exactly this is served.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{path}?v={}", self.hash)
    }

    #[cfg(test)]
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Under the URL of another content, as a node of another release writes it, it must not be kept.
    fn answer(&self, media_type: &'static str, query: Option<&str>, headers: &HeaderMap) -> Response {
        let exact = query.and_then(|query| query.strip_prefix("v=")) == Some(&self.hash);
        let keep = if exact { "public, max-age=31536000, immutable" } else { "no-cache" };
        let tag = format!("\"{}\"", self.hash);
        let known = headers.get(header::IF_NONE_MATCH).is_some_and(|value| value.as_bytes() == tag.as_bytes());
        let fields = [(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, keep), (header::ETAG, tag.as_str())];
        if known { (StatusCode::NOT_MODIFIED, fields).into_response() } else { (fields, self.text.clone()).into_response() }
    }
}

pub(super) async fn style(State(site): State<Site>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    site.pages.style.answer("text/css; charset=utf-8", query.as_deref(), &headers)
}

pub(super) async fn script(State(site): State<Site>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    site.pages.script.answer("text/javascript; charset=utf-8", query.as_deref(), &headers)
}

pub(super) async fn icon(State(site): State<Site>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    site.pages.icon.answer("image/svg+xml", query.as_deref(), &headers)
}
