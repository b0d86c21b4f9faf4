//! A copy of the database as a file, and the way back. SQLite only: PostgreSQL has tools of its own.

use std::path::{Path, PathBuf};

use crate::core::Fault;
use crate::core::clock::Timestamp;
use crate::core::database::Database;
use crate::core::store::files::{self, Replaced};

/// Copies the database as it is at this moment, beside a server that goes on writing, into a new file (0600), and checks the copy.
///
/// # Errors
/// When there is such a file, it cannot be written, the database is damaged, or it is not SQLite's.
pub fn back_up(database: &Database, to: &Path) -> Result<(), Fault> {
    files::back_up(file(database)?, to)
}

/// Puts a backup into the place of the database, which is kept under the name that is returned, if there is one.
///
/// # Errors
/// When the backup is damaged or of a schema that this release cannot work with, a server has the database open, or there is a database
/// and `force` is not given; nothing is changed then.
pub async fn restore(database: &Database, backup: &Path, force: bool, now: Timestamp) -> Result<Option<PathBuf>, Fault> {
    let aside = format!(".until-{}", now.to_string().replace(':', ""));
    match files::restore(backup, file(database)?, force, &aside).await? {
        Replaced::Nothing => Ok(None),
        Replaced::Database(aside) => Ok(Some(aside)),
    }
}

fn file(database: &Database) -> Result<&Path, Fault> {
    database.file().ok_or_else(|| {
        Fault::internal(
            "the database is PostgreSQL's: use pg_dump and pg_restore, or pg_basebackup; docs/operations/data.md says how",
        )
    })
}
