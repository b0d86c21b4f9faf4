//! PostgreSQL: a pool of connections to whichever host can be written to.
//!
//! What is written is SERIALIZABLE, as it is on SQLite with its one writer: a body may read, decide and write, and nothing that it has
//! read changes before it is done. Where two such bodies meet, PostgreSQL fails one, and it is run again.

pub(super) mod address;
mod heard;
mod later;
mod link;
mod listener;
mod outlast;
#[cfg(test)]
mod tests;
mod tls;
mod trouble;
mod tx;

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{PoolError, TimeoutType, Timeouts};
use futures_util::future::BoxFuture;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout, timeout_at};

use super::table::{Table, quoted};
use super::writable::{Told, Writable};
use super::{Mode, PostgresSettings, Sql, Tx as AnyTx};
use crate::core::fault::Fault;
use crate::core::store::cache::Sessions;
use crate::core::store::unwrapped;
use crate::core::{Error, Refusal, Result};
use later::Later;
use link::{Manager, Pool, Pooled};
use outlast::Progress;
use trouble::{Trouble, fault};
pub(super) use tx::Tx;

/// Before a body runs again: a little longer each time, so that those who met do not meet again.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(64);
/// So often a body is run again for what may be its own doing: a lost connection, a row that another one has made first.
const SECOND_CHANCES: u32 = 3;

/// When to try again if no connection has come free.
const BREATHER: Duration = Duration::from_secs(2);

/// For what is run after a commit: nobody waits for it, but it has a connection. No longer than `shutdown_grace` is by default.
const LATER: Duration = Duration::from_secs(10);

/// What tables there are in the schema that new ones would be made in: their columns, and the tables that their foreign keys lead to.
pub(super) const CATALOGUE: (Sql, Sql) = (
    Sql("SELECT c.relname::text, a.attname::text, format_type(a.atttypid, NULL)::text,
                COALESCE(array_position(i.indkey::int2[], a.attnum) + 1, 0)::bigint
         FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
         LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
         WHERE c.relnamespace = current_schema()::text::regnamespace AND c.relkind IN ('r', 'p')
         ORDER BY c.relname::text COLLATE \"C\", a.attnum"),
    Sql("SELECT c.relname::text, p.relname::text FROM pg_constraint f
         JOIN pg_class c ON c.oid = f.conrelid JOIN pg_class p ON p.oid = f.confrelid
         WHERE f.contype = 'f' AND c.relnamespace = current_schema()::text::regnamespace"),
);

/// How each begins.
impl Mode {
    const fn begin(self) -> &'static str {
        match self {
            Self::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            Self::Write => "BEGIN ISOLATION LEVEL SERIALIZABLE",
            Self::Each => "BEGIN ISOLATION LEVEL READ COMMITTED",
            Self::Soon => "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL synchronous_commit = off",
        }
    }
}

/// An open database.
#[derive(Clone)]
pub(in crate::core::store) struct Engine {
    pool: Pool,
    /// Places for those that write, fewer than connections: however long their COMMITs take, what reads is answered.
    places: Arc<Semaphore>,
    deadline: Duration,
    writable: Arc<Writable>,
    reruns: Arc<AtomicU64>,
    sessions: Arc<Sessions>,
    /// What has been answered and goes on.
    later: Later,
    /// COMMITs that have outlasted their callers.
    waited_for: Later,
    /// Listens for other nodes, if sessions are kept in memory; ends with the engine.
    _listener: Option<Arc<AbortOnDrop>>,
}

/// A place among those that write.
type Place = OwnedSemaphorePermit;

/// A task that ends with what holds this.
struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Engine {
    /// Prepares a pool, of which nothing is connected yet, and begins to listen for other nodes.
    pub(super) fn open(
        settings: &PostgresSettings,
        deadline: Duration,
        sessions: &Arc<Sessions>,
    ) -> std::result::Result<Self, Fault> {
        let manager = Manager::new(settings.address.clone(), settings.pooler, settings.statement_timeout);
        let timeouts = Timeouts {
            wait: Some(settings.acquire_timeout),
            create: Some(address::PATIENCE * 2),
            recycle: Some(address::PATIENCE),
        };
        let pool = Pool::builder(manager).max_size(settings.pool_size).timeouts(timeouts).runtime(Runtime::Tokio1);
        let pool = pool.build().map_err(Fault::internal)?;
        let deadline = deadline.min(settings.statement_timeout);
        let listen = || tokio::spawn(listener::run(pool.clone(), Arc::clone(sessions))).abort_handle();
        // A pooler in transaction mode keeps notifications from whoever waits for them.
        let listens = sessions.has_room() && !settings.pooler;
        let listener = listens.then(|| Arc::new(AbortOnDrop(listen())));
        Ok(Self {
            pool,
            places: Arc::new(Semaphore::new(writers(settings.pool_size))),
            deadline,
            writable: Arc::default(),
            reruns: Arc::default(),
            sessions: Arc::clone(sessions),
            later: Later::new(),
            waited_for: Later::new(),
            _listener: listener,
        })
    }

    /// A fault when the last that was to be written could not be.
    pub(super) fn writes(&self) -> std::result::Result<(), Fault> {
        self.writable.check()
    }

    /// Whether the answer to a COMMIT is waited for that has outlasted its caller.
    pub(super) fn is_waited_for(&self) -> bool {
        self.waited_for.is_any()
    }

    /// How many bodies were run again.
    pub(super) fn reruns(&self) -> u64 {
        self.reruns.load(Ordering::Relaxed)
    }

    /// Waits until nothing goes on any more of what has been answered.
    pub(super) async fn settled(&self) {
        self.later.settled().await;
    }

    /// Runs `work` as one transaction, again if need be, and answers when it is on disk; what the body has put off runs after the answer.
    /// Goes on when the caller goes away: a connection in the middle of a transaction would be of no more use. When the caller's time is up,
    /// what is under way is cut off, unless it is a COMMIT.
    pub(super) async fn run<T, F>(&self, mode: Mode, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut AnyTx) -> BoxFuture<'t, Result<T>> + Clone + Send + 'static,
    {
        let engine = self.clone();
        let (answer, answered) = oneshot::channel();
        tokio::spawn(async move {
            let progress = Progress::until(Instant::now() + engine.deadline);
            let mut running = pin!(engine.run_until_done(mode, work, &progress));
            let in_time = timeout_at(progress.deadline, running.as_mut()).await;
            let is_late = in_time.is_err();
            let (ran, more) = in_time.unwrap_or_else(|_| (Err(engine.timed_out()), None));
            if mode != Mode::Read && Told::of(&ran, false) == Told::Failed {
                engine.writable.failed();
            }
            let more = more.map(|tx| (tx, engine.later.begin()));
            // A caller that has gone away does not need its answer.
            let _ = answer.send(ran);
            if let Some((tx, _under_way)) = more {
                run_later(tx).await;
            } else if is_late && progress.is_committing() {
                // Nothing waits for this, the end of the process included.
                if let (_, Some(tx)) = running.await {
                    run_later(tx).await;
                }
            }
        });
        answered.await.unwrap_or_else(|_| Err(Fault::internal("a transaction panicked").into()))
    }

    /// The fault of a call whose time is up.
    fn timed_out(&self) -> Error {
        // A host that has fallen silent keeps its connections open; each would cost somebody a deadline. One that answers others has only this
        // call waiting, for a lock or for the standby.
        if !self.pool.manager().heard.within(self.deadline / 2) {
            self.forget_connections();
        }
        Fault::deadline("the store did not answer in time").into()
    }

    async fn run_until_done<T, F>(&self, mode: Mode, work: F, progress: &Progress) -> (Result<T>, Option<Box<Tx>>)
    where
        F: for<'t> FnOnce(&'t mut AnyTx) -> BoxFuture<'t, Result<T>> + Clone,
    {
        let (mut pause, mut chances) = (SHORTEST_PAUSE, SECOND_CHANCES);
        loop {
            let (trouble, outcome) = match self.attempt(mode, work.clone(), progress).await {
                Ok(Attempt::Done(outcome, more)) => return (outcome, more),
                Ok(Attempt::Failed(trouble, outcome)) => (trouble, outcome),
                Err(error) => return (Err(error), None),
            };
            match trouble {
                Trouble::Final => return (outcome, None),
                // The caller has been answered.
                _ if progress.is_over() => return (outcome, None),
                Trouble::Overtaken | Trouble::Lost if chances == 0 => return (outcome, None),
                Trouble::Overtaken | Trouble::Lost => chances -= 1,
                Trouble::Met => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
            self.reruns.fetch_add(1, Ordering::Relaxed);
        }
    }

    async fn attempt<T, F>(&self, mode: Mode, work: F, progress: &Progress) -> Result<Attempt<T>>
    where
        F: for<'t> FnOnce(&'t mut AnyTx) -> BoxFuture<'t, Result<T>>,
    {
        let link = self.connection(mode).await?;
        let manager = self.pool.manager();
        let mut tx = AnyTx::Postgres(Box::new(Tx::new(link, mode, !manager.pooler, &manager.heard)));
        let outcome = work(&mut tx).await;
        let AnyTx::Postgres(mut tx) = tx else { return Err(Fault::internal("a transaction changed its engine").into()) };
        if let Some(trouble) = tx.trouble() {
            if trouble == Trouble::Lost {
                self.forget_connections();
            } else {
                tx.roll_back().await;
            }
            // A body that went on after a failed statement has no outcome.
            let failed = outcome.and_then(|_| Err(Fault::internal("a transaction went on after a failure").into()));
            return Ok(Attempt::Failed(trouble, failed));
        }
        if outcome.is_err() {
            tx.roll_back().await;
            return Ok(Attempt::Done(outcome, None));
        }
        let committed = self.commit(mode, &mut tx, progress).await;
        // Also when it is not known whether it was committed.
        self.sessions.wrote(&tx.touched);
        match committed {
            Some(Ok(())) => {
                if mode.lasts() && tx.has_changed() {
                    self.writable.wrote();
                }
                Ok(Attempt::Done(outcome, tx.has_more().then_some(tx)))
            }
            None => Ok(Attempt::Failed(Trouble::Final, Err(Fault::deadline("a COMMIT has had no answer").into()))),
            Some(Err(error)) => {
                let trouble = Trouble::of(&error);
                if trouble == Trouble::Lost {
                    self.forget_connections();
                    // It may be on disk or not: to run it again might do it twice.
                    return Ok(Attempt::Failed(Trouble::Final, Err(fault(&error).into())));
                }
                tx.roll_back().await;
                Ok(Attempt::Failed(trouble, Err(fault(&error).into())))
            }
        }
    }

    /// Takes a lock of all tables that lets others read, on a connection of its own.
    pub(super) async fn hold(&self, tables: &[Table]) -> std::result::Result<Hold, Fault> {
        let mut link = unwrapped(self.taken(&self.pool.timeouts()).await)?;
        let tables: Vec<_> = tables.iter().map(|table| quoted(&table.name)).collect();
        let sql = format!(
            "BEGIN; SET LOCAL lock_timeout = '10s'; SET LOCAL idle_in_transaction_session_timeout = 0; LOCK TABLE {} IN SHARE MODE",
            tables.join(", ")
        );
        link.open = true;
        link.client.batch_execute(&sql).await.map_err(|error| fault(&error))?;
        Ok(Hold { link })
    }

    /// A connection, and a place for what writes.
    async fn connection(&self, mode: Mode) -> Result<(Pooled, Option<Place>)> {
        let mut timeouts = self.pool.timeouts();
        if mode == Mode::Read {
            return Ok((self.taken(&timeouts).await?, None));
        }
        let (began, wait) = (Instant::now(), timeouts.wait.unwrap_or(self.deadline));
        let place = timeout(wait, Arc::clone(&self.places).acquire_owned()).await.map_err(|_| overloaded())?;
        let place = place.map_err(Fault::internal)?;
        timeouts.wait = Some(wait.saturating_sub(began.elapsed()));
        Ok((self.taken(&timeouts).await?, Some(place)))
    }

    async fn taken(&self, timeouts: &Timeouts) -> Result<Pooled> {
        self.pool.timeout_get(timeouts).await.map_err(|error| match error {
            PoolError::Backend(fault) => fault.into(),
            PoolError::Timeout(TimeoutType::Wait) => overloaded(),
            other => Fault::unavailable(format!("no connection to the database: {other}")).into(),
        })
    }

    /// The others lead to the same server: none is taken up again.
    fn forget_connections(&self) {
        self.pool.retain(|_, _| false);
    }
}

/// All connections are at work, or all that are for those who write: the database is there, and nothing has been tried.
fn overloaded() -> Error {
    Refusal::Overloaded { retry_after: BREATHER }.into()
}

/// How many of so many connections those who write may have at once.
fn writers(connections: usize) -> usize {
    (connections * 3 / 4).max(1)
}

/// Runs what a committed transaction has put off. Its outcome stands, whatever becomes of this.
async fn run_later(mut tx: Box<Tx>) {
    match tokio::time::timeout(LATER, tx.run_later()).await {
        Ok(Ok(())) => {}
        Ok(Err(fault)) => {
            tx.roll_back().await;
            tracing::warn!(%fault, "tries that have succeeded stay counted");
        }
        Err(_) => tracing::warn!("tries that have succeeded stay counted: the store did not answer in time"),
    }
}

/// An open transaction that holds locks, and nothing else.
pub(in crate::core::store) struct Hold {
    link: Pooled,
}

impl Hold {
    /// Whether its connection is gone, and the locks with it.
    pub(super) fn is_lost(&self) -> bool {
        self.link.client.is_closed()
    }
}

/// One run of a body.
enum Attempt<T> {
    /// It came to its outcome, which is on disk unless it is an error. With what is to be run after it.
    Done(Result<T>, Option<Box<Tx>>),
    /// It came to nothing.
    Failed(Trouble, Result<T>),
}
