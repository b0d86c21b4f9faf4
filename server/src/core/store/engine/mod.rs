//! The only place that names a database driver. Above it there are [`Sql`] texts that hold on every engine, [`Value`]s of two types,
//! and [`Tx`], a transaction.

mod sqlite;
#[cfg(test)]
mod tests;
mod value;

use std::path::PathBuf;
use std::time::Duration;

pub(super) use sqlite::Engine;
pub(in crate::core) use sqlite::Tx;
pub(super) use value::{Fields, Row, Value};

/// A statement: `$n` placeholders, the dialect that SQLite and PostgreSQL share. Made by [`statements!`](super::statements) alone, so
/// that all are known to the test that prepares each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sql(pub(super) &'static str);

/// Where the database is and how it is used.
#[derive(Clone, Debug)]
pub(super) struct EngineSettings {
    /// The database file.
    pub(super) path: PathBuf,
    /// Threads that read.
    pub(super) readers: usize,
    /// How long a call waits for its answer.
    pub(super) deadline: Duration,
}
