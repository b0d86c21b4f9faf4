//! Where a visitor goes after signing in: the one place that decides where we may send them.

use std::fmt::Write as _;

use serde::Serialize;
use url::Url;

use crate::config::forward::Origins;
use crate::config::url::PublicUrl;

/// A place at the public URL, or at an origin that the operator lists: what a `Location` may safely say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReturnTo(String);

/// Longer places are nobody's.
const LONGEST: usize = 2_048;

impl ReturnTo {
    /// Reads a path of the public URL, or a whole URL. `None` for all that a browser could read as somewhere else.
    /// So is a path below one of `apis`: some of their prescribed GETs have an effect, such as signing out.
    pub(super) fn parse(text: &str, public: &PublicUrl, others: &Origins, apis: &[&str]) -> Option<Self> {
        // Browsers drop tabs and line breaks, and take a backslash for a slash. What is left is what it looks like.
        let plain = text.len() <= LONGEST && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        if !plain {
            return None;
        }
        let known = |origin: &str| PublicUrl::parse(origin).filter(|origin| origin == public || others.contains(origin));
        let (url, read) = if text.starts_with('/') && !text.starts_with("//") {
            (Url::parse(public.origin()).ok()?.join(text).ok()?, true)
        } else {
            let url = Url::parse(text).ok()?;
            let origin = known(&url.origin().ascii_serialization())?;
            // Written as the browser will read it: the origin, then nothing or a path, a query or a fragment.
            let rest = text.strip_prefix(origin.origin())?;
            (url, rest.is_empty() || rest.starts_with(['/', '?', '#']))
        };
        let origin = url.origin().ascii_serialization();
        let ours = origin == public.origin();
        let of_an_api = ours && apis.iter().any(|api| is_below(url.path(), api));
        (read && (ours || known(&origin).is_some()) && !of_an_api).then(|| Self(text.to_owned()))
    }

    /// The place.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a path, its dots resolved, is a prefix of an API or below it.
fn is_below(path: &str, api: &str) -> bool {
    path.strip_prefix(api).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A URL of ours with pairs in its query.
pub(super) fn with_query(path: &str, pairs: &[(&str, &str)]) -> String {
    let mut url = path.to_owned();
    for (place, (name, value)) in pairs.iter().enumerate() {
        let value: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
        // Writing to a string cannot fail.
        let _ = write!(url, "{}{name}={value}", if place == 0 { '?' } else { '&' });
    }
    url
}

/// A page of ours with what was typed there into a form of texts, so that a new sign-in does not lose it; without, if that is too long to
/// come back to.
pub(super) fn with_typed(path: &str, form: &impl Serialize) -> String {
    let fields = serde_json::to_value(form).unwrap_or_default();
    let pairs = fields.as_object().into_iter().flatten();
    let pairs: Vec<_> = pairs.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?))).collect();
    let place = with_query(path, &pairs);
    if place.len() > LONGEST { path.to_owned() } else { place }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::setting::{Raw, Setting as _};

    fn reads(text: &str) -> bool {
        let public = PublicUrl::parse("https://login.example.org").unwrap();
        let others = Origins::read(&Raw::Text("https://app.example.org,http://localhost:3000")).unwrap();
        ReturnTo::parse(text, &public, &others, &["/api/v1", "/login"]).is_some()
    }

    #[test]
    fn places_of_ours() {
        for text in [
            "/",
            "/account",
            "/account?name=a%20b&x=1#keys",
            "/@evil.example",
            "/a//b",
            "/api/v10",
            "/api/",
            "/?/api/v1",
            "https://app.example.org/api/v1/auth/logout",
            "/%2F/evil.example",
            "/?u=https://evil.example",
            "https://login.example.org",
            "https://login.example.org/account",
            "https://login.example.org?x",
            "https://app.example.org/a?b#c",
            "http://localhost:3000/",
        ] {
            assert!(reads(text), "{text}");
        }
    }

    #[test]
    fn places_of_others() {
        for text in [
            "",
            " ",
            "account",
            "?x",
            "#x",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "\\/evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "\t//evil.example",
            " //evil.example",
            "/a\r\nSet-Cookie: x=y",
            "/\u{2025}evil",
            "/\u{ff0f}evil.example",
            "https:evil.example",
            "https:/evil.example",
            "https:///evil.example",
            "https:\\\\evil.example",
            "https://evil.example",
            "https://evil.example/https://login.example.org/",
            "https://login.example.org@evil.example/",
            "https://login.example.org:x@evil.example/",
            "https://user@login.example.org/",
            "https://login.example.org:443@evil.example",
            "https://login.example.org.evil.example/",
            "https://login.example.org%2eevil.example/",
            "https://login.example.org%00.evil.example/",
            "https://login.example.org\\.evil.example/",
            "https://login.example.org:444/",
            "https://login.example.org:0443/",
            "http://login.example.org/",
            "HTTPS://login.example.org/",
            "https://LOGIN.example.org/",
            "//login.example.org/account",
            "%2F%2Fevil.example",
            "%68ttps://evil.example",
            "https%3A//evil.example",
            "http://app.example.org/",
            "https://app.example.org:8443/",
            "https://sub.app.example.org/",
            "http://localhost:3001/",
            "http://localhost/",
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "javascript://login.example.org/%0aalert(1)",
            "data:text/html,x",
            "blob:https://login.example.org/x",
            "filesystem:https://login.example.org/x",
            "view-source:https://login.example.org/",
            "ftp://login.example.org/",
            "file:///etc/passwd",
            "about:blank",
            "/api/v1",
            "/api/v1/auth/logout",
            "/login?x",
            "/x/../api/v1/auth/logout",
            "/./api/v1/auth/logout",
            "/x/%2e%2E/api/v1/auth/logout",
            "https://login.example.org/api/v1/auth/logout",
            "https://login.example.org/x/../login#x",
        ] {
            assert!(!reads(text), "{text:?}");
        }
        assert!(!reads(&format!("/{}", "x".repeat(LONGEST))));
    }

    #[test]
    fn what_goes_into_a_query_stays_one_value() {
        let url = with_query("/sign-in", &[("return_to", "/a?b=c&d#e f"), ("again", "yes")]);
        assert_eq!(url, "/sign-in?return_to=%2Fa%3Fb%3Dc%26d%23e+f&again=yes");
    }

    #[test]
    fn what_was_typed_comes_along_unless_it_is_too_long_to_come_back_to() {
        assert_eq!(
            with_typed("/account/profile", &serde_json::json!({"first_name": "Zoë", "last_name": ""})),
            "/account/profile?first_name=Zo%C3%AB&last_name="
        );
        let long = "x".repeat(LONGEST);
        assert_eq!(with_typed("/x", &serde_json::json!({"name": long})), "/x");
    }
}
