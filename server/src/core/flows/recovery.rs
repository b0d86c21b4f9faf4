//! A forgotten password: a mailed link, and a new password set with it. Opening the link spends nothing.

use super::change_password::{accept_new, context};
use super::mail_request::request_mail;
use crate::core::audit::{Actor, Event, Record, record, with_refusal};
use crate::core::call::Call;
use crate::core::decoy::DecoyKey;
use crate::core::limit::{Charges, Limited};
use crate::core::model::{Identifier, MailKind, Purpose, Status, TicketId, User};
use crate::core::outbox::{self, LinkForm};
use crate::core::store::{passwords, sessions, tickets, users};
use crate::core::token::Secret;
use crate::core::{Core, Refusal, Result};

/// Asks for a link. The answer is the same, and takes as long, whether or not anybody has that name: who it is, is looked up when the
/// mail is prepared.
///
/// # Errors
/// [`Refusal::TooManyAttempts`].
pub async fn request(core: &Core, call: &Call, identifier: &Identifier, form: LinkForm) -> Result<()> {
    request_mail(core, call, identifier, MailKind::Recovery, form.as_str()).await
}

/// Whether a link is still good; looking spends nothing.
///
/// # Errors
/// [`Refusal::TicketInvalid`].
pub async fn inspect(core: &Core, call: &Call, secret: &Secret) -> Result<()> {
    find(core, call, secret).await.map(|_| ())
}

/// Sets a new password with a link. Ends all of the user's sessions and every ticket that is out; opens nothing, so that a second factor
/// is still owed at the next sign-in.
///
/// # Errors
/// [`Refusal::TicketInvalid`], also when `user_id` is named and another's; [`Refusal::PasswordRejected`], which leaves the link good.
pub async fn confirm(core: &Core, call: &Call, secret: &Secret, user_id: Option<&str>, new: &Secret) -> Result<()> {
    let charges = Charges::new(&core.policy.limits, call, &[Limited::SigninNetwork]);
    let work = set_password(core, call, secret, user_id, new);
    let set = charges.guard(core, call, Event::RecoveryCompleted, work, |refusal| *refusal == Refusal::TicketInvalid).await;
    with_refusal(core, call, Event::RecoveryCompleted, None, set).await
}

async fn set_password(core: &Core, call: &Call, secret: &Secret, user_id: Option<&str>, new: &Secret) -> Result<()> {
    let (ticket, user) = find(core, call, secret).await?;
    if user_id.is_some_and(|claimed| claimed != user.id.to_string()) {
        return Err(Refusal::TicketInvalid.into());
    }
    let phc = accept_new(core, call, new, context(core, &user)).await?;
    let call = call.clone();
    let work = core.store.write(move |tx| {
        Box::pin(async move {
            let user = users::by_id(tx, user.id).await?.filter(|user| user.status == Status::Active);
            let Some(user) = user else { return Err(Refusal::TicketInvalid.into()) };
            if !tickets::spend(tx, ticket, call.now).await? {
                return Err(Refusal::TicketInvalid.into());
            }
            passwords::set(tx, user.id, &phc, call.now, &DecoyKey::generate(&call)?).await?;
            users::set_verified(tx, user.id, call.now).await?;
            sessions::delete_of_user(tx, user.id, None).await?;
            tickets::delete_all_of_user(tx, user.id).await?;
            outbox::notice(tx, &call, MailKind::PasswordChanged, &user, None).await?;
            let done = Record { actor: Actor::Anonymous, ..Record::own(Event::RecoveryCompleted, user.id) };
            Ok(record(tx, &call, done).await?)
        })
    });
    work.await?;
    core.mail_promised.notify_one();
    Ok(())
}

async fn find(core: &Core, call: &Call, secret: &Secret) -> Result<(TicketId, User)> {
    let (hash, now) = (secret.ticket_hash(Purpose::Recovery), call.now);
    let found = core.store.read(move |tx| {
        Box::pin(async move {
            let ticket = tickets::by_secret(tx, Purpose::Recovery, &hash, now).await?.ok_or(Refusal::TicketInvalid)?;
            let user = users::get(tx, ticket.user_id).await?;
            Ok((ticket.id, user))
        })
    });
    found.await
}
