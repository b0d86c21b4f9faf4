//! A session and its user in few bytes and one piece: a million of them are to fit into memory, and to be read at one place of it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Known;
use crate::core::clock::Timestamp;
use crate::core::model::{Email, Factors, PersonName, Role, Session, SessionState, Status, User, Username};

/// What is written, in this order. Texts are as they are, numbers take as many bytes as they need (postcard's format).
#[derive(Serialize, Deserialize)]
struct Fields<'a> {
    session: [u8; 16],
    user: [u8; 16],
    application: Option<[u8; 16]>,
    security_key: Option<[u8; 16]>,
    half: bool,
    factors: u8,
    created: i64,
    /// The times of the session that come after, counted from its creation, in milliseconds.
    authenticated: i64,
    last_seen: i64,
    idle_expires: i64,
    expires: i64,
    user_created: i64,
    email_verified: Option<i64>,
    admin: bool,
    disabled: bool,
    dialect: &'a str,
    address: Option<&'a str>,
    username: &'a str,
    email: &'a str,
    first_name: &'a str,
    last_name: &'a str,
}

/// See the top of the file. The client's `User-Agent` is beside it: many sessions have the same.
#[derive(Clone)]
pub(super) struct Packed {
    fields: Box<[u8]>,
    pub(super) user_agent: Option<Arc<str>>,
}

impl Packed {
    /// `None` never happens: writing to memory does not fail.
    pub(super) fn of(known: &Known) -> Option<Self> {
        let Known { session, user } = known;
        let since = |at: Timestamp| at.as_millis().wrapping_sub(session.created_at.as_millis());
        // Matches without a rest: what is added to one of these types must find a place here.
        let fields = Fields {
            session: session.id.uuid().into_bytes(),
            user: user.id.uuid().into_bytes(),
            application: session.application_id.map(|id| id.uuid().into_bytes()),
            security_key: session.security_key_id.map(|id| id.uuid().into_bytes()),
            half: match session.state {
                SessionState::Half => true,
                SessionState::Full => false,
            },
            factors: session.factors.bits(),
            created: session.created_at.as_millis(),
            authenticated: since(session.authenticated_at),
            last_seen: since(session.last_seen_at),
            idle_expires: since(session.idle_expires_at),
            expires: since(session.expires_at),
            user_created: user.created_at.as_millis(),
            email_verified: user.email_verified_at.map(Timestamp::as_millis),
            admin: match user.role {
                Role::Admin => true,
                Role::Member => false,
            },
            disabled: match user.status {
                Status::Disabled => true,
                Status::Active => false,
            },
            dialect: &session.dialect,
            address: session.address.as_deref(),
            username: user.username.as_str(),
            email: user.email.as_str(),
            first_name: user.first_name.as_str(),
            last_name: user.last_name.as_str(),
        };
        Some(Self { fields: postcard::to_allocvec(&fields).ok()?.into(), user_agent: session.user_agent.clone() })
    }

    /// The bytes that it holds, but for the `User-Agent`.
    pub(super) const fn size(&self) -> usize {
        self.fields.len()
    }

    /// What was packed; `None` never happens.
    pub(super) fn unpack(&self) -> Option<Known> {
        let fields: Fields<'_> = postcard::from_bytes(&self.fields).ok()?;
        let after = |span: i64| Timestamp::from_millis(fields.created.wrapping_add(span));
        let session = Session {
            id: Uuid::from_bytes(fields.session).into(),
            user_id: Uuid::from_bytes(fields.user).into(),
            application_id: fields.application.map(|id| Uuid::from_bytes(id).into()),
            state: if fields.half { SessionState::Half } else { SessionState::Full },
            factors: Factors::again(fields.factors),
            security_key_id: fields.security_key.map(|id| Uuid::from_bytes(id).into()),
            dialect: fields.dialect.into(),
            address: fields.address.map(Into::into),
            user_agent: self.user_agent.clone(),
            created_at: after(0),
            authenticated_at: after(fields.authenticated),
            last_seen_at: after(fields.last_seen),
            idle_expires_at: after(fields.idle_expires),
            expires_at: after(fields.expires),
        };
        let user = User {
            id: session.user_id,
            username: Username::again(fields.username),
            email: Email::again(fields.email),
            first_name: PersonName::again(fields.first_name),
            last_name: PersonName::again(fields.last_name),
            role: if fields.admin { Role::Admin } else { Role::Member },
            status: if fields.disabled { Status::Disabled } else { Status::Active },
            email_verified_at: fields.email_verified.map(Timestamp::from_millis),
            created_at: Timestamp::from_millis(fields.user_created),
        };
        Some(Known { session: Arc::new(session), user: Arc::new(user) })
    }
}
