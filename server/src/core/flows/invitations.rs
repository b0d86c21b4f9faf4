//! Invitations: made by an administrator, for one address, used once, to join with an account or to create one.

use std::time::Duration;

use super::authority::Authority;
use super::change_password::accept_new;
use super::session::{Authenticated, Need, Presented, check, still};
use crate::core::audit::{Actor, Event, Record, record, with_refusal};
use crate::core::call::Call;
use crate::core::decoy::DecoyKey;
use crate::core::limit::{Charges, Limited};
use crate::core::model::{
    Email, Identifier, Invitation, InvitationId, Page, Paged, PersonName, Role, Status, User, UserId, Username,
};
use crate::core::store::{Tx, invitations, passwords, users};
use crate::core::strength::Context;
use crate::core::token::{Secret, SecretHash};
use crate::core::{Core, Fault, Refusal, Result, outbox};

/// A new invitation with its secret: this answer and the mail are the only places that have it.
#[derive(Clone, Debug)]
pub struct Invited {
    /// The invitation.
    pub invitation: Invitation,
    /// The id that opens it.
    pub secret: Secret,
    /// The link that the mail carries.
    pub link: String,
}

/// For how long an invitation may be good at most: one that nobody remembers is an open door.
pub const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// The link of an invitation.
#[must_use]
pub(super) fn link(core: &Core, secret: &Secret) -> String {
    format!("{}/invitation?id={}", core.policy.public_url, secret.reveal())
}

/// Invites somebody, by mail.
///
/// An address that has an account may be invited too: to accept.
///
/// # Errors
/// [`Refusal::RecentSignInRequired`].
pub async fn create(
    core: &Core,
    call: &Call,
    authority: Authority,
    email: Email,
    role: Role,
    valid_for: Option<Duration>,
) -> Result<Invited> {
    authority.demand_recent()?;
    let secret = Secret::generate(call)?;
    let invitation = Invitation {
        id: InvitationId::new(call)?,
        email,
        role,
        created_at: call.now,
        expires_at: call.now.after(valid_for.unwrap_or(core.policy.tickets.invitation)),
        used_at: None,
        revoked_at: None,
    };
    let invited = Invited { link: link(core, &secret), invitation, secret };
    let made = invited.clone();
    let work = authority.write(core, call, move |tx, call| {
        Box::pin(async move {
            invitations::insert(tx, &made.invitation, &made.secret.invitation_hash()).await?;
            outbox::invitation(tx, call, made.invitation.email.as_str(), &made.secret).await?;
            let detail = Some(made.invitation.id.to_string());
            Ok(record(tx, call, Record::by(authority.actor(), Event::InvitationCreated, None, detail)).await?)
        })
    });
    work.await?;
    core.mail_promised.notify_one();
    Ok(invited)
}

/// All invitations, newest first.
///
/// # Errors
/// Faults only.
pub async fn list(core: &Core, _: Authority, page: Page) -> Result<Paged<Invitation>> {
    let work = core.store.read(move |tx| {
        Box::pin(async move { Ok(page.cut(invitations::list(tx, &page).await?, |invitation| invitation.id.to_string())) })
    });
    work.await
}

/// Mails an invitation once more, open or expired, with another secret: the one before is worth nothing from then on. It is good for as long
/// as a new one.
///
/// # Errors
/// [`Refusal::RecentSignInRequired`], [`Refusal::NotFound`]; [`Refusal::Conflict`] when it has been used or taken back.
pub async fn reissue(core: &Core, call: &Call, authority: Authority, id: InvitationId) -> Result<Invited> {
    authority.demand_recent()?;
    let (secret, expires_at) = (Secret::generate(call)?, call.now.after(core.policy.tickets.invitation));
    let issued = secret.clone();
    let work = authority.write(core, call, move |tx, call| {
        Box::pin(async move {
            invitations::by_id(tx, id).await?.ok_or(Refusal::NotFound)?;
            if !invitations::reissue(tx, id, &issued.invitation_hash(), expires_at).await? {
                return Err(Refusal::Conflict { problem: "The invitation has been used or revoked already." }.into());
            }
            let invitation = invitations::by_id(tx, id).await?.ok_or(Refusal::NotFound)?;
            outbox::invitation(tx, call, invitation.email.as_str(), &issued).await?;
            let detail = Some(id.to_string());
            record(tx, call, Record::by(authority.actor(), Event::InvitationReissued, None, detail)).await?;
            Ok(invitation)
        })
    });
    let invitation = work.await?;
    core.mail_promised.notify_one();
    Ok(Invited { link: link(core, &secret), invitation, secret })
}

/// Takes an invitation back.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Conflict`] when it has been used or taken back.
pub async fn revoke(core: &Core, call: &Call, authority: Authority, id: InvitationId) -> Result<()> {
    let work = authority.write(core, call, move |tx, call| {
        Box::pin(async move {
            invitations::by_id(tx, id).await?.ok_or(Refusal::NotFound)?;
            if !invitations::revoke(tx, id, call.now).await? {
                return Err(Refusal::Conflict { problem: "The invitation has been used or revoked already." }.into());
            }
            let detail = Some(id.to_string());
            Ok(record(tx, call, Record::by(authority.actor(), Event::InvitationRevoked, None, detail)).await?)
        })
    });
    work.await
}

/// What an invitation says; looking spends nothing.
///
/// # Errors
/// [`Refusal::InvitationNotFound`].
pub async fn inspect(core: &Core, call: &Call, secret: &Secret) -> Result<Invitation> {
    let (hash, now) = (secret.invitation_hash(), call.now);
    let work = core.store.read(move |tx| {
        Box::pin(async move { Ok(invitations::open(tx, &hash, now).await?.ok_or(Refusal::InvitationNotFound)?) })
    });
    work.await
}

/// Accepts an invitation for a signed-in user whose address it is for: they get its role.
///
/// # Errors
/// [`Refusal::NotSignedIn`], [`Refusal::SecondFactorOwed`], [`Refusal::InvitationNotFound`], [`Refusal::InvitationForAnother`].
pub async fn accept(core: &Core, call: &Call, presented: &Presented, secret: &Secret) -> Result<User> {
    let checked = check(core, call, presented, Need::Full).await?;
    let user = checked.user.id;
    guard(core, call, Some(user), accept_for(core, call, checked, secret)).await
}

async fn accept_for(core: &Core, call: &Call, checked: Authenticated, secret: &Secret) -> Result<User> {
    let (call, hash) = (call.clone(), secret.invitation_hash());
    let work = core.store.write(move |tx| {
        Box::pin(async move {
            let (_, user) = still(tx, &call, &checked).await?;
            let invitation = invitations::open(tx, &hash, call.now).await?.ok_or(Refusal::InvitationNotFound)?;
            if invitation.email.key() != user.email.key() {
                return Err(Refusal::InvitationForAnother.into());
            }
            if invitation.role == Role::Admin {
                users::set_role(tx, user.id, Role::Admin).await?;
            }
            spend(tx, &call, &hash, Actor::User(user.id), user.id).await?;
            Ok(users::get(tx, user.id).await?)
        })
    });
    work.await
}

/// What somebody gives to create the account that they were invited to. Address and role are the invitation's.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// Given name.
    pub first_name: PersonName,
    /// Family name.
    pub last_name: PersonName,
    /// The password.
    pub password: Secret,
}

/// Creates the account; its address counts as verified, for the invitation came by it. Opens no session.
///
/// # Errors
/// [`Refusal::InvitationNotFound`], [`Refusal::EmailTaken`], [`Refusal::PasswordRejected`], which leaves the invitation open.
pub async fn create_account(core: &Core, call: &Call, secret: &Secret, account: NewAccount) -> Result<User> {
    guard(core, call, None, create_for(core, call, secret, account)).await
}

async fn create_for(core: &Core, call: &Call, secret: &Secret, account: NewAccount) -> Result<User> {
    let invitation = inspect(core, call, secret).await?;
    refuse_taken(core, &invitation).await?;
    let context = Context::new(&core.policy.service_name, None, &invitation.email, &account.first_name, &account.last_name);
    let phc = accept_new(core, call, &account.password, context).await?;
    let (call, hash) = (call.clone(), secret.invitation_hash());
    let work = core.store.write(move |tx| {
        Box::pin(async move {
            let user = User {
                id: UserId::new(&call)?,
                username: free_username(tx, &call, &invitation.email).await?,
                email: invitation.email.clone(),
                first_name: account.first_name,
                last_name: account.last_name,
                role: invitation.role,
                status: Status::Active,
                email_verified_at: Some(call.now),
                created_at: call.now,
            };
            users::insert(tx, &user).await?;
            passwords::set(tx, user.id, &phc, call.now, &DecoyKey::generate(&call)?).await?;
            spend(tx, &call, &hash, Actor::Anonymous, user.id).await?;
            record(tx, &call, Record::by(Actor::Anonymous, Event::UserCreated, Some(user.id), None)).await?;
            Ok(user)
        })
    });
    work.await
}

async fn guard<T>(core: &Core, call: &Call, user: Option<UserId>, guess: impl Future<Output = Result<T>>) -> Result<T> {
    let charges = Charges::new(&core.policy.limits, call, &[Limited::SigninNetwork]);
    let wrong = |refusal: &Refusal| *refusal == Refusal::InvitationNotFound;
    let used = charges.guard(core, call, Event::InvitationUsed, guess, wrong).await;
    with_refusal(core, call, Event::InvitationUsed, user, used).await
}

async fn refuse_taken(core: &Core, invitation: &Invitation) -> Result<()> {
    let identifier = Identifier::Email(invitation.email.key());
    let work = core.store.read(move |tx| {
        Box::pin(async move {
            match users::by_identifier(tx, &identifier).await? {
                Some(_) => Err(Refusal::EmailTaken.into()),
                None => Ok(()),
            }
        })
    });
    work.await
}

async fn spend(tx: &mut Tx, call: &Call, secret: &SecretHash, actor: Actor, user: UserId) -> Result<()> {
    let invitation = invitations::spend(tx, secret, call.now).await?.ok_or(Refusal::InvitationNotFound)?;
    users::set_verified(tx, user, call.now).await?;
    let detail = Some(invitation.to_string());
    Ok(record(tx, call, Record::by(actor, Event::InvitationUsed, Some(user), detail)).await?)
}

/// A username made of the address's local part, with digits when somebody has it already.
async fn free_username(tx: &mut Tx, call: &Call, email: &Email) -> Result<Username> {
    let local: String = email.as_str().split('@').next().unwrap_or_default().chars().take(50).collect();
    let base: String = local.chars().filter(|c| c.is_alphanumeric() || "._-".contains(*c)).collect();
    let base = if base.is_empty() { "user".to_owned() } else { base };
    let mut candidate = Username::parse(&base)?;
    for _ in 0..8 {
        if users::by_identifier(tx, &Identifier::Username(candidate.key())).await?.is_none() {
            return Ok(candidate);
        }
        let digits = u32::from_be_bytes(call.random::<4>()?) % 1_000_000;
        candidate = Username::parse(&format!("{base}-{digits:06}"))?;
    }
    Err(Fault::internal("no free username was found").into())
}
