//! Whether known and unknown accounts are told apart, by the bytes of an answer or by its time. See docs/performance.md.
//!
//! Starts a server of its own, asks it about names of both kinds in random order, and compares what comes back: byte by byte, and by
//! the Kolmogorov-Smirnov test. Run by hand, on a machine that does nothing else: `just bench-timing`.

mod cost;
mod endpoint;
mod measure;
mod report;
mod stats;
mod subject;
mod wire;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use cost::Cost;
use measure::Bench;
use report::{Report, Verdict};
use subject::Subject;

/// Shows that known and unknown accounts are told apart neither by bytes nor by time. Ends with 0 if so, with 1 if they are told apart,
/// with 2 if the measurement is worth nothing, with 3 if there was none.
#[derive(Parser)]
struct Options {
    /// Samples of every endpoint in every state.
    #[arg(long, default_value_t = 1000)]
    samples: usize,
    /// The server's program, built for release.
    #[arg(long, default_value = "target/release/doorward")]
    binary: PathBuf,
    /// Measure only endpoints whose name contains this; may be given several times.
    #[arg(long)]
    endpoint: Vec<String>,
    /// Accounts of every state.
    #[arg(long, default_value_t = 8)]
    accounts: usize,
    /// Another seed makes other names and another order.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write the findings into this file, as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// What the accounts' hashes cost beside what the server asks for.
    #[arg(long, value_enum, default_value = "same")]
    cost: Cost,
    /// Further arguments of the server, after `--`; its accounts are made without them.
    #[arg(last = true)]
    server: Vec<String>,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(Verdict::Same) => ExitCode::SUCCESS,
        Ok(Verdict::ToldApart) => ExitCode::from(1),
        Ok(Verdict::Worthless) => ExitCode::from(2),
        Err(error) => {
            let _ = writeln!(io::stderr(), "no measurement: {error}");
            ExitCode::from(3)
        }
    }
}

fn run(options: &Options) -> io::Result<Verdict> {
    let mut rng = StdRng::seed_from_u64(options.seed);
    let arguments: Vec<&str> =
        options.cost.of_server().iter().copied().chain(options.server.iter().map(String::as_str)).collect();
    let subject = Subject::start(&options.binary, options.accounts, options.cost, &arguments, &mut rng)?;
    let mut bench = Bench::new(&subject, rng)?;
    let wanted = |name: &str| options.endpoint.is_empty() || options.endpoint.iter().any(|part| name.contains(part.as_str()));
    let mut measured = Vec::new();
    for endpoint in endpoint::ALL.iter().filter(|endpoint| wanted(endpoint.name)) {
        let _ = writeln!(io::stderr(), "measuring {}", endpoint.name);
        measured.push((endpoint.name, bench.endpoint(endpoint, options.samples)?));
    }
    if measured.is_empty() {
        return Err(io::Error::other("there is no such endpoint"));
    }
    let report = Report::new(&measured);
    io::stdout().write_all(report.text().as_bytes())?;
    if let Some(path) = &options.json {
        std::fs::write(path, serde_json::to_vec_pretty(&report)?)?;
    }
    Ok(report.verdict())
}
