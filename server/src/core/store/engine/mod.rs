//! The only place that names a database driver. Above it there are [`Sql`] texts that hold on every engine, [`Value`]s of two types,
//! and [`Tx`], a transaction.

#[cfg(test)]
pub(super) mod fixture;
mod postgres;
pub(super) mod sqlite;
pub(super) mod table;
#[cfg(test)]
mod tests;
mod value;
mod writable;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::super::{Fault, Result};
use super::cache::{Sessions, Touch};
pub(in crate::core) use postgres::address::Address;
use table::Table;

pub(super) use value::{Fields, Row, Value};

/// A statement: `$n` placeholders, the dialect that SQLite and PostgreSQL share. Made by [`statements!`](super::statements) alone, so
/// that all are known to the test that prepares each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sql(pub(super) &'static str);

/// Where the database is and how it is used.
#[derive(Clone)]
pub(in crate::core) enum EngineSettings {
    /// The database file.
    Sqlite(PathBuf),
    /// A server.
    Postgres(PostgresSettings),
}

/// How a PostgreSQL server is used.
#[derive(Clone)]
pub(in crate::core) struct PostgresSettings {
    /// Its hosts.
    pub(in crate::core) address: Address,
    /// The most connections.
    pub(in crate::core) pool_size: usize,
    /// How long a call waits for one of them.
    pub(in crate::core) acquire_timeout: Duration,
    /// How long a statement, and a transaction as a whole, may take.
    pub(in crate::core) statement_timeout: Duration,
    /// Whether a pooler in transaction mode is between.
    pub(in crate::core) pooler: bool,
}

impl EngineSettings {
    /// The same database for work that takes its time: one connection or few, and statements as long as `patience`.
    pub(super) fn patient(&self, patience: Duration) -> Self {
        match self {
            Self::Sqlite(path) => Self::Sqlite(path.clone()),
            Self::Postgres(settings) => {
                Self::Postgres(PostgresSettings { pool_size: FEW, statement_timeout: patience, ..settings.clone() })
            }
        }
    }
}

/// Connections for work by a single hand.
const FEW: usize = 4;

/// Threads that read, on SQLite.
const READERS: usize = 2;

/// How a transaction is isolated from others, and when it is answered. On SQLite each runs as if alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// One view of the data, nothing written.
    Read,
    /// As if it ran alone; answered when it is on disk.
    Write,
    /// Each of its statements by itself, and sees what others have written meanwhile; answered when it is on disk.
    Each,
    /// As [`Mode::Each`], but answered when it is done: it outlives this process, but may be lost when the power or the machine fails.
    Soon,
}

impl Mode {
    /// Whether the answer waits for the disk, and for the standby if there is to be one.
    const fn lasts(self) -> bool {
        matches!(self, Self::Write | Self::Each)
    }
}

/// An open database.
pub(super) enum Engine {
    Sqlite(sqlite::Engine),
    Postgres(postgres::Engine),
}

/// Tables that nobody else may write to.
pub(super) enum Hold {
    Alone,
    Locked(Box<postgres::Hold>),
}

impl Hold {
    /// A fault when the connection that held them is gone.
    pub(super) fn check(&self) -> std::result::Result<(), Fault> {
        match self {
            Self::Locked(hold) if hold.is_lost() => Err(Fault::unavailable("the connection that kept others from writing broke")),
            Self::Alone | Self::Locked(_) => Ok(()),
        }
    }
}

/// A transaction. What is done in it is done as a whole or not at all.
pub(in crate::core) enum Tx {
    Sqlite(sqlite::Tx),
    Postgres(Box<postgres::Tx>),
}

impl Engine {
    /// Opens the database; `deadline` is how long a call waits for its answer.
    pub(super) fn open(settings: &EngineSettings, deadline: Duration) -> std::result::Result<Self, Fault> {
        Self::open_telling(settings, deadline, &Sessions::none())
    }

    /// As [`Engine::open`]; `sessions` is told what is written, here and elsewhere.
    pub(super) fn open_telling(
        settings: &EngineSettings,
        deadline: Duration,
        sessions: &Arc<Sessions>,
    ) -> std::result::Result<Self, Fault> {
        match settings {
            EngineSettings::Sqlite(path) => sqlite::Engine::open(path, READERS, deadline, sessions).map(Self::Sqlite),
            EngineSettings::Postgres(settings) => postgres::Engine::open(settings, deadline, sessions).map(Self::Postgres),
        }
    }

    /// Opens the database for work on it as a whole, by a single hand that takes its time. On SQLite nobody else can have it open.
    pub(super) fn open_alone(settings: &EngineSettings, patience: Duration) -> std::result::Result<Self, Fault> {
        match settings.patient(patience) {
            EngineSettings::Sqlite(path) => sqlite::Engine::open_alone(&path, patience).map(Self::Sqlite),
            EngineSettings::Postgres(settings) => {
                postgres::Engine::open(&settings, patience, &Sessions::none()).map(Self::Postgres)
            }
        }
    }

    /// Keeps everybody from writing to these tables for as long as what is returned lives. What is open alone needs no more.
    pub(super) async fn hold(&self, tables: &[Table]) -> std::result::Result<Hold, Fault> {
        match self {
            Self::Sqlite(_) => Ok(Hold::Alone),
            Self::Postgres(engine) => engine.hold(tables).await.map(Box::new).map(Hold::Locked),
        }
    }

    /// Runs `work` as one transaction. An error of `work` undoes all that it wrote.
    pub(super) async fn run<T, F>(&self, mode: Mode, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T>> + Clone + Send + 'static,
    {
        match self {
            Self::Sqlite(engine) => engine.run(mode, work).await,
            Self::Postgres(engine) => engine.run(mode, work).await,
        }
    }

    /// Waits until other processes answer no more from what they knew before the last write. On PostgreSQL they are notified of it.
    pub(super) async fn obeyed(&self) {
        match self {
            Self::Sqlite(engine) => engine.obeyed().await,
            Self::Postgres(_) => {}
        }
    }

    /// Waits until what goes on after answers is done. On SQLite nothing does.
    pub(super) async fn settled(&self) {
        match self {
            Self::Sqlite(_) => {}
            Self::Postgres(engine) => engine.settled().await,
        }
    }

    /// A fault when the last that was to be written could not be.
    pub(super) fn writes(&self) -> std::result::Result<(), Fault> {
        match self {
            Self::Sqlite(engine) => engine.writes(),
            Self::Postgres(engine) => engine.writes(),
        }
    }

    /// Whether something must be written to find out whether that is still so: nothing is under way that will tell.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.writes().is_err() && !matches!(self, Self::Postgres(engine) if engine.is_waited_for())
    }

    /// How many transactions were run again because they had met others.
    pub(super) fn reruns(&self) -> u64 {
        match self {
            Self::Sqlite(_) => 0,
            Self::Postgres(engine) => engine.reruns(),
        }
    }
}

impl Tx {
    /// Runs a statement that returns rows.
    pub(super) async fn query(&mut self, sql: Sql, values: &[Value]) -> std::result::Result<Vec<Row>, Fault> {
        match self {
            Self::Sqlite(tx) => tx.query(sql, values),
            Self::Postgres(tx) => tx.query(sql, values).await,
        }
    }

    /// Runs a statement that returns at most one row.
    pub(super) async fn query_opt(&mut self, sql: Sql, values: &[Value]) -> std::result::Result<Option<Row>, Fault> {
        Ok(self.query(sql, values).await?.into_iter().next())
    }

    /// Runs a statement that returns none; the number of rows that it changed.
    pub(super) async fn execute(&mut self, sql: Sql, values: &[Value]) -> std::result::Result<u64, Fault> {
        match self {
            Self::Sqlite(tx) => tx.execute(sql, values),
            Self::Postgres(tx) => tx.execute(sql, values).await,
        }
    }

    /// Moves a counter that many callers move at once, in a statement that holds by itself. In a transaction as if it ran alone it would
    /// make all others that move it run again: on PostgreSQL it is moved after the commit, when the caller has been
    /// answered.
    pub(super) async fn count(&mut self, sql: Sql, values: &[Value]) -> std::result::Result<(), Fault> {
        match self {
            Self::Sqlite(tx) => tx.execute(sql, values).map(|_| ()),
            Self::Postgres(tx) => tx.count(sql, values).await,
        }
    }

    /// Runs several statements of a migration.
    pub(super) async fn batch(&mut self, sql: &str) -> std::result::Result<(), Fault> {
        match self {
            Self::Sqlite(tx) => tx.batch(sql),
            Self::Postgres(tx) => tx.batch(sql).await,
        }
    }

    /// Says that the transaction has changed something which is kept in memory.
    pub(super) fn touch(&mut self, touch: Touch) {
        match self {
            Self::Sqlite(tx) => tx.touched.push(touch),
            Self::Postgres(tx) => tx.touched.push(touch),
        }
    }

    /// Holds others up that ask for the same, until the end of the transaction. SQLite has one writer at a time anyway.
    pub(super) async fn lock_schema(&mut self) -> std::result::Result<(), Fault> {
        match self {
            Self::Sqlite(_) => Ok(()),
            // Whoever waits long for a table makes all others wait behind: better to fail, and be started again.
            Self::Postgres(tx) => tx.batch("SELECT pg_advisory_xact_lock(7237123447); SET LOCAL lock_timeout = '10s'").await,
        }
    }

    /// The next rows of a table by its primary key, at most so many, after a key or from the first.
    pub(super) async fn page(&mut self, table: &Table, after: &[Value], rows: usize) -> std::result::Result<Vec<Row>, Fault> {
        self.read_whole(&table.page_sql(!after.is_empty(), rows), after).await
    }

    /// The greatest primary key of a table; nothing if it is empty.
    pub(super) async fn last_key(&mut self, table: &Table) -> std::result::Result<Vec<Value>, Fault> {
        let found = self.read_whole(&table.last_key_sql(), &[]).await?;
        Ok(found.into_iter().next().map_or_else(Vec::new, |row| row.0))
    }

    /// Puts in rows that have all columns of the table.
    pub(super) async fn fill(&mut self, table: &Table, rows: &[Row]) -> std::result::Result<(), Fault> {
        match self {
            Self::Sqlite(tx) => tx.fill(table, rows),
            Self::Postgres(tx) => tx.fill(table, rows).await,
        }
    }

    async fn read_whole(&mut self, sql: &str, values: &[Value]) -> std::result::Result<Vec<Row>, Fault> {
        match self {
            Self::Sqlite(tx) => tx.read_whole(sql, values),
            Self::Postgres(tx) => tx.read_whole(sql, values).await,
        }
    }

    /// All tables, in the order of their names.
    pub(super) async fn tables(&mut self) -> std::result::Result<Vec<Table>, Fault> {
        let (columns, parents) = match self {
            Self::Sqlite(_) => sqlite::CATALOGUE,
            Self::Postgres(_) => postgres::CATALOGUE,
        };
        Table::read(self.query(columns, &[]).await?, self.query(parents, &[]).await?)
    }
}
