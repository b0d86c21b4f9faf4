//! Whether the database can be written to, as far as the last transactions tell.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::core::fault::{Fault, FaultKind};
use crate::core::{Error, Result};

/// What is said when it cannot, until something is on disk again. A transaction that changed nothing shows nothing: on a full disk, or
/// without the standby, its COMMIT goes well.
#[derive(Debug, Default)]
pub(super) struct Writable {
    /// Something that was to be written could not be.
    failed: AtomicBool,
    /// The last transaction could not be begun: somebody else has the file.
    locked: AtomicBool,
}

/// What a transaction tells of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// It has changed rows, and is good if it is committed.
    Wrote,
    /// It could not do what it was to do.
    Failed,
    /// It came to nothing by itself, or had nothing to change.
    Nothing,
}

impl Told {
    /// By the outcome of a body, and by whether it has changed rows.
    pub(super) fn of<T>(outcome: &Result<T>, changed: bool) -> Self {
        match outcome {
            Ok(_) if changed => Self::Wrote,
            // A defect of the body says nothing about the disk.
            Err(Error::Faulted(fault)) if fault.kind() != FaultKind::Internal => Self::Failed,
            _ => Self::Nothing,
        }
    }
}

impl Writable {
    /// A fault when the last that was to be written could not be.
    pub(super) fn check(&self) -> std::result::Result<(), Fault> {
        if self.failed.load(Ordering::Relaxed) || self.locked.load(Ordering::Relaxed) {
            return Err(Fault::unavailable("the last transaction could not be written"));
        }
        Ok(())
    }

    /// Changed rows are on disk.
    pub(super) fn wrote(&self) {
        self.failed.store(false, Ordering::Relaxed);
    }

    pub(super) fn failed(&self) {
        self.failed.store(true, Ordering::Relaxed);
    }

    /// Whether a transaction could be begun. What could not be written before may still not be.
    pub(super) fn begun(&self, begun: bool) {
        self.locked.store(!begun, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Refusal;

    #[test]
    fn a_transaction_tells_of_the_database_what_it_has_met_there() {
        assert_eq!(Told::of(&Ok(()), true), Told::Wrote);
        assert_eq!(Told::of(&Ok(()), false), Told::Nothing);
        assert_eq!(Told::of::<()>(&Err(Refusal::NotFound.into()), true), Told::Nothing, "it was undone");
        assert_eq!(Told::of::<()>(&Err(Fault::internal("a defect").into()), true), Told::Nothing);
        assert_eq!(Told::of::<()>(&Err(Fault::unavailable("no room").into()), true), Told::Failed);
        assert_eq!(Told::of::<()>(&Err(Fault::deadline("5 s").into()), false), Told::Failed);
    }

    #[test]
    fn a_lock_that_is_gone_does_not_make_good_what_could_not_be_written() {
        let writable = Writable::default();
        writable.begun(false);
        assert!(writable.check().is_err());
        writable.begun(true);
        assert!(writable.check().is_ok());
        writable.failed();
        writable.begun(true);
        assert!(writable.check().is_err());
        writable.wrote();
        assert!(writable.check().is_ok());
    }
}
