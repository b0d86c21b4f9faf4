//! A form as it was sent: from our own origin, readable, and either with the visitor's token or known to be without it.

use axum::extract::{FromRequest, FromRequestParts as _, Request};
use axum::http::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Site;
use super::problem;
use super::visit::{Turned, Visit};
use crate::core::token::Secret;
use crate::http::body::read_form;
use crate::http::origin;

/// A form that is shown again, with what was typed, when its token is not the visitor's.
pub(super) struct Posted<T> {
    pub(super) visit: Visit,
    pub(super) sent: Sent<T>,
}

/// Whether a form may be acted on.
pub(super) enum Sent<T> {
    /// It carries the visitor's token.
    Fresh(T),
    /// It does not: it was shown to somebody else, or before they signed in or out. Nothing may be done by it.
    Stale(T),
}

/// A form without anything typed; one that may not be acted on is answered here.
pub(super) struct Action<T>(pub(super) Visit, pub(super) T);

/// The form of a button.
#[derive(Deserialize)]
pub(super) struct Nothing {}

#[derive(Deserialize)]
struct Envelope<T> {
    #[serde(default = "absent")]
    csrf: Secret,
    #[serde(flatten)]
    form: T,
}

fn absent() -> Secret {
    Secret::new("")
}

impl<T: DeserializeOwned> FromRequest<Site> for Posted<T> {
    type Rejection = Turned;

    async fn from_request(request: Request, site: &Site) -> Result<Self, Turned> {
        let (mut parts, body) = request.into_parts();
        let visit = Visit::from_request_parts(&mut parts, site).await?;
        // Whether or not a session came along: signing somebody in as another is an attack, too.
        if origin::check(&parts.headers, true, site.shared.public_url()).is_err() {
            return Err(problem::told(&visit, StatusCode::FORBIDDEN, "problem.foreign_title", "problem.foreign").into());
        }
        let read = read_form(&parts.headers, body, site.shared.max_body()).await;
        let Envelope { csrf, form } = read.map_err(|error| Turned::from(problem::unreadable(&visit, &error)))?;
        let sent = if visit.guard.accepts(&csrf) { Sent::Fresh(form) } else { Sent::Stale(form) };
        Ok(Self { visit, sent })
    }
}

impl<T: DeserializeOwned> FromRequest<Site> for Action<T> {
    type Rejection = Turned;

    async fn from_request(request: Request, site: &Site) -> Result<Self, Turned> {
        let Posted { visit, sent } = Posted::from_request(request, site).await?;
        match sent {
            Sent::Fresh(form) => Ok(Self(visit, form)),
            Sent::Stale(_) => Err(problem::stale(&visit).into()),
        }
    }
}
