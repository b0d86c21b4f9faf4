//! Session checks at a constant rate, whatever the server does: a call that has to wait for a slow one before it counts the wait.
//!
//! `steady ADDRESS --sessions N` asks about the sessions of a filled database (`bench/growth/load.py`), drawn at random, until its input
//! ends, and prints the latencies as JSON.

use std::error::Error;
use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Parser;
use rand::{RngExt as _, SeedableRng as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Checks sessions at a constant rate.
#[derive(Clone, Parser)]
struct Options {
    /// Where the server listens.
    address: SocketAddr,
    /// Checks a second, over all connections.
    #[arg(long, default_value_t = 1000)]
    rate: u32,
    /// Connections.
    #[arg(long, default_value_t = 32)]
    connections: u32,
    /// The highest number of a session.
    #[arg(long)]
    sessions: u64,
    /// Only sessions whose numbers are multiples of this.
    #[arg(long, default_value_t = 1)]
    step: u64,
}

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let options = Options::parse();
    let ended = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&ended);
    std::thread::spawn(move || {
        // An input that cannot be read has ended, too.
        let _ = io::stdin().read_to_end(&mut Vec::new());
        told.store(true, Ordering::Relaxed);
    });
    let mut tasks = JoinSet::new();
    let began = Instant::now();
    for number in 0..options.connections {
        tasks.spawn(ask(options.clone(), number, began, Arc::clone(&ended)));
    }
    let mut took = Vec::new();
    while let Some(one) = tasks.join_next().await {
        took.extend(one??);
    }
    report(&mut took)
}

/// Asks over one connection, each call at its time or as soon after it as the one before has been answered.
async fn ask(options: Options, number: u32, began: Instant, ended: Arc<AtomicBool>) -> Result<Vec<Duration>, Failure> {
    let mut stream = TcpStream::connect(options.address).await?;
    stream.set_nodelay(true)?;
    let mut random = rand::rngs::StdRng::seed_from_u64(number.into());
    let period = Duration::from_secs(1) * options.connections / options.rate;
    let mut due = began + period * number / options.connections;
    let (mut took, mut answered) = (Vec::new(), began);
    while !ended.load(Ordering::Relaxed) {
        tokio::time::sleep_until(due).await;
        // A timer's own lateness is not the server's.
        let asked = if answered > due { due } else { Instant::now() };
        stream.write_all(request(&options, &mut random).as_bytes()).await?;
        answer(&mut stream).await?;
        answered = Instant::now();
        took.push(answered - asked);
        due += period;
    }
    Ok(took)
}

fn request(options: &Options, random: &mut impl rand::Rng) -> String {
    let number = options.step * random.random_range(1..=options.sessions / options.step);
    format!("GET /auth/v1/session HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer growth-{number:036}\r\n\r\n")
}

/// Reads one answer to its end; only a yes is right.
async fn answer(stream: &mut TcpStream) -> Result<(), Failure> {
    let (mut received, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let length = stream.read(&mut part).await?;
        received.extend_from_slice(part.get(..length).unwrap_or_default());
        let text = String::from_utf8_lossy(&received);
        if length == 0 || !text.starts_with("HTTP/1.1 200 ") {
            return Err(format!("answered: {text}").into());
        }
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let expected = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if body.len() >= expected.ok_or("an answer of no length")?.parse()? {
            return Ok(());
        }
    }
}

fn report(took: &mut [Duration]) -> Result<(), Failure> {
    took.sort_unstable();
    let at = |share: usize| took.get(took.len() * share / 1000).or(took.last()).map_or(0.0, |one| one.as_secs_f64() * 1e3);
    let found = serde_json::json!({
        "checks": took.len(), "p50_ms": at(500), "p99_ms": at(990), "p999_ms": at(999), "worst_ms": at(1000),
    });
    writeln!(io::stdout(), "{found}")?;
    Ok(())
}
