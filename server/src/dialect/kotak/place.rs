//! Where this API is, as it tells its clients.

use super::wire::Place;
use crate::config::url::PublicUrl;

impl Place {
    /// The client compares `host` with the one that it called, letter by letter, and starts again there if they differ.
    pub(super) fn of(public_url: &PublicUrl) -> Self {
        let origin = public_url.origin();
        let usual = if public_url.is_https() { 443 } else { 80 };
        let port = origin.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or(usual);
        Self { host: format!("{origin}/apim"), port }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        for (url, host, port) in [
            ("http://localhost:8080", "http://localhost:8080/apim", 8080),
            ("https://login.example.org/", "https://login.example.org/apim", 443),
            ("http://[::1]", "http://[::1]/apim", 80),
            ("https://[::1]:9", "https://[::1]:9/apim", 9),
        ] {
            let place = Place::of(&PublicUrl::parse(url).unwrap());
            assert_eq!((place.host.as_str(), place.port), (host, port));
        }
    }
}
