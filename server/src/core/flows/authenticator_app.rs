//! A user's own authenticator app: enrol it in two steps, look, remove it. A seed counts for nothing until a code of it was shown.

use super::factors::{added, may_change, may_still_change, removed};
use super::session::{Need, Presented, check};
use crate::core::audit::{Actor, Event, Record, record};
use crate::core::call::Call;
use crate::core::clock::Timestamp;
use crate::core::limit::{Charges, Limited};
use crate::core::model::{AuthenticatorApp, Factor, MailKind, User, UserId};
use crate::core::policy::SessionPolicy;
use crate::core::store::{Tx, authenticators, sessions};
use crate::core::token::Secret;
use crate::core::{Core, Fault, Refusal, Result, outbox, totp};

/// A new seed: this answer is the only one that carries it.
#[derive(Clone, Debug)]
pub struct Enrolment {
    /// The seed in base32, to be typed into an app.
    pub seed: Secret,
    /// The same as an `otpauth://` URI, to be scanned.
    pub uri: Secret,
}

const HAS_ONE: Refusal = Refusal::Conflict { problem: "An authenticator app is enrolled: remove it first." };
const NOT_STARTED: Refusal = Refusal::Conflict { problem: "No enrolment is open: start one." };

/// Begins an enrolment, in the place of one that was not finished.
///
/// # Errors
/// [`Refusal::NotSignedIn`], [`Refusal::RecentSignInRequired`], [`Refusal::SecondFactorOwed`] when the user has a second factor that this
/// session has not used, [`Refusal::Conflict`] when an app is enrolled.
pub async fn start(core: &Core, call: &Call, presented: &Presented) -> Result<Enrolment> {
    let checked = may_change(core, call, presented).await?;
    let seed = totp::generate(call)?;
    let uri = totp::uri(&seed, &core.policy.service_name, checked.user.email.as_str());
    let (call, kept) = (call.clone(), seed.clone());
    let work = core.store.write(move |tx| {
        Box::pin(async move {
            let (_, user) = may_still_change(tx, &call, &checked).await?;
            if authenticators::start(tx, user.id, &kept, call.now).await? { Ok(()) } else { Err(HAS_ONE.into()) }
        })
    });
    work.await?;
    Ok(Enrolment { seed, uri })
}

/// Finishes an enrolment with a first code; when that was.
///
/// # Errors
/// As [`start`], [`Refusal::Conflict`] also when no enrolment is open: one lasts as long as a sign-in counts as recent; and
/// [`Refusal::InvalidCredentials`] for a wrong code, [`Refusal::TooManyAttempts`].
pub async fn confirm(core: &Core, call: &Call, presented: &Presented, code: &Secret) -> Result<Timestamp> {
    let checked = may_change(core, call, presented).await?;
    let charges = Charges::new(&core.policy.limits, call, &[Limited::SecondFactor(&checked.user.id.to_string())]);
    let owner = checked.user.id;
    let (called, code, policy, taken) = (call.clone(), code.clone(), core.policy.sessions, charges.clone());
    let work = core.store.write(move |tx| {
        Box::pin(async move {
            let (session, user) = may_still_change(tx, &called, &checked).await?;
            taken.take(tx, &called).await?;
            if authenticators::confirmed(tx, user.id).await?.is_some() {
                return Err(HAS_ONE.into());
            }
            let pending = authenticators::pending(tx, user.id).await?;
            let pending = pending.filter(|app| called.now.is_within(policy.recent, app.created_at)).ok_or(NOT_STARTED)?;
            let Some(step) = totp::check(&pending.seed, &code, called.now)? else {
                let outcome = Refusal::InvalidCredentials.name();
                record(tx, &called, Record { outcome, ..Record::own(Event::TotpAdded, user.id) }).await?;
                // A value, not an error: the charge stays.
                return Ok(Err(Refusal::InvalidCredentials));
            };
            if !authenticators::confirm(tx, user.id, &pending.seed, step, called.now).await? {
                return Err(NOT_STARTED.into());
            }
            taken.refund(tx).await?;
            added(tx, &called, &policy, &session).await?;
            outbox::notice(tx, &called, MailKind::AuthenticatorAdded, &user, None).await?;
            record(tx, &called, Record::own(Event::TotpAdded, user.id)).await?;
            Ok(Ok(called.now))
        })
    });
    let confirmed_at = charges.on_record(core, call, Event::TotpAdded, Some(owner), work.await).await??;
    core.mail_promised.notify_one();
    Ok(confirmed_at)
}

/// Since when the caller has an authenticator app; `None` without one.
///
/// # Errors
/// [`Refusal::NotSignedIn`], [`Refusal::SecondFactorOwed`].
pub async fn enrolled_since(core: &Core, call: &Call, presented: &Presented) -> Result<Option<Timestamp>> {
    let user = check(core, call, presented, Need::Full).await?.user.id;
    let app = core.store.read(move |tx| Box::pin(async move { Ok(authenticators::confirmed(tx, user).await?) }));
    Ok(app.await?.and_then(|app| app.confirmed_at))
}

/// Removes the caller's authenticator app. Sessions that rest on it are lowered to what their other factors open.
///
/// # Errors
/// As [`start`], and [`Refusal::NotFound`].
pub async fn remove(core: &Core, call: &Call, presented: &Presented) -> Result<()> {
    let checked = may_change(core, call, presented).await?;
    let (call, policy) = (call.clone(), core.policy.sessions);
    let work = core.store.write(move |tx| {
        Box::pin(async move {
            let (_, user) = may_still_change(tx, &call, &checked).await?;
            remove_of(tx, &call, &policy, &user, Actor::User(user.id)).await
        })
    });
    work.await?;
    core.mail_promised.notify_one();
    Ok(())
}

/// Removes a user's authenticator app, whoever it is that may.
pub(super) async fn remove_of(tx: &mut Tx, call: &Call, policy: &SessionPolicy, user: &User, actor: Actor) -> Result<()> {
    if !authenticators::delete(tx, user.id).await? {
        return Err(Refusal::NotFound.into());
    }
    let resting = sessions::resting_on_totp(tx, user.id).await?;
    removed(tx, call, policy, user.id, resting, Factor::Totp).await?;
    outbox::notice(tx, call, MailKind::AuthenticatorRemoved, user, None).await?;
    Ok(record(tx, call, Record::by(actor, Event::TotpRemoved, Some(user.id), None)).await?)
}

/// Whether this is a code of the app that was not used before; then it is from now on.
pub(super) async fn spend_code(
    tx: &mut Tx,
    call: &Call,
    user: UserId,
    app: &AuthenticatorApp,
    code: &Secret,
) -> std::result::Result<bool, Fault> {
    match totp::check(&app.seed, code, call.now)? {
        Some(step) => authenticators::used(tx, user, &app.seed, step).await,
        None => Ok(false),
    }
}
