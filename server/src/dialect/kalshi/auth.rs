//! How this wire carries a session: in the header `Authorization`, else in a cookie.

use axum::http::HeaderMap;

use crate::core::Refusal;
use crate::core::flows::session::{Claim, Presented};
use crate::dialect::shared::Shared;
use crate::http::bearer::{self, Malformed};

/// The session that a request names: `<token>`, `Bearer <token>`, `<user_id> <token>` or `Bearer <user_id> <token>` in `Authorization`;
/// without that header the cookies `sessions` and our own.
///
/// # Errors
/// [`Refusal::NotSignedIn`] when there is an `Authorization` that is none of these: who sends one means it, and is not answered by cookie.
pub(super) fn presented(shared: &Shared, headers: &HeaderMap) -> Result<Presented, Refusal> {
    match bearer::authorization(headers) {
        Ok(None) => Ok(shared.cookies(headers)),
        Ok(Some(bearer)) => {
            let claim = bearer.user_id.map_or(Claim::None, |id| Claim::UserId(id.to_owned()));
            Ok(Presented::token(bearer.token, claim))
        }
        Err(Malformed) => Err(Refusal::NotSignedIn),
    }
}
