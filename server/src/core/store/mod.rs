//! What is kept, and the only SQL there is. Private to core: a flow asks for things by name, nobody else can ask at all.
//!
//! One file per entity. Every statement holds on SQLite and on PostgreSQL, and goes by a primary key or an index.

pub(super) mod applications;
pub(super) mod audit;
pub(super) mod authenticators;
mod cache;
mod clients;
pub(super) mod copy;
mod engine;
pub(super) mod files;
pub(super) mod invitations;
pub(super) mod limits;
pub(super) mod mails;
pub(super) mod migrations;
mod packed;
pub(super) mod passwords;
pub(super) mod secrets;
pub(super) mod security_keys;
pub(super) mod sessions;
pub(super) mod tickets;
pub(super) mod unbound_tickets;
pub(super) mod users;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::seen::Use;
use super::token::SecretHash;
use super::{Error, Fault, Result};
use cache::Sessions;
pub(super) use cache::{Counts, Known, Moment, Touch};
pub(super) use engine::{Address, EngineSettings, PostgresSettings, Tx};
use engine::{Engine, Mode};
use migrations::Step;

/// Declares a file's statements, and lists them for the test that prepares each on every engine.
macro_rules! statements {
    ($($name:ident = $sql:expr;)+) => {
        $(const $name: $crate::core::store::engine::Sql = $crate::core::store::engine::Sql($sql);)+
        /// Every statement of this file.
        #[cfg(test)]
        pub(super) const STATEMENTS: &[$crate::core::store::engine::Sql] = &[$($name),+];
    };
}
use statements;

/// Bound parameters, in the order of `$1`, `$2` …
macro_rules! values {
    ($($value:expr),* $(,)?) => { &[$($crate::core::store::engine::Value::from($value)),*] };
}
use values;

/// Rows that one statement of a sweep deletes. It is a literal in each, for PostgreSQL plans them without looking at parameters: of a limit
/// that it does not know it expects a tenth of the table, and would read all that is expired for each batch. So few that a check which has
/// to wait for a processor that is at it hardly waits.
macro_rules! sweep_batch {
    () => {
        20
    };
}
use sweep_batch;

/// Rows of one application, by the index. A range and an order, for by `=` PostgreSQL would expect as many as an application has on the
/// average, and go through others' rows until it has met enough of them: of a revoked one there are none for ever.
macro_rules! of_application {
    ($id:tt) => {
        concat!("application_id >= ", $id, " AND application_id <= ", $id, " ORDER BY application_id")
    };
}
use of_application;

/// As the statements have it.
pub(super) const SWEEP_BATCH: u64 = sweep_batch!();

/// The outcome of work that refuses nothing.
pub(super) fn unwrapped<T>(outcome: Result<T>) -> std::result::Result<T, Fault> {
    outcome.map_err(|error| match error {
        Error::Faulted(fault) => fault,
        Error::Refused(refusal) => Fault::internal(format!("what refuses nothing refused: {}", refusal.name())),
    })
}

/// The open database.
pub(super) struct Store {
    engine: Engine,
    sessions: Arc<Sessions>,
}

impl Store {
    /// Opens the database and brings its schema up to date. A call waits `deadline` for its answer; live sessions are kept in memory up
    /// to `cache` bytes.
    pub(super) async fn open(settings: &EngineSettings, deadline: Duration, cache: u64) -> std::result::Result<Self, Fault> {
        Self::open_with(settings, deadline, cache, migrations::STEPS).await
    }

    async fn open_with(
        settings: &EngineSettings,
        deadline: Duration,
        cache: u64,
        steps: &'static [Step],
    ) -> std::result::Result<Self, Fault> {
        let sessions = Arc::new(Sessions::new(cache));
        let engine = Engine::open_telling(settings, deadline, &sessions)?;
        let standing = migrations::standing(&engine, steps).await?;
        standing.check()?;
        if standing.pending(steps).next().is_some() {
            migrations::run(settings, steps).await?;
        }
        Ok(Self { engine, sessions })
    }

    /// Looks into a database whose schema is left as it is.
    pub(super) async fn look<T, F>(settings: &EngineSettings, deadline: Duration, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T>> + Clone + Send + 'static,
    {
        Engine::open(settings, deadline)?.run(Mode::Read, work).await
    }

    /// Whether it is to be found out by writing whether the database can be written to: the last that was to be could not, and nothing is under
    /// way that will tell.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.engine.is_in_doubt()
    }

    /// Whether rows can be read, the last that was to be written could be, and the schema is still one that this release can work with.
    pub(super) async fn ping(&self) -> Result<()> {
        self.engine.writes()?;
        self.engine.run(Mode::Read, |tx| Box::pin(async move { Ok(migrations::check(tx, migrations::STEPS).await?) })).await
    }

    /// The session that a token opens and its user, if memory has them as the database does.
    pub(super) fn recall(&self, token: &SecretHash) -> Option<Known> {
        self.sessions.get(token)
    }

    /// To be asked before a check's reading, whose outcome is to be kept in memory.
    pub(super) fn missed(&self) -> Moment {
        self.sessions.counts.misses.fetch_add(1, Ordering::Relaxed);
        self.sessions.now()
    }

    /// Keeps in memory what a reading that began after `moment` has found.
    pub(super) fn keep(&self, token: SecretHash, known: &Known, moment: Moment) {
        self.sessions.put(token, known, moment);
    }

    /// Brings what is in memory up to uses that have been written down.
    pub(super) fn used(&self, uses: &[Use]) {
        uses.iter().for_each(|noted| self.sessions.used(noted));
    }

    /// How memory has served, and whether it does.
    pub(super) fn memory(&self) -> (&Counts, bool) {
        (&self.sessions.counts, self.sessions.is_live())
    }

    /// Waits, if this process has changed what others may have in memory, until they answer from it no more.
    pub(super) async fn obeyed(&self) {
        if self.sessions.has_written() {
            self.engine.obeyed().await;
        }
    }

    /// Waits until what goes on after answers is done.
    pub(super) async fn settled(&self) {
        self.engine.settled().await;
    }

    /// How many transactions were run again because they had met others.
    pub(super) fn reruns(&self) -> u64 {
        self.engine.reruns()
    }

    /// Runs `work` as one transaction, as if it ran alone, and answers when it is on disk. An error of `work` undoes all that it wrote; a
    /// refusal that must leave a trace is returned as a value. `work` awaits nothing but the store, and may be run again from its start.
    pub(super) async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T>> + Clone + Send + 'static,
    {
        self.engine.run(Mode::Write, work).await
    }

    /// As [`Store::write`], for statements that each hold by themselves: a counter moved and compared, rows that are of nobody's concern
    /// deleted. Many callers that move one counter wait for one another here, where [`Store::write`] would run all but one again.
    pub(super) async fn write_each<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T>> + Clone + Send + 'static,
    {
        self.engine.run(Mode::Each, work).await
    }

    /// As [`Store::write_each`], but answers without waiting for the disk. What was written outlives the process, but not a power failure:
    /// for what nobody misses then, a counted try, or rows that will be swept again.
    pub(super) async fn write_soon<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T>> + Clone + Send + 'static,
    {
        self.engine.run(Mode::Soon, work).await
    }

    /// Runs `work` on one consistent view of the data.
    pub(super) async fn read<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T>> + Clone + Send + 'static,
    {
        self.engine.run(Mode::Read, work).await
    }
}
