//! Where the data is kept.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::store::{Address, EngineSettings, PostgresSettings};

/// A database, named and judged but not opened.
#[derive(Clone)]
pub struct Database(pub(super) EngineSettings);

/// How a PostgreSQL server is used.
#[derive(Clone, Copy, Debug)]
pub struct PoolPolicy {
    /// The most connections that are held.
    pub size: usize,
    /// How long a call waits for one of them.
    pub acquire_timeout: Duration,
    /// How long a statement, and a transaction as a whole, may take.
    pub statement_timeout: Duration,
    /// A pooler in transaction mode is between: nothing may be prepared or set on a connection.
    pub pooler: bool,
}

impl Database {
    /// An SQLite file.
    #[must_use]
    pub const fn sqlite(path: PathBuf) -> Self {
        Self(EngineSettings::Sqlite(path))
    }

    /// A PostgreSQL server, by a `postgres://` URL with one host or several.
    ///
    /// # Errors
    /// What is wrong with the URL, in words for the operator; never a part of it that may be a secret.
    pub fn postgres(url: &str, pool: PoolPolicy) -> Result<Self, String> {
        let address = Address::parse(url)?;
        Ok(Self(EngineSettings::Postgres(PostgresSettings {
            address,
            pool_size: pool.size,
            acquire_timeout: pool.acquire_timeout,
            statement_timeout: pool.statement_timeout,
            pooler: pool.pooler,
        })))
    }
}

impl Database {
    /// The file, where there is one.
    pub(super) fn file(&self) -> Option<&Path> {
        match &self.0 {
            EngineSettings::Sqlite(path) => Some(path),
            EngineSettings::Postgres(_) => None,
        }
    }

    /// What tells one database from others, without a secret.
    pub(super) fn place(&self) -> String {
        match &self.0 {
            EngineSettings::Sqlite(path) => format!("sqlite:{}", path.canonicalize().as_ref().unwrap_or(path).display()),
            EngineSettings::Postgres(settings) => format!("postgres:{}", settings.address.place()),
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            EngineSettings::Sqlite(path) => write!(f, "SQLite {}", path.display()),
            EngineSettings::Postgres(_) => f.write_str("PostgreSQL"),
        }
    }
}
