//! What core is told of a request: made here once for each, from the clock, the entropy and the connection.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::{Parts, Request};
use axum::http::{HeaderMap, StatusCode, header};
use uuid::Uuid;
use uuid::fmt::Simple;

use super::forwarded::Proxies;
use crate::core::Fault;
use crate::core::call::{Call, Origin};
use crate::core::clock::Clock;
use crate::core::entropy::Randomness;

/// The dialect of a request that no dialect has claimed.
pub const NO_DIALECT: &str = "none";

const LONGEST_USER_AGENT: usize = 256;

/// What the edge of the server knows and a request does not.
#[derive(Clone)]
pub struct Edge {
    /// Where `now` comes from.
    pub clock: Arc<dyn Clock>,
    /// Where randomness comes from.
    pub entropy: Randomness,
    /// Whose forwarded headers count.
    pub proxies: Proxies,
}

impl Edge {
    /// The call that a request makes, of [`NO_DIALECT`] and without its `User-Agent` as yet ([`complete`]). The peer is that of the
    /// connection; an incoming `X-Request-Id` is not taken over.
    ///
    /// # Errors
    /// A fault when there is no randomness for the request id.
    pub fn call<B>(&self, request: &Request<B>, peer: Option<SocketAddr>) -> Result<Call, Fault> {
        let mut id = [0; 16];
        self.entropy.fill_public(&mut id).map_err(|_| Fault::internal("no randomness from the operating system"))?;
        let peer = peer.map(|peer| peer.ip().to_canonical());
        let client = peer.map(|peer| self.proxies.client(peer, request.headers()));
        let origin = Origin {
            dialect: NO_DIALECT,
            address: client.map(|(address, _)| address),
            address_vouched: client.is_some_and(|(_, vouched)| vouched),
            peer,
            user_agent: None,
            request_id: (&*Uuid::from_bytes(id).simple().encode_lower(&mut [0; Simple::LENGTH])).into(),
        };
        Ok(Call { now: self.clock.now(), entropy: self.entropy.clone(), origin })
    }
}

/// Adds what only those want to know who write down where a call came from: no check that is answered at once does.
pub fn complete<B>(call: &mut Call, request: &Request<B>) {
    call.origin.user_agent = user_agent(request.headers());
}

/// The first `User-Agent`, without control characters, cut to 256 characters.
fn user_agent(headers: &HeaderMap) -> Option<Arc<str>> {
    let raw = headers.get(header::USER_AGENT)?.as_bytes();
    // As nearly all are: nothing to clean.
    let printable = raw.iter().all(|byte| matches!(byte, b' '..=b'~'));
    if let Some(text) = std::str::from_utf8(raw).ok().filter(|_| printable) {
        return text.get(..text.len().min(LONGEST_USER_AGENT)).filter(|text| !text.is_empty()).map(Arc::from);
    }
    let text = String::from_utf8_lossy(raw);
    let clean: String = text.chars().filter(|c| !c.is_control()).take(LONGEST_USER_AGENT).collect();
    (!clean.is_empty()).then(|| clean.into())
}

/// Extracts the [`Call`] of a request, which `layers::Front` put there and `layers::dialect` gave its dialect.
pub struct Caller(pub Call);

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        call(parts).map(Self).map_err(|fault| {
            tracing::error!(%fault, "request outside of the layers");
            StatusCode::INTERNAL_SERVER_ERROR
        })
    }
}

/// The call of a request, for extractors of a dialect's own.
///
/// # Errors
/// A fault when no `layers::Front` is before the router.
pub fn call(parts: &Parts) -> Result<Call, Fault> {
    parts.extensions.get::<Call>().cloned().ok_or_else(|| Fault::internal("a router was mounted without its layers"))
}

#[cfg(test)]
pub(super) mod tests {
    use axum::http::HeaderValue;

    use super::*;
    use crate::core::clock::Timestamp;
    use crate::core::entropy::{Entropy, EntropyError};

    struct Noon;
    impl Clock for Noon {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(43_200_000)
        }
    }

    struct Sevens(bool);
    impl Entropy for Sevens {
        fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
            buffer.fill(7);
            if self.0 { Ok(()) } else { Err(EntropyError) }
        }
    }

    /// An edge with a still clock and no randomness worth the name, or none at all.
    pub(in crate::http) fn edge(entropy: bool) -> Edge {
        Edge { clock: Arc::new(Noon), entropy: Randomness::Of(Arc::new(Sevens(entropy))), proxies: Proxies::default() }
    }

    fn request(agent: &[u8]) -> Request<()> {
        let mut request = Request::new(());
        request.headers_mut().insert(header::USER_AGENT, HeaderValue::from_bytes(agent).expect("a value"));
        request.headers_mut().insert("x-request-id", HeaderValue::from_static("mine"));
        request.headers_mut().insert("x-forwarded-for", HeaderValue::from_static("203.0.113.9"));
        request
    }

    #[test]
    fn tells_what_it_sees() {
        let peer = "[::ffff:192.0.2.1]:99".parse().expect("a peer");
        let request = request(b"curl/8\tx");
        let mut call = edge(true).call(&request, Some(peer)).expect("a call");
        complete(&mut call, &request);
        assert_eq!(call.now.as_millis(), 43_200_000);
        assert_eq!(*call.origin.request_id, "07".repeat(16));
        assert_eq!(call.origin.dialect, NO_DIALECT);
        assert_eq!(call.origin.user_agent.as_deref(), Some("curl/8x"));
        assert_eq!(call.origin.address, Some("192.0.2.1".parse().expect("an address")));
        assert_eq!(call.origin.peer, call.origin.address);
    }

    #[test]
    fn cuts_and_cleans_the_user_agent() {
        let agent = |raw: &[u8]| user_agent(request(raw).headers());
        assert_eq!(agent(&[b'x'; 5000]).map(|text| text.len()), Some(256));
        assert_eq!(agent("é".repeat(300).as_bytes()).map(|text| text.chars().count()), Some(256));
        assert_eq!(agent(b"\xff\xfe").as_deref(), Some("\u{fffd}\u{fffd}"));
        assert_eq!(agent("a\u{85}b".as_bytes()).as_deref(), Some("ab"));
        assert_eq!(agent(b""), None);
    }

    #[test]
    fn nothing_without_peer_or_entropy() {
        assert_eq!(edge(true).call(&request(b"x"), None).expect("a call").origin.address, None);
        assert!(edge(false).call(&request(b"x"), None).is_err());
        assert!(call(&request(b"x").into_parts().0).is_err());
    }
}
