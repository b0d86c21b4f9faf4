//! A session, and what it is good for by itself.

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use uuid::Uuid;

use super::admin::Admin;
use super::model::{CurrentSession, Ended, OwnSession, SessionInfo};
use super::pages::Pages;
use super::signed_in::{Carried, SignedIn};
use super::{Problem, Result};
use crate::request::Request;

/// A session that owes nothing. Its token is a secret that no `Debug` shows; clones are the same session.
///
/// Calls that take `&mut self` get a new token: the one before, and clones that have it, are worth nothing from then on.
#[derive(Clone, Debug)]
pub struct Session(pub(super) Carried);

impl Session {
    /// The user's id.
    #[must_use]
    pub fn user_id(&self) -> Uuid {
        self.0.user_id
    }

    /// The session as it was when it got its token.
    #[must_use]
    pub fn info(&self) -> &SessionInfo {
        &self.0.info
    }

    /// The token, to be carried elsewhere.
    #[must_use]
    pub fn token(&self) -> &SecretString {
        &self.0.token
    }

    /// Writes the session down, to be kept where only its user can read it: whoever has the text has the session.
    ///
    /// ```
    /// use std::fs::OpenOptions;
    /// use std::io::Write as _;
    /// use std::os::unix::fs::OpenOptionsExt as _;
    ///
    /// use doorward_client::native::Client;
    /// use doorward_client::secrecy::{ExposeSecret as _, SecretString};
    ///
    /// # doorward_started::example(async |server| {
    /// # let (url, password) = (server.at(""), server.password());
    /// # let folder = std::env::temp_dir().join(server.user_id());
    /// # std::fs::create_dir(&folder)?;
    /// # let file = folder.join("session");
    /// # let client = Client::new(&url)?;
    /// let session = client.sign_in("ann", &password.into()).await?.full().ok_or("a second factor is needed")?;
    /// let mut kept = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file)?;
    /// kept.write_all(session.export().expose_secret().as_bytes())?;
    ///
    /// // Another day, another process
    /// let stored = SecretString::from(std::fs::read_to_string(&file)?);
    /// let session = client.import(&stored)?.full().ok_or("a second factor is needed")?;
    /// println!("{}", session.show().await?.user.username);
    /// # std::fs::remove_dir_all(&folder)?;
    /// # Ok(()) });
    /// ```
    #[must_use]
    pub fn export(&self) -> SecretString {
        self.0.export()
    }

    /// Who am I; tried again.
    ///
    /// # Errors
    /// `not-signed-in` …
    pub async fn show(&self) -> Result<CurrentSession> {
        self.0.send(Request::get("auth/v1/session")).await?.json()
    }

    /// Ends the session; tried again.
    ///
    /// # Errors
    /// `not-signed-in` …
    pub async fn sign_out(&self) -> Result<()> {
        self.0.sign_out().await
    }

    /// All sessions of the user.
    pub fn sessions(&self) -> Pages<OwnSession> {
        Pages::new(&self.0, Request::get("auth/v1/sessions"))
    }

    /// Ends one of the user's sessions, which may be this one; tried again.
    ///
    /// # Errors
    /// `not-found` …
    pub async fn end_session(&self, id: Uuid) -> Result<()> {
        self.0.send(Request::delete("auth/v1/sessions").part(id.to_string())).await.map(drop)
    }

    /// Ends all of the user's sessions but this one, and says how many; tried again.
    ///
    /// # Errors
    /// See [`Error`](super::Error).
    pub async fn end_other_sessions(&self) -> Result<u64> {
        Ok(self.0.send(Request::delete("auth/v1/sessions")).await?.json::<Ended, Problem>()?.ended)
    }

    /// Changes the password; ends the other sessions.
    ///
    /// ```
    /// # use doorward_client::native::Client;
    /// # doorward_started::example(async |server| {
    /// # let client = Client::new(&server.at(""))?;
    /// # let password = server.password().into();
    /// let mut session = client.sign_in("ann", &password).await?.full().ok_or("a second factor is needed")?;
    /// if let Err(error) = session.change_password(&password, &"short".into()).await {
    ///     let problem = error.refused().and_then(|refused| refused.body());
    ///     for rule in problem.map_or(&[][..], |problem| &problem.problems) {
    ///         println!("{}", rule.message);
    ///     }
    /// #   assert_eq!(problem.unwrap().problems[0].code, "too_short");
    /// }
    /// session.change_password(&password, &"a lantern of 8 quartz".into()).await?;
    /// # session.show().await?;
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `invalid-credentials`, `password-rejected`, `recent-sign-in-required` …
    pub async fn change_password(&mut self, current: &SecretString, new: &SecretString) -> Result<()> {
        let body = json!({"current_password": current.expose_secret(), "new_password": new.expose_secret()});
        let renewed = self.0.renew(Request::post("auth/v1/password").json(&body)?).await?;
        self.take(renewed);
        Ok(())
    }

    /// Starts giving a security key once more, as a recent proof: see [`HalfSession::start_key`](super::HalfSession::start_key).
    ///
    /// # Errors
    /// `no-security-key` …
    pub async fn start_key_proof(&self) -> Result<Value> {
        self.0.start_key().await
    }

    /// Gives a security key once more.
    ///
    /// # Errors
    /// `webauthn-failed` …
    pub async fn finish_key_proof(&mut self, credential: &Value) -> Result<()> {
        let renewed = self.0.finish_key(credential).await?;
        self.take(renewed);
        Ok(())
    }

    /// Gives a code of the authenticator app once more, as a recent proof.
    ///
    /// # Errors
    /// `invalid-credentials`, `conflict` (there is no app), `too-many-attempts` …
    pub async fn totp_proof(&mut self, code: &SecretString) -> Result<()> {
        let renewed = self.0.give_totp(code).await?;
        self.take(renewed);
        Ok(())
    }

    fn take(&mut self, renewed: SignedIn) {
        self.0 = match renewed {
            SignedIn::Full(Self(carried)) => carried,
            SignedIn::Half(half) => half.0,
        };
    }

    /// Everybody's accounts, for administrators.
    #[must_use]
    pub fn admin(&self) -> Admin<'_> {
        Admin(&self.0)
    }
}
