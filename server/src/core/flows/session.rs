//! Who is calling: the session check, and the end of a session. Everything that needs a session comes through here.

use std::sync::Arc;

use smallvec::{SmallVec, smallvec};

use crate::core::audit::{Event, Record, record};
use crate::core::call::Call;
use crate::core::clock::Timestamp;
use crate::core::model::{ApplicationId, Identifier, Session, SessionState, Status, User};
use crate::core::seen::Seen;
use crate::core::store::{Known, Tx, sessions};
use crate::core::token::{SecretHash, SessionToken};
use crate::core::{Core, Fault, Refusal, Result};

/// Presented session tokens. Nearly always one, which takes no memory of its own.
pub type Tokens = SmallVec<[SecretHash; 1]>;

/// What a caller brings to show who they are, as the dialect's wire carries it.
#[derive(Clone, Debug, Default)]
pub struct Presented {
    /// Tokens, in the order in which they are tried. A browser may hold the cookies of two dialects.
    pub tokens: Tokens,
    /// What the wire says besides about whose session it is.
    pub claim: Claim,
}

impl Presented {
    /// One token, and what is said beside it.
    #[must_use]
    pub fn token(text: &str, claim: Claim) -> Self {
        Self { tokens: smallvec![SessionToken::presented(text)], claim }
    }
}

/// A statement beside the token; a session that it is not true of counts as none.
#[derive(Clone, Debug, Default)]
pub enum Claim {
    /// Nothing is said.
    #[default]
    None,
    /// The session's user has this id.
    UserId(String),
    /// The session was opened through this application and its user has this name or address.
    Application(ApplicationId, Identifier),
}

impl Claim {
    fn holds(&self, session: &Session, user: &User) -> bool {
        match self {
            Self::None => true,
            Self::UserId(id) => *id == user.id.to_string(),
            Self::Application(application, identifier) => {
                session.application_id == Some(*application) && is_named(user, identifier)
            }
        }
    }
}

pub(super) fn is_named(user: &User, identifier: &Identifier) -> bool {
    match identifier {
        Identifier::Email(key) => user.email.key() == *key,
        Identifier::Username(key) => user.username.key() == *key,
        Identifier::Nobody(_) => false,
    }
}

/// What a call needs of its caller's session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// A session, even if it still owes a second factor.
    EvenHalf,
    /// A full session.
    Full,
    /// A full session in which a factor was proven a short while ago.
    Recent,
}

/// A caller whose session has been checked.
#[derive(Clone, Debug)]
pub struct Authenticated {
    /// The session.
    pub session: Arc<Session>,
    /// Its user.
    pub user: Arc<User>,
    /// The hash of the token that opened it.
    pub(super) token: SecretHash,
}

/// Checks a session.
///
/// # Errors
/// [`Refusal::NotSignedIn`], [`Refusal::SecondFactorOwed`], [`Refusal::RecentSignInRequired`].
pub async fn check(core: &Core, call: &Call, presented: &Presented, need: Need) -> Result<Authenticated> {
    let checked = match recall(core, call, presented) {
        Some(checked) => checked,
        None => look_up(core, call, presented).await?.ok_or(Refusal::NotSignedIn)?,
    };
    if need != Need::EvenHalf && checked.session.state == SessionState::Half {
        return Err(Refusal::SecondFactorOwed.into());
    }
    if need == Need::Recent && !is_recent(core, call, &checked.session) {
        return Err(Refusal::RecentSignInRequired.into());
    }
    note(core, call, &checked);
    Ok(checked)
}

/// As [`check`] for a full session, if memory has it: at once, without waiting for anything. `None` says nothing: [`check`] is to be asked.
#[must_use]
pub fn check_at_once(core: &Core, call: &Call, presented: &Presented) -> Option<Authenticated> {
    let checked = recall(core, call, presented).filter(|checked| checked.session.state == SessionState::Full)?;
    note(core, call, &checked);
    Some(checked)
}

fn note(core: &Core, call: &Call, checked: &Authenticated) {
    core.seen.note(&checked.session, checked.token, call.now);
}

pub(super) fn is_recent(core: &Core, call: &Call, session: &Session) -> bool {
    call.now.is_within(core.policy.sessions.recent, session.authenticated_at)
}

/// What memory says of the first token. Only a yes counts.
fn recall(core: &Core, call: &Call, presented: &Presented) -> Option<Authenticated> {
    let token = *presented.tokens.first()?;
    let Known { mut session, user } = core.store.recall(&token)?;
    core.seen.apply(&mut session, call.now);
    stands(&session, &user, &presented.claim, call.now).then_some(Authenticated { session, user, token })
}

/// What the store says. A full session is kept in memory.
async fn look_up(core: &Core, call: &Call, presented: &Presented) -> Result<Option<Authenticated>> {
    let (sought, now) = (Sought::new(core, presented)?, call.now);
    let moment = core.store.missed();
    let found = core.store.read(move |tx| Box::pin(async move { Ok(sought.find(tx, now).await?) }));
    let found = found.await?;
    if let Some(checked) = found.as_ref().filter(|checked| checked.session.state == SessionState::Full) {
        let known = Known { session: Arc::clone(&checked.session), user: Arc::clone(&checked.user) };
        core.store.keep(checked.token, &known, moment);
    }
    Ok(found)
}

/// What a session is looked for by, in a transaction that rests on it: one journey to the store, where [`check`] and [`still`] take two.
#[derive(Clone)]
pub(super) struct Sought {
    tokens: Tokens,
    claim: Claim,
    seen: Seen,
}

impl Sought {
    /// # Errors
    /// [`Refusal::NotSignedIn`] without a token.
    pub(super) fn new(core: &Core, presented: &Presented) -> std::result::Result<Self, Refusal> {
        if presented.tokens.is_empty() {
            return Err(Refusal::NotSignedIn);
        }
        Ok(Self { tokens: presented.tokens.clone(), claim: presented.claim.clone(), seen: core.seen.clone() })
    }

    /// Of the first token that opens a full session, or of the first that opens any.
    pub(super) async fn find(&self, tx: &mut Tx, now: Timestamp) -> std::result::Result<Option<Authenticated>, Fault> {
        let mut half = None;
        for &token in &self.tokens {
            let Some(Known { session, user }) = live(tx, &token, &self.claim, &self.seen, now).await? else { continue };
            let checked = Authenticated { session, user, token };
            if checked.session.state == SessionState::Full {
                return Ok(Some(checked));
            }
            half = half.or(Some(checked));
        }
        Ok(half)
    }
}

/// The live session that a token opens, and its user. A disabled user has none; this is the second lock on that door.
async fn live(
    tx: &mut Tx,
    token: &SecretHash,
    claim: &Claim,
    seen: &Seen,
    now: Timestamp,
) -> std::result::Result<Option<Known>, Fault> {
    let Some((session, user)) = sessions::by_token(tx, token).await? else { return Ok(None) };
    let (mut session, user) = (Arc::new(session), Arc::new(user));
    seen.apply(&mut session, now);
    Ok(stands(&session, &user, claim, now).then_some(Known { session, user }))
}

fn stands(session: &Session, user: &User, claim: &Claim, now: Timestamp) -> bool {
    session.is_live(now) && user.status == Status::Active && claim.holds(session, user)
}

/// Reads a checked session again inside a transaction that rests on it: it may have ended or been lowered since.
pub(super) async fn still(tx: &mut Tx, call: &Call, checked: &Authenticated) -> Result<(Session, User)> {
    still_open(tx, call, &checked.token, checked.session.state).await
}

/// As [`still`], of the session that this token opened in this state.
pub(super) async fn still_open(tx: &mut Tx, call: &Call, token: &SecretHash, state: SessionState) -> Result<(Session, User)> {
    let found = sessions::by_token(tx, token).await?;
    let found = found.filter(|(session, _)| session.state == state && call.now < session.expires_at);
    let (session, user) = found.ok_or(Refusal::NotSignedIn)?;
    if user.status == Status::Active { Ok((session, user)) } else { Err(Refusal::NotSignedIn.into()) }
}

/// Ends every session that the caller presents, half ones too.
///
/// # Errors
/// [`Refusal::NotSignedIn`] when none of them is live.
pub async fn sign_out(core: &Core, call: &Call, presented: &Presented) -> Result<()> {
    let (presented, call, seen) = (presented.clone(), call.clone(), core.seen.clone());
    let work = core.store.write(move |tx| {
        Box::pin(async move {
            let mut ended = false;
            for token in &presented.tokens {
                let Some(Known { session, user }) = live(tx, token, &presented.claim, &seen, call.now).await? else {
                    continue;
                };
                ended |= sessions::delete(tx, session.id).await?;
                let detail = Some(session.id.to_string());
                record(tx, &call, Record { detail, ..Record::own(Event::SignOut, user.id) }).await?;
            }
            if ended { Ok(()) } else { Err(Refusal::NotSignedIn.into()) }
        })
    });
    work.await
}
