//! What a page says once about what was done before it: a word of a closed list in a cookie, so that nobody can make us say it by a link.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue};

use crate::http::cookie;

const COOKIE: &str = "doorward-notice";

/// Longer than a redirect takes, and soon forgotten.
const LIFE: Duration = Duration::from_secs(60);

macro_rules! notices {
    ($($name:ident = $word:literal,)+) => {
        /// What was done.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Notice { $($name,)+ }

        impl Notice {
            const ALL: &'static [(Self, &'static str)] = &[$((Self::$name, concat!("notice.", $word)),)+];
        }
    };
}

notices! {
    SignedOut = "signed_out",
    SessionEnded = "session_ended",
    PasswordSet = "password_set",
    PasswordChanged = "password_changed",
    AccountReady = "account_ready",
    InvitationAccepted = "invitation_accepted",
    AppAdded = "app_added",
    AppRemoved = "app_removed",
    NameChanged = "name_changed",
    KeyAdded = "key_added",
    KeyRenamed = "key_renamed",
    KeyRemoved = "key_removed",
    SessionGone = "session_gone",
    OthersGone = "others_gone",
    UserDisabled = "user_disabled",
    UserEnabled = "user_enabled",
    SessionsEnded = "sessions_ended",
    RecoverySent = "recovery_sent",
    InvitationSent = "invitation_sent",
    InvitationRevoked = "invitation_revoked",
    ApplicationLimited = "application_limited",
    ApplicationRevoked = "application_revoked",
    MailRetried = "mail_retried",
}

impl Notice {
    /// The key of its words.
    pub(super) fn key(self) -> &'static str {
        Self::ALL.iter().find(|(notice, _)| *notice == self).map_or("", |(_, key)| key)
    }

    /// The notice that a visitor brings.
    pub(super) fn read(headers: &HeaderMap, https: bool) -> Option<Self> {
        let word = cookie::first(headers, &cookie::aside_name(COOKIE, https))?;
        Self::ALL.iter().find(|(_, key)| key.strip_prefix("notice.") == Some(word)).map(|(notice, _)| *notice)
    }

    /// The `Set-Cookie` that carries it to the next page.
    pub(super) fn set(self, https: bool) -> Option<HeaderValue> {
        let word = self.key().strip_prefix("notice.")?;
        cookie::aside_cookie(&cookie::aside_name(COOKIE, https), word, https, Some(LIFE))
    }

    /// The `Set-Cookie` of the page that has said it.
    pub(super) fn clear(https: bool) -> Option<HeaderValue> {
        cookie::clearing_cookie(&cookie::aside_name(COOKIE, https), https)
    }
}
