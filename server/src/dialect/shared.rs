//! What every dialect needs to turn its wire into calls of core, and knows no dialect.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};

use crate::config::forward::{Origins, PagePath};
use crate::config::kinds::Networks;
use crate::config::url::PublicUrl;
use crate::core::clock::Timestamp;
use crate::core::flows::delivery::Letter;
use crate::core::flows::session::{Claim, Presented};
use crate::core::model::Session;
use crate::core::token::SessionToken;
use crate::core::{Core, Fault, Refusal};
use crate::http::{cookie, origin};

/// What handlers share: the core, and what the configuration says about the wire.
#[derive(Clone)]
pub struct Shared(Arc<Inner>);

struct Inner {
    core: Arc<Core>,
    public_url: PublicUrl,
    max_body: usize,
    forward: Forward,
    writer: Writer,
}

/// A mail in words.
#[derive(Clone, Debug)]
pub struct WrittenMail {
    /// One line.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part: a whole document.
    pub html: String,
}

/// What puts letters into words.
pub type Writer = Arc<dyn Fn(&Letter) -> Result<WrittenMail, Fault> + Send + Sync>;

/// What the configuration says about forward authentication.
#[derive(Clone, Debug, Default)]
pub struct Forward {
    /// The proxies that are believed what they say of the request that they ask about.
    pub trusted: Networks,
    /// Where at the public URL people sign in.
    pub sign_in: Option<PagePath>,
    /// Where people may be sent back to, besides the public URL.
    pub return_to: Origins,
}

impl Shared {
    /// Puts them together; `max_body` is in bytes.
    #[must_use]
    pub fn new(core: Arc<Core>, public_url: PublicUrl, max_body: usize, forward: Forward, writer: Writer) -> Self {
        Self(Arc::new(Inner { core, public_url, max_body, forward, writer }))
    }

    /// A letter in words, to be shown.
    ///
    /// # Errors
    /// A fault when its template fails it.
    pub fn words(&self, letter: &Letter) -> Result<WrittenMail, Fault> {
        (self.0.writer)(letter)
    }

    /// What forward authentication goes by.
    #[must_use]
    pub fn forward(&self) -> &Forward {
        &self.0.forward
    }

    /// The core.
    #[must_use]
    pub fn core(&self) -> &Core {
        &self.0.core
    }

    /// Where people and programs reach the server.
    #[must_use]
    pub fn public_url(&self) -> &PublicUrl {
        &self.0.public_url
    }

    /// The largest request body, in bytes.
    #[must_use]
    pub fn max_body(&self) -> usize {
        self.0.max_body
    }

    /// The sessions that a request's cookies name.
    #[must_use]
    pub fn cookies(&self, headers: &HeaderMap) -> Presented {
        presented(cookie::candidates(headers, self.is_https()))
    }

    /// What the cookies of a request to a page bring.
    #[must_use]
    pub fn cookies_for_pages(&self, headers: &HeaderMap) -> Presented {
        presented(cookie::for_pages(headers, self.is_https()))
    }

    /// The own-origin rule for a state-changing call: see [`origin::check`]. For prescribed GETs with an effect, too.
    ///
    /// # Errors
    /// [`Refusal::ForeignOrigin`].
    pub fn check_origin(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let with_cookie = !cookie::candidates(headers, self.is_https()).is_empty();
        origin::check(headers, with_cookie, self.public_url()).map_err(|origin::Foreign| Refusal::ForeignOrigin)
    }

    /// Our own session cookie's name: of every dialect whose API prescribes none.
    #[must_use]
    pub fn cookie_name(&self) -> &'static str {
        cookie::own_name(self.is_https())
    }

    /// Adds a `Set-Cookie` of this name for a session that was just opened.
    ///
    /// # Errors
    /// A fault if the token cannot be one: ours always can.
    pub fn set_cookie(
        &self,
        headers: &mut HeaderMap,
        name: &str,
        token: &SessionToken,
        session: &Session,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let life = session.expires_at.since(now);
        let value = cookie::session_cookie(name, token.reveal(), self.is_https(), life)
            .ok_or_else(|| Fault::internal("a token cannot be written as a cookie"))?;
        headers.append(header::SET_COOKIE, value);
        Ok(())
    }

    /// Adds the `Set-Cookie`s that take every session cookie away from a browser.
    pub fn clear_cookies(&self, headers: &mut HeaderMap) {
        for name in [self.cookie_name(), cookie::SESSIONS] {
            if let Some(value) = cookie::clearing_cookie(name, self.is_https()) {
                headers.append(header::SET_COOKIE, value);
            }
        }
    }

    /// Whether cookies must be `Secure`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.public_url.is_https()
    }
}

fn presented(cookies: cookie::Values<'_>) -> Presented {
    Presented { tokens: cookies.into_iter().map(SessionToken::presented).collect(), claim: Claim::None }
}

/// Adds `Retry-After` in whole seconds (RFC 9110, 10.2.3).
pub fn set_retry_after(headers: &mut HeaderMap, after: Duration) {
    headers.insert(header::RETRY_AFTER, HeaderValue::from(after.as_secs().max(1)));
}

/// Logs a fault, once, where it is turned into an answer; its text goes nowhere else.
pub fn log_fault(fault: &Fault) {
    tracing::error!(kind = ?fault.kind(), %fault, "a fault");
}
