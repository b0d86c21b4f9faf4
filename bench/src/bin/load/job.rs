//! What is asked, and when.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use clap::Parser;
use tokio::time::{Instant, sleep_until};

/// Load over HTTP/1.1.
#[derive(Parser)]
pub(crate) struct Options {
    /// The server.
    #[arg(long)]
    to: SocketAddr,
    /// The address that the connections come from.
    #[arg(long)]
    from: Option<IpAddr>,
    /// Connections, and so requests at once at most.
    #[arg(long, default_value_t = 32)]
    pub(crate) connections: usize,
    /// Requests a second. Without it the next request is due when the last was answered.
    #[arg(long)]
    rate: Option<f64>,
    /// For how long.
    #[arg(long)]
    seconds: f64,
    #[arg(long, default_value = "GET")]
    method: String,
    #[arg(long)]
    path: String,
    /// `Name: value`. A `{}` is replaced by the request's value.
    #[arg(long = "header")]
    headers: Vec<String>,
    /// JSON. A `{}` is replaced by the request's value.
    #[arg(long)]
    body: Option<String>,
    /// A file of values, a line each, taken in order.
    #[arg(long)]
    values: Option<PathBuf>,
    /// Lines of it that are left out.
    #[arg(long, default_value_t = 0)]
    skip: usize,
    /// Takes no value twice: ends when all were taken.
    #[arg(long)]
    once: bool,
}

/// What all callers share.
pub(crate) struct Job {
    pub(crate) to: SocketAddr,
    pub(crate) from: Option<IpAddr>,
    head: String,
    body: Option<String>,
    values: Vec<String>,
    once: bool,
    rate: Option<f64>,
    began: Instant,
    ends: Instant,
    taken: AtomicU64,
}

impl Job {
    pub(crate) fn new(options: &Options) -> io::Result<Self> {
        let values = match &options.values {
            Some(path) => std::fs::read_to_string(path)?.lines().skip(options.skip).map(str::to_owned).collect(),
            None => vec![String::new()],
        };
        if values.is_empty() {
            return Err(io::Error::other("no values"));
        }
        let lines = options.headers.iter().map(|header| format!("{header}\r\n"));
        let head =
            format!("{} {} HTTP/1.1\r\nHost: {}\r\n{}", options.method, options.path, options.to, lines.collect::<String>());
        let began = now();
        Ok(Self {
            to: options.to,
            from: options.from,
            head,
            body: options.body.clone(),
            values,
            once: options.once,
            rate: options.rate,
            began,
            ends: began + Duration::from_secs_f64(options.seconds),
            taken: AtomicU64::new(0),
        })
    }

    /// Waits until the next request is due; when that was, and its bytes. `None` at the end.
    pub(crate) async fn next(&self) -> Option<(Instant, Vec<u8>)> {
        let number = self.taken.fetch_add(1, Ordering::Relaxed);
        let place = usize::try_from(number).ok()?;
        let value = self.values.get(if self.once { place } else { place % self.values.len() })?;
        let due = self.rate.map_or_else(now, |rate| self.began + Duration::from_secs_f64(number as f64 / rate));
        if due >= self.ends {
            return None;
        }
        sleep_until(due).await;
        Some((due, self.request(value)))
    }

    fn request(&self, value: &str) -> Vec<u8> {
        let head = self.head.replace("{}", value);
        match &self.body {
            None => format!("{head}\r\n"),
            Some(body) => {
                // Braces of the JSON itself are no place for a value: `{}` alone is.
                let body = body.replace("{}", value);
                format!("{head}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len())
            }
        }
        .into_bytes()
    }

    /// How long the load has lasted.
    pub(crate) fn passed(&self) -> Duration {
        self.began.elapsed()
    }
}

fn now() -> Instant {
    Instant::now()
}
