//! The accept loop: connections in, requests to the router, and an orderly end.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tower::Service as _;

use super::health::Readiness;
use super::preface::Prompt;

/// How long a client may take to send the head of a request, and how long an idle connection is kept.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest head of a request, in bytes.
const LARGEST_HEAD: usize = 64 * 1024;

/// How long to wait before accepting again when the machine has no more to give (`EMFILE` and the like).
const PAUSE: Duration = Duration::from_millis(200);

/// How the serving ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// All requests in flight were answered.
    Clean,
    /// So many connections were still open when the grace had passed, and were dropped.
    Cut(usize),
}

/// Serves `app` on `listener` until `stop` comes to its end. Then readiness is turned off, no connection is accepted any more, requests
/// in flight are answered, and after `grace` at the latest what is left is dropped.
pub async fn serve(
    listener: TcpListener,
    app: Router,
    readiness: &Readiness,
    grace: Duration,
    stop: impl Future<Output = ()>,
) -> Stopped {
    let protocol = protocol();
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            Some(_) = connections.join_next() => (),
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let connection = connect(&protocol, &graceful, stream, peer, app.clone());
                    connections.spawn(connection);
                }
                Err(error) if is_of_one_connection(&error) => (),
                Err(error) => {
                    tracing::warn!(%error, "cannot accept connections; trying on");
                    tokio::time::sleep(PAUSE).await;
                }
            },
        }
    }
    readiness.turn_off();
    drop(listener);
    let ended = tokio::time::timeout(grace, graceful.shutdown()).await;
    while connections.try_join_next().is_some() {}
    if ended.is_ok() { Stopped::Clean } else { Stopped::Cut(connections.len()) }
}

fn protocol() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_headers(100).max_buf_size(LARGEST_HEAD);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(LARGEST_HEAD as u32)
        .max_concurrent_streams(100)
        .keep_alive_interval(HEAD_TIMEOUT)
        .keep_alive_timeout(HEAD_TIMEOUT);
    builder
}

fn connect(
    protocol: &Builder<TokioExecutor>,
    graceful: &GracefulShutdown,
    stream: TcpStream,
    peer: SocketAddr,
    app: Router,
) -> impl Future<Output = ()> + use<> {
    // Answers are small: waiting to fill a packet would only delay them. A failure here shows again at the first read.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        app.clone().call(request.map(Body::new))
    });
    let io = TokioIo::new(Prompt::new(stream, HEAD_TIMEOUT));
    let connection = graceful.watch(protocol.serve_connection(io, service).into_owned());
    async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "connection ended early");
        }
    }
}

/// The client went away between connecting and being accepted: no reason to pause.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

#[cfg(test)]
#[path = "serve_tests.rs"]
mod tests;
