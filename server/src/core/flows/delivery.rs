//! Keeping the promises of the outbox. A worker claims what is due, prepares it, hands it to the transport, and reports.
//!
//! The secret that a mail carries is made when the mail is: it is never at rest, its lifetime begins when it is sent, and a second try
//! carries a new one that replaces the first. Only an invitation's secret, which its maker has seen, waits in the outbox.

use std::fmt;
use std::time::Duration;

use super::invitations::link;
use crate::core::audit::{Actor, Event, Record, record};
use crate::core::call::Call;
use crate::core::clock::Timestamp;
use crate::core::limit::{Charges, Limited};
use crate::core::model::{Identifier, Mail, MailKind, MailState, Purpose, Status, TicketId, User, UserId};
use crate::core::outbox::LinkForm;
use crate::core::password::Password;
use crate::core::store::mails::{Claim, ClaimedMail};
use crate::core::store::tickets::NewTicket;
use crate::core::store::{Tx, invitations, mails, tickets, users};
use crate::core::token::{Secret, SecretHash};
use crate::core::{Core, Error, Fault, Result};

/// How long a claimed mail is left to a worker that is not heard of: as long, a code may be late after a crash.
const LEASE: Duration = Duration::from_secs(10);
/// How often a worker says that it still has a mail in hand.
pub const RENEWAL: Duration = Duration::from_secs(3);
/// A mail that could not be sent for so long is given up.
const PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);
/// Waits after the first, second, … try; the last repeats.
const WAITS: [u64; 8] = [10, 30, 60, 120, 300, 900, 1800, 3600];

/// A mail that this worker alone may send until its lease runs out.
pub struct Claimed(ClaimedMail);

impl Claimed {
    /// The mail.
    #[must_use]
    pub fn mail(&self) -> &Mail {
        &self.0.mail
    }
}

/// What a mail says, for the templates.
#[derive(Clone)]
pub struct Letter {
    /// What it is for.
    pub kind: MailKind,
    /// The address.
    pub to: String,
    /// What the recipient is called, if known; chosen by them.
    pub name: Option<String>,
    /// What it carries.
    pub carries: Carries,
    /// A key's or an application's name, where the mail speaks of one.
    pub detail: Option<String>,
    /// When it was promised.
    pub promised_at: Timestamp,
}

/// The kind alone: the rest is secret or somebody's name.
impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Letter").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// The secret of a letter, and how long it is good.
#[derive(Clone)]
pub enum Carries {
    /// A notice: no secret.
    Nothing,
    /// A link.
    Link(Secret, Duration),
    /// A code to type.
    Code(Secret, Duration),
}

impl Carries {
    /// The link, if it is one.
    #[must_use]
    pub fn link(&self) -> Option<&str> {
        if let Self::Link(link, _) = self { Some(link.reveal()) } else { None }
    }

    /// The code, if it is one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        if let Self::Code(code, _) = self { Some(code.reveal()) } else { None }
    }
}

/// Claims at most `limit` mails that are due.
///
/// # Errors
/// Faults only.
pub async fn claim(core: &Core, call: &Call, limit: i64) -> Result<Vec<Claimed>> {
    let (now, lease) = (call.now, call.now.after(LEASE));
    let work = core.store.write_each(move |tx| Box::pin(async move { Ok(mails::claim(tx, now, lease, limit).await?) }));
    Ok(work.await?.into_iter().map(Claimed).collect())
}

/// The worker still has the mail in hand: its lease runs anew.
///
/// # Errors
/// Faults only.
pub async fn hold(core: &Core, call: &Call, mail: &Mail) -> Result<()> {
    let (claim, lease) = (claim_of(mail), call.now.after(LEASE));
    core.store.write_each(move |tx| Box::pin(async move { Ok(mails::hold(tx, claim, lease).await?) })).await
}

/// Makes the letter of a claimed mail, with its secret; `None` when there is nothing to send any more, which is then on
/// record, and when another worker has claimed it since, which decides about it.
///
/// # Errors
/// Faults, and [`crate::core::Refusal::Overloaded`] while there is too much to hash: then the mail stays due.
pub async fn prepare(core: &Core, call: &Call, claimed: &Claimed) -> Result<Option<Letter>> {
    let mail = &claimed.0.mail;
    let prepared = match mail.kind {
        MailKind::Recovery => recovery(core, call, &claimed.0).await?,
        MailKind::LoginCode => login_code(core, call, &claimed.0).await?,
        MailKind::AccessCode => access_code(core, call, &claimed.0).await?,
        MailKind::Invitation => invitation(core, call, &claimed.0).await?,
        MailKind::PasswordChanged
        | MailKind::KeyAdded
        | MailKind::KeyRemoved
        | MailKind::AuthenticatorAdded
        | MailKind::AuthenticatorRemoved => notice(core, &claimed.0).await?,
    };
    if prepared.is_none() {
        finish(core, call, mail, MailState::Void, None).await?;
    }
    Ok(prepared)
}

fn letter(mail: &ClaimedMail, to: &str, user: Option<&User>, carries: Carries) -> Letter {
    Letter {
        kind: mail.mail.kind,
        to: to.to_owned(),
        name: user.map(|user| user.first_name.as_str().to_owned()).filter(|name| !name.is_empty()),
        carries,
        detail: mail.detail.clone(),
        promised_at: mail.mail.created_at,
    }
}

/// For whom a mail is: the user that it names by now, or whoever has the name that was asked for; never a disabled one.
async fn recipient(tx: &mut Tx, user_id: Option<UserId>, subject: Option<&str>) -> Result<Option<User>> {
    let user = match (user_id, subject) {
        (Some(id), _) => users::by_id(tx, id).await?,
        (None, Some(subject)) => users::by_identifier(tx, &Identifier::from_subject(subject)).await?,
        (None, None) => None,
    };
    Ok(user.filter(|user| user.status == Status::Active))
}

/// A fresh ticket for the recipient in the place of an older one of its purpose; the recipient, if there is one.
async fn issue(core: &Core, call: &Call, mail: &ClaimedMail, issued: Issued) -> Result<Option<User>> {
    let (call, claim, user_id, subject) = (call.clone(), claim_of(&mail.mail), mail.mail.user_id, mail.subject.clone());
    // A mail that knows its user was sent by an administrator, or was charged when it was tried before.
    let (limits, by_a_stranger) = (core.policy.limits.clone(), user_id.is_none());
    let work = core.store.write(move |tx| {
        Box::pin(async move {
            // The secret of whoever has claimed it since is the one that is sent.
            if !mails::still_held(tx, claim).await? {
                return Ok(None);
            }
            let Some(user) = recipient(tx, user_id, subject.as_deref()).await? else { return Ok(None) };
            // By whichever of their names it was asked for: strangers learn nothing of a mail that does not come.
            let charges = Charges::new(&limits, &call, &[Limited::MailUser(&user.id.to_string())]);
            if by_a_stranger {
                match charges.take(tx, &call).await {
                    Err(Error::Refused(_)) => return Ok(None),
                    taken => taken?,
                }
            }
            tickets::delete_of_user(tx, user.id, issued.purpose).await?;
            tickets::insert(tx, &issued.ticket(&call, user.id)?).await?;
            mails::addressed(tx, claim.id, user.email.as_str(), user.id).await?;
            record(tx, &call, Record::by(Actor::Server, issued.event, Some(user.id), None)).await?;
            Ok(Some(user))
        })
    });
    work.await
}

/// The secret side of a ticket that is about to be written.
#[derive(Clone)]
struct Issued {
    purpose: Purpose,
    event: Event,
    secret_hash: Option<SecretHash>,
    payload: Option<String>,
    valid_for: Duration,
}

impl Issued {
    fn ticket(&self, call: &Call, user_id: UserId) -> std::result::Result<NewTicket, Fault> {
        Ok(NewTicket {
            id: TicketId::new(call)?,
            purpose: self.purpose,
            secret_hash: self.secret_hash,
            user_id,
            session_id: None,
            application_id: None,
            payload: self.payload.clone(),
            created_at: call.now,
            expires_at: call.now.after(self.valid_for),
        })
    }
}

async fn recovery(core: &Core, call: &Call, mail: &ClaimedMail) -> Result<Option<Letter>> {
    let (secret, valid_for) = (Secret::generate(call)?, core.policy.tickets.recovery);
    let purpose = Purpose::Recovery;
    let secret_hash = Some(secret.ticket_hash(purpose));
    let issued = Issued { purpose, event: Event::RecoveryMailed, secret_hash, payload: None, valid_for };
    let Some(user) = issue(core, call, mail, issued).await? else { return Ok(None) };
    let query = match LinkForm::parse(mail.detail.as_deref().unwrap_or_default()) {
        LinkForm::CodeAndUser => format!("code={}&user_id={}", secret.reveal(), user.id),
        LinkForm::Token => format!("token={}", secret.reveal()),
    };
    let link = Secret::new(format!("{}/reset?{query}", core.policy.public_url));
    let mut letter = letter(mail, user.email.as_str(), Some(&user), Carries::Link(link, valid_for));
    letter.detail = None;
    Ok(Some(letter))
}

async fn login_code(core: &Core, call: &Call, mail: &ClaimedMail) -> Result<Option<Letter>> {
    let (code, valid_for) = (Secret::generate_code(call)?, core.policy.tickets.code);
    let payload = Some(core.hasher.hash(core.hasher.reserve(call)?, call, &Password::new(&code)).await?);
    let issued = Issued { purpose: Purpose::LoginCode, event: Event::CodeMailed, secret_hash: None, payload, valid_for };
    let user = issue(core, call, mail, issued).await?;
    Ok(user.map(|user| letter(mail, user.email.as_str(), Some(&user), Carries::Code(code, valid_for))))
}

async fn access_code(core: &Core, call: &Call, mail: &ClaimedMail) -> Result<Option<Letter>> {
    let (code, valid_for) = (Secret::generate_code(call)?, core.policy.tickets.one_time_token);
    let payload = core.hasher.hash(core.hasher.reserve(call)?, call, &Password::new(&code)).await?;
    let Some(ticket) = mail.ticket_id else { return Ok(None) };
    let (now, claim) = (call.now, claim_of(&mail.mail));
    let work = core.store.write(move |tx| {
        Box::pin(async move {
            if !mails::still_held(tx, claim).await? {
                return Ok(None);
            }
            match tickets::set_payload(tx, ticket, &payload, now).await? {
                Some(user) => Ok(users::by_id(tx, user).await?),
                None => Ok(None),
            }
        })
    });
    Ok(work.await?.map(|user| letter(mail, user.email.as_str(), Some(&user), Carries::Code(code, valid_for))))
}

/// An invitation that was used or taken back meanwhile is not mailed.
async fn invitation(core: &Core, call: &Call, mail: &ClaimedMail) -> Result<Option<Letter>> {
    let (Some(to), Some(secret)) = (mail.mail.recipient.as_deref(), &mail.secret) else { return Ok(None) };
    let (hash, now) = (secret.invitation_hash(), call.now);
    let open = core.store.read(move |tx| Box::pin(async move { Ok(invitations::open(tx, &hash, now).await?) })).await?;
    let Some(open) = open else { return Ok(None) };
    let carries = Carries::Link(Secret::new(link(core, secret)), open.expires_at.since(now));
    Ok(Some(letter(mail, to, None, carries)))
}

async fn notice(core: &Core, mail: &ClaimedMail) -> Result<Option<Letter>> {
    let Some(user) = mail.mail.user_id else { return Ok(None) };
    let user = core.store.read(move |tx| Box::pin(async move { Ok(users::by_id(tx, user).await?) })).await?;
    Ok(mail.mail.recipient.as_deref().map(|to| letter(mail, to, user.as_ref(), Carries::Nothing)))
}

/// The transport has taken the mail.
///
/// # Errors
/// Faults only; the mail is then sent again when its lease runs out, under the same `Message-ID`.
pub async fn sent(core: &Core, call: &Call, mail: &Mail) -> Result<()> {
    finish(core, call, mail, MailState::Sent, None).await
}

/// The transport has refused the mail for good.
///
/// # Errors
/// Faults only.
pub async fn failed(core: &Core, call: &Call, mail: &Mail, error: &str) -> Result<()> {
    finish(core, call, mail, MailState::Failed, Some(error.to_owned())).await
}

/// The mail could not be sent now: it comes due again after a growing wait, until a day has passed.
///
/// # Errors
/// Faults only.
pub async fn postponed(core: &Core, call: &Call, mail: &Mail, error: &str) -> Result<()> {
    if call.now.since(mail.created_at) >= PATIENCE {
        return failed(core, call, mail, &format!("given up after a day: {error}")).await;
    }
    let tries = usize::try_from(mail.attempts).unwrap_or(1).saturating_sub(1).min(WAITS.len() - 1);
    let until = call.now.after(Duration::from_secs(WAITS.get(tries).copied().unwrap_or(3600)));
    let (claim, error) = (claim_of(mail), error.to_owned());
    let work = core.store.write_each(move |tx| Box::pin(async move { Ok(mails::postpone(tx, claim, until, &error).await?) }));
    say_unless(work.await?, mail);
    Ok(())
}

async fn finish(core: &Core, call: &Call, mail: &Mail, state: MailState, error: Option<String>) -> Result<()> {
    let (claim, now) = (claim_of(mail), call.now);
    let work = core
        .store
        .write_each(move |tx| Box::pin(async move { Ok(mails::finish(tx, claim, state, error.as_deref(), now).await?) }));
    say_unless(work.await?, mail);
    Ok(())
}

/// What a mail was claimed by: the `mail` is as it was then.
const fn claim_of(mail: &Mail) -> Claim {
    Claim { id: mail.id, attempts: mail.attempts }
}

/// Whoever has been too slow has no say in what becomes of the mail.
fn say_unless(still_held: bool, mail: &Mail) {
    if !still_held {
        tracing::info!(mail = %mail.id, "a mail in hand was claimed by another worker meanwhile, which decides about it");
    }
}
