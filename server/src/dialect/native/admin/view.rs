//! From core's structs to the wire's.

use super::wire::{Application, Invitation, Invited, Mail, Registered, User, UserDetail, UserSession};
use crate::core::clock::Timestamp;
use crate::core::flows::{applications, invitations, users};
use crate::core::model;

impl From<&model::User> for User {
    fn from(user: &model::User) -> Self {
        Self {
            id: user.id,
            username: user.username.as_str().to_owned(),
            email: user.email.as_str().to_owned(),
            first_name: user.first_name.as_str().to_owned(),
            last_name: user.last_name.as_str().to_owned(),
            role: user.role,
            status: user.status,
            email_verified: user.email_verified_at.is_some(),
            email_verified_at: user.email_verified_at,
            created_at: user.created_at,
        }
    }
}

impl From<&users::UserDetail> for UserDetail {
    fn from(detail: &users::UserDetail) -> Self {
        Self { user: (&detail.user).into(), security_keys: detail.security_keys.iter().map(Into::into).collect() }
    }
}

impl<'a> From<&'a model::Session> for UserSession<'a> {
    fn from(session: &'a model::Session) -> Self {
        Self { session: session.into(), user_id: session.user_id }
    }
}

/// An invitation and where it stands at `now`.
pub(super) fn invitation(invitation: &model::Invitation, now: Timestamp) -> Invitation {
    Invitation {
        handle: invitation.id,
        email: invitation.email.as_str().to_owned(),
        role: invitation.role,
        state: invitation.state(now),
        created_at: invitation.created_at,
        expires_at: invitation.expires_at,
        used_at: invitation.used_at,
        revoked_at: invitation.revoked_at,
    }
}

/// A new invitation with its secret.
pub(super) fn invited(made: &invitations::Invited, now: Timestamp) -> Invited {
    let invitation = invitation(&made.invitation, now);
    Invited { invitation, id: made.secret.reveal().to_owned(), link: made.link.clone() }
}

impl From<&model::Application> for Application {
    fn from(application: &model::Application) -> Self {
        Self {
            app_id: application.id,
            name: application.name.clone(),
            networks: application.networks.clone(),
            one_time_token_suffices: application.one_time_token_suffices,
            created_at: application.created_at,
            revoked_at: application.revoked_at,
        }
    }
}

impl From<&applications::Registered> for Registered {
    fn from(registered: &applications::Registered) -> Self {
        Self {
            application: (&registered.application).into(),
            consumer_key: registered.consumer_key.reveal().to_owned(),
            access_token: registered.access_token.reveal().to_owned(),
        }
    }
}

impl From<&model::Mail> for Mail {
    fn from(mail: &model::Mail) -> Self {
        Self {
            id: mail.id,
            kind: mail.kind,
            state: mail.state,
            recipient: mail.recipient.clone(),
            user_id: mail.user_id,
            attempts: mail.attempts,
            due_at: mail.due_at,
            created_at: mail.created_at,
            finished_at: mail.finished_at,
            error: mail.error.clone(),
        }
    }
}
