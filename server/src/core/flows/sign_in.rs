//! Signing in with a first factor. What it opens is the gate's decision.

use super::first_factor::{Proof, prove};
use super::opening::{NewSession, SignedIn, open};
use super::session::Tokens;
use crate::core::audit::{Event, Record, record};
use crate::core::call::Call;
use crate::core::gate::{self, Door};
use crate::core::model::{Factors, Identifier, SessionState};
use crate::core::{Core, Result};

/// What a caller wants to sign in with.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// Who they say they are.
    pub identifier: Identifier,
    /// How they prove it.
    pub proof: Proof,
    /// What the dialect can do for somebody who owes a second factor.
    pub door: Door,
    /// Tokens that came with the call; what they open ends when this succeeds.
    pub replaces: Tokens,
}

/// Signs in: a full session, or a half one where the door allows it.
///
/// # Errors
/// [`crate::core::Refusal::TooManyAttempts`], `Overloaded`, `InvalidCredentials`, `AccountDisabled`, `SecondFactorOwed`, `SwitchedOff`.
pub async fn sign_in(core: &Core, call: &Call, request: SignIn) -> Result<SignedIn> {
    let proven = prove(core, call, &request.identifier, &request.proof).await?;
    let (call, policy) = (call.clone(), core.policy.sessions);
    let work = core.store.write(move |tx| {
        Box::pin(async move {
            let (user, enrolled) = proven.settle(tx, &call).await?;
            let factors = Factors::of(proven.factor);
            let opening = gate::decide(factors, enrolled, request.door);
            let outcome = opening.as_ref().map_or_else(|refusal| refusal.name(), |_| "ok");
            let user_id = user.id;
            let opened = match opening {
                Ok(opening) => {
                    let new = NewSession { opening, factors, application: None, security_key: None, replaces: &request.replaces };
                    Ok(open(tx, &call, &policy, user, new).await?)
                }
                Err(refusal) => Err(refusal),
            };
            let half = opened.as_ref().is_ok_and(|opened| opened.session.state == SessionState::Half);
            let outcome = if half { "second_factor_required" } else { outcome };
            record(tx, &call, Record { outcome, detail: Some(factors.to_string()), ..Record::own(Event::SignIn, user_id) })
                .await?;
            // A refusal here is kept, not undone: the proof was right, and its code is spent.
            Ok(opened)
        })
    });
    Ok(work.await??)
}
