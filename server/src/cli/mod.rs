//! The command line. A command reads its arguments, calls one flow as the operator, and writes what came out.

mod app;
mod audit;
mod backup;
mod config;
mod console;
mod copy;
mod failure;
mod greeting;
mod invitation;
mod mail;
mod migrate;
mod openapi;
mod output;
mod paging;
mod password;
mod serve;
mod session;
mod settings;
mod signals;
mod user;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::Failure;
use output::Output;
use settings::Settings;

/// A self-hosted login server that speaks the auth APIs existing clients already speak.
#[derive(Parser)]
#[command(name = "doorward", version, about, arg_required_else_help = true, after_help = AFTER_HELP)]
struct Cli {
    #[command(flatten)]
    settings: Settings,
    /// Write what was asked for as JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "Every key of the configuration is a flag too, such as --limits-enabled false; `doorward config example` lists \
                          and explains them.";

#[derive(Subcommand)]
enum Command {
    /// Start the server.
    Serve,
    /// Users: create, list, show, disable, enable, delete, set a password.
    #[command(subcommand)]
    User(user::Command),
    /// Invitations: create, list, revoke.
    #[command(subcommand)]
    Invitation(invitation::Command),
    /// Applications, programs with credentials of their own: create, list, rotate, revoke.
    #[command(subcommand)]
    App(app::Command),
    /// Sessions: list, revoke.
    #[command(subcommand)]
    Session(session::Command),
    /// The mails that were promised: list, show, retry.
    #[command(subcommand)]
    Mail(mail::Command),
    /// The audit log: list.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Bring the database's schema up to date, or say what that would do.
    Migrate(migrate::Migrate),
    /// Put everything into another database: from SQLite to PostgreSQL, back, or into one of the same kind.
    Copy(copy::Copy),
    /// Copy the SQLite database into a file, beside a running server.
    Backup(backup::Backup),
    /// Put a backup into the place of the SQLite database, while no server runs.
    Restore(backup::Restore),
    /// Write the OpenAPI document of an API, as the server publishes it.
    Openapi(openapi::Openapi),
    /// The configuration: check, show, example.
    #[command(subcommand)]
    Config(config::Command),
}

/// Does what the process was called for. The exit code is 0 if that was done, 2 if the arguments or the configuration are wrong, and 1
/// if it was refused or failed.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Nobody reads a help text that cannot be written.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    // The panic itself has been told by the hook; its own exit code, 101, means nothing to a supervisor.
    match catch_unwind(AssertUnwindSafe(|| cli.run())) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(failure)) => failure.report(),
        Err(_) => ExitCode::FAILURE,
    }
}

impl Cli {
    fn run(self) -> Result<(), Failure> {
        let (settings, output) = (self.settings, Output::new(self.json));
        match self.command {
            Command::Serve => serve::run(&settings, output),
            Command::Migrate(command) => command.run(&settings, output),
            Command::Copy(command) => command.run(&settings, output),
            Command::Backup(command) => command.run(&settings, output),
            Command::Restore(command) => command.run(&settings, output),
            Command::Openapi(command) => command.run(&settings),
            Command::Config(command) => command.run(&settings, output),
            Command::User(command) => {
                console::with(&settings, output, command.begins(), async |console| command.run(console).await)
            }
            Command::Invitation(command) => {
                console::with(&settings, output, command.begins(), async |console| command.run(console).await)
            }
            Command::App(command) => {
                console::with(&settings, output, command.begins(), async |console| command.run(console).await)
            }
            Command::Session(command) => console::with(&settings, output, false, async |console| command.run(console).await),
            Command::Mail(command) => console::with(&settings, output, false, async |console| command.run(console).await),
            Command::Audit(command) => console::with(&settings, output, false, async |console| command.run(console).await),
        }
    }
}

#[cfg(test)]
mod tests;
