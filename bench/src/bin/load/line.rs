//! A keep-alive connection, and no more of HTTP than the servers under test speak: answers with a `Content-Length`.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::Instant;

/// How long a connection may lie idle and be used again: servers close them, and a request that meets that is lost.
const IDLE: Duration = Duration::from_secs(4);

/// The largest answer that is read.
const LARGEST: usize = 1 << 20;

/// An answer, as far as it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: bool,
}

pub(crate) struct Line {
    stream: TcpStream,
    buffer: Vec<u8>,
    used: Instant,
}

impl Line {
    pub(crate) async fn connect(from: Option<IpAddr>, to: SocketAddr) -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((from.unwrap_or(Ipv4Addr::UNSPECIFIED.into()), 0).into())?;
        let stream = socket.connect(to).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(4096), used: Instant::now() })
    }

    /// Whether the server will not have closed it.
    pub(crate) fn is_fresh(&self) -> bool {
        self.used.elapsed() < IDLE
    }

    /// Sends one whole request and reads the whole answer.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> io::Result<Answer> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(answer) = complete(&self.buffer)? {
                self.used = Instant::now();
                return Ok(answer);
            }
            if self.buffer.len() > LARGEST {
                return Err(io::Error::other("an endless answer"));
            }
        }
    }
}

/// The answer, once all of it is there.
fn complete(bytes: &[u8]) -> io::Result<Option<Answer>> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let head = String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).to_ascii_lowercase();
    let status = head.split(' ').nth(1).and_then(|text| text.parse().ok()).ok_or_else(|| io::Error::other("no status"))?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length = match (length, status) {
        (Some(text), _) => text.trim().parse().map_err(io::Error::other)?,
        (None, 204) => 0,
        (None, _) => return Err(io::Error::other("an answer without a length was not expected")),
    };
    let retry_after = head.contains("\r\nretry-after:");
    Ok((bytes.len() >= end + 4 + length).then_some(Answer { status, retry_after }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_with_its_last_byte() {
        let refused = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nContent-Length: 2\r\n\r\n{}";
        assert_eq!(complete(refused).unwrap(), Some(Answer { status: 503, retry_after: true }));
        assert_eq!(complete(&refused[..refused.len() - 1]).unwrap(), None);
        assert_eq!(complete(&refused[..20]).unwrap(), None);
        let empty = b"HTTP/1.1 204 No Content\r\ndate: now\r\n\r\n";
        assert_eq!(complete(empty).unwrap(), Some(Answer { status: 204, retry_after: false }));
        assert!(complete(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
    }
}
