use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream as Client};
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use hyper::client::conn::http2;
use hyper_util::rt::TokioIo;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, spawn_blocking};

use super::super::call::Caller;
use super::super::call::tests::edge;
use super::super::head::HeadError;
use super::super::layers::Front;
use super::super::metrics::Metrics;
use super::*;

struct Server {
    address: SocketAddr,
    begun: Arc<Notify>,
    release: Arc<Notify>,
    phase: watch::Sender<Phase>,
    ended: JoinHandle<Stopped>,
}

/// In the words of a dialect at `/peer`.
fn refuse(path: &str, error: HeadError) -> Response {
    if path == "/peer" { (error.status(), format!("peer: {error}")).into_response() } else { error.into_response() }
}

async fn start(grace: Duration) -> Server {
    let (begun, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (entered, held) = (Arc::clone(&begun), Arc::clone(&release));
    let readiness = Readiness::new(Arc::new(|| Box::pin(async { true })));
    let app = Router::new()
        .route("/peer", get(async |Caller(call): Caller| call.origin.peer.expect("a peer").to_string()))
        .route("/echo", post(async |body: String| body))
        .route(
            "/held",
            get(async move || {
                entered.notify_one();
                held.notified().await;
                "done"
            }),
        )
        .merge(readiness.router());
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a listener");
    let address = listener.local_addr().expect("an address");
    let phase = watch::Sender::new(Phase::Serving);
    let phases = phase.subscribe();
    let front = Front::new(app, edge(true), Metrics::new(|_| ()), Arc::new(refuse), Vec::new());
    let ended = tokio::spawn(async move { serve(listener, front, &readiness, grace, phases).await });
    Server { address, begun, release, phase, ended }
}

fn connect(address: SocketAddr, text: &str) -> Client {
    let mut client = Client::connect(address).expect("a connection");
    client.write_all(text.as_bytes()).expect("sent");
    client
}

/// Reads until the server closes.
fn hear(mut client: Client) -> JoinHandle<String> {
    spawn_blocking(move || {
        let mut answer = String::new();
        client.read_to_string(&mut answer).expect("an orderly end");
        answer
    })
}

/// Sends `text` and reads until the server closes.
fn talk(address: SocketAddr, text: String) -> JoinHandle<String> {
    spawn_blocking(move || {
        let mut client = connect(address, &text);
        let mut answer = String::new();
        client.read_to_string(&mut answer).expect("an orderly end");
        answer
    })
}

/// Reads one answer without a body on a connection that stays.
async fn hear_head(client: Client) -> (Client, String) {
    spawn_blocking(move || {
        let (mut client, mut head, mut byte) = (client, String::new(), [0]);
        while !head.ends_with("\r\n\r\n") {
            client.read_exact(&mut byte).expect("a byte");
            head.push(char::from(byte[0]));
        }
        (client, head)
    })
    .await
    .expect("heard")
}

fn get_of(path: &str, more: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\n{more}\r\n")
}

const CLOSE: &str = "Connection: close\r\n";

async fn end(server: Server) {
    server.phase.send_replace(Phase::Ending);
    assert_eq!(server.ended.await.expect("ended"), Stopped::Clean);
}

#[tokio::test]
async fn refuses_heads_in_words() {
    let server = start(Duration::from_secs(60)).await;
    let answer = talk(server.address, get_of("/peer", CLOSE)).await.expect("talked");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n127.0.0.1"), "{answer}");
    let (large, malformed) = ("peer: the head of the request is too large", "peer: the head of the request is not HTTP");
    let host = "peer: the request must have one Host, and that a host";
    let nobody = r#""type":"about:blank"}"#;
    for (text, status, end) in [
        (get_of("/peer", &format!("X: {}\r\n", "x".repeat(LARGEST_HEAD))), "431", large),
        (get_of("/peer", &format!("X: {}\r\n", "x".repeat(60 * LARGEST_HEAD))), "431", large),
        (get_of("http://host/peer?a=b", &"A: b\r\n".repeat(101)), "431", large),
        (get_of(&format!("/{}", "x".repeat(2 * LARGEST_HEAD)), CLOSE), "431", nobody),
        (get_of("/peer?code=x", "A: \0\r\n"), "400", malformed),
        (get_of("/peer\0", ""), "400", malformed),
        (get_of("/peer", "Content-Length: 1\r\nContent-Length: 2\r\n"), "400", malformed),
        (get_of("/peer", "Transfer-Encoding: gzip\r\n"), "400", malformed),
        ("\r\n\r\nGET /peer HTTP/9.9\r\n\r\n".to_owned(), "400", malformed),
        ("\0\0\0\r\n\r\n".to_owned(), "400", nobody),
        ("GET http://a/peer HTTP/1.1\r\nHost: a@b\r\nConnection: close\r\n\r\n".to_owned(), "400", host),
        (get_of("/peer", &format!("Host: y\r\n{CLOSE}")), "400", host),
        (format!("GET /peer HTTP/1.1\r\n{CLOSE}\r\n"), "400", host),
        ("GET /peer HTTP/1.0\r\nHost: x\r\nHost: x\r\n\r\n".to_owned(), "400", host),
        ("GET /peer HTTP/1.0\r\n\r\n".to_owned(), "200", "127.0.0.1"),
        (format!("GET /peer HTTP/1.1\r\nHost:\r\n{CLOSE}\r\n"), "200", "127.0.0.1"),
        (format!("GET /peer HTTP/1.1\r\nHost: [::1]:80\r\n{CLOSE}\r\n"), "200", "127.0.0.1"),
    ] {
        let shown = text.chars().take(99).collect::<String>();
        let answer = talk(server.address, text).await.expect("talked");
        let first = answer.lines().next().unwrap_or_default();
        assert!(first.split(' ').nth(1) == Some(status) && answer.ends_with(end), "{shown:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.").count(), 1, "{answer}");
    }
    end(server).await;
}

/// Status and body over HTTP/2, without negotiation.
async fn ask_by_http2(address: SocketAddr, path: &str, headers: HeaderMap) -> (u16, String) {
    let stream = TcpStream::connect(address).await.expect("a connection");
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.expect("a handshake");
    let connection = tokio::spawn(connection);
    let mut request = Request::get(format!("http://x{path}")).body(String::new()).expect("a request");
    *request.headers_mut() = headers;
    let (head, body) = sender.send_request(request).await.expect("an answer").into_parts();
    let body = to_bytes(Body::new(body), 4096).await.expect("a body");
    drop(sender);
    connection.await.expect("ended").expect("in order");
    (head.status.as_u16(), String::from_utf8(body.to_vec()).expect("text"))
}

#[tokio::test]
async fn refuses_large_heads_of_http2_in_words() {
    let server = start(Duration::from_secs(60)).await;
    let large =
        |bytes: usize| HeaderMap::from_iter([(HeaderName::from_static("x"), "x".repeat(bytes).parse().expect("a value"))]);
    let many = |count| (0..count).map(|_| (HeaderName::from_static("x"), HeaderValue::from_static("y"))).collect::<HeaderMap>();
    let words = "peer: the head of the request is too large";
    for (what, path, headers, status, body) in [
        ("plain", "/peer", HeaderMap::new(), 200, "127.0.0.1"),
        ("just fits", "/peer", large(LARGEST_HEAD - 6), 200, "127.0.0.1"),
        ("a byte more", "/peer", large(LARGEST_HEAD - 5), 431, words),
        ("three times", "/peer", large(3 * LARGEST_HEAD), 431, words),
        ("as many as may be", "/peer", many(MOST_HEADERS), 200, "127.0.0.1"),
        ("too many", "/peer", many(MOST_HEADERS + 1), 431, words),
        ("out of all reason", "/peer", large(5 * LARGEST_HEAD), 431, ""),
    ] {
        assert_eq!(ask_by_http2(server.address, path, headers).await, (status, body.to_owned()), "{what}");
    }
    end(server).await;
}

#[tokio::test]
async fn a_refused_head_disturbs_no_answer_before_it() {
    let server = start(Duration::from_secs(60)).await;
    let broken = "HEAD /peer HTTP/1.1\r\nA: \0\r\n\r\n";
    let echo = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";
    // All at once.
    for (before, bodies) in [(get_of("/peer", ""), 1), (get_of("/peer", "").repeat(3), 3), (echo.to_owned(), 1)] {
        let answer = talk(server.address, format!("{before}{broken}")).await.expect("talked");
        assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), bodies, "{answer}");
        assert_eq!(answer.matches("HTTP/1.1 400 Bad Request").count(), 1, "{answer}");
    }
    // One after the other: the line is that of the second request.
    for first in ["HEAD /peer HTTP/1.1\r\nHost: x\r\n\r\n", "HEAD /echo HTTP/1.1\r\nHost: x\r\n\r\n"] {
        let (mut client, head) = hear_head(connect(server.address, first)).await;
        assert!(head.starts_with("HTTP/1.1 ") && !head.contains("close"), "{head}");
        client.write_all(get_of("/peer", "A: \0\r\n").as_bytes()).expect("sent");
        let answer = hear(client).await.expect("heard");
        assert!(answer.ends_with("\r\n\r\npeer: the head of the request is not HTTP"), "{answer}");
    }
    // Without a body when there must be none.
    let answer = talk(server.address, broken.to_owned()).await.expect("talked");
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.ends_with("\r\n\r\n"), "{answer}");
    end(server).await;
}

#[tokio::test]
async fn http2_is_left_alone() {
    let server = start(Duration::from_secs(60)).await;
    // GET /peer of RFC 7541's static table and plain literals; it ends headers and stream.
    let block = b"\x82\x86\x04\x05/peer\x01\x01x";
    let mut text = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    text.extend([0, 0, 12, 1, 5, 0, 0, 0, 1]);
    text.extend(block);
    let answer = spawn_blocking(move || {
        let mut client = Client::connect(server.address).expect("a connection");
        client.write_all(&text).expect("sent");
        let (mut heard, mut part) = (Vec::new(), [0; 1024]);
        while !heard.ends_with(b"127.0.0.1") {
            let length = client.read(&mut part).expect("read");
            assert_ne!(length, 0, "{heard:?}");
            heard.extend(&part[..length]);
        }
        heard
    });
    let answer = answer.await.expect("heard");
    // SETTINGS first, and `:status: 200` at the head of the answer.
    assert_eq!(answer[3], 4, "{answer:?}");
    assert!(answer.windows(7).any(|seven| seven[0] == 1 && seven[2..] == [0, 0, 0, 1, 0x88]), "{answer:?}");
    server.phase.send_replace(Phase::Ending);
    assert_eq!(server.ended.await.expect("ended"), Stopped::Clean);
}

#[tokio::test]
async fn answers_what_is_in_flight_and_then_ends() {
    let server = start(Duration::from_secs(60)).await;
    let idle = Client::connect(server.address).expect("a connection");
    let answer = talk(server.address, get_of("/held", ""));
    server.begun.notified().await;
    server.phase.send_replace(Phase::Ending);
    // No new connection gets in once the listener is closed; the one in flight ends with its answer.
    while Client::connect(server.address).is_ok() {
        tokio::task::yield_now().await;
    }
    server.release.notify_one();
    let answer = answer.await.expect("talked");
    assert!(answer.contains("\r\nconnection: close\r\n") && answer.ends_with("\r\ndone"), "{answer}");
    assert_eq!(server.ended.await.expect("ended"), Stopped::Clean);
    drop(idle);
}

#[tokio::test]
async fn drains_before_it_ends() {
    let server = start(Duration::from_secs(60)).await;
    let ask = "HEAD /health/ready HTTP/1.1\r\nHost: x\r\n\r\n";
    let (mut kept, head) = hear_head(connect(server.address, ask)).await;
    assert!(head.starts_with("HTTP/1.1 200 ") && !head.contains("connection: close"), "{head}");
    let held = talk(server.address, get_of("/held", ""));
    server.begun.notified().await;
    server.phase.send_replace(Phase::Draining);
    // New connections are taken and told.
    loop {
        let answer = talk(server.address, get_of("/health/ready", CLOSE)).await.expect("talked");
        if answer.starts_with("HTTP/1.1 503 ") {
            assert!(answer.ends_with(r#"{"status":"stopping"}"#), "{answer}");
            break;
        }
    }
    // No connection is kept for another request, be it old or new.
    kept.write_all(ask.as_bytes()).expect("sent");
    for client in [kept, connect(server.address, ask)] {
        let answer = hear(client).await.expect("heard");
        assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("\r\nconnection: close\r\n"), "{answer}");
    }
    server.release.notify_one();
    let answer = held.await.expect("talked");
    assert!(answer.contains("\r\nconnection: close\r\n") && answer.ends_with("\r\ndone"), "{answer}");
    end(server).await;
}

#[tokio::test]
async fn whoever_has_connected_before_the_end_is_answered() {
    let server = start(Duration::from_secs(60)).await;
    // One thread runs this test and the server: nobody accepts meanwhile.
    let clients: Vec<_> = (0..50).map(|_| connect(server.address, &get_of("/peer", ""))).collect();
    server.phase.send_replace(Phase::Ending);
    for client in clients {
        let answer = hear(client).await.expect("heard");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n127.0.0.1"), "{answer}");
    }
    assert_eq!(server.ended.await.expect("ended"), Stopped::Clean);
}

#[test]
fn a_flood_of_connections_does_not_keep_the_listener_open() {
    assert_eq!(pending(|| Ok(())).count(), BACKLOG);
    let mut accepted = [Ok(1), Err(io::ErrorKind::ConnectionAborted), Ok(2), Err(io::ErrorKind::WouldBlock), Ok(3)].into_iter();
    let taken: Vec<_> = pending(|| accepted.next().expect("asked once more").map_err(io::Error::from)).collect();
    assert_eq!(taken, [1, 2]);
}

#[tokio::test]
async fn drops_what_outlasts_the_grace() {
    for phase in [Phase::Draining, Phase::Ending] {
        let server = start(Duration::from_millis(5)).await;
        let client = connect(server.address, &get_of("/held", ""));
        server.begun.notified().await;
        server.phase.send_replace(phase);
        assert_eq!(server.ended.await.expect("ended"), Stopped::Cut(1));
        assert_eq!(hear(client).await.expect("heard"), "");
    }
}
