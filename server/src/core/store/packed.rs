//! A session and its user in few bytes and one piece: a million of them are to fit into memory, and to be read at one place of it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use triomphe::ThinArc;
use uuid::Uuid;

use super::Known;
use super::clients::{Client, Clients};
use crate::core::clock::Timestamp;
use crate::core::model::{Email, Factors, PersonName, Role, Session, SessionState, Status, User, Username};

/// What is written, in this order. Texts are as they are, numbers take as many bytes as they need (postcard's format).
#[derive(Serialize, Deserialize)]
struct Fields<'a> {
    flags: u8,
    /// Of the session, of the user, and, as the flags say, of the application and of the security key.
    ids: &'a [u8],
    as_of: u64,
    factors: u8,
    created: i64,
    /// The times of the session that come after, counted from its creation, in milliseconds.
    authenticated: i64,
    last_seen: i64,
    idle_expires: i64,
    expires: i64,
    user_created: i64,
    email_verified: Option<i64>,
    address: Option<&'a str>,
    username: &'a str,
    email: &'a str,
    first_name: &'a str,
    last_name: &'a str,
}

/// Whether the client's texts count for this one: it was the first that had them.
const COUNTED: u8 = 1;
const HALF: u8 = 1 << 1;
const ADMIN: u8 = 1 << 2;
const DISABLED: u8 = 1 << 3;
const APPLICATION: u8 = 1 << 4;
const SECURITY_KEY: u8 = 1 << 5;

const fn flag(flag: u8, set: bool) -> u8 {
    if set { flag } else { 0 }
}

/// See the top of the file. The client is beside the bytes: many sessions have the same. A clone is the same piece.
#[derive(Clone)]
pub(super) struct Packed(ThinArc<Arc<Client>, u8>);

/// What was packed.
pub(super) struct Unpacked {
    pub(super) known: Known,
    /// When the reading of it began.
    pub(super) as_of: u64,
}

impl Packed {
    /// What a reading has found that began at `as_of`, in the place of `before`. `None` never happens: writing to memory does not fail.
    pub(super) fn of(known: &Known, as_of: u64, clients: &Clients, before: Option<&Self>) -> Option<Self> {
        let (client, is_new) = clients.share(Client::of(&known.session));
        let counted = before.filter(|before| Arc::ptr_eq(&before.0.header.header, &client)).map_or(0, Self::counted);
        Self::beside(client, counted | flag(COUNTED, is_new), known, as_of)
    }

    /// The same session and user when they have changed, but for what opened the session.
    pub(super) fn again(&self, known: &Known, as_of: u64) -> Option<Self> {
        Self::beside(Arc::clone(&self.0.header.header), self.counted(), known, as_of)
    }

    fn beside(client: Arc<Client>, counted: u8, known: &Known, as_of: u64) -> Option<Self> {
        let Known { session, user } = known;
        let since = |at: Timestamp| at.as_millis().wrapping_sub(session.created_at.as_millis());
        let (application, security_key) =
            (session.application_id.map(|id| id.uuid()), session.security_key_id.map(|id| id.uuid()));
        let ids = [Some(session.id.uuid()), Some(user.id.uuid()), application, security_key];
        let ids: Vec<u8> = ids.into_iter().flatten().flat_map(Uuid::into_bytes).collect();
        // Matches without a rest: what is added to one of these types must find a place here.
        let flags = [
            counted,
            match session.state {
                SessionState::Half => HALF,
                SessionState::Full => 0,
            },
            match user.role {
                Role::Admin => ADMIN,
                Role::Member => 0,
            },
            match user.status {
                Status::Disabled => DISABLED,
                Status::Active => 0,
            },
            flag(APPLICATION, application.is_some()),
            flag(SECURITY_KEY, security_key.is_some()),
        ];
        let fields = Fields {
            flags: flags.into_iter().fold(0, |all, flag| all | flag),
            ids: &ids,
            as_of,
            factors: session.factors.bits(),
            created: session.created_at.as_millis(),
            authenticated: since(session.authenticated_at),
            last_seen: since(session.last_seen_at),
            idle_expires: since(session.idle_expires_at),
            expires: since(session.expires_at),
            user_created: user.created_at.as_millis(),
            email_verified: user.email_verified_at.map(Timestamp::as_millis),
            address: session.address.as_deref(),
            username: user.username.as_str(),
            email: user.email.as_str(),
            first_name: user.first_name.as_str(),
            last_name: user.last_name.as_str(),
        };
        Some(Self(ThinArc::from_header_and_slice(client, &postcard::to_allocvec(&fields).ok()?)))
    }

    fn bytes(&self) -> &[u8] {
        &self.0.slice
    }

    /// [`COUNTED`] or nothing. The flags are the first byte.
    fn counted(&self) -> u8 {
        self.bytes().first().map_or(0, |flags| flags & COUNTED)
    }

    /// The bytes that it holds. A client that sessions share counts for the first that had it.
    pub(super) fn size(&self) -> usize {
        self.bytes().len() + if self.counted() == 0 { 0 } else { self.0.header.header.size() }
    }

    /// What was packed; `None` never happens.
    pub(super) fn unpack(&self) -> Option<Unpacked> {
        let fields: Fields<'_> = postcard::from_bytes(self.bytes()).ok()?;
        let client = &*self.0.header.header;
        let has = |flag: u8| fields.flags & flag != 0;
        let mut ids = fields.ids.as_chunks().0.iter().copied().map(Uuid::from_bytes);
        let (id, user_id) = (ids.next()?.into(), ids.next()?.into());
        let after = |span: i64| Timestamp::from_millis(fields.created.wrapping_add(span));
        let session = Session {
            id,
            user_id,
            application_id: if has(APPLICATION) { Some(ids.next()?.into()) } else { None },
            state: if has(HALF) { SessionState::Half } else { SessionState::Full },
            factors: Factors::again(fields.factors),
            security_key_id: if has(SECURITY_KEY) { Some(ids.next()?.into()) } else { None },
            dialect: (&*client.dialect).into(),
            address: fields.address.map(Into::into),
            // A copy: whoever counted those who have the text would meet all others at that count.
            user_agent: client.user_agent.as_deref().map(Into::into),
            created_at: after(0),
            authenticated_at: after(fields.authenticated),
            last_seen_at: after(fields.last_seen),
            idle_expires_at: after(fields.idle_expires),
            expires_at: after(fields.expires),
        };
        let user = User {
            id: user_id,
            username: Username::again(fields.username),
            email: Email::again(fields.email),
            first_name: PersonName::again(fields.first_name),
            last_name: PersonName::again(fields.last_name),
            role: if has(ADMIN) { Role::Admin } else { Role::Member },
            status: if has(DISABLED) { Status::Disabled } else { Status::Active },
            email_verified_at: fields.email_verified.map(Timestamp::from_millis),
            created_at: Timestamp::from_millis(fields.user_created),
        };
        Some(Unpacked { known: Known { session: Arc::new(session), user: Arc::new(user) }, as_of: fields.as_of })
    }
}
