//! The second factor: authenticating with a security key, to make a half session full or to step a full one up.

use super::factors::enrolled;
use super::opening::{SignedIn, raise};
use super::session::{Authenticated, Need, Presented, check, still};
use crate::core::audit::{Event, Record, record};
use crate::core::call::Call;
use crate::core::limit::{Charges, Limited};
use crate::core::model::{Factor, Purpose, SecurityKey, TicketId};
use crate::core::store::tickets::NewTicket;
use crate::core::store::{Tx, security_keys, tickets};
use crate::core::webauthn::{Asserted, AssertionError};
use crate::core::{Core, Error, PublicKeyCredential, Refusal, RequestChallengeResponse, Result};

/// Begins: request options with a fresh challenge, which replaces one that this session has open.
///
/// # Errors
/// [`Refusal::NotSignedIn`], [`Refusal::NoSecurityKey`], [`Refusal::WebauthnUnavailable`].
pub async fn start(core: &Core, call: &Call, presented: &Presented) -> Result<RequestChallengeResponse> {
    let checked = check(core, call, presented, Need::EvenHalf).await?;
    let keys = keys_of(core, &checked).await?;
    if keys.is_empty() {
        return Err(Refusal::NoSecurityKey.into());
    }
    let (mut options, state) = core.relying_party.start_authentication(&credentials(&keys))?;
    if keys.iter().any(|key| key.passkey == Some(true)) {
        // The library's hint is a key that one plugs in; a passkey may be in the device itself, or in a phone.
        options.public_key.hints = None;
    }
    keep_challenge(core, call, &checked, Purpose::KeyAuthentication, state).await?;
    Ok(options)
}

/// Finishes: a full session under a new token.
///
/// # Errors
/// [`Refusal::NotSignedIn`], [`Refusal::TooManyAttempts`], [`Refusal::WebauthnFailed`]; the challenge is spent in any case.
pub async fn finish(core: &Core, call: &Call, presented: &Presented, answer: &PublicKeyCredential) -> Result<SignedIn> {
    let checked = check(core, call, presented, Need::EvenHalf).await?;
    let charges = Charges::new(&core.policy.limits, call, &[Limited::SecondFactor(&checked.user.id.to_string())]);
    let state = spend_challenge(core, call, &checked, Purpose::KeyAuthentication, charges.clone()).await?;
    let Some(state) = state else { return Err(refuse(core, call, &checked, Event::SecondFactor).await) };
    let keys = keys_of(core, &checked).await?;
    match core.relying_party.finish_authentication(answer, &state, &checked.user, &credentials(&keys)) {
        Ok((place, asserted)) => match keys.into_iter().nth(place) {
            Some(key) => promote(core, call, checked, charges, key, asserted).await,
            None => Err(refuse(core, call, &checked, Event::SecondFactor).await),
        },
        Err(AssertionError::Counter) => Err(refuse(core, call, &checked, Event::KeyCloneSuspected).await),
        Err(AssertionError::Invalid) => Err(refuse(core, call, &checked, Event::SecondFactor).await),
        Err(AssertionError::Fault(fault)) => Err(fault.into()),
    }
}

async fn promote(
    core: &Core,
    call: &Call,
    checked: Authenticated,
    charges: Charges,
    key: SecurityKey,
    asserted: Asserted,
) -> Result<SignedIn> {
    let (call, policy) = (call.clone(), core.policy.sessions);
    let work = core.store.write(move |tx| {
        Box::pin(async move {
            let (mut session, user) = still(tx, &call, &checked).await?;
            if !security_keys::used(tx, &key, asserted.counter, &asserted.credential, call.now).await? {
                let outcome = Refusal::WebauthnFailed.name();
                let detail = Some(key.name.as_str().to_owned());
                record(tx, &call, Record { outcome, detail, ..Record::own(Event::KeyCloneSuspected, user.id) }).await?;
                return Ok(Err(Refusal::WebauthnFailed));
            }
            // A session that a passkey opened goes on resting on that one.
            if !session.factors.has(Factor::UserVerification) {
                session.security_key_id = Some(key.id);
            }
            let enrolled = enrolled(tx, user.id).await?;
            let raised = raise(tx, &call, &policy, &checked, (session, user), enrolled, Factor::SecurityKey).await?;
            charges.refund(tx).await?;
            let detail = Some(key.name.as_str().to_owned());
            record(tx, &call, Record { detail, ..Record::own(Event::SecondFactor, raised.user.id) }).await?;
            Ok(Ok(raised))
        })
    });
    Ok(work.await??)
}

/// Puts a failed ceremony on record; what to answer.
pub(super) async fn refuse(core: &Core, call: &Call, checked: &Authenticated, event: Event) -> Error {
    let (call, user) = (call.clone(), checked.user.id);
    let work = core.store.write_each(move |tx| {
        Box::pin(async move {
            let outcome = Refusal::WebauthnFailed.name();
            Ok(record(tx, &call, Record { outcome, ..Record::own(event, user) }).await?)
        })
    });
    work.await.err().unwrap_or_else(|| Refusal::WebauthnFailed.into())
}

pub(super) fn credentials(keys: &[SecurityKey]) -> Vec<String> {
    keys.iter().map(|key| key.credential.clone()).collect()
}

pub(super) async fn keys_of(core: &Core, checked: &Authenticated) -> Result<Vec<SecurityKey>> {
    let user = checked.user.id;
    core.store.read(move |tx| Box::pin(async move { Ok(security_keys::of_user(tx, user).await?) })).await
}

/// Keeps a ceremony's state, bound to the session. In the store, so that it outlives a restart and can be finished on another node.
pub(super) async fn keep_challenge(
    core: &Core,
    call: &Call,
    checked: &Authenticated,
    purpose: Purpose,
    state: String,
) -> Result<()> {
    let ticket = NewTicket {
        id: TicketId::new(call)?,
        purpose,
        secret_hash: None,
        user_id: checked.user.id,
        session_id: Some(checked.session.id),
        application_id: None,
        payload: Some(state),
        created_at: call.now,
        expires_at: call.now.after(core.policy.tickets.challenge),
    };
    let (call, checked) = (call.clone(), checked.clone());
    let work = core.store.write(move |tx| {
        Box::pin(async move {
            still(tx, &call, &checked).await?;
            tickets::delete_of_session(tx, checked.session.id, purpose).await?;
            Ok(tickets::insert(tx, &ticket).await?)
        })
    });
    work.await
}

/// Charges the try, and takes the open ceremony's state: for one caller only, whatever becomes of it.
pub(super) async fn spend_challenge(
    core: &Core,
    call: &Call,
    checked: &Authenticated,
    purpose: Purpose,
    charges: Charges,
) -> Result<Option<String>> {
    let (called, session, taken) = (call.clone(), checked.session.id, charges.clone());
    let work = core.store.write_each(move |tx: &mut Tx| {
        Box::pin(async move {
            taken.take(tx, &called).await?;
            let ticket = tickets::spend_of_session(tx, session, purpose, called.now).await?;
            Ok(ticket.and_then(|ticket| ticket.payload))
        })
    });
    charges.on_record(core, call, Event::SecondFactor, Some(checked.user.id), work.await).await
}
