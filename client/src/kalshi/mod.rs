//! The sign-in part of Kalshi's trading API, version 1: the calls of the Python class `kalshi.api.auth_api.AuthApi`, as its documentation
//! (openapi-generator 6.0) has them.
//!
//! The original service is at [`HOST`]; a Doorward is at `<public URL>/v1`.

mod api_key;
mod model;

pub use api_key::ApiKey;
pub use model::{ConfirmPasswordResetRequest, JsonError, LoginRequest, LoginResponse, ResetPasswordRequest};

use reqwest::header::AUTHORIZATION;
use serde::Serialize;

use crate::error::Invalid;
use crate::options::Options;
use crate::request::Request;
use crate::transport::{Answer, Transport};

/// Where the original service is.
pub const HOST: &str = "https://trading-api.kalshi.com/v1";

/// What a call can end with, other than what was asked for.
pub type Error = crate::Error<JsonError>;

/// Calls of the API. Cheap to clone; clones share their connections.
#[derive(Clone, Debug)]
pub struct AuthApi {
    transport: Transport,
    key: Option<ApiKey>,
}

impl AuthApi {
    /// For the original service.
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
        Ok(Self { transport: Transport::new(host, options)?, key: None })
    }

    /// These calls in the name of a session: what the Python client sets as `configuration.api_key['cookie']`.
    #[must_use]
    pub fn with_api_key(&self, key: ApiKey) -> Self {
        Self { transport: self.transport.clone(), key: Some(key) }
    }

    async fn send(&self, mut request: Request) -> Result<Answer, Error> {
        if let Some(key) = &self.key {
            request = request.header(AUTHORIZATION, key.header()?);
        }
        self.transport.send(request).await
    }

    /// Opens a session. The request may be left out, as in the Python client; a Doorward then answers 400.
    ///
    /// ```
    /// use doorward_client::kalshi::{AuthApi, LoginRequest};
    ///
    /// # doorward_started::example(async |server| {
    /// # let (host, email, password) = (server.at("/v1"), server.email(), server.password());
    /// // `AuthApi::new()` is for the host https://trading-api.kalshi.com/v1
    /// let api = AuthApi::with_host(&host)?;
    /// let login_request = LoginRequest::new(email, password);
    ///
    /// match api.login(&login_request).await {
    ///     Ok(response) => println!("{} {}", response.user_id, response.access_level),
    ///     Err(error) => eprintln!("login: {error}"),
    /// }
    /// # assert_eq!(api.login(&login_request).await?.user_id, server.user_id());
    /// # let refused = api.login(&LoginRequest::new("email_example", "password_example")).await.unwrap_err();
    /// # assert_eq!(refused.refused().and_then(|refused| refused.body()).unwrap().code, "invalid_credentials");
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// 400, 401 (wrong e-mail address or password), 403 (disabled, or a second factor is owed), 429, 500, 503.
    pub async fn login<'a>(&self, login_request: impl Into<Option<&'a LoginRequest>>) -> Result<LoginResponse, Error> {
        self.send(with_body(Request::post("log_in"), login_request.into())?).await?.json()
    }

    /// Ends the session of the [`ApiKey`].
    ///
    /// ```
    /// use doorward_client::kalshi::{ApiKey, AuthApi, LoginRequest};
    ///
    /// # doorward_started::example(async |server| {
    /// # let (host, email, password) = (server.at("/v1"), server.email(), server.password());
    /// let api = AuthApi::with_host(&host)?;
    /// let session = api.login(&LoginRequest::new(email, password)).await?;
    ///
    /// // `ApiKey::bearer(token)` puts a prefix before it, `ApiKey::of(&session)` the user's id too.
    /// let api = api.with_api_key(ApiKey::bare(session.token));
    /// if let Err(error) = api.logout().await {
    ///     eprintln!("logout: {error}");
    /// }
    /// # assert_eq!(api.logout().await.unwrap_err().status().unwrap(), 401, "the session was there to be ended");
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// 400, 401 (no session), 403, 500, 503.
    pub async fn logout(&self) -> Result<(), Error> {
        self.send(Request::post("log_out")).await.map(drop)
    }

    /// Has a link to set a new password mailed, if anybody has the address.
    ///
    /// ```
    /// use doorward_client::kalshi::{AuthApi, ResetPasswordRequest};
    ///
    /// # doorward_started::example(async |server| {
    /// # let (host, email) = (server.at("/v1"), server.email());
    /// let api = AuthApi::with_host(&host)?;
    /// let reset_password_request = ResetPasswordRequest::new(email);
    ///
    /// if let Err(error) = api.reset_password(&reset_password_request).await {
    ///     eprintln!("reset_password: {error}");
    /// }
    /// # assert!(server.link(server.email()).await.contains("/reset?code="));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// 400, 429, 500, 503.
    pub async fn reset_password<'a>(
        &self,
        reset_password_request: impl Into<Option<&'a ResetPasswordRequest>>,
    ) -> Result<(), Error> {
        self.send(with_body(Request::post("passwords/reset"), reset_password_request.into())?).await.map(drop)
    }

    /// Sets a new password with the mailed `code`.
    ///
    /// ```
    /// use doorward_client::kalshi::{AuthApi, ConfirmPasswordResetRequest};
    /// # use doorward_client::kalshi::{LoginRequest, ResetPasswordRequest};
    ///
    /// # doorward_started::example(async |server| {
    /// # let host = server.at("/v1");
    /// # AuthApi::with_host(&host)?.reset_password(&ResetPasswordRequest::new(server.email())).await?;
    /// # let link = server.link(server.email()).await;
    /// # let (code, user_id) = (server.query(&link, "code"), server.query(&link, "user_id"));
    /// let api = AuthApi::with_host(&host)?;
    ///
    /// // With the required values alone, which the server will refuse
    /// if let Err(error) = api.reset_password_confirm(&code, None).await {
    ///     eprintln!("reset_password_confirm: {error}");
    /// }
    ///
    /// // With all values; both come from the mailed link
    /// let request = ConfirmPasswordResetRequest::new("a lantern of 8 quartz", user_id);
    /// if let Err(error) = api.reset_password_confirm(&code, &request).await {
    ///     eprintln!("reset_password_confirm: {error}");
    /// }
    /// # api.login(&LoginRequest::new(server.email(), "a lantern of 8 quartz")).await?;
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// 400 (the code is not valid, the password not good enough), 500, 503. Never tried again, though it is a PUT: the code is good once.
    pub async fn reset_password_confirm<'a>(
        &self,
        code: &str,
        confirm_password_reset_request: impl Into<Option<&'a ConfirmPasswordResetRequest>>,
    ) -> Result<(), Error> {
        let request = Request::put_once("passwords/reset").part(code).part("confirm");
        self.send(with_body(request, confirm_password_reset_request.into())?).await.map(drop)
    }
}

fn with_body(request: Request, body: Option<&impl Serialize>) -> Result<Request, Invalid> {
    match body {
        Some(body) => request.json(body),
        None => Ok(request),
    }
}
