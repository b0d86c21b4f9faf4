//! Copying the log back into the database. The writer would do it at a commit, while everybody waits who has written; here a thread of its own
//! does, while the writer goes on.
//!
//! A log to which more is added meanwhile never becomes empty that way, and only an empty one begins anew. So now and then the writer copies
//! the little that the thread has left: that is soon done.

use std::path::PathBuf;
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender};
use rusqlite::Connection;
use rusqlite::hooks::Wal;

use super::connect;
use super::tx::fault;
use crate::core::fault::Fault;

/// Pages by which the log grows from one copying to the next: 16 MiB. A copying writes each page once, however many commits have changed it:
/// the rarer, the fewer writes.
const MANY: u32 = 4_000;
/// Pages beyond which the writer sees to it that the log begins anew: 64 MiB.
const MOST: u32 = 16_000;

/// What is to be done after a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Todo {
    Nothing,
    /// The thread copies.
    Wake,
    /// The writer does, what the thread has left.
    Finish,
}

/// How long the log was when the thread was last woken.
#[derive(Default)]
struct Log(u32);

impl Log {
    /// It has so many pages after a commit.
    fn is_at(&mut self, pages: u32) -> Todo {
        // It has begun anew.
        self.0 = if pages < self.0 { 0 } else { self.0 };
        if pages >= MOST {
            Todo::Finish
        } else if pages >= self.0 + MANY {
            self.0 = pages;
            Todo::Wake
        } else {
            Todo::Nothing
        }
    }
}

/// Has what the writer commits copied back by a thread, which ends with the writer's connection.
pub(super) fn beside(writer: &mut Connection, path: PathBuf) -> Result<JoinHandle<()>, Fault> {
    let (wake, woken) = crossbeam_channel::bounded(1);
    watch(writer, wake).map_err(fault)?;
    let copying = move || copy(&path, &woken);
    std::thread::Builder::new().name("store-log".to_owned()).spawn(copying).map_err(Fault::internal)
}

fn watch(writer: &mut Connection, wake: Sender<()>) -> rusqlite::Result<()> {
    let mut log = Log::default();
    writer.wal_hook(Some(move |wal: &mut Wal, pages| {
        match log.is_at(u32::try_from(pages).unwrap_or(0)) {
            Todo::Nothing => {}
            // It is awake already.
            Todo::Wake => drop(wake.try_send(())),
            // The thread may be at it, or somebody may read what is older: then after one of the next commits.
            Todo::Finish => drop(wal.checkpoint()),
        }
        Ok(())
    }))
}

fn copy(path: &std::path::Path, woken: &Receiver<()>) {
    // A server that writes little needs none.
    let mut connection = None;
    while woken.recv().is_ok() {
        connection = connection.or_else(|| connect(path).ok());
        // What could not be copied is copied the next time.
        let copied = connection.as_ref().map(|open| open.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())));
        if let Some(Err(error)) = copied {
            tracing::warn!(%error, "the log of the database could not be copied back");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thread_copies_and_the_writer_finishes() {
        let mut log = Log::default();
        for (pages, todo) in [
            (10, Todo::Nothing),
            (MANY, Todo::Wake),
            (MANY + 1, Todo::Nothing),
            (3 * MANY, Todo::Wake),
            (MOST, Todo::Finish),
            (MOST + 1, Todo::Finish),
            (10, Todo::Nothing),
            (MANY + 1, Todo::Wake),
        ] {
            assert_eq!(log.is_at(pages), todo, "{pages}");
        }
    }
}
