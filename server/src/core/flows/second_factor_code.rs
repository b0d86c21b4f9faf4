//! The second factor as a code of an authenticator app: to make a half session full or to step a full one up.

use super::authenticator_app::spend_code;
use super::opening::{SignedIn, raise};
use super::session::{Need, Presented, check, still};
use crate::core::audit::{Actor, Event, Record, record};
use crate::core::call::Call;
use crate::core::limit::{Charges, Limited};
use crate::core::model::{Factor, Session, UserId};
use crate::core::store::{Tx, authenticators, sessions};
use crate::core::token::Secret;
use crate::core::{Core, Refusal, Result};

const NO_APP: Refusal = Refusal::Conflict { problem: "No authenticator app is enrolled." };

/// Presents a code: a full session under a new token. Each code is taken once. After five wrong ones in a row the session ends, half or
/// full, whatever the limits say.
///
/// # Errors
/// [`Refusal::NotSignedIn`], [`Refusal::TooManyAttempts`], [`Refusal::InvalidCredentials`] for a code that is wrong or was used,
/// [`Refusal::Conflict`] when no app is enrolled.
pub async fn present(core: &Core, call: &Call, presented: &Presented, code: &Secret) -> Result<SignedIn> {
    let checked = check(core, call, presented, Need::EvenHalf).await?;
    let charges = Charges::new(&core.policy.limits, call, &[Limited::SecondFactor(&checked.user.id.to_string())]);
    let owner = checked.user.id;
    let (called, code, policy, taken) = (call.clone(), code.clone(), core.policy.sessions, charges.clone());
    let work = core.store.write(move |tx| {
        Box::pin(async move {
            let (session, user) = still(tx, &called, &checked).await?;
            let app = authenticators::confirmed(tx, user.id).await?.ok_or(NO_APP)?;
            taken.take(tx, &called).await?;
            // Counted before it is judged, so that parallel guesses wait for each other's verdict.
            let wrong = sessions::count_wrong_code(tx, session.id).await?;
            if !spend_code(tx, &called, user.id, &app, &code).await? {
                refuse(tx, &called, user.id, &session, wrong).await?;
                // A value, not an error: charge and count stay.
                return Ok(Err(Refusal::InvalidCredentials));
            }
            sessions::forget_wrong_codes(tx, session.id).await?;
            taken.refund(tx).await?;
            let raised = raise(tx, &called, &policy, &checked, session, user, Factor::Totp).await?;
            record(tx, &called, Record { detail: Some("totp".to_owned()), ..Record::own(Event::SecondFactor, raised.user.id) })
                .await?;
            Ok(Ok(raised))
        })
    });
    Ok(charges.on_record(core, call, Event::SecondFactor, Some(owner), work.await).await??)
}

async fn refuse(tx: &mut Tx, call: &Call, user: UserId, session: &Session, wrong: i64) -> Result<()> {
    let (outcome, detail) = (Refusal::InvalidCredentials.name(), Some("totp".to_owned()));
    record(tx, call, Record { outcome, detail, ..Record::own(Event::SecondFactor, user) }).await?;
    if wrong >= sessions::MAXIMUM_WRONG_CODES {
        sessions::delete(tx, session.id).await?;
        let detail = Some(session.id.to_string());
        record(tx, call, Record::by(Actor::Server, Event::SessionsEnded, Some(user), detail)).await?;
    }
    Ok(())
}
