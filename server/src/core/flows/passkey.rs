//! Signing in with a passkey: no name, no password, no second step. The key says whose it is, and has verified them.

use super::factors::enrolled;
use super::opening::{NewSession, SignedIn, open};
use super::session::Tokens;
use crate::core::audit::{Actor, Event, Record, record};
use crate::core::call::Call;
use crate::core::gate::{self, Door};
use crate::core::limit::{Charges, Limited};
use crate::core::model::{Factor, Factors, Purpose, SecurityKey, Status, User, UserId};
use crate::core::store::unbound_tickets::NewUnboundTicket;
use crate::core::store::{security_keys, unbound_tickets, users};
use crate::core::webauthn::passkey::{challenge_of, credential_id_of};
use crate::core::webauthn::{Asserted, AssertionError};
use crate::core::{Core, Error, PublicKeyCredential, Refusal, RequestChallengeResponse, Result};

/// Begins: request options for whoever has a passkey. The challenge is good once, for anybody, on any node.
///
/// # Errors
/// [`Refusal::WebauthnUnavailable`], [`Refusal::TooManyAttempts`].
pub async fn start(core: &Core, call: &Call) -> Result<RequestChallengeResponse> {
    let (options, challenge, state) = core.relying_party.start_passkey()?;
    let charges = Charges::new(&core.policy.limits, call, &[Limited::ChallengeNetwork]);
    let ticket = NewUnboundTicket {
        purpose: Purpose::PasskeySignIn,
        secret_hash: challenge.ticket_hash(Purpose::PasskeySignIn),
        payload: Some(state),
        created_at: call.now,
        expires_at: call.now.after(core.policy.tickets.challenge),
    };
    let (called, taken) = (call.clone(), charges.clone());
    let work = core.store.write_each(move |tx| {
        Box::pin(async move {
            taken.take(tx, &called).await?;
            Ok(unbound_tickets::insert(tx, &ticket).await?)
        })
    });
    charges.on_record(core, call, Event::SignIn, None, work.await).await?;
    Ok(options)
}

/// Finishes: a session in place of what `replaces` opened. The challenge is spent in any case, and an unknown key is answered like a wrong
/// answer of a known one.
///
/// # Errors
/// [`Refusal::TooManyAttempts`], [`Refusal::WebauthnUnavailable`], [`Refusal::WebauthnFailed`], [`Refusal::AccountDisabled`].
pub async fn finish(core: &Core, call: &Call, replaces: Tokens, answer: &PublicKeyCredential) -> Result<SignedIn> {
    if !core.has_webauthn() {
        return Err(Refusal::WebauthnUnavailable.into());
    }
    let credential_id = credential_id_of(answer)?;
    let limited = [Limited::SigninAccount(&credential_id), Limited::SigninNetwork];
    let charges = Charges::new(&core.policy.limits, call, &limited);
    let found = look_up(core, call, charges.clone(), answer).await;
    let Found { state, known } = charges.on_record(core, call, Event::SignIn, None, found).await?;
    let user = known.as_ref().map(|(_, user)| user.id);
    let Some(state) = state else {
        return refuse(core, call, Event::SignIn, Refusal::WebauthnFailed, user).await;
    };
    let asserted = core.relying_party.finish_passkey(answer, &state, known.as_ref().map(|(key, user)| (key, user)));
    match (asserted, known) {
        (Ok(_), Some((_, user))) if user.status == Status::Disabled => {
            refuse(core, call, Event::SignIn, Refusal::AccountDisabled, Some(user.id)).await
        }
        (Ok(asserted), Some((key, _))) => settle(core, call, charges, replaces, key, asserted).await,
        (Err(AssertionError::Fault(fault)), _) => Err(fault.into()),
        (Err(AssertionError::Counter), _) => refuse(core, call, Event::KeyCloneSuspected, Refusal::WebauthnFailed, user).await,
        (Err(AssertionError::Invalid), _) | (Ok(_), None) => {
            refuse(core, call, Event::SignIn, Refusal::WebauthnFailed, user).await
        }
    }
}

/// What the store knows of an answer.
struct Found {
    /// Of the ceremony, which this has ended.
    state: Option<String>,
    known: Option<(SecurityKey, User)>,
}

async fn look_up(core: &Core, call: &Call, charges: Charges, answer: &PublicKeyCredential) -> Result<Found> {
    let (call, credential_id) = (call.clone(), credential_id_of(answer)?);
    let purpose = Purpose::PasskeySignIn;
    let challenge = challenge_of(answer).map(|challenge| challenge.ticket_hash(purpose));
    let work = core.store.write_each(move |tx| {
        Box::pin(async move {
            charges.take(tx, &call).await?;
            let state = match &challenge {
                Some(challenge) => unbound_tickets::spend(tx, purpose, challenge, call.now).await?.flatten(),
                None => None,
            };
            let key = security_keys::by_credential(tx, &credential_id).await?;
            let user = users::by_id(tx, key.as_ref().map_or(UserId::NOBODY, |key| key.user_id)).await?;
            Ok(Found { state, known: key.zip(user) })
        })
    });
    work.await
}

/// Opens the session, if all that was found still holds.
async fn settle(
    core: &Core,
    call: &Call,
    charges: Charges,
    replaces: Tokens,
    key: SecurityKey,
    asserted: Asserted,
) -> Result<SignedIn> {
    let (call, policy) = (call.clone(), core.policy.sessions);
    let work = core.store.write(move |tx| {
        Box::pin(async move {
            let user = users::by_id(tx, key.user_id).await?.ok_or(Refusal::WebauthnFailed)?;
            if user.status == Status::Disabled {
                return Err(Refusal::AccountDisabled.into());
            }
            if !security_keys::used(tx, &key, asserted.counter, &asserted.credential, call.now).await? {
                let (outcome, detail) = (Refusal::WebauthnFailed.name(), Some(key.name.as_str().to_owned()));
                record(tx, &call, Record { outcome, detail, ..Record::own(Event::KeyCloneSuspected, user.id) }).await?;
                return Ok(Err(Refusal::WebauthnFailed));
            }
            security_keys::is_passkey(tx, &key).await?;
            charges.refund(tx).await?;
            let factors = Factors::of(Factor::SecurityKey).and(Factor::UserVerification);
            let opening = gate::decide(factors, enrolled(tx, user.id).await?, Door::OpensHalf)?;
            let new = NewSession { opening, factors, application: None, security_key: Some(key.id), replaces: &replaces };
            let detail = Some(factors.to_string());
            record(tx, &call, Record { detail, ..Record::own(Event::SignIn, user.id) }).await?;
            Ok(Ok(open(tx, &call, &policy, user, new).await?))
        })
    });
    Ok(work.await??)
}

/// Puts a failed sign-in on record; nobody is signed in by it.
async fn refuse(core: &Core, call: &Call, event: Event, refusal: Refusal, user: Option<UserId>) -> Result<SignedIn> {
    let (call, outcome) = (call.clone(), refusal.name());
    let work = core.store.write_each(move |tx| {
        Box::pin(async move {
            let refused = Record { event, outcome, user, actor: Actor::Anonymous, detail: None };
            Ok(record(tx, &call, refused).await?)
        })
    });
    work.await?;
    Err(Error::Refused(refusal))
}
