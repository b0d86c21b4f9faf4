//! Where commands work from: the open core, the operator's authority, and calls that say they came from the command line.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::sync::Arc;

use super::failure::Failure;
use super::output::Output;
use super::settings::Settings;
use crate::app;
use crate::config::url::DatabaseUrl;
use crate::core::call::{Call, Origin};
use crate::core::clock::SystemClock;
use crate::core::entropy::Randomness;
use crate::core::flows::authority::Authority;
use crate::core::flows::users;
use crate::core::model::{User, UserId};
use crate::core::{Core, Error, Refusal};
use crate::work::Desk;

/// A command's surroundings.
pub(super) struct Console {
    pub(super) core: Core,
    pub(super) output: Output,
    desk: Desk,
}

/// Runs a command on the database, next to a server or without one. A command that only looks at or changes what is there is not given
/// a new, empty database: that is another folder's by mistake.
pub(super) fn with(
    settings: &Settings,
    output: Output,
    begins: bool,
    command: impl AsyncFnOnce(&Console) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let loaded = settings.load()?;
    if let DatabaseUrl::Sqlite(path) = loaded.config.database()
        && !begins
        && !path.exists()
    {
        let text = "there is no database; name its folder with --data-dir, or make one with `doorward serve`";
        return Err(Failure::failed(format!("{}: {text}", path.display())));
    }
    block_on(async {
        let desk = desk();
        let core = app::open(&loaded.config, &desk).await?;
        let console = Console { core, output, desk };
        let outcome = command(&console).await;
        // A session that was ended here is ended for the server, too, once the command has ended.
        console.core.obeyed().await;
        outcome
    })?
}

/// Runs a command's asynchronous part.
pub(super) fn block_on<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::failed(format!("cannot start: {error}")))?;
    Ok(runtime.block_on(work))
}

/// The machine's own clock and randomness.
pub(super) fn desk() -> Desk {
    Desk { clock: Arc::new(SystemClock), entropy: Randomness::System }
}

/// Whoever may run commands may do everything.
pub(super) const OPERATOR: Authority = Authority::operator();

impl Console {
    pub(super) fn call(&self) -> Call {
        let origin = Origin::local("cli", "cli");
        Call { origin, ..self.desk.call() }
    }

    /// The user with this id, username or e-mail address.
    pub(super) async fn user(&self, reference: &str) -> Result<User, Failure> {
        let found = users::find(&self.core, OPERATOR, reference).await;
        Ok(found.map_err(Failure::of(|| no_user(reference)))?.user)
    }

    /// The id of a user, who may be deleted: what they did is still on record.
    pub(super) async fn user_id(&self, reference: &str) -> Result<UserId, Failure> {
        match (users::find(&self.core, OPERATOR, reference).await, reference.parse()) {
            (Ok(found), _) => Ok(found.user.id),
            (Err(Error::Refused(Refusal::NotFound)), Ok(id)) => Ok(id),
            (Err(error), _) => Err(Failure::of(|| no_user(reference))(error)),
        }
    }

    /// Asks on a terminal whether to go on; elsewhere there is nobody to ask.
    pub(super) fn confirm(&self, question: &str) -> Result<(), Failure> {
        if self.output.is_json() || !io::stdin().is_terminal() {
            return Ok(());
        }
        let mut answer = String::new();
        write!(io::stderr(), "{question} [y/N] ")?;
        io::stdin().lock().read_line(&mut answer).map_err(|error| Failure::failed(format!("no answer: {error}")))?;
        match answer.trim().to_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => Err(Failure::failed("nothing was done; answer y to go on, or give --yes")),
        }
    }
}

pub(super) fn no_user(reference: &str) -> String {
    format!("there is no user {reference}; `doorward user list` shows all")
}
