//! How long requests took, as a Prometheus histogram that threads add to without meeting.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::{MetricType, TypedMetric};

use crate::core::striped::Striped;

/// The upper bounds, in seconds: from a session check that memory answers to a queue of hashes. The last has none.
const BOUNDS: [f64; 15] = [0.000_25, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, f64::INFINITY];

/// A histogram; clones are the same one.
#[derive(Clone, Debug, Default)]
pub(super) struct Times(Arc<Striped<Part>>);

#[derive(Debug, Default)]
struct Part {
    counts: [AtomicU64; BOUNDS.len()],
    nanos: AtomicU64,
}

impl Times {
    pub(super) fn observe(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        let place = BOUNDS.iter().position(|bound| seconds <= *bound).unwrap_or(BOUNDS.len() - 1);
        let part = self.0.own();
        part.counts[place].fetch_add(1, Ordering::Relaxed);
        part.nanos.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn sum(&self, of: impl Fn(&Part) -> &AtomicU64) -> u64 {
        self.0.all().map(|part| of(part).load(Ordering::Relaxed)).sum()
    }
}

impl TypedMetric for Times {
    const TYPE: MetricType = MetricType::Histogram;
}

impl EncodeMetric for Times {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        let buckets: Vec<_> =
            BOUNDS.iter().enumerate().map(|(place, bound)| (*bound, self.sum(|part| &part.counts[place]))).collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        let seconds = Duration::from_nanos(self.sum(|part| &part.nanos)).as_secs_f64();
        encoder.encode_histogram::<NoLabelSet>(seconds, count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}
