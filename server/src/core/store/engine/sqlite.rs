//! SQLite: one writer thread that commits what waits together (group commit), several reader threads, WAL, `synchronous=FULL`.
//!
//! A transaction's body is an async function, so that the same text serves an engine that really waits. Here every step completes at
//! once, and the body runs to its end on the database's thread in a single poll. A body that waits on anything else is a defect, and
//! is answered as a fault.

mod bulk;
pub(in crate::core::store) mod file;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use tokio::sync::oneshot;

use super::{Row, Sql, Tx as AnyTx, Value};
use crate::core::fault::{Fault, FaultKind};
use crate::core::store::cache::{Sessions, Touch};
use crate::core::{Error, Result};

/// At most so many jobs share one commit; more would make the first wait for the last.
const GROUP: usize = 256;
/// Calls that may wait for a thread; the next is told that the store is full.
const QUEUE: usize = 4096;
/// How long a writer waits for another process (the command line) to finish its transaction.
const BUSY: Duration = Duration::from_secs(5);
/// Between two looks for its end.
const WAIT: Duration = Duration::from_millis(2);
/// How often an idle writer looks whether another process has written: a revocation on the command line is honoured that soon.
const LOOK: Duration = Duration::from_millis(10);
/// Distinct statements are fewer; each stays prepared on each connection.
const STATEMENTS: usize = 256;

/// What tables there are: their columns, and the tables that their foreign keys lead to.
pub(super) const CATALOGUE: (Sql, Sql) = (
    Sql("SELECT t.name, c.name, c.type, c.pk FROM sqlite_schema t JOIN pragma_table_info(t.name) c
         WHERE t.type = 'table' AND substr(t.name, 1, 7) <> 'sqlite_' ORDER BY t.name, c.cid"),
    Sql("SELECT t.name, k.\"table\" FROM sqlite_schema t JOIN pragma_foreign_key_list(t.name) k WHERE t.type = 'table'"),
);

/// A transaction, on the thread of its connection.
pub(in crate::core) struct Tx {
    connection: Connection,
    /// What the job in hand has changed of what is kept in memory.
    pub(super) touched: Vec<Touch>,
}

impl Tx {
    /// Runs a statement that returns rows.
    pub(super) fn query(&mut self, sql: Sql, values: &[Value]) -> std::result::Result<Vec<Row>, Fault> {
        self.run(sql, values).map_err(fault)
    }

    /// Runs a statement that returns none; the number of rows that it changed.
    pub(super) fn execute(&mut self, sql: Sql, values: &[Value]) -> std::result::Result<u64, Fault> {
        let mut statement = self.connection.prepare_cached(sql.0).map_err(fault)?;
        bind(&mut statement, values).map_err(fault)?;
        statement.raw_execute().map(|rows| rows as u64).map_err(fault)
    }

    /// Runs several statements of a migration.
    pub(super) fn batch(&mut self, sql: &str) -> std::result::Result<(), Fault> {
        self.connection.execute_batch(sql).map_err(fault)
    }

    /// Moves when another connection has written.
    fn version(&self) -> rusqlite::Result<i64> {
        self.connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
    }

    fn run(&self, sql: Sql, values: &[Value]) -> rusqlite::Result<Vec<Row>> {
        let mut statement = self.connection.prepare_cached(sql.0)?;
        bind(&mut statement, values)?;
        let columns = statement.column_count();
        let mut rows = statement.raw_query();
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            out.push(Row((0..columns).map(|column| row.get_ref(column).map(read)).collect::<rusqlite::Result<_>>()?));
        }
        Ok(out)
    }

    #[cfg(test)]
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }
}

fn read(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Int(number),
        ValueRef::Real(number) => Value::Text(number.to_string()),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Value::Text(String::from_utf8_lossy(bytes).into_owned()),
    }
}

/// SQLite numbers `$1` by where it first stands, not by its digits: look each up by name.
fn bind(statement: &mut rusqlite::Statement<'_>, values: &[Value]) -> rusqlite::Result<()> {
    for (index, value) in values.iter().enumerate() {
        let name = format!("${}", index + 1);
        let place = statement.parameter_index(&name)?.ok_or_else(|| rusqlite::Error::InvalidParameterName(name))?;
        statement.raw_bind_parameter(place, output(value))?;
    }
    Ok(())
}

fn output(value: &Value) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(match value {
        Value::Null => ValueRef::Null,
        Value::Int(number) => ValueRef::Integer(*number),
        Value::Text(text) => ValueRef::Text(text.as_bytes()),
    })
}

/// The driver's error as a fault. Its text names tables and columns, never values.
fn fault(error: rusqlite::Error) -> Fault {
    match error.sqlite_error_code() {
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::DiskFull
            | ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen
            | ErrorCode::ReadOnly,
        ) => Fault::unavailable(error),
        _ => Fault::internal(error),
    }
}

/// Runs once on a database thread, or learns that it cannot, and says what to tell the caller when the outcome is on disk.
type Job = Box<dyn FnOnce(std::result::Result<&mut AnyTx, Fault>) -> Answer + Send>;

/// Called with the fate of the commit.
type Answer = Box<dyn FnOnce(std::result::Result<(), Fault>) + Send>;

/// An open database.
pub(in crate::core::store) struct Engine {
    writer: Option<Sender<Job>>,
    readers: Option<Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
    deadline: Duration,
    /// Whether the last transaction of the writer could be begun and committed.
    writes: Arc<AtomicBool>,
    sessions: Arc<Sessions>,
}

impl Engine {
    /// Opens the database, creating file and folder if need be, both for the owner's eyes only.
    pub(super) fn open(
        path: &Path,
        readers: usize,
        deadline: Duration,
        sessions: &Arc<Sessions>,
    ) -> std::result::Result<Self, Fault> {
        create_private(path)?;
        let (writer, jobs) = crossbeam_channel::bounded(QUEUE);
        let connection = connect(path)?;
        let writes = Arc::new(AtomicBool::new(true));
        // Waiting for another process is done in a loop of its own, which says so.
        connection.busy_timeout(Duration::ZERO).map_err(fault)?;
        let watch = Watch { writes: Arc::clone(&writes), sessions: Arc::clone(sessions), version: AtomicI64::new(0) };
        let mut threads = vec![spawn("store-writer", connection, jobs, move |tx, jobs| write_loop(tx, jobs, &watch))?];
        let (queue, jobs) = crossbeam_channel::bounded(QUEUE);
        for _ in 0..readers.max(1) {
            threads.push(spawn("store-reader", connect(path)?, jobs.clone(), read_loop)?);
        }
        Ok(Self { writer: Some(writer), readers: Some(queue), threads, deadline, writes, sessions: Arc::clone(sessions) })
    }

    /// Opens the database with one connection that nobody else can have one beside, for work on it as a whole.
    pub(super) fn open_alone(path: &Path, deadline: Duration) -> std::result::Result<Self, Fault> {
        create_private(path)?;
        let (writer, jobs) = crossbeam_channel::bounded(QUEUE);
        let (writes, sessions) = (Arc::new(AtomicBool::new(true)), Sessions::none());
        let watch = Watch { writes: Arc::clone(&writes), sessions: Arc::clone(&sessions), version: AtomicI64::new(0) };
        let threads = vec![spawn("store-alone", connect_alone(path)?, jobs, move |tx, jobs| write_loop(tx, jobs, &watch))?];
        Ok(Self { writer: Some(writer), readers: None, threads, deadline, writes, sessions })
    }

    /// Runs `work` as one transaction and answers when it is on disk. An error of `work` undoes all that it wrote.
    pub(super) async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut AnyTx) -> BoxFuture<'t, Result<T>> + Send + 'static,
    {
        self.submit(self.writer.as_ref(), work).await
    }

    /// Runs `work` on one consistent view of the data.
    pub(super) async fn read<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut AnyTx) -> BoxFuture<'t, Result<T>> + Send + 'static,
    {
        self.submit(self.readers.as_ref().or(self.writer.as_ref()), work).await
    }

    /// A fault when the last transaction could not be written.
    pub(super) fn writes(&self) -> std::result::Result<(), Fault> {
        if self.writes.load(Ordering::Relaxed) {
            Ok(())
        } else {
            Err(Fault::unavailable("the last transaction could not be written"))
        }
    }

    async fn submit<T, F>(&self, queue: Option<&Sender<Job>>, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut AnyTx) -> BoxFuture<'t, Result<T>> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let sessions = Arc::clone(&self.sessions);
        let job: Job = Box::new(move |tx| {
            // Whoever has been told that it took too long must not find it done later.
            if reply.is_closed() {
                return Box::new(|_| {});
            }
            let mut touched = Vec::new();
            let outcome = tx.map_err(Error::from).and_then(|tx| {
                let outcome = in_savepoint(tx, work);
                touched = taken(tx);
                outcome
            });
            Box::new(move |committed| {
                // Before anybody is told; and also when it is not known what is on disk.
                sessions.invalidate(&touched);
                // A refusal, too, may rest on rows of the same commit.
                let outcome = committed.map_err(Error::from).and(outcome);
                // A caller that has gone away does not need its answer.
                let _ = reply.send(outcome);
            })
        });
        let queue = queue.ok_or_else(|| Fault::unavailable("the store is closed"))?;
        queue.try_send(job).map_err(|refused| match refused {
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

/// Ends the threads when what waits is done.
impl Drop for Engine {
    fn drop(&mut self) {
        self.writer = None;
        self.readers = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn spawn(
    name: &str,
    connection: Connection,
    jobs: Receiver<Job>,
    run: impl Fn(&mut AnyTx, &Receiver<Job>) + Send + 'static,
) -> std::result::Result<JoinHandle<()>, Fault> {
    let mut tx = AnyTx::Sqlite(Tx { connection, touched: Vec::new() });
    std::thread::Builder::new().name(name.to_owned()).spawn(move || run(&mut tx, &jobs)).map_err(Fault::internal)
}

/// Begins and ends what a thread's transaction consists of.
fn control(tx: &mut AnyTx, sql: &str) -> std::result::Result<(), Fault> {
    match tx {
        AnyTx::Sqlite(tx) => tx.batch(sql),
        AnyTx::Postgres(_) => Err(Fault::internal("a transaction of another engine")),
    }
}

fn is_open(tx: &AnyTx) -> bool {
    matches!(tx, AnyTx::Sqlite(tx) if !tx.connection.is_autocommit())
}

fn taken(tx: &mut AnyTx) -> Vec<Touch> {
    match tx {
        AnyTx::Sqlite(tx) => std::mem::take(&mut tx.touched),
        AnyTx::Postgres(_) => Vec::new(),
    }
}

/// What the writer says about the file: whether it can be written, and that another process has.
struct Watch {
    writes: Arc<AtomicBool>,
    sessions: Arc<Sessions>,
    /// What the file was at when it was last looked at. Moves with commits of other processes alone, for all of ours are this connection's.
    version: AtomicI64,
}

impl Watch {
    fn look(&self, tx: &AnyTx) {
        let AnyTx::Sqlite(tx) = tx else { return };
        match tx.version() {
            Ok(version) => {
                if self.version.swap(version, Ordering::Relaxed) != version {
                    self.sessions.invalidate(&[Touch::All]);
                }
                self.sessions.set_live(true);
            }
            Err(_) => self.sessions.set_live(false),
        }
    }

    /// Begins a transaction. While another process has the file, nobody here sees what it does.
    fn begin(&self, tx: &mut AnyTx) -> std::result::Result<(), Fault> {
        let mut waited = Duration::ZERO;
        loop {
            match control(tx, "BEGIN IMMEDIATE") {
                Err(refused) if refused.kind() == FaultKind::Unavailable && waited < BUSY => {
                    self.sessions.set_live(false);
                    std::thread::sleep(WAIT);
                    waited += WAIT;
                }
                begun => {
                    self.writes.store(begun.is_ok(), Ordering::Relaxed);
                    self.look(tx);
                    return begun;
                }
            }
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.sessions.set_live(false);
    }
}

/// Takes one job, then all that wait, and commits them together: no job waits for one that has not come yet.
fn write_loop(tx: &mut AnyTx, jobs: &Receiver<Job>, watch: &Watch) {
    watch.look(tx);
    loop {
        let first = match jobs.recv_timeout(LOOK) {
            Ok(first) => first,
            Err(RecvTimeoutError::Timeout) => {
                watch.look(tx);
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => return,
        };
        if let Err(refused) = watch.begin(tx) {
            first(Err(refused))(Ok(()));
            continue;
        }
        let mut answers = Vec::new();
        let mut next = Some(first);
        while let Some(job) = next {
            answers.push(job(Ok(tx)));
            // A full disk can end the transaction under our feet: then nothing more may join it, and COMMIT will say so.
            let open = is_open(tx);
            next = if open && answers.len() < GROUP { jobs.try_recv().ok() } else { None };
        }
        let committed = control(tx, "COMMIT");
        watch.writes.store(committed.is_ok(), Ordering::Relaxed);
        if committed.is_err() {
            let _ = control(tx, "ROLLBACK");
        }
        for answer in answers {
            answer(committed.clone());
        }
    }
}

fn read_loop(tx: &mut AnyTx, jobs: &Receiver<Job>) {
    while let Ok(job) = jobs.recv() {
        match control(tx, "BEGIN DEFERRED") {
            Err(refused) => job(Err(refused))(Ok(())),
            Ok(()) => {
                let answer = job(Ok(tx));
                let ended = control(tx, "COMMIT");
                if ended.is_err() {
                    let _ = control(tx, "ROLLBACK");
                }
                answer(ended);
            }
        }
    }
}

/// Runs one body in a savepoint, so that its error or panic undoes its own writes and nobody else's.
fn in_savepoint<T, F>(tx: &mut AnyTx, work: F) -> Result<T>
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
    if outcome.is_err() {
        control(tx, "ROLLBACK TO job")?;
    }
    control(tx, "RELEASE job")?;
    outcome
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
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            Fault::unavailable(format!("{}: another process has it open; stop the server first", path.display()))
        }
        _ => fault(error),
    })
}

fn connect(path: &Path) -> std::result::Result<Connection, Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(fault)?;
    connection.busy_timeout(BUSY).map_err(fault)?;
    // A cached join would be planned anew on every use without it: 25 microseconds in the place of 8.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(fault)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection
        .execute_batch("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY;")
        .map_err(fault)?;
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
