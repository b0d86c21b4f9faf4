//! The second factor as a code of an authenticator app: to make a half session full or to step a full one up.

use super::authenticator_app::spend_code;
use super::factors::enrolled_beside;
use super::opening::{SignedIn, raise};
use super::session::{Authenticated, Presented, Sought};
use crate::core::audit::{Actor, Event, Record, record};
use crate::core::call::Call;
use crate::core::limit::{Charges, Limited};
use crate::core::model::{AuthenticatorApp, Factor, Session, User};
use crate::core::policy::SessionPolicy;
use crate::core::store::{Tx, authenticators, sessions};
use crate::core::token::Secret;
use crate::core::{Core, Error, Refusal, Result};

const NO_APP: Refusal = Refusal::Conflict { problem: "No authenticator app is enrolled." };

/// Presents a code: a full session under a new token. Each code is taken once. After five wrong ones in a row the session ends, half or
/// full, whatever the limits say.
///
/// # Errors
/// [`Refusal::NotSignedIn`], [`Refusal::TooManyAttempts`], [`Refusal::InvalidCredentials`] for a code that is wrong or was used,
/// [`Refusal::Conflict`] when no app is enrolled.
pub async fn present(core: &Core, call: &Call, presented: &Presented, code: &Secret) -> Result<SignedIn> {
    let sought = Sought::new(core, presented)?;
    let (called, code, policy, limits) = (call.clone(), code.clone(), core.policy.sessions, core.policy.limits.clone());
    let work = core.store.write(move |tx| {
        Box::pin(async move {
            let checked = sought.find(tx, called.now).await?.ok_or(Refusal::NotSignedIn)?;
            let user = checked.user.id;
            let app = authenticators::confirmed(tx, user).await?.ok_or(NO_APP)?;
            let charges = Charges::new(&limits, &called, &[Limited::SecondFactor(&user.to_string())]);
            // Judged and counted in one transaction, as if it ran alone: parallel guesses wait for each other's verdict.
            let judged = if let Err(throttled) = charges.demand(tx, &called).await? {
                Err(throttled)
            } else if spend_code(tx, &called, user, &app, &code).await? {
                Ok(accept(tx, &called, &policy, &checked, &app).await?)
            } else {
                charges.take(tx, &called).await?;
                Err(refuse(tx, &called, &checked).await?)
            };
            // A value, not an error: charge and count stay.
            Ok((user, charges, judged))
        })
    });
    let (user, charges, judged) = work.await?;
    charges.on_record(core, call, Event::SecondFactor, Some(user), judged.map_err(Error::from)).await
}

async fn accept(
    tx: &mut Tx,
    call: &Call,
    policy: &SessionPolicy,
    checked: &Authenticated,
    app: &AuthenticatorApp,
) -> Result<SignedIn> {
    let standing = (Session::clone(&checked.session), User::clone(&checked.user));
    let enrolled = enrolled_beside(tx, checked.user.id, Some(app)).await?;
    let raised = raise(tx, call, policy, checked, standing, enrolled, Factor::Totp).await?;
    record(tx, call, Record { detail: Some("totp".to_owned()), ..Record::own(Event::SecondFactor, raised.user.id) }).await?;
    Ok(raised)
}

async fn refuse(tx: &mut Tx, call: &Call, checked: &Authenticated) -> Result<Refusal> {
    let (session, user) = (checked.session.id, checked.user.id);
    let wrong = sessions::count_wrong_code(tx, session).await?;
    let refusal = Refusal::InvalidCredentials;
    let (outcome, detail) = (refusal.name(), Some("totp".to_owned()));
    record(tx, call, Record { outcome, detail, ..Record::own(Event::SecondFactor, user) }).await?;
    if wrong >= sessions::MAXIMUM_WRONG_CODES {
        sessions::delete(tx, session).await?;
        let detail = Some(session.to_string());
        record(tx, call, Record::by(Actor::Server, Event::SessionsEnded, Some(user), detail)).await?;
    }
    Ok(refusal)
}
