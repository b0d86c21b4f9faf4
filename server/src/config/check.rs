//! What no single value shows: bounds, and values that must fit one another.

use super::Config;
use super::load::{ConfigError, Loaded};
use crate::core::limit::NAMES;
use crate::core::password::{MAXIMUM_ITERATIONS, MAXIMUM_LANES, MAXIMUM_MEMORY_KIB};

/// A key, whether it is well, and what would be.
type Rule = (&'static str, bool, &'static str);

pub(super) fn check(loaded: &Loaded) -> Result<(), ConfigError> {
    let config = &loaded.config;
    let broken = [server(config), database(config), passwords(config), lifetimes(config), limits(config)]
        .into_iter()
        .flatten()
        .find(|rule| !rule.1);
    broken.map_or(Ok(()), |(key, _, mend)| Err(loaded.complain(key, mend)))
}

fn server(config: &Config) -> Vec<Rule> {
    vec![
        (
            "shutdown_drain",
            config.shutdown_drain.is_none_or(|drain| drain.is_zero() || drain < config.shutdown_grace),
            "must be shorter than shutdown_grace, which it is a part of",
        ),
        ("request_timeout", !config.request_timeout.is_zero(), "must be more than nothing, such as \"10s\""),
        ("max_body_bytes", (1_024..=16_777_216).contains(&config.max_body_bytes), "must be from 1024 to 16777216"),
        (
            "metrics_listen",
            config.metrics_listen.is_none_or(|address| address.port() == 0 || address != config.listen),
            "must not be the address of `listen`; take another port",
        ),
        (
            "templates.dir",
            config.templates.dir.as_ref().is_none_or(|dir| dir.is_dir()),
            "there is no such folder; make it or leave the key out",
        ),
        (
            "methods.password",
            config.methods.password || config.methods.email_code,
            "one of methods.password and methods.email_code must be true, or nobody can sign in",
        ),
        (
            "forward.sign_in_path",
            config.forward.sign_in_path.is_none() || !config.proxies.trusted.is_empty(),
            "needs proxies.trusted: only your own proxies are believed what a browser asked for",
        ),
    ]
}

fn database(config: &Config) -> Vec<Rule> {
    let (d, some) = (&config.database, "must be more than nothing, such as \"2s\"");
    vec![
        ("database.pool_size", (2..=1_000).contains(&d.pool_size), "must be from 2 to 1000"),
        ("database.acquire_timeout", !d.acquire_timeout.is_zero(), some),
        ("database.statement_timeout", !d.statement_timeout.is_zero(), some),
    ]
}

/// RFC 9106 for Argon2, NIST SP 800-63B section 3.1.1.2 for lengths.
fn passwords(config: &Config) -> Vec<Rule> {
    let p = &config.passwords;
    vec![
        ("passwords.parallelism", (1..=MAXIMUM_LANES).contains(&p.parallelism), "must be from 1 to 16"),
        ("passwords.iterations", (1..=MAXIMUM_ITERATIONS).contains(&p.iterations), "must be from 1 to 64"),
        (
            "passwords.memory_kib",
            (8 * p.parallelism.clamp(1, MAXIMUM_LANES)..=MAXIMUM_MEMORY_KIB).contains(&p.memory_kib),
            "must be from 8 for each lane to 1048576",
        ),
        ("passwords.min_length", (8..=64).contains(&p.min_length), "must be from 8 to 64"),
        ("passwords.max_length", (64..=1_024).contains(&p.max_length), "must be from 64 to 1024"),
        ("passwords.min_score", p.min_score <= 4, "must be from 0 to 4"),
        ("passwords.threads", p.threads <= 256, "must be from 0 to 256"),
        ("passwords.queue", (1..=65_536).contains(&p.queue), "must be from 1 to 65536"),
    ]
}

fn lifetimes(config: &Config) -> Vec<Rule> {
    let (s, t) = (&config.sessions, &config.tickets);
    let some = "must be more than nothing, such as \"10m\"";
    vec![
        ("sessions.idle", !s.idle.is_zero(), some),
        ("sessions.absolute", s.absolute >= s.idle, "must not be shorter than sessions.idle"),
        ("sessions.half", !s.half.is_zero(), some),
        ("sessions.recent", !s.recent.is_zero(), some),
        ("sessions.cache_mib", s.cache_mib <= 65_536, "must be from 0 to 65536"),
        ("tickets.recovery", !t.recovery.is_zero(), some),
        ("tickets.code", !t.code.is_zero(), some),
        ("tickets.one_time_token", !t.one_time_token.is_zero(), some),
        ("tickets.challenge", !t.challenge.is_zero(), some),
        ("tickets.invitation", !t.invitation.is_zero(), some),
    ]
}

fn limits(config: &Config) -> Vec<Rule> {
    let l = &config.limits;
    let (burst, per) = ("must be from 1 to 1000000", "must be more than nothing, such as \"15m\"");
    let account = (
        "limits.signin_account.burst",
        l.signin_account.burst >= NAMES,
        "must be from 2 to 1000000: half is for the username, half for the e-mail address",
    );
    let each = [
        ("limits.signin_account.burst", "limits.signin_account.per", &l.signin_account),
        ("limits.signin_network.burst", "limits.signin_network.per", &l.signin_network),
        ("limits.second_factor_account.burst", "limits.second_factor_account.per", &l.second_factor_account),
        ("limits.mail_address.burst", "limits.mail_address.per", &l.mail_address),
        ("limits.mail_network.burst", "limits.mail_network.per", &l.mail_network),
    ]
    .into_iter()
    .flat_map(|(burst_key, per_key, rate)| {
        [(burst_key, (1..=1_000_000).contains(&rate.burst), burst), (per_key, !rate.per.is_zero(), per)]
    });
    std::iter::once(account).chain(each).collect()
}
