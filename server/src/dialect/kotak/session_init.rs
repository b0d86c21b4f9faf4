//! The first call of a client: is it at the right place?

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;

use super::auth::application;
use super::document::{ApplicationHeaders, Failures};
use super::error::Failure;
use super::headers::required;
use super::wire::{Envelope, Initialised, Place};
use crate::dialect::shared::Shared;
use crate::http::call::Caller;

/// Begin
///
/// Says where to go on. Whether there is such a user, it does not say.
#[utoipa::path(
    get, path = "/apim/session/1.0/session/init", operation_id = "session-init", tag = "Session", security(("bearerAuth" = [])),
    params(("userid" = String, Header, description = "Username or e-mail address"), ApplicationHeaders),
    responses((status = 200, description = "Where to go on", body = Object), Failures),
)]
pub(super) async fn session_init(
    State(shared): State<Shared>,
    Caller(call): Caller,
    headers: HeaderMap,
) -> Result<Json<Envelope<Initialised>>, Failure> {
    application(&shared, &call, &headers).await?;
    let userid = required(&headers, "userid")?.to_owned();
    let success = Initialised {
        status: "Success",
        userid,
        message: "The session can begin. Log in with the password.",
        redirect: Place::of(shared.public_url()),
        service: Place::of(shared.public_url()),
    };
    Ok(Json(Envelope { success }))
}
