//! A copy of an SQLite database beside the server that uses it, and the way back.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::engine::Engine;
use super::engine::sqlite::lock::{Lock, Making};
use super::engine::sqlite::{self, file};
use super::migrations::{self, STEPS};
use crate::core::Fault;

/// How long a look at the copy may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Copies the database as it is at this moment into a new file, which has its name only when it is whole.
pub(in crate::core) fn back_up(database: &Path, to: &Path) -> Result<(), Fault> {
    if to.exists() {
        return Err(Fault::unavailable(format!("{}: there is such a file, and none is overwritten; name another", to.display())));
    }
    let partial = file::beside(to, ".partial");
    let _making = Making::begin(&partial)?;
    let _used = Lock::share(database)?;
    file::copy(database, &partial)?;
    file::publish(&partial, to)
}

/// What a restored database has replaced.
pub(in crate::core) enum Replaced {
    Nothing,
    /// A database, which now has this name.
    Database(PathBuf),
}

/// Puts a backup into the place of the database, once it is known to be whole and of a schema that this release can work with.
pub(in crate::core) async fn restore(backup: &Path, database: &Path, force: bool, aside: &str) -> Result<Replaced, Fault> {
    replaces(database, force)?;
    file::make_room(database)?;
    let _alone = Lock::alone(database)?;
    // Asked again: a server may have made one before it could be kept from that.
    let exists = replaces(database, force)?;
    let new = file::beside(database, ".restoring");
    if backup.canonicalize().is_ok_and(|backup| new.canonicalize().is_ok_and(|new| new == backup)) {
        let told = "is what a restore has left that was killed; name the backup itself";
        return Err(Fault::unavailable(format!("{}: {told}", backup.display())));
    }
    // Nobody else makes one, and nobody but us can be at it.
    file::remove(&new)?;
    file::copy(backup, &new)?;
    let placed = place(&new, database, exists, &file::beside(database, aside)).await;
    if placed.is_err() {
        let _ = file::remove(&new);
    }
    placed
}

/// Whether there is a database; a fault if it may not be replaced.
fn replaces(database: &Path, force: bool) -> Result<bool, Fault> {
    let exists = std::fs::metadata(database).is_ok_and(|found| found.len() > 0);
    if exists && !force {
        let told = "there is a database, which would be replaced; give --force, and it is kept under another name";
        return Err(Fault::unavailable(format!("{}: {told}", database.display())));
    }
    Ok(exists)
}

async fn place(new: &Path, database: &Path, exists: bool, aside: &Path) -> Result<Replaced, Fault> {
    let engine = Engine::Sqlite(sqlite::Engine::open_unshared(new, PATIENCE)?);
    let standing = migrations::standing(&engine, STEPS).await?;
    drop(engine);
    standing.check()?;
    if standing.current == 0 {
        return Err(Fault::internal("the backup holds no schema of this server"));
    }
    if exists {
        file::replace(database, new, aside).map(|()| Replaced::Database(aside.to_owned()))
    } else {
        file::put(new, database, aside).map(|()| Replaced::Nothing)
    }
}
