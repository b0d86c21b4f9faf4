//! What every request passes on its way in and out: once around all ([`wrap`]), and once around each dialect ([`dialect`]).

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;

use super::call::{Edge, NO_DIALECT};
use super::drain;
use super::head::HeadError;
use super::metrics::{Metrics, Stopwatch, method_word};
use crate::core::call::Call;
use crate::log;

/// The header with the id of the request.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The route of a request that matched none.
const NO_ROUTE: &str = "other";

/// Put on answers, unless the handler has set its own.
const SECURITY: [(HeaderName, HeaderValue); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
];

/// Which dialect answered; put on the answer, for the log line and the metrics.
#[derive(Clone, Copy)]
struct Answered(&'static str);

/// How a dialect says that it did not come to an answer.
#[derive(Clone)]
pub struct Words {
    panicked: Arc<dyn Fn() -> Response + Send + Sync>,
    timed_out: Arc<dyn Fn() -> Response + Send + Sync>,
    refused: Arc<dyn Fn(HeadError) -> Response + Send + Sync>,
}

impl Words {
    /// `panicked`: the handler has a defect (500). `timed_out`: the request took longer than it may (503 or 504). `refused`: its head
    /// cannot be used (400 or 431).
    pub fn new(
        panicked: impl Fn() -> Response + Send + Sync + 'static,
        timed_out: impl Fn() -> Response + Send + Sync + 'static,
        refused: impl Fn(HeadError) -> Response + Send + Sync + 'static,
    ) -> Self {
        Self { panicked: Arc::new(panicked), timed_out: Arc::new(timed_out), refused: Arc::new(refused) }
    }

    /// The answer in the place of one whose making panicked.
    #[must_use]
    pub fn panicked(&self) -> Response {
        (self.panicked)()
    }

    /// The answer in the place of one that did not come in time.
    #[must_use]
    pub fn timed_out(&self) -> Response {
        (self.timed_out)()
    }

    /// The answer of the dialect `name` to a request that never reached it.
    #[must_use]
    pub fn refused(&self, name: &'static str, error: HeadError) -> Response {
        let mut response = (self.refused)(error);
        response.extensions_mut().insert(Answered(name));
        response
    }
}

/// Wraps the whole router. Every request gets its [`Call`] as an extension; every answer the request id, the security headers, a log
/// line and its place in the metrics; a panic that nobody caught becomes a bare 500.
pub fn wrap(router: Router, edge: Edge, metrics: Metrics) -> Router {
    router.layer(from_fn_with_state(Arc::new((edge, metrics)), around_all))
}

async fn around_all(State(outer): State<Arc<(Edge, Metrics)>>, request: Request, next: Next) -> Response {
    let (edge, metrics) = &*outer;
    let watch = Stopwatch::start();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let (parts, body) = request.into_parts();
    let call = edge.call(&parts);
    let (mut request, rest) = drain::share(Request::from_parts(parts, body));
    let (id, mut response) = match call {
        Ok(call) => {
            let id: Arc<str> = call.origin.request_id.as_str().into();
            request.extensions_mut().insert(call);
            let answer = log::within(Arc::clone(&id), catch(next.run(request), bare)).await;
            (id, answer)
        }
        Err(fault) => {
            tracing::error!(%fault, "no call could be made of a request");
            ("".into(), bare())
        }
    };
    if let Some(rest) = rest {
        rest.drain().await;
    }
    dress(response.headers_mut(), &id);
    let route = route.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
    finish(&id, &method, route, &response, watch.elapsed(), metrics);
    response
}

fn bare() -> Response {
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

fn dress(headers: &mut HeaderMap, id: &str) {
    for (name, value) in SECURITY {
        headers.entry(name).or_insert(value);
    }
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
}

/// The template of the route and not the path: paths and queries carry codes and e-mail addresses.
fn finish(id: &str, method: &Method, route: &str, response: &Response, took: Duration, metrics: &Metrics) {
    let dialect = response.extensions().get::<Answered>().map_or(NO_DIALECT, |answered| answered.0);
    metrics.request(dialect, method, route, response.status(), took);
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let (method, status) = (method_word(method), response.status().as_u16());
    tracing::info!(target: "doorward::access", method, route, status, ms, dialect, request = id, "answered");
}

/// Wraps the router of one dialect: its name goes into the [`Call`], and panics and timeouts are told in its words.
pub fn dialect<S>(router: Router<S>, name: &'static str, limit: Duration, words: Words) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    router.layer(from_fn(move |mut request: Request, next: Next| {
        let words = words.clone();
        async move {
            if let Some(call) = request.extensions_mut().get_mut::<Call>() {
                call.origin.dialect = name;
            }
            let answer = timeout(limit, next.run(request), || words.timed_out());
            let mut response = catch(answer, || words.panicked()).await;
            response.extensions_mut().insert(Answered(name));
            response
        }
    }))
}

/// The answer, or `words` if making it panics. The panic itself was logged by the hook of [`log::init`].
async fn catch(answer: impl Future<Output = Response>, words: impl FnOnce() -> Response) -> Response {
    let caught: Result<Response, Box<dyn Any + Send>> = AssertUnwindSafe(answer).catch_unwind().await;
    caught.unwrap_or_else(|_| words())
}

/// The answer, or `words` if it is not there within `limit`. What was begun is dropped: a transaction that has not begun never does, one
/// that is running may still commit.
async fn timeout(limit: Duration, answer: impl Future<Output = Response>, words: impl FnOnce() -> Response) -> Response {
    tokio::time::timeout(limit, answer).await.unwrap_or_else(|_| {
        tracing::warn!("a request took longer than it may");
        words()
    })
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::get;
    use tower::ServiceExt as _;

    use super::super::call::Caller;
    use super::super::call::tests::edge;
    use super::*;
    use crate::log::tests::Memory;

    fn words() -> Words {
        Words::new(
            || (StatusCode::INTERNAL_SERVER_ERROR, "oops").into_response(),
            || (StatusCode::GATEWAY_TIMEOUT, "late").into_response(),
            HeadError::into_response,
        )
    }

    fn app(entropy: bool) -> (Router, Metrics) {
        let inner = Router::new()
            .route("/who/{code}", get(async |Caller(call): Caller| call.origin.dialect))
            .route("/panic", get(async || -> &'static str { panic!("on purpose") }))
            .route("/late", get(async || -> &'static str { std::future::pending().await }))
            .route("/cached", get(async || [(header::CACHE_CONTROL, "max-age=60")]));
        let outer = Router::new().route("/panic-outside", get(async || -> &'static str { panic!("on purpose") }));
        let router = outer.nest("/k", dialect(inner, "kestra", Duration::from_millis(1), words()));
        let metrics = Metrics::new(|_| ());
        (wrap(router, edge(entropy), metrics.clone()), metrics)
    }

    async fn send(router: Router, method: &str, path: &str) -> (u16, String, HeaderMap) {
        let request =
            Request::builder().method(method).uri(path).header("x-request-id", "mine").body(Body::empty()).expect("a request");
        let response = router.oneshot(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 1000).await.expect("a body");
        (parts.status.as_u16(), String::from_utf8(bytes.to_vec()).expect("UTF-8"), parts.headers)
    }

    #[tokio::test]
    async fn answers_in_the_right_words() {
        let (router, metrics) = app(true);
        for (method, path, status, body) in [
            ("GET", "/k/who/s3cret?email=a@b", 200, "kestra"),
            ("GET", "/k/panic", 500, "oops"),
            ("GET", "/k/late", 504, "late"),
            ("GET", "/panic-outside", 500, ""),
            ("GET", "/nowhere/s3cret", 404, ""),
            ("POST", "/k/panic", 405, ""),
            ("BREW", "/k/who/s3cret", 405, ""),
        ] {
            let memory = Memory::listen(false);
            let (found, text, headers) = send(router.clone(), method, path).await;
            assert_eq!((found, text.as_str()), (status, body), "{path}");
            assert_eq!(headers[REQUEST_ID], "07".repeat(16), "{path}");
            for (name, value) in SECURITY {
                assert_eq!(headers[&name], value, "{path} {name}");
            }
            let lines = memory.take();
            assert!(!lines.contains("s3cret") && !lines.contains("a@b"), "{lines}");
            assert!(
                lines.contains(&format!("status={status} ")) && lines.contains(&format!("request={}", "07".repeat(16))),
                "{lines}"
            );
        }
        let text = metrics.encode().expect("text");
        for (labels, count) in [
            (r#"dialect="kestra",method="GET",route="/k/who/{code}",status="2xx""#, 1),
            (r#"dialect="kestra",method="OTHER",route="/k/who/{code}",status="4xx""#, 1),
            (r#"dialect="none",method="GET",route="other",status="4xx""#, 1),
        ] {
            assert!(text.contains(&format!("doorward_http_requests_total{{{labels}}} {count}\n")), "{labels} in\n{text}");
        }
        assert!(!text.contains("s3cret"));
    }

    #[tokio::test]
    async fn a_handlers_own_header_stays() {
        assert_eq!(send(app(true).0, "GET", "/k/cached").await.2[header::CACHE_CONTROL], "max-age=60");
    }

    #[tokio::test]
    async fn without_entropy_nothing_is_served() {
        assert_eq!(send(app(false).0, "GET", "/k/who/1").await.0, 500);
    }
}
