//! A call before it is sent.

use std::fmt;

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use url::Url;

use crate::error::Invalid;

/// Whether a call may be sent again when nothing is known of what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Twice is as good as once (RFC 9110, section 9.2.2).
    Idempotent,
    /// It spends, mails or makes something.
    Never,
}

/// A call under construction. Its body, which `Debug` leaves out, may hold secrets.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    path: Vec<String>,
    query: Vec<(&'static str, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<String>,
    pub(crate) repeat: Repeat,
}

impl Request {
    fn new(method: Method, path: &str, repeat: Repeat) -> Self {
        let path = path.split('/').map(str::to_owned).collect();
        Self { method, path, query: Vec::new(), headers: HeaderMap::new(), body: None, repeat }
    }

    /// A GET that only reads.
    pub(crate) fn get(path: &str) -> Self {
        Self::new(Method::GET, path, Repeat::Idempotent)
    }

    /// A GET that does something.
    pub(crate) fn get_with_effect(path: &str) -> Self {
        Self::new(Method::GET, path, Repeat::Never)
    }

    pub(crate) fn post(path: &str) -> Self {
        Self::new(Method::POST, path, Repeat::Never)
    }

    /// A PUT that spends what it names, and so is not to be sent twice.
    pub(crate) fn put_once(path: &str) -> Self {
        Self::new(Method::PUT, path, Repeat::Never)
    }

    pub(crate) fn patch(path: &str) -> Self {
        Self::new(Method::PATCH, path, Repeat::Never)
    }

    pub(crate) fn delete(path: &str) -> Self {
        Self::new(Method::DELETE, path, Repeat::Idempotent)
    }

    /// A POST or PATCH that sets something to a value, however often.
    pub(crate) fn idempotent(mut self) -> Self {
        self.repeat = Repeat::Idempotent;
        self
    }

    /// One more part of the path; whatever is in it stays in that part.
    pub(crate) fn part(mut self, part: impl Into<String>) -> Self {
        self.path.push(part.into());
        self
    }

    pub(crate) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// # Errors
    /// What cannot be written as JSON.
    pub(crate) fn json(mut self, body: &impl Serialize) -> Result<Self, Invalid> {
        self.body = Some(serde_json::to_string(body).map_err(|error| Invalid::new("body", error.to_string()))?);
        Ok(self.header(CONTENT_TYPE, HeaderValue::from_static("application/json")))
    }

    pub(crate) fn form(mut self, fields: &[(&str, &str)]) -> Self {
        self.body = Some(url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish());
        self.header(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"))
    }

    /// # Errors
    /// A part of the path that would make it another path: nothing, `.` or `..`.
    pub(crate) fn url(&self, base: &Url) -> Result<Url, Invalid> {
        if self.path.iter().any(|part| matches!(part.as_str(), "" | "." | "..")) {
            return Err(Invalid::new("path", "a name, an id or a code must be something else than nothing or dots"));
        }
        let mut url = base.clone();
        url.path_segments_mut().map_err(|()| Invalid::new("host", "it has no path"))?.pop_if_empty().extend(&self.path);
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        Ok(url)
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("method", &self.method).finish_non_exhaustive()
    }
}

/// Reads where an API is.
///
/// # Errors
/// What is no `http://…` or `https://…`, or has more in it than host, port and path.
pub(crate) fn base(host: &str) -> Result<Url, Invalid> {
    let wrong = || Invalid::new("host", "it must be a URL such as https://login.example.com, without user, query and fragment");
    let url = Url::parse(host).map_err(|_| wrong())?;
    let bare = url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    if matches!(url.scheme(), "http" | "https") && url.has_host() && bare { Ok(url) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(host: &str, request: &Request) -> Option<String> {
        Some(request.url(&base(host).ok()?).ok()?.to_string())
    }

    #[test]
    fn urls() {
        let plain = || Request::get("log_in");
        for (host, wanted) in [
            ("https://a.example", "https://a.example/log_in"),
            ("https://a.example/", "https://a.example/log_in"),
            ("http://a.example:8080/v1", "http://a.example:8080/v1/log_in"),
            ("http://a.example/v1/", "http://a.example/v1/log_in"),
        ] {
            assert_eq!(at(host, &plain()).as_deref(), Some(wanted));
        }
        for host in
            ["", "a.example", "ftp://a.example", "https://u:p@a.example", "https://a.example?x", "https://a.example#x", "data:x"]
        {
            assert_eq!(at(host, &plain()), None, "{host}");
        }
    }

    #[test]
    fn a_part_stays_a_part() {
        let url = |part: &str| at("http://a.example/v1", &Request::get("p").part(part).part("end"));
        assert_eq!(url("a/../b?c#d%2e").as_deref(), Some("http://a.example/v1/p/a%2F..%2Fb%3Fc%23d%252e/end"));
        assert_eq!(url("ä@x.example").as_deref(), Some("http://a.example/v1/p/%C3%A4@x.example/end"));
        for part in ["", ".", ".."] {
            assert_eq!(url(part), None, "{part}");
        }
        let query = at("http://a.example", &Request::get("p").query("username", "a&b=c d"));
        assert_eq!(query.as_deref(), Some("http://a.example/p?username=a%26b%3Dc+d"));
    }
}
