//! Parts of the URL that carry a value.

use axum::extract::{FromRequestParts, Path, RawQuery};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::error::Failure;
use crate::http::body::{BodyError, parse_form};

/// The one named segment of the path, decoded.
pub(super) struct Segment(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(text)) => Ok(Self(text)),
            Err(_) => Err(Failure::Malformed("The last part of the path is not percent-encoded UTF-8.".to_owned())),
        }
    }
}

/// Reads the query as strictly as a form: UTF-8, no name twice.
pub(super) fn query<T: DeserializeOwned>(RawQuery(query): RawQuery) -> Result<T, Failure> {
    parse_form(query.unwrap_or_default().as_bytes()).map_err(|error| match error {
        BodyError::Empty => Failure::Malformed("The query is empty.".to_owned()),
        other => other.into(),
    })
}
