//! Invitations, applications, sessions, mails, the audit log.

use uuid::Uuid;

use super::super::pages::Pages;
use super::super::{Problem, Result};
use super::Admin;
use super::model::{
    Application, AuditEntry, AuditFilter, Count, CountedBy, Counts, Invitation, Invited, Mail, MailPreview, NewApplication,
    NewInvitation, Registered, UserSession,
};
use crate::request::Request;

impl Admin<'_> {
    /// All invitations.
    pub fn invitations(&self) -> Pages<Invitation> {
        Pages::new(self.0, Request::get("admin/v1/invitations"))
    }

    /// Makes an invitation and has it mailed.
    ///
    /// # Errors
    /// `invalid-parameters`, `email-taken` …
    pub async fn invite(&self, invitation: &NewInvitation) -> Result<Invited> {
        self.0.send(Request::post("admin/v1/invitations").json(invitation)?).await?.json()
    }

    /// Mails an invitation once more, with another secret.
    ///
    /// # Errors
    /// `not-found`, `conflict` (it was used or revoked) …
    pub async fn reissue_invitation(&self, handle: Uuid) -> Result<Invited> {
        self.0.send(Request::post("admin/v1/invitations").part(handle.to_string()).part("reissue")).await?.json()
    }

    /// Takes an invitation back; tried again.
    ///
    /// # Errors
    /// `not-found` …
    pub async fn revoke_invitation(&self, handle: Uuid) -> Result<()> {
        self.0.send(Request::delete("admin/v1/invitations").part(handle.to_string())).await.map(drop)
    }

    /// All applications, revoked ones too.
    pub fn applications(&self) -> Pages<Application> {
        Pages::new(self.0, Request::get("admin/v1/applications"))
    }

    /// Registers an application.
    ///
    /// # Errors
    /// `invalid-parameters` …
    pub async fn register_application(&self, application: &NewApplication) -> Result<Registered> {
        self.0.send(Request::post("admin/v1/applications").json(application)?).await?.json()
    }

    /// Gives an application new secrets in the place of its old ones.
    ///
    /// # Errors
    /// `not-found` …
    pub async fn rotate_application(&self, app_id: Uuid) -> Result<Registered> {
        self.0.send(Request::post("admin/v1/applications").part(app_id.to_string()).part("rotate")).await?.json()
    }

    /// Limits an application to these networks (CIDR) in the place of those before; from everywhere if none is named.
    ///
    /// # Errors
    /// `not-found`, `invalid-parameters` …
    pub async fn limit_application(&self, app_id: Uuid, networks: &[String]) -> Result<Application> {
        let request = Request::patch("admin/v1/applications").part(app_id.to_string());
        self.0.send(request.json(&serde_json::json!({"networks": networks}))?).await?.json()
    }

    /// Revokes an application and ends the sessions that it opened; tried again.
    ///
    /// # Errors
    /// `not-found` …
    pub async fn revoke_application(&self, app_id: Uuid) -> Result<()> {
        self.0.send(Request::delete("admin/v1/applications").part(app_id.to_string())).await.map(drop)
    }

    /// Everybody's sessions.
    pub fn sessions(&self) -> Pages<UserSession> {
        Pages::new(self.0, Request::get("admin/v1/sessions"))
    }

    /// Ends anybody's session; tried again.
    ///
    /// # Errors
    /// `not-found` …
    pub async fn end_session(&self, id: Uuid) -> Result<()> {
        self.0.send(Request::delete("admin/v1/sessions").part(id.to_string())).await.map(drop)
    }

    /// The outbox.
    pub fn mails(&self) -> Pages<Mail> {
        Pages::new(self.0, Request::get("admin/v1/mail"))
    }

    /// A mail of the outbox; tried again.
    ///
    /// # Errors
    /// `not-found` …
    pub async fn mail(&self, id: Uuid) -> Result<Mail> {
        self.0.send(Request::get("admin/v1/mail").part(id.to_string())).await?.json()
    }

    /// A mail of the outbox in words, without its secret; tried again.
    ///
    /// # Errors
    /// `not-found` …
    pub async fn preview_mail(&self, id: Uuid) -> Result<MailPreview> {
        self.0.send(Request::get("admin/v1/mail").part(id.to_string()).part("preview")).await?.json()
    }

    /// Has a mail sent now that is due or was given up.
    ///
    /// # Errors
    /// `not-found`, `conflict` (it was sent, or its secret is gone) …
    pub async fn retry_mail(&self, id: Uuid) -> Result<Mail> {
        self.0.send(Request::post("admin/v1/mail").part(id.to_string()).part("retry")).await?.json()
    }

    /// The audit log.
    pub fn audit(&self, filter: &AuditFilter) -> Pages<AuditEntry> {
        let AuditFilter { user, event, outcome, dialect, since, until } = filter;
        let wanted = [
            ("user", user.map(|id| id.to_string())),
            ("event", event.clone()),
            ("outcome", outcome.clone()),
            ("dialect", dialect.clone()),
            ("since", since.map(|at| at.to_string())),
            ("until", until.map(|at| at.to_string())),
        ];
        let mut request = Request::get("admin/v1/audit");
        for (name, value) in wanted {
            if let Some(value) = value {
                request = request.query(name, value);
            }
        }
        Pages::new(self.0, request)
    }

    /// Sign-ins and refusals over time, the oldest first; tried again.
    ///
    /// # Errors
    /// See [`Error`](super::super::Error).
    pub async fn counts(&self, by: CountedBy) -> Result<Vec<Count>> {
        let by = match by {
            CountedBy::Hour => "hour",
            CountedBy::Day => "day",
        };
        let request = Request::get("admin/v1/counts").query("by", by);
        Ok(self.0.send(request).await?.json::<Counts, Problem>()?.items)
    }
}
