//! The own-origin rule: a state-changing call that a browser sends with our cookie must come from our own pages.

use axum::http::{HeaderMap, header};

use crate::config::url::PublicUrl;

/// A browser on another site sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Foreign;

/// Checks `Sec-Fetch-Site` and `Origin` of a state-changing call, whatever its method: some APIs prescribe a GET for it. `cookie` says
/// whether a session cookie came along, or would be set; without one there is nothing to abuse. A call with neither header is no
/// browser's.
///
/// # Errors
/// [`Foreign`] when any such header names another site.
pub fn check(headers: &HeaderMap, cookie: bool, public: &PublicUrl) -> Result<(), Foreign> {
    if !cookie {
        return Ok(());
    }
    let ours = |value: &[u8]| value == public.origin().as_bytes();
    let same = |value: &[u8]| matches!(value, b"same-origin" | b"none");
    let origins = headers.get_all(header::ORIGIN).iter().all(|value| ours(value.as_bytes()));
    let sites = headers.get_all("sec-fetch-site").iter().all(|value| same(value.as_bytes()));
    if origins && sites { Ok(()) } else { Err(Foreign) }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn table() {
        let ours = "https://login.example.org";
        let public = PublicUrl::parse(ours).expect("a URL");
        for (origin, site, fine) in [
            (&[][..], &[][..], true),
            (&[ours], &[], true),
            (&[ours], &["same-origin"], true),
            (&[], &["same-origin"], true),
            (&[], &["none"], true),
            (&[], &["same-site"], false),
            (&[], &["cross-site"], false),
            (&[], &["Same-Origin"], false),
            (&[], &[""], false),
            (&[ours], &["cross-site"], false),
            (&[ours], &["same-origin", "cross-site"], false),
            (&["null"], &["same-origin"], false),
            (&["null"], &[], false),
            (&[""], &[], false),
            (&["https://evil.example"], &[], false),
            (&["https://evil.example"], &["same-origin"], false),
            (&[ours, "https://evil.example"], &[], false),
            (&["http://login.example.org"], &[], false),
            (&["https://login.example.org:444"], &[], false),
            (&["https://login.example.org/"], &[], false),
            (&["https://login.example.org.evil.example"], &[], false),
            (&["\u{e9}"], &[], false),
        ] {
            let mut headers = HeaderMap::new();
            for value in origin {
                headers.append(header::ORIGIN, HeaderValue::from_bytes(value.as_bytes()).expect("a value"));
            }
            for value in site {
                headers.append("sec-fetch-site", HeaderValue::from_static(value));
            }
            assert_eq!(check(&headers, true, &public).is_ok(), fine, "{origin:?} {site:?}");
            assert_eq!(check(&headers, false, &public), Ok(()));
        }
    }
}
