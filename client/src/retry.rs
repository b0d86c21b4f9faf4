//! When a call is tried again, and how long before that.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// How idempotent calls (RFC 9110, section 9.2.2) are tried again; others never are.
///
/// The pause before each try doubles; half of it is random, so that clients that failed together do not come back together. `Retry-After`
/// makes it longer, but when the server asks for more than the longest pause, its refusal is the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    attempts: u32,
    first: Duration,
    longest: Duration,
}

impl Retry {
    /// `attempts` times in all, with pauses from `first` up to `longest`.
    #[must_use]
    pub const fn new(attempts: u32, first: Duration, longest: Duration) -> Self {
        Self { attempts, first, longest }
    }

    /// Once is enough.
    #[must_use]
    pub const fn never() -> Self {
        Self::new(1, Duration::ZERO, Duration::ZERO)
    }

    /// The pause after `attempt` failed ones, where the server asks for `after`; `None`: give up. `chance` is from 0 to 1.
    pub(crate) fn pause(&self, attempt: u32, after: Option<Duration>, chance: f64) -> Option<Duration> {
        if attempt >= self.attempts || after.is_some_and(|after| after > self.longest) {
            return None;
        }
        let doubled = self.first.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1))).min(self.longest);
        let pause = doubled.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0);
        Some(after.map_or(pause, |after| after.max(pause)))
    }
}

/// Three times in all, from 100 ms up to 5 s.
impl Default for Retry {
    fn default() -> Self {
        Self::new(3, Duration::from_millis(100), Duration::from_secs(5))
    }
}

/// Whether a call that is answered so may be answered otherwise soon.
pub(crate) fn is_passing(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT
    )
}

/// From 0 to 1. The standard library seeds its hash tables from the operating system's randomness; more a pause does not need.
pub(crate) fn chance() -> f64 {
    f64::from(u32::try_from(RandomState::new().hash_one(()) >> 32).unwrap_or_default()) / f64::from(u32::MAX)
}

/// `Retry-After` in seconds or as a date, which counts from the answer's `Date`.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let then = httpdate::parse_http_date(value).ok()?;
    let now = httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()?;
    Some(then.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_end() {
        let retry = Retry::new(6, ms(100), ms(1_000));
        let pauses: Vec<_> = (1..=6).map(|attempt| retry.pause(attempt, None, 1.0)).collect();
        assert_eq!(pauses, [Some(ms(100)), Some(ms(200)), Some(ms(400)), Some(ms(800)), Some(ms(1_000)), None]);
        assert_eq!(retry.pause(1, None, 0.0), Some(ms(50)));
        assert_eq!(Retry::never().pause(1, None, 1.0), None);
        assert_eq!(Retry::new(u32::MAX, ms(1), ms(7)).pause(u32::MAX - 1, None, 1.0), Some(ms(7)));
    }

    #[test]
    fn the_server_may_ask_for_more_but_not_for_too_much() {
        let retry = Retry::new(3, ms(100), ms(1_000));
        assert_eq!(retry.pause(1, Some(ms(1_000)), 1.0), Some(ms(1_000)));
        assert_eq!(retry.pause(1, Some(ms(10)), 1.0), Some(ms(100)));
        assert_eq!(retry.pause(1, Some(ms(1_001)), 1.0), None);
    }

    #[test]
    fn chances_differ_and_stay_within() {
        let chances: Vec<_> = (0..64).map(|_| chance()).collect();
        assert!(chances.iter().all(|chance| (0.0..=1.0).contains(chance)));
        assert!(chances.iter().any(|chance| *chance < 0.5) && chances.iter().any(|chance| *chance > 0.5));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let read = |after: &str, date: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, after.parse().expect("a value"));
            if let Some(date) = date {
                headers.insert(DATE, date.parse().expect("a value"));
            }
            retry_after(&headers)
        };
        let date = Some("Thu, 01 Jan 2026 00:00:00 GMT");
        assert_eq!(read("7", date), Some(Duration::from_secs(7)));
        assert_eq!(read("Thu, 01 Jan 2026 00:01:30 GMT", date), Some(Duration::from_secs(90)));
        assert_eq!(read("Wed, 31 Dec 2025 23:00:00 GMT", date), Some(Duration::ZERO));
        assert_eq!(read("Thu, 01 Jan 2026 00:01:30 GMT", None), None);
        for bad in ["", "-1", "1.5", "soon", "99999999999999999999999"] {
            assert_eq!(read(bad, date), None, "{bad}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }
}
