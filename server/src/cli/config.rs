//! `doorward config …`.

use clap::Subcommand;
use serde_json::json;

use super::failure::Failure;
use super::output::{self, Output};
use super::settings::Settings;
use crate::{app, config};

/// What to do with the configuration.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Say whether every value can be used.
    Check,
    /// Write every value and where it comes from; secrets masked.
    Show,
    /// Write the annotated example file: every key with its default.
    Example,
}

impl Command {
    pub(super) fn run(self, settings: &Settings, output: Output) -> Result<(), Failure> {
        match self {
            Self::Check => {
                let loaded = settings.load()?;
                app::check(&loaded)?;
                let file = loaded.file.as_ref().map(|file| file.display().to_string());
                output.value(&json!({ "ok": true, "file": file }), || match &file {
                    Some(file) => format!("The configuration is right; it was read from {file}, the environment and the flags."),
                    None => {
                        "The configuration is right; there is no file, it was read from the environment and the flags.".to_owned()
                    }
                })
            }
            Self::Show => {
                let loaded = settings.load()?;
                output.value(&loaded.show_json(), || loaded.show())
            }
            Self::Example => output::write(&config::example()),
        }
    }
}
