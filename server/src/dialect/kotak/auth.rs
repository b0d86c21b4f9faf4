//! How an application shows itself: with an access token, its consumer key and its id, on every call and before anything else.

use std::net::IpAddr;

use axum::http::HeaderMap;

use super::error::Failure;
use super::headers::{optional, present};
use crate::core::call::Call;
use crate::core::flows::applications::{Credentials, authenticate};
use crate::core::model::Application;
use crate::core::token::Secret;
use crate::dialect::shared::Shared;
use crate::http::bearer;

/// The application that calls, once it has been checked, and the `ip` header that every call must have besides.
///
/// # Errors
/// [`Failure`], about the application first.
pub(super) async fn application(shared: &Shared, call: &Call, headers: &HeaderMap) -> Result<Application, Failure> {
    let application = authenticate(shared.core(), call, &credentials(headers)?).await?;
    note_claimed_address(present(headers, "ip")?);
    Ok(application)
}

fn credentials(headers: &HeaderMap) -> Result<Credentials, Failure> {
    const AUTHORIZATION: &str = "Authorization";
    optional(headers, AUTHORIZATION)?;
    let bearer = bearer::authorization(headers).ok().flatten().and_then(bearer::Bearer::standard);
    let credential = |name| optional(headers, name)?.ok_or(Failure::NoCredential(name));
    Ok(Credentials {
        access_token: Secret::new(bearer.ok_or(Failure::NoCredential(AUTHORIZATION))?),
        consumer_key: Secret::new(credential("consumerKey")?),
        app_id: credential("appId")?.to_owned(),
    })
}

/// Records what the caller says its user's address is, beside the request id that the audit log has too. Nothing is decided by it. What is
/// no address is not written down: it could be anything.
fn note_claimed_address(ip: &str) {
    if let Ok(address) = ip.parse::<IpAddr>() {
        tracing::info!(%address, "the address that an application named");
    }
}
