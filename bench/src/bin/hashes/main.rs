//! How many passwords a second could be hashed at most: Argon2id implementations of the registry, side by side.
//!
//! First every candidate hashes the vector of RFC 9106 and random inputs, and all must agree. Then each round measures each candidate in
//! a process of its own, in an order that turns from round to round, so that whatever drifts drifts through all of them. See
//! `docs/performance.md`.

#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]

mod candidates;
mod checks;

use std::io::{self, Write as _};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use candidates::{Candidate, Input};
use clap::Parser;

/// Compares Argon2id implementations.
#[derive(Parser)]
struct Options {
    /// Rounds; the median of each candidate's is reported.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// How long a candidate hashes in a round.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Threads that hash.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Memory of a hash, in KiB.
    #[arg(long, default_value_t = 19 * 1024)]
    memory_kib: u32,
    /// Passes over the memory.
    #[arg(long, default_value_t = 2)]
    passes: u32,
    /// Random inputs on which all must agree.
    #[arg(long, default_value_t = 500)]
    inputs: u32,
    /// What the random inputs begin from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Measure these candidates alone.
    #[arg(long)]
    only: Vec<String>,
    /// Measure this candidate once, here, and print its rate.
    #[arg(long, hide = true)]
    here: Option<String>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), String> {
    let mut all = candidates::all();
    if let Some(name) = &options.here {
        let candidate = all.iter().find(|candidate| candidate.name == name).ok_or("no such candidate")?;
        let Rate { wall, processor } = measure(options, candidate)?;
        return say(&format!("{wall} {processor}"));
    }
    let checks::Checked { with_rfc, with_each_other } = checks::check(&all, options.inputs, options.seed)?;
    say(&format!(
        "{with_rfc} of {} candidates give the tag of RFC 9106; {with_each_other} tags of random inputs agree",
        all.len()
    ))?;
    if !options.only.is_empty() {
        all.retain(|candidate| options.only.iter().any(|name| name == candidate.name));
    }
    let (started, before) = (Instant::now(), Ticks::now()?);
    let mut rates: Vec<(&str, Vec<Rate>)> = all.iter().map(|candidate| (candidate.name, Vec::new())).collect();
    for round in 0..options.rounds {
        for place in 0..all.len() {
            let turn = (place + round) % all.len();
            if let (Some(candidate), Some((_, rates))) = (all.get(turn), rates.get_mut(turn)) {
                rates.push(in_a_process(options, candidate)?);
            }
        }
    }
    report(&rates)?;
    let share = Ticks::now()?.others_since(&before, started.elapsed());
    say(&format!("Other processes took {:.0} % of one processor meanwhile.", share * 100.0))
}

/// How fast hashes were made.
#[derive(Clone, Copy, Default)]
struct Rate {
    /// In a second, by all threads.
    wall: f64,
    /// In a second of one processor's time: what others took away does not count.
    processor: f64,
}

fn measure(options: &Options, candidate: &Candidate) -> Result<Rate, String> {
    let (until, make) = (Duration::from_secs(options.seconds), candidate.make);
    let count = || -> Result<(f64, f64), String> {
        let mut argon2 = make();
        let mut input = Input {
            memory_kib: options.memory_kib,
            passes: options.passes,
            lanes: 1,
            password: b"correct horse battery staple".to_vec(),
            salt: vec![7; 16],
            key: Vec::new(),
            data: Vec::new(),
            length: 32,
        };
        // The first hash makes the memory that is kept.
        input.salt = argon2.hash(&input)?.into_iter().take(16).collect();
        let (started, mut hashes) = (Instant::now(), 0.0);
        while started.elapsed() < until {
            input.salt = argon2.hash(&input)?.into_iter().take(16).collect();
            hashes += 1.0;
        }
        Ok((hashes, hashes / started.elapsed().as_secs_f64()))
    };
    let counted: Result<Vec<(f64, f64)>, String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..options.threads).map(|_| scope.spawn(count)).collect();
        threads.into_iter().map(|thread| thread.join().map_err(|_| "a thread gave up".to_owned())?).collect()
    });
    let (hashes, rates): (Vec<f64>, Vec<f64>) = counted?.into_iter().unzip();
    Ok(Rate { wall: rates.iter().sum(), processor: hashes.iter().sum::<f64>() / Ticks::now()?.own_seconds() })
}

fn in_a_process(options: &Options, candidate: &Candidate) -> Result<Rate, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(program);
    command.args(["--here", candidate.name, "--seconds", &options.seconds.to_string()]);
    command.args(["--threads", &options.threads.to_string(), "--passes", &options.passes.to_string()]);
    command.args(["--memory-kib", &options.memory_kib.to_string()]);
    if candidate.kept_by_allocator {
        let kept = "glibc.malloc.hugetlb=1:glibc.malloc.arena_max=1:glibc.malloc.mmap_threshold=33554432";
        command.env("GLIBC_TUNABLES", format!("{kept}:glibc.malloc.trim_threshold=17179869184:glibc.malloc.top_pad=67108864"));
    }
    let output = command.output().map_err(|error| error.to_string())?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<f64> = printed.split_whitespace().filter_map(|number| number.parse().ok()).collect();
    match numbers.as_slice() {
        [wall, processor] => Ok(Rate { wall: *wall, processor: *processor }),
        _ => Err(format!("{}: {}", candidate.name, String::from_utf8_lossy(&output.stderr))),
    }
}

fn report(rates: &[(&str, Vec<Rate>)]) -> Result<(), String> {
    let median = |rates: &[Rate], of: fn(&Rate) -> f64| {
        let mut sorted: Vec<f64> = rates.iter().map(of).collect();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or_default()
    };
    let mut medians: Vec<_> = rates
        .iter()
        .map(|(name, rates)| (*name, median(rates, |rate| rate.wall), median(rates, |rate| rate.processor)))
        .collect();
    medians.sort_by(|one, other| other.1.total_cmp(&one.1));
    let best = |of: fn(&(&str, f64, f64)) -> f64| medians.iter().map(of).fold(0.0, f64::max);
    let (fastest, thriftiest) = (best(|row| row.1), best(|row| row.2));
    say("medians                 hashes/s  of the best    hashes/processor-s  of the best")?;
    for (name, wall, processor) in &medians {
        let (of_fastest, of_thriftiest) = (wall / fastest, processor / thriftiest);
        say(&format!("{name:<22} {wall:>9.1} {of_fastest:>12.3} {processor:>21.1} {of_thriftiest:>12.3}"))?;
    }
    Ok(())
}

fn say(line: &str) -> Result<(), String> {
    writeln!(io::stdout(), "{line}").map_err(|error| error.to_string())
}

/// Processor time that was spent, in ticks of a hundredth of a second.
struct Ticks {
    /// By all processes.
    all: f64,
    /// By this one.
    own: f64,
    /// By its children.
    children: f64,
}

impl Ticks {
    fn now() -> Result<Self, String> {
        let read = |path| std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"));
        let (machine, own) = (read("/proc/stat")?, read("/proc/self/stat")?);
        let numbers = |text: &str| -> Vec<f64> { text.split_whitespace().map(|word| word.parse().unwrap_or_default()).collect() };
        // user nice system idle iowait irq softirq steal
        let machine = numbers(machine.lines().next().unwrap_or_default());
        // After the name in parentheses come utime, stime, cutime and cstime from the 12th on.
        let own = numbers(own.rsplit(')').next().unwrap_or_default());
        let sum = |of: &[f64], places: &[usize]| places.iter().filter_map(|place| of.get(*place)).sum();
        Ok(Self { all: sum(&machine, &[1, 2, 3, 6, 7, 8]), own: sum(&own, &[11, 12]), children: sum(&own, &[13, 14]) })
    }

    fn own_seconds(&self) -> f64 {
        self.own / 100.0
    }

    /// The share of one processor that went to others.
    fn others_since(&self, before: &Self, elapsed: Duration) -> f64 {
        let others = (self.all - before.all) - (self.children - before.children);
        (others / 100.0 / elapsed.as_secs_f64()).max(0.0)
    }
}
