//! `doorward backup` and `doorward restore`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::console::{self, desk};
use super::failure::Failure;
use super::output::Output;
use super::settings::Settings;
use crate::app;
use crate::config::url::DatabaseUrl;
use crate::core::flows::backup;

/// Where to.
#[derive(Args)]
pub(super) struct Backup {
    /// A file that is not there yet.
    file: PathBuf,
}

/// Where from.
#[derive(Args)]
pub(super) struct Restore {
    /// What `doorward backup` has made.
    file: PathBuf,
    /// Replace the database that there is; it is kept under another name.
    #[arg(long)]
    force: bool,
}

impl Backup {
    pub(super) fn run(&self, settings: &Settings, output: Output) -> Result<(), Failure> {
        let config = settings.load()?.config;
        let database = app::database(&config)?;
        if let DatabaseUrl::Sqlite(path) = config.database()
            && !path.exists()
        {
            return Err(Failure::failed(format!("{}: there is no database", path.display())));
        }
        backup::back_up(&database, &self.file)?;
        let file = self.file.display().to_string();
        output.value(&json!({ "file": file }), || format!("{file} is a copy of {}.", config.database()))
    }
}

impl Restore {
    pub(super) fn run(&self, settings: &Settings, output: Output) -> Result<(), Failure> {
        let config = settings.load()?.config;
        let (database, now) = (app::database(&config)?, desk().call().now);
        let kept = console::block_on(backup::restore(&database, &self.file, self.force, now))??;
        let kept = kept.map(|kept| kept.display().to_string());
        let (file, place) = (self.file.display().to_string(), config.database().to_string());
        output.value(&json!({ "file": file, "database": place, "kept": kept }), || match &kept {
            Some(kept) => format!("{place} is as {file} was; what was there before is {kept}."),
            None => format!("{place} is as {file} was."),
        })
    }
}
