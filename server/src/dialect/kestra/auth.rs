//! How a session travels here: in our own cookie, or as `Authorization: Bearer <token>`.

use axum::http::HeaderMap;

use crate::core::Refusal;
use crate::core::flows::session::{Claim, Presented};
use crate::dialect::shared::Shared;
use crate::http::bearer;

/// What the caller presents. With an `Authorization` header of any other form no cookie is looked for.
///
/// # Errors
/// [`Refusal::NotSignedIn`].
pub(super) fn presented(shared: &Shared, headers: &HeaderMap) -> Result<Presented, Refusal> {
    let Some(bearer) = bearer::authorization(headers).map_err(|bearer::Malformed| Refusal::NotSignedIn)? else {
        return Ok(shared.cookies(headers));
    };
    let token = bearer.standard().ok_or(Refusal::NotSignedIn)?;
    Ok(Presented::token(token, Claim::None))
}
