//! The session part of Kotak Securities' trade API, version 1.0: the calls of the Python package `ks_api_client`, its class `SessionApi` and
//! its wrapper `KSTradeApi`.
//!
//! The original service is at [`HOST`]; a Doorward is at `<public URL>/apim`. Programs are applications with credentials of their own.

mod config;
mod model;

pub use config::{Configuration, HOST};
pub use model::{Fault, LoggedOut, OneTimeToken, Place, SessionInit, SessionToken};

use reqwest::header::{AUTHORIZATION, HeaderName};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use url::Url;

use crate::error::Invalid;
use crate::options::Options;
use crate::request::{Request, base};
use crate::secret;
use crate::transport::Transport;
use model::{Envelope, UserCredentials, UserDetails};

/// What a call can end with, other than what was asked for.
pub type Error = crate::Error<Fault>;

/// How often a service may send a client on to another host.
const MOST_REDIRECTS: usize = 3;

/// One person's way through one application: [`session_init`](Self::session_init), [`login`](Self::login),
/// [`session_2fa`](Self::session_2fa), [`logout`](Self::logout). It keeps the tokens from call to call.
#[derive(Debug)]
pub struct SessionApi {
    transport: Transport,
    configuration: Configuration,
    greeting: SessionInit,
    one_time_token: Option<SecretString>,
    session_token: Option<SecretString>,
}

impl SessionApi {
    /// Initialises a session, at the configuration's host or wherever that redirects to; tried again.
    ///
    /// ```
    /// use doorward_client::kotak::{Configuration, SessionApi};
    ///
    /// # doorward_started::example(async |server| {
    /// # let (host, userid, app) = (server.at("/apim"), server.username(), server.application());
    /// # let (access_token, consumer_key, app_id) = (app.access_token, app.consumer_key, app.app_id);
    /// // Without `host` it is https://tradeapi.kotaksecurities.com/apim
    /// let configuration = Configuration::new(access_token, userid, consumer_key, "127.0.0.1", app_id).host(host);
    /// let client = SessionApi::session_init(configuration).await?;
    ///
    /// println!("{:?}", client.greeting().message);
    /// # assert_eq!(client.greeting().redirect.host, server.at("/apim"));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// 400, 401, 429, 500, 503, 504; [`Error::Invalid`] where the redirect is none that may be followed: no URL, from https to http, or one too many.
    pub async fn session_init(configuration: Configuration) -> Result<Self, Error> {
        Self::session_init_with(configuration, Options::default()).await
    }

    /// The same with options; the configuration's proxy, if it has one, goes before theirs.
    ///
    /// # Errors
    /// As [`session_init`](Self::session_init).
    pub async fn session_init_with(configuration: Configuration, options: Options) -> Result<Self, Error> {
        let options = configuration.through_proxy(options);
        let mut transport = Transport::new(configuration.host_url(), &options)?;
        for _ in 0..=MOST_REDIRECTS {
            let greeting = init(&transport, &configuration).await?;
            match redirected(transport.base(), &greeting.redirect)? {
                Some(elsewhere) => transport = transport.moved(elsewhere),
                None => return Ok(Self { transport, configuration, greeting, one_time_token: None, session_token: None }),
            }
        }
        Err(Invalid::new("redirect", format!("the service sends from host to host, more than {MOST_REDIRECTS} times")).into())
    }

    /// What the service said to [`session_init`](Self::session_init).
    #[must_use]
    pub fn greeting(&self) -> &SessionInit {
        &self.greeting
    }

    /// Where calls go.
    #[must_use]
    pub fn host(&self) -> &str {
        self.transport.base().as_str()
    }

    /// The session's token, once there is a session.
    #[must_use]
    pub fn session_token(&self) -> Option<&SecretString> {
        self.session_token.as_ref()
    }

    /// Takes up a session that was opened before.
    pub fn set_session_token(&mut self, token: SecretString) {
        self.session_token = Some(token);
    }

    /// Proves the password. A Doorward mails an access code then, to who has no authenticator app.
    ///
    /// ```
    /// use doorward_client::kotak::{Configuration, SessionApi};
    ///
    /// # doorward_started::example(async |server| {
    /// # let (host, userid, password, app) = (server.at("/apim"), server.username(), server.password(), server.application());
    /// # let (access_token, consumer_key, app_id) = (app.access_token, app.consumer_key, app.app_id);
    /// let configuration = Configuration::new(access_token, userid, consumer_key, "127.0.0.1", app_id).host(host);
    /// let mut client = SessionApi::session_init(configuration).await?;
    ///
    /// // Login using password
    /// if let Err(error) = client.login(&password.into()).await {
    ///     eprintln!("login: {error}");
    /// }
    /// # assert_eq!(client.login(&"wrong".into()).await.unwrap_err().status().unwrap(), 401);
    /// # assert_eq!(client.login(&password.into()).await?.status.unwrap(), "Temporary");
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// 400, 401, 429, 500, 503, 504.
    pub async fn login(&mut self, password: &SecretString) -> Result<OneTimeToken, Error> {
        let body = UserCredentials { userid: self.configuration.userid(), password };
        let request = Request::post("session/1.0/session/login/userid").json(&body)?;
        let answer: OneTimeToken = call(&self.transport, &self.configuration, request).await?;
        self.one_time_token = Some(answer.one_time_token.clone());
        Ok(answer)
    }

    /// Proves the second factor. Without an access code: for applications of which the one-time token is enough.
    ///
    /// ```
    /// use doorward_client::kotak::{Configuration, SessionApi};
    ///
    /// # doorward_started::example(async |server| {
    /// # let (host, userid, password, app) = (server.at("/apim"), server.username(), server.password(), server.application());
    /// # let (access_token, consumer_key, app_id) = (app.access_token, app.consumer_key, app.app_id);
    /// let configuration = Configuration::new(access_token, userid, consumer_key, "127.0.0.1", app_id).host(host);
    /// let mut client = SessionApi::session_init(configuration).await?;
    ///
    /// // Login using password
    /// client.login(&password.into()).await?;
    ///
    /// // Generate final session token
    /// # assert_eq!(client.session_2fa(Some(&"000000".into())).await.unwrap_err().status().unwrap(), 401);
    /// # assert_eq!(client.session_2fa(None).await.unwrap_err().status().unwrap(), 401);
    /// # let access_code = server.code(server.email()).await;
    /// match client.session_2fa(Some(&access_code.into())).await {
    ///     Ok(session) => println!("{:?}", session.client_name),
    ///     Err(error) => eprintln!("session_2fa: {error}"),
    /// }
    /// # assert!(client.session_token().is_some());
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// 400, 401, 429, 500, 503, 504; [`Error::Invalid`] before [`login`](Self::login).
    pub async fn session_2fa(&mut self, access_code: Option<&SecretString>) -> Result<SessionToken, Error> {
        let last = if access_code.is_some() { "accesscode" } else { "oneTimeToken" };
        let body = UserDetails { userid: self.configuration.userid(), access_code };
        let request = Request::post("session/1.0/session/2FA").part(last).json(&body)?;
        let request = carrying(request, "oneTimeToken", kept(self.one_time_token.as_ref(), "login has not succeeded")?)?;
        let answer: SessionToken = call(&self.transport, &self.configuration, request).await?;
        self.one_time_token = None;
        self.session_token = Some(answer.session_token.clone());
        Ok(answer)
    }

    /// Ends the session; tried again.
    ///
    /// ```
    /// use doorward_client::kotak::{Configuration, SessionApi};
    ///
    /// # doorward_started::example(async |server| {
    /// # let (host, userid, password, app) = (server.at("/apim"), server.username(), server.password(), server.application());
    /// # let (access_token, consumer_key, app_id) = (app.access_token, app.consumer_key, app.app_id);
    /// let configuration = Configuration::new(access_token, userid, consumer_key, "127.0.0.1", app_id).host(host);
    /// let mut client = SessionApi::session_init(configuration).await?;
    ///
    /// // First initialize session and generate session token
    /// # client.login(&password.into()).await?;
    /// # client.session_2fa(Some(&server.code(server.email()).await.into())).await?;
    ///
    /// // Invalidate session token
    /// if let Err(error) = client.logout().await {
    ///     eprintln!("logout: {error}");
    /// }
    /// # assert!(client.session_token().is_none());
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// 400, 401, 429, 500, 503, 504; [`Error::Invalid`] without a session.
    pub async fn logout(&mut self) -> Result<LoggedOut, Error> {
        let token = kept(self.session_token.as_ref(), "there is no session")?;
        let request = carrying(Request::delete("session/1.0/session/logout"), "sessionToken", token)?;
        let request = named(request, "userid", self.configuration.userid())?;
        let answer = call(&self.transport, &self.configuration, request).await?;
        self.session_token = None;
        Ok(answer)
    }
}

async fn init(transport: &Transport, configuration: &Configuration) -> Result<SessionInit, Error> {
    let request = named(Request::get("session/1.0/session/init"), "userid", configuration.userid())?;
    call(transport, configuration, request).await
}

/// Where the service wants the calls, if not where they go now. Credentials that were sent encrypted are not sent in the clear.
fn redirected(now: &Url, place: &Place) -> Result<Option<Url>, Invalid> {
    let wanted = base(&place.host).map_err(|_| Invalid::new("redirect", "the service names a host that is no URL"))?;
    if now.scheme() == "https" && wanted.scheme() != "https" {
        return Err(Invalid::new("redirect", "the service wants to go on without encryption"));
    }
    let same = now.as_str().trim_end_matches('/') == wanted.as_str().trim_end_matches('/');
    Ok((!same).then_some(wanted))
}

fn kept<'a>(token: Option<&'a SecretString>, otherwise: &str) -> Result<&'a SecretString, Invalid> {
    token.ok_or_else(|| Invalid::new("session", otherwise))
}

fn carrying(request: Request, name: &'static str, token: &SecretString) -> Result<Request, Invalid> {
    named(request, name, token.expose_secret())
}

/// Names of headers are the same in any case; they are sent in lower case.
fn named(request: Request, name: &'static str, value: &str) -> Result<Request, Invalid> {
    let header = HeaderName::from_bytes(name.as_bytes()).map_err(|error| Invalid::new(name, error.to_string()))?;
    Ok(request.header(header, secret::header(name, value)?))
}

/// A call with what every call of an application carries; what is in its envelope.
async fn call<T: DeserializeOwned>(transport: &Transport, configuration: &Configuration, request: Request) -> Result<T, Error> {
    let mut request = request.header(AUTHORIZATION, secret::bearer(configuration.access_token())?);
    for (name, value) in configuration.headers() {
        request = named(request, name, value)?;
    }
    Ok(transport.send(request).await?.json::<Envelope<T>, _>()?.success)
}
