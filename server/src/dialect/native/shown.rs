//! JSON that is written while what it shows is still there, so that nothing is copied into the structs of the wire.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::error::Problem;
use crate::core::Fault;

/// More than most answers take, so that writing them does not grow the buffer step by step.
const ROOM: usize = 1024;

/// A body of JSON.
pub(super) struct Shown(Vec<u8>);

impl Shown {
    /// Writes it.
    ///
    /// # Errors
    /// None in practice: writing to memory does not fail.
    pub(super) fn of(view: &impl Serialize) -> Result<Self, Problem> {
        let mut text = Vec::with_capacity(ROOM);
        serde_json::to_writer(&mut text, view).map_err(Fault::internal)?;
        Ok(Self(text))
    }
}

impl IntoResponse for Shown {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, "application/json")], self.0).into_response()
    }
}
