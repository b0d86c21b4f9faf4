//! JSON that is written while what it shows is still there, so that nothing is copied into the structs of the wire.

use std::cell::RefCell;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::error::Problem;
use super::json;
use crate::core::Fault;

/// More than most answers take, and than their writer asks for beforehand, so that the draft does not grow step by step.
const ROOM: usize = 2048;

/// A draft that has grown beyond this is not kept.
const MOST: usize = 64 * 1024;

thread_local! {
    /// Where answers are written: then each is copied into a piece of memory of its own length, which the allocator has at hand.
    static DRAFT: RefCell<Vec<u8>> = RefCell::new(Vec::with_capacity(ROOM));
}

/// Headers that an answer has when the layers have put theirs there. A map with room for one more would be twice as large, and beyond what the
/// allocator has at hand.
const HEADERS: usize = 6;

/// A body of JSON.
pub(super) struct Shown(Bytes);

impl Shown {
    /// Writes it.
    ///
    /// # Errors
    /// A fault for what this wire has no shape for: see [`json::write`].
    pub(super) fn of(view: &impl Serialize) -> Result<Self, Problem> {
        DRAFT.with_borrow_mut(|draft| {
            draft.clear();
            json::write(draft, view).map_err(Fault::internal)?;
            let text = Bytes::copy_from_slice(draft);
            draft.shrink_to(MOST);
            Ok(Self(text))
        })
    }
}

impl IntoResponse for Shown {
    fn into_response(self) -> Response {
        let mut response = Response::new(self.0.into());
        // Room for what the layers put there, too.
        *response.headers_mut() = HeaderMap::with_capacity(HEADERS);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }
}
