//! What the flows around second factors share: who has which, who may change them, and what becomes of sessions that rest on one.

use super::opening::stand;
use super::session::{Authenticated, Need, Presented, check, still};
use crate::core::call::Call;
use crate::core::gate::{self, Door, Enrolled};
use crate::core::model::{Factor, Session, User, UserId};
use crate::core::policy::SessionPolicy;
use crate::core::store::{Tx, authenticators, security_keys, sessions};
use crate::core::{Core, Fault, Refusal, Result};

/// What a user has enrolled.
pub(super) async fn enrolled(tx: &mut Tx, user: UserId) -> std::result::Result<Enrolled, Fault> {
    let security_key = security_keys::has_any(tx, user).await?;
    let totp = authenticators::confirmed(tx, user).await?.is_some();
    Ok(Enrolled { security_key, totp })
}

/// Checks that the caller's session may add or remove a second factor.
///
/// # Errors
/// [`Refusal::NotSignedIn`], [`Refusal::SecondFactorOwed`], [`Refusal::RecentSignInRequired`].
pub(super) async fn may_change(core: &Core, call: &Call, presented: &Presented) -> Result<Authenticated> {
    let checked = check(core, call, presented, Need::Full).await?;
    let user = checked.user.id;
    let enrolled = core.store.read(move |tx| Box::pin(async move { Ok(enrolled(tx, user).await?) })).await?;
    gate::may_change_factors(checked.session.factors, enrolled)?;
    if call.now.since(checked.session.authenticated_at) > core.policy.sessions.recent {
        return Err(Refusal::RecentSignInRequired.into());
    }
    Ok(checked)
}

/// As [`may_change`], inside the transaction that is about to: a factor may have been added since.
pub(super) async fn may_still_change(tx: &mut Tx, call: &Call, checked: &Authenticated) -> Result<User> {
    let (session, user) = still(tx, call, checked).await?;
    gate::may_change_factors(session.factors, enrolled(tx, user.id).await?)?;
    Ok(user)
}

/// A factor that is gone proves nothing any more: not in the sessions that used it either. They are lowered to what their other factors
/// open, and last no longer for it.
pub(super) async fn lower(tx: &mut Tx, call: &Call, policy: &SessionPolicy, resting: Vec<Session>, gone: Factor) -> Result<()> {
    for mut session in resting {
        session.factors = session.factors.without(gone);
        if gone == Factor::SecurityKey {
            session.security_key_id = None;
        }
        let (expires_at, idle_expires_at) = (session.expires_at, session.idle_expires_at);
        let enrolled = enrolled(tx, session.user_id).await?;
        let opening = gate::decide(session.factors, enrolled, Door::OpensHalf)?;
        stand(&mut session, opening, call, policy);
        session.expires_at = session.expires_at.min(expires_at);
        session.idle_expires_at = session.idle_expires_at.min(idle_expires_at);
        sessions::lower(tx, &session).await?;
    }
    Ok(())
}
