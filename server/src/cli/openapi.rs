//! `doorward openapi NAME`.

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::failure::Failure;
use super::output;
use super::settings::Settings;
use crate::openapi;

/// Whose document to write. It has the public URL of the configuration in it.
#[derive(Args)]
pub(super) struct Openapi {
    /// The API.
    #[arg(value_parser = PossibleValuesParser::new(openapi::names()))]
    name: String,
}

impl Openapi {
    pub(super) fn run(&self, settings: &Settings) -> Result<(), Failure> {
        let config = settings.load()?.config;
        let documents =
            openapi::documents(&config.dialects, &config.origin()).map_err(|error| Failure::failed(error.to_string()))?;
        let found = documents.into_iter().find(|published| published.name == self.name);
        let found =
            found.ok_or_else(|| Failure::Usage(format!("{} is switched off; switch it on under `dialects`", self.name)))?;
        output::write(&format!("{:#}", found.document))
    }
}
