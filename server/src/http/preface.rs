//! A deadline for the first bytes of a connection. Until they tell HTTP/1 from HTTP/2, no timeout of either is running, and a silent
//! client would be held for ever.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// What HTTP/2 begins with (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A connection whose reads fail if its first bytes are late.
pub(super) struct Prompt<S> {
    inner: S,
    /// How much of the preface has come, and until when the rest must; `None` once the version is known.
    waiting: Option<(usize, Pin<Box<Sleep>>)>,
    http2: bool,
}

impl<S> Prompt<S> {
    /// Within `patience` the client must have sent the preface of HTTP/2, or a byte that is not of it.
    pub(super) fn new(inner: S, patience: Duration) -> Self {
        Self { inner, waiting: Some((0, Box::pin(tokio::time::sleep(patience)))), http2: false }
    }

    /// Whether the client speaks HTTP/2; not before the whole preface has come.
    pub(super) const fn is_http2(&self) -> bool {
        self.http2
    }

    fn seen(&mut self, bytes: &[u8]) {
        let Some((matched, _)) = &mut self.waiting else { return };
        let expected = &PREFACE[*matched..];
        let length = bytes.len().min(expected.len());
        let same = bytes[..length] == expected[..length];
        *matched += length;
        if !same || *matched == PREFACE.len() {
            self.http2 = same;
            self.waiting = None;
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Prompt<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if let Some((_, deadline)) = &mut self.waiting
            && deadline.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        self.seen(&buf.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Prompt<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, parts: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn knows_when_the_version_is_known() {
        for (reads, waits, http2) in [
            (&[][..], true, false),
            (&[&b""[..]][..], true, false),
            (&[b"P"], true, false),
            (&[b"P", b"RI * HTTP/2.0\r\n\r\nSM\r\n\r"], true, false),
            (&[b"P", b"RI * HTTP/2.0\r\n\r\nSM\r\n\r\n"], false, true),
            (&[PREFACE], false, true),
            (&[b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nmore"], false, true),
            (&[b"P", b"O"], false, false),
            (&[b"GET / HTTP/1.0\r\n\r\n"], false, false),
        ] {
            let mut prompt = Prompt::new((), Duration::from_secs(60));
            for bytes in reads {
                prompt.seen(bytes);
            }
            assert_eq!((prompt.waiting.is_some(), prompt.is_http2()), (waits, http2), "{reads:?}");
        }
    }
}
