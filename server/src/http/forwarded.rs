//! Who the client is when a proxy stands in front: the one place that reads forwarded headers, and only from trusted peers.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, header};

use crate::config::kinds::{ForwardedHeader, Networks};

/// More hops than any honest chain has.
const MOST_HOPS: usize = 32;

/// The proxies that are believed, and the header that they write.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    /// The networks of the proxies.
    pub trusted: Networks,
    /// Which header counts; the other is passed on unread by a proxy that does not know it, so anybody can write it.
    pub header: ForwardedHeader,
}

impl Proxies {
    /// The address of the client: that of the peer, unless the peer is a trusted proxy that names another. The chain is walked from
    /// its end, where the nearest proxy wrote, over trusted proxies to the first address that is none. What cannot be read
    /// before that address is found makes the peer count, and false says that it is not known to be the client's.
    #[must_use]
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> (IpAddr, bool) {
        let peer = peer.to_canonical();
        if !self.trusted.contains(peer) {
            return (peer, true);
        }
        self.named(headers).map_or((peer, false), |client| (client, true))
    }

    fn named(&self, headers: &HeaderMap) -> Option<IpAddr> {
        let name = match self.header {
            ForwardedHeader::XForwardedFor => header::HeaderName::from_static("x-forwarded-for"),
            ForwardedHeader::Forwarded => header::FORWARDED,
        };
        let lines: Vec<&str> = headers.get_all(name).iter().map(|value| value.to_str().ok()).collect::<Option<_>>()?;
        let mut furthest = None;
        for element in lines.iter().rev().flat_map(|line| line.rsplit(',')).take(MOST_HOPS) {
            let address = match self.header {
                ForwardedHeader::XForwardedFor => node(element.trim())?,
                ForwardedHeader::Forwarded => node(forwarded_for(element)?)?,
            };
            furthest = Some(address);
            if !self.trusted.contains(address) {
                break;
            }
        }
        furthest
    }
}

/// The `for` parameter of one element of `Forwarded` (RFC 7239, section 4), without its quotes. A comma or semicolon inside quotes
/// makes the element unreadable, and no address has one.
fn forwarded_for(element: &str) -> Option<&str> {
    let mut values = element.split(';').filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then(|| value.trim())
    });
    let value = values.next().filter(|_| values.next().is_none())?;
    match value.strip_prefix('"') {
        Some(quoted) => quoted.strip_suffix('"'),
        None => Some(value),
    }
}

/// An address, perhaps with a port, an IPv6 address perhaps in brackets.
fn node(text: &str) -> Option<IpAddr> {
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<IpAddr>().ok().filter(IpAddr::is_ipv6);
    let address = text.parse::<IpAddr>().ok().or_else(bracketed).or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()))?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;
    use crate::config::setting::{Raw, Setting as _};

    fn client(header: ForwardedHeader, peer: &str, lines: &[(&'static str, &[u8])]) -> String {
        let trusted = Networks::read(&Raw::Text("10.0.0.0/8,fd00::/8")).expect("networks");
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_bytes(value).expect("a value"));
        }
        Proxies { trusted, header }.client(peer.parse().expect("a peer"), &headers).0.to_string()
    }

    #[test]
    fn x_forwarded_for() {
        for (peer, lines, expected) in [
            ("192.0.2.1", &["203.0.113.9"][..], "192.0.2.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["203.0.113.9"], "203.0.113.9"),
            ("::ffff:10.0.0.1", &["203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["203.0.113.9:4711"], "203.0.113.9"),
            ("10.0.0.1", &["[2001:db8::1]:443"], "2001:db8::1"),
            ("10.0.0.1", &["[2001:db8::1]"], "2001:db8::1"),
            ("10.0.0.1", &["2001:db8::1"], "2001:db8::1"),
            ("10.0.0.1", &["::ffff:203.0.113.9"], "203.0.113.9"),
            // What the client wrote itself stands to the left of what the proxy saw.
            ("10.0.0.1", &["127.0.0.1, 203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["garbage, 203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["127.0.0.1", "203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["203.0.113.9, 10.0.0.2,10.0.0.3"], "203.0.113.9"),
            ("10.0.0.1", &["203.0.113.9", "10.0.0.2"], "203.0.113.9"),
            ("10.0.0.1", &["10.0.0.7, 10.0.0.2"], "10.0.0.7"),
            ("10.0.0.1", &["203.0.113.9, garbage"], "10.0.0.1"),
            ("10.0.0.1", &["203.0.113.9,"], "10.0.0.1"),
            ("10.0.0.1", &["203.0.113.9, unknown, 10.0.0.2"], "10.0.0.1"),
            ("10.0.0.1", &["[203.0.113.9]"], "10.0.0.1"),
            ("10.0.0.1", &["203.0.113.9 192.0.2.1"], "10.0.0.1"),
            ("10.0.0.1", &[""], "10.0.0.1"),
            ("10.0.0.1", &["203.0.113.9", "\u{e9}"], "10.0.0.1"),
        ] {
            let lines: Vec<_> = lines.iter().map(|line| ("x-forwarded-for", line.as_bytes())).collect();
            assert_eq!(client(ForwardedHeader::XForwardedFor, peer, &lines), expected, "{peer} {lines:?}");
        }
    }

    #[test]
    fn forwarded() {
        for (line, expected) in [
            ("for=203.0.113.9", "203.0.113.9"),
            ("For=\"[2001:db8::1]:4711\";proto=https;by=10.0.0.1", "2001:db8::1"),
            ("for=127.0.0.1, proto=https; for=203.0.113.9 , for=10.0.0.2", "203.0.113.9"),
            ("for=unknown", "10.0.0.1"),
            ("for=_hidden", "10.0.0.1"),
            ("for=203.0.113.9;for=127.0.0.1", "10.0.0.1"),
            ("proto=https", "10.0.0.1"),
            ("for=\"203.0.113.9", "10.0.0.1"),
            ("", "10.0.0.1"),
        ] {
            assert_eq!(client(ForwardedHeader::Forwarded, "10.0.0.1", &[("forwarded", line.as_bytes())]), expected, "{line}");
        }
    }

    #[test]
    fn the_other_header_is_nothing() {
        let (one, other): ((_, &[u8]), (_, &[u8])) = (("forwarded", b"for=127.0.0.1"), ("x-forwarded-for", b"127.0.0.1"));
        assert_eq!(client(ForwardedHeader::XForwardedFor, "10.0.0.1", &[one]), "10.0.0.1");
        assert_eq!(client(ForwardedHeader::Forwarded, "10.0.0.1", &[other]), "10.0.0.1");
    }

    #[test]
    fn endless_chains_end() {
        let line = "10.0.0.2,".repeat(10_000) + "10.0.0.2";
        assert_eq!(client(ForwardedHeader::XForwardedFor, "10.0.0.1", &[("x-forwarded-for", line.as_bytes())]), "10.0.0.2");
    }
}
