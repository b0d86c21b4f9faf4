//! A user's own account: security keys, authenticator app, invitations.

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use uuid::Uuid;

use super::model::{Happening, Items, Key, Totp, TotpEnrolment, User};
use super::pages::Pages;
use super::session::Session;
use super::{Problem, Result};
use crate::request::Request;

impl Session {
    /// Changes the user's names; `None` leaves one as it is. Tried again.
    ///
    /// # Errors
    /// `invalid-parameters` …
    pub async fn change_names(&self, first: Option<&str>, last: Option<&str>) -> Result<User> {
        let body = json!({"first_name": first, "last_name": last});
        self.0.send(Request::patch("auth/v1/profile").idempotent().json(&body)?).await?.json()
    }

    /// What happened to the account.
    pub fn history(&self) -> Pages<Happening> {
        Pages::new(&self.0, Request::get("auth/v1/history"))
    }

    /// The user's security keys, oldest first; tried again.
    ///
    /// # Errors
    /// See [`Error`](super::Error).
    pub async fn keys(&self) -> Result<Vec<Key>> {
        Ok(self.0.send(Request::get("auth/v1/keys")).await?.json::<Items<Key>, Problem>()?.items)
    }

    /// Starts the registration of a security key: `{"publicKey": {…}}`, for
    /// `PublicKeyCredential.parseCreationOptionsFromJSON(options.publicKey)`.
    ///
    /// # Errors
    /// `recent-sign-in-required`, `webauthn-unavailable` …
    pub async fn start_key(&self) -> Result<Value> {
        self.0.send(Request::post("auth/v1/keys/start")).await?.json()
    }

    /// Registers a security key, with the authenticator's answer.
    ///
    /// # Errors
    /// `webauthn-failed`, `key-name-taken` …
    pub async fn finish_key(&self, name: &str, credential: &Value) -> Result<Key> {
        self.0.send(Request::post("auth/v1/keys").json(&json!({"name": name, "credential": credential}))?).await?.json()
    }

    /// Gives a security key another name.
    ///
    /// # Errors
    /// `not-found`, `key-name-taken` …
    pub async fn rename_key(&self, id: Uuid, name: &str) -> Result<()> {
        self.0.send(Request::patch("auth/v1/keys").part(id.to_string()).json(&json!({"name": name}))?).await.map(drop)
    }

    /// Removes a security key; tried again.
    ///
    /// # Errors
    /// `not-found`, `recent-sign-in-required` …
    pub async fn remove_key(&self, id: Uuid) -> Result<()> {
        self.0.send(Request::delete("auth/v1/keys").part(id.to_string())).await.map(drop)
    }

    /// Whether there is an authenticator app; tried again.
    ///
    /// # Errors
    /// See [`Error`](super::Error).
    pub async fn totp(&self) -> Result<Totp> {
        self.0.send(Request::get("auth/v1/totp")).await?.json()
    }

    /// Starts enrolling an authenticator app.
    ///
    /// # Errors
    /// `conflict` (there is one), `recent-sign-in-required` …
    pub async fn start_totp(&self) -> Result<TotpEnrolment> {
        self.0.send(Request::post("auth/v1/totp/start")).await?.json()
    }

    /// Enrols the authenticator app, with a code that it shows.
    ///
    /// # Errors
    /// `invalid-credentials`, `conflict` …
    pub async fn finish_totp(&self, code: &SecretString) -> Result<Totp> {
        self.0.send(Request::post("auth/v1/totp").json(&json!({"code": code.expose_secret()}))?).await?.json()
    }

    /// Removes the authenticator app; tried again.
    ///
    /// # Errors
    /// `not-found`, `recent-sign-in-required` …
    pub async fn remove_totp(&self) -> Result<()> {
        self.0.send(Request::delete("auth/v1/totp")).await.map(drop)
    }

    /// Accepts an invitation, whose secret is `id`.
    ///
    /// # Errors
    /// `invitation-not-found`, `invitation-for-another` …
    pub async fn accept_invitation(&self, id: &SecretString) -> Result<User> {
        self.0.send(Request::post("auth/v1/invitations/accept").json(&json!({"id": id.expose_secret()}))?).await?.json()
    }
}
