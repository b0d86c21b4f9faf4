//! A database of one's own for a test, on the engine that the tests run on.

#[allow(dead_code, reason = "the integration tests use all of it")]
#[path = "../../../../tests/it/database.rs"]
pub(in crate::core::store) mod database;

use std::time::Duration;

use super::{Address, EngineSettings, PostgresSettings};
use database::Database;

/// The folder and the database go with the first of the pair.
pub(in crate::core::store) async fn settings() -> ((tempfile::TempDir, Database), EngineSettings) {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::new(folder.path()).await;
    let settings = of(&database);
    ((folder, database), settings)
}

/// How a test's database is opened.
pub(in crate::core::store) fn of(database: &Database) -> EngineSettings {
    match database {
        Database::Sqlite(path) => EngineSettings::Sqlite(path.clone()),
        Database::Postgres { .. } => EngineSettings::Postgres(PostgresSettings {
            address: Address::parse(&database.url()).unwrap(),
            pool_size: 4,
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(10),
            pooler: false,
        }),
    }
}
