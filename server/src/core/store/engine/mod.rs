//! The only place that names a database driver. Above it there are [`Sql`] texts that hold on every engine, [`Value`]s of two types,
//! and [`Tx`], a transaction.

mod postgres;
mod sqlite;
#[cfg(test)]
mod tests;
mod value;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::super::{Fault, Result};
use super::cache::{Sessions, Touch};
use postgres::Mode;
pub(in crate::core) use postgres::address::Address;
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

/// Threads that read, on SQLite.
const READERS: usize = 2;

/// An open database.
pub(super) enum Engine {
    Sqlite(sqlite::Engine),
    Postgres(postgres::Engine),
}

/// A transaction. What is done in it is done as a whole or not at all.
pub(in crate::core) enum Tx {
    Sqlite(sqlite::Tx),
    Postgres(postgres::Tx),
}

impl Engine {
    /// Opens the database; `deadline` is how long a call waits for its answer. `sessions` is told what is written, here and elsewhere.
    pub(super) fn open(
        settings: &EngineSettings,
        deadline: Duration,
        sessions: &Arc<Sessions>,
    ) -> std::result::Result<Self, Fault> {
        match settings {
            EngineSettings::Sqlite(path) => sqlite::Engine::open(path, READERS, deadline, sessions).map(Self::Sqlite),
            EngineSettings::Postgres(settings) => postgres::Engine::open(settings, deadline, sessions).map(Self::Postgres),
        }
    }

    /// Runs `work` on one consistent view of the data.
    pub(super) async fn read<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T>> + Clone + Send + 'static,
    {
        match self {
            Self::Sqlite(engine) => engine.read(work).await,
            Self::Postgres(engine) => engine.run(Mode::Read, work).await,
        }
    }

    /// Runs `work` as one transaction, as if it ran alone, and answers when it is on disk. An error of `work` undoes all that it wrote.
    pub(super) async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T>> + Clone + Send + 'static,
    {
        match self {
            Self::Sqlite(engine) => engine.write(work).await,
            Self::Postgres(engine) => engine.run(Mode::Write, work).await,
        }
    }

    /// As [`Engine::write`] but that each statement sees what others have written meanwhile.
    pub(super) async fn write_each<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T>> + Clone + Send + 'static,
    {
        match self {
            Self::Sqlite(engine) => engine.write(work).await,
            Self::Postgres(engine) => engine.run(Mode::Each, work).await,
        }
    }

    /// A fault when the last transaction could not be written.
    pub(super) fn writes(&self) -> std::result::Result<(), Fault> {
        match self {
            Self::Sqlite(engine) => engine.writes(),
            Self::Postgres(engine) => engine.writes(),
        }
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
            Self::Postgres(tx) => tx.batch("SELECT pg_advisory_xact_lock(7237123447)").await,
        }
    }
}
