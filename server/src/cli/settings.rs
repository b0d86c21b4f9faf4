//! The flags that are the top layer of the configuration: `--config`, and one for each key.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, value_parser};

use super::failure::Failure;
use crate::config::load::{flag, keys};
use crate::config::{Input, Loaded, load};

/// The keys whose flags every help text shows: what one needs to try the server and to find its data again.
const SHOWN: [&str; 5] = ["listen", "public_url", "data_dir", "database_url", "smtp_url"];

/// Under what help texts list them.
const HEADING: &str = "Configuration";

/// The flags as given.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    /// The file named by `--config`.
    pub(super) file: Option<PathBuf>,
    /// Dotted key and value.
    flags: Vec<(String, String)>,
}

impl Settings {
    /// All four layers.
    pub(super) fn load(&self) -> Result<Loaded, Failure> {
        Ok(load(&Input::of_process(self.file.clone(), self.flags.clone()))?)
    }
}

impl FromArgMatches for Settings {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let value = |key: String| matches.get_one::<String>(&key).cloned().map(|value| (key, value));
        let flags = keys().into_iter().filter_map(|(key, _)| value(key)).collect();
        Ok(Self { file: matches.get_one::<PathBuf>("config").cloned(), flags })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Settings {
    fn augment_args(command: Command) -> Command {
        let file = Arg::new("config")
            .long("config")
            .value_name("PATH")
            .value_parser(value_parser!(PathBuf))
            .help("The file of the configuration, in the place of doorward.toml in the working directory")
            .global(true)
            .help_heading(HEADING);
        let keys = keys().into_iter().map(|(key, documentation)| {
            let (long, shown) = (flag(&key), SHOWN.contains(&key.as_str()));
            Arg::new(key).long(long).value_name("VALUE").help(documentation).hide(!shown).global(true).help_heading(HEADING)
        });
        command.arg(file).args(keys)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}
