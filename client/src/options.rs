//! How calls are made, whatever the API.

use std::fmt;
use std::time::Duration;

use reqwest::redirect::Policy;
use secrecy::{ExposeSecret as _, SecretString};

use crate::error::Invalid;
use crate::retry::Retry;
use crate::tls;

/// A server that keeps idle connections for ten seconds, as Doorward does, must not be the first to close one.
const KEEP_IDLE: Duration = Duration::from_secs(5);

/// How calls are made: deadlines, repetition, proxy, trust.
///
/// ```
/// use std::time::Duration;
/// use doorward_client::{Options, Proxy, Retry, kestra};
///
/// let options = Options::default()
///     .deadline(Duration::from_secs(10))
///     .retry(Retry::never())
///     .proxy(Proxy::Direct);
/// let api = kestra::AuthApi::with("https://kestra.example.com", &options)?;
/// # Ok::<_, doorward_client::Invalid>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Options {
    deadline: Duration,
    connect: Duration,
    retry: Retry,
    proxy: Proxy,
    roots: Vec<Vec<u8>>,
    user_agent: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(30),
            connect: Duration::from_secs(5),
            retry: Retry::default(),
            proxy: Proxy::default(),
            roots: Vec::new(),
            user_agent: concat!("doorward-client/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

impl Options {
    /// How long a call may take from its beginning to the last byte of its answer, all tries and pauses included. 30 s if not set.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// How long a connection, with its TLS, may take to come about. 5 s if not set; the deadline holds all the same.
    pub fn connect_deadline(mut self, deadline: Duration) -> Self {
        self.connect = deadline;
        self
    }

    /// How idempotent calls are tried again.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Through which proxy calls go.
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.proxy = proxy;
        self
    }

    /// Certificates of authorities (PEM) to trust beside those that this machine trusts.
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots.push(pem.into());
        self
    }

    /// What calls name as their client; Doorward shows it in lists of sessions and in its audit log.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    pub(crate) fn whole_deadline(&self) -> Duration {
        self.deadline
    }

    pub(crate) fn repetition(&self) -> Retry {
        self.retry
    }

    pub(crate) fn http(&self) -> Result<reqwest::Client, Invalid> {
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::config(&self.roots)?)
            .redirect(Policy::none())
            // The one place that sends a call again is `Transport`.
            .retry(reqwest::retry::never())
            .connect_timeout(self.connect)
            .pool_idle_timeout(KEEP_IDLE)
            .user_agent(&self.user_agent);
        let built = self.proxy.apply(builder)?.build();
        built.map_err(|error| Invalid::new("options", format!("no HTTP client can be made: {}", error.without_url())))
    }
}

/// Through which proxy calls go.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum Proxy {
    /// As `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` say.
    #[default]
    Environment,
    /// Through none, whatever the environment says.
    Direct,
    /// Through this one.
    Through {
        /// `http://…` or `https://…`. `Debug` leaves out what stands before an `@`, which may be a password.
        url: String,
        /// Name and password for the proxy (RFC 7617), if it asks.
        credentials: Option<(String, SecretString)>,
    },
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment => f.write_str("Environment"),
            Self::Direct => f.write_str("Direct"),
            Self::Through { url, credentials } => {
                f.debug_struct("Through").field("url", &ProxyUrl(url)).field("credentials", credentials).finish()
            }
        }
    }
}

/// A proxy's URL, which may have a name and password in it.
#[derive(Clone)]
pub(crate) struct ProxyUrl<T>(pub(crate) T);

impl<T: AsRef<str>> fmt::Debug for ProxyUrl<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not parsed: what is no URL may hold a password all the same.
        match self.0.as_ref().rsplit_once('@') {
            Some((_, place)) => write!(f, "\"[REDACTED]@{}\"", place.escape_debug()),
            None => write!(f, "{:?}", self.0.as_ref()),
        }
    }
}

impl Proxy {
    fn apply(&self, builder: reqwest::ClientBuilder) -> Result<reqwest::ClientBuilder, Invalid> {
        match self {
            Self::Environment => Ok(builder),
            Self::Direct => Ok(builder.no_proxy()),
            Self::Through { url, credentials } => {
                let wrong = |_| Invalid::new("proxy", "it must be a URL such as http://proxy.example.com:3128");
                let mut proxy = reqwest::Proxy::all(url).map_err(wrong)?;
                if let Some((user, password)) = credentials {
                    proxy = proxy.basic_auth(user, password.expose_secret());
                }
                Ok(builder.proxy(proxy))
            }
        }
    }
}
