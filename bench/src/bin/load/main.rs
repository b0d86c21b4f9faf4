//! Load over HTTP/1.1: as fast as it is answered, or at a constant rate whatever the answers.
//!
//! `load --to 127.0.0.1:8080 --path /auth/v1/session --header 'Authorization: Bearer {}' --values tokens --rate 1000 --seconds 60` prints
//! one line of JSON. At a constant rate a time is counted from the moment at which the request was due: a server that keeps one caller
//! waiting is not let off the requests that would have come meanwhile.

mod job;
mod line;
mod tally;

use std::io::{self, Write as _};
use std::sync::Arc;

use clap::Parser as _;

use job::{Job, Options};
use line::Line;
use tally::Tally;

#[tokio::main]
async fn main() -> io::Result<()> {
    let options = Options::parse();
    let job = Arc::new(Job::new(&options)?);
    let callers: Vec<_> = (0..options.connections).map(|_| tokio::spawn(caller(Arc::clone(&job)))).collect();
    let mut all = Tally::default();
    for caller in callers {
        all.add(caller.await?);
    }
    writeln!(io::stdout(), "{}", serde_json::to_string(&all.summary(job.passed()))?)
}

/// Takes one request after the other of those that are due, until none is.
async fn caller(job: Arc<Job>) -> Tally {
    let (mut tally, mut line) = (Tally::default(), None);
    while let Some((due, request)) = job.next().await {
        match exchange(&mut line, &job, &request).await {
            Ok(answer) => tally.answered(&answer, due.elapsed()),
            Err(_) => {
                tally.failed();
                line = None;
            }
        }
    }
    tally
}

async fn exchange(line: &mut Option<Line>, job: &Job, request: &[u8]) -> io::Result<line::Answer> {
    let open = match line.take().filter(Line::is_fresh) {
        Some(open) => open,
        None => Line::connect(job.from, job.to).await?,
    };
    line.insert(open).exchange(request).await
}
