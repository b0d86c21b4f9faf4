//! The outbox.

use super::engine::{Row, Tx};
use super::{statements, sweep_batch, values};
use crate::core::clock::Timestamp;
use crate::core::fault::Fault;
use crate::core::model::{Mail, MailId, MailKind, MailState, Page, TicketId, UserId};
use crate::core::token::Secret;

macro_rules! columns {
    () => {
        "id, kind, state, recipient, user_id, attempts, due_at, created_at, finished_at, error"
    };
}
macro_rules! claimed_columns {
    () => {
        concat!(columns!(), ", subject, ticket_id, detail, secret")
    };
}

statements! {
    INSERT = "INSERT INTO mails (id, kind, state, subject, recipient, user_id, ticket_id, detail, secret, attempts, due_at, created_at)
        VALUES ($1, $2, 'due', $3, $4, $5, $6, $7, $8, 0, $9, $10)";
    CLAIM = concat!(
        "UPDATE mails SET due_at = $1, attempts = attempts + 1
            WHERE id IN (SELECT id FROM mails WHERE state = 'due' AND due_at <= $2 ORDER BY due_at LIMIT $3) AND state = 'due' AND due_at <= $2
            RETURNING ", claimed_columns!()
    );
    ADDRESSED = "UPDATE mails SET recipient = $1, user_id = $2 WHERE id = $3";
    STILL_HELD = "UPDATE mails SET attempts = attempts WHERE id = $1 AND state = 'due' AND attempts = $2";
    HOLD = "UPDATE mails SET due_at = $1 WHERE id = $2 AND state = 'due' AND attempts = $3 AND due_at < $1";
    FINISH = "UPDATE mails SET state = $1, finished_at = $2, error = $3, secret = NULL, subject = NULL WHERE id = $4 AND state = 'due' AND attempts = $5";
    POSTPONE = "UPDATE mails SET due_at = $1, error = $2 WHERE id = $3 AND state = 'due' AND attempts = $4";
    RETRY = "UPDATE mails SET due_at = $1 WHERE id = $2 AND state = 'due'";
    REVIVE = "UPDATE mails SET due_at = $1, state = 'due', finished_at = NULL, created_at = $1 WHERE id = $2 AND state = 'failed' AND kind <> 'invitation'";
    BY_ID = concat!("SELECT ", columns!(), " FROM mails WHERE id = $1");
    WITH_DETAIL = concat!("SELECT ", columns!(), ", detail FROM mails WHERE id = $1");
    LIST = concat!("SELECT ", columns!(), " FROM mails WHERE id < $1 ORDER BY id DESC LIMIT $2");
    WAITING = "SELECT COUNT(*) FROM mails WHERE state = 'due'";
    SWEEP = concat!(
        "DELETE FROM mails WHERE id IN (SELECT id FROM mails WHERE finished_at <= $1 ORDER BY finished_at LIMIT ", sweep_batch!(), ")
            AND finished_at <= $1"
    );
}

/// A mail to be promised.
#[derive(Default)]
pub(in crate::core) struct NewMail {
    /// Whom a caller named, before it is known whether anybody has that name.
    pub(in crate::core) subject: Option<String>,
    pub(in crate::core) recipient: Option<String>,
    pub(in crate::core) user_id: Option<UserId>,
    /// The ticket that the mail's code belongs to, where that is made first.
    pub(in crate::core) ticket_id: Option<TicketId>,
    /// What a notice speaks of (a key's name).
    pub(in crate::core) detail: Option<String>,
    pub(in crate::core) secret: Option<Secret>,
}

/// A mail that this worker alone may send until its lease runs out.
pub(in crate::core) struct ClaimedMail {
    pub(in crate::core) mail: Mail,
    pub(in crate::core) subject: Option<String>,
    pub(in crate::core) ticket_id: Option<TicketId>,
    pub(in crate::core) detail: Option<String>,
    pub(in crate::core) secret: Option<Secret>,
}

fn mail_of(row: &mut super::engine::Fields) -> Result<Mail, Fault> {
    Ok(Mail {
        id: row.parsed()?,
        kind: row.known(MailKind::parse)?,
        state: row.known(MailState::parse)?,
        recipient: row.opt_text()?,
        user_id: row.opt_parsed()?,
        attempts: row.int()?,
        due_at: row.time()?,
        created_at: row.time()?,
        finished_at: row.opt_time()?,
        error: row.opt_text()?,
    })
}

fn mail(row: Row) -> Result<Mail, Fault> {
    mail_of(&mut row.fields())
}

fn claimed(row: Row) -> Result<ClaimedMail, Fault> {
    let mut row = row.fields();
    Ok(ClaimedMail {
        mail: mail_of(&mut row)?,
        subject: row.opt_text()?,
        ticket_id: row.opt_parsed()?,
        detail: row.opt_text()?,
        secret: row.opt_text()?.map(Secret::new),
    })
}

pub(in crate::core) async fn insert(
    tx: &mut Tx,
    id: MailId,
    kind: MailKind,
    mail: &NewMail,
    now: Timestamp,
    due_at: Timestamp,
) -> Result<(), Fault> {
    let row = values![
        id,
        kind.as_str(),
        mail.subject.as_deref(),
        mail.recipient.as_deref(),
        mail.user_id,
        mail.ticket_id,
        mail.detail.as_deref(),
        mail.secret.as_ref().map(Secret::reveal),
        due_at,
        now,
    ];
    tx.execute(INSERT, row).await.map(|_| ())
}

/// Takes at most `limit` due mails until `lease`: no other worker gets them before then, and if this one dies they come due again.
pub(in crate::core) async fn claim(tx: &mut Tx, now: Timestamp, lease: Timestamp, limit: i64) -> Result<Vec<ClaimedMail>, Fault> {
    tx.query(CLAIM, values![lease, now, limit]).await?.into_iter().map(claimed).collect()
}

/// Keeps a claimed mail until `lease`, unless it has been postponed beyond that, or claimed anew by another worker.
pub(in crate::core) async fn hold(tx: &mut Tx, claim: Claim, lease: Timestamp) -> Result<(), Fault> {
    tx.execute(HOLD, values![lease, claim.id, claim.attempts]).await.map(|_| ())
}

/// Whether no other worker has claimed the mail since; then none will until this transaction has ended.
pub(in crate::core) async fn still_held(tx: &mut Tx, claim: Claim) -> Result<bool, Fault> {
    Ok(tx.execute(STILL_HELD, values![claim.id, claim.attempts]).await? == 1)
}

/// Writes down for whom a mail turned out to be.
pub(in crate::core) async fn addressed(tx: &mut Tx, id: MailId, recipient: &str, user: UserId) -> Result<(), Fault> {
    tx.execute(ADDRESSED, values![recipient, user, id]).await.map(|_| ())
}

/// Which claim of a mail a worker speaks for: the next one counts one attempt more.
#[derive(Clone, Copy)]
pub(in crate::core) struct Claim {
    pub(in crate::core) id: MailId,
    pub(in crate::core) attempts: i64,
}

/// Ends a mail's life in the outbox, and wipes its secret; false when another worker has claimed it since.
pub(in crate::core) async fn finish(
    tx: &mut Tx,
    claim: Claim,
    state: MailState,
    error: Option<&str>,
    now: Timestamp,
) -> Result<bool, Fault> {
    Ok(tx.execute(FINISH, values![state.as_str(), now, error, claim.id, claim.attempts]).await? == 1)
}

/// Makes a claimed mail due again at `until`; false when another worker has claimed it since.
pub(in crate::core) async fn postpone(tx: &mut Tx, claim: Claim, until: Timestamp, error: &str) -> Result<bool, Fault> {
    Ok(tx.execute(POSTPONE, values![until, error, claim.id, claim.attempts]).await? == 1)
}

/// Makes a waiting mail due now, or a failed one due again; false when it is neither. A failed invitation's secret is gone.
pub(in crate::core) async fn retry(tx: &mut Tx, id: MailId, now: Timestamp) -> Result<bool, Fault> {
    Ok(tx.execute(RETRY, values![now, id]).await? == 1 || tx.execute(REVIVE, values![now, id]).await? == 1)
}

pub(in crate::core) async fn by_id(tx: &mut Tx, id: MailId) -> Result<Option<Mail>, Fault> {
    tx.query_opt(BY_ID, values![id]).await?.map(mail).transpose()
}

/// A mail and what it speaks of.
pub(in crate::core) async fn with_detail(tx: &mut Tx, id: MailId) -> Result<Option<(Mail, Option<String>)>, Fault> {
    let Some(row) = tx.query_opt(WITH_DETAIL, values![id]).await? else { return Ok(None) };
    let mut row = row.fields();
    Ok(Some((mail_of(&mut row)?, row.opt_text()?)))
}

pub(in crate::core) async fn list(tx: &mut Tx, page: &Page) -> Result<Vec<Mail>, Fault> {
    tx.query(LIST, values![page.before_id(), page.fetch()]).await?.into_iter().map(mail).collect()
}

/// How many mails wait to be sent.
pub(in crate::core) async fn waiting(tx: &mut Tx) -> Result<i64, Fault> {
    match tx.query_opt(WAITING, values![]).await? {
        Some(row) => row.fields().int(),
        None => Err(Fault::internal("a count returned no row")),
    }
}

/// Deletes a batch of mails that ended before `before`; their number.
pub(in crate::core) async fn sweep(tx: &mut Tx, before: Timestamp) -> Result<u64, Fault> {
    tx.execute(SWEEP, values![before]).await
}
