//! The numbers of core, beside those of HTTP.

use std::sync::Arc;

use crate::core::{Core, SessionMemory};
use crate::http::metrics::{Kind, Metrics, Others};

/// All of them.
pub(super) fn metrics(core: &Arc<Core>) -> Metrics {
    let [busy, compared, mails, reruns] = [(); 4].map(|()| Arc::clone(core));
    #[expect(clippy::cast_precision_loss, reason = "metrics are floating-point numbers")]
    Metrics::new(|others| {
        others.observe("password_hash_busy", "Calls that wait for a hashing thread or are on one", Kind::Gauge, move || {
            vec![(vec![], busy.hasher().busy() as f64)]
        });
        others.observe("password_comparisons", "Passwords and codes compared with their hash", Kind::Counter, move || {
            vec![(vec![], compared.hasher().compared() as f64)]
        });
        session_memory(others, core);
        others.observe("store_reruns", "Transactions run again because they had met others", Kind::Counter, move || {
            vec![(vec![], reruns.store_reruns() as f64)]
        });
        others.observe("mails_waiting", "Mails that wait to be sent, as counted every ten seconds", Kind::Gauge, move || {
            mails.mails_waiting().map(|waiting| (vec![], waiting as f64)).into_iter().collect()
        });
    })
}

/// How checks of sessions are answered from memory, and how soon other nodes hear that they must not.
fn session_memory(others: &mut Others<'_>, core: &Arc<Core>) {
    type Read = fn(SessionMemory) -> f64;
    #[expect(clippy::cast_precision_loss, reason = "metrics are floating-point numbers")]
    let all: [(_, _, _, Read); 6] = [
        ("session_cache_live", "Whether checks are answered from memory", Kind::Gauge, |memory| f64::from(u8::from(memory.live))),
        ("session_cache_hits", "Checks that were answered from memory", Kind::Counter, |memory| memory.hits as f64),
        ("session_cache_misses", "Checks that asked the database", Kind::Counter, |memory| memory.misses as f64),
        ("revocations_heard", "Changes of sessions that nodes have told one another", Kind::Counter, |memory| {
            memory.pushed as f64
        }),
        ("revocation_lag_seconds", "Time from such a change to its receipt, together", Kind::Counter, |memory| {
            memory.lag_sum.as_secs_f64()
        }),
        ("revocation_lag_worst_seconds", "The longest such time since the start", Kind::Gauge, |memory| {
            memory.lag_worst.as_secs_f64()
        }),
    ];
    for (name, help, kind, read) in all {
        let core = Arc::clone(core);
        others.observe(name, help, kind, move || vec![(vec![], read(core.session_memory()))]);
    }
}
