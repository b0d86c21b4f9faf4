//! What every request passes on its way in and out: once around all ([`Front`]), and once around each dialect ([`dialect`]).
//!
//! All of it is on the way of every session check. So the front is no layer of the router, which would put every call into one more box for
//! each route, and what surrounds a dialect is one layer.

use std::any::Any;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::HttpBody as _;
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Either, Map, Ready, ready};
use tower::Service;

use super::call::{self, Edge, NO_DIALECT};
use super::drain;
use super::head::{HeadError, Refuse};
use super::metrics::{Metrics, Route, Source, Stopwatch, method_word};
use super::serve::App;
use crate::core::call::Call;
use crate::log;

/// The header with the id of the request.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Put on answers, unless the handler has set its own.
const SECURITY: [(HeaderName, HeaderValue); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
];

/// What answered; put on the answer, for the log line and the metrics.
#[derive(Clone)]
struct Answered(Arc<Source>);

/// How a dialect says that it did not come to an answer.
#[derive(Clone)]
pub struct Words {
    panicked: Arc<dyn Fn() -> Response + Send + Sync>,
    timed_out: Arc<dyn Fn() -> Response + Send + Sync>,
    refused: Arc<dyn Fn(HeadError) -> Response + Send + Sync>,
    /// Of the answers to requests that never reached a route.
    source: Arc<OnceLock<Arc<Source>>>,
}

impl Words {
    /// `panicked`: the handler has a defect (500). `timed_out`: the request took longer than it may (503 or 504). `refused`: its head
    /// cannot be used (400 or 431).
    pub fn new(
        panicked: impl Fn() -> Response + Send + Sync + 'static,
        timed_out: impl Fn() -> Response + Send + Sync + 'static,
        refused: impl Fn(HeadError) -> Response + Send + Sync + 'static,
    ) -> Self {
        Self { panicked: Arc::new(panicked), timed_out: Arc::new(timed_out), refused: Arc::new(refused), source: Arc::default() }
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
        let source = self.source.get_or_init(|| Source::new(name, Route::default()));
        response.extensions_mut().insert(Answered(Arc::clone(source)));
        response
    }
}

/// Everything that is served on the public listener, and what is around all of it. Every request gets its [`Call`] as an extension; every
/// answer the request id, the security headers, a log line and its place in the metrics; a panic that nobody caught becomes a bare 500.
#[derive(Clone)]
pub struct Front {
    router: Router,
    outer: Arc<Outer>,
}

struct Outer {
    nobody: Arc<Source>,
    edge: Edge,
    metrics: Metrics,
    refuse: Refuse,
    at_once: Vec<(Arc<Source>, AtOnce)>,
}

/// What is answered at once, if it can be: before the router and what is around a route.
pub struct AtOnce {
    /// The path of the GET, in full.
    pub path: &'static str,
    /// Whose it is, for the [`Call`], the log and the metrics.
    pub dialect: &'static str,
    /// The answer to a request without a body; `None` leaves it to the router.
    pub answer: AnswerAtOnce,
}

/// Makes an answer from what is at hand.
pub type AnswerAtOnce = Box<dyn Fn(&Call, &Request) -> Option<Response> + Send + Sync>;

impl AtOnce {
    fn is_for(&self, request: &Request) -> bool {
        request.method() == Method::GET
            && request.uri().path() == self.path
            && request.body().is_end_stream()
            && request.extensions().get::<HeadError>().is_none()
    }
}

impl Front {
    /// In front of a router. A request whose head cannot be used is answered by `refuse`, and by nobody else.
    #[must_use]
    pub fn new(router: Router, edge: Edge, metrics: Metrics, refuse: Refuse, at_once: Vec<AtOnce>) -> Self {
        let with_source = |it: AtOnce| (Source::new(it.dialect, Route::from_template(it.path)), it);
        let at_once = at_once.into_iter().map(with_source).collect();
        Self {
            router,
            outer: Arc::new(Outer { nobody: Source::new(NO_DIALECT, Route::default()), edge, metrics, refuse, at_once }),
        }
    }

    /// The answer to a request of this peer.
    fn reply(&self, request: Request, peer: Option<SocketAddr>) -> Reply {
        let watch = Stopwatch::start();
        let mut call = match self.outer.edge.call(&request, peer) {
            Ok(call) => call,
            Err(fault) => {
                tracing::error!(%fault, "no call could be made of a request");
                let mut response = bare();
                self.outer.finish(&self.outer.nobody, "", request.method(), &mut response, watch);
                return Either::Left(ready(response));
            }
        };
        match self.outer.answer_at_once(&mut call, &request, watch) {
            Some(response) => Either::Left(ready(response)),
            None => {
                call::complete(&mut call, &request);
                Either::Right(Box::pin(self.clone().answer_in_time(request, call, watch)))
            }
        }
    }

    async fn answer_in_time(mut self, request: Request, call: Call, watch: Stopwatch) -> Response {
        let method = request.method().clone();
        let (mut request, rest) = drain::share(request);
        let id = Arc::clone(&call.origin.request_id);
        request.extensions_mut().insert(call);
        let mut response = log::within(Arc::clone(&id), catch(self.route(request), bare)).await;
        if let Some(rest) = rest {
            rest.drain().await;
        }
        let answered = response.extensions_mut().remove::<Answered>();
        let source = answered.as_ref().map_or(&self.outer.nobody, |Answered(source)| source);
        self.outer.finish(source, &id, &method, &mut response, watch);
        response
    }

    async fn route(&mut self, request: Request) -> Response {
        match request.extensions().get::<HeadError>() {
            Some(error) => (self.outer.refuse)(request.uri().path(), *error),
            None => self.router.call(request).await.unwrap_or_else(|never| match never {}),
        }
    }
}

/// An answer that is there, or one that takes its time.
type Reply = Either<Ready<Response>, BoxFuture<'static, Response>>;

impl App for Front {
    fn answer(&self, request: Request, peer: SocketAddr) -> impl Future<Output = Response> + Send {
        self.reply(request, Some(peer))
    }
}

impl Service<Request> for Front {
    type Response = Response;
    type Error = Infallible;
    type Future = Map<Reply, fn(Response) -> Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    /// In a process's own tests: the peer is what the request says that it is.
    fn call(&mut self, request: Request) -> Self::Future {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0);
        self.reply(request, peer).map(Ok as fn(_) -> _)
    }
}

fn bare() -> Response {
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

fn dress(headers: &mut HeaderMap, id: &str) {
    headers.reserve(SECURITY.len() + 1);
    for (name, value) in SECURITY {
        headers.entry(name).or_insert(value);
    }
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
}

impl Outer {
    /// The answer, if one can be given without waiting. Should the making of it panic, the router has its turn, and words for that.
    fn answer_at_once(&self, call: &mut Call, request: &Request, watch: Stopwatch) -> Option<Response> {
        let (source, AtOnce { answer, .. }) = self.at_once.iter().find(|(_, it)| it.is_for(request))?;
        call.origin.dialect = source.dialect;
        let id = Arc::clone(&call.origin.request_id);
        let within = || log::within_at_once(Arc::clone(&id), || answer(call, request));
        let mut response = catch_unwind(AssertUnwindSafe(within)).ok().flatten()?;
        self.finish(source, &id, request.method(), &mut response, watch);
        Some(response)
    }

    /// Puts on an answer what every answer has, writes its line and counts it. The template of the route and not the path: paths and
    /// queries carry codes and e-mail addresses.
    fn finish(&self, source: &Source, id: &str, method: &Method, response: &mut Response, watch: Stopwatch) {
        dress(response.headers_mut(), id);
        let took = watch.elapsed();
        let (status, quiet) = (response.status(), method.is_safe() && response.status().is_success());
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let (verb, route, dialect) = (method_word(method), source.route.as_str(), source.dialect);
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    target: "doorward::access",
                    method = verb, route, status = status.as_u16(), ms, dialect, request = id, "answered"
                )
            };
        }
        // Checks of sessions are nearly all that a server does. Writing each down would cost more than the check, and tell nobody anything.
        if quiet {
            line!(debug);
        } else {
            line!(info);
        }
        self.metrics.request(source, method, status, took);
    }
}

/// What is around the routes of one dialect.
pub struct Around<A> {
    /// The dialect's name.
    pub name: &'static str,
    /// How long a request may take.
    pub limit: Duration,
    /// How it is told that there is no answer.
    pub words: Words,
    /// Refuses a request before its handler sees it; `None` lets it in.
    pub admit: A,
}

/// Lets everybody in: the handlers themselves refuse.
#[must_use]
pub const fn everybody(_: &Request) -> Option<Response> {
    None
}

/// Wraps the router of one dialect: its name goes into the [`Call`], whoever is not admitted is refused, and panics and timeouts are told
/// in its words.
pub fn dialect<S, A>(router: Router<S>, around: Around<A>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    A: Fn(&Request) -> Option<Response> + Send + Sync + 'static,
{
    let around = Arc::new(around);
    router.layer(tower::layer::layer_fn(move |inner| Within { inner, around: Arc::clone(&around), source: Arc::default() }))
}

/// A route, and what is around it.
struct Within<A, R> {
    inner: R,
    around: Arc<Around<A>>,
    /// Known from the first request on.
    source: Arc<OnceLock<Arc<Source>>>,
}

impl<A, R: Clone> Clone for Within<A, R> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), around: Arc::clone(&self.around), source: Arc::clone(&self.source) }
    }
}

impl<A, R> Service<Request> for Within<A, R>
where
    A: Fn(&Request) -> Option<Response> + Send + Sync + 'static,
    R: Service<Request, Response = Response, Error = Infallible>,
    R::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let around = Arc::clone(&self.around);
        if let Some(call) = request.extensions_mut().get_mut::<Call>() {
            call.origin.dialect = around.name;
        }
        let source = Arc::clone(self.source.get_or_init(|| Source::new(around.name, Route::of(&request))));
        let handled = match (around.admit)(&request) {
            Some(refused) => Either::Left(ready(refused)),
            None => Either::Right(self.inner.call(request).map(|answer| answer.unwrap_or_else(|never| match never {}))),
        };
        Box::pin(async move {
            let answer = timeout(around.limit, handled, || around.words.timed_out());
            let mut response = catch(answer, || around.words.panicked()).await;
            response.extensions_mut().insert(Answered(source));
            Ok(response)
        })
    }
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
#[path = "layers_tests.rs"]
mod tests;
