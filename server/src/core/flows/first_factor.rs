//! The first factor: a password or a mailed code. Limit, look up, verify, status, in this order, for every dialect.

use super::factors::enrolled;
use crate::core::audit::{Actor, Event, Record, record};
use crate::core::call::Call;
use crate::core::decoy::DecoyKey;
use crate::core::gate::Enrolled;
use crate::core::limit::{Charges, Limited};
use crate::core::model::{Factor, Identifier, Purpose, Status, TicketId, User, UserId};
use crate::core::password::{Against, Password};
use crate::core::store::limits::Bucket;
use crate::core::store::passwords::StoredPassword;
use crate::core::store::{Tx, limits, passwords, tickets, users};
use crate::core::token::{Secret, SecretHash};
use crate::core::{Core, Error, Refusal, Result};

/// What the caller says to prove who they are.
#[derive(Clone, Debug)]
pub enum Proof {
    /// The password.
    Password(Secret),
    /// The mailed code.
    Code(Secret),
    /// Either, in one field. What has a code's form and is too short for a password is a code.
    PasswordOrCode(Secret),
}

/// What a proof turns out to be.
enum Kind {
    Password(Password),
    Code(Password),
}

impl Proof {
    fn is_code(&self, core: &Core) -> bool {
        let (Self::Password(secret) | Self::Code(secret) | Self::PasswordOrCode(secret)) = self;
        secret.as_code().is_some() && secret.reveal().chars().count() < core.policy.passwords.min_length
    }

    fn kind(&self, core: &Core) -> Result<Kind> {
        let methods = core.policy.methods;
        let code = |secret: &Secret| Kind::Code(Password::new(&secret.as_code().unwrap_or_else(|| secret.clone())));
        match self {
            Self::Code(secret) if methods.email_code => Ok(code(secret)),
            Self::PasswordOrCode(secret) if methods.email_code && self.is_code(core) => Ok(code(secret)),
            Self::Password(secret) | Self::PasswordOrCode(secret) if methods.password => {
                Ok(Kind::Password(Password::new(secret)))
            }
            Self::Password(_) | Self::Code(_) | Self::PasswordOrCode(_) => Err(Refusal::SwitchedOff.into()),
        }
    }
}

/// Somebody who has proven a first factor. Nothing is opened by it yet.
#[derive(Clone)]
pub(super) struct Proven {
    pub(super) user: User,
    pub(super) factor: Factor,
    charges: Charges,
    /// The password that was compared, and its costlier hash.
    password: Option<(StoredPassword, Option<String>)>,
    /// The code that was compared.
    ticket: Option<TicketId>,
}

/// What the store knows about a name.
#[derive(Default)]
struct Known {
    user: Option<User>,
    password: Option<StoredPassword>,
    /// The hash at whose cost the password is compared when the user has none.
    decoy: Option<String>,
    /// A code and its hash.
    ticket: Option<(TicketId, Option<String>)>,
}

impl Known {
    /// What the proof is compared with.
    fn against(&self) -> Against {
        let stored = match &self.ticket {
            Some((_, phc)) => phc.clone(),
            None => self.password.as_ref().map(|stored| stored.phc.clone()),
        };
        stored.map_or_else(|| Against::Nobody { like: self.decoy.clone() }, Against::Stored)
    }
}

/// Proves a first factor. An unknown name costs what a known one costs, and is refused in the same words.
///
/// # Errors
/// [`Refusal::TooManyAttempts`], [`Refusal::Overloaded`], [`Refusal::InvalidCredentials`], [`Refusal::AccountDisabled`],
/// [`Refusal::SwitchedOff`].
pub(super) async fn prove(core: &Core, call: &Call, identifier: &Identifier, proof: &Proof) -> Result<Proven> {
    let kind = proof.kind(core)?;
    let limited = [Limited::SigninAccount(identifier.key()), Limited::SigninNetwork];
    let charges = Charges::new(&core.policy.limits, call, &limited);
    let is_code = matches!(kind, Kind::Code(_));
    let place = core.hasher.reserve(call)?;
    let known = look_up(core, call, charges.clone(), identifier.clone(), is_code).await;
    let known = charges.on_record(core, call, Event::SignIn, None, known).await?;

    let (factor, secret) = match &kind {
        Kind::Password(password) => (Factor::Password, password),
        Kind::Code(code) => (Factor::EmailCode, code),
    };
    let verdict = core.hasher.verify(place, call, secret, known.against()).await?;
    let Some(user) = known.user.clone().filter(|_| verdict.matches) else {
        return refuse(core, call, Refusal::InvalidCredentials, known.user.as_ref()).await;
    };
    if user.status == Status::Disabled {
        return refuse(core, call, Refusal::AccountDisabled, Some(&user)).await;
    }
    let upgraded = match &kind {
        Kind::Password(password) if verdict.outdated => upgrade(core, call, password).await?,
        Kind::Password(_) | Kind::Code(_) => None,
    };
    let password = known.password.map(|stored| (stored, upgraded));
    Ok(Proven { user, factor, charges, password, ticket: known.ticket.map(|(ticket, _)| ticket) })
}

/// A costlier hash; none while the server is busy: there will be another sign-in.
async fn upgrade(core: &Core, call: &Call, password: &Password) -> Result<Option<String>> {
    match core.hasher.reserve(call) {
        Ok(place) => core.hasher.hash(place, call, password).await.map(Some),
        Err(_) => Ok(None),
    }
}

async fn look_up(core: &Core, call: &Call, charges: Charges, identifier: Identifier, is_code: bool) -> Result<Known> {
    let (call, place) = (call.clone(), core.decoys.key_of(identifier.key())?);
    if !is_code {
        let work = core.store.write_soon(move |tx| {
            Box::pin(async move {
                let user = charged(tx, &call, &charges, &identifier).await?;
                known_password(tx, user, &place).await
            })
        });
        return work.await;
    }
    // A guess at a code stays counted whatever happens: there are few of them, and few codes.
    let work = core.store.write_each(move |tx| {
        Box::pin(async move {
            let user = charged(tx, &call, &charges, &identifier).await?;
            known_code(tx, &call, user, identifier.key()).await
        })
    });
    work.await
}

/// Whom a name names, for a try that is charged whether it is anybody or not.
async fn charged(tx: &mut Tx, call: &Call, charges: &Charges, identifier: &Identifier) -> Result<Option<User>> {
    charges.take(tx, call).await?;
    Ok(users::by_identifier(tx, identifier).await?)
}

/// The same look-ups for everybody: a password for nobody, a decoy for who has a password.
async fn known_password(tx: &mut Tx, user: Option<User>, place: &DecoyKey) -> Result<Known> {
    let password = passwords::by_user(tx, user.as_ref().map_or(UserId::NOBODY, |user| user.id)).await?;
    let decoy = passwords::decoy(tx, place).await?;
    Ok(Known { user, password, decoy, ticket: None })
}

/// Counts the guess at a code for whoever has this name, before it is judged.
async fn known_code(tx: &mut Tx, call: &Call, user: Option<User>, name: &str) -> Result<Known> {
    let ticket = match &user {
        Some(user) => tickets::count_try_of_user(tx, user.id, Purpose::LoginCode, call.now).await?,
        None => None,
    };
    if ticket.is_none() {
        // Counting a guess is a write. Where there is none to count, write all the same: the disk's time is heard from outside. And to a row that
        // guesses at this name alone wait for one another at, as they would at a code's.
        let nobodys = Bucket { key: SecretHash::digest("nobody", name), interval: 1, tolerance: i64::MAX / 4 };
        limits::take(tx, &nobodys, call.now).await?;
    }
    // Codes live for minutes and are made at the setting of the day: without one, a new hash is what it would cost.
    Ok(Known { user, password: None, decoy: None, ticket: ticket.map(|ticket| (ticket.id, ticket.payload)) })
}

async fn refuse(core: &Core, call: &Call, refusal: Refusal, user: Option<&User>) -> Result<Proven> {
    let (call, user, outcome) = (call.clone(), user.map(|user| user.id), refusal.name());
    let work = core.store.write_each(move |tx| {
        Box::pin(async move {
            let refused = Record { event: Event::SignIn, outcome, user, actor: Actor::Anonymous, detail: None };
            Ok(record(tx, &call, refused).await?)
        })
    });
    work.await?;
    Err(refusal.into())
}

impl Proven {
    /// Inside the transaction that uses the proof: makes sure that it still holds, spends what can be used once, gives the charges back.
    /// The user as they are now, and what they have enrolled.
    pub(super) async fn settle(&self, tx: &mut Tx, call: &Call) -> Result<(User, Enrolled)> {
        let gone = || Error::from(Refusal::InvalidCredentials);
        let mut user = users::by_id(tx, self.user.id).await?.ok_or_else(gone)?;
        if user.status == Status::Disabled {
            return Err(Refusal::AccountDisabled.into());
        }
        if let Some((compared, upgraded)) = &self.password {
            if !passwords::is_of(tx, user.id, compared.changed_at).await? {
                return Err(gone());
            }
            if let Some(upgraded) = upgraded {
                passwords::upgrade(tx, user.id, &compared.phc, upgraded).await?;
            }
        }
        if let Some(ticket) = self.ticket {
            if !tickets::spend(tx, ticket, call.now).await? {
                return Err(gone());
            }
            // Whoever reads the mailbox owns the address.
            users::set_verified(tx, user.id, call.now).await?;
            user.email_verified_at = Some(call.now);
        }
        self.charges.refund(tx).await?;
        let enrolled = enrolled(tx, user.id).await?;
        Ok((user, enrolled))
    }
}
