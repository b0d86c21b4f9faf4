//! A connection that knows whether a request on it is being answered. What the HTTP/1 library writes at any other time is its own refusal
//! of a head that it could not read; that is held back, so that an answer in the dialect's words can take its place.
//!
//! It also ends a connection whose next head is late. The library could do that, with a timer for every request; here it is one for every
//! connection, which is looked at again when it has passed. And it ends one whose client has stopped reading, which the library would not:
//! such a client would keep its answers in memory, and the server from its end.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::head::HeadError;
use super::preface::Prompt;

/// The most that is kept of a request line, in bytes.
const LONGEST_LINE: usize = 8 * 1024;

/// How long a client may leave what is sent to it where it is. More than it may be silent for: the system says that there is room again only
/// when a third of its buffer is free, and on a slow line that is many seconds' worth.
const LONGEST_STALL: Duration = Duration::from_secs(30);

const IDLE: u8 = 0;
const ANSWERING: u8 = 1;
const WRITING: u8 = 2;

/// How far an HTTP/1 connection is with its request: none, being answered, or answered but perhaps not yet written.
#[derive(Clone, Default)]
pub(super) struct Stage(Arc<AtomicU8>);

impl Stage {
    /// A request has come, whose head could be read.
    pub(super) fn begin(&self) {
        self.0.store(ANSWERING, Ordering::Relaxed);
    }

    /// The body of its answer.
    pub(super) const fn answer(self, body: Body) -> Answer {
        Answer { body, stage: self }
    }

    fn is(&self, stage: u8) -> bool {
        self.0.load(Ordering::Relaxed) == stage
    }
}

/// The body of an answer. The library lets go of it once it has all of it.
pub(super) struct Answer {
    body: Body,
    stage: Stage,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        HttpBody::size_hint(&self.body)
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.stage.0.store(WRITING, Ordering::Relaxed);
    }
}

/// A connection on which a head was refused, and that still waits for its answer.
pub(super) struct Refused<S> {
    /// Open for writing.
    pub(super) stream: Prompt<S>,
    /// The beginning of the request line, as it came; empty if it came together with an earlier request.
    pub(super) line: Vec<u8>,
    /// What is wrong.
    pub(super) error: HeadError,
}

/// Where a [`Watched`] leaves its connection.
pub(super) struct Left<S>(Arc<Mutex<Option<Refused<S>>>>);

impl<S> Left<S> {
    /// The connection, if a head was refused on it.
    pub(super) fn take(&self) -> Option<Refused<S>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// How long the next head may take.
struct Patience {
    span: Duration,
    /// When the connection began to wait for it.
    since: Instant,
    /// Passes no later than the patience does, and most often before.
    timer: Pin<Box<Sleep>>,
}

impl Patience {
    fn new(span: Duration) -> Self {
        Self { span, since: Instant::now(), timer: Box::pin(tokio::time::sleep(span)) }
    }

    /// Begins to wait, and has the task woken when it has waited too long: the library need not read before that.
    fn begin(&mut self, cx: &mut Context<'_>) {
        self.since = Instant::now();
        self.is_over(cx);
    }

    fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        while self.timer.as_mut().poll(cx).is_ready() {
            let until = self.since + self.span;
            if until <= Instant::now() {
                return true;
            }
            self.timer.as_mut().reset(until);
        }
        false
    }
}

/// See the top of the file.
pub(super) struct Watched<S> {
    /// `None` once it was left.
    inner: Option<Prompt<S>>,
    stage: Stage,
    patience: Patience,
    /// Since something could not be written: passes when the client has taken nothing for too long.
    stall: Option<Pin<Box<Sleep>>>,
    line: Vec<u8>,
    /// What the library has refused.
    refused: Option<HeadError>,
    left: Left<S>,
}

impl<S> Watched<S> {
    /// With what its service must tell it, and where to look for it after its end. Heads of HTTP/1 must come within `patience`.
    pub(super) fn new(inner: Prompt<S>, patience: Duration) -> (Self, Stage, Left<S>) {
        let (stage, left) = (Stage::default(), Arc::default());
        let watched = Self {
            inner: Some(inner),
            stage: stage.clone(),
            patience: Patience::new(patience),
            stall: None,
            line: Vec::new(),
            refused: None,
            left: Left(Arc::clone(&left)),
        };
        (watched, stage, Left(left))
    }

    fn inner(&mut self) -> io::Result<Pin<&mut Prompt<S>>>
    where
        S: Unpin,
    {
        self.inner.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// Keeps the line that begins a head; empty lines before it are none (RFC 9112, 2.2).
    fn hear(&mut self, mut bytes: &[u8]) {
        if self.line.is_empty() {
            let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            bytes = &bytes[blank..];
        }
        if !self.line.ends_with(b"\n") {
            let end = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
            let room = LONGEST_LINE.saturating_sub(self.line.len());
            self.line.extend_from_slice(&bytes[..end.min(room)]);
        }
    }

    /// Whether the next head is late, so far as nothing more of it is there.
    fn is_late(&mut self, cx: &mut Context<'_>) -> bool {
        let waits = self.stage.is(IDLE) && self.inner.as_ref().is_some_and(|inner| !inner.is_http2());
        waits && self.patience.is_over(cx)
    }

    /// The outcome of writing, if the client has not made it wait for too long. Each byte that could be written ends that waiting; there is a
    /// timer only while there is any.
    fn in_time<T>(&mut self, written: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stall = None;
            return written;
        }
        let stall = self.stall.get_or_insert_with(|| Box::pin(tokio::time::sleep(LONGEST_STALL)));
        stall.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Whether these bytes are the library's own words, which go no further.
    fn holds_back(&mut self, bytes: &[u8]) -> bool {
        let own = self.stage.is(IDLE) && self.inner.as_ref().is_some_and(|inner| !inner.is_http2());
        if own && self.refused.is_none() && !bytes.is_empty() {
            // `HTTP/1.1 431 …`
            let status = bytes.get(9..12).unwrap_or_default();
            self.refused = Some(if matches!(status, b"431" | b"414") { HeadError::TooLarge } else { HeadError::Malformed });
        }
        self.refused.is_some()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = self.inner()?.poll_read(cx, buf);
        if read.is_pending() && self.is_late(cx) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        ready!(read)?;
        if self.stage.is(IDLE) {
            self.hear(&buf.filled()[before..]);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.holds_back(bytes) {
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = self.inner()?.poll_write(cx, bytes);
        self.in_time(written, cx)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = self.inner()?.poll_flush(cx);
        ready!(self.in_time(flushed, cx))?;
        // The library flushes when it has nothing left to write.
        if self.stage.is(WRITING) {
            self.stage.0.store(IDLE, Ordering::Relaxed);
            self.patience.begin(cx);
            self.line.clear();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(error) = self.refused else { return self.inner()?.poll_shutdown(cx) };
        if let Some(stream) = self.inner.take() {
            let refused = Refused { stream, line: std::mem::take(&mut self.line), error };
            *self.left.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(refused);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, parts: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        if self.holds_back(parts.iter().find(|part| !part.is_empty()).map_or(&[], |part| part)) {
            return Poll::Ready(Ok(parts.iter().map(|part| part.len()).sum()));
        }
        let written = self.inner()?.poll_write_vectored(cx, parts);
        self.in_time(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.as_ref().is_some_and(AsyncWrite::is_write_vectored)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use axum::http::{Request, Response};
    use hyper::server::conn::http1;
    use hyper::service::service_fn;
    use hyper_util::rt::TokioIo;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
    use tokio::time::timeout;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);
    const LONG: Duration = Duration::from_secs(60);

    fn connected() -> (DuplexStream, Watched<DuplexStream>, Stage) {
        let (client, server) = duplex(1024);
        let (watched, stage, _) = Watched::new(Prompt::new(server, LONG), PATIENCE);
        (client, watched, stage)
    }

    /// Reads what there is, and then on; how long that took, if it ended.
    async fn read_on(watched: &mut Watched<DuplexStream>) -> Option<(Duration, io::ErrorKind)> {
        let (begun, mut rest) = (Instant::now(), Vec::new());
        let ended = timeout(LONG, watched.read_to_end(&mut rest)).await.ok()?;
        Some((begun.elapsed(), ended.expect_err("a late head").kind()))
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_is_late_ends_the_connection() {
        let (mut client, mut watched, _) = connected();
        let drip = async {
            for byte in *b"GET / HTTP/1.1" {
                client.write_all(&[byte]).await.expect("room");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        };
        let (ended, ()) = tokio::join!(read_on(&mut watched), drip);
        assert_eq!(ended, Some((PATIENCE, io::ErrorKind::TimedOut)));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_may_take_its_time_and_the_next_head_has_all_of_its_own() {
        let (mut client, mut watched, stage) = connected();
        client.write_all(b"POST / HTTP/1.1\r\n").await.expect("room");
        assert_eq!(watched.read(&mut [0; 100]).await.expect("a head"), 17);
        stage.begin();
        assert_eq!(read_on(&mut watched).await, None, "its body may come slowly");
        drop(stage.clone().answer(Body::empty()));
        let mut polled = 0;
        let woken = poll_fn(|cx| {
            polled += 1;
            let flushed = Pin::new(&mut watched).poll_flush(cx);
            if polled == 1 { Poll::Pending } else { flushed }
        });
        timeout(LONG, woken).await.expect("whoever does not read is woken").expect("a flush");
        drop(stage.clone().answer(Body::empty()));
        watched.flush().await.expect("a flush");
        assert_eq!(read_on(&mut watched).await, Some((PATIENCE, io::ErrorKind::TimedOut)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_ends_the_connection() {
        let (mut client, mut watched, stage) = connected();
        stage.begin();
        // The first bytes fill what there is room for.
        let (begun, written) = (Instant::now(), watched.write_all(&[0; 4096]).await);
        assert_eq!(written.expect_err("nobody reads").kind(), io::ErrorKind::TimedOut);
        assert_eq!(begun.elapsed(), LONGEST_STALL);
        client.read_exact(&mut [0; 1024]).await.expect("what there was room for");
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_little_may_take_its_time() {
        let (mut client, mut watched, stage) = connected();
        stage.begin();
        let take = async {
            for pause in [1, 29, 1].into_iter().cycle().take(4096) {
                tokio::time::sleep(Duration::from_secs(pause)).await;
                client.read_u8().await?;
            }
            Ok(())
        };
        let write = async {
            watched.write_all(&[0; 4096]).await?;
            watched.flush().await
        };
        tokio::try_join!(write, take).expect("all of it");
    }

    #[tokio::test(start_paused = true)]
    async fn requests_whose_answers_are_not_read_end_with_them() {
        let (mut client, watched, stage) = connected();
        let service = service_fn(move |_: Request<hyper::body::Incoming>| {
            stage.begin();
            let stage = stage.clone();
            async move { Ok::<_, io::Error>(Response::new(stage.answer(Body::from(vec![b'x'; 300])))) }
        });
        let serving = tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(watched), service));
        let mut asked = 0;
        // As many as it takes in without an answer having been read.
        while timeout(Duration::from_secs(1), client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
            .await
            .is_ok_and(|sent| sent.is_ok())
        {
            asked += 1;
        }
        assert!(asked > 3, "{asked}");
        timeout(LONG, serving).await.expect("it ends").expect("no panic").expect_err("a client that does not read");
    }
}
