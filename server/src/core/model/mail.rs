//! Mails in the outbox.

use super::{MailId, UserId};
use crate::core::clock::Timestamp;

/// What a mail is for. Each kind has a template of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MailKind {
    /// The link to set a new password.
    Recovery,
    /// The code to sign in with.
    LoginCode,
    /// The access code of an application's sign-in.
    AccessCode,
    /// The link to accept an invitation.
    Invitation,
    /// Notice: the password was changed.
    PasswordChanged,
    /// Notice: a security key was added.
    KeyAdded,
    /// Notice: a security key was removed.
    KeyRemoved,
    /// Notice: an authenticator app was enrolled.
    AuthenticatorAdded,
    /// Notice: an authenticator app was removed.
    AuthenticatorRemoved,
}

impl MailKind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Recovery,
        Self::LoginCode,
        Self::AccessCode,
        Self::Invitation,
        Self::PasswordChanged,
        Self::KeyAdded,
        Self::KeyRemoved,
        Self::AuthenticatorAdded,
        Self::AuthenticatorRemoved,
    ];

    /// The name at rest and of the template.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recovery => "recovery",
            Self::LoginCode => "login_code",
            Self::AccessCode => "access_code",
            Self::Invitation => "invitation",
            Self::PasswordChanged => "password_changed",
            Self::KeyAdded => "key_added",
            Self::KeyRemoved => "key_removed",
            Self::AuthenticatorAdded => "authenticator_added",
            Self::AuthenticatorRemoved => "authenticator_removed",
        }
    }

    /// From [`MailKind::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Where a mail stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MailState {
    /// To be sent, now or at its due time.
    Due,
    /// Taken by the receiving server, or written to a file.
    Sent,
    /// Given up: refused for good, or not taken for a day.
    Failed,
    /// Never to be sent: nobody has that address or name, or what it was for is over.
    Void,
}

impl MailState {
    const ALL: [Self; 4] = [Self::Due, Self::Sent, Self::Failed, Self::Void];

    /// The name at rest.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Void => "void",
        }
    }

    /// From [`MailState::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// A mail that was promised. Its secret is not part of it.
#[derive(Clone, Debug)]
pub struct Mail {
    /// The id; also of the message's `Message-ID`, so that a mail sent twice is one mail.
    pub id: MailId,
    /// What it is for.
    pub kind: MailKind,
    /// Where it stands.
    pub state: MailState,
    /// The address; `None` until a request has been matched to an account.
    pub recipient: Option<String>,
    /// The user that it is for.
    pub user_id: Option<UserId>,
    /// How often sending was tried.
    pub attempts: i64,
    /// When it is to be tried next.
    pub due_at: Timestamp,
    /// When it was promised.
    pub created_at: Timestamp,
    /// When it was sent, given up or voided.
    pub finished_at: Option<Timestamp>,
    /// What the last try met.
    pub error: Option<String>,
}
