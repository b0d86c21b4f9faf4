//! The request that a proxy asks about (forward authentication), as the proxy's headers tell of it.
//!
//! Who may go on is decided by the session alone; of this, the address to come back to is made. Still, what two readers could read in
//! two ways is refused: that proxy and application disagree about a URL is how forward authentication has been got around.

use axum::http::{HeaderMap, HeaderName};

use crate::config::url::PublicUrl;

const METHOD: HeaderName = HeaderName::from_static("x-forwarded-method");
const SCHEME: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const TARGET: HeaderName = HeaderName::from_static("x-forwarded-uri");
const URL: HeaderName = HeaderName::from_static("x-original-url");

/// What is wrong: to stand in an answer, so it names a header and quotes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

/// What a proxy says of the request that it asks about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Original {
    /// Whether it only reads, as far as the proxy says.
    pub safe: bool,
    /// What the proxy does with an answer that is no yes; `None` if it names no URL.
    pub relays: Option<Relays>,
    /// The URL, if all of it was told.
    pub url: Option<OriginalUrl>,
}

/// What a proxy does with an answer that is no yes. It shows by the header in which it names the URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relays {
    /// Hands it to the client as it is: `X-Forwarded-Uri`.
    Whole,
    /// Knows 401 and 403 only, and takes anything else for a failure: `X-Original-URL`.
    Status,
}

/// An absolute URL without ambiguities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginalUrl {
    /// Scheme, host and port.
    pub origin: PublicUrl,
    /// Path and query, as they were sent.
    pub target: String,
}

/// Reads what a proxy says. The caller knows that it comes from one of ours.
///
/// # Errors
/// [`Malformed`]: a header is given twice, is not of its form, or contradicts another.
pub fn read(headers: &HeaderMap) -> Result<Original, Malformed> {
    let method = one(headers, &METHOD, method, "X-Forwarded-Method is not one method")?;
    let scheme = one(headers, &SCHEME, scheme, "X-Forwarded-Proto is not one of http and https")?;
    let host = one(headers, &HOST, host, "X-Forwarded-Host is not one host")?;
    let target = one(headers, &TARGET, target, "X-Forwarded-Uri is not one plain path and query")?;
    let whole = one(headers, &URL, whole, "X-Original-URL is not one plain URL")?;
    let relays = match (&whole, target) {
        (Some(_), _) => Some(Relays::Status),
        (None, Some(_)) => Some(Relays::Whole),
        (None, None) => None,
    };
    let url = match whole {
        Some(whole) if agrees(&whole, scheme, host, target) => Some(whole),
        Some(_) => return Err(Malformed("X-Original-URL and X-Forwarded-* do not name the same URL")),
        None => match (scheme, host, target) {
            (Some(scheme), Some(host), Some(target)) => Some(OriginalUrl {
                origin: origin(scheme, host).ok_or(Malformed("X-Forwarded-Host is not one host"))?,
                target: target.to_owned(),
            }),
            _ => None,
        },
    };
    Ok(Original { safe: method.is_none_or(|method| matches!(method, "GET" | "HEAD")), relays, url })
}

/// The value of a header that may be given once, or not at all.
fn one<'a, T>(
    headers: &'a HeaderMap,
    name: &HeaderName,
    parse: impl FnOnce(&'a str) -> Option<T>,
    problem: &'static str,
) -> Result<Option<T>, Malformed> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().ok().filter(|_| values.next().is_none());
    text.and_then(parse).map(Some).ok_or(Malformed(problem))
}

fn method(text: &str) -> Option<&str> {
    let right = (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
    right.then_some(text)
}

/// `ws` and `wss` are what some proxies call the scheme of a request that becomes a WebSocket.
fn scheme(text: &str) -> Option<&'static str> {
    match text {
        "http" | "ws" => Some("http"),
        "https" | "wss" => Some("https"),
        _ => None,
    }
}

/// A host and perhaps a port, of characters that no parser of URLs takes for anything else.
fn host(text: &str) -> Option<&str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    (!text.is_empty() && text.bytes().all(plain) && origin("http", text).is_some()).then_some(text)
}

fn origin(scheme: &str, host: &str) -> Option<PublicUrl> {
    PublicUrl::parse(&format!("{scheme}://{host}"))
}

fn whole(text: &str) -> Option<OriginalUrl> {
    let (before, rest) = text.split_once("://")?;
    let (authority, path) = rest.split_at(rest.find('/')?);
    let origin = origin(scheme(before)?, host(authority)?)?;
    Some(OriginalUrl { origin, target: target(path)?.to_owned() })
}

/// Whether what else was told is true of the URL.
fn agrees(whole: &OriginalUrl, scheme: Option<&str>, host: Option<&str>, target: Option<&str>) -> bool {
    let own = if whole.origin.is_https() { "https" } else { "http" };
    let scheme = scheme.unwrap_or(own);
    scheme == own
        && host.is_none_or(|host| origin(scheme, host).as_ref() == Some(&whole.origin))
        && target.is_none_or(|target| target == whole.target)
}

/// A path and perhaps a query (RFC 9112, 3.2.1), with what browsers send unescaped though RFC 3986 would have it escaped.
fn target(text: &str) -> Option<&str> {
    let (path, query) = text.split_once('?').map_or((text, None), |(path, query)| (path, Some(query)));
    (is_plain_path(path) && query.is_none_or(is_plain_query)).then_some(text)
}

/// Every way to write a separator, a dot or a control character so that one reader sees it and another does not, is none.
fn is_plain_path(path: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"\"#<>\\`{}".contains(&byte);
    let Some((text, escapes)) = path.bytes().all(plain).then(|| unescape(path)).flatten() else { return false };
    path.starts_with('/')
        && !path.starts_with("//")
        && !escapes.iter().any(|byte| byte.is_ascii_control() || b"./\\".contains(byte))
        // Whoever unescapes once more must find nothing more.
        && !text.split('%').skip(1).any(|part| escape(part).is_some())
        && !path.split('/').any(|segment| matches!(segment.split(';').next(), Some("." | "..")))
}

fn is_plain_query(query: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"\"#<>".contains(&byte);
    query.bytes().all(plain) && escaped(query).is_some_and(|pieces| pieces.iter().all(|(byte, _)| *byte != 0))
}

/// The text without escapes, and the bytes that were escaped; `None` if it is not well formed or not UTF-8.
fn unescape(text: &str) -> Option<(String, Vec<u8>)> {
    let pieces = escaped(text)?;
    let mut bytes = text.split('%').next().unwrap_or_default().as_bytes().to_vec();
    for (byte, rest) in &pieces {
        bytes.push(*byte);
        bytes.extend_from_slice(rest.as_bytes());
    }
    Some((String::from_utf8(bytes).ok()?, pieces.into_iter().map(|(byte, _)| byte).collect()))
}

/// Each escaped byte with what follows it up to the next; `None` where a `%` begins no escape.
fn escaped(text: &str) -> Option<Vec<(u8, &str)>> {
    text.split('%').skip(1).map(escape).collect()
}

/// The byte whose escape (RFC 3986, 2.1) goes on with this after its `%`, and the rest.
fn escape(part: &str) -> Option<(u8, &str)> {
    let (digits, rest) = part.split_at_checked(2)?;
    let digits = Some(digits).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    Some((u8::from_str_radix(digits, 16).ok()?, rest))
}

#[cfg(test)]
mod tests;
