//! What a mail is about.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::core::clock::Timestamp;

/// One mail, before it is words.
#[derive(Clone)]
pub struct Letter {
    /// The recipient's first name, as the person typed it: anything at all.
    pub name: Option<String>,
    /// When the thing happened that the mail tells of; also the mail's date.
    pub at: Timestamp,
    /// From where it was asked for, if from anywhere.
    pub address: Option<IpAddr>,
    /// What happened, with the secret if there is one.
    pub content: Content,
}

/// What happened, or was asked for. A kind that carries a secret cannot be made without it. Its JSON is `{"kind": "recovery", "link": …}`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Content {
    /// A password reset was asked for.
    Recovery {
        /// Leads to the page that sets the new password.
        link: String,
        /// How long the link works from [`Letter::at`], in minutes.
        valid_minutes: u32,
    },
    /// A code was asked for, to sign in with instead of the password.
    LoginCode {
        /// Six characters of `A-Z0-9`.
        code: String,
        /// As for the link.
        valid_minutes: u32,
    },
    /// The password was right, and an application now needs the second factor.
    AccessCode {
        /// Six characters of `A-Z0-9`.
        code: String,
        /// As for the link.
        valid_minutes: u32,
        /// Which application asks.
        application: Option<String>,
    },
    /// An administrator invites the address to make an account.
    Invitation {
        /// Leads to the page that makes the account.
        link: String,
        /// As for [`Content::Recovery`].
        valid_minutes: u32,
    },
    /// An account was made for the address.
    AccountCreated,
    /// The password is another, by whichever way.
    PasswordChanged,
    /// A security key was registered.
    KeyAdded {
        /// The key's name, as its owner typed it.
        key: String,
    },
    /// A security key was removed.
    KeyRemoved {
        /// The key's name.
        key: String,
    },
    /// An authenticator app was enrolled.
    AuthenticatorAdded,
    /// An authenticator app was removed.
    AuthenticatorRemoved,
    /// An administrator disabled the account.
    AccountDisabled,
}

/// The kinds of mail, which are the names of their templates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// See [`Content::Recovery`].
    Recovery,
    /// See [`Content::LoginCode`].
    LoginCode,
    /// See [`Content::AccessCode`].
    AccessCode,
    /// See [`Content::Invitation`].
    Invitation,
    /// See [`Content::AccountCreated`].
    AccountCreated,
    /// See [`Content::PasswordChanged`].
    PasswordChanged,
    /// See [`Content::KeyAdded`].
    KeyAdded,
    /// See [`Content::KeyRemoved`].
    KeyRemoved,
    /// See [`Content::AuthenticatorAdded`].
    AuthenticatorAdded,
    /// See [`Content::AuthenticatorRemoved`].
    AuthenticatorRemoved,
    /// See [`Content::AccountDisabled`].
    AccountDisabled,
}

impl Kind {
    /// The stem of the template files and the `kind` in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recovery => "recovery",
            Self::LoginCode => "login_code",
            Self::AccessCode => "access_code",
            Self::Invitation => "invitation",
            Self::AccountCreated => "account_created",
            Self::PasswordChanged => "password_changed",
            Self::KeyAdded => "key_added",
            Self::KeyRemoved => "key_removed",
            Self::AuthenticatorAdded => "authenticator_added",
            Self::AuthenticatorRemoved => "authenticator_removed",
            Self::AccountDisabled => "account_disabled",
        }
    }
}

impl Content {
    /// Which kind of mail this is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Recovery { .. } => Kind::Recovery,
            Self::LoginCode { .. } => Kind::LoginCode,
            Self::AccessCode { .. } => Kind::AccessCode,
            Self::Invitation { .. } => Kind::Invitation,
            Self::AccountCreated => Kind::AccountCreated,
            Self::PasswordChanged => Kind::PasswordChanged,
            Self::KeyAdded { .. } => Kind::KeyAdded,
            Self::KeyRemoved { .. } => Kind::KeyRemoved,
            Self::AuthenticatorAdded => Kind::AuthenticatorAdded,
            Self::AuthenticatorRemoved => Kind::AuthenticatorRemoved,
            Self::AccountDisabled => Kind::AccountDisabled,
        }
    }

    /// The link, for the kinds that have one.
    #[must_use]
    pub fn link(&self) -> Option<&str> {
        match self {
            Self::Recovery { link, .. } | Self::Invitation { link, .. } => Some(link),
            _ => None,
        }
    }

    /// The code, for the kinds that have one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::LoginCode { code, .. } | Self::AccessCode { code, .. } => Some(code),
            _ => None,
        }
    }

    /// For how many minutes the link or code works.
    #[must_use]
    pub const fn valid_minutes(&self) -> Option<u32> {
        match self {
            Self::Recovery { valid_minutes, .. }
            | Self::LoginCode { valid_minutes, .. }
            | Self::AccessCode { valid_minutes, .. }
            | Self::Invitation { valid_minutes, .. } => Some(*valid_minutes),
            _ => None,
        }
    }
}

/// The kind alone: the rest is secret or somebody's name.
impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind().as_str())
    }
}

impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Letter").field("at", &self.at).field("content", &self.content).finish_non_exhaustive()
    }
}
