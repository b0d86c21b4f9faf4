//! Which second factors a caller can give: what a page asks before it shows how.

use super::factors::enrolled;
use super::session::{Authenticated, Need, Presented, check};
use crate::core::call::Call;
use crate::core::{Core, Result};

/// What the caller has enrolled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// At least one security key.
    pub security_key: bool,
    /// An authenticator app.
    pub totp: bool,
}

/// The session, full or half, and what its user can give in it.
///
/// # Errors
/// [`crate::core::Refusal::NotSignedIn`].
pub async fn choice(core: &Core, call: &Call, presented: &Presented) -> Result<(Authenticated, Choice)> {
    let checked = check(core, call, presented, Need::EvenHalf).await?;
    let user = checked.user.id;
    let found = core.store.read(move |tx| Box::pin(async move { Ok(enrolled(tx, user).await?) })).await?;
    Ok((checked, Choice { security_key: found.security_key, totp: found.totp }))
}
