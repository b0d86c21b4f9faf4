//! What an error of the driver means: for whoever asked, and for whether to try again.

use tokio_postgres::error::SqlState;

use super::link;
use crate::core::fault::Fault;

/// What is to be said when a statement that was prepared is not there, or is there already: the connection leads now here, now there.
const POOLER: &str = ": is there a pooler in transaction mode between? Then set database.pooler = true";

/// Why a transaction came to nothing, as far as it matters to what is done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It met another; run again, it may pass.
    Met,
    /// A row was there, or gone, when it had just not been so; run again, it will see.
    Overtaken,
    /// The connection is gone, or leads to a server that takes no writes; so may all others.
    Lost,
    /// Running it again would change nothing.
    Final,
}

impl Trouble {
    pub(super) fn of(error: &tokio_postgres::Error) -> Self {
        let Some(code) = error.code() else {
            // Without a code it did not come from the server: the line is broken, unless a value was of a wrong type.
            return if error.is_closed() || is_io(error) { Self::Lost } else { Self::Final };
        };
        match code.code() {
            "40001" | "40P01" => Self::Met,
            "23505" | "23503" => Self::Overtaken,
            // A standby refuses to be serializable, and a prepared statement whose columns have changed to run: another connection will not.
            "0A000" | "25006" | "57P01" | "57P02" | "57P03" => Self::Lost,
            other if other.starts_with("08") => Self::Lost,
            _ => Self::Final,
        }
    }
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    std::error::Error::source(error).is_some_and(|cause| cause.is::<std::io::Error>())
}

/// The driver's error as a fault. Its text names tables and columns; what the server says in detail, which has values, is left out.
pub(super) fn fault(error: &tokio_postgres::Error) -> Fault {
    let Some(told) = error.as_db_error() else {
        let text = link::told(error);
        return if Trouble::of(error) == Trouble::Lost { Fault::unavailable(text) } else { Fault::internal(text) };
    };
    let mut text = format!("{} {}", told.code().code(), told.message());
    let code = told.code();
    if [SqlState::INVALID_SQL_STATEMENT_NAME, SqlState::DUPLICATE_PSTATEMENT].contains(code) {
        text += POOLER;
    }
    match code.code().get(..2) {
        _ if *code == SqlState::QUERY_CANCELED || *code == SqlState::LOCK_NOT_AVAILABLE => Fault::deadline(text),
        _ if [SqlState::READ_ONLY_SQL_TRANSACTION, SqlState::FEATURE_NOT_SUPPORTED].contains(code) => Fault::unavailable(text),
        // Broken connections, met transactions, a lack of room or memory, an operator's hand, the disk.
        Some("08" | "40" | "53" | "57" | "58") => Fault::unavailable(text),
        _ => Fault::internal(text),
    }
}
