//! A user's own security keys: register, list, rename, remove.

use super::factors::{added, may_change, may_still_change, removed};
use super::second_factor::{credentials, keep_challenge, keys_of, refuse, spend_challenge};
use super::session::{Need, Presented, check, still};
use crate::core::audit::{Actor, Event, Record, record};
use crate::core::call::Call;
use crate::core::limit::{Charges, Limited};
use crate::core::model::{Factor, KeyName, KeyUse, MailKind, Purpose, SecurityKey, SecurityKeyId, User};
use crate::core::policy::SessionPolicy;
use crate::core::store::{Tx, security_keys, sessions};
use crate::core::{Core, CreationChallengeResponse, Error, Refusal, RegisterPublicKeyCredential, Result, outbox};

/// Begins a registration: creation options with a fresh challenge.
///
/// # Errors
/// [`Refusal::NotSignedIn`], [`Refusal::RecentSignInRequired`], [`Refusal::SecondFactorOwed`] when the user has a second
/// factor that this session has not used, [`Refusal::WebauthnUnavailable`].
pub async fn start_registration(
    core: &Core,
    call: &Call,
    presented: &Presented,
    wanted: KeyUse,
) -> Result<CreationChallengeResponse> {
    let checked = may_change(core, call, presented).await?;
    let keys = keys_of(core, &checked).await?;
    let (options, state) = core.relying_party.start_registration(&checked.user, &credentials(&keys), wanted)?;
    keep_challenge(core, call, &checked, Purpose::KeyRegistration, state).await?;
    Ok(options)
}

/// Finishes a registration.
///
/// # Errors
/// As [`start_registration`], and [`Refusal::WebauthnFailed`], [`Refusal::KeyNameTaken`], [`Refusal::TooManyAttempts`].
pub async fn finish_registration(
    core: &Core,
    call: &Call,
    presented: &Presented,
    name: KeyName,
    answer: &RegisterPublicKeyCredential,
) -> Result<SecurityKey> {
    let checked = may_change(core, call, presented).await?;
    let charges = Charges::new(&core.policy.limits, call, &[Limited::SecondFactor(&checked.user.id.to_string())]);
    let state = spend_challenge(core, call, &checked, Purpose::KeyRegistration, charges.clone()).await?;
    let Some(state) = state else { return Err(refuse(core, call, &checked, Event::KeyAdded).await) };
    let registered = match core.relying_party.finish_registration(answer, &state) {
        Err(Error::Refused(_)) => return Err(refuse(core, call, &checked, Event::KeyAdded).await),
        registered => registered?,
    };
    let key = SecurityKey {
        id: SecurityKeyId::new(call)?,
        user_id: checked.user.id,
        name,
        credential: registered.credential,
        created_at: call.now,
        last_used_at: None,
        passkey: registered.passkey,
    };
    let (call, policy) = (call.clone(), core.policy.sessions);
    let work = core.store.write(move |tx| {
        Box::pin(async move {
            let (session, user) = may_still_change(tx, &call, &checked).await?;
            security_keys::insert(tx, &key, &registered.credential_id, registered.counter).await?;
            charges.refund(tx).await?;
            added(tx, &call, &policy, &session).await?;
            let name = key.name.as_str().to_owned();
            outbox::notice(tx, &call, MailKind::KeyAdded, &user, Some(&name)).await?;
            record(tx, &call, Record { detail: Some(name), ..Record::own(Event::KeyAdded, user.id) }).await?;
            Ok(key)
        })
    });
    let key = work.await?;
    core.mail_promised.notify_one();
    Ok(key)
}

/// The caller's keys, in the order in which they were registered.
///
/// # Errors
/// [`Refusal::NotSignedIn`], [`Refusal::SecondFactorOwed`].
pub async fn list(core: &Core, call: &Call, presented: &Presented) -> Result<Vec<SecurityKey>> {
    let checked = check(core, call, presented, Need::Full).await?;
    keys_of(core, &checked).await
}

/// Renames one of the caller's keys.
///
/// # Errors
/// As [`list`], and [`Refusal::NotFound`], [`Refusal::KeyNameTaken`].
pub async fn rename(core: &Core, call: &Call, presented: &Presented, id: SecurityKeyId, name: KeyName) -> Result<()> {
    let checked = check(core, call, presented, Need::Full).await?;
    let call = call.clone();
    let work = core.store.write(move |tx| {
        Box::pin(async move {
            let (_, user) = still(tx, &call, &checked).await?;
            security_keys::rename(tx, user.id, id, &name).await?;
            let detail = Some(name.as_str().to_owned());
            Ok(record(tx, &call, Record { detail, ..Record::own(Event::KeyRenamed, user.id) }).await?)
        })
    });
    work.await
}

/// Removes one of the caller's keys. Sessions that rest on it are lowered to what their other factors open, or end.
///
/// # Errors
/// As [`start_registration`], and [`Refusal::NotFound`].
pub async fn remove(core: &Core, call: &Call, presented: &Presented, id: SecurityKeyId) -> Result<()> {
    let checked = may_change(core, call, presented).await?;
    let (call, policy) = (call.clone(), core.policy.sessions);
    let work = core.store.write(move |tx| {
        Box::pin(async move {
            let (_, user) = may_still_change(tx, &call, &checked).await?;
            remove_of(tx, &call, &policy, &user, id, Actor::User(user.id)).await
        })
    });
    work.await?;
    core.mail_promised.notify_one();
    Ok(())
}

/// Removes a user's key, whoever it is that may.
pub(super) async fn remove_of(
    tx: &mut Tx,
    call: &Call,
    policy: &SessionPolicy,
    user: &User,
    key: SecurityKeyId,
    actor: Actor,
) -> Result<()> {
    let name = security_keys::delete(tx, user.id, key).await?.ok_or(Refusal::NotFound)?;
    let resting = sessions::resting_on_key(tx, user.id, key).await?;
    removed(tx, call, policy, user.id, resting, Factor::SecurityKey).await?;
    outbox::notice(tx, call, MailKind::KeyRemoved, user, Some(&name)).await?;
    Ok(record(tx, call, Record::by(actor, Event::KeyRemoved, Some(user.id), Some(name))).await?)
}
