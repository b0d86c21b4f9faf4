//! Prometheus metrics (OpenMetrics text). Label values come from closed sets: nothing that a request says becomes a label.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{MatchedPath, State};
use axum::http::{Method, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabelSet, EncodeLabelValue, LabelValueEncoder, MetricEncoder, NoLabelSet,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{Atomic, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::times::Times;
use crate::core::striped::Count;

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Measures how long something takes. For metrics and log lines only: what is decided goes by `Call::now`.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that measures durations")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// How long ago that was.
    #[must_use]
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    dialect: &'static str,
    method: &'static str,
    route: Route,
    status: &'static str,
}

/// The template of the route that a request has matched, or that it has matched none.
#[derive(Clone, Debug, Default)]
pub struct Route(Option<Arc<str>>);

impl Route {
    /// Of a request that a router has at hand.
    #[must_use]
    pub fn of<B>(request: &Request<B>) -> Self {
        Self(request.extensions().get().map(|path: &MatchedPath| path.as_str().into()))
    }

    /// Of this template.
    #[must_use]
    pub fn from_template(path: &str) -> Self {
        Self(Some(path.into()))
    }

    /// The template; `other` where there is none.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or("other")
    }
}

impl PartialEq for Route {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Route {}

impl Hash for Route {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl EncodeLabelValue for Route {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        self.as_str().encode(encoder)
    }
}

/// What answers requests: a dialect at a route. It has its own numbers at hand, so that nothing is looked up to count a request.
#[derive(Debug)]
pub struct Source {
    /// The dialect.
    pub dialect: &'static str,
    /// The route.
    pub route: Route,
    requests: [[OnceLock<Requests>; CLASSES.len()]; METHODS.len()],
    seconds: OnceLock<Times>,
}

impl Source {
    /// One that has answered nothing.
    #[must_use]
    pub fn new(dialect: &'static str, route: Route) -> Arc<Self> {
        Arc::new(Self { dialect, route, requests: Default::default(), seconds: OnceLock::new() })
    }
}

type Requests = Counter<u64, Count>;

impl Atomic<u64> for Count {
    fn inc(&self) -> u64 {
        self.inc_by(1)
    }

    /// What was there is not asked for: all threads would have to be.
    fn inc_by(&self, number: u64) -> u64 {
        self.add(number);
        0
    }

    fn get(&self) -> u64 {
        self.sum()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DialectLabels {
    dialect: &'static str,
}

/// The metrics of this process.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    registry: Registry,
    requests: Family<RequestLabels, Requests>,
    seconds: Family<DialectLabels, Times>,
}

/// What a number does over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only grows; its name gets the suffix `_total`.
    Counter,
    /// It goes up and down.
    Gauge,
}

/// Numbers with their labels. Names and values of labels are words of the program.
pub type Readings = Vec<(Vec<(&'static str, &'static str)>, f64)>;

/// Other parts' numbers, to be shown beside those of HTTP.
pub struct Others<'a>(&'a mut Registry);

impl Others<'_> {
    /// Shows what `read` says whenever the metrics are asked for. `read` must not block.
    pub fn observe(
        &mut self,
        name: &'static str,
        help: &'static str,
        kind: Kind,
        read: impl Fn() -> Readings + Send + Sync + 'static,
    ) {
        self.0.register_collector(Box::new(Observed { name, help, kind, read: Box::new(read) }));
    }
}

impl Metrics {
    /// The metrics of HTTP, and those that `others` adds. All names begin with `doorward_`.
    pub fn new(others: impl FnOnce(&mut Others<'_>)) -> Self {
        let mut registry = Registry::with_prefix("doorward");
        let requests = Family::default();
        let seconds = Family::default();
        registry.register(
            "http_requests",
            "Requests answered, by dialect, method, route template and class of status",
            requests.clone(),
        );
        registry.register("http_request_seconds", "Time from request to answer, by dialect", seconds.clone());
        others(&mut Others(&mut registry));
        Self(Arc::new(Inner { registry, requests, seconds }))
    }

    /// Counts an answered request.
    pub fn request(&self, source: &Source, method: &Method, status: StatusCode, took: Duration) {
        let (method, status) = (method_place(method), class_place(status));
        source.requests[method][status].get_or_init(|| self.counter(source, METHODS[method], CLASSES[status])).inc();
        source.seconds.get_or_init(|| self.times(source.dialect)).observe(took);
    }

    fn counter(&self, source: &Source, method: &'static str, status: &'static str) -> Requests {
        let labels = RequestLabels { dialect: source.dialect, method, route: source.route.clone(), status };
        self.0.requests.get_or_create(&labels).clone()
    }

    fn times(&self, dialect: &'static str) -> Times {
        self.0.seconds.get_or_create(&DialectLabels { dialect }).clone()
    }

    /// All of them as text.
    ///
    /// # Errors
    /// None in practice: writing to memory does not fail.
    pub fn encode(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.0.registry)?;
        Ok(text)
    }

    /// `GET /metrics`, for a listener of its own.
    pub fn router(&self) -> Router {
        Router::new().route("/metrics", get(show)).with_state(self.clone())
    }
}

async fn show(State(metrics): State<Metrics>) -> Response {
    match metrics.encode() {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The methods that are served anywhere, and a word for what a client made up.
const METHODS: [&str; 8] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "OTHER"];

const fn last<const N: usize>(_: &[&str; N]) -> usize {
    N - 1
}

fn method_place(method: &Method) -> usize {
    METHODS.iter().position(|known| *known == method.as_str()).unwrap_or(last(&METHODS))
}

/// The method, or `OTHER`.
#[must_use]
pub fn method_word(method: &Method) -> &'static str {
    METHODS[method_place(method)]
}

/// The classes of statuses (RFC 9110, 15).
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

fn class_place(status: StatusCode) -> usize {
    usize::from(status.as_u16() / 100).saturating_sub(1).min(last(&CLASSES))
}

struct Observed {
    name: &'static str,
    help: &'static str,
    kind: Kind,
    read: Box<dyn Fn() -> Readings + Send + Sync>,
}

impl fmt::Debug for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observed").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Collector for Observed {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let kind = match self.kind {
            Kind::Counter => MetricType::Counter,
            Kind::Gauge => MetricType::Gauge,
        };
        let mut metric = encoder.encode_descriptor(self.name, self.help, None, kind)?;
        for (labels, value) in (self.read)() {
            if labels.is_empty() {
                put(&mut metric, self.kind, value)?;
            } else {
                put(&mut metric.encode_family(&labels)?, self.kind, value)?;
            }
        }
        Ok(())
    }
}

fn put(encoder: &mut MetricEncoder<'_>, kind: Kind, value: f64) -> Result<(), fmt::Error> {
    match kind {
        Kind::Counter => encoder.encode_counter::<NoLabelSet, f64, f64>(&value, None),
        Kind::Gauge => encoder.encode_gauge(&value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_requests_and_others() {
        let metrics = Metrics::new(|others| {
            others.observe("sign_ins", "Sign-ins", Kind::Counter, || {
                vec![
                    (vec![("dialect", "kalshi"), ("outcome", "refused")], 3.0),
                    (vec![("dialect", "native"), ("outcome", "opened")], 4.0),
                ]
            });
            others.observe("hash_queue", "Hashes that wait", Kind::Gauge, || vec![(vec![], 7.0)]);
        });
        let (forbidden, unauthorized) = (StatusCode::FORBIDDEN, StatusCode::UNAUTHORIZED);
        let [kalshi, none] = ["kalshi", "none"].map(|dialect| Source::new(dialect, Route::default()));
        metrics.request(&kalshi, &Method::POST, forbidden, Duration::from_millis(30));
        metrics.request(&kalshi, &Method::POST, unauthorized, Duration::from_millis(30));
        let made_up = Method::from_bytes(b"BREW").expect("a method");
        metrics.request(&none, &made_up, StatusCode::NOT_FOUND, Duration::ZERO);
        let text = metrics.encode().expect("text");
        for line in [
            r#"doorward_http_requests_total{dialect="kalshi",method="POST",route="other",status="4xx"} 2"#,
            r#"doorward_http_requests_total{dialect="none",method="OTHER",route="other",status="4xx"} 1"#,
            r#"doorward_http_request_seconds_bucket{le="0.05",dialect="kalshi"} 2"#,
            r#"doorward_http_request_seconds_bucket{le="0.025",dialect="kalshi"} 0"#,
            r#"doorward_http_request_seconds_bucket{le="+Inf",dialect="kalshi"} 2"#,
            r#"doorward_http_request_seconds_sum{dialect="kalshi"} 0.06"#,
            r#"doorward_http_request_seconds_count{dialect="kalshi"} 2"#,
            r#"doorward_sign_ins_total{dialect="kalshi",outcome="refused"} 3.0"#,
            "doorward_hash_queue 7.0",
            "# TYPE doorward_sign_ins counter",
            "# EOF",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
    }
}
