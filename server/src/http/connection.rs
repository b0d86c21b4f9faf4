//! One connection, from its first byte to its end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use axum::body::{Body, HttpBody as _};
use axum::http::{HeaderValue, Request, Response, Version, header};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::head;
use super::health::Readiness;
use super::preface::Prompt;
use super::refuse;
use super::serve::{App, HEAD_TIMEOUT};
use super::watched::{Answer, Stage, Watched};

/// What every request of a connection shares.
pub(super) struct Connection<A> {
    pub(super) app: A,
    pub(super) readiness: Readiness,
    pub(super) peer: SocketAddr,
}

impl<A: App> Connection<A> {
    /// Answers what comes in until the client leaves, or `closing` says true and the request in hand is answered.
    pub(super) async fn serve(
        self: Arc<Self>,
        stream: TcpStream,
        protocol: Builder<TokioExecutor>,
        closing: watch::Receiver<bool>,
    ) {
        let (watched, stage, refused) = Watched::new(Prompt::new(stream, HEAD_TIMEOUT), HEAD_TIMEOUT);
        let requests = Arc::clone(&self);
        let service = service_fn(move |request| {
            stage.begin();
            Arc::clone(&requests).answer(request, stage.clone())
        });
        let mut connection = pin!(protocol.serve_connection(TokioIo::new(watched), service));
        let ended = tokio::select! {
            // What has come in already counts as a request in hand.
            biased;
            ended = connection.as_mut() => ended,
            () = told(closing) => {
                connection.as_mut().graceful_shutdown();
                connection.as_mut().await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "connection ended early");
        }
        if let Some(refused) = refused.take() {
            refuse::answer(refused, self.app.clone(), self.peer).await;
        }
    }

    async fn answer(self: Arc<Self>, mut request: Request<Incoming>, stage: Stage) -> Result<Response<Answer>, Infallible> {
        let one_at_a_time = request.version() < Version::HTTP_2;
        if let Err(error) = head::check(&request) {
            request.extensions_mut().insert(error);
        }
        // Nothing in a box takes no memory.
        let request = request.map(|body| if body.is_end_stream() { Body::empty() } else { Body::new(body) });
        let mut response = self.app.answer(request, self.peer).await;
        if one_at_a_time && self.readiness.is_off() {
            // Were the connection kept, the next request could cross its closing and be lost.
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(response.map(|body| stage.answer(body)))
    }
}

async fn told(mut closing: watch::Receiver<bool>) {
    let _ = closing.wait_for(|closing| *closing).await;
}
