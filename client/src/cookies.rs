//! The cookies of one host, for APIs whose session is one.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use reqwest::header::{HeaderMap, HeaderValue, SET_COOKIE};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::error::Invalid;
use crate::secret;

/// Nobody sends as many honestly.
const MOST: usize = 32;

/// What one host has set (RFC 6265). A client talks to one base URL, so `Domain` and `Path` decide nothing here; `Secure` does, and a cookie
/// is gone when it is set with nothing in it or with no time to live.
#[derive(Default)]
pub(crate) struct Jar(Mutex<Vec<Cookie>>);

struct Cookie {
    name: String,
    value: SecretString,
    secure: bool,
}

impl Jar {
    fn open(&self) -> MutexGuard<'_, Vec<Cookie>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what an answer sets.
    pub(crate) fn take(&self, headers: &HeaderMap) {
        for line in headers.get_all(SET_COOKIE).iter().filter_map(|line| line.to_str().ok()) {
            let mut parts = line.split(';').map(str::trim);
            let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { continue };
            let attributes: Vec<_> = parts.map(str::to_ascii_lowercase).collect();
            let secure = attributes.iter().any(|attribute| attribute == "secure");
            let over = attributes.iter().any(|attribute| is_over(attribute)) || value.is_empty();
            self.put(name, if over { None } else { Some(value.into()) }, secure);
        }
    }

    /// Puts a cookie in the place of the one of its name, or takes that away.
    pub(crate) fn put(&self, name: &str, value: Option<SecretString>, secure: bool) {
        let mut cookies = self.open();
        cookies.retain(|cookie| cookie.name != name);
        if let Some(value) = value
            && cookies.len() < MOST
        {
            cookies.push(Cookie { name: name.to_owned(), value, secure });
        }
    }

    /// What goes to `url`, as the header `Cookie`.
    pub(crate) fn header(&self, url: &Url) -> Result<Option<HeaderValue>, Invalid> {
        let cookies = self.open();
        let sent = cookies.iter().filter(|cookie| !cookie.secure || url.scheme() == "https");
        let pairs: Vec<_> = sent.map(|cookie| format!("{}={}", cookie.name, cookie.value.expose_secret())).collect();
        if pairs.is_empty() { Ok(None) } else { secret::header("cookie", &pairs.join("; ")).map(Some) }
    }

    /// The value of a cookie.
    pub(crate) fn get(&self, name: &str) -> Option<SecretString> {
        self.open().iter().find(|cookie| cookie.name == name).map(|cookie| cookie.value.clone())
    }
}

/// Whether an attribute, in lower case, says that the cookie is over. `Expires` is believed only where it is the past for certain.
fn is_over(attribute: &str) -> bool {
    match attribute.split_once('=') {
        Some(("max-age", seconds)) => seconds.parse::<i64>().is_ok_and(|seconds| seconds <= 0),
        Some(("expires", date)) => date.contains(" 1970 ") || date.contains("-1970 "),
        _ => false,
    }
}

/// Names, never values.
impl fmt::Debug for Jar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.open().iter().map(|cookie| &cookie.name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(jar: &Jar, url: &str) -> Option<String> {
        let header = jar.header(&url.parse().expect("a URL")).expect("a header");
        header.map(|value| value.to_str().expect("ASCII").to_owned())
    }

    fn take(jar: &Jar, lines: &[&'static str]) {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(SET_COOKIE, HeaderValue::from_static(line));
        }
        jar.take(&headers);
    }

    #[test]
    fn cookies_come_back_until_they_are_over() {
        let jar = Jar::default();
        assert_eq!(sent(&jar, "http://a.example"), None);
        take(&jar, &["id=one; Path=/; Max-Age=60; HttpOnly", "b=x=y", "nonsense", ""]);
        assert_eq!(sent(&jar, "http://a.example").as_deref(), Some("id=one; b=x=y"));
        take(&jar, &["id=two"]);
        assert_eq!(sent(&jar, "http://a.example").as_deref(), Some("b=x=y; id=two"));
        take(&jar, &["b=; Max-Age=60"]);
        take(&jar, &["id=gone; Max-Age=0"]);
        assert_eq!(sent(&jar, "http://a.example"), None);
        take(&jar, &["id=three", "id=gone; Expires=Thu, 01 Jan 1970 00:00:00 GMT"]);
        assert_eq!(sent(&jar, "http://a.example"), None);
    }

    #[test]
    fn a_secure_cookie_goes_over_https_alone() {
        let jar = Jar::default();
        take(&jar, &["id=one; Secure"]);
        assert_eq!(sent(&jar, "http://a.example"), None);
        assert_eq!(sent(&jar, "https://a.example").as_deref(), Some("id=one"));
    }

    #[test]
    fn nothing_shows_a_value() {
        let jar = Jar::default();
        take(&jar, &["id=hidden"]);
        let header = jar.header(&"http://a.example".parse().expect("a URL")).expect("a header");
        let shown = format!("{jar:?} {header:?}");
        assert!(shown.contains("id") && !shown.contains("hidden"), "{shown}");
    }

    #[test]
    fn a_jar_does_not_grow_without_end() {
        let jar = Jar::default();
        for number in 0..100 {
            jar.put(&number.to_string(), Some("x".into()), false);
        }
        assert_eq!(jar.open().len(), MOST);
    }
}
