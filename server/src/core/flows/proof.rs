//! Finding out whether the store can be written to again, once it could not.

use crate::core::call::Call;
use crate::core::store::limits::{self, Bucket};
use crate::core::token::SecretHash;
use crate::core::{Core, Result};

/// Writes a row if the last that was to be written could not be. It is a limit of nobody's, which is swept with the others.
///
/// # Errors
/// Faults: it still cannot be written to.
pub async fn write(core: &Core, call: &Call) -> Result<()> {
    if !core.store.is_in_doubt() {
        return Ok(());
    }
    // A new row each time: no other node has it locked.
    let name = u128::from_be_bytes(call.random()?).to_string();
    let (bucket, now) = (Bucket { key: SecretHash::digest("proof", &name), interval: 1, tolerance: 0 }, call.now);
    let work = core.store.write_each(move |tx| Box::pin(async move { Ok(limits::take(tx, &bucket, now).await?) }));
    work.await.map(|_| ())
}
