//! The audit log: when, who, what, from where, through which dialect. Written in the transaction of what it records.

use super::call::Call;
use super::clock::Timestamp;
use super::model::{AuditId, UserId};
use super::store::{Tx, audit};
use super::{Core, Error, Fault, Refusal};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A first factor was presented to sign in.
    SignIn,
    /// A second factor was presented.
    SecondFactor,
    /// A user ended their own session.
    SignOut,
    /// Sessions were ended from elsewhere: another session, an administrator, the command line.
    SessionsEnded,
    /// A security key was registered.
    KeyAdded,
    /// A security key was given another name.
    KeyRenamed,
    /// A security key was removed.
    KeyRemoved,
    /// An authenticator app was enrolled.
    TotpAdded,
    /// An authenticator app was removed.
    TotpRemoved,
    /// A signature counter did not grow: the key may have been cloned (WebAuthn, 6.1.1).
    KeyCloneSuspected,
    /// A user changed their own password.
    PasswordChanged,
    /// An operator set a user's password.
    PasswordSet,
    /// An administrator asked for a link to set a new password, on a user's behalf.
    RecoverySent,
    /// A link to set a new password was mailed.
    RecoveryMailed,
    /// A new password was set with such a link.
    RecoveryCompleted,
    /// A code to sign in with was mailed.
    CodeMailed,
    /// A user was created.
    UserCreated,
    /// A link to set the server up was made.
    SetupOffered,
    /// The first administrator was created with it.
    SetupCompleted,
    /// A user changed their own names.
    ProfileChanged,
    /// A user was disabled.
    UserDisabled,
    /// A user was enabled.
    UserEnabled,
    /// A user was deleted.
    UserDeleted,
    /// Somebody was invited.
    InvitationCreated,
    /// An invitation got another secret, and was mailed once more.
    InvitationReissued,
    /// An invitation was used by a signed-in user, or to create an account.
    InvitationUsed,
    /// An invitation was taken back.
    InvitationRevoked,
    /// An application was registered.
    ApplicationCreated,
    /// An application got new secrets.
    ApplicationRotated,
    /// An application was limited to other networks.
    ApplicationLimited,
    /// An application was revoked.
    ApplicationRevoked,
    /// An application presented its credentials in vain.
    ApplicationRefused,
    /// A mail was made due again.
    MailRetried,
    /// Somebody who is no administrator asked for what only they may do.
    AdministrationRefused,
}

impl Event {
    /// Every event.
    pub const ALL: [Self; 34] = [
        Self::SignIn,
        Self::SecondFactor,
        Self::SignOut,
        Self::SessionsEnded,
        Self::KeyAdded,
        Self::KeyRenamed,
        Self::KeyRemoved,
        Self::TotpAdded,
        Self::TotpRemoved,
        Self::KeyCloneSuspected,
        Self::PasswordChanged,
        Self::PasswordSet,
        Self::RecoverySent,
        Self::RecoveryMailed,
        Self::RecoveryCompleted,
        Self::CodeMailed,
        Self::UserCreated,
        Self::SetupOffered,
        Self::SetupCompleted,
        Self::ProfileChanged,
        Self::UserDisabled,
        Self::UserEnabled,
        Self::UserDeleted,
        Self::InvitationCreated,
        Self::InvitationReissued,
        Self::InvitationUsed,
        Self::InvitationRevoked,
        Self::ApplicationCreated,
        Self::ApplicationRotated,
        Self::ApplicationLimited,
        Self::ApplicationRevoked,
        Self::ApplicationRefused,
        Self::MailRetried,
        Self::AdministrationRefused,
    ];

    /// The name at rest and on wires.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::SecondFactor => "second_factor",
            Self::SignOut => "sign_out",
            Self::SessionsEnded => "sessions_ended",
            Self::KeyAdded => "key_added",
            Self::KeyRenamed => "key_renamed",
            Self::KeyRemoved => "key_removed",
            Self::TotpAdded => "totp_added",
            Self::TotpRemoved => "totp_removed",
            Self::KeyCloneSuspected => "key_clone_suspected",
            Self::PasswordChanged => "password_changed",
            Self::PasswordSet => "password_set",
            Self::RecoverySent => "recovery_sent",
            Self::RecoveryMailed => "recovery_mailed",
            Self::RecoveryCompleted => "recovery_completed",
            Self::CodeMailed => "code_mailed",
            Self::UserCreated => "user_created",
            Self::SetupOffered => "setup_offered",
            Self::SetupCompleted => "setup_completed",
            Self::ProfileChanged => "profile_changed",
            Self::UserDisabled => "user_disabled",
            Self::UserEnabled => "user_enabled",
            Self::UserDeleted => "user_deleted",
            Self::InvitationCreated => "invitation_created",
            Self::InvitationReissued => "invitation_reissued",
            Self::InvitationUsed => "invitation_used",
            Self::InvitationRevoked => "invitation_revoked",
            Self::ApplicationCreated => "application_created",
            Self::ApplicationRotated => "application_rotated",
            Self::ApplicationLimited => "application_limited",
            Self::ApplicationRevoked => "application_revoked",
            Self::ApplicationRefused => "application_refused",
            Self::MailRetried => "mail_retried",
            Self::AdministrationRefused => "administration_refused",
        }
    }
}

/// Who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A signed-in user.
    User(UserId),
    /// Whoever may run the command line on the server's machine.
    Operator,
    /// The server itself.
    Server,
    /// Somebody not signed in.
    Anonymous,
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User(id) => id.fmt(f),
            Self::Operator => f.write_str("operator"),
            Self::Server => f.write_str("server"),
            Self::Anonymous => f.write_str("anonymous"),
        }
    }
}

/// One line of the log.
#[derive(Clone, Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = AuditEntry)]
pub struct Entry {
    /// Its id; ids sort by time.
    pub id: AuditId,
    /// When.
    pub at: Timestamp,
    /// What: [`Event::as_str`].
    pub event: String,
    /// `ok`, or the name of the refusal.
    pub outcome: String,
    /// Whose account it is about, if known.
    pub user_id: Option<UserId>,
    /// Who did it: a user's id, `operator`, `server` or `anonymous`.
    pub actor: String,
    /// Through which dialect.
    pub dialect: String,
    /// From which client address.
    pub address: Option<String>,
    /// From which peer, where a proxy stands between.
    pub peer: Option<String>,
    /// With which client.
    pub user_agent: Option<String>,
    /// In which request.
    pub request_id: String,
    /// What the event's name leaves open: a key's name, a handle. Never a secret.
    pub detail: Option<String>,
}

/// What is to be recorded; the rest is the call's.
pub(in crate::core) struct Record<'a> {
    pub(in crate::core) event: Event,
    /// `ok`, or [`super::Refusal::name`].
    pub(in crate::core) outcome: &'a str,
    pub(in crate::core) user: Option<UserId>,
    pub(in crate::core) actor: Actor,
    pub(in crate::core) detail: Option<String>,
}

impl Record<'_> {
    /// Something that a user did to their own account.
    pub(in crate::core) fn own(event: Event, user: UserId) -> Self {
        Self { event, outcome: "ok", user: Some(user), actor: Actor::User(user), detail: None }
    }

    /// Something that somebody did, to a user or to none.
    pub(in crate::core) fn by(actor: Actor, event: Event, user: Option<UserId>, detail: Option<String>) -> Self {
        Self { event, outcome: "ok", user, actor, detail }
    }
}

impl Record<'_> {
    /// Something that was refused.
    pub(in crate::core) fn refused(event: Event, user: Option<UserId>, refusal: &Refusal) -> Self {
        Self { event, outcome: refusal.name(), user, actor: user.map_or(Actor::Anonymous, Actor::User), detail: None }
    }
}

/// Puts it on record when a flow's outcome is a refusal; the outcome. Throttling is on record already ([`super::limit`]), and a busy
/// server has tried nothing.
pub(in crate::core) async fn with_refusal<T>(
    core: &Core,
    call: &Call,
    event: Event,
    user: Option<UserId>,
    outcome: Result<T, Error>,
) -> Result<T, Error> {
    match &outcome {
        Err(Error::Refused(Refusal::TooManyAttempts { .. } | Refusal::Overloaded { .. }) | Error::Faulted(_)) | Ok(_) => {}
        Err(Error::Refused(refusal)) => {
            let (called, refusal) = (call.clone(), refusal.clone());
            let work = core.store.write_each(move |tx| {
                Box::pin(async move { Ok(record(tx, &called, Record::refused(event, user, &refusal)).await?) })
            });
            work.await?;
        }
    }
    outcome
}

/// Adds a line.
pub(in crate::core) async fn record(tx: &mut Tx, call: &Call, record: Record<'_>) -> Result<(), Fault> {
    let origin = &call.origin;
    let entry = Entry {
        id: AuditId::new(call)?,
        at: call.now,
        event: record.event.as_str().to_owned(),
        outcome: record.outcome.to_owned(),
        user_id: record.user,
        actor: record.actor.to_string(),
        dialect: origin.dialect.to_owned(),
        address: origin.address.map(|address| address.to_string()),
        peer: origin.peer.map(|address| address.to_string()),
        user_agent: origin.user_agent.as_deref().map(str::to_owned),
        request_id: origin.request_id.as_ref().to_owned(),
        detail: record.detail,
    };
    audit::insert(tx, &entry).await
}
