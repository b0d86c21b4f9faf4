//! Users, as administrators and operators handle them.

use super::authority::Authority;
use super::change_password::{accept_new, context};
use crate::core::audit::{Event, Record, record};
use crate::core::call::Call;
use crate::core::decoy::DecoyKey;
use crate::core::model::{
    Email, Identifier, MailKind, Page, Paged, PersonName, Role, SecurityKey, SecurityKeyId, Status, User, UserId, Username,
};
use crate::core::outbox::{self, LinkForm};
use crate::core::store::{Tx, authenticators, passwords, security_keys, sessions, tickets, users};
use crate::core::strength::Context;
use crate::core::token::Secret;
use crate::core::{Core, Refusal, Result};

/// A user to be created.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Unique.
    pub username: Username,
    /// Unique.
    pub email: Email,
    /// Given name; may be empty.
    pub first_name: PersonName,
    /// Family name; may be empty.
    pub last_name: PersonName,
    /// What the user may do.
    pub role: Role,
    /// Whether the address counts as the user's without further proof.
    pub verified: bool,
    /// The password; without one, the user sets it by recovery or signs in by code.
    pub password: Option<Secret>,
}

/// A user, and what an administrator sees of them.
#[derive(Clone, Debug)]
pub struct UserDetail {
    /// The user.
    pub user: User,
    /// Their keys.
    pub security_keys: Vec<SecurityKey>,
    /// Whether they have an authenticator app.
    pub totp: bool,
}

/// Creates a user.
///
/// # Errors
/// [`Refusal::RecentSignInRequired`], [`Refusal::EmailTaken`], [`Refusal::UsernameTaken`], [`Refusal::PasswordRejected`].
pub async fn create(core: &Core, call: &Call, authority: Authority, new: NewUser) -> Result<User> {
    authority.demand_recent()?;
    let phc = match &new.password {
        Some(password) => {
            let words = Context::new(&core.policy.service_name, Some(&new.username), &new.email, &new.first_name, &new.last_name);
            Some(accept_new(core, call, password, words).await?)
        }
        None => None,
    };
    let user = User {
        id: UserId::new(call)?,
        username: new.username,
        email: new.email,
        first_name: new.first_name,
        last_name: new.last_name,
        role: new.role,
        status: Status::Active,
        email_verified_at: new.verified.then_some(call.now),
        created_at: call.now,
    };
    let work = authority.write(core, call, move |tx, call| {
        Box::pin(async move {
            users::insert(tx, &user).await?;
            if let Some(phc) = phc {
                passwords::set(tx, user.id, &phc, call.now, &DecoyKey::generate(call)?).await?;
            }
            record(tx, call, Record::by(authority.actor(), Event::UserCreated, Some(user.id), None)).await?;
            Ok(user)
        })
    });
    work.await
}

/// The user with this id, username or e-mail address.
///
/// # Errors
/// [`Refusal::NotFound`].
pub async fn find(core: &Core, _: Authority, reference: &str) -> Result<UserDetail> {
    let reference = reference.to_owned();
    let work = core.store.read(move |tx| {
        Box::pin(async move {
            let user = by_reference(tx, &reference).await?;
            let security_keys = security_keys::of_user(tx, user.id).await?;
            let totp = authenticators::confirmed(tx, user.id).await?.is_some();
            Ok(UserDetail { user, security_keys, totp })
        })
    });
    work.await
}

async fn by_reference(tx: &mut Tx, reference: &str) -> Result<User> {
    let by_id = match reference.parse::<UserId>() {
        Ok(id) => users::by_id(tx, id).await?,
        Err(_) => None,
    };
    match by_id {
        Some(user) => Ok(user),
        None => Ok(users::by_identifier(tx, &Identifier::any(reference)).await?.ok_or(Refusal::NotFound)?),
    }
}

/// All users, newest first.
///
/// # Errors
/// Faults only.
pub async fn list(core: &Core, _: Authority, page: Page) -> Result<Paged<User>> {
    let work = core
        .store
        .read(move |tx| Box::pin(async move { Ok(page.cut(users::list(tx, &page).await?, |user| user.id.to_string())) }));
    work.await
}

/// Users whose e-mail address or username begins with this text, at most 200.
///
/// # Errors
/// Faults only.
pub async fn search(core: &Core, _: Authority, prefix: &str) -> Result<Vec<User>> {
    if prefix.contains('\0') {
        // Nobody is called so, and PostgreSQL knows no such text.
        return Ok(Vec::new());
    }
    let key = crate::core::model::canonical(prefix);
    core.store.read(move |tx| Box::pin(async move { Ok(users::by_prefix(tx, &key, Page::MAXIMUM).await?) })).await
}

/// Disables a user, and ends all that is open in their name.
///
/// # Errors
/// [`Refusal::RecentSignInRequired`], [`Refusal::NotFound`]; [`Refusal::Conflict`] for an administrator's own account.
pub async fn disable(core: &Core, call: &Call, authority: Authority, reference: &str) -> Result<User> {
    set_status(core, call, authority, reference, Status::Disabled).await
}

/// Enables a user again.
///
/// # Errors
/// [`Refusal::RecentSignInRequired`], [`Refusal::NotFound`].
pub async fn enable(core: &Core, call: &Call, authority: Authority, reference: &str) -> Result<User> {
    set_status(core, call, authority, reference, Status::Active).await
}

async fn set_status(core: &Core, call: &Call, authority: Authority, reference: &str, status: Status) -> Result<User> {
    authority.demand_recent()?;
    let reference = reference.to_owned();
    let work = authority.write(core, call, move |tx, call| {
        Box::pin(async move {
            let user = by_reference(tx, &reference).await?;
            if status == Status::Disabled {
                authority.refuse_self(user.id)?;
            }
            users::set_status(tx, user.id, status).await?;
            let event = match status {
                Status::Disabled => {
                    close(tx, user.id).await?;
                    Event::UserDisabled
                }
                Status::Active => Event::UserEnabled,
            };
            record(tx, call, Record::by(authority.actor(), event, Some(user.id), None)).await?;
            Ok(users::get(tx, user.id).await?)
        })
    });
    work.await
}

/// Ends every session and kills every ticket of a user.
async fn close(tx: &mut Tx, user: UserId) -> Result<()> {
    sessions::delete_of_user(tx, user, None).await?;
    Ok(tickets::delete_all_of_user(tx, user).await?)
}

/// Deletes a user and all that is theirs; the audit log stays.
///
/// # Errors
/// [`Refusal::RecentSignInRequired`], [`Refusal::NotFound`]; [`Refusal::Conflict`] for an administrator's own account.
pub async fn delete(core: &Core, call: &Call, authority: Authority, reference: &str) -> Result<UserId> {
    authority.demand_recent()?;
    let reference = reference.to_owned();
    let work = authority.write(core, call, move |tx, call| {
        Box::pin(async move {
            let user = by_reference(tx, &reference).await?;
            authority.refuse_self(user.id)?;
            users::delete(tx, user.id).await?;
            record(tx, call, Record::by(authority.actor(), Event::UserDeleted, Some(user.id), None)).await?;
            Ok(user.id)
        })
    });
    work.await
}

/// Sets a user's password, and ends all that is open in their name. For the operator: an administrator sends a recovery link instead, so
/// that nobody but the user knows the password (ASVS V6.4.6).
///
/// # Errors
/// [`Refusal::RecentSignInRequired`], [`Refusal::NotFound`], [`Refusal::PasswordRejected`].
pub async fn set_password(core: &Core, call: &Call, authority: Authority, reference: &str, new: &Secret) -> Result<User> {
    authority.demand_recent()?;
    let user = find(core, authority, reference).await?.user;
    let phc = accept_new(core, call, new, context(core, &user)).await?;
    let work = authority.write(core, call, move |tx, call| {
        Box::pin(async move {
            let user = users::by_id(tx, user.id).await?.ok_or(Refusal::NotFound)?;
            passwords::set(tx, user.id, &phc, call.now, &DecoyKey::generate(call)?).await?;
            close(tx, user.id).await?;
            outbox::notice(tx, call, MailKind::PasswordChanged, &user, None).await?;
            record(tx, call, Record::by(authority.actor(), Event::PasswordSet, Some(user.id), None)).await?;
            Ok(user)
        })
    });
    let user = work.await?;
    core.mail_promised.notify_one();
    Ok(user)
}

/// Has a link to set a new password mailed to a user.
///
/// # Errors
/// [`Refusal::RecentSignInRequired`], [`Refusal::NotFound`]; [`Refusal::Conflict`] for a disabled user, who could not use it.
pub async fn send_recovery(core: &Core, call: &Call, authority: Authority, reference: &str, form: LinkForm) -> Result<()> {
    authority.demand_recent()?;
    let reference = reference.to_owned();
    let work = authority.write(core, call, move |tx, call| {
        Box::pin(async move {
            let user = by_reference(tx, &reference).await?;
            if user.status == Status::Disabled {
                return Err(Refusal::Conflict { problem: "The account is disabled." }.into());
            }
            outbox::recovery(tx, call, user.id, form).await?;
            Ok(record(tx, call, Record::by(authority.actor(), Event::RecoverySent, Some(user.id), None)).await?)
        })
    });
    work.await?;
    core.mail_promised.notify_one();
    Ok(())
}

/// Removes a key that a user has lost; sessions that rest on it are lowered.
///
/// # Errors
/// [`Refusal::RecentSignInRequired`], [`Refusal::NotFound`]; [`Refusal::Conflict`] for an administrator's own account.
pub async fn remove_key(core: &Core, call: &Call, authority: Authority, user: UserId, key: SecurityKeyId) -> Result<()> {
    authority.demand_recent()?;
    authority.refuse_own_factor(user)?;
    let policy = core.policy.sessions;
    let work = authority.write(core, call, move |tx, call| {
        Box::pin(async move {
            let user = users::by_id(tx, user).await?.ok_or(Refusal::NotFound)?;
            super::security_keys::remove_of(tx, call, &policy, &user, key, authority.actor()).await
        })
    });
    work.await?;
    core.mail_promised.notify_one();
    Ok(())
}

/// Removes the authenticator app of a user who has lost it; sessions that rest on it are lowered.
///
/// # Errors
/// [`Refusal::RecentSignInRequired`], [`Refusal::NotFound`]; [`Refusal::Conflict`] for an administrator's own account.
pub async fn remove_authenticator_app(core: &Core, call: &Call, authority: Authority, user: UserId) -> Result<()> {
    authority.demand_recent()?;
    authority.refuse_own_factor(user)?;
    let policy = core.policy.sessions;
    let work = authority.write(core, call, move |tx, call| {
        Box::pin(async move {
            let user = users::by_id(tx, user).await?.ok_or(Refusal::NotFound)?;
            super::authenticator_app::remove_of(tx, call, &policy, &user, authority.actor()).await
        })
    });
    work.await?;
    core.mail_promised.notify_one();
    Ok(())
}
