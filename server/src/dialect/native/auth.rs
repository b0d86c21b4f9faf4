//! How this wire carries a session: in `Authorization: Bearer` (RFC 6750) or, without that header, in a cookie.

use axum::extract::{FromRequestParts, Request};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};

use super::error::Problem;
use crate::core::Refusal;
use crate::core::flows::authority::{Authority, check_administrator};
use crate::core::flows::session::{self, Claim, Need, Presented};
use crate::dialect::shared::Shared;
use crate::http::bearer::authorization;
use crate::http::call;

/// What a request's headers bring, unchecked.
pub(super) fn presented(shared: &Shared, headers: &HeaderMap) -> Result<Presented, Refusal> {
    match authorization(headers) {
        Ok(None) => Ok(shared.cookies(headers)),
        Ok(Some(bearer)) => {
            // Whoever sends the header means it: a wrong one is not mended by a cookie that happens to come along.
            let token = bearer.standard().ok_or(Refusal::NotSignedIn)?;
            Ok(Presented::token(token, Claim::None))
        }
        Err(_) => Err(Refusal::NotSignedIn),
    }
}

/// Extracts what the caller brings, unchecked: the flows check it.
pub(super) struct Brought(pub(super) Presented);

impl FromRequestParts<Shared> for Brought {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Problem> {
        Ok(Self(presented(shared, &parts.headers)?))
    }
}

/// Extracts what the caller brings, if it opens a full session: without one, the rest of the request is not read.
pub(super) struct SignedIn(pub(super) Presented);

impl FromRequestParts<Shared> for SignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Problem> {
        checked(parts, shared, Need::Full).await.map(Self)
    }
}

/// As [`SignedIn`], for the calls that a half session may make.
pub(super) struct HalfSignedIn(pub(super) Presented);

impl FromRequestParts<Shared> for HalfSignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Problem> {
        checked(parts, shared, Need::EvenHalf).await.map(Self)
    }
}

async fn checked(parts: &Parts, shared: &Shared, need: Need) -> Result<Presented, Problem> {
    let presented = presented(shared, &parts.headers)?;
    session::check(shared.core(), &call::call(parts)?, &presented, need).await?;
    Ok(presented)
}

/// Extracts an administrator's authority; anybody else is refused before the rest of the request is read.
pub(super) struct Administrator(pub(super) Authority);

impl FromRequestParts<Shared> for Administrator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Problem> {
        let presented = presented(shared, &parts.headers)?;
        let checked = check_administrator(shared.core(), &call::call(parts)?, &presented, Need::Full).await;
        Ok(Self(checked?.0))
    }
}

/// The own-origin rule, around every URL of this dialect: here, all that changes anything is no GET.
pub(super) fn own_origin(shared: &Shared, request: &Request) -> Option<Response> {
    let checked = if request.method().is_safe() { Ok(()) } else { shared.check_origin(request.headers()) };
    checked.err().map(|refusal| Problem::from(refusal).into_response())
}
