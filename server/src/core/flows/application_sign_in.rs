//! Signing in through an application, in two steps: the password earns a one-time token, which opens nothing; the token and the access
//! code, mailed or of the user's authenticator app, open a session.

use std::time::Duration;

use super::authenticator_app::spend_code;
use super::factors::enrolled;
use super::first_factor::{Proof, Proven, prove};
use super::opening::{NewSession, SignedIn, open};
use super::session::is_named;
use crate::core::audit::{Actor, Event, Record, record, with_refusal};
use crate::core::call::Call;
use crate::core::gate::{self, Door};
use crate::core::limit::{Charges, Limited};
use crate::core::model::{Application, Factor, Factors, Identifier, Purpose, Status, Ticket, TicketId, User};
use crate::core::password::Password;
use crate::core::store::tickets::NewTicket;
use crate::core::store::{authenticators, tickets, users};
use crate::core::token::Secret;
use crate::core::{Core, Error, Refusal, Result, outbox};

/// The first step's outcome.
#[derive(Clone, Debug)]
pub struct Begun {
    /// The token for the second step; bound to the user and the application.
    pub one_time_token: Secret,
    /// How long it is good, and its access code with it.
    pub valid_for: Duration,
    /// Who has signed in thus far.
    pub user: User,
    /// Where the access code is to be had.
    pub code_from: CodeFrom,
}

/// Where the access code of an application's sign-in comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeFrom {
    /// It is being mailed.
    Mail,
    /// The user's authenticator app shows it; none is mailed.
    AuthenticatorApp,
}

/// The first step: password to one-time token. A fresh access code is mailed, in the place of the last, to who has no authenticator app.
///
/// # Errors
/// Those of a sign-in with a password; [`Refusal::TooManyAttempts`] also for too many mails.
pub async fn begin(
    core: &Core,
    call: &Call,
    application: &Application,
    identifier: &Identifier,
    password: &Secret,
) -> Result<Begun> {
    let proven = prove(core, call, identifier, &Proof::Password(password.clone())).await?;
    let mailed = Charges::new(&core.policy.limits, call, &[Limited::AccessCodeMail(&proven.user.id.to_string())]);
    let (secret, valid_for) = (Secret::generate(call)?, core.policy.tickets.one_time_token);
    let (user, code_from) = keep(core, call, application, proven, mailed, &secret).await?;
    core.mail_promised.notify_one();
    Ok(Begun { one_time_token: secret, valid_for, user, code_from })
}

/// Keeps the one-time token, which opens nothing yet, and promises its code.
async fn keep(
    core: &Core,
    call: &Call,
    application: &Application,
    proven: Proven,
    mailed: Charges,
    secret: &Secret,
) -> Result<(User, CodeFrom)> {
    let ticket = NewTicket {
        id: TicketId::new(call)?,
        purpose: Purpose::OneTimeToken,
        secret_hash: Some(secret.ticket_hash(Purpose::OneTimeToken)),
        user_id: proven.user.id,
        session_id: None,
        application_id: Some(application.id),
        payload: None,
        created_at: call.now,
        expires_at: call.now.after(core.policy.tickets.one_time_token),
    };
    let (called, application, taken) = (call.clone(), application.clone(), mailed.clone());
    let work = core.store.write(move |tx| {
        Box::pin(async move {
            let (user, enrolled) = proven.settle(tx, &called).await?;
            let code_from = if enrolled.totp { CodeFrom::AuthenticatorApp } else { CodeFrom::Mail };
            if code_from == CodeFrom::Mail {
                // The password was right all the same: what it was charged stays given back.
                match taken.take(tx, &called).await {
                    Err(Error::Refused(refusal)) => return Ok(Err(refusal)),
                    taken => taken?,
                }
                outbox::access_code(tx, &called, user.id, user.email.as_str(), ticket.id, &application.name).await?;
            }
            tickets::delete_of_user_and_application(tx, user.id, Purpose::OneTimeToken, application.id).await?;
            tickets::insert(tx, &ticket).await?;
            let begun = Record { outcome: Refusal::AccessCodeRequired.name(), ..Record::own(Event::SignIn, user.id) };
            record(tx, &called, begun).await?;
            Ok(Ok((user, code_from)))
        })
    });
    let kept = work.await.and_then(|kept| kept.map_err(Error::from));
    mailed.on_record(core, call, Event::SignIn, None, kept).await
}

/// The second step: one-time token and access code to a session. Without a code only where the registration allows it and the user has
/// enrolled no second factor.
///
/// # Errors
/// [`Refusal::TicketInvalid`] for a token that is unknown, spent, expired, another user's, another application's, or out of tries;
/// [`Refusal::InvalidCredentials`] for a wrong code, [`Refusal::AccessCodeRequired`], [`Refusal::AccountDisabled`],
/// [`Refusal::TooManyAttempts`].
pub async fn finish(
    core: &Core,
    call: &Call,
    application: &Application,
    named: &[Identifier],
    one_time_token: &Secret,
    access_code: Option<&Secret>,
) -> Result<SignedIn> {
    let opened = open_session(core, call, application, named, one_time_token, access_code).await;
    match opened {
        // A wrong code has been put on record where it was compared.
        Err(Error::Refused(Refusal::InvalidCredentials)) => opened,
        opened => with_refusal(core, call, Event::SecondFactor, None, opened).await,
    }
}

async fn open_session(
    core: &Core,
    call: &Call,
    application: &Application,
    named: &[Identifier],
    one_time_token: &Secret,
    access_code: Option<&Secret>,
) -> Result<SignedIn> {
    let (ticket, user) = find(core, call, application, named, one_time_token).await?;
    let charges = Charges::new(&core.policy.limits, call, &[Limited::SecondFactor(&user.id.to_string())]);
    let factors = match access_code {
        Some(code) => {
            let factor = compare(core, call, &ticket, &user, charges.clone(), code).await?;
            Factors::of(Factor::Password).and(factor)
        }
        None => Factors::of(Factor::Password),
    };
    let refund = access_code.map(|_| charges);
    let (call, policy, application) = (call.clone(), core.policy.sessions, application.clone());
    let work = core.store.write(move |tx| {
        Box::pin(async move {
            let user = users::get(tx, user.id).await?;
            if user.status == Status::Disabled {
                return Err(Refusal::AccountDisabled.into());
            }
            let enrolled = enrolled(tx, user.id).await?;
            let door = Door::Application { one_time_token_suffices: application.one_time_token_suffices };
            let opening = gate::decide(factors, enrolled, door)?;
            if !tickets::spend(tx, ticket.id, call.now).await? {
                return Err(Refusal::TicketInvalid.into());
            }
            if let Some(charges) = refund {
                charges.refund(tx).await?;
            }
            record(tx, &call, Record { detail: Some(factors.to_string()), ..Record::own(Event::SecondFactor, user.id) }).await?;
            let new = NewSession { opening, factors, application: Some(application.id), security_key: None, replaces: &[] };
            Ok(open(tx, &call, &policy, user, new).await?)
        })
    });
    work.await
}

/// The open ticket, if it is this application's and of the user whom every given name names. Another's is left alone.
async fn find(
    core: &Core,
    call: &Call,
    application: &Application,
    named: &[Identifier],
    one_time_token: &Secret,
) -> Result<(Ticket, User)> {
    let (hash, now) = (one_time_token.ticket_hash(Purpose::OneTimeToken), call.now);
    let (application, named) = (application.id, named.to_vec());
    let work = core.store.read(move |tx| {
        Box::pin(async move {
            let ticket = tickets::by_secret(tx, Purpose::OneTimeToken, &hash, now).await?.ok_or(Refusal::TicketInvalid)?;
            let user = users::get(tx, ticket.user_id).await?;
            if ticket.application_id != Some(application) || !named.iter().all(|name| is_named(&user, name)) {
                return Err(Refusal::TicketInvalid.into());
            }
            Ok((ticket, user))
        })
    });
    work.await
}

/// A guess that has been counted.
enum Counted {
    /// It is to be compared with what was mailed.
    Mailed(Option<String>),
    /// It was compared with what the user's authenticator app shows, and spent.
    Authenticator(bool),
}

/// Counts the guess, then compares it: with the authenticator app's code, or with the one that was mailed for this very token. The factor
/// that it proves.
async fn compare(core: &Core, call: &Call, ticket: &Ticket, user: &User, charges: Charges, code: &Secret) -> Result<Factor> {
    let place = core.hasher.reserve(call)?;
    let (called, id, owner, presented, taken) = (call.clone(), ticket.id, user.id, code.clone(), charges.clone());
    let work = core.store.write_each(move |tx| {
        Box::pin(async move {
            taken.take(tx, &called).await?;
            let Some(ticket) = tickets::count_try(tx, id, called.now).await? else { return Ok(None) };
            Ok(Some(match authenticators::confirmed(tx, owner).await? {
                Some(app) => Counted::Authenticator(spend_code(tx, &called, owner, &app, &presented).await?),
                None => Counted::Mailed(ticket.payload),
            }))
        })
    });
    let counted = charges.on_record(core, call, Event::SecondFactor, Some(user.id), work.await).await?;
    let (factor, matches) = match counted.ok_or(Refusal::TicketInvalid)? {
        Counted::Authenticator(matches) => (Factor::Totp, matches),
        Counted::Mailed(phc) => {
            let code = Password::new(&code.as_code().unwrap_or_else(|| code.clone()));
            (Factor::AccessCode, core.hasher.verify(place, call, &code, phc.into()).await?.matches)
        }
    };
    if matches {
        return Ok(factor);
    }
    let (call, user) = (call.clone(), user.id);
    let work = core.store.write_each(move |tx| {
        Box::pin(async move {
            let outcome = Refusal::InvalidCredentials.name();
            let refused = Record { event: Event::SecondFactor, outcome, user: Some(user), actor: Actor::Anonymous, detail: None };
            Ok(record(tx, &call, refused).await?)
        })
    });
    work.await?;
    Err(Refusal::InvalidCredentials.into())
}
