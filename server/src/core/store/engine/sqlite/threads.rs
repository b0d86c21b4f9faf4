//! The threads on which transactions run: one that writes, and says what it sees of the file; several that read.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rusqlite::Connection;
use tokio::time::Instant;

use super::tx::{Tx, went_on};
use crate::core::Result;
use crate::core::fault::{Fault, FaultKind};
use crate::core::store::cache::{Sessions, Touch};
use crate::core::store::engine::Tx as AnyTx;
use crate::core::store::engine::writable::{Told, Writable};

/// At most so many jobs share one commit; more would make the first wait for the last.
const GROUP: usize = 256;
/// And they run for at most so many times as long as a commit takes: the disk is waited for a ninth of the time at most, while those who have
/// been told already bring what comes next. Were all that wait taken at once, they would be told at once, and nobody would be left to
/// work for until they have answered.
const COMMITS: u32 = 8;
/// At most so many that read share one transaction: what one has brought into memory serves the next. More would make the first wait.
const READS: usize = 8;
/// How long a writer waits for another process (the command line) to finish its transaction.
pub(super) const BUSY: Duration = Duration::from_secs(5);
/// Between two looks for its end.
pub(super) const WAIT: Duration = Duration::from_millis(2);
/// How often an idle writer looks whether another process has written: a revocation on the command line is honoured that soon.
const LOOK: Duration = Duration::from_millis(10);
/// How long a look is good for. Whoever writes beside a server and waits so long before saying that it is done is obeyed by then.
pub(super) const LEASE: Duration = Duration::from_millis(50);

/// Work for a database thread.
pub(super) struct Job {
    /// Whether the caller is told when it is on disk; or as soon as it is done.
    pub(super) lasting: bool,
    pub(super) task: Box<dyn Task>,
}

/// What a job does, once.
pub(super) trait Task: Send {
    /// Whether the caller still waits for the outcome.
    fn is_awaited(&self) -> bool;

    /// Runs on a database thread, or learns that it cannot. Does nothing for a caller that has gone.
    fn run(self: Box<Self>, tx: std::result::Result<&mut AnyTx, Fault>) -> Ran;
}

/// What came of a job.
pub(super) struct Ran {
    /// What to tell the caller when it is committed.
    pub(super) answer: Answer,
    /// What it tells of the file.
    pub(super) told: Told,
}

/// Called with the fate of the commit.
pub(super) type Answer = Box<dyn FnOnce(std::result::Result<(), Fault>) + Send>;

pub(super) fn spawn(
    name: &str,
    connection: Connection,
    jobs: Receiver<Job>,
    run: impl Fn(&mut AnyTx, &Receiver<Job>) + Send + 'static,
) -> std::result::Result<JoinHandle<()>, Fault> {
    let mut tx = AnyTx::Sqlite(Tx::new(connection));
    std::thread::Builder::new().name(name.to_owned()).spawn(move || run(&mut tx, &jobs)).map_err(Fault::internal)
}

/// Begins and ends what a thread's transaction consists of.
fn control(tx: &mut AnyTx, sql: &'static str) -> std::result::Result<(), Fault> {
    match tx {
        AnyTx::Sqlite(tx) => tx.control(sql),
        AnyTx::Postgres(_) => Err(Fault::internal("a transaction of another engine")),
    }
}

fn is_open(tx: &AnyTx) -> bool {
    matches!(tx, AnyTx::Sqlite(tx) if !tx.connection.is_autocommit())
}

pub(super) fn taken(tx: &mut AnyTx) -> Vec<Touch> {
    match tx {
        AnyTx::Sqlite(tx) => std::mem::take(&mut tx.touched),
        AnyTx::Postgres(_) => Vec::new(),
    }
}

/// Whether a statement of the job that has just run failed.
fn has_failed(tx: &mut AnyTx) -> bool {
    match tx {
        AnyTx::Sqlite(tx) => std::mem::take(&mut tx.failed),
        AnyTx::Postgres(_) => false,
    }
}

/// Rows that have been changed on a connection since it was made, also those whose change was undone.
pub(super) fn changes(tx: &AnyTx) -> u64 {
    match tx {
        AnyTx::Sqlite(tx) => tx.connection.total_changes(),
        AnyTx::Postgres(_) => 0,
    }
}

/// What the writer says about the file: whether it can be written, and that another process has.
pub(super) struct Watch {
    writable: Arc<Writable>,
    sessions: Arc<Sessions>,
    /// What the file was at when it was last looked at. Moves with commits of other processes alone, for all of ours are this connection's.
    version: AtomicI64,
}

impl Watch {
    pub(super) fn new(writable: &Arc<Writable>, sessions: &Arc<Sessions>) -> Self {
        Self { writable: Arc::clone(writable), sessions: Arc::clone(sessions), version: AtomicI64::new(0) }
    }

    fn look(&self, tx: &AnyTx) {
        let AnyTx::Sqlite(tx) = tx else { return };
        let looking = Instant::now();
        match tx.version() {
            Ok(version) => {
                if self.version.swap(version, Ordering::Relaxed) != version {
                    self.sessions.invalidate(&[Touch::All]);
                }
                self.sessions.renew(looking, LEASE);
            }
            Err(_) => self.sessions.cut(),
        }
    }

    /// Begins a transaction for a job. While another process has the file, nobody here sees what it does; it is waited for no longer than the
    /// caller waits.
    fn begin(&self, tx: &mut AnyTx, job: &Job) -> std::result::Result<(), Fault> {
        synchronous(tx, job.lasting)?;
        let mut waited = Duration::ZERO;
        loop {
            match control(tx, "BEGIN IMMEDIATE") {
                Err(refused) if refused.kind() == FaultKind::Unavailable && waited < BUSY && job.task.is_awaited() => {
                    self.sessions.cut();
                    std::thread::sleep(WAIT);
                    waited += WAIT;
                }
                begun => {
                    self.writable.begun(begun.is_ok());
                    self.look(tx);
                    return begun;
                }
            }
        }
    }
}

/// Takes down what a group of jobs tells of the file, once its commit has an outcome.
fn take_down(writable: &Writable, told: &[Told], lasting: bool, committed: bool) {
    if !committed || told.contains(&Told::Failed) {
        writable.failed();
    } else if lasting && told.contains(&Told::Wrote) {
        writable.wrote();
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.sessions.cut();
    }
}

/// Whether the next COMMIT waits for the disk. Without, what it has written outlives this process all the same, and the file is whole
/// whatever happens.
fn synchronous(tx: &mut AnyTx, lasting: bool) -> std::result::Result<(), Fault> {
    match tx {
        AnyTx::Sqlite(tx) if tx.lasting != lasting => {
            tx.control(if lasting { "PRAGMA synchronous=FULL" } else { "PRAGMA synchronous=NORMAL" })?;
            tx.lasting = lasting;
            Ok(())
        }
        AnyTx::Sqlite(_) | AnyTx::Postgres(_) => Ok(()),
    }
}

/// How long a commit that waits for the disk takes, as far as the last ones tell. One that copies the log back takes many times as long, and
/// says little of the next.
struct Pace(Duration);

impl Pace {
    /// No disk is as quick: one that is, or a clock that stands still, must not make groups of one.
    const LEAST: Duration = Duration::from_micros(100);

    /// A guess to begin with.
    const fn new() -> Self {
        Self(Duration::from_millis(1))
    }

    fn committed(&mut self, took: Duration) {
        self.0 = ((self.0 * 3 + took.min(self.0 * 2)) / 4).max(Self::LEAST);
    }

    /// How long the jobs of a group may run.
    fn group(&self) -> Duration {
        self.0 * COMMITS
    }
}

/// Takes one job, then others that wait, and commits them together: no job waits for one that has not come yet, and none waits for the disk
/// that need not.
pub(super) fn write_loop(tx: &mut AnyTx, jobs: &Receiver<Job>, watch: &Watch) {
    watch.look(tx);
    let (mut held, mut pace) = (None, Pace::new());
    loop {
        let first = match held.take().map_or_else(|| jobs.recv_timeout(LOOK), Ok) {
            Ok(first) => first,
            Err(RecvTimeoutError::Timeout) => {
                watch.look(tx);
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => return,
        };
        // There may be thousands of them behind another process that had the file for long.
        if !first.task.is_awaited() {
            continue;
        }
        let lasting = first.lasting;
        if let Err(refused) = watch.begin(tx, &first) {
            (first.task.run(Err(refused)).answer)(Ok(()));
            continue;
        }
        // Not before: another process may have had to be waited for.
        let began = Instant::now();
        let mut ran = vec![first.task.run(Ok(tx))];
        // A full disk can end the transaction under our feet: then nothing more may join it, and COMMIT will say so.
        while is_open(tx) && ran.len() < GROUP && began.elapsed() < pace.group() {
            match jobs.try_recv() {
                Ok(job) if lasting || !job.lasting => ran.push(job.task.run(Ok(tx))),
                next => {
                    held = next.ok();
                    break;
                }
            }
        }
        let committing = Instant::now();
        let committed = control(tx, "COMMIT");
        if lasting {
            pace.committed(committing.elapsed());
        }
        let (told, answers): (Vec<_>, Vec<_>) = ran.into_iter().map(|Ran { answer, told }| (told, answer)).unzip();
        take_down(&watch.writable, &told, lasting, committed.is_ok());
        if committed.is_err() {
            let _ = control(tx, "ROLLBACK");
        }
        for answer in answers {
            answer(committed.clone());
        }
    }
}

/// Takes one job and the others that wait, and lets them read in one transaction: each begins after all of them were asked for.
pub(super) fn read_loop(tx: &mut AnyTx, jobs: &Receiver<Job>) {
    while let Ok(first) = jobs.recv() {
        let waiting: Vec<_> = std::iter::once(first).chain(jobs.try_iter().take(READS - 1)).collect();
        if let Err(refused) = control(tx, "BEGIN DEFERRED") {
            waiting.into_iter().for_each(|job| (job.task.run(Err(refused.clone())).answer)(Ok(())));
            continue;
        }
        for job in waiting {
            // Nothing was written: what was read is good however the transaction ends.
            (job.task.run(Ok(tx)).answer)(Ok(()));
        }
        if control(tx, "COMMIT").is_err() {
            let _ = control(tx, "ROLLBACK");
        }
    }
}

/// Runs one body in a savepoint, so that its error or panic undoes its own writes and nobody else's.
pub(super) fn in_savepoint<T, F>(tx: &mut AnyTx, work: F) -> Result<T>
where
    F: for<'t> FnOnce(&'t mut AnyTx) -> BoxFuture<'t, Result<T>>,
{
    control(tx, "SAVEPOINT job")?;
    let outcome = catch_unwind(AssertUnwindSafe(|| work(tx).now_or_never()));
    let outcome = match outcome {
        Ok(Some(outcome)) => outcome,
        Ok(None) => Err(Fault::internal("a transaction waited on something else than the store").into()),
        Err(_) => Err(Fault::internal("a transaction panicked").into()),
    };
    // A body that went on after a failed statement has no outcome, on PostgreSQL as here.
    let outcome = if has_failed(tx) { outcome.and_then(|_| Err(went_on().into())) } else { outcome };
    if outcome.is_err() {
        // What ended the whole transaction under our feet has undone this, too.
        if !is_open(tx) {
            return outcome;
        }
        control(tx, "ROLLBACK TO job")?;
    }
    control(tx, "RELEASE job")?;
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Abandoned;

    impl Task for Abandoned {
        fn is_awaited(&self) -> bool {
            false
        }

        fn run(self: Box<Self>, _: std::result::Result<&mut AnyTx, Fault>) -> Ran {
            panic!("there is nobody to answer")
        }
    }

    #[test]
    fn nothing_is_begun_for_those_who_have_gone() {
        let (sender, jobs) = crossbeam_channel::unbounded();
        for lasting in [true, false, true] {
            sender.send(Job { lasting, task: Box::new(Abandoned) }).unwrap();
        }
        drop(sender);
        let writable = Arc::new(Writable::default());
        writable.begun(false);
        let connection = Connection::open_in_memory().unwrap();
        let mut tx = AnyTx::Sqlite(Tx::new(connection));
        write_loop(&mut tx, &jobs, &Watch::new(&writable, &Sessions::none()));
        assert!(writable.check().is_err(), "a transaction was begun");
    }

    #[test]
    fn groups_go_by_how_long_commits_take_and_not_by_a_single_one() {
        let group = |commits: &[u64]| {
            let mut pace = Pace::new();
            commits.iter().for_each(|millis| pace.committed(Duration::from_millis(*millis)));
            pace.group().as_micros()
        };
        assert_eq!(group(&[]), 8_000);
        assert_eq!(group(&[1000]), 10_000, "one that is slow");
        assert!(group(&[10; 20]) > 75_000, "a slow disk");
        assert_eq!(group(&[0; 60]), 800, "a disk that is in memory");
    }
}
