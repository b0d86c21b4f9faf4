//! From the configuration to what core needs of it.

use std::time::Duration;

use super::{database_at, store_deadline};
use crate::config::{self, Config, Passwords};
use crate::core::limit::Rate;
use crate::core::policy::{LimitPolicy, MethodPolicy, PasswordPolicy, Policy, SessionPolicy, TicketPolicy};

/// Days for which an ended mail stays listed.
const MAIL_RETENTION_DAYS: u64 = 30;

/// What core needs of the configuration.
pub(super) fn policy(config: &Config) -> Result<Policy, String> {
    let rate = |rate: &config::Rate| Rate { burst: rate.burst, per: rate.per.get() };
    Ok(Policy {
        database: database_at(config, &config.database())?,
        store_deadline: store_deadline(config),
        session_cache: u64::from(config.sessions.cache_mib) * 1024 * 1024,
        public_url: config.origin().origin().to_owned(),
        service_name: config.service_name.as_str().to_owned(),
        sessions: SessionPolicy {
            idle: config.sessions.idle.get(),
            absolute: config.sessions.absolute.get(),
            half: config.sessions.half.get(),
            recent: config.sessions.recent.get(),
        },
        tickets: TicketPolicy {
            recovery: config.tickets.recovery.get(),
            code: config.tickets.code.get(),
            one_time_token: config.tickets.one_time_token.get(),
            challenge: config.tickets.challenge.get(),
            invitation: config.tickets.invitation.get(),
        },
        passwords: passwords(&config.passwords),
        methods: MethodPolicy { password: config.methods.password, email_code: config.methods.email_code },
        administrators_second_factor: config.administrators.second_factor,
        limits: LimitPolicy {
            enabled: config.limits.enabled,
            signin_account: rate(&config.limits.signin_account),
            signin_network: rate(&config.limits.signin_network),
            second_factor_account: rate(&config.limits.second_factor_account),
            mail_address: rate(&config.limits.mail_address),
            mail_network: rate(&config.limits.mail_network),
        },
        mail_retention: Duration::from_secs(MAIL_RETENTION_DAYS * 24 * 60 * 60),
    })
}

fn passwords(config: &Passwords) -> PasswordPolicy {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    PasswordPolicy {
        min_length: config.min_length,
        max_length: config.max_length,
        min_score: config.min_score,
        memory_kib: config.memory_kib,
        iterations: config.iterations,
        parallelism: config.parallelism,
        threads: if config.threads == 0 { cores } else { config.threads },
        queue: config.queue,
    }
}
