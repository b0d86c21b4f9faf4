//! Ids. Each kind of thing has its own type, so that one cannot be passed for another.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::core::call::Call;
use crate::core::clock::Timestamp;
use crate::core::fault::Fault;

/// A text that is no id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnId;

impl fmt::Display for NotAnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id is a UUID, as the list shows it")
    }
}

impl std::error::Error for NotAnId {}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)+) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id; ids sort by the time at which they were made (UUIDv7).
            ///
            /// # Errors
            /// A fault when the operating system has no randomness to give.
            pub fn new(call: &Call) -> Result<Self, Fault> {
                call.new_id().map(Self)
            }

            /// The id as a UUID.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                Uuid::parse_str(text).map(Self).map_err(|_| NotAnId)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        /// As it is serialised.
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                let uuid = utoipa::openapi::SchemaFormat::KnownFormat(utoipa::openapi::KnownFormat::Uuid);
                utoipa::openapi::ObjectBuilder::new().schema_type(utoipa::openapi::Type::String).format(Some(uuid)).into()
            }
        }

        impl utoipa::ToSchema for $name {}

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                // On the stack, and without the machinery of formatting: a session check shows two.
                serializer.serialize_str(self.0.hyphenated().encode_lower(&mut [0; uuid::fmt::Hyphenated::LENGTH]))
            }
        }
    )+ };
}

impl AuditId {
    /// The least id of a line that was written at this moment or later, as text.
    pub(in crate::core) fn least_at(at: Timestamp) -> String {
        let millis = u64::try_from(at.as_millis()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid().to_string()
    }

    /// When the line was written, as its id has it.
    #[must_use]
    pub fn written_at(self) -> Option<Timestamp> {
        let (seconds, nanos) = self.0.get_timestamp()?.to_unix();
        let millis = seconds.checked_mul(1_000)?.checked_add(u64::from(nanos / 1_000_000))?;
        i64::try_from(millis).ok().map(Timestamp::from_millis)
    }
}

impl UserId {
    /// An id that no user has, to look up in the place of one.
    pub(in crate::core) const NOBODY: Self = Self(Uuid::nil());
}

ids! {
    /// A user's id: never reused, never changed.
    UserId;
    /// A session's handle: names it without opening it.
    SessionId;
    /// A security key's id in this server (not the WebAuthn credential id).
    SecurityKeyId;
    /// A ticket's handle.
    TicketId;
    /// An invitation's handle: what its maker refers to it by; not the secret that the mail carries.
    InvitationId;
    /// An application's `app_id`.
    ApplicationId;
    /// A mail in the outbox.
    MailId;
    /// An entry of the audit log.
    AuditId;
}
