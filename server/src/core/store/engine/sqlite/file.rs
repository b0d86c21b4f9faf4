//! The database as a file: copied while it is in use, checked, and put into the place of another.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::{BUSY, connect_alone, create_folder, fault};
use crate::core::fault::Fault;

/// All pages in one step: the copy is of one moment, and writers, who append to the log, do not wait.
const ALL: i32 = -1;

/// What SQLite keeps beside a database, and takes up again when it is opened.
const LOGS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Makes the folder of a database (0700), if need be.
pub(in crate::core::store) fn make_room(path: &Path) -> Result<(), Fault> {
    create_folder(path)
}

/// Copies the database as it is at this moment into a new file (0600), and checks the copy. There is no file if that fails.
pub(in crate::core::store) fn copy(from: &Path, to: &Path) -> Result<(), Fault> {
    create_new(to)?;
    let made =
        copy_pages(from, to).and_then(|()| File::open(to).and_then(|file| file.sync_all()).map_err(|error| told(to, &error)));
    if made.is_err() {
        // What is half made is of no use; the first failure is what matters.
        let _ = fs::remove_file(to);
    }
    made
}

fn create_new(path: &Path) -> Result<(), Fault> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Fault::unavailable(format!(
            "{}: there is such a file, and none is overwritten; remove it or name another",
            path.display()
        )),
        _ => told(path, &error),
    })
}

fn copy_pages(from: &Path, to: &Path) -> Result<(), Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = |path: &Path| Connection::open_with_flags(path, flags);
    let named = |error: rusqlite::Error| Fault::unavailable(format!("{}: {error}", from.display()));
    let source = open(from).map_err(named)?;
    source.busy_timeout(BUSY).map_err(named)?;
    let mut target = open(to).map_err(fault)?;
    {
        let backup = Backup::new(&source, &mut target).map_err(named)?;
        match backup.step(ALL).map_err(named)? {
            StepResult::Done => {}
            _ => return Err(Fault::unavailable(format!("{}: others hold it; try again", from.display()))),
        }
    }
    check(&target).map_err(|problem| Fault::internal(format!("{}: {problem}", from.display())))?;
    // One file, with nothing beside it.
    target.execute_batch("PRAGMA journal_mode=DELETE").map_err(fault)?;
    target.close().map_err(|(_, error)| fault(error))
}

/// Goes through all pages, indexes and references.
fn check(connection: &Connection) -> Result<(), String> {
    let found = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, String>(0));
    match found("PRAGMA integrity_check(1)") {
        Ok(answer) if answer == "ok" => {}
        Ok(problem) => return Err(format!("it is damaged: {problem}")),
        Err(error) => return Err(format!("it is damaged or no database: {error}")),
    }
    match found("PRAGMA foreign_key_check") {
        Err(rusqlite::Error::QueryReturnedNoRows) => Ok(()),
        Ok(table) => Err(format!("it is damaged: rows of {table} belong to rows that are not there")),
        Err(error) => Err(format!("it is damaged: {error}")),
    }
}

/// Gives a finished file its name, unless there is such a file.
pub(in crate::core::store) fn publish(from: &Path, to: &Path) -> Result<(), Fault> {
    link_new(from, to)?;
    fs::remove_file(from).map_err(|error| told(from, &error))?;
    sync_folder(to)
}

/// Puts a database into the place of another one, which gets another name. No moment is without one; a server that has the old one open
/// is found, and refused for.
pub(in crate::core::store) fn replace(old: &Path, new: &Path, aside: &Path) -> Result<(), Fault> {
    // What is damaged cannot be opened, so nothing can be serving it, and its log cannot be brought in.
    let alone = match connect_alone(old) {
        Ok(connection) => {
            connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode=DELETE").map_err(fault)?;
            Some(connection)
        }
        Err(refused) if refused.kind() == crate::core::fault::FaultKind::Unavailable => return Err(refused),
        Err(_) => None,
    };
    link_new(old, aside)?;
    set_logs_aside(old, aside)?;
    fs::rename(new, old).map_err(|error| told(old, &error))?;
    sync_folder(old)?;
    drop(alone);
    Ok(())
}

/// As [`publish`], where no database is to be replaced: an empty file may be. Logs that one has left there which is gone get another name.
pub(in crate::core::store) fn put(new: &Path, place: &Path, aside: &Path) -> Result<(), Fault> {
    set_logs_aside(place, aside)?;
    fs::rename(new, place).map_err(|error| told(place, &error))?;
    sync_folder(place)
}

/// What is in a log would be written into whichever database is found beside it.
fn set_logs_aside(old: &Path, aside: &Path) -> Result<(), Fault> {
    for ending in LOGS {
        let left = beside(old, ending);
        // A link that leads nowhere is one, too.
        if left.symlink_metadata().is_ok() {
            fs::rename(&left, beside(aside, ending)).map_err(|error| told(&left, &error))?;
        }
    }
    sync_folder(old)
}

/// Makes a second name for a file, unless there is such a file.
fn link_new(from: &Path, to: &Path) -> Result<(), Fault> {
    fs::hard_link(from, to).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Fault::unavailable(format!(
            "{}: there is such a file, and none is overwritten; remove it or name another",
            to.display()
        )),
        _ => told(to, &error),
    })
}

/// Removes a database that was left behind, and what belongs to it.
pub(in crate::core::store) fn remove(path: &Path) -> Result<(), Fault> {
    for ending in [""].into_iter().chain(LOGS) {
        let left = beside(path, ending);
        match fs::remove_file(&left) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(told(&left, &error)),
            _ => {}
        }
    }
    Ok(())
}

/// The name of a file that belongs to this one.
pub(in crate::core::store) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// A name is on disk when its folder is.
fn sync_folder(path: &Path) -> Result<(), Fault> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| told(folder, &error))
}

pub(super) fn told(path: &Path, error: &io::Error) -> Fault {
    Fault::unavailable(format!("{}: {error}", path.display()))
}
