//! Sessions.

use std::sync::Arc;

use super::{ApplicationId, Factors, SecurityKeyId, SessionId, UserId};
use crate::core::clock::Timestamp;

/// What a session is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionState {
    /// Fully signed in.
    Full,
    /// A second factor is owed: good for giving it and for signing out, for nothing else.
    Half,
}

/// One sign-in of one user on one client. The token that opens it is not part of it: only its hash is kept, by the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The handle.
    pub id: SessionId,
    /// Whose it is; never changes.
    pub user_id: UserId,
    /// The application that it was opened through, if one.
    pub application_id: Option<ApplicationId>,
    /// What it is worth.
    pub state: SessionState,
    /// What the user proved.
    pub factors: Factors,
    /// The key that was used, if one was.
    pub security_key_id: Option<SecurityKeyId>,
    /// Through which dialect it was opened.
    pub dialect: Arc<str>,
    /// The client's network address when it was opened.
    pub address: Option<Arc<str>>,
    /// The client's `User-Agent` when it was opened.
    pub user_agent: Option<Arc<str>>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When the user last proved a factor in it.
    pub authenticated_at: Timestamp,
    /// When it was last used, to within the interval at which uses are written down.
    pub last_seen_at: Timestamp,
    /// When it ends if it is not used; never after `expires_at`.
    pub idle_expires_at: Timestamp,
    /// When it ends in any case.
    pub expires_at: Timestamp,
}

impl Session {
    /// Whether it still stands at `now`.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.idle_expires_at && now < self.expires_at
    }

    /// Brings it up to a use that moves the idle expiry; never back.
    pub(in crate::core) fn used(&mut self, at: Timestamp, idle_expires_at: Timestamp) {
        self.last_seen_at = self.last_seen_at.max(at);
        self.idle_expires_at = self.idle_expires_at.max(idle_expires_at).min(self.expires_at);
    }
}
