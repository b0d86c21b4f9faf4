//! The schema's history, embedded. Each step runs once, all that are new in one transaction.

use super::engine::Tx;
use super::{Store, statements, values};
use crate::core::{Fault, Result};

/// In order; a file that has been released never changes.
const STEPS: &[(i64, &str)] =
    &[(1, include_str!("../../../../migrations/0001_initial.sql")), (2, include_str!("../../../../migrations/0002_decoys.sql"))];

statements! {
    LATEST = "SELECT version FROM schema_migrations ORDER BY version DESC LIMIT 1";
    RECORD = "INSERT INTO schema_migrations (version) VALUES ($1)";
}

pub(super) async fn run(store: &Store) -> std::result::Result<(), Fault> {
    let ran: Result<()> = store.write_each(|tx| Box::pin(migrate(tx))).await;
    match ran {
        Ok(()) => Ok(()),
        Err(crate::core::Error::Faulted(fault)) => Err(fault),
        Err(crate::core::Error::Refused(_)) => Err(Fault::internal("a migration was refused")),
    }
}

/// The version of the schema; 0 before the first migration.
pub(super) async fn latest(tx: &mut Tx) -> std::result::Result<i64, Fault> {
    tx.query_opt(LATEST, values![]).await?.map_or(Ok(0), |row| row.fields().int())
}

async fn migrate(tx: &mut Tx) -> Result<()> {
    // Nodes that start together wait for the first, and find it done.
    tx.lock_schema().await?;
    tx.batch("CREATE TABLE IF NOT EXISTS schema_migrations (version BIGINT PRIMARY KEY)").await?;
    let latest = latest(tx).await?;
    let newest = STEPS.last().map_or(0, |(version, _)| *version);
    if latest > newest {
        let told = format!(
            "the database has schema {latest}, this release knows {newest}: start the release that made it, or a later one"
        );
        return Err(Fault::internal(told).into());
    }
    for (version, sql) in STEPS.iter().filter(|(version, _)| *version > latest) {
        tx.batch(sql).await?;
        tx.execute(RECORD, values![*version]).await?;
    }
    Ok(())
}
