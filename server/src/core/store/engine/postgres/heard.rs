//! When the database was last heard of, on any connection.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// The moment of its last answer, a refusal included.
pub(super) struct Heard {
    began: Instant,
    /// In microseconds since `began`.
    last: AtomicU64,
}

impl Heard {
    pub(super) fn new() -> Self {
        Self { began: Instant::now(), last: AtomicU64::new(0) }
    }

    /// It has just answered.
    pub(super) fn note(&self) {
        self.last.fetch_max(self.micros(), Ordering::Relaxed);
    }

    /// Whether it has answered anything for so long.
    pub(super) fn within(&self, span: Duration) -> bool {
        let silent = self.micros().saturating_sub(self.last.load(Ordering::Relaxed));
        Duration::from_micros(silent) < span
    }

    fn micros(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn silence_is_counted_from_the_last_answer() {
        let (heard, second) = (Heard::new(), Duration::from_secs(1));
        tokio::time::advance(second).await;
        assert!(!heard.within(second));
        heard.note();
        assert!(heard.within(second));
        tokio::time::advance(second / 2).await;
        assert!(heard.within(second));
        tokio::time::advance(second / 2).await;
        assert!(!heard.within(second));
    }
}
