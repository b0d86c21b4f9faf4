//! The schema's history, embedded. Each step runs once, in a transaction of its own: what one locks, nodes of an older release wait for no
//! longer than that one takes.
//!
//! Expand first, contract a release later: a step says which releases can work with its result, by the schema that they know. An older
//! release starts on a newer schema if every step that it does not know is fit for it.

use std::time::Duration;

use super::engine::{Engine, EngineSettings, Mode, Tx};
use super::{copy, statements, unwrapped, values};
use crate::core::{Fault, Result};

/// How long the steps may take. Nobody waits for an answer meanwhile but whoever starts the server.
const PATIENCE: Duration = Duration::from_secs(60 * 60);

/// The step that made the column `compatible_from`.
const DECLARED_SINCE: i64 = 3;

/// The table that says which steps have run.
pub(super) const TABLE: &str = "schema_migrations";

/// One step.
#[derive(Clone, Copy, Debug)]
pub(in crate::core) struct Step {
    pub(in crate::core) version: i64,
    /// The name of its file.
    pub(in crate::core) file: &'static str,
    pub(super) sql: &'static str,
    /// The oldest schema whose release can work with the result: it finds all that it reads, and may leave out what it does not write.
    pub(in crate::core) compatible_from: i64,
}

macro_rules! step {
    ($version:literal, $file:literal, $compatible_from:literal) => {
        Step {
            version: $version,
            file: $file,
            sql: include_str!(concat!("../../../../migrations/", $file)),
            compatible_from: $compatible_from,
        }
    };
}

/// In order; a file that has been released never changes.
pub(in crate::core) const STEPS: &[Step] = &[
    step!(1, "0001_initial.sql", 1),
    step!(2, "0002_decoys.sql", 1),
    step!(3, "0003_compatible_from.sql", 1),
    step!(4, "0004_passkeys.sql", 1),
    step!(5, "0005_audit_refused.sql", 1),
];

statements! {
    LATEST = "SELECT version FROM schema_migrations ORDER BY version DESC LIMIT 1";
    // A step of a later release that this one cannot work with.
    UNFIT = "SELECT version FROM schema_migrations WHERE version > $1 AND COALESCE(compatible_from, version) > $1
             ORDER BY version LIMIT 1";
    RECORD = "INSERT INTO schema_migrations (version) VALUES ($1)";
    DECLARE = "UPDATE schema_migrations SET compatible_from = $2 WHERE version = $1";
}

/// Where a database stands.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    /// The version of its schema; 0 before the first step.
    pub(super) current: i64,
    /// A later release has run a step that this one cannot work with.
    unfit: Option<Fault>,
    /// It is the target of a copy that has not come to its end.
    half_copied: bool,
}

impl Standing {
    /// A fault when nothing but what made it so may work on it.
    pub(super) fn check(&self) -> std::result::Result<(), Fault> {
        match &self.unfit {
            Some(unfit) => Err(unfit.clone()),
            None if self.half_copied => Err(Fault::internal(
                "the database holds an unfinished copy: run the same `doorward copy` again, which goes on with it",
            )),
            None => Ok(()),
        }
    }

    /// The steps that are still to run.
    pub(super) fn pending<'s>(&self, steps: &'s [Step]) -> impl Iterator<Item = &'s Step> + use<'s> {
        let current = self.current;
        steps.iter().filter(move |step| step.version > current)
    }
}

/// Looks without changing anything, not even a file that is not there yet: the version of the schema and the steps that it lacks.
pub(in crate::core) async fn plan(
    settings: &EngineSettings,
    deadline: Duration,
) -> std::result::Result<(i64, Vec<&'static Step>), Fault> {
    let standing = match settings {
        EngineSettings::Sqlite(path) if !path.exists() => Standing { current: 0, unfit: None, half_copied: false },
        _ => standing(&Engine::open(settings, deadline)?, STEPS).await?,
    };
    standing.check()?;
    Ok((standing.current, standing.pending(STEPS).collect()))
}

/// Looks without changing anything.
pub(super) async fn standing(engine: &Engine, steps: &'static [Step]) -> std::result::Result<Standing, Fault> {
    unwrapped(engine.run(Mode::Read, move |tx| Box::pin(async move { Ok(stand(tx, steps).await?) })).await)
}

/// Runs what is to be run; what that was.
pub(in crate::core) async fn run(
    settings: &EngineSettings,
    steps: &'static [Step],
) -> std::result::Result<Vec<&'static Step>, Fault> {
    run_on(&Engine::open(&settings.patient(PATIENCE), PATIENCE)?, steps).await
}

/// As [`run`], on a database that is open.
pub(super) async fn run_on(engine: &Engine, steps: &'static [Step]) -> std::result::Result<Vec<&'static Step>, Fault> {
    let mut ran = Vec::new();
    while let Some(step) = unwrapped(engine.run(Mode::Each, move |tx| Box::pin(migrate(tx, steps))).await)? {
        ran.push(step);
    }
    Ok(ran)
}

/// The newest schema that these steps make.
pub(in crate::core) fn newest(steps: &[Step]) -> i64 {
    steps.last().map_or(0, |step| step.version)
}

/// A fault when a later release has run a step that this one cannot work with.
pub(super) async fn check(tx: &mut Tx, steps: &[Step]) -> std::result::Result<(), Fault> {
    let newest = newest(steps);
    if tx.query_opt(UNFIT, values![newest]).await?.is_none() {
        return Ok(());
    }
    let latest = latest(tx).await?;
    let told =
        format!("the database has schema {latest}, this release knows {newest}: start the release that made it, or a later one");
    Err(Fault::internal(told))
}

async fn stand(tx: &mut Tx, steps: &[Step]) -> std::result::Result<Standing, Fault> {
    let tables = tx.tables().await?;
    let has = |name: &str| tables.iter().any(|table| table.name == name);
    let half_copied = has(copy::MARK);
    if !has(TABLE) {
        return Ok(Standing { current: 0, unfit: None, half_copied });
    }
    let current = latest(tx).await?;
    // Below, the column that is asked for may not be there yet.
    let unfit = if current > newest(steps) { check(tx, steps).await.err() } else { None };
    Ok(Standing { current, unfit, half_copied })
}

async fn latest(tx: &mut Tx) -> std::result::Result<i64, Fault> {
    tx.query_opt(LATEST, values![]).await?.map_or(Ok(0), |row| row.fields().int())
}

/// Runs the next step, if there is one left.
async fn migrate(tx: &mut Tx, steps: &'static [Step]) -> Result<Option<&'static Step>> {
    // Nodes that start together wait for the first, and find it done.
    tx.lock_schema().await?;
    tx.batch("CREATE TABLE IF NOT EXISTS schema_migrations (version BIGINT PRIMARY KEY)").await?;
    let standing = stand(tx, steps).await?;
    standing.check()?;
    let Some(step) = standing.pending(steps).next() else { return Ok(None) };
    tx.batch(step.sql).await?;
    tx.execute(RECORD, values![step.version]).await?;
    // The first to have the column says it of those before, too.
    if step.version >= DECLARED_SINCE {
        for step in steps {
            tx.execute(DECLARE, values![step.version, step.compatible_from]).await?;
        }
    }
    Ok(Some(step))
}

#[cfg(test)]
mod tests;
