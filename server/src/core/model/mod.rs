//! Plain structs and newtypes. No I/O, no rules beyond the form of a value.

mod application;
mod authenticator_app;
mod factor;
mod id;
mod invitation;
mod mail;
mod page;
mod security_key;
mod session;
mod ticket;
mod user;

pub use application::{Application, Network};
pub use authenticator_app::AuthenticatorApp;
pub use factor::{Assurance, Factor, Factors};
pub use id::{ApplicationId, AuditId, InvitationId, MailId, SecurityKeyId, SessionId, TicketId, UserId};
pub use invitation::{Invitation, InvitationState};
pub use mail::{Mail, MailKind, MailState};
pub use page::{Page, Paged};
pub use security_key::{KeyName, KeyUse, SecurityKey};
pub use session::{Session, SessionState};
pub use ticket::{Purpose, Ticket};
pub(in crate::core) use user::canonical;
pub use user::{Email, Identifier, PersonName, Role, Status, User, Username};
