//! Flows: one thing that a caller wants done, from start to end, one file each. Every order of checks is decided here, once, so that all
//! dialects refuse in the same order.

pub mod application_sign_in;
pub mod applications;
pub mod audit_log;
pub mod authenticator_app;
pub mod authority;
pub mod backfill;
pub mod backup;
pub mod change_password;
pub mod copy;
pub mod counts;
pub mod delivery;
mod factors;
mod first_factor;
pub mod history;
pub mod invitations;
pub mod login_code;
mod mail_request;
pub mod mails;
pub mod methods;
mod opening;
pub mod passkey;
pub mod preview;
pub mod profile;
pub mod proof;
pub mod recovery;
pub mod schema;
pub mod second_factor;
pub mod second_factor_choice;
pub mod second_factor_code;
pub mod security_keys;
pub mod session;
pub mod sessions;
pub mod setup;
pub mod sign_in;
pub mod sweep;
pub mod users;

pub use first_factor::Proof;
pub use opening::SignedIn;
