//! Changing one's own password: with the old one, in a session of a recent sign-in that has used the second factor, if there is one.

use super::factors::{may_change, may_still_change};
use super::opening::SignedIn;
use super::session::{Authenticated, Presented};
use crate::core::audit::{Event, Record, record, with_refusal};
use crate::core::call::Call;
use crate::core::clock::Timestamp;
use crate::core::decoy::DecoyKey;
use crate::core::limit::{Charges, Limited};
use crate::core::model::{MailKind, User};
use crate::core::password::Password;
use crate::core::store::{passwords, sessions, tickets};
use crate::core::strength::{self, Context};
use crate::core::token::{Secret, SessionToken};
use crate::core::{Core, Refusal, Result, outbox};

/// Changes the password. The session goes on under a new token; all others of the user end, and every ticket that is out.
///
/// # Errors
/// [`Refusal::NotSignedIn`], [`Refusal::SecondFactorOwed`] when the user has a second factor that this session has not used,
/// [`Refusal::RecentSignInRequired`], [`Refusal::TooManyAttempts`], [`Refusal::InvalidCredentials`] for the old password, [`Refusal::PasswordRejected`] for the new.
pub async fn change_password(
    core: &Core,
    call: &Call,
    presented: &Presented,
    current: &Secret,
    new: &Secret,
) -> Result<SignedIn> {
    let checked = may_change(core, call, presented).await?;
    let charges = Charges::new(&core.policy.limits, call, &[Limited::SecondFactor(&checked.user.id.to_string())]);
    let compared = compare(core, call, &checked, &charges, current).await?;
    let phc = accept_new(core, call, new, context(core, &checked.user)).await;
    let phc = with_refusal(core, call, Event::PasswordChanged, Some(checked.user.id), phc).await?;
    let call = call.clone();
    let work = core.store.write(move |tx| {
        Box::pin(async move {
            let (mut session, user) = may_still_change(tx, &call, &checked).await?;
            if !passwords::is_of(tx, user.id, compared).await? {
                return Err(Refusal::InvalidCredentials.into());
            }
            passwords::set(tx, user.id, &phc, call.now, &DecoyKey::generate(&call)?).await?;
            tickets::delete_all_of_user(tx, user.id).await?;
            sessions::delete_of_user(tx, user.id, Some(session.id)).await?;
            session.authenticated_at = call.now;
            session.last_seen_at = call.now;
            let token = SessionToken::generate(&call)?;
            if !sessions::rotate(tx, &session, &checked.token, &token.hash()).await? {
                return Err(Refusal::NotSignedIn.into());
            }
            charges.refund(tx).await?;
            outbox::notice(tx, &call, MailKind::PasswordChanged, &user, None).await?;
            record(tx, &call, Record::own(Event::PasswordChanged, user.id)).await?;
            Ok(SignedIn { token, session, user })
        })
    });
    let changed = work.await?;
    core.mail_promised.notify_one();
    Ok(changed)
}

/// Compares the old password, charged like a second factor so that a stolen session is no place to guess. When it was set.
async fn compare(core: &Core, call: &Call, checked: &Authenticated, charges: &Charges, current: &Secret) -> Result<Timestamp> {
    let place = core.hasher.reserve(call)?;
    let (taken, user, called) = (charges.clone(), checked.user.id, call.clone());
    let work = core.store.write(move |tx| {
        Box::pin(async move {
            taken.take(tx, &called).await?;
            Ok(passwords::by_user(tx, user).await?)
        })
    });
    let stored = charges.on_record(core, call, Event::PasswordChanged, Some(user), work.await).await?;
    let against = stored.as_ref().map(|stored| stored.phc.clone()).into();
    let verdict = core.hasher.verify(place, call, &Password::new(current), against).await?;
    match stored {
        Some(stored) if verdict.matches => Ok(stored.changed_at),
        Some(_) | None => {
            let called = call.clone();
            let outcome = Refusal::InvalidCredentials.name();
            let refused = core.store.write(move |tx| {
                Box::pin(async move {
                    Ok(record(tx, &called, Record { outcome, ..Record::own(Event::PasswordChanged, user) }).await?)
                })
            });
            refused.await?;
            Err(Refusal::InvalidCredentials.into())
        }
    }
}

/// The words that this user's password must not be built on.
pub(super) fn context(core: &Core, user: &User) -> Context {
    Context::new(&core.policy.service_name, Some(&user.username), &user.email, &user.first_name, &user.last_name)
}

/// Judges a new password and hashes it.
///
/// # Errors
/// [`Refusal::PasswordRejected`], [`Refusal::Overloaded`].
pub(super) async fn accept_new(core: &Core, call: &Call, new: &Secret, context: Context) -> Result<String> {
    let password = Password::new(new);
    let (judged, policy) = (password.clone(), core.policy.passwords.clone());
    core.hasher.run(core.hasher.reserve(call)?, move |_| strength::judge(&judged, &context, &policy)).await??;
    core.hasher.hash(core.hasher.reserve(call)?, call, &password).await
}
