//! The page: one document of HTML, one script, one style sheet, and nothing from anywhere else.

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse as _;
use axum::routing::get;

const HTML: &str = include_str!("../../../templates/docs/docs.html");
const SCRIPT: &str = include_str!("../../../templates/docs/docs.js");
const STYLE: &str = include_str!("../../../templates/docs/docs.css");

/// In its place stand the links to the documents.
const LINKS: &str = "<!-- documents -->";

/// Our own script and style sheet, and calls to this server alone. The script builds elements and never HTML.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                                       form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

pub(super) fn routes(documents: &[&'static str]) -> Router {
    let links: String = documents.iter().map(|name| format!("<a href=\"openapi/{name}.json\">{name}</a>\n")).collect();
    let html = HTML.replace(LINKS, &links);
    let page = async move || {
        let headers =
            [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY)];
        (headers, html).into_response()
    };
    Router::new()
        .route("/docs", get(page))
        .route("/docs/docs.js", get(async || file("text/javascript; charset=utf-8", SCRIPT)))
        .route("/docs/docs.css", get(async || file("text/css; charset=utf-8", STYLE)))
}

fn file(media_type: &'static str, text: &'static str) -> axum::response::Response {
    ([(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, "public, max-age=3600")], text).into_response()
}
