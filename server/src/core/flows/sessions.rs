//! Lists of sessions, and ending them: a user's own, and anybody's by authority.

use super::authority::Authority;
use super::session::{Need, Presented, check, still};
use crate::core::audit::{Actor, Event, Record, record};
use crate::core::call::Call;
use crate::core::model::{Page, Paged, Session, SessionId, UserId};
use crate::core::store::{Tx, sessions, users};
use crate::core::{Core, Refusal, Result};

/// A user's own live sessions, and which of them asks.
#[derive(Clone, Debug)]
pub struct OwnSessions {
    /// The sessions, newest first.
    pub sessions: Paged<Session>,
    /// The one in which this was asked.
    pub current: SessionId,
}

/// The caller's own live sessions.
///
/// # Errors
/// [`Refusal::NotSignedIn`], [`Refusal::SecondFactorOwed`].
pub async fn list_own(core: &Core, call: &Call, presented: &Presented, page: Page) -> Result<OwnSessions> {
    let checked = check(core, call, presented, Need::Full).await?;
    let (user, now) = (checked.user.id, call.now);
    let work = core.store.read(move |tx| {
        Box::pin(async move {
            let mut cut = page.cut(sessions::of_user(tx, user, &page).await?, |session| session.id.to_string());
            cut.items.retain(|session| session.is_live(now));
            Ok(cut)
        })
    });
    Ok(OwnSessions { sessions: work.await?, current: checked.session.id })
}

/// Ends one of the caller's own sessions, which may be the one that asks.
///
/// # Errors
/// As [`list_own`], and [`Refusal::NotFound`] for one that is not the caller's.
pub async fn end_own(core: &Core, call: &Call, presented: &Presented, id: SessionId) -> Result<()> {
    let checked = check(core, call, presented, Need::Full).await?;
    let call = call.clone();
    let work = core.store.write(move |tx| {
        Box::pin(async move {
            let (_, user) = still(tx, &call, &checked).await?;
            sessions::by_id(tx, id).await?.filter(|session| session.user_id == user.id).ok_or(Refusal::NotFound)?;
            end_one(tx, &call, Actor::User(user.id), user.id, id).await
        })
    });
    work.await
}

/// Ends all of the caller's own sessions but the one that asks; their number.
///
/// # Errors
/// As [`list_own`].
pub async fn end_others(core: &Core, call: &Call, presented: &Presented) -> Result<u64> {
    let checked = check(core, call, presented, Need::Full).await?;
    let call = call.clone();
    let work = core.store.write(move |tx| {
        Box::pin(async move {
            let (session, user) = still(tx, &call, &checked).await?;
            let ended = sessions::delete_of_user(tx, user.id, Some(session.id)).await?;
            let detail = Some(format!("{ended} sessions"));
            record(tx, &call, Record { detail, ..Record::own(Event::SessionsEnded, user.id) }).await?;
            Ok(ended)
        })
    });
    work.await
}

/// Live sessions of one user, or of all, newest first.
///
/// # Errors
/// Faults only.
pub async fn list(core: &Core, call: &Call, _: Authority, user: Option<UserId>, page: Page) -> Result<Paged<Session>> {
    let now = call.now;
    let work = core.store.read(move |tx| {
        Box::pin(async move {
            let found = match user {
                Some(user) => sessions::of_user(tx, user, &page).await?,
                None => sessions::list(tx, &page).await?,
            };
            let mut cut = page.cut(found, |session| session.id.to_string());
            cut.items.retain(|session| session.is_live(now));
            Ok(cut)
        })
    });
    work.await
}

/// Ends a session.
///
/// # Errors
/// [`Refusal::NotFound`].
pub async fn end(core: &Core, call: &Call, authority: Authority, id: SessionId) -> Result<()> {
    end_any(core, call, authority, None, id).await
}

/// Ends a session of this user.
///
/// # Errors
/// [`Refusal::NotFound`], also for one that is somebody else's.
pub async fn end_of(core: &Core, call: &Call, authority: Authority, user: UserId, id: SessionId) -> Result<()> {
    end_any(core, call, authority, Some(user), id).await
}

async fn end_any(core: &Core, call: &Call, authority: Authority, user: Option<UserId>, id: SessionId) -> Result<()> {
    let work = authority.write(core, call, move |tx, call| {
        Box::pin(async move {
            let found = sessions::by_id(tx, id).await?;
            let meant = found.filter(|session| user.is_none_or(|user| session.user_id == user));
            let session = meant.ok_or(Refusal::NotFound)?;
            end_one(tx, call, authority.actor(), session.user_id, id).await
        })
    });
    work.await
}

/// Ends all sessions of a user; their number.
///
/// # Errors
/// [`Refusal::NotFound`] for nobody's id.
pub async fn end_all(core: &Core, call: &Call, authority: Authority, user: UserId) -> Result<u64> {
    let work = authority.write(core, call, move |tx, call| {
        Box::pin(async move {
            users::by_id(tx, user).await?.ok_or(Refusal::NotFound)?;
            let ended = sessions::delete_of_user(tx, user, None).await?;
            let detail = Some(format!("{ended} sessions"));
            record(tx, call, Record::by(authority.actor(), Event::SessionsEnded, Some(user), detail)).await?;
            Ok(ended)
        })
    });
    work.await
}

async fn end_one(tx: &mut Tx, call: &Call, actor: Actor, user: UserId, id: SessionId) -> Result<()> {
    sessions::delete(tx, id).await?;
    Ok(record(tx, call, Record::by(actor, Event::SessionsEnded, Some(user), Some(id.to_string()))).await?)
}
