//! Tickets: secrets for one purpose and one use.

use super::{ApplicationId, TicketId, UserId};

/// The one thing that a ticket is good for. Part of its key and of its hash, so that no other endpoint can take it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Set a new password without the old one.
    Recovery,
    /// Sign in with a mailed code.
    LoginCode,
    /// The second step of an application's sign-in; holds the hash of its access code, once one is mailed.
    OneTimeToken,
    /// Finish registering a security key.
    KeyRegistration,
    /// Finish authenticating with a security key.
    KeyAuthentication,
    /// Finish signing in with a passkey; whose is known when it comes back.
    PasskeySignIn,
    /// Create the first administrator, who is nobody yet.
    Setup,
}

impl Purpose {
    /// The name at rest.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recovery => "recovery",
            Self::LoginCode => "login_code",
            Self::OneTimeToken => "one_time_token",
            Self::KeyRegistration => "key_registration",
            Self::KeyAuthentication => "key_authentication",
            Self::PasskeySignIn => "passkey_sign_in",
            Self::Setup => "setup",
        }
    }
}

/// A ticket as the store gives it: unspent and unexpired at the time of asking.
#[derive(Clone, Debug)]
pub struct Ticket {
    /// The handle.
    pub id: TicketId,
    /// Whose it is.
    pub user_id: UserId,
    /// The application that it is bound to, for one-time tokens.
    pub application_id: Option<ApplicationId>,
    /// What finishing needs: the state of a WebAuthn ceremony, or the hash (PHC string) of a code.
    pub payload: Option<String>,
}
