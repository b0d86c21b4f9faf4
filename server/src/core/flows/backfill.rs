//! Backfills: what a migration could not compute in SQL, filled in while the server runs, a batch a transaction. A row shows by itself
//! whether it is done, so that a backfill goes on where it was stopped, on whichever node, and finds what an older release beside this one
//! has written meanwhile.

use crate::core::call::Call;
use crate::core::decoy::DecoyKey;
use crate::core::store::{Tx, passwords};
use crate::core::{Core, Fault, Result};

/// Rows that one transaction fills: few enough that nobody waits for it.
const BATCH: i64 = 500;

/// A column that older rows lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backfill {
    /// `passwords.decoy_key`.
    DecoyKeys,
}

impl Backfill {
    /// All of them, in the order in which they run.
    pub const ALL: [Self; 1] = [Self::DecoyKeys];

    /// Its name in the log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DecoyKeys => "decoy_keys",
        }
    }
}

impl Backfill {
    /// The schema that brought what is filled in.
    pub(super) const fn since(self) -> i64 {
        match self {
            Self::DecoyKeys => 2,
        }
    }

    /// Whether there are rows to fill.
    pub(super) async fn is_due(self, tx: &mut Tx) -> std::result::Result<bool, Fault> {
        match self {
            Self::DecoyKeys => Ok(!passwords::without_decoy_key(tx, 1).await?.is_empty()),
        }
    }
}

/// Fills a batch; whether there may be more.
///
/// # Errors
/// Faults only; the rows that were filled before stay so.
pub async fn batch(core: &Core, call: &Call, backfill: Backfill) -> Result<bool> {
    let call = call.clone();
    let work = core.store.write(move |tx| {
        Box::pin(async move {
            match backfill {
                Backfill::DecoyKeys => decoy_keys(tx, &call).await,
            }
        })
    });
    Ok(i64::try_from(work.await?).unwrap_or(i64::MAX) >= BATCH)
}

/// The rows that were found; another node may have filled them meanwhile.
async fn decoy_keys(tx: &mut Tx, call: &Call) -> Result<usize> {
    let found = passwords::without_decoy_key(tx, BATCH).await?;
    for user in &found {
        passwords::set_decoy_key(tx, *user, &DecoyKey::generate(call)?).await?;
    }
    Ok(found.len())
}
