//! HTTP/1.1 over one connection, by hand: nothing between the clock and the socket.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Headers that differ from answer to answer by design.
const VARY: [&str; 2] = ["x-request-id", "date"];

/// A keep-alive connection.
pub(crate) struct Wire {
    stream: TcpStream,
}

/// An answer, and the time from the first byte of the request to the last of the answer.
pub(crate) struct Timed {
    /// Milliseconds.
    pub(crate) ms: f64,
    /// Status line, headers in their order, body; without the headers that vary.
    pub(crate) text: String,
}

impl Wire {
    pub(crate) fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Self { stream })
    }

    /// Sends one whole request and reads the whole answer.
    pub(crate) fn exchange(&mut self, request: &[u8]) -> io::Result<Timed> {
        let mut bytes = Vec::with_capacity(4096);
        let mut chunk = [0; 4096];
        let begun = now();
        self.stream.write_all(request)?;
        let (head, taken) = loop {
            let read = self.stream.read(&mut chunk)?;
            if read == 0 {
                return Err(io::Error::other("the server closed the connection"));
            }
            bytes.extend_from_slice(chunk.get(..read).unwrap_or_default());
            if let Some((head, length)) = complete(&bytes)? {
                break ((head, length), begun.elapsed());
            }
        };
        let text = comparable(&bytes, head.0)?;
        Ok(Timed { ms: taken.as_secs_f64() * 1e3, text })
    }
}

#[expect(clippy::disallowed_methods, reason = "measuring time is what this program does")]
fn now() -> Instant {
    Instant::now()
}

/// Where the head ends and how long the whole is, once all of it is there.
fn complete(bytes: &[u8]) -> io::Result<Option<(usize, usize)>> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let head = String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).to_ascii_lowercase();
    if head.contains("\r\ntransfer-encoding:") {
        return Err(io::Error::other("an answer in chunks was not expected"));
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")).map_or(Ok(0), |text| text.trim().parse());
    let whole = end + 4 + length.map_err(io::Error::other)?;
    Ok((bytes.len() >= whole).then_some((end, whole)))
}

fn comparable(bytes: &[u8], end: usize) -> io::Result<String> {
    let text = String::from_utf8(bytes.to_vec()).map_err(io::Error::other)?;
    let (head, body) = text.split_at(end);
    let varies = |line: &&str| line.split_once(':').is_some_and(|(name, _)| VARY.contains(&name.to_ascii_lowercase().as_str()));
    let kept: Vec<&str> = head.split("\r\n").filter(|line| !varies(line)).collect();
    Ok(kept.join("\r\n") + body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_out_what_varies_and_nothing_else() {
        let answer = b"HTTP/1.1 400 Bad Request\r\nDate: now\r\nx-b: 1\r\nx-request-id: 7\r\nContent-Length: 2\r\n\r\n{}";
        let (end, whole) = complete(answer).expect("well formed").expect("complete");
        assert_eq!(whole, answer.len());
        assert_eq!(comparable(answer, end).expect("text"), "HTTP/1.1 400 Bad Request\r\nx-b: 1\r\nContent-Length: 2\r\n\r\n{}");
        assert!(complete(&answer[..whole - 1]).expect("well formed").is_none());
    }
}
