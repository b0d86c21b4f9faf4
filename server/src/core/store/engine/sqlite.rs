//! SQLite: one writer thread that commits what waits together (group commit), several reader threads, WAL, `synchronous=FULL`.
//!
//! A transaction's body is an async function, so that the same text serves an engine that really waits. Here every step completes at
//! once, and the body runs to its end on the database's thread in a single poll. A body that waits on anything else is a defect, and
//! is answered as a fault.

mod bulk;
pub(in crate::core::store) mod file;
pub(in crate::core::store) mod lock;
mod threads;
mod tx;

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Sender, TrySendError};
use futures_util::future::BoxFuture;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use tokio::sync::oneshot;

use super::writable::{Told, Writable};
use super::{Mode, Sql, Tx as AnyTx};
use crate::core::fault::Fault;
use crate::core::store::cache::Sessions;
use crate::core::{Error, Result};
use lock::Lock;
use threads::{BUSY, Job, LEASE, Ran, Task, WAIT, Watch, changes, in_savepoint, read_loop, spawn, taken, write_loop};
pub(in crate::core) use tx::Tx;
use tx::{fault, output};

/// Calls that may wait for a thread; the next is told that the store is full.
const QUEUE: usize = 4096;
/// Distinct statements are fewer; each stays prepared on each connection.
const STATEMENTS: usize = 256;

/// Of the writer's connection alone.
const WRITER: &str = "PRAGMA busy_timeout=0; PRAGMA cache_size=-16384";

/// What tables there are: their columns, and the tables that their foreign keys lead to.
pub(super) const CATALOGUE: (Sql, Sql) = (
    Sql("SELECT t.name, c.name, c.type, c.pk FROM sqlite_schema t JOIN pragma_table_info(t.name) c
         WHERE t.type = 'table' AND substr(t.name, 1, 7) <> 'sqlite_' ORDER BY t.name, c.cid"),
    Sql("SELECT t.name, k.\"table\" FROM sqlite_schema t JOIN pragma_foreign_key_list(t.name) k WHERE t.type = 'table'"),
);

/// An open database.
pub(in crate::core::store) struct Engine {
    writer: Option<Sender<Job>>,
    readers: Option<Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
    deadline: Duration,
    writable: Arc<Writable>,
    sessions: Arc<Sessions>,
    /// What keeps others from putting another file in this one's place; `None` where nobody else knows the file.
    _lock: Option<Lock>,
}

impl Engine {
    /// Opens the database, creating file and folder if need be, both for the owner's eyes only.
    pub(super) fn open(
        path: &Path,
        readers: usize,
        deadline: Duration,
        sessions: &Arc<Sessions>,
    ) -> std::result::Result<Self, Fault> {
        create_folder(path)?;
        let lock = Some(Lock::share(path)?);
        create_private(path)?;
        let (writer, jobs) = crossbeam_channel::bounded(QUEUE);
        let connection = connect(path)?;
        let writable = Arc::default();
        // Waiting for another process is done in a loop of its own, which says so. The pages that a group of jobs changes stay in memory until
        // its commit: SQLite's two megabytes hold those of fifty.
        connection.execute_batch(WRITER).map_err(fault)?;
        let watch = Watch::new(&writable, sessions);
        let mut threads = vec![spawn("store-writer", connection, jobs, move |tx, jobs| write_loop(tx, jobs, &watch))?];
        let (queue, jobs) = crossbeam_channel::bounded(QUEUE);
        for _ in 0..readers.max(1) {
            threads.push(spawn("store-reader", connect(path)?, jobs.clone(), read_loop)?);
        }
        let sessions = Arc::clone(sessions);
        Ok(Self { writer: Some(writer), readers: Some(queue), threads, deadline, writable, sessions, _lock: lock })
    }

    /// Opens the database with one connection that nobody else can have one beside, for work on it as a whole.
    pub(super) fn open_alone(path: &Path, deadline: Duration) -> std::result::Result<Self, Fault> {
        create_folder(path)?;
        let lock = Lock::share(path)?;
        create_private(path)?;
        Self::open_with_lock(path, deadline, Some(lock))
    }

    /// As [`Engine::open_alone`], of a file that is there and that nobody else knows of.
    pub(in crate::core::store) fn open_unshared(path: &Path, deadline: Duration) -> std::result::Result<Self, Fault> {
        Self::open_with_lock(path, deadline, None)
    }

    fn open_with_lock(path: &Path, deadline: Duration, lock: Option<Lock>) -> std::result::Result<Self, Fault> {
        let (writer, jobs) = crossbeam_channel::bounded(QUEUE);
        let (writable, sessions) = (Arc::default(), Sessions::none());
        let watch = Watch::new(&writable, &sessions);
        let threads = vec![spawn("store-alone", connect_alone(path)?, jobs, move |tx, jobs| write_loop(tx, jobs, &watch))?];
        Ok(Self { writer: Some(writer), readers: None, threads, deadline, writable, sessions, _lock: lock })
    }

    /// Runs `work` as one transaction. An error of `work` undoes all that it wrote.
    pub(super) async fn run<T, F>(&self, mode: Mode, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut AnyTx) -> BoxFuture<'t, Result<T>> + Send + 'static,
    {
        match mode {
            Mode::Read => self.submit(self.readers.as_ref().or(self.writer.as_ref()), false, work).await,
            Mode::Write | Mode::Each | Mode::Soon => self.submit(self.writer.as_ref(), mode.lasts(), work).await,
        }
    }

    /// Waits until no other process answers from what it knew before the last write.
    pub(super) async fn obeyed(&self) {
        tokio::time::sleep(LEASE).await;
    }

    /// A fault when the last that was to be written could not be.
    pub(super) fn writes(&self) -> std::result::Result<(), Fault> {
        self.writable.check()
    }

    async fn submit<T, F>(&self, queue: Option<&Sender<Job>>, lasting: bool, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut AnyTx) -> BoxFuture<'t, Result<T>> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let task = Box::new(Asked { work, reply, sessions: Arc::clone(&self.sessions) });
        let queue = queue.ok_or_else(|| Fault::unavailable("the store is closed"))?;
        queue.try_send(Job { lasting, task }).map_err(|refused| match refused {
            TrySendError::Full(_) => Fault::unavailable("too many calls wait for the store"),
            TrySendError::Disconnected(_) => Fault::unavailable("the store is closed"),
        })?;
        match tokio::time::timeout(self.deadline, answer).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(Fault::internal("a database thread ended").into()),
            Err(_) => Err(Fault::deadline("the store did not answer in time").into()),
        }
    }
}

/// A body, and whoever waits for its outcome.
struct Asked<T, F> {
    work: F,
    reply: oneshot::Sender<Result<T>>,
    sessions: Arc<Sessions>,
}

impl<T, F> Task for Asked<T, F>
where
    T: Send + 'static,
    F: for<'t> FnOnce(&'t mut AnyTx) -> BoxFuture<'t, Result<T>> + Send + 'static,
{
    fn is_awaited(&self) -> bool {
        !self.reply.is_closed()
    }

    fn run(self: Box<Self>, tx: std::result::Result<&mut AnyTx, Fault>) -> Ran {
        // Whoever has been told that it took too long must not find it done later.
        if !self.is_awaited() {
            return Ran { answer: Box::new(|_| {}), told: Told::Nothing };
        }
        let Self { work, reply, sessions } = *self;
        let (mut touched, mut changed) = (Vec::new(), false);
        let outcome = tx.map_err(Error::from).and_then(|tx| {
            let before = changes(tx);
            let outcome = in_savepoint(tx, work);
            (touched, changed) = (taken(tx), changes(tx) != before);
            outcome
        });
        let told = Told::of(&outcome, changed);
        let answer = Box::new(move |committed: std::result::Result<(), Fault>| {
            // Before anybody is told; and also when it is not known what is on disk.
            sessions.wrote(&touched);
            // A refusal, too, may rest on rows of the same commit.
            let outcome = committed.map_err(Error::from).and(outcome);
            // A caller that has gone away does not need its answer.
            let _ = reply.send(outcome);
        });
        Ran { answer, told }
    }
}

/// Ends the threads. All callers have gone by now, for each borrows the engine: what has not begun is dropped, and no other process is
/// waited for.
impl Drop for Engine {
    fn drop(&mut self) {
        self.writer = None;
        self.readers = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// A connection while which there is no other: taken by the lock that each connection shares while it is open.
fn connect_alone(path: &Path) -> std::result::Result<Connection, Fault> {
    let alone = || {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.busy_timeout(BUSY)?;
        // Before the write-ahead log is first used, or it would be shared with others. The cache is for filling large indexes.
        connection.execute_batch(
            "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;
             PRAGMA temp_store=MEMORY; PRAGMA cache_size=-131072; BEGIN IMMEDIATE; COMMIT;",
        )?;
        Ok(connection)
    };
    alone().map_err(|error: rusqlite::Error| match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => lock::in_use(path),
        _ => fault(error),
    })
}

fn connect(path: &Path) -> std::result::Result<Connection, Fault> {
    let mut waited = Duration::ZERO;
    loop {
        match try_to_connect(path) {
            // Two that open a new file at once both want to make it a WAL database, for which SQLite itself does not wait.
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && waited < BUSY => {
                std::thread::sleep(WAIT);
                waited += WAIT;
            }
            connected => return connected.map_err(fault),
        }
    }
}

fn try_to_connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    // Until it is open, the waiting is done by whoever tries.
    connection.busy_timeout(Duration::ZERO)?;
    // A cached join would be planned anew on every use without it: 25 microseconds in the place of 8.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // A checkpoint writes each page once, however many commits have changed it: the rarer, the fewer writes. This is 16 MiB of log. A thread
    // that copies beside the writer gains nothing: a log to which more is added meanwhile grows, and finding pages in it costs what is saved.
    connection.execute_batch(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4000; PRAGMA foreign_keys=ON;
         PRAGMA temp_store=MEMORY;",
    )?;
    connection.busy_timeout(BUSY)?;
    Ok(connection)
}

/// Creates the folder of a file (0700).
fn create_folder(path: &Path) -> std::result::Result<(), Fault> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder).map_err(|error| Fault::unavailable(format!("{}: {error}", path.display())))?;
    }
    Ok(())
}

/// Creates the folder (0700) and an empty file (0600); SQLite gives its side files the mode of the main one.
fn create_private(path: &Path) -> std::result::Result<(), Fault> {
    let told = |error: std::io::Error| Fault::unavailable(format!("{}: {error}", path.display()));
    create_folder(path)?;
    if !path.exists() {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path).map_err(told)?;
    }
    Ok(())
}
