//! `doorward migrate`.

use clap::Args;
use serde::Serialize;

use super::failure::Failure;
use super::output::Output;
use super::settings::Settings;
use crate::app;
use crate::core::flows::schema::{self, Plan, PlannedStep};

/// Brings the schema up to date, as `serve` does when it starts.
#[derive(Args)]
pub(super) struct Migrate {
    /// Say what would be done, and change nothing.
    #[arg(long)]
    plan: bool,
}

#[derive(Serialize)]
struct Row {
    /// Whether the steps have run.
    done: bool,
    current: i64,
    newest: i64,
    steps: Vec<StepRow>,
}

#[derive(Serialize)]
struct StepRow {
    version: i64,
    file: &'static str,
    /// Whether nodes of the release that the database is of can go on.
    previous_release_may_run_beside: bool,
}

impl Migrate {
    pub(super) fn run(&self, settings: &Settings, output: Output) -> Result<(), Failure> {
        let loaded = settings.load()?;
        let (database, deadline) = (app::database(&loaded.config)?, app::store_deadline(&loaded.config));
        let plan = super::console::block_on(async {
            if self.plan { schema::plan(&database, deadline).await } else { schema::migrate(&database, deadline).await }
        })?;
        let plan = plan.map_err(|fault| app::cannot_open(&loaded.config.database(), &fault))?;
        let row = Row::new(&plan, !self.plan);
        output.value(&row, || row.text())
    }
}

impl Row {
    fn new(plan: &Plan, done: bool) -> Self {
        let step =
            |step: &PlannedStep| StepRow { version: step.version, file: step.file, previous_release_may_run_beside: step.beside };
        Self { done, current: plan.current, newest: plan.newest, steps: plan.steps.iter().map(step).collect() }
    }

    fn text(&self) -> String {
        let current = match self.current {
            0 => "The database is empty".to_owned(),
            version => format!("The database {} schema {version}", if self.done { "had" } else { "has" }),
        };
        if self.steps.is_empty() {
            return format!("{current}; this release knows {}. There is nothing to do.", self.newest);
        }
        let mut text = format!("{current}; {}:\n", if self.done { "these steps were run" } else { "these steps would be run" });
        for step in &self.steps {
            let beside = match (self.current, step.previous_release_may_run_beside) {
                (0, _) => "",
                (_, true) => "  nodes of the release before can go on",
                (_, false) => "  stop the nodes of the release before first",
            };
            text.push_str(&format!("  {}{beside}\n", step.file));
        }
        text
    }
}
