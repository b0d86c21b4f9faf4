//! The answer to a head that could not be read, made as every other answer is: by the router and what is around it.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::http::Method;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::drain::{MOST, PATIENCE};
use super::head;
use super::serve::App;
use super::watched::Refused;

/// Answers, closes, and hears the client out: one that is still sending when the connection is closed never reads the answer.
pub(super) async fn answer<S, A>(refused: Refused<S>, app: A, peer: SocketAddr)
where
    S: AsyncRead + AsyncWrite + Unpin,
    A: App,
{
    let Refused { stream, line, error } = refused;
    let request = move || head::rebuild(&line, error);
    let text = if request().method() == Method::HEAD { HEAD } else { GET };
    let service = service_fn(move |_| {
        let (app, request) = (app.clone(), request());
        async move { Ok::<_, Infallible>(app.answer(request, peer).await) }
    });
    let conversation = http1::Builder::new().serve_connection(TokioIo::new(StandIn { text, stream }), service);
    let Ok(Ok(parts)) = tokio::time::timeout(PATIENCE, conversation.without_shutdown()).await else { return };
    let _ = tokio::time::timeout(PATIENCE, hear_out(parts.io.into_inner().stream)).await;
}

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
const HEAD: &[u8] = b"HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

/// A connection from which the library reads one request that it can read, in the place of the one that it could not.
struct StandIn<S> {
    text: &'static [u8],
    stream: S,
}

impl<S: Unpin> AsyncRead for StandIn<S> {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.text.is_empty() {
            return Poll::Pending;
        }
        let (now, later) = self.text.split_at(self.text.len().min(buf.remaining()));
        buf.put_slice(now);
        self.text = later;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for StandIn<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Ends the answer's side, then reads on until the client ends its own or has said too much.
async fn hear_out<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) -> io::Result<()> {
    poll_fn(|cx| Pin::new(&mut stream).poll_shutdown(cx)).await?;
    let (mut buffer, mut heard) = (vec![0; 8 * 1024], 0);
    while heard <= MOST {
        let mut buf = ReadBuf::new(&mut buffer);
        poll_fn(|cx| Pin::new(&mut stream).poll_read(cx, &mut buf)).await?;
        match buf.filled().len() {
            0 => break,
            length => heard += length,
        }
    }
    Ok(())
}
