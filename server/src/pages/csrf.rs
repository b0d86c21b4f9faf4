//! The token that every form carries: a digest of the visitor's session cookie or, before they have one, of a cookie that the first form
//! sets. A page of another site can send our cookie along and cannot read it, so it cannot make the token. Nothing is kept for it here.

use axum::http::{HeaderMap, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::core::Fault;
use crate::core::call::Call;
use crate::core::token::Secret;
use crate::http::cookie;

/// The cookie that forms are bound to where there is no session.
const COOKIE: &str = "doorward-form";

/// Goes into the digest, so that it is none that is kept at rest.
const LABEL: &[u8] = b"doorward form\0";

/// What a visitor's forms carry.
#[derive(Debug)]
pub(super) struct Guard {
    token: Secret,
    /// A `Set-Cookie` that the answer with the form must carry.
    pub(super) set_cookie: Option<HeaderValue>,
}

impl Guard {
    /// The guard of a visitor, by the cookies that came along.
    ///
    /// # Errors
    /// A fault when there is no randomness.
    pub(super) fn of(headers: &HeaderMap, https: bool, call: &Call) -> Result<Self, Fault> {
        let name = cookie::aside_name(COOKIE, https);
        let bound = cookie::for_pages(headers, https).first().copied().or_else(|| cookie::first(headers, &name));
        match bound {
            Some(bound) => Ok(Self { token: token_of(bound), set_cookie: None }),
            None => {
                let fresh = Secret::generate(call)?;
                let set_cookie = cookie::aside_cookie(&name, fresh.reveal(), https, None);
                Ok(Self { token: token_of(fresh.reveal()), set_cookie })
            }
        }
    }

    /// The token, for the page that shows the form.
    pub(super) fn token(&self) -> &str {
        self.token.reveal()
    }

    /// Whether a form brings the token, in constant time. A visitor without a cookie has been shown no form.
    pub(super) fn accepts(&self, sent: &Secret) -> bool {
        self.set_cookie.is_none() && bool::from(sent.reveal().as_bytes().ct_eq(self.token.reveal().as_bytes()))
    }
}

fn token_of(bound: &str) -> Secret {
    let digest = Sha256::new().chain_update(LABEL).chain_update(bound.as_bytes()).finalize();
    Secret::new(URL_SAFE_NO_PAD.encode(digest))
}
