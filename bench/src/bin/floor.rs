//! The floor of a comparison: a bare axum route that answers so many bytes, and what a machine can therefore do at most.
//!
//! `floor BYTES` prints the address on which it listens, and answers every GET with a body of that length.

use std::io::{self, Write as _};
use std::net::Ipv4Addr;

use axum::Router;
use axum::body::Bytes;
use axum::http::header;
use axum::routing::get;
use clap::Parser;
use tokio::net::TcpListener;

/// Answers every GET with a body of a given length.
#[derive(Parser)]
struct Options {
    /// Length of the body.
    bytes: usize,
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let body = Bytes::from("x".repeat(Options::parse().bytes));
    let answer = move || {
        let body = body.clone();
        async move { ([(header::CONTENT_TYPE, "application/json")], body) }
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    writeln!(io::stdout(), "{}", listener.local_addr()?)?;
    axum::serve(listener, Router::new().fallback(get(answer))).await
}
