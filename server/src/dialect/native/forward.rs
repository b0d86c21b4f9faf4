//! `/auth/v1/forward`: a proxy asks whether a request may pass, and whose it is.

use std::fmt::Write as _;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::auth;
use super::document::{Always, Forbidden, Unauthorized};
use super::error::Problem;
use crate::core::call::Call;
use crate::core::flows::session::{self, Authenticated, Need};
use crate::core::gate::assurance;
use crate::core::{Error, Fault, Refusal};
use crate::dialect::shared::Shared;
use crate::http::accept::wants_a_page;
use crate::http::call::Caller;
use crate::http::original::{self, Original, OriginalUrl, Relays};

const USER_ID: HeaderName = HeaderName::from_static("x-doorward-user-id");
const USERNAME: HeaderName = HeaderName::from_static("x-doorward-username");
const EMAIL: HeaderName = HeaderName::from_static("x-doorward-email");
const EMAIL_VERIFIED: HeaderName = HeaderName::from_static("x-doorward-email-verified");
const ROLE: HeaderName = HeaderName::from_static("x-doorward-role");
const ASSURANCE_LEVEL: HeaderName = HeaderName::from_static("x-doorward-assurance-level");

/// A longer URL is not come back to: proxies keep little room for an answer's head.
const LONGEST_RETURN: usize = 1_024;

/// May a request pass, and whose is it
#[utoipa::path(
    get, path = "/auth/v1/forward", operation_id = "forward", tag = "Session",
    security(("bearer" = []), ("cookie" = [])),
    responses(
        (status = 200, description = "It may: who asks", headers(
            ("X-Doorward-User-Id", description = "The id, which never changes"),
            ("X-Doorward-Username", description = "Escaped as in a URL, but for `@` and `+`"),
            ("X-Doorward-Email", description = "Escaped as the username"),
            ("X-Doorward-Email-Verified", description = "`true` or `false`"),
            ("X-Doorward-Role", description = "`member` or `admin`"),
            ("X-Doorward-Assurance-Level", description = "`1` or `2`"),
        )),
        (status = 302, description = "It may not, and a browser asks: the page that signs people in", headers(("Location"))),
        Always, Unauthorized, Forbidden,
    ),
)]
pub(super) async fn check(State(shared): State<Shared>, Caller(call): Caller, headers: HeaderMap) -> Result<Response, Problem> {
    let original = told(&shared, &call, &headers)?;
    let checked = match auth::presented(&shared, &headers) {
        Ok(presented) => session::check(shared.core(), &call, &presented, Need::Full).await,
        Err(refusal) => Err(refusal.into()),
    };
    match checked {
        Ok(checked) => Ok(identity(&checked)?),
        Err(Error::Refused(refusal @ (Refusal::NotSignedIn | Refusal::SecondFactorOwed))) => {
            Ok(turn_away(&shared, original.as_ref(), &headers, refusal))
        }
        Err(error) => Err(error.into()),
    }
}

/// What the peer says of the original request, if it is one of our proxies: anybody else's headers are nothing.
fn told(shared: &Shared, call: &Call, headers: &HeaderMap) -> Result<Option<Original>, Problem> {
    let trusted = call.origin.peer.is_some_and(|peer| shared.forward().trusted.contains(peer));
    if trusted { original::read(headers).map(Some).map_err(Problem::forwarded) } else { Ok(None) }
}

/// Every header every time: a proxy that copies what is there would leave a client's own in the place of one that is not.
fn identity(checked: &Authenticated) -> Result<Response, Fault> {
    let (session, user) = (&checked.session, &checked.user);
    let all = [
        (USER_ID, user.id.to_string()),
        (USERNAME, escape(user.username.as_str())),
        (EMAIL, escape(user.email.as_str())),
        (EMAIL_VERIFIED, user.email_verified_at.is_some().to_string()),
        (ROLE, user.role.as_str().to_owned()),
        (ASSURANCE_LEVEL, assurance(session.factors).level().to_string()),
    ];
    let mut response = StatusCode::OK.into_response();
    for (name, text) in all {
        let value = HeaderValue::from_str(&text).map_err(|_| Fault::internal("an identity cannot be written as a header"))?;
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}

/// The refusal; and, for a browser that may sign in and come back, the way there.
fn turn_away(shared: &Shared, original: Option<&Original>, headers: &HeaderMap, refusal: Refusal) -> Response {
    let refused = Problem::from(refusal).into_response();
    let asked = original.filter(|original| original.safe && wants_a_page(headers));
    let Some((original, relays)) = asked.and_then(|original| Some((original, original.relays?))) else { return refused };
    let Some(place) = sign_in(shared, original.url.as_ref()) else { return refused };
    let mut response = match relays {
        Relays::Whole => StatusCode::FOUND.into_response(),
        Relays::Status => refused,
    };
    response.headers_mut().insert(header::LOCATION, place);
    response
}

/// The page that signs people in, which brings them back to where they may go back to.
fn sign_in(shared: &Shared, url: Option<&OriginalUrl>) -> Option<HeaderValue> {
    let (forward, public) = (shared.forward(), shared.public_url());
    let mut place = format!("{}{}", public.origin(), forward.sign_in.as_ref()?.as_str());
    let ours = |url: &&OriginalUrl| url.origin == *public || forward.return_to.contains(&url.origin);
    let back = url.filter(ours).map(|url| format!("{}{}", url.origin, url.target));
    if let Some(back) = back.filter(|back| back.len() <= LONGEST_RETURN) {
        place.push_str("?return_to=");
        place.extend(url::form_urlencoded::byte_serialize(back.as_bytes()));
    }
    HeaderValue::from_str(&place).ok()
}

/// Text as the value of a header: ASCII letters, digits and `-._~@+` as they are, every other byte of its UTF-8 escaped (RFC 3986, 2.1).
/// What proxies and applications take for something else (`,` `;` `"` `{` `$` and the like) is so never in it.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~@+".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
