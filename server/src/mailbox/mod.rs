//! The mails of a server without a mail server, read from the folder into which `work::mail` writes them. Names of files are read anew each
//! time: others may write and remove them meanwhile.

mod letter;
mod name;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

pub use letter::{Facts, Letter};
pub use name::Name;

/// Bytes of a mail that are read for its line in the list: more than its head has.
const HEAD_MOST: u64 = 16 * 1024;

/// Bytes of a mail that are read to show it.
const MAIL_MOST: u64 = 1024 * 1024;

/// The folder; cheap to clone.
#[derive(Clone, Debug)]
pub struct Mailbox(Arc<Path>);

/// A piece of the list, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The mails.
    pub mails: Vec<(Name, Facts)>,
    /// The last of them, if there are older ones.
    pub next: Option<Name>,
    /// Another text whenever other mails are in this piece.
    pub seen: String,
}

impl Mailbox {
    /// Of a folder, which need not be there yet.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self(folder.into())
    }

    /// The newest `most` mails, or those next older than `before`. Blocks.
    ///
    /// # Errors
    /// When the folder is there and cannot be read.
    pub fn list(&self, before: Option<&Name>, most: usize) -> io::Result<Listing> {
        let mut names = self.names(before, most + 1)?;
        let seen = names.iter().fold(Sha256::new(), |digest, name| digest.chain_update(name.as_str()).chain_update("\n"));
        let seen = seen.finalize().iter().take(9).map(|byte| format!("{byte:02x}")).collect();
        let more = names.len() > most;
        names.truncate(most);
        let next = if more { names.last().cloned() } else { None };
        let facts = |name: Name| self.read(&name, HEAD_MOST).map(|(bytes, _)| (name, Facts::of(&bytes)));
        Ok(Listing { mails: names.into_iter().filter_map(facts).collect(), next, seen })
    }

    /// One mail; `None` if it is not there, or not any more. Blocks.
    #[must_use]
    pub fn open(&self, name: &Name) -> Option<Letter> {
        let (bytes, cut) = self.read(name, MAIL_MOST)?;
        Some(Letter::of(&bytes, cut))
    }

    /// The newest first, never holding more of them than are asked for.
    fn names(&self, before: Option<&Name>, most: usize) -> io::Result<Vec<Name>> {
        let entries = match std::fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut newest = BinaryHeap::with_capacity(most + 1);
        for entry in entries {
            let file = entry?.file_name();
            let Some(name) = file.to_str().and_then(Name::of_file) else { continue };
            if before.is_none_or(|before| name < *before) {
                newest.push(Reverse(name));
                if newest.len() > most {
                    newest.pop();
                }
            }
        }
        Ok(newest.into_sorted_vec().into_iter().map(|Reverse(name)| name).collect())
    }

    /// The first bytes of a file, and whether there are more. What is no plain file is none: reading a pipe would wait for its writer.
    fn read(&self, name: &Name, most: u64) -> Option<(Vec<u8>, bool)> {
        let path = self.0.join(name.file());
        if !path.symlink_metadata().ok()?.is_file() {
            return None;
        }
        let mut bytes = Vec::new();
        File::open(path).ok()?.take(most + 1).read_to_end(&mut bytes).ok()?;
        let cut = bytes.len() as u64 > most;
        if cut {
            bytes.pop();
        }
        Some((bytes, cut))
    }
}

#[cfg(test)]
mod tests;
