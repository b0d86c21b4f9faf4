//! The authentication part of the Kraken pentesting platform's API: the calls of the Python class `kraken_sdk.AuthenticationApi`, release
//! 0.2.0.
//!
//! The session is a cookie, which the client keeps. Security keys are a second factor here.

mod model;

pub use model::{ApiErrorResponse, FinishRegisterRequest, LoginRequest};

use std::sync::Arc;

use reqwest::header::COOKIE;
use secrecy::SecretString;
use serde_json::Value;

use crate::cookies::Jar;
use crate::error::Invalid;
use crate::options::Options;
use crate::request::Request;
use crate::transport::{Answer, Transport};

/// Where the Python client looks for the service; a Doorward is at its public URL.
pub const HOST: &str = "http://localhost";

/// What a call can end with, other than what was asked for.
pub type Error = crate::Error<ApiErrorResponse>;

/// Calls of the API. Cheap to clone; clones share their connections and their session.
#[derive(Clone, Debug)]
pub struct AuthenticationApi {
    transport: Transport,
    jar: Arc<Jar>,
}

impl AuthenticationApi {
    /// For a service on this machine, at [`HOST`].
    ///
    /// # Errors
    /// If no HTTP client can be made.
    pub fn new() -> Result<Self, Invalid> {
        Self::with_host(HOST)
    }

    /// For a service elsewhere.
    ///
    /// # Errors
    /// If `host` is no URL.
    pub fn with_host(host: &str) -> Result<Self, Invalid> {
        Self::with(host, &Options::default())
    }

    /// For a service elsewhere, with options.
    ///
    /// # Errors
    /// If `host` is no URL, or an option cannot be used.
    pub fn with(host: &str, options: &Options) -> Result<Self, Invalid> {
        Ok(Self { transport: Transport::new(host, options)?, jar: Arc::default() })
    }

    /// The value of a cookie that the service has set, to be kept or carried elsewhere. Doorward's is `doorward`, `__Host-doorward` over https.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<SecretString> {
        self.jar.get(name)
    }

    /// Puts in a cookie, such as one that was kept.
    pub fn set_cookie(&self, name: &str, value: SecretString) {
        self.jar.put(name, Some(value), name.starts_with("__"));
    }

    async fn send(&self, mut request: Request) -> Result<Answer, Error> {
        if let Some(cookies) = self.jar.header(self.transport.base())? {
            request = request.header(COOKIE, cookies);
        }
        let sent = self.transport.send(request).await;
        match &sent {
            Ok(answer) => self.jar.take(&answer.headers),
            Err(Error::Refused(refused)) => self.jar.take(&refused.headers),
            Err(_) => (),
        }
        sent
    }

    /// Signs in. A user with a security key is signed in only after [`start_auth`](Self::start_auth) and [`finish_auth`](Self::finish_auth).
    ///
    /// ```
    /// use doorward_client::kraken::{AuthenticationApi, LoginRequest};
    ///
    /// # doorward_started::example(async |server| {
    /// # let (host, username, password) = (server.at(""), server.username(), server.password());
    /// // `AuthenticationApi::new()` is for the host http://localhost
    /// let api = AuthenticationApi::with_host(&host)?;
    /// let login_request = LoginRequest::new(username, password);
    ///
    /// if let Err(error) = api.login(&login_request).await {
    ///     eprintln!("login: {error}");
    /// }
    /// # api.test().await?;
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// 400, 429, 500, 503.
    pub async fn login(&self, login_request: &LoginRequest) -> Result<(), Error> {
        self.send(Request::post("api/v1/auth/login").json(login_request)?).await.map(drop)
    }

    /// Signs out.
    ///
    /// ```
    /// use doorward_client::kraken::AuthenticationApi;
    /// # use doorward_client::kraken::LoginRequest;
    ///
    /// # doorward_started::example(async |server| {
    /// # let host = server.at("");
    /// let api = AuthenticationApi::with_host(&host)?;
    /// # api.login(&LoginRequest::new(server.username(), server.password())).await?;
    ///
    /// if let Err(error) = api.logout().await {
    ///     eprintln!("logout: {error}");
    /// }
    /// # assert_eq!(api.test().await.unwrap_err().refused().unwrap().body().unwrap().status_code, 1005);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// 400, 500, 503. Never tried again, though it is a GET: it has an effect.
    pub async fn logout(&self) -> Result<(), Error> {
        self.send(Request::get_with_effect("api/v1/auth/logout")).await.map(drop)
    }

    /// Asks whether the client is signed in, with all factors; tried again.
    ///
    /// ```
    /// use doorward_client::kraken::AuthenticationApi;
    /// # use doorward_client::kraken::LoginRequest;
    ///
    /// # doorward_started::example(async |server| {
    /// # let host = server.at("");
    /// let api = AuthenticationApi::with_host(&host)?;
    /// # assert_eq!(api.test().await.unwrap_err().status().unwrap(), 400);
    /// # api.login(&LoginRequest::new(server.username(), server.password())).await?;
    ///
    /// match api.test().await {
    ///     Ok(()) => println!("signed in"),
    ///     Err(error) => eprintln!("test: {error}"),
    /// }
    /// # api.test().await?;
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// 400 with 1005 (not signed in) or 1006 (second factor missing), 500, 503.
    pub async fn test(&self) -> Result<(), Error> {
        self.send(Request::get("api/v1/auth/test")).await.map(drop)
    }

    /// Starts the registration of a security key: `{"publicKey": {…}}`, the options for `navigator.credentials.create`.
    ///
    /// ```
    /// use doorward_client::kraken::AuthenticationApi;
    /// # use doorward_client::kraken::LoginRequest;
    ///
    /// # doorward_started::example(async |server| {
    /// # let host = server.at("");
    /// let api = AuthenticationApi::with_host(&host)?;
    /// # api.login(&LoginRequest::new(server.username(), server.password())).await?;
    ///
    /// match api.start_register().await {
    ///     Ok(options) => println!("{}", options["publicKey"]["rp"]),
    ///     Err(error) => eprintln!("start_register: {error}"),
    /// }
    /// # assert_eq!(api.start_register().await?["publicKey"]["rp"]["id"], "localhost");
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// 400, 500, 503.
    pub async fn start_register(&self) -> Result<Value, Error> {
        self.send(Request::post("api/v1/auth/startRegister")).await?.json()
    }

    /// Finishes the registration of a security key with the authenticator's answer.
    ///
    /// ```
    /// use doorward_client::kraken::{AuthenticationApi, FinishRegisterRequest};
    /// # use doorward_client::kraken::LoginRequest;
    ///
    /// # doorward_started::example(async |server| {
    /// # let (host, mut authenticator) = (server.at(""), server.authenticator());
    /// let api = AuthenticationApi::with_host(&host)?;
    /// # api.login(&LoginRequest::new(server.username(), server.password())).await?;
    ///
    /// let options = api.start_register().await?;
    /// let credential = authenticator.create(&options);
    /// let finish_register_request = FinishRegisterRequest::new("yellow key", credential);
    /// if let Err(error) = api.finish_register(&finish_register_request).await {
    ///     eprintln!("finish_register: {error}");
    /// }
    /// # api.login(&LoginRequest::new(server.username(), server.password())).await?;
    /// # assert_eq!(api.test().await.unwrap_err().refused().unwrap().body().unwrap().status_code, 1006);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// 400 with 1013 (a key of this name exists), 1020 (the name) or 2003 (the ceremony), 500, 503.
    pub async fn finish_register(&self, finish_register_request: &FinishRegisterRequest) -> Result<(), Error> {
        self.send(Request::post("api/v1/auth/finishRegister").json(finish_register_request)?).await.map(drop)
    }

    /// Starts the authentication with a security key, after [`login`](Self::login): the options for `navigator.credentials.get`.
    ///
    /// ```
    /// use doorward_client::kraken::AuthenticationApi;
    /// # use doorward_client::kraken::{FinishRegisterRequest, LoginRequest};
    ///
    /// # doorward_started::example(async |server| {
    /// # let host = server.at("");
    /// let api = AuthenticationApi::with_host(&host)?;
    /// # let login_request = LoginRequest::new(server.username(), server.password());
    /// # api.login(&login_request).await?;
    /// # assert_eq!(api.start_auth().await.unwrap_err().refused().unwrap().body().unwrap().status_code, 1008);
    /// # let credential = server.authenticator().create(&api.start_register().await?);
    /// # api.finish_register(&FinishRegisterRequest::new("yellow key", credential)).await?;
    /// # api.login(&login_request).await?;
    ///
    /// match api.start_auth().await {
    ///     Ok(options) => println!("{}", options["publicKey"]["challenge"]),
    ///     Err(error) => eprintln!("start_auth: {error}"),
    /// }
    /// # assert_eq!(api.start_auth().await?["publicKey"]["rpId"], "localhost");
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// 400 with 1008 (no security key), 500, 503.
    pub async fn start_auth(&self) -> Result<Value, Error> {
        self.send(Request::post("api/v1/auth/startAuth")).await?.json()
    }

    /// Finishes the authentication with the authenticator's answer (`AuthenticationResponseJSON`).
    ///
    /// ```
    /// use doorward_client::kraken::AuthenticationApi;
    /// # use doorward_client::kraken::{FinishRegisterRequest, LoginRequest};
    ///
    /// # doorward_started::example(async |server| {
    /// # let (host, mut authenticator) = (server.at(""), server.authenticator());
    /// let api = AuthenticationApi::with_host(&host)?;
    /// # let login_request = LoginRequest::new(server.username(), server.password());
    /// # api.login(&login_request).await?;
    /// # let credential = authenticator.create(&api.start_register().await?);
    /// # api.finish_register(&FinishRegisterRequest::new("yellow key", credential)).await?;
    /// # api.login(&login_request).await?;
    ///
    /// let options = api.start_auth().await?;
    /// let body = authenticator.get(&options);
    /// if let Err(error) = api.finish_auth(&body).await {
    ///     eprintln!("finish_auth: {error}");
    /// }
    /// # api.test().await?;
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// 400 with 2003 (the ceremony), 500, 503.
    pub async fn finish_auth(&self, body: &Value) -> Result<(), Error> {
        self.send(Request::post("api/v1/auth/finishAuth").json(body)?).await.map(drop)
    }
}
