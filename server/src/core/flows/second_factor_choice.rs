//! Which second factors a caller can give, and whether they still have to: what a page asks before it shows a form.

use super::factors::{self, enrolled};
use super::session::{Authenticated, Need, Presented, check};
use crate::core::call::Call;
use crate::core::model::{Factor, SessionState};
use crate::core::{Core, Result};

/// What would further the caller's session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// At least one security key.
    pub security_key: bool,
    /// An authenticator app.
    pub totp: bool,
}

/// The session, full or half, and what its user can give in it. A half session becomes full by any; a full one that has not used the
/// strongest is asked for that one alone, for another opens nothing more.
///
/// # Errors
/// [`crate::core::Refusal::NotSignedIn`].
pub async fn choice(core: &Core, call: &Call, presented: &Presented) -> Result<(Authenticated, Choice)> {
    let checked = check(core, call, presented, Need::EvenHalf).await?;
    let user = checked.user.id;
    let found = core.store.read(move |tx| Box::pin(async move { Ok(enrolled(tx, user).await?) })).await?;
    let full = checked.session.state == SessionState::Full;
    let owed = found.strongest().filter(|factor| full && !checked.session.factors.has(*factor));
    let choice = match owed {
        Some(factor) => Choice { security_key: factor == Factor::SecurityKey, totp: factor == Factor::Totp },
        None => Choice { security_key: found.security_key, totp: found.totp },
    };
    Ok((checked, choice))
}

/// Checks that the caller may change what they sign in with: before a form for that is shown, and again by the flow that it leads to.
///
/// # Errors
/// [`crate::core::Refusal::NotSignedIn`], [`crate::core::Refusal::SecondFactorOwed`], [`crate::core::Refusal::RecentSignInRequired`].
pub async fn may_change(core: &Core, call: &Call, presented: &Presented) -> Result<Authenticated> {
    factors::may_change(core, call, presented).await
}
