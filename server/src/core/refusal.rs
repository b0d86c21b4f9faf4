//! Every expected "no", in one closed list. Each dialect's `error.rs` says how each looks on its wire, in a `match` without a
//! wildcard: a refusal added here fails the build until all dialects have words for it.

use std::time::Duration;

/// Why a flow said no. Values only: no text for people beyond what the variants carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A value is not of the form that its kind has (an e-mail address without `@`, a name too long).
    Invalid {
        /// Which value: `email`, `username`, `name`, …
        field: &'static str,
        /// What is wrong and what would be right, for people.
        problem: &'static str,
    },
    /// No such user, or the password or code is wrong. Never says which.
    InvalidCredentials,
    /// The credentials are right; the account is disabled.
    AccountDisabled,
    /// A second factor is owed: a half session was presented, or this dialect cannot open one.
    SecondFactorOwed,
    /// No session, or one that is unknown, ended or expired.
    NotSignedIn,
    /// The session is too old for what was asked; signing in again mends it.
    RecentSignInRequired,
    /// Signed in, but not allowed to do this.
    NotPermitted,
    /// A browser on another site sent this with our cookie.
    ForeignOrigin,
    /// Too many tries; the same call may succeed after `retry_after`.
    TooManyAttempts {
        /// Whole seconds, at least one.
        retry_after: Duration,
    },
    /// The server has more hashing to do than it can hold; nothing was tried.
    Overloaded {
        /// Whole seconds, at least one.
        retry_after: Duration,
    },
    /// The one-time secret is unknown, spent, expired, or another's. Never says which.
    TicketInvalid,
    /// The password breaks the policy; every broken rule is named.
    PasswordRejected(Vec<PasswordProblem>),
    /// No open invitation has this id: unknown, used, revoked and expired look the same.
    InvitationNotFound,
    /// The invitation is for another address than the signed-in user's.
    InvitationForAnother,
    /// An account with this e-mail address exists.
    EmailTaken,
    /// An account with this username exists.
    UsernameTaken,
    /// The user has no security key.
    NoSecurityKey,
    /// The user has a security key of this name.
    KeyNameTaken,
    /// The ceremony failed: challenge missing or spent, signature, origin, counter. Never says which.
    WebauthnFailed,
    /// This server cannot do WebAuthn: its public URL is an IP address.
    WebauthnUnavailable,
    /// Application id, consumer key and access token are not those of one live application.
    ApplicationUnknown,
    /// The application may not be used from this network.
    NetworkNotAllowed,
    /// The application's registration does not let a one-time token alone open a session.
    AccessCodeRequired,
    /// No such thing, or not the caller's.
    NotFound,
    /// It cannot be done in the present state: an administrator cannot delete their own account, a sent mail cannot be retried.
    Conflict {
        /// What stands in the way, for people.
        problem: &'static str,
    },
    /// The configuration has this switched off.
    SwitchedOff,
}

impl Refusal {
    /// Every name.
    pub const NAMES: [&'static str; 26] = [
        "invalid_parameters",
        "invalid_credentials",
        "account_disabled",
        "second_factor_required",
        "not_signed_in",
        "recent_sign_in_required",
        "not_permitted",
        "foreign_origin",
        "too_many_attempts",
        "overloaded",
        "invalid_code",
        "password_rejected",
        "invitation_not_found",
        "invitation_for_another",
        "email_taken",
        "username_taken",
        "no_security_key",
        "key_name_taken",
        "webauthn_failed",
        "webauthn_unavailable",
        "application_unknown",
        "network_not_allowed",
        "access_code_required",
        "not_found",
        "conflict",
        "switched_off",
    ];

    /// A stable machine name: in the audit log, in `native`'s problem types, in `kalshi`'s codes.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "invalid_parameters",
            Self::InvalidCredentials => "invalid_credentials",
            Self::AccountDisabled => "account_disabled",
            Self::SecondFactorOwed => "second_factor_required",
            Self::NotSignedIn => "not_signed_in",
            Self::RecentSignInRequired => "recent_sign_in_required",
            Self::NotPermitted => "not_permitted",
            Self::ForeignOrigin => "foreign_origin",
            Self::TooManyAttempts { .. } => "too_many_attempts",
            Self::Overloaded { .. } => "overloaded",
            Self::TicketInvalid => "invalid_code",
            Self::PasswordRejected(_) => "password_rejected",
            Self::InvitationNotFound => "invitation_not_found",
            Self::InvitationForAnother => "invitation_for_another",
            Self::EmailTaken => "email_taken",
            Self::UsernameTaken => "username_taken",
            Self::NoSecurityKey => "no_security_key",
            Self::KeyNameTaken => "key_name_taken",
            Self::WebauthnFailed => "webauthn_failed",
            Self::WebauthnUnavailable => "webauthn_unavailable",
            Self::ApplicationUnknown => "application_unknown",
            Self::NetworkNotAllowed => "network_not_allowed",
            Self::AccessCodeRequired => "access_code_required",
            Self::NotFound => "not_found",
            Self::Conflict { .. } => "conflict",
            Self::SwitchedOff => "switched_off",
        }
    }

    /// When the same call may succeed, where that is known.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::TooManyAttempts { retry_after } | Self::Overloaded { retry_after } => Some(*retry_after),
            _ => None,
        }
    }
}

/// A rule that a new password broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordProblem {
    /// Fewer than the policy's minimum of characters.
    TooShort {
        /// The minimum.
        minimum: usize,
    },
    /// More than the policy's maximum of characters.
    TooLong {
        /// The maximum.
        maximum: usize,
    },
    /// Guessable, in zxcvbn's judgement; with its advice, for people.
    TooWeak {
        /// Sentences that say what makes it weak and what would help; never empty.
        advice: Vec<String>,
    },
}

impl PasswordProblem {
    /// All that is wrong with one password, as one text for people.
    #[must_use]
    pub fn messages(problems: &[Self]) -> String {
        problems.iter().map(Self::message).collect::<Vec<_>>().join(" ")
    }

    /// The problem and its mend, in one or more sentences for people.
    #[must_use]
    pub fn message(&self) -> String {
        match self {
            Self::TooShort { minimum } => format!("The password needs at least {minimum} characters."),
            Self::TooLong { maximum } => format!("The password may have at most {maximum} characters."),
            Self::TooWeak { advice } => format!("The password is too easy to guess. {}", advice.join(" ")),
        }
    }
}
