//! Tickets. Expiry and use are judged in the statement that takes one, never by a sweeper.

use super::engine::{Row, Tx};
use super::{statements, sweep_batch, values};
use crate::core::clock::Timestamp;
use crate::core::fault::Fault;
use crate::core::model::{ApplicationId, Purpose, SessionId, Ticket, TicketId, UserId};
use crate::core::token::SecretHash;

/// Wrong guesses at a short code after which it is dead (contract of `kestra` and `kotak`), whatever the limits say.
pub(in crate::core) const MAXIMUM_TRIES: i64 = 5;

macro_rules! columns {
    () => {
        "id, user_id, application_id, payload"
    };
}

statements! {
    BY_SECRET = concat!("SELECT ", columns!(), " FROM tickets WHERE purpose = $1 AND secret_hash = $2 AND used_at IS NULL AND expires_at > $3");
    INSERT = "INSERT INTO tickets (id, purpose, secret_hash, user_id, session_id, application_id, payload, tries, created_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9)";
    SPEND = "UPDATE tickets SET used_at = $1 WHERE id = $2 AND used_at IS NULL AND expires_at > $1 RETURNING id";
    SPEND_OF_SESSION = concat!(
        "UPDATE tickets SET used_at = $1 WHERE session_id = $2 AND purpose = $3 AND used_at IS NULL AND expires_at > $1 RETURNING ", columns!()
    );
    TRY = concat!(
        "UPDATE tickets SET tries = tries + 1 WHERE id = $1 AND used_at IS NULL AND expires_at > $2 AND tries < $3 RETURNING ", columns!()
    );
    TRY_OF_USER = concat!(
        "UPDATE tickets SET tries = tries + 1 WHERE user_id = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > $3 AND tries < $4 RETURNING ",
        columns!()
    );
    SET_PAYLOAD = "UPDATE tickets SET payload = $1 WHERE id = $2 AND used_at IS NULL AND expires_at > $3 RETURNING user_id";
    DELETE_OF_USER = "DELETE FROM tickets WHERE user_id = $1 AND purpose = $2";
    DELETE_ALL_OF_USER = "DELETE FROM tickets WHERE user_id = $1";
    DELETE_OF_SESSION = "DELETE FROM tickets WHERE session_id = $1 AND purpose = $2";
    DELETE_OF_APPLICATION = "DELETE FROM tickets WHERE application_id = $1";
    DELETE_OF_USER_AND_APPLICATION = "DELETE FROM tickets WHERE user_id = $1 AND purpose = $2 AND application_id = $3";
    SWEEP = concat!(
        "DELETE FROM tickets WHERE id IN (SELECT id FROM tickets WHERE expires_at <= $1 ORDER BY expires_at LIMIT ", sweep_batch!(), ")"
    );
}

/// A ticket to be written.
#[derive(Clone)]
pub(in crate::core) struct NewTicket {
    pub(in crate::core) id: TicketId,
    pub(in crate::core) purpose: Purpose,
    /// `None` for a code, which is found by its user and compared by its payload.
    pub(in crate::core) secret_hash: Option<SecretHash>,
    pub(in crate::core) user_id: UserId,
    pub(in crate::core) session_id: Option<SessionId>,
    pub(in crate::core) application_id: Option<ApplicationId>,
    pub(in crate::core) payload: Option<String>,
    pub(in crate::core) created_at: Timestamp,
    pub(in crate::core) expires_at: Timestamp,
}

fn ticket(row: Row) -> Result<Ticket, Fault> {
    let mut row = row.fields();
    Ok(Ticket { id: row.parsed()?, user_id: row.parsed()?, application_id: row.opt_parsed()?, payload: row.opt_text()? })
}

/// The open ticket of this purpose with this secret; looking spends nothing.
pub(in crate::core) async fn by_secret(
    tx: &mut Tx,
    purpose: Purpose,
    secret: &SecretHash,
    now: Timestamp,
) -> Result<Option<Ticket>, Fault> {
    tx.query_opt(BY_SECRET, values![purpose.as_str(), secret, now]).await?.map(ticket).transpose()
}

pub(in crate::core) async fn insert(tx: &mut Tx, ticket: &NewTicket) -> Result<(), Fault> {
    let row = values![
        ticket.id,
        ticket.purpose.as_str(),
        ticket.secret_hash.as_ref(),
        ticket.user_id,
        ticket.session_id,
        ticket.application_id,
        ticket.payload.as_deref(),
        ticket.created_at,
        ticket.expires_at,
    ];
    tx.execute(INSERT, row).await.map(|_| ())
}

/// Spends a ticket: true for exactly one of all who try.
pub(in crate::core) async fn spend(tx: &mut Tx, id: TicketId, now: Timestamp) -> Result<bool, Fault> {
    Ok(tx.query_opt(SPEND, values![now, id]).await?.is_some())
}

/// Spends the ceremony that is open in a session: `Some` for exactly one of all who try.
pub(in crate::core) async fn spend_of_session(
    tx: &mut Tx,
    session: SessionId,
    purpose: Purpose,
    now: Timestamp,
) -> Result<Option<Ticket>, Fault> {
    tx.query_opt(SPEND_OF_SESSION, values![now, session, purpose.as_str()]).await?.map(ticket).transpose()
}

/// Counts a guess before it is judged; `None` when the ticket is dead or its tries are used up.
pub(in crate::core) async fn count_try(tx: &mut Tx, id: TicketId, now: Timestamp) -> Result<Option<Ticket>, Fault> {
    tx.query_opt(TRY, values![id, now, MAXIMUM_TRIES]).await?.map(ticket).transpose()
}

/// As [`count_try`], for the one code that a user can have.
pub(in crate::core) async fn count_try_of_user(
    tx: &mut Tx,
    user: UserId,
    purpose: Purpose,
    now: Timestamp,
) -> Result<Option<Ticket>, Fault> {
    tx.query_opt(TRY_OF_USER, values![user, purpose.as_str(), now, MAXIMUM_TRIES]).await?.map(ticket).transpose()
}

/// Gives an open ticket its code's hash; its user, or `None` when it is dead.
pub(in crate::core) async fn set_payload(
    tx: &mut Tx,
    id: TicketId,
    payload: &str,
    now: Timestamp,
) -> Result<Option<UserId>, Fault> {
    tx.query_opt(SET_PAYLOAD, values![payload, id, now]).await?.map(|row| row.fields().parsed()).transpose()
}

pub(in crate::core) async fn delete_of_user(tx: &mut Tx, user: UserId, purpose: Purpose) -> Result<(), Fault> {
    tx.execute(DELETE_OF_USER, values![user, purpose.as_str()]).await.map(|_| ())
}

/// Kills everything that a user has outstanding: a change of password or status leaves none of it good.
pub(in crate::core) async fn delete_all_of_user(tx: &mut Tx, user: UserId) -> Result<(), Fault> {
    tx.execute(DELETE_ALL_OF_USER, values![user]).await.map(|_| ())
}

pub(in crate::core) async fn delete_of_session(tx: &mut Tx, session: SessionId, purpose: Purpose) -> Result<(), Fault> {
    tx.execute(DELETE_OF_SESSION, values![session, purpose.as_str()]).await.map(|_| ())
}

pub(in crate::core) async fn delete_of_application(tx: &mut Tx, application: ApplicationId) -> Result<(), Fault> {
    tx.execute(DELETE_OF_APPLICATION, values![application]).await.map(|_| ())
}

pub(in crate::core) async fn delete_of_user_and_application(
    tx: &mut Tx,
    user: UserId,
    purpose: Purpose,
    application: ApplicationId,
) -> Result<(), Fault> {
    tx.execute(DELETE_OF_USER_AND_APPLICATION, values![user, purpose.as_str(), application]).await.map(|_| ())
}

/// Deletes a batch of expired tickets; their number.
pub(in crate::core) async fn sweep(tx: &mut Tx, now: Timestamp) -> Result<u64, Fault> {
    tx.execute(SWEEP, values![now]).await
}
