//! `/admin/v1`. A user is named by id, username or e-mail address.

mod model;
mod things;

pub use model::{
    Application, AuditEntry, AuditFilter, Count, CountedBy, Invitation, InvitationState, Invited, Mail, MailPreview, MailState,
    ManagedUser, NewApplication, NewInvitation, NewUser, Registered, UserDetail, UserSession, UserStatus,
};

use uuid::Uuid;

use super::model::{Ended, Items};
use super::pages::Pages;
use super::signed_in::Carried;
use super::{Problem, Result};
use crate::request::Request;

/// Everybody's accounts, in the name of an administrator's session; `not-permitted` to everybody else.
///
/// ```
/// use doorward_client::native::{AuditFilter, Client, NewApplication, NewInvitation, NewUser};
///
/// # doorward_started::example(async |server| {
/// # let client = Client::new(&server.at(""))?;
/// # let password = server.password().into();
/// let session = client.sign_in("ann", &password).await?.full().ok_or("a second factor is needed")?;
/// let admin = session.admin();
///
/// let bob = admin.create_user(&NewUser::new("bob", "bob@example.com")).await?;
/// admin.send_recovery(&bob.id.to_string()).await?;
/// let invited = admin.invite(&NewInvitation::new("eve@example.com")).await?;
/// admin.revoke_invitation(invited.invitation.handle).await?;
/// let terminal = admin.register_application(&NewApplication::new("terminal")).await?;
/// println!("consumer key {:?} is a secret", terminal.consumer_key);
///
/// let about_bob = AuditFilter::of_user(bob.id);
/// for entry in admin.audit(&about_bob).all(1_000).await? {
///     println!("{} {} {}", entry.at, entry.event, entry.outcome);
/// }
/// # assert!(admin.audit(&about_bob).all(9).await?.iter().any(|entry| entry.event == "user_created"));
/// # Ok(()) });
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Admin<'a>(pub(super) &'a Carried);

impl Admin<'_> {
    /// All users.
    pub fn users(&self) -> Pages<ManagedUser> {
        Pages::new(self.0, Request::get("admin/v1/users"))
    }

    /// Users whose username or e-mail address begins with `prefix`, 200 by each at most; tried again.
    ///
    /// # Errors
    /// See [`Error`](super::Error).
    pub async fn search_users(&self, prefix: &str) -> Result<Vec<ManagedUser>> {
        let request = Request::get("admin/v1/users").query("search", prefix);
        Ok(self.0.send(request).await?.json::<Items<ManagedUser>, Problem>()?.items)
    }

    /// Makes a user.
    ///
    /// # Errors
    /// `invalid-parameters`, `username-taken`, `email-taken`, `password-rejected` …
    pub async fn create_user(&self, user: &NewUser) -> Result<ManagedUser> {
        self.0.send(Request::post("admin/v1/users").json(user)?).await?.json()
    }

    /// A user; tried again.
    ///
    /// # Errors
    /// `not-found` …
    pub async fn user(&self, user: &str) -> Result<UserDetail> {
        self.0.send(Request::get("admin/v1/users").part(user)).await?.json()
    }

    /// Ends all that is open in a user's name, and lets them sign in no more; tried again.
    ///
    /// # Errors
    /// `not-found` …
    pub async fn disable_user(&self, user: &str) -> Result<ManagedUser> {
        self.0.send(Request::post("admin/v1/users").part(user).part("disable").idempotent()).await?.json()
    }

    /// Lets a user sign in again; tried again.
    ///
    /// # Errors
    /// `not-found` …
    pub async fn enable_user(&self, user: &str) -> Result<ManagedUser> {
        self.0.send(Request::post("admin/v1/users").part(user).part("enable").idempotent()).await?.json()
    }

    /// Deletes a user; the audit log stays. Tried again.
    ///
    /// # Errors
    /// `not-found` …
    pub async fn delete_user(&self, user: &str) -> Result<()> {
        self.0.send(Request::delete("admin/v1/users").part(user)).await.map(drop)
    }

    /// Has a link to set a password mailed to a user.
    ///
    /// # Errors
    /// `not-found` …
    pub async fn send_recovery(&self, user: &str) -> Result<()> {
        self.0.send(Request::post("admin/v1/users").part(user).part("recovery")).await.map(drop)
    }

    /// A user's sessions.
    pub fn user_sessions(&self, user: &str) -> Pages<UserSession> {
        Pages::new(self.0, Request::get("admin/v1/users").part(user).part("sessions"))
    }

    /// Ends a user's sessions, and says how many; tried again.
    ///
    /// # Errors
    /// `not-found` …
    pub async fn end_user_sessions(&self, user: &str) -> Result<u64> {
        let request = Request::delete("admin/v1/users").part(user).part("sessions");
        Ok(self.0.send(request).await?.json::<Ended, Problem>()?.ended)
    }

    /// Removes a user's security key; tried again.
    ///
    /// # Errors
    /// `not-found` …
    pub async fn remove_user_key(&self, user: &str, id: Uuid) -> Result<()> {
        let request = Request::delete("admin/v1/users").part(user).part("keys").part(id.to_string());
        self.0.send(request).await.map(drop)
    }

    /// Removes the authenticator app of a user who has lost it; tried again.
    ///
    /// # Errors
    /// `not-found` …
    pub async fn remove_user_totp(&self, user: &str) -> Result<()> {
        self.0.send(Request::delete("admin/v1/users").part(user).part("totp")).await.map(drop)
    }
}
