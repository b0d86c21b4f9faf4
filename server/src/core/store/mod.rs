//! What is kept, and the only SQL there is. Private to core: a flow asks for things by name, nobody else can ask at all.
//!
//! One file per entity. Every statement holds on SQLite and on PostgreSQL, and goes by a primary key or an index.

pub(super) mod applications;
pub(super) mod audit;
pub(super) mod authenticators;
mod engine;
pub(super) mod invitations;
pub(super) mod limits;
pub(super) mod mails;
mod migrations;
pub(super) mod passwords;
pub(super) mod secrets;
pub(super) mod security_keys;
pub(super) mod sessions;
pub(super) mod tickets;
pub(super) mod users;

use std::path::PathBuf;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::{Fault, Result};
pub(super) use engine::Tx;
use engine::{Engine, EngineSettings};

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

/// The open database.
pub(super) struct Store {
    engine: Engine,
}

impl Store {
    /// Opens the SQLite database at `path` and brings its schema up to date.
    pub(super) async fn open(path: PathBuf, deadline: Duration) -> std::result::Result<Self, Fault> {
        let engine = Engine::open(&EngineSettings { path, readers: 2, deadline })?;
        let store = Self { engine };
        migrations::run(&store).await?;
        Ok(store)
    }

    /// Whether rows can be read, and the last that was to be written could be.
    pub(super) async fn ping(&self) -> Result<()> {
        self.engine.writes()?;
        self.engine.read(|tx| Box::pin(async move { Ok(migrations::latest(tx).await.map(drop)?) })).await
    }

    /// Runs `work` as one transaction and answers when it is on disk. An error of `work` undoes all that it wrote; a refusal that must
    /// leave a trace is returned as a value. `work` awaits nothing but the store.
    pub(super) async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T>> + Send + 'static,
    {
        self.engine.write(work).await
    }

    /// Runs `work` on one consistent view of the data.
    pub(super) async fn read<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T>> + Send + 'static,
    {
        self.engine.read(work).await
    }
}
