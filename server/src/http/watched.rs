//! A connection that knows whether a request on it is being answered. What the HTTP/1 library writes at any other time is its own refusal
//! of a head that it could not read; that is held back, so that an answer in the dialect's words can take its place.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::head::HeadError;
use super::preface::Prompt;

/// The most that is kept of a request line, in bytes.
const LONGEST_LINE: usize = 8 * 1024;

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

/// See the top of the file.
pub(super) struct Watched<S> {
    /// `None` once it was left.
    inner: Option<Prompt<S>>,
    stage: Stage,
    line: Vec<u8>,
    /// What the library has refused.
    refused: Option<HeadError>,
    left: Left<S>,
}

impl<S> Watched<S> {
    /// With what its service must tell it, and where to look for it after its end.
    pub(super) fn new(inner: Prompt<S>) -> (Self, Stage, Left<S>) {
        let (stage, left) = (Stage::default(), Arc::default());
        let watched =
            Self { inner: Some(inner), stage: stage.clone(), line: Vec::new(), refused: None, left: Left(Arc::clone(&left)) };
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
        ready!(self.inner()?.poll_read(cx, buf))?;
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
        self.inner()?.poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.inner()?.poll_flush(cx))?;
        // The library flushes when it has nothing left to write.
        if self.stage.is(WRITING) {
            self.stage.0.store(IDLE, Ordering::Relaxed);
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
        self.inner()?.poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.as_ref().is_some_and(AsyncWrite::is_write_vectored)
    }
}
