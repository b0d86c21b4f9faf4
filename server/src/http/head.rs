//! Heads of requests that are refused before any handler sees them.

use std::fmt;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderValue, Method, StatusCode, Uri, Version, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde_json::json;

/// The largest head of a request, in bytes.
pub(super) const LARGEST_HEAD: usize = 64 * 1024;

/// Headers that a request may have.
pub(super) const MOST_HEADERS: usize = 100;

/// What is wrong with the head of a request. A request that carries it as an extension is answered with it and with nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadError {
    /// More bytes or more headers than are read.
    TooLarge,
    /// It is not HTTP, or contradicts itself about the length of the body.
    Malformed,
    /// Not exactly one `Host`, or one that is no host (RFC 9112, 3.2).
    Host,
}

impl HeadError {
    /// The status that HTTP has for it.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Malformed | Self::Host => StatusCode::BAD_REQUEST,
        }
    }
}

impl fmt::Display for HeadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "the head of the request is too large",
            Self::Malformed => "the head of the request is not HTTP",
            Self::Host => "the request must have one Host, and that a host",
        })
    }
}

/// Where no dialect has words of its own: a problem (RFC 9457) that says no more than its status.
impl IntoResponse for HeadError {
    fn into_response(self) -> Response {
        let status = self.status();
        let title = status.canonical_reason().unwrap_or_default();
        let problem = json!({ "type": "about:blank", "title": title, "status": status.as_u16(), "detail": self.to_string() });
        (status, [(header::CONTENT_TYPE, "application/problem+json")], Json(problem)).into_response()
    }
}

/// What is answered to a request for a path whose head cannot be used.
pub type Refuse = Arc<dyn Fn(&str, HeadError) -> Response + Send + Sync>;

/// Answers a request with a [`HeadError`] by a problem, and keeps it from every handler.
pub fn guard(router: Router) -> Router {
    router.layer(from_fn(async |request: Request, next: Next| match request.extensions().get::<HeadError>() {
        Some(error) => error.into_response(),
        None => next.run(request).await,
    }))
}

/// What the HTTP library lets pass and we do not: on HTTP/1 what RFC 9112, section 3.2, forbids; on HTTP/2 what is too large on HTTP/1.
///
/// # Errors
/// [`HeadError::Host`], [`HeadError::TooLarge`].
pub(super) fn check<B>(request: &axum::http::Request<B>) -> Result<(), HeadError> {
    if request.version() < Version::HTTP_2 { check_host(request) } else { check_size(request) }
}

fn check_size<B>(request: &axum::http::Request<B>) -> Result<(), HeadError> {
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    let fields = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len());
    let fits = request.headers().len() <= MOST_HEADERS && target + fields.sum::<usize>() <= LARGEST_HEAD;
    if fits { Ok(()) } else { Err(HeadError::TooLarge) }
}

fn check_host<B>(request: &axum::http::Request<B>) -> Result<(), HeadError> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let sound = match (hosts.next(), hosts.next()) {
        (None, _) => request.version() != Version::HTTP_11,
        (Some(host), None) => is_host(host),
        (Some(_), Some(_)) => false,
    };
    if sound { Ok(()) } else { Err(HeadError::Host) }
}

/// A host and perhaps a port; empty for a target without one.
fn is_host(value: &HeaderValue) -> bool {
    let bytes = value.as_bytes();
    bytes.is_empty() || is_plain(bytes) || (!bytes.contains(&b'@') && Authority::try_from(bytes).is_ok())
}

/// As nearly all are, and quickly seen: a name or an IPv4 address, and perhaps a port.
fn is_plain(host: &[u8]) -> bool {
    let mut parts = host.splitn(2, |byte| *byte == b':');
    let is_name = |part: &[u8]| part.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
    let is_port = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    parts.next().is_some_and(|name| !name.is_empty() && is_name(name)) && parts.next().is_none_or(is_port)
}

/// The request that a head would have made, as far as its first line can be read; without headers and body.
pub(super) fn rebuild(line: &[u8], error: HeadError) -> Request {
    let mut words = line.split(u8::is_ascii_whitespace);
    let method = words.next().and_then(|word| Method::from_bytes(word).ok()).unwrap_or_default();
    let mut request = Request::new(Body::empty());
    *request.method_mut() = method;
    *request.uri_mut() = path(words.next().unwrap_or_default());
    request.extensions_mut().insert(error);
    request
}

/// The path of a request's target, up to what cannot be in one.
fn path(target: &[u8]) -> Uri {
    let plain = |byte: &u8| byte.is_ascii_graphic() && !b"?#\"<>\\^`{|}".contains(byte);
    let length = target.iter().take_while(|byte| plain(byte)).count();
    let target = &target[..length];
    // The absolute form has a scheme and an authority before it (RFC 9112, 3.2.2).
    let scheme = target.windows(3).position(|three| three == b"://").filter(|_| !target.starts_with(b"/"));
    let authority = scheme.map_or(0, |at| at + 3);
    let start = target[authority..].iter().position(|byte| *byte == b'/').map(|at| authority + at);
    start.and_then(|start| Uri::try_from(&target[start..]).ok()).unwrap_or_default()
}
