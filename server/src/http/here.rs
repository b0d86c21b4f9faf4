//! Whether a request comes from a browser on this machine, and nothing stands between: for what is for the person at the machine alone.

use std::net::IpAddr;

use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{Version, header};

use crate::config::url::is_loopback;

/// What proxies add. One is enough: the request is somebody else's.
const OF_PROXIES: [&str; 7] =
    ["forwarded", "via", "x-real-ip", "x-client-ip", "x-original-host", "true-client-ip", "cf-connecting-ip"];
const OF_PROXIES_PREFIX: &str = "x-forwarded";

/// Whether it does. The peer is a loopback address; the host that is asked for is a name of such an address, so that no page of another
/// site reads the answer by having its own name lead here (DNS rebinding); no proxy has left a trace, HTTP/1.0 among them, which nginx
/// speaks unless told otherwise.
#[must_use]
pub fn is_here(peer: Option<IpAddr>, parts: &Parts) -> bool {
    let near = peer.is_some_and(|peer| peer.to_canonical().is_loopback());
    let proxied = parts.version < Version::HTTP_11
        || parts.headers.keys().any(|name| OF_PROXIES.contains(&name.as_str()) || name.as_str().starts_with(OF_PROXIES_PREFIX));
    near && !proxied && names_this_machine(parts)
}

/// Every host that the request names, and it names one.
fn names_this_machine(parts: &Parts) -> bool {
    let named = parts.headers.get_all(header::HOST).iter().map(|value| value.to_str().ok().and_then(|text| text.parse().ok()));
    let mut hosts: Vec<Option<Authority>> = named.collect();
    hosts.extend(parts.uri.authority().cloned().map(Some));
    let ours = |host: &Authority| !host.as_str().contains('@') && is_loopback(host.host());
    !hosts.is_empty() && hosts.iter().all(|host| host.as_ref().is_some_and(ours))
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn asked(peer: &str, uri: &str, version: Version, headers: &[(&str, &str)]) -> bool {
        let request = headers
            .iter()
            .fold(Request::builder().uri(uri).version(version), |request, (name, value)| request.header(*name, *value));
        is_here(peer.parse().ok(), &request.body(()).expect("a request").into_parts().0)
    }

    #[test]
    fn the_host_is_a_name_of_this_machine() {
        for (host, here) in [
            ("localhost", true),
            ("localhost:8080", true),
            ("LOCALHOST:8080", true),
            ("login.localhost:8080", true),
            ("127.0.0.1:8080", true),
            ("127.8.9.10", true),
            ("[::1]:8080", true),
            ("", false),
            ("evil.example", false),
            ("evil.example:8080", false),
            ("localhost.evil.example", false),
            ("evil-localhost", false),
            ("127.0.0.1.evil.example", false),
            ("localhost@evil.example", false),
            ("evil.example@localhost", false),
            ("0.0.0.0:8080", false),
            ("192.0.2.1", false),
            ("[::]:8080", false),
            ("localhost/evil", false),
        ] {
            assert_eq!(asked("127.0.0.1", "/", Version::HTTP_11, &[("host", host)]), here, "{host}");
        }
        assert!(!asked("127.0.0.1", "/", Version::HTTP_11, &[]));
        assert!(!asked("127.0.0.1", "/", Version::HTTP_11, &[("host", "localhost"), ("host", "evil.example")]));
        assert!(!asked("127.0.0.1", "http://evil.example/", Version::HTTP_11, &[("host", "localhost")]));
        assert!(asked("127.0.0.1", "http://localhost/", Version::HTTP_2, &[]));
    }

    #[test]
    fn nothing_stands_between() {
        let host = ("host", "localhost");
        for (peer, here) in [("127.0.0.1", true), ("::1", true), ("::ffff:127.0.0.1", true), ("192.0.2.1", false), ("", false)] {
            assert_eq!(asked(peer, "/", Version::HTTP_11, &[host]), here, "{peer}");
        }
        for name in ["forwarded", "via", "x-real-ip", "x-forwarded-for", "X-Forwarded-Host", "x-forwarded-proto"] {
            assert!(!asked("127.0.0.1", "/", Version::HTTP_11, &[host, (name, "")]), "{name}");
        }
        assert!(!asked("127.0.0.1", "/", Version::HTTP_10, &[host]));
    }
}
