//! Doorward's own API: `/auth/v1` for everybody's own account, `/admin/v1` for administrators.
//!
//! A [`Client`] signs in; what comes of it is a [`Session`], or a [`HalfSession`] that owes a second factor yet. A session manages its user's
//! account, and through [`Session::admin`], if the user is an administrator, everybody's.
//!
//! ```
//! use doorward_client::native::{Client, SignedIn};
//!
//! # doorward_started::example(async |server| {
//! # let (url, password) = (server.at(""), server.password());
//! let client = Client::new(&url)?;
//! let session = match client.sign_in("ann", &password.into()).await? {
//!     SignedIn::Full(session) => session,
//!     SignedIn::Half(half) => panic!("a second factor is needed: {half:?}"),
//! };
//! let me = session.show().await?;
//! println!("{} {:?}", me.user.username, me.session.factors);
//!
//! let mut users = session.admin().users();
//! while let Some(page) = users.next().await? {
//!     for user in page {
//!         println!("{} {}", user.id, user.email);
//!     }
//! }
//!
//! session.sign_out().await?;
//! # assert_eq!(session.show().await.unwrap_err().refused().unwrap().body().unwrap().name(), "not-signed-in");
//! # Ok(()) });
//! ```

mod account;
mod admin;
mod model;
mod pages;
mod problem;
mod session;
mod signed_in;

pub use admin::{
    Admin, Application, AuditEntry, AuditFilter, Count, CountedBy, Invitation, InvitationState, Invited, Mail, MailPreview,
    MailState, ManagedUser, NewApplication, NewInvitation, NewUser, Registered, UserDetail, UserSession, UserStatus,
};
pub use jiff::Timestamp;
pub use model::{
    By, CurrentSession, Factor, Happening, Key, Methods, NewAccount, OpenInvitation, OwnSession, RecoveryConfirmation, Role,
    SessionInfo, SessionStatus, Totp, TotpEnrolment, User,
};
pub use pages::Pages;
pub use problem::{BrokenRule, Problem};
pub use session::Session;
pub use signed_in::{HalfSession, SignedIn};
pub use uuid::Uuid;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use crate::error::Invalid;
use crate::options::Options;
use crate::request::Request;
use crate::transport::Transport;

/// What a call can end with, other than what was asked for.
pub type Error = crate::Error<Problem>;

/// What a call ends with.
pub type Result<T> = std::result::Result<T, Error>;

/// Calls that need no session. Cheap to clone; clones share their connections.
#[derive(Clone, Debug)]
pub struct Client {
    transport: Transport,
}

impl Client {
    /// For the server at a public URL.
    ///
    /// # Errors
    /// If it is no URL.
    pub fn new(public_url: &str) -> std::result::Result<Self, Invalid> {
        Self::with(public_url, &Options::default())
    }

    /// The same with options.
    ///
    /// # Errors
    /// If it is no URL, or an option cannot be used.
    pub fn with(public_url: &str, options: &Options) -> std::result::Result<Self, Invalid> {
        Ok(Self { transport: Transport::new(public_url, options)? })
    }

    /// What the server offers; tried again.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn methods(&self) -> Result<Methods> {
        self.transport.send(Request::get("auth/v1/methods")).await?.json()
    }

    /// Signs in with a username or an e-mail address, and a password.
    ///
    /// # Errors
    /// `invalid-credentials`, `account-disabled`, `too-many-attempts` …
    pub async fn sign_in(&self, identifier: &str, password: &SecretString) -> Result<SignedIn> {
        let body = json!({"identifier": identifier, "password": password.expose_secret()});
        self.open(Request::post("auth/v1/sign-in/password").json(&body)?).await
    }

    /// Has a code to sign in with mailed, if anybody has the address.
    ///
    /// # Errors
    /// `too-many-attempts` …
    pub async fn request_code(&self, email: &str) -> Result<()> {
        let request = Request::post("auth/v1/sign-in/code/request").json(&json!({"email": email}))?;
        self.transport.send(request).await.map(drop)
    }

    /// Signs in with an e-mail address and the code that was mailed to it.
    ///
    /// ```
    /// # use doorward_client::native::{Client, Factor};
    /// # doorward_started::example(async |server| {
    /// # let client = Client::new(&server.at(""))?;
    /// client.request_code("ann@example.com").await?;
    ///
    /// // Once the mail is there
    /// # let code = server.code("ann@example.com").await;
    /// let signed_in = client.sign_in_with_code("ann@example.com", &code.into()).await?;
    /// # assert_eq!(signed_in.full().unwrap().info().factors, [Factor::EmailCode]);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `invalid-credentials`, `account-disabled`, `too-many-attempts` …
    pub async fn sign_in_with_code(&self, email: &str, code: &SecretString) -> Result<SignedIn> {
        let body = json!({"email": email, "code": code.expose_secret()});
        self.open(Request::post("auth/v1/sign-in/code").json(&body)?).await
    }

    /// Starts signing in with a passkey, whoever has one: `{"publicKey": {…}}`, for
    /// `PublicKeyCredential.parseRequestOptionsFromJSON(options.publicKey)`. Good once, for five minutes.
    ///
    /// # Errors
    /// `webauthn-unavailable`, `too-many-attempts` …
    pub async fn start_passkey(&self) -> Result<Value> {
        self.transport.send(Request::post("auth/v1/sign-in/passkey/start")).await?.json()
    }

    /// Signs in with a passkey, with the authenticator's answer: two factors in one.
    ///
    /// ```
    /// # use doorward_client::native::{Client, Factor};
    /// # doorward_started::example(async |server| {
    /// # let (client, mut authenticator) = (Client::new(&server.at(""))?, server.passkey());
    /// # let session = client.sign_in("ann", &server.password().into()).await?.full().ok_or("a second factor is needed")?;
    /// let answer = authenticator.create(&session.start_key().await?);
    /// let key = session.finish_key("laptop", &answer).await?;
    /// assert_eq!(key.passkey, Some(true));
    ///
    /// // From now on neither a name nor a password is needed
    /// let answer = authenticator.get(&client.start_passkey().await?);
    /// let session = client.sign_in_with_passkey(&answer).await?.full().ok_or("a second factor is needed")?;
    /// # assert_eq!(session.info().factors, [Factor::SecurityKey, Factor::UserVerification]);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `webauthn-failed`, `account-disabled`, `too-many-attempts` …
    pub async fn sign_in_with_passkey(&self, credential: &Value) -> Result<SignedIn> {
        self.open(Request::post("auth/v1/sign-in/passkey").json(&json!({"credential": credential}))?).await
    }

    async fn open(&self, request: Request) -> Result<SignedIn> {
        Ok(SignedIn::of(&self.transport, self.transport.send(request).await?.json::<_, Problem>()?))
    }

    /// Has a link to set a new password mailed, if anybody has the username or e-mail address.
    ///
    /// # Errors
    /// `too-many-attempts` …
    pub async fn recover(&self, identifier: &str) -> Result<()> {
        let request = Request::post("auth/v1/recovery").json(&json!({"identifier": identifier}))?;
        self.transport.send(request).await.map(drop)
    }

    /// Sets a new password with the code of the mailed link. All sessions end, none is opened.
    ///
    /// ```
    /// # use doorward_client::native::{Client, RecoveryConfirmation};
    /// # doorward_started::example(async |server| {
    /// # let client = Client::new(&server.at(""))?;
    /// client.recover("ann").await?;
    ///
    /// // Once the mail is there: its link is https://…/reset?code=…&user_id=…
    /// # let link = server.link("ann@example.com").await;
    /// # let (code, user_id) = (server.query(&link, "code"), server.query(&link, "user_id"));
    /// let confirmation = RecoveryConfirmation {
    ///     code: code.into(),
    ///     password: "a lantern of 8 quartz".into(),
    ///     user_id: Some(user_id.parse()?),
    /// };
    /// client.confirm_recovery(&confirmation).await?;
    /// # client.sign_in("ann", &"a lantern of 8 quartz".into()).await?;
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `invalid-code`, `password-rejected` …
    pub async fn confirm_recovery(&self, confirmation: &RecoveryConfirmation) -> Result<()> {
        self.transport.send(Request::post("auth/v1/recovery/confirm").json(confirmation)?).await.map(drop)
    }

    /// What an invitation is for, whose secret is `id`; spends nothing, and is tried again.
    ///
    /// # Errors
    /// `invitation-not-found` …
    pub async fn inspect_invitation(&self, id: &SecretString) -> Result<OpenInvitation> {
        let request = Request::post("auth/v1/invitations/inspect").idempotent().json(&json!({"id": id.expose_secret()}))?;
        self.transport.send(request).await?.json()
    }

    /// Makes an account of an invitation; opens no session.
    ///
    /// ```
    /// # use doorward_client::native::{Client, NewAccount};
    /// # use doorward_client::secrecy::SecretString;
    /// # doorward_started::example(async |server| {
    /// # let client = Client::new(&server.at(""))?;
    /// # let id = SecretString::from(server.invitation("bob@example.com"));
    /// let invitation = client.inspect_invitation(&id).await?;
    /// println!("an account for {}", invitation.email);
    /// let account = NewAccount {
    ///     id,
    ///     first_name: "Bob".to_owned(),
    ///     last_name: "Example".to_owned(),
    ///     password: "a lantern of 8 quartz".into(),
    /// };
    /// client.create_account(&account).await?;
    /// # client.sign_in("bob@example.com", &"a lantern of 8 quartz".into()).await?;
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `invitation-not-found`, `email-taken`, `password-rejected` …
    pub async fn create_account(&self, account: &NewAccount) -> Result<User> {
        self.transport.send(Request::post("auth/v1/invitations/account").json(account)?).await?.json()
    }

    /// Takes up a session that [`Session::export`] or [`HalfSession::export`] wrote down. The server is not asked: [`Session::show`] does that.
    ///
    /// # Errors
    /// If the text is no such session, or one of another server than this client's: its token would be sent to the wrong one.
    pub fn import(&self, stored: &SecretString) -> std::result::Result<SignedIn, Invalid> {
        signed_in::import(&self.transport, stored)
    }
}
