//! Health, for load balancers and supervisors: alive (the process answers) and ready (it can serve).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use futures_util::future::BoxFuture;
use serde_json::json;

/// A store that takes longer than this to say that it is there is not ready.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// Asks whether what the server needs is there.
pub type Probe = Arc<dyn Fn() -> BoxFuture<'static, bool> + Send + Sync>;

/// Whether the server wants to be sent requests.
#[derive(Clone)]
pub struct Readiness {
    open: Arc<AtomicBool>,
    probe: Probe,
}

impl Readiness {
    /// Ready as long as `probe` says so and nobody has called [`Readiness::turn_off`].
    #[must_use]
    pub fn new(probe: Probe) -> Self {
        Self { open: Arc::new(AtomicBool::new(true)), probe }
    }

    /// Says no from now on: the server is about to stop.
    pub fn turn_off(&self) {
        self.open.store(false, Ordering::SeqCst);
    }

    /// Whether the server is about to stop.
    pub(super) fn is_off(&self) -> bool {
        !self.open.load(Ordering::SeqCst)
    }

    async fn state(&self) -> (StatusCode, &'static str) {
        if self.is_off() {
            return (StatusCode::SERVICE_UNAVAILABLE, "stopping");
        }
        match tokio::time::timeout(PROBE_TIMEOUT, (self.probe)()).await {
            Ok(true) => (StatusCode::OK, "ready"),
            Ok(false) | Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        }
    }

    /// `GET /health/live` and `GET /health/ready`.
    pub fn router(&self) -> Router {
        Router::new().route("/health/live", get(live)).route("/health/ready", get(ready)).with_state(self.clone())
    }
}

async fn live() -> impl IntoResponse {
    answer(StatusCode::OK, "live")
}

async fn ready(State(readiness): State<Readiness>) -> impl IntoResponse {
    let (status, word) = readiness.state().await;
    answer(status, word)
}

fn answer(status: StatusCode, word: &'static str) -> impl IntoResponse {
    (status, [(header::CACHE_CONTROL, "no-store")], Json(json!({ "status": word })))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    use super::*;

    async fn get(router: Router, path: &str) -> (u16, String) {
        let request = Request::get(path).body(Body::empty()).expect("a request");
        let response = router.oneshot(request).await.expect("an answer");
        let (status, body) = (response.status().as_u16(), response.into_body().collect().await.expect("a body"));
        (status, String::from_utf8(body.to_bytes().to_vec()).expect("UTF-8"))
    }

    #[tokio::test]
    async fn says_how_it_is() {
        let there = Arc::new(AtomicBool::new(true));
        let probed = Arc::clone(&there);
        let readiness = Readiness::new(Arc::new(move || {
            let there = probed.load(Ordering::SeqCst);
            Box::pin(async move { there })
        }));
        let router = readiness.router();
        assert_eq!(get(router.clone(), "/health/live").await, (200, r#"{"status":"live"}"#.to_owned()));
        assert_eq!(get(router.clone(), "/health/ready").await, (200, r#"{"status":"ready"}"#.to_owned()));
        there.store(false, Ordering::SeqCst);
        assert_eq!(get(router.clone(), "/health/ready").await, (503, r#"{"status":"unavailable"}"#.to_owned()));
        there.store(true, Ordering::SeqCst);
        readiness.turn_off();
        assert_eq!(get(router.clone(), "/health/ready").await, (503, r#"{"status":"stopping"}"#.to_owned()));
        assert_eq!(get(router, "/health/live").await.0, 200);
    }
}
