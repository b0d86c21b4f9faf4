//! What the operator decides, as core needs it. `app.rs` fills it from the configuration; every value has been validated there.

use std::time::Duration;

use super::database::Database;
use super::limit::Rate;

/// Everything that core is told at the start.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Where the data is kept.
    pub database: Database,
    /// How long a call waits for the store.
    pub store_deadline: Duration,
    /// Live sessions are kept in memory up to so many bytes; 0 for none.
    pub session_cache: u64,
    /// Scheme, host and port under which people reach the server, without a slash at the end. Every link begins with it.
    pub public_url: String,
    /// The service's name, for mails and authenticators.
    pub service_name: String,
    /// Lifetimes of sessions.
    pub sessions: SessionPolicy,
    /// Lifetimes of tickets.
    pub tickets: TicketPolicy,
    /// Rules for new passwords, and the cost of hashing.
    pub passwords: PasswordPolicy,
    /// Ways to sign in.
    pub methods: MethodPolicy,
    /// Whether administrators must have proven a second factor even where they have none enrolled.
    pub administrators_second_factor: bool,
    /// Limits on tries.
    pub limits: LimitPolicy,
    /// How long an ended mail stays listed.
    pub mail_retention: Duration,
}

/// Lifetimes of sessions (ASVS V7.3).
#[derive(Clone, Copy, Debug)]
pub struct SessionPolicy {
    /// A session that is not used for so long ends.
    pub idle: Duration,
    /// A session ends after so long in any case.
    pub absolute: Duration,
    /// How long a second factor may be owed.
    pub half: Duration,
    /// How fresh a sign-in must be to change a factor.
    pub recent: Duration,
}

/// Lifetimes of tickets.
#[derive(Clone, Copy, Debug)]
pub struct TicketPolicy {
    /// The link to set a new password.
    pub recovery: Duration,
    /// The mailed code to sign in with.
    pub code: Duration,
    /// An application's one-time token, and its access code.
    pub one_time_token: Duration,
    /// A WebAuthn challenge.
    pub challenge: Duration,
    /// An invitation whose maker names no other time.
    pub invitation: Duration,
}

/// Rules for new passwords (NIST SP 800-63B, 5.1.1.2: length and guessability, no composition), and the cost of hashing.
#[derive(Clone, Debug)]
pub struct PasswordPolicy {
    /// Fewest characters.
    pub min_length: usize,
    /// Most characters.
    pub max_length: usize,
    /// zxcvbn's score, 0 to 4, that a password must reach.
    pub min_score: u8,
    /// Argon2id memory in KiB.
    pub memory_kib: u32,
    /// Argon2id passes.
    pub iterations: u32,
    /// Argon2id lanes.
    pub parallelism: u32,
    /// Hashing threads; each holds `memory_kib`.
    pub threads: usize,
    /// Calls that may wait for a hashing thread.
    pub queue: usize,
}

/// Ways to sign in.
#[derive(Clone, Copy, Debug)]
pub struct MethodPolicy {
    /// With a password.
    pub password: bool,
    /// With a mailed code.
    pub email_code: bool,
}

/// Limits on tries; see [`super::limit`].
#[derive(Clone, Debug)]
pub struct LimitPolicy {
    /// Off for load tests, or behind something that limits.
    pub enabled: bool,
    /// Failed first factors of one account; each of its two names has half.
    pub signin_account: Rate,
    /// Failed first factors, recovery links, invitations and application credentials from one network.
    pub signin_network: Rate,
    /// Failed second factors of one user.
    pub second_factor_account: Rate,
    /// Mails asked for by one typed name; such mails to one user; access codes mailed to one user.
    pub mail_address: Rate,
    /// Mails asked for from a network.
    pub mail_network: Rate,
}
