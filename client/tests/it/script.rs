//! A server that does as it is told, connection after connection, and remembers what it heard.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use doorward_client::{Options, Proxy};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What becomes of one connection, once its request is heard.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// These bytes, then the end.
    Say(String),
    /// The end, without a word.
    Drop,
    /// Nothing, for ever.
    Hang,
}

/// An answer with a status, headers and a body.
pub(crate) fn say(status: u16, headers: &[(&str, &str)], body: &str) -> Act {
    let mut text = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n", body.len());
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    Act::Say(format!("{text}\r\n{body}"))
}

/// What kotak's API says first, with the host where to go on.
pub(crate) fn greeting(host: &str) -> Act {
    say(200, &[], &format!(r#"{{"success": {{"redirect": {{"host": "{host}", "port": "80"}}}}}}"#))
}

/// The server.
pub(crate) struct Script {
    pub(crate) url: String,
    heard: Arc<Mutex<Vec<String>>>,
    server: JoinHandle<()>,
}

impl Script {
    /// One act a connection; the last one for all that follow.
    pub(crate) async fn new(acts: impl IntoIterator<Item = Act>) -> Self {
        Self::knowing_itself(|_| acts.into_iter().collect()).await
    }

    /// The same after a greeting of kotak's API that sends nowhere else.
    pub(crate) async fn kotak(acts: impl IntoIterator<Item = Act>) -> Self {
        Self::knowing_itself(|url| [greeting(url)].into_iter().chain(acts).collect()).await
    }

    /// One that sends a client of kotak's API on to another of its own paths, every time.
    pub(crate) async fn sending_on() -> Self {
        Self::knowing_itself(|url| (0..100).map(|number| greeting(&format!("{url}/{number}"))).collect()).await
    }

    async fn knowing_itself(acts: impl FnOnce(&str) -> Vec<Act>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let acts = acts(&url);
        let server = tokio::spawn(play(listener, acts, Arc::clone(&heard)));
        Self { url, heard, server }
    }

    /// The requests so far, heads and bodies.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn play(listener: TcpListener, acts: Vec<Act>, heard: Arc<Mutex<Vec<String>>>) {
    let mut hanging = Vec::new();
    for number in 0.. {
        let (mut stream, _) = listener.accept().await.unwrap();
        let request = hear(&mut stream).await;
        heard.lock().unwrap().push(request);
        match &acts[number.min(acts.len() - 1)] {
            Act::Say(text) => stream.write_all(text.as_bytes()).await.unwrap(),
            Act::Drop => (),
            Act::Hang => hanging.push(stream),
        }
    }
}

/// A whole request.
async fn hear(stream: &mut TcpStream) -> String {
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && body.len() >= length(head)
        {
            return text;
        }
        match stream.read(&mut piece).await.unwrap() {
            0 => return text,
            read => bytes.extend_from_slice(&piece[..read]),
        }
    }
}

fn length(head: &str) -> usize {
    let line = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:").map(str::to_owned));
    line.map_or(0, |length| length.trim().parse().unwrap())
}

/// Past any proxy of the machine.
pub(crate) fn options() -> Options {
    Options::default().proxy(Proxy::Direct)
}

/// A place where connections are refused: nobody listens there, and nobody else can while the socket is kept.
pub(crate) fn nobody() -> (tokio::net::TcpSocket, String) {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap());
    (socket, url)
}
