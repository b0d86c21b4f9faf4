//! What came back.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::line::Answer;

/// Answers by their status, and requests without one.
#[derive(Default)]
pub(crate) struct Tally {
    answers: BTreeMap<u16, Kind>,
    failed: u64,
}

#[derive(Default)]
struct Kind {
    micros: Vec<u64>,
    retry_after: u64,
}

/// The line that is printed.
#[derive(Serialize)]
pub(crate) struct Summary {
    seconds: f64,
    /// Requests that got no answer.
    failed: u64,
    answers: BTreeMap<u16, Times>,
}

#[derive(Serialize)]
struct Times {
    count: usize,
    per_second: f64,
    median_ms: f64,
    p99_ms: f64,
    worst_ms: f64,
    /// How many said when to come back.
    retry_after: u64,
}

impl Tally {
    pub(crate) fn answered(&mut self, answer: &Answer, took: Duration) {
        let kind = self.answers.entry(answer.status).or_default();
        kind.micros.push(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        kind.retry_after += u64::from(answer.retry_after);
    }

    pub(crate) const fn failed(&mut self) {
        self.failed += 1;
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.failed += other.failed;
        for (status, kind) in other.answers {
            let mine = self.answers.entry(status).or_default();
            mine.micros.extend(kind.micros);
            mine.retry_after += kind.retry_after;
        }
    }

    pub(crate) fn summary(self, passed: Duration) -> Summary {
        let seconds = passed.as_secs_f64();
        let answers = self.answers.into_iter().map(|(status, kind)| (status, kind.times(seconds))).collect();
        Summary { seconds, failed: self.failed, answers }
    }
}

impl Kind {
    fn times(mut self, seconds: f64) -> Times {
        self.micros.sort_unstable();
        let count = self.micros.len();
        // The smallest that so many hundredths of all do not exceed.
        let at = |hundredths: usize| {
            let place = (count * hundredths).div_ceil(100).saturating_sub(1);
            self.micros.get(place).map_or(0.0, |micros| *micros as f64 / 1000.0)
        };
        Times {
            count,
            per_second: count as f64 / seconds,
            median_ms: at(50),
            p99_ms: at(99),
            worst_ms: at(100),
            retry_after: self.retry_after,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_of_a_hundred() {
        let (mut one, mut other) = (Tally::default(), Tally::default());
        let answer = Answer { status: 200, retry_after: false };
        for ms in 1..=100 {
            (if ms % 2 == 0 { &mut one } else { &mut other }).answered(&answer, Duration::from_millis(ms));
        }
        other.failed();
        one.add(other);
        let summary = one.summary(Duration::from_secs(10));
        let times = &summary.answers[&200];
        assert_eq!((times.count, times.per_second, summary.failed), (100, 10.0, 1));
        assert_eq!((times.median_ms, times.p99_ms, times.worst_ms), (50.0, 99.0, 100.0));
    }
}
