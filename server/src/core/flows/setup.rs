//! The first start: a link, shown once by the server itself, with which the first administrator is created.

use std::time::Duration;

use super::change_password::accept_new;
use crate::core::audit::{Actor, Event, Record, record, with_refusal};
use crate::core::call::Call;
use crate::core::clock::Timestamp;
use crate::core::decoy::DecoyKey;
use crate::core::limit::{Charges, Limited};
use crate::core::model::{Email, Page, PersonName, Purpose, Role, Status, User, UserId, Username};
use crate::core::store::unbound_tickets::NewUnboundTicket;
use crate::core::store::{Tx, passwords, unbound_tickets, users};
use crate::core::strength::Context;
use crate::core::token::Secret;
use crate::core::{Core, Refusal, Result};

/// How long the link is good: as long as it takes to read what a server says when it starts, and not until somebody finds it in a log.
const VALID_FOR: Duration = Duration::from_secs(60 * 60);

/// What there is to do.
#[derive(Clone, Debug)]
pub enum Setup {
    /// Nothing: there are users.
    Done,
    /// A link that was shown before is good until then. It is not shown again.
    Shown(Timestamp),
    /// This link is new.
    Link(Secret),
}

/// Makes the link, if there is neither a user nor a link that is good: of all nodes that start together one gets it.
///
/// # Errors
/// Faults only.
pub async fn offer(core: &Core, call: &Call) -> Result<Setup> {
    let secret = Secret::generate(call)?;
    let ticket = NewUnboundTicket {
        purpose: Purpose::Setup,
        secret_hash: secret.ticket_hash(Purpose::Setup),
        payload: None,
        created_at: call.now,
        expires_at: call.now.after(VALID_FOR),
    };
    let call = call.clone();
    let link = Secret::new(format!("{}/setup?token={}", core.policy.public_url, secret.reveal()));
    let work = core.store.write(move |tx| {
        Box::pin(async move {
            if has_users(tx).await? {
                return Ok(Setup::Done);
            }
            if let Some(until) = unbound_tickets::open_until(tx, Purpose::Setup, call.now).await? {
                return Ok(Setup::Shown(until));
            }
            unbound_tickets::insert(tx, &ticket).await?;
            record(tx, &call, Record::by(Actor::Server, Event::SetupOffered, None, None)).await?;
            Ok(Setup::Link(link))
        })
    });
    work.await
}

/// Whether a secret of such a link is good; looking spends nothing.
///
/// # Errors
/// [`Refusal::TicketInvalid`], [`Refusal::TooManyAttempts`].
pub async fn inspect(core: &Core, call: &Call, secret: &Secret) -> Result<()> {
    guard(core, call, look(core, call, secret)).await
}

/// The first administrator.
#[derive(Clone, Debug)]
pub struct FirstAdministrator {
    /// The username.
    pub username: Username,
    /// The e-mail address; nothing has shown yet that it is theirs.
    pub email: Email,
    /// Given name; may be empty.
    pub first_name: PersonName,
    /// Family name; may be empty.
    pub last_name: PersonName,
    /// The password.
    pub password: Secret,
}

/// Creates the first administrator; opens no session. The link is worth nothing as soon as there is any user, whoever created them.
///
/// # Errors
/// [`Refusal::TicketInvalid`], [`Refusal::TooManyAttempts`]; [`Refusal::PasswordRejected`], which leaves the link good.
pub async fn complete(core: &Core, call: &Call, secret: &Secret, first: FirstAdministrator) -> Result<User> {
    guard(core, call, create(core, call, secret, first)).await
}

async fn create(core: &Core, call: &Call, secret: &Secret, first: FirstAdministrator) -> Result<User> {
    // Before the hashing, which costs.
    look(core, call, secret).await?;
    let words = Context::new(&core.policy.service_name, Some(&first.username), &first.email, &first.first_name, &first.last_name);
    let phc = accept_new(core, call, &first.password, words).await?;
    let (call, hash) = (call.clone(), secret.ticket_hash(Purpose::Setup));
    let work = core.store.write(move |tx| {
        Box::pin(async move {
            if has_users(tx).await? || unbound_tickets::spend(tx, Purpose::Setup, &hash, call.now).await?.is_none() {
                return Err(Refusal::TicketInvalid.into());
            }
            let user = User {
                id: UserId::new(&call)?,
                username: first.username,
                email: first.email,
                first_name: first.first_name,
                last_name: first.last_name,
                role: Role::Admin,
                status: Status::Active,
                email_verified_at: None,
                created_at: call.now,
            };
            users::insert(tx, &user).await?;
            passwords::set(tx, user.id, &phc, call.now, &DecoyKey::generate(&call)?).await?;
            record(tx, &call, Record::by(Actor::Anonymous, Event::SetupCompleted, Some(user.id), None)).await?;
            record(tx, &call, Record::by(Actor::Anonymous, Event::UserCreated, Some(user.id), None)).await?;
            Ok(user)
        })
    });
    work.await
}

async fn look(core: &Core, call: &Call, secret: &Secret) -> Result<()> {
    let (hash, now) = (secret.ticket_hash(Purpose::Setup), call.now);
    let work = core.store.read(move |tx| {
        Box::pin(async move {
            let good = !has_users(tx).await? && unbound_tickets::is_open(tx, Purpose::Setup, &hash, now).await?;
            if good { Ok(()) } else { Err(Refusal::TicketInvalid.into()) }
        })
    });
    work.await
}

async fn has_users(tx: &mut Tx) -> Result<bool> {
    Ok(!users::list(tx, &Page::new(None, Some(1))).await?.is_empty())
}

async fn guard<T>(core: &Core, call: &Call, guess: impl Future<Output = Result<T>>) -> Result<T> {
    let charges = Charges::new(&core.policy.limits, call, &[Limited::SigninNetwork]);
    let wrong = |refusal: &Refusal| *refusal == Refusal::TicketInvalid;
    let outcome = charges.guard(core, call, Event::SetupCompleted, guess, wrong).await;
    with_refusal(core, call, Event::SetupCompleted, None, outcome).await
}
