//! Bringing a database's schema up to date, and saying beforehand what that would do.

use std::time::Duration;

use crate::core::Fault;
use crate::core::database::Database;
use crate::core::store::migrations;

/// A step of the schema that a database lacks, or lacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlannedStep {
    /// Its number.
    pub version: i64,
    /// The name of its file.
    pub file: &'static str,
    /// Whether the release that the database is of can go on beside this one after it.
    pub beside: bool,
}

/// What there is to do, or was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The schema that the database has, or had; 0: it is empty.
    pub current: i64,
    /// The newest that this release knows.
    pub newest: i64,
    /// The steps between, in order.
    pub steps: Vec<PlannedStep>,
}

/// Looks at a database without changing anything; `deadline` is how long it may take to answer.
///
/// # Errors
/// When it cannot be read, is of a later release that this one cannot work beside, or is the target of an unfinished copy.
pub async fn plan(database: &Database, deadline: Duration) -> Result<Plan, Fault> {
    let (current, pending) = migrations::plan(&database.0, deadline).await?;
    Ok(planned(current, pending))
}

/// Runs the steps that a database lacks, all or none.
///
/// # Errors
/// As [`plan`], and when a step fails.
pub async fn migrate(database: &Database, deadline: Duration) -> Result<Plan, Fault> {
    let (current, _) = migrations::plan(&database.0, deadline).await?;
    let ran = migrations::run(&database.0, migrations::STEPS).await?;
    Ok(planned(current, ran))
}

fn planned(current: i64, steps: Vec<&'static migrations::Step>) -> Plan {
    let steps = steps.into_iter().map(|step| PlannedStep {
        version: step.version,
        file: step.file,
        beside: step.compatible_from <= current,
    });
    Plan { current, newest: migrations::newest(migrations::STEPS), steps: steps.collect() }
}
