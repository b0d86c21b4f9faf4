//! What the flows around second factors share: who has which, who may change them, and what becomes of sessions that rest on one.

use super::opening::stand;
use super::session::{Authenticated, Need, Presented, check, is_recent, still};
use crate::core::audit::{Actor, Event, Record, record};
use crate::core::call::Call;
use crate::core::gate::{self, Door, Enrolled};
use crate::core::model::{AuthenticatorApp, Factor, Session, User, UserId};
use crate::core::policy::SessionPolicy;
use crate::core::store::{Tx, authenticators, security_keys, sessions, tickets};
use crate::core::{Core, Fault, Refusal, Result};

/// What a user has enrolled.
pub(super) async fn enrolled(tx: &mut Tx, user: UserId) -> std::result::Result<Enrolled, Fault> {
    let app = authenticators::confirmed(tx, user).await?;
    enrolled_beside(tx, user, app.as_ref()).await
}

/// As [`enrolled`], of a user whose authenticator app, or that there is none, has been read in this transaction.
pub(super) async fn enrolled_beside(
    tx: &mut Tx,
    user: UserId,
    app: Option<&AuthenticatorApp>,
) -> std::result::Result<Enrolled, Fault> {
    Ok(Enrolled { security_key: security_keys::has_any(tx, user).await?, totp: app.is_some() })
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
    if !is_recent(core, call, &checked.session) {
        return Err(Refusal::RecentSignInRequired.into());
    }
    Ok(checked)
}

/// As [`may_change`], inside the transaction that is about to: a factor may have been added since. The session and user as they are now.
pub(super) async fn may_still_change(tx: &mut Tx, call: &Call, checked: &Authenticated) -> Result<(Session, User)> {
    let (session, user) = still(tx, call, checked).await?;
    gate::may_change_factors(session.factors, enrolled(tx, user.id).await?)?;
    Ok((session, user))
}

/// A factor was added in the session `by`: what is out for the user dies, and their other sessions are judged anew, for one of a stolen
/// password must not stay full. The session in which the factor was enrolled stays as it is: its owner has just shown to have it.
pub(super) async fn added(tx: &mut Tx, call: &Call, policy: &SessionPolicy, by: &Session) -> Result<()> {
    tickets::delete_all_of_user(tx, by.user_id).await?;
    let others = sessions::all_of_user(tx, by.user_id).await?.into_iter().filter(|session| session.id != by.id);
    judge_anew(tx, call, policy, by.user_id, others.collect()).await
}

/// A factor is gone: what is out for the user dies, and it proves nothing any more in the sessions that used it.
pub(super) async fn removed(
    tx: &mut Tx,
    call: &Call,
    policy: &SessionPolicy,
    user: UserId,
    resting: Vec<Session>,
    gone: Factor,
) -> Result<()> {
    tickets::delete_all_of_user(tx, user).await?;
    let without = resting.into_iter().map(|mut session| {
        session.factors = session.factors.without(gone);
        if gone == Factor::SecurityKey {
            session.factors = session.factors.without(Factor::UserVerification);
            session.security_key_id = None;
        }
        session
    });
    judge_anew(tx, call, policy, user, without.collect()).await
}

/// Writes what the gate now makes of sessions; none lasts longer for it. One that has nothing left to open it ends: a passkey was all of it.
async fn judge_anew(tx: &mut Tx, call: &Call, policy: &SessionPolicy, user: UserId, judged: Vec<Session>) -> Result<()> {
    let enrolled = enrolled(tx, user).await?;
    for mut session in judged {
        let (expires_at, idle_expires_at, last_seen_at) = (session.expires_at, session.idle_expires_at, session.last_seen_at);
        let Ok(opening) = gate::decide(session.factors, enrolled, Door::OpensHalf) else {
            sessions::delete(tx, session.id).await?;
            let detail = Some(session.id.to_string());
            record(tx, call, Record::by(Actor::Server, Event::SessionsEnded, Some(user), detail)).await?;
            continue;
        };
        stand(&mut session, opening, call, policy);
        session.expires_at = session.expires_at.min(expires_at);
        session.idle_expires_at = session.idle_expires_at.min(idle_expires_at);
        session.last_seen_at = last_seen_at;
        sessions::lower(tx, &session).await?;
    }
    Ok(())
}
