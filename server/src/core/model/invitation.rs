//! Invitations.

use super::{Email, InvitationId, Role};
use crate::core::clock::Timestamp;

/// An invitation for one address, to be used once.
#[derive(Clone, Debug)]
pub struct Invitation {
    /// The handle.
    pub id: InvitationId,
    /// For whom.
    pub email: Email,
    /// The role that the invited person gets.
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops being good.
    pub expires_at: Timestamp,
    /// When it was used.
    pub used_at: Option<Timestamp>,
    /// When it was taken back.
    pub revoked_at: Option<Timestamp>,
}

/// Where an invitation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum InvitationState {
    /// Can be used.
    Open,
    /// Was used.
    Used,
    /// Was taken back.
    Revoked,
    /// Its time ran out.
    Expired,
}

impl Invitation {
    /// Where it stands at `now`.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> InvitationState {
        match (self.used_at, self.revoked_at) {
            (Some(_), _) => InvitationState::Used,
            (None, Some(_)) => InvitationState::Revoked,
            (None, None) if now >= self.expires_at => InvitationState::Expired,
            (None, None) => InvitationState::Open,
        }
    }
}
