//! Reading bodies, paths and queries, with complaints in this dialect's words.

use std::str::FromStr;

use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::error::Problem;
use crate::core::Refusal;
use crate::core::model::Page;
use crate::dialect::shared::Shared;
use crate::http::body::{Untyped, parse_form, parse_json, read_json};

/// Nothing that a path names is longer: ids have 36 bytes, e-mail addresses at most 254.
const LONGEST_PATH_PART: usize = 254;

/// Extracts a JSON body.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Shared> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, shared: &Shared) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        Ok(Self(read_json(&parts.headers, body, shared.max_body(), Untyped::Refuse).await?))
    }
}

/// Extracts the path's `{id}`. One that cannot be an id names nothing: 404.
pub(super) struct Id<T>(pub(super) T);

impl<T: FromStr> FromRequestParts<Shared> for Id<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Problem> {
        let text = path_part(parts, shared, "id").await?;
        Ok(Self(text.parse().map_err(|_| Refusal::NotFound)?))
    }
}

/// Extracts the path's `{user}`: an id, a username or an e-mail address.
pub(super) struct UserReference(pub(super) String);

impl FromRequestParts<Shared> for UserReference {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Problem> {
        path_part(parts, shared, "user").await.map(Self)
    }
}

/// One part of the path, once all of them are found to be sound.
async fn path_part(parts: &mut Parts, shared: &Shared, wanted: &str) -> Result<String, Problem> {
    let found = RawPathParams::from_request_parts(parts, shared).await.map_err(|_| Problem::path())?;
    if found.iter().any(|(_, value)| value.len() > LONGEST_PATH_PART) {
        return Err(Problem::path());
    }
    let part = found.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.to_owned());
    part.ok_or_else(|| Refusal::NotFound.into())
}

/// Extracts the query. Names not asked for are ignored; no name may be given twice.
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<Shared> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let read = if query.is_empty() { parse_json(b"{}") } else { parse_form(query.as_bytes()) };
        read.map(Self).map_err(|error| Problem::query(&error))
    }
}

/// Reads which page is wanted. A cursor is the id of an item, and goes no further unless it is an id.
///
/// # Errors
/// [`Refusal::Invalid`] for the fields `after` and `limit`.
pub(super) fn page(after: Option<&str>, limit: Option<&str>) -> Result<Page, Refusal> {
    let wrong = Refusal::Invalid { field: "after", problem: "A cursor is the `next` of the page before." };
    let after = after.map(|text| Page::cursor(text).ok_or(wrong)).transpose()?;
    let within = |limit: &i64| (1..=Page::MAXIMUM).contains(limit);
    let limit = limit.map(|text| text.parse::<i64>().ok().filter(within).ok_or(())).transpose();
    let limit = limit.map_err(|()| Refusal::Invalid { field: "limit", problem: "A limit is a whole number from 1 to 200." })?;
    Ok(Page::new(after, limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages() {
        let id = "0197b3a0-0000-7000-8000-000000000001";
        for (after, limit) in [(None, None), (Some(id), Some("1")), (None, Some("200"))] {
            assert!(page(after, limit).is_ok(), "{after:?} {limit:?}");
        }
        for (after, limit, wrong) in [
            (Some(""), None, "after"),
            (Some("z"), None, "after"),
            (Some("' OR 1=1 --"), None, "after"),
            (None, Some(""), "limit"),
            (None, Some("0"), "limit"),
            (None, Some("201"), "limit"),
            (None, Some("-1"), "limit"),
            (None, Some("1e2"), "limit"),
            (None, Some("99999999999999999999"), "limit"),
        ] {
            let refusal = page(after, limit).expect_err("a refusal");
            assert!(matches!(refusal, Refusal::Invalid { field, .. } if field == wrong), "{after:?} {limit:?}");
        }
    }
}
