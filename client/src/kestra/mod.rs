//! The sign-in part of Kestra's API: the calls of the Python class `kestrapy.AuthApi`, and [`AuthApi::login`], which is its `POST /login`.
//!
//! The session is a cookie, which the client keeps; [`AuthApi::with_token`] carries one that was opened elsewhere.

mod model;

pub use model::{AuthControllerAuth, AuthControllerInvitationUserRequest, AuthControllerResetPasswordRequest, JsonError};

use std::sync::Arc;

use reqwest::header::{AUTHORIZATION, COOKIE};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use crate::cookies::Jar;
use crate::error::Invalid;
use crate::options::Options;
use crate::request::Request;
use crate::secret;
use crate::transport::{Answer, Transport};

/// Where the Python client looks for the service; a Doorward is at its public URL.
pub const HOST: &str = "http://localhost";

/// What a call can end with, other than what was asked for.
pub type Error = crate::Error<JsonError>;

/// Calls of the API. Cheap to clone; clones share their connections and their session.
#[derive(Clone, Debug)]
pub struct AuthApi {
    transport: Transport,
    jar: Arc<Jar>,
    token: Option<SecretString>,
}

impl AuthApi {
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
        Ok(Self { transport: Transport::new(host, options)?, jar: Arc::default(), token: None })
    }

    /// These calls in the name of a session or of an API token: `Authorization: Bearer …` in the place of cookies.
    #[must_use]
    pub fn with_token(&self, token: SecretString) -> Self {
        Self { token: Some(token), ..self.clone() }
    }

    async fn send(&self, mut request: Request) -> Result<Answer, Error> {
        match &self.token {
            Some(token) => request = request.header(AUTHORIZATION, secret::bearer(token)?),
            None => {
                if let Some(cookies) = self.jar.header(self.transport.base())? {
                    request = request.header(COOKIE, cookies);
                }
            }
        }
        let answer = self.transport.send(request).await?;
        self.jar.take(&answer.headers);
        Ok(answer)
    }

    /// How one can sign in; tried again.
    ///
    /// ```
    /// use doorward_client::kestra::AuthApi;
    ///
    /// # doorward_started::example(async |server| {
    /// # let host = server.at("");
    /// // `AuthApi::new()` is for the host http://localhost
    /// let api = AuthApi::with_host(&host)?;
    ///
    /// match api.index().await {
    ///     Ok(response) => println!("{response:#?}"),
    ///     Err(error) => eprintln!("index: {error}"),
    /// }
    /// # let methods = api.index().await?;
    /// # assert!(methods.login_password && methods.passwordless && methods.oauths.is_empty());
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// 500, 503.
    pub async fn index(&self) -> Result<AuthControllerAuth, Error> {
        self.send(Request::get("api/v1/auths")).await?.json()
    }

    /// Has a link to set a new password mailed, if anybody has the name.
    ///
    /// ```
    /// use doorward_client::kestra::AuthApi;
    ///
    /// # doorward_started::example(async |server| {
    /// # let (host, username) = (server.at(""), server.username());
    /// let api = AuthApi::with_host(&host)?;
    ///
    /// match api.forgotten_password(username).await {
    ///     Ok(response) => println!("{response}"),
    ///     Err(error) => eprintln!("forgotten_password: {error}"),
    /// }
    /// # assert!(server.link(server.email()).await.contains("/reset?token="));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// 400, 429, 500, 503. Never tried again, though it is a GET: it mails.
    pub async fn forgotten_password(&self, username: &str) -> Result<Value, Error> {
        self.send(Request::get_with_effect("api/v1/forgotten-password").query("username", username)).await?.json()
    }

    /// Has a code mailed, with which to sign in by [`login`](Self::login), if anybody has the address.
    ///
    /// ```
    /// use doorward_client::kestra::AuthApi;
    ///
    /// # doorward_started::example(async |server| {
    /// # let (host, email) = (server.at(""), server.email());
    /// let api = AuthApi::with_host(&host)?;
    ///
    /// match api.request_code(email).await {
    ///     Ok(response) => println!("{response}"),
    ///     Err(error) => eprintln!("request_code: {error}"),
    /// }
    /// # api.login(email, &server.code(email).await.into()).await?;
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// 400, 429, 500, 503. Never tried again, though it is a GET: it mails.
    pub async fn request_code(&self, email: &str) -> Result<Value, Error> {
        self.send(Request::get_with_effect("api/v1/request-code").part(email)).await?.json()
    }

    /// Sets a new password with the mailed token. After 422, when the password was not good enough, the token can be used again.
    ///
    /// ```
    /// use doorward_client::kestra::{AuthApi, AuthControllerResetPasswordRequest};
    ///
    /// # doorward_started::example(async |server| {
    /// # let host = server.at("");
    /// # AuthApi::with_host(&host)?.forgotten_password(server.username()).await?;
    /// # let token = server.query(&server.link(server.email()).await, "token");
    /// let api = AuthApi::with_host(&host)?;
    ///
    /// # let weak = AuthControllerResetPasswordRequest::new(token.as_str(), "x");
    /// # let refused = api.reset_password(&weak).await.unwrap_err();
    /// # assert_eq!(refused.status().unwrap(), 422);
    /// # assert!(refused.refused().unwrap().body().unwrap().errors().count() > 0);
    /// let request = AuthControllerResetPasswordRequest::new(token, "a lantern of 8 quartz");
    /// match api.reset_password(&request).await {
    ///     Ok(response) => println!("{response}"),
    ///     Err(error) => eprintln!("reset_password: {error}"),
    /// }
    /// # api.login(server.username(), &"a lantern of 8 quartz".into()).await?;
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// 400 (the token), 422 (the password), 429, 500, 503.
    pub async fn reset_password(
        &self,
        auth_controller_reset_password_request: &AuthControllerResetPasswordRequest,
    ) -> Result<Value, Error> {
        self.send(Request::post("api/v1/reset-password").json(auth_controller_reset_password_request)?).await?.json()
    }

    /// Accepts an invitation in the name of who is signed in.
    ///
    /// ```
    /// use doorward_client::kestra::AuthApi;
    ///
    /// # doorward_started::example(async |server| {
    /// # let (host, username, password) = (server.at(""), server.username(), server.password());
    /// # let invitation_id = server.invitation(server.email());
    /// let api = AuthApi::with_host(&host)?;
    /// # assert_eq!(api.accept_invitation(&invitation_id).await.unwrap_err().status().unwrap(), 401);
    /// api.login(username, &password.into()).await?;
    ///
    /// match api.accept_invitation(&invitation_id).await {
    ///     Ok(response) => println!("{response}"),
    ///     Err(error) => eprintln!("accept_invitation: {error}"),
    /// }
    /// # assert_eq!(api.accept_invitation(&invitation_id).await.unwrap_err().status().unwrap(), 404, "it was used");
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// 401 (no session), 403 (another's), 404 (no open invitation), 429, 500, 503.
    pub async fn accept_invitation(&self, invitation_id: &str) -> Result<Value, Error> {
        self.send(Request::post("api/v1/invitation/accept").part(invitation_id)).await?.json()
    }

    /// Makes an account of an invitation.
    ///
    /// ```
    /// use doorward_client::kestra::{AuthApi, AuthControllerInvitationUserRequest};
    ///
    /// # doorward_started::example(async |server| {
    /// # let (host, invitation_id) = (server.at(""), server.invitation("bob@example.com"));
    /// let api = AuthApi::with_host(&host)?;
    /// let request = AuthControllerInvitationUserRequest::new("Bob", "Example", "a lantern of 8 quartz");
    ///
    /// match api.create_from_invitation(&invitation_id, &request).await {
    ///     Ok(response) => println!("{response}"),
    ///     Err(error) => eprintln!("create_from_invitation: {error}"),
    /// }
    /// # api.login("bob@example.com", &"a lantern of 8 quartz".into()).await?;
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// 400, 404 (no open invitation), 409 (there is an account with its address), 422 (the password), 429, 500, 503.
    pub async fn create_from_invitation(
        &self,
        invitation_id: &str,
        auth_controller_invitation_user_request: &AuthControllerInvitationUserRequest,
    ) -> Result<Value, Error> {
        let request = Request::post("api/v1/invitation/create").part(invitation_id);
        self.send(request.json(auth_controller_invitation_user_request)?).await?.json()
    }

    /// Signs in with a password, or with the code that [`request_code`](Self::request_code) had mailed; the calls after it are the session's.
    ///
    /// # Errors
    /// 401, 403 (disabled, or a second factor is owed), 429, 500, 503.
    pub async fn login(&self, username: &str, password: &SecretString) -> Result<(), Error> {
        let fields = [("username", username), ("password", password.expose_secret())];
        self.send(Request::post("login").form(&fields)).await.map(drop)
    }
}
