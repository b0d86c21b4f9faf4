//! Opening a session, and raising one: the places where a token is issued for what the gate has opened.

use super::session::Authenticated;
use crate::core::audit::{Event, Record, record};
use crate::core::call::Call;
use crate::core::gate::{self, Door, Enrolled, Opening};
use crate::core::model::{ApplicationId, Factor, Factors, SecurityKeyId, Session, SessionId, SessionState, User};
use crate::core::policy::SessionPolicy;
use crate::core::store::{Tx, sessions};
use crate::core::token::{SecretHash, SessionToken};
use crate::core::{Fault, Refusal, Result};

/// A caller with a session, new or under a new token.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The token: this answer is the only one that carries it.
    pub token: SessionToken,
    /// The session; half if a second factor is owed.
    pub session: Session,
    /// Its user.
    pub user: User,
}

/// What a session is opened with.
pub(super) struct NewSession<'a> {
    pub(super) opening: Opening,
    pub(super) factors: Factors,
    pub(super) application: Option<ApplicationId>,
    /// The passkey that it rests on, if one.
    pub(super) security_key: Option<SecurityKeyId>,
    /// Tokens that the caller came with: what they open ends, so that a token from before a sign-in is worth nothing after it.
    pub(super) replaces: &'a [SecretHash],
}

/// Writes a new session and issues its token.
pub(super) async fn open(
    tx: &mut Tx,
    call: &Call,
    policy: &SessionPolicy,
    user: User,
    new: NewSession<'_>,
) -> std::result::Result<SignedIn, Fault> {
    for token in new.replaces {
        if let Some(replaced) = sessions::delete_by_token(tx, token).await? {
            let detail = Some(replaced.id.to_string());
            record(tx, call, Record { detail, ..Record::own(Event::SessionsEnded, replaced.user_id) }).await?;
        }
    }
    let mut session = Session {
        id: SessionId::new(call)?,
        user_id: user.id,
        application_id: new.application,
        state: SessionState::Half,
        factors: new.factors,
        security_key_id: new.security_key,
        dialect: call.origin.dialect.into(),
        address: call.origin.address.map(|address| address.to_string().into()),
        user_agent: call.origin.user_agent.clone(),
        created_at: call.now,
        authenticated_at: call.now,
        last_seen_at: call.now,
        idle_expires_at: call.now,
        expires_at: call.now,
    };
    stand(&mut session, new.opening, call, policy);
    let token = SessionToken::generate(call)?;
    sessions::insert(tx, &session, &token.hash()).await?;
    Ok(SignedIn { token, session, user })
}

/// Raises a session, as it is in this transaction, by a second factor that was proven this moment: its standing anew, under a new token.
pub(super) async fn raise(
    tx: &mut Tx,
    call: &Call,
    policy: &SessionPolicy,
    checked: &Authenticated,
    (mut session, user): (Session, User),
    enrolled: Enrolled,
    factor: Factor,
) -> Result<SignedIn> {
    session.factors = session.factors.and(factor);
    let opening = gate::decide(session.factors, enrolled, Door::OpensHalf)?;
    session.authenticated_at = call.now;
    stand(&mut session, opening, call, policy);
    let token = SessionToken::generate(call)?;
    if !sessions::rotate(tx, &session, &checked.token, &token.hash()).await? {
        return Err(Refusal::NotSignedIn.into());
    }
    Ok(SignedIn { token, session, user })
}

/// Gives a session the standing and the lifetime of what the gate opened. The absolute end counts from the first factor: a second one
/// does not move it.
pub(super) fn stand(session: &mut Session, opening: Opening, call: &Call, policy: &SessionPolicy) {
    match opening {
        Opening::Full => {
            session.state = SessionState::Full;
            session.expires_at = session.created_at.after(policy.absolute);
            session.idle_expires_at = call.now.after(policy.idle).min(session.expires_at);
        }
        Opening::Half => {
            session.state = SessionState::Half;
            session.expires_at = call.now.after(policy.half);
            session.idle_expires_at = session.expires_at;
        }
    }
    session.last_seen_at = call.now;
}
