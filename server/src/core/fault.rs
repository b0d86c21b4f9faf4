//! The unexpected. A fault is logged once, where it is turned into an answer, and its text is told to nobody.

use std::fmt;

/// What kind of failure it was: all that an answer may depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The store cannot be reached or takes no more work: the caller may try again (503).
    Unavailable,
    /// The store did not answer within the request's deadline (504 where the dialect has it, else 503).
    Deadline,
    /// A defect or a broken environment (500).
    Internal,
}

/// A failure that no caller could have avoided, with a text for the log.
#[derive(Clone, Debug)]
pub struct Fault {
    kind: FaultKind,
    detail: String,
}

impl Fault {
    /// A defect or a broken environment. `detail` must hold no secret and no e-mail address.
    #[must_use]
    pub fn internal(detail: impl fmt::Display) -> Self {
        Self { kind: FaultKind::Internal, detail: detail.to_string() }
    }

    /// The store is away or full.
    #[must_use]
    pub fn unavailable(detail: impl fmt::Display) -> Self {
        Self { kind: FaultKind::Unavailable, detail: detail.to_string() }
    }

    /// The store took longer than the call may.
    #[must_use]
    pub fn deadline(detail: impl fmt::Display) -> Self {
        Self { kind: FaultKind::Deadline, detail: detail.to_string() }
    }

    /// What an answer may depend on.
    #[must_use]
    pub const fn kind(&self) -> FaultKind {
        self.kind
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for Fault {}
