use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream as Client};
use std::sync::Arc;

use axum::routing::get;
use tokio::sync::{Notify, oneshot};
use tokio::task::{JoinHandle, spawn_blocking};

use super::*;

struct Server {
    address: SocketAddr,
    begun: Arc<Notify>,
    release: Arc<Notify>,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Stopped>,
}

async fn start(grace: Duration) -> Server {
    let (begun, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (entered, held) = (Arc::clone(&begun), Arc::clone(&release));
    let app = Router::new().route("/peer", get(async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.ip().to_string())).route(
        "/held",
        get(async move || {
            entered.notify_one();
            held.notified().await;
            "done"
        }),
    );
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a listener");
    let address = listener.local_addr().expect("an address");
    let readiness = Readiness::new(Arc::new(|| Box::pin(async { true })));
    let (stop, stopped) = oneshot::channel();
    let ended = tokio::spawn(async move { serve(listener, app, &readiness, grace, async { drop(stopped.await) }).await });
    Server { address, begun, release, stop, ended }
}

/// Sends `text` and reads until the server closes.
fn talk(address: SocketAddr, text: String) -> JoinHandle<String> {
    spawn_blocking(move || {
        let mut client = Client::connect(address).expect("a connection");
        client.write_all(text.as_bytes()).expect("sent");
        let mut answer = Vec::new();
        // A reset after an answer to a head that was not read to its end is fine.
        let _ = client.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    })
}

fn get_of(path: &str, more: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\n{more}\r\n")
}

#[tokio::test]
async fn serves_and_bounds_heads() {
    let server = start(Duration::from_secs(60)).await;
    let close = "Connection: close\r\n";
    let answer = talk(server.address, get_of("/peer", close)).await.expect("talked");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n127.0.0.1"), "{answer}");
    let large = format!("X: {}\r\n{close}", "x".repeat(LARGEST_HEAD));
    for (text, status) in [
        (get_of("/peer", &large), "431"),
        (get_of(&format!("/{}", "x".repeat(2 * LARGEST_HEAD)), close), "4"),
        (get_of("/peer", &"A: b\r\n".repeat(101)), "431"),
        ("\0\0\0\r\n\r\n".to_owned(), "400"),
        (get_of("/peer", "Host: y\r\nContent-Length: 1\r\nContent-Length: 2\r\n"), "400"),
    ] {
        let answer = talk(server.address, text).await.expect("talked");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    }
    drop(server.stop);
    assert_eq!(server.ended.await.expect("ended"), Stopped::Clean);
}

#[tokio::test]
async fn answers_what_is_in_flight_and_then_ends() {
    let server = start(Duration::from_secs(60)).await;
    let idle = Client::connect(server.address).expect("a connection");
    let answer = talk(server.address, get_of("/held", ""));
    server.begun.notified().await;
    drop(server.stop);
    // No new connection gets in once the listener is closed; the one in flight ends with its answer.
    while Client::connect(server.address).is_ok() {
        tokio::task::yield_now().await;
    }
    server.release.notify_one();
    let answer = answer.await.expect("talked");
    assert!(answer.ends_with("\r\ndone"), "{answer}");
    assert_eq!(server.ended.await.expect("ended"), Stopped::Clean);
    drop(idle);
}

#[tokio::test]
async fn drops_what_outlasts_the_grace() {
    let server = start(Duration::from_millis(5)).await;
    let answer = talk(server.address, get_of("/held", ""));
    server.begun.notified().await;
    drop(server.stop);
    assert_eq!(server.ended.await.expect("ended"), Stopped::Cut(1));
    assert_eq!(answer.await.expect("talked"), "");
}
