//! `doorward copy`.

use std::io::{self, Write as _};

use clap::Args;
use serde::Serialize;

use super::failure::Failure;
use super::output::Output;
use super::settings::Settings;
use crate::app;
use crate::config::url::DatabaseUrl;
use crate::core::flows::copy::{self, Copied, Progress};

/// From where to where. A URL with a password is better named by a variable of the environment: others see arguments.
#[derive(Args)]
pub(super) struct Copy {
    /// The database to copy: sqlite:// or postgres://. The one of the configuration if nothing is said.
    #[arg(long, value_name = "URL", conflicts_with = "from_env")]
    from: Option<String>,
    /// As --from, with the URL in this variable of the environment.
    #[arg(long, value_name = "NAME")]
    from_env: Option<String>,
    /// The database to fill, which must be empty: sqlite:// or postgres://.
    #[arg(long, value_name = "URL", conflicts_with = "to_env", required_unless_present = "to_env")]
    to: Option<String>,
    /// As --to, with the URL in this variable of the environment.
    #[arg(long, value_name = "NAME")]
    to_env: Option<String>,
}

#[derive(Serialize)]
struct Row {
    from: String,
    to: String,
    resumed: bool,
    tables: Vec<TableRow>,
}

#[derive(Serialize)]
struct TableRow {
    table: String,
    rows: u64,
    sha256: String,
}

impl Copy {
    pub(super) fn run(self, settings: &Settings, output: Output) -> Result<(), Failure> {
        let config = settings.load()?.config;
        let from = url("--from", self.from, self.from_env)?.unwrap_or_else(|| config.database());
        let to =
            url("--to", self.to, self.to_env)?.ok_or_else(|| Failure::Usage("--to: name the database to fill".to_owned()))?;
        if let DatabaseUrl::Sqlite(path) = &from
            && !path.exists()
        {
            return Err(Failure::failed(format!("the source: {}: there is no database", path.display())));
        }
        let open = |flag: &str, url: &DatabaseUrl| {
            app::database_at(&config, url).map_err(|mend| Failure::Usage(format!("{flag}: {mend}")))
        };
        let (source, target) = (open("--from", &from)?, open("--to", &to)?);
        let copied = super::console::block_on(copy::copy(&source, &target, &mut tell))??;
        let row = Row::new(&from, &to, copied);
        output.value(&row, || row.text())
    }
}

/// Progress is for whoever looks on; nobody need.
fn tell(progress: Progress<'_>) {
    let _ = match progress {
        Progress::Copied { table, rows } => writeln!(io::stderr(), "{table}: {rows} rows copied"),
        Progress::Comparing { table } => writeln!(io::stderr(), "{table}: comparing"),
    };
}

/// The URL that was given, in the one way or the other.
fn url(flag: &str, given: Option<String>, variable: Option<String>) -> Result<Option<DatabaseUrl>, Failure> {
    let (named, text) = match (given, variable) {
        (Some(text), _) => (flag.to_owned(), text),
        (None, Some(name)) => {
            let missing =
                |_| Failure::Usage(format!("{flag}-env: there is no variable {name} in the environment, or it is no text"));
            let text = std::env::var(&name).map_err(missing)?;
            (format!("{flag}-env {name}"), text)
        }
        (None, None) => return Ok(None),
    };
    DatabaseUrl::parse(&text).map(Some).map_err(|expected| Failure::Usage(format!("{named}: {expected}")))
}

impl Row {
    fn new(from: &DatabaseUrl, to: &DatabaseUrl, copied: Copied) -> Self {
        let table = |table: copy::CopiedTable| TableRow { table: table.name, rows: table.rows, sha256: table.sha256 };
        Self {
            from: from.to_string(),
            to: to.to_string(),
            resumed: copied.resumed,
            tables: copied.tables.into_iter().map(table).collect(),
        }
    }

    fn text(&self) -> String {
        let mut text = format!("{} is as {} is:\n", self.to, self.from);
        for table in &self.tables {
            text.push_str(&format!("  {:<16} {:>10} rows  sha256 {}\n", table.table, table.rows, table.sha256));
        }
        text
    }
}
