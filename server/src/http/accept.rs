//! What a client says that it can show.

use axum::http::{HeaderMap, header};

/// Whether the client would show its user a page, as browsers do that go to a URL.
#[must_use]
pub fn wants_a_page(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut kinds = accepted.flat_map(|line| line.split(',')).filter_map(|kind| kind.split(';').next());
    kinds.any(|kind| kind.trim().eq_ignore_ascii_case("text/html"))
}
