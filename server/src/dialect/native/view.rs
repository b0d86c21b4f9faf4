//! From core's structs to the wire's.

use super::wire::{CurrentSession, Happening, Items, Key, PasswordProblem, Profile, Session, User};
use crate::core::flows::history;
use crate::core::gate::assurance;
use crate::core::model::{self, Paged, SessionState};
use crate::core::refusal;

/// `full` or `half`.
pub(super) const fn status(state: SessionState) -> &'static str {
    match state {
        SessionState::Full => "full",
        SessionState::Half => "half",
    }
}

impl<'a> From<&'a model::Session> for Session<'a> {
    fn from(session: &'a model::Session) -> Self {
        Self {
            id: session.id,
            status: status(session.state),
            factors: session.factors,
            assurance_level: assurance(session.factors).level(),
            application_id: session.application_id,
            dialect: &session.dialect,
            address: session.address.as_deref(),
            user_agent: session.user_agent.as_deref(),
            created_at: session.created_at,
            authenticated_at: session.authenticated_at,
            last_seen_at: session.last_seen_at,
            idle_expires_at: session.idle_expires_at,
            expires_at: session.expires_at,
        }
    }
}

impl<'a> From<&'a model::User> for User<'a> {
    fn from(user: &'a model::User) -> Self {
        let profile = Profile {
            email: user.email.as_str(),
            username: user.username.as_str(),
            first_name: user.first_name.as_str(),
            last_name: user.last_name.as_str(),
            role: user.role,
            email_verified: user.email_verified_at.is_some(),
        };
        Self { id: user.id, profile: Some(profile) }
    }
}

/// A session's user as the session's holder may see them: one factor does not open the profile of somebody who has two.
pub(super) fn user_within<'a>(session: &model::Session, user: &'a model::User) -> User<'a> {
    match session.state {
        SessionState::Full => user.into(),
        SessionState::Half => User { id: user.id, profile: None },
    }
}

/// Who am I.
pub(super) fn current<'a>(session: &'a model::Session, user: &'a model::User) -> CurrentSession<'a> {
    CurrentSession {
        user: user_within(session, user),
        factors: session.factors,
        assurance_level: assurance(session.factors).level(),
        expires_at: session.expires_at,
        idle_expires_at: session.idle_expires_at,
        session: session.into(),
    }
}

impl From<&model::SecurityKey> for Key {
    fn from(key: &model::SecurityKey) -> Self {
        let name = key.name.as_str().to_owned();
        Self { id: key.id, name, created_at: key.created_at, last_used_at: key.last_used_at, passkey: key.passkey }
    }
}

impl From<&history::Happening> for Happening {
    fn from(happening: &history::Happening) -> Self {
        let entry = &happening.entry;
        Self {
            id: entry.id,
            at: entry.at,
            event: entry.event.clone(),
            outcome: entry.outcome.clone(),
            by: happening.by,
            dialect: entry.dialect.clone(),
            address: entry.address.clone(),
            user_agent: entry.user_agent.clone(),
            detail: entry.detail.clone(),
        }
    }
}

impl From<&refusal::PasswordProblem> for PasswordProblem {
    fn from(problem: &refusal::PasswordProblem) -> Self {
        let (code, minimum, maximum) = match problem {
            refusal::PasswordProblem::TooShort { minimum } => ("too_short", Some(*minimum), None),
            refusal::PasswordProblem::TooLong { maximum } => ("too_long", None, Some(*maximum)),
            refusal::PasswordProblem::TooWeak { .. } => ("too_weak", None, None),
        };
        Self { code, message: problem.message(), minimum, maximum }
    }
}

impl<T> Items<T> {
    /// A page, item by item.
    pub(super) fn of<'a, M>(page: &'a Paged<M>, view: impl Fn(&'a M) -> T) -> Self {
        Self { items: page.items.iter().map(view).collect(), next: page.next.clone() }
    }

    /// A list that is whole in one piece.
    pub(super) fn whole<'a, M>(items: &'a [M], view: impl Fn(&'a M) -> T) -> Self {
        Self { items: items.iter().map(view).collect(), next: None }
    }
}
