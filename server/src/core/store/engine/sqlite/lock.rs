//! Locks by name: an empty file beside what is locked. The system opens the lock when its holder ends, however it ends.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::file::{beside, remove, told};
use super::{BUSY, WAIT};
use crate::core::fault::Fault;

/// What a database's file is held by. Its own file stays: were it removed, two could hold what they take for the same lock.
pub(in crate::core::store) struct Lock {
    _file: File,
}

impl Lock {
    /// For whoever uses the database, beside others that do.
    pub(in crate::core::store) fn share(database: &Path) -> Result<Self, Fault> {
        let (path, file) = open(database)?;
        match file.try_lock_shared() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Fault::unavailable(format!(
                "{}: `doorward restore` is putting a backup in its place; try again when that has ended",
                database.display()
            ))),
            Err(TryLockError::Error(error)) => Err(told(&path, &error)),
        }
    }

    /// For whoever puts another file in its place, while nobody uses it.
    pub(in crate::core::store) fn alone(database: &Path) -> Result<Self, Fault> {
        let (path, file) = open(database)?;
        let mut waited = Duration::ZERO;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::WouldBlock) if waited < BUSY => {
                    std::thread::sleep(WAIT);
                    waited += WAIT;
                }
                Err(TryLockError::WouldBlock) => return Err(in_use(database)),
                Err(TryLockError::Error(error)) => return Err(told(&path, &error)),
            }
        }
    }
}

/// The refusal of what needs the database for itself.
pub(super) fn in_use(database: &Path) -> Fault {
    Fault::unavailable(format!("{}: another process has it open; stop the server first", database.display()))
}

/// Anybody may read it who gets into the folder: it holds nothing, and a command of root's must not keep the server's account out.
fn open(database: &Path) -> Result<(PathBuf, File), Fault> {
    let path = beside(database, ".lock");
    let opened = match open_plain(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => match make_readable(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => open_plain(&path),
            made => made,
        },
        opened => opened,
    };
    let file = opened.map_err(|error| told(&path, &error))?;
    Ok((path, file))
}

/// Whatever the umask.
fn make_readable(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create_new(true).open(path)?;
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
    Ok(file)
}

/// Opens a file that is there under this very name: through a link another's file would be locked.
fn open_plain(path: &Path) -> io::Result<File> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Err(io::Error::other("is no plain file; remove it"));
    }
    let file = File::open(path)?;
    // A link may have come there in between, or the file may have gone.
    if is_at(&file, path) { Ok(file) } else { Err(io::ErrorKind::NotFound.into()) }
}

/// A new file in the making, by one process at a time. Its lock's file goes with the work, so one that is there while nobody holds it was
/// left by a process that was killed.
pub(in crate::core::store) struct Making {
    lock: PathBuf,
    _file: File,
}

impl Making {
    /// Begins, and removes what one that was killed has left. A file that nobody has left so is left alone.
    pub(in crate::core::store) fn begin(new: &Path) -> Result<Self, Fault> {
        let lock = beside(new, ".lock");
        let under_way = || {
            let told = "another process is at the same; wait for its end, or name another file";
            Fault::unavailable(format!("{}: {told}", new.display()))
        };
        let (file, left) = match OpenOptions::new().write(true).create_new(true).open(&lock) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => (open_plain(&lock), true),
            made => (made, false),
        };
        let file = file.map_err(|error| match error.kind() {
            // Its holder has ended in between, and another may have begun.
            io::ErrorKind::NotFound => under_way(),
            _ => told(&lock, &error),
        })?;
        match file.try_lock() {
            // Its holder may have ended, and removed it, since it was opened.
            Ok(()) if is_at(&file, &lock) => {}
            Ok(()) | Err(TryLockError::WouldBlock) => return Err(under_way()),
            Err(TryLockError::Error(error)) => return Err(told(&lock, &error)),
        }
        if left {
            remove(new)?;
        }
        Ok(Self { lock, _file: file })
    }
}

/// While it is still held.
impl Drop for Making {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.lock);
    }
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let place = |found: fs::Metadata| (found.dev(), found.ino());
    file.metadata().map(place).ok() == fs::symlink_metadata(path).map(place).ok()
}

#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}
