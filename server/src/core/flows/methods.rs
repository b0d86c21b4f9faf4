//! Which ways to sign in this server offers.

use crate::core::Core;

/// True to the configuration.
#[derive(Clone, Copy, Debug)]
pub struct Methods {
    /// With a password.
    pub password: bool,
    /// With a mailed code.
    pub email_code: bool,
    /// With a passkey: a key that verifies its user, and nothing else.
    pub passkey: bool,
    /// With a security key as a second factor.
    pub security_key: bool,
    /// With an authenticator app as a second factor.
    pub totp: bool,
}

/// The list.
#[must_use]
pub fn methods(core: &Core) -> Methods {
    let policy = core.policy.methods;
    let keys = core.has_webauthn();
    Methods { password: policy.password, email_code: policy.email_code, passkey: keys, security_key: keys, totp: true }
}
