//! The accept loop: connections in, requests to the router, and an orderly end.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use futures_util::FutureExt as _;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower::ServiceExt as _;

use super::connection::Connection;
use super::head::{LARGEST_HEAD, MOST_HEADERS};
use super::health::Readiness;

/// How long a client may take to send the head of a request, and how long an idle connection is kept.
pub(super) const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes of headers up to which HTTP/2 hands a request on, so that what is too large is refused in words. What is larger still gets h2's
/// own bare 431.
const LARGEST_LIST: usize = 4 * LARGEST_HEAD;

/// How long to wait before accepting again when the machine has no more to give (`EMFILE` and the like).
const PAUSE: Duration = Duration::from_millis(200);

/// How long a connection without a request is listened to once no new one gets in: its request may be on the way.
const LAST_REQUESTS: Duration = Duration::from_millis(200);

/// More connections than the system keeps for a listener that has not accepted them: tokio asks for 1024.
const BACKLOG: usize = 2048;

/// How far the server is on its way to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Not on its way.
    Serving,
    /// It serves as before, and says that it will stop: not ready, and no connection is kept for another request.
    Draining,
    /// No connection is accepted any more; those that are there come to their end.
    Ending,
}

/// How the serving ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// All requests in flight were answered.
    Clean,
    /// So many connections were still open when the grace had passed, and were dropped.
    Cut(usize),
}

/// Serves `app` on `listener` through the phases, each of which may be skipped but the last; `grace` after the first ended, what is left
/// is dropped. `app` must answer a request with a [`HeadError`](super::head::HeadError) by a refusal, as [`Front`](super::layers::Front)
/// does, and see [`guard`](super::head::guard).
pub async fn serve<A: App>(
    listener: TcpListener,
    app: A,
    readiness: &Readiness,
    grace: Duration,
    phase: watch::Receiver<Phase>,
) -> Stopped {
    let closing = watch::Sender::new(false);
    let mut server = Server { app, readiness, protocol: protocol(), connections: JoinSet::new(), closing };
    server.accept_until(&listener, &phase, Phase::Draining).await;
    readiness.turn_off();
    let ending = async {
        server.accept_until(&listener, &phase, Phase::Ending).await;
        server.accept_pending(listener);
        server.finish().await;
    };
    let ended = tokio::time::timeout(grace, ending).await;
    while server.connections.try_join_next().is_some() {}
    if ended.is_ok() { Stopped::Clean } else { Stopped::Cut(server.connections.len()) }
}

/// What answers requests.
pub trait App: Clone + Send + Sync + 'static {
    /// The answer to a request that this peer's connection has brought.
    fn answer(&self, request: Request, peer: SocketAddr) -> impl Future<Output = Response> + Send;
}

/// A router that asks nobody where a request comes from.
impl App for Router {
    fn answer(&self, request: Request, _: SocketAddr) -> impl Future<Output = Response> + Send {
        let answered = self.clone().oneshot(request);
        answered.map(|answer| answer.unwrap_or_else(|never| match never {}))
    }
}

struct Server<'a, A> {
    app: A,
    readiness: &'a Readiness,
    protocol: Builder<TokioExecutor>,
    connections: JoinSet<()>,
    /// Tells connections to end after the request that they are at.
    closing: watch::Sender<bool>,
}

impl<A: App> Server<'_, A> {
    async fn accept_until(&mut self, listener: &TcpListener, phase: &watch::Receiver<Phase>, until: Phase) {
        let mut reached = pin!(reached(phase.clone(), until));
        loop {
            tokio::select! {
                () = &mut reached => return,
                Some(_) = self.connections.join_next() => (),
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => self.connect(stream, peer),
                    Err(error) if is_of_one_connection(&error) => (),
                    Err(error) => {
                        tracing::warn!(%error, "cannot accept connections; trying on");
                        tokio::time::sleep(PAUSE).await;
                    }
                },
            }
        }
    }

    /// Takes in all that has connected and closes the listener. What it still holds when it is closed is reset by the system, and only
    /// the system itself knows for sure what that is: the runtime may not have heard of the last ones yet.
    fn accept_pending(&mut self, listener: TcpListener) {
        let Ok(listener) = listener.into_std() else { return };
        for (stream, peer) in pending(|| listener.accept()) {
            let stream = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream));
            if let Ok(stream) = stream {
                self.connect(stream, peer);
            }
        }
    }

    /// Waits for the connections to end.
    async fn finish(&mut self) {
        let _ = tokio::time::timeout(LAST_REQUESTS, self.all_ended()).await;
        self.closing.send_replace(true);
        self.all_ended().await;
    }

    async fn all_ended(&mut self) {
        while self.connections.join_next().await.is_some() {}
    }

    fn connect(&mut self, stream: TcpStream, peer: SocketAddr) {
        // Answers are small: waiting to fill a packet would only delay them. A failure here shows again at the first read.
        let _ = stream.set_nodelay(true);
        let connection = Arc::new(Connection { app: self.app.clone(), readiness: self.readiness.clone(), peer });
        self.connections.spawn(connection.serve(stream, self.protocol.clone(), self.closing.subscribe()));
    }
}

/// Waits for a phase; if nobody is left to tell it, there is nobody left to serve for.
async fn reached(mut phase: watch::Receiver<Phase>, until: Phase) {
    let _ = phase.wait_for(|phase| *phase >= until).await;
}

fn protocol() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    // The connection itself sees to it that heads come in time.
    // Answers are small: copying one into a buffer costs less than having the system gather its parts.
    builder.http1().header_read_timeout(None).max_headers(MOST_HEADERS).max_buf_size(LARGEST_HEAD).writev(false);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(LARGEST_LIST as u32)
        .max_concurrent_streams(100)
        .keep_alive_interval(HEAD_TIMEOUT)
        .keep_alive_timeout(HEAD_TIMEOUT);
    builder
}

/// All that waited when this was called, oldest first. However fast others come, it ends: they were not there before.
fn pending<T>(mut accept: impl FnMut() -> io::Result<T>) -> impl Iterator<Item = T> {
    let passes = |error: &io::Error| is_of_one_connection(error) || error.kind() == io::ErrorKind::Interrupted;
    (0..BACKLOG).map(move |_| accept()).take_while(move |accepted| accepted.as_ref().err().is_none_or(passes)).flatten()
}

/// The client went away between connecting and being accepted: no reason to pause.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

#[cfg(test)]
#[path = "serve_tests.rs"]
mod tests;
