//! What signing in comes to.

use reqwest::header::AUTHORIZATION;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::model::{SessionInfo, SessionStatus, TokenAnswer};
use super::session::Session;
use super::{Problem, Result};
use crate::error::Invalid;
use crate::request::Request;
use crate::secret;
use crate::transport::{Answer, Transport};

/// A session, and whether it is good for anything yet.
#[derive(Debug)]
pub enum SignedIn {
    /// It is.
    Full(Session),
    /// It owes a second factor.
    Half(HalfSession),
}

impl SignedIn {
    pub(super) fn of(transport: &Transport, answer: TokenAnswer) -> Self {
        Self::carried(Carried {
            transport: transport.clone(),
            token: answer.token,
            user_id: answer.user.id,
            info: answer.session,
        })
    }

    fn carried(carried: Carried) -> Self {
        match carried.info.status {
            SessionStatus::Full => Self::Full(Session(carried)),
            SessionStatus::Half => Self::Half(HalfSession(carried)),
        }
    }

    /// The session, if it owes nothing.
    #[must_use]
    pub fn full(self) -> Option<Session> {
        match self {
            Self::Full(session) => Some(session),
            Self::Half(_) => None,
        }
    }

    /// The session, if it owes a second factor.
    #[must_use]
    pub fn half(self) -> Option<HalfSession> {
        match self {
            Self::Full(_) => None,
            Self::Half(half) => Some(half),
        }
    }
}

/// A token, whose it is, and where it is good.
#[derive(Clone, Debug)]
pub(super) struct Carried {
    pub(super) transport: Transport,
    pub(super) token: SecretString,
    pub(super) user_id: Uuid,
    pub(super) info: SessionInfo,
}

impl Carried {
    pub(super) async fn send(&self, request: Request) -> Result<Answer> {
        self.transport.send(request.header(AUTHORIZATION, secret::bearer(&self.token)?)).await
    }

    /// A call whose answer has the token that counts from now on.
    pub(super) async fn renew(&self, request: Request) -> Result<SignedIn> {
        Ok(SignedIn::of(&self.transport, self.send(request).await?.json::<_, Problem>()?))
    }

    pub(super) async fn start_key(&self) -> Result<Value> {
        self.send(Request::post("auth/v1/second-factor/start")).await?.json()
    }

    pub(super) async fn finish_key(&self, credential: &Value) -> Result<SignedIn> {
        self.renew(Request::post("auth/v1/second-factor").json(&json!({"credential": credential}))?).await
    }

    pub(super) async fn give_totp(&self, code: &SecretString) -> Result<SignedIn> {
        self.renew(Request::post("auth/v1/second-factor/totp").json(&json!({"code": code.expose_secret()}))?).await
    }

    pub(super) async fn sign_out(&self) -> Result<()> {
        self.send(Request::delete("auth/v1/session")).await.map(drop)
    }

    pub(super) fn export(&self) -> SecretString {
        let (url, token) = (self.transport.base().as_str(), self.token.expose_secret());
        json!({"doorward": VERSION, "url": url, "token": token, "user_id": self.user_id, "session": self.info}).to_string().into()
    }
}

/// Of the written form.
const VERSION: u8 = 1;

#[derive(Deserialize)]
struct Stored {
    doorward: u8,
    url: String,
    token: SecretString,
    user_id: Uuid,
    session: SessionInfo,
}

pub(super) fn import(transport: &Transport, stored: &SecretString) -> std::result::Result<SignedIn, Invalid> {
    // The parser's own complaint could quote the token.
    let stored: Stored = serde_json::from_str(stored.expose_secret()).map_err(|_| wrong("it is no exported session"))?;
    if stored.doorward != VERSION {
        return Err(wrong("it was exported by another version"));
    }
    if stored.url != transport.base().as_str() {
        return Err(wrong("it is of another server"));
    }
    let Stored { token, user_id, session: info, .. } = stored;
    Ok(SignedIn::carried(Carried { transport: transport.clone(), token, user_id, info }))
}

fn wrong(why: &str) -> Invalid {
    Invalid::new("session", why)
}

/// A session that owes a second factor. It lasts ten minutes.
#[derive(Clone, Debug)]
pub struct HalfSession(pub(super) Carried);

impl HalfSession {
    /// The user's id.
    #[must_use]
    pub fn user_id(&self) -> Uuid {
        self.0.user_id
    }

    /// The session as it was when it was opened.
    #[must_use]
    pub fn info(&self) -> &SessionInfo {
        &self.0.info
    }

    /// Starts giving a security key: `{"publicKey": {…}}`, for `PublicKeyCredential.parseRequestOptionsFromJSON(options.publicKey)`.
    ///
    /// # Errors
    /// `no-security-key` …
    pub async fn start_key(&self) -> Result<Value> {
        self.0.start_key().await
    }

    /// Gives a security key, with the authenticator's answer. The token of this session is then worth nothing any more.
    ///
    /// ```
    /// use doorward_client::native::{Client, SignedIn};
    ///
    /// # doorward_started::example(async |server| {
    /// # let (client, mut authenticator) = (Client::new(&server.at(""))?, server.authenticator());
    /// # let password = server.password().into();
    /// let session = client.sign_in("ann", &password).await?.full().ok_or("a second factor is needed")?;
    /// let answer = authenticator.create(&session.start_key().await?);
    /// session.finish_key("yellow key", &answer).await?;
    ///
    /// // From now on the password is not enough
    /// let session = match client.sign_in("ann", &password).await? {
    ///     SignedIn::Full(session) => session,
    ///     SignedIn::Half(half) => {
    ///         let answer = authenticator.get(&half.start_key().await?);
    ///         half.finish_key(&answer).await?.full().ok_or("a second factor is still needed")?
    ///     }
    /// };
    /// # assert_eq!(session.show().await?.session.assurance_level, 2);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `webauthn-failed` …
    pub async fn finish_key(&self, credential: &Value) -> Result<SignedIn> {
        self.0.finish_key(credential).await
    }

    /// Gives a code of the authenticator app. The token of this session is then worth nothing any more.
    ///
    /// # Errors
    /// `invalid-credentials`, `conflict` (there is no app), `too-many-attempts` …
    pub async fn totp(&self, code: &SecretString) -> Result<SignedIn> {
        self.0.give_totp(code).await
    }

    /// Ends the session; tried again.
    ///
    /// # Errors
    /// `not-signed-in` …
    pub async fn sign_out(&self) -> Result<()> {
        self.0.sign_out().await
    }

    /// The token.
    #[must_use]
    pub fn token(&self) -> &SecretString {
        &self.0.token
    }

    /// Writes the session down, with its token: see [`Session::export`].
    #[must_use]
    pub fn export(&self) -> SecretString {
        self.0.export()
    }
}
