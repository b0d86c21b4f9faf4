//! Tickets. Expiry, use, and whether their application is revoked are judged in the statement that takes one, never by a sweeper.

use super::engine::{Row, Tx};
use super::{of_application, statements, sweep_batch, values};
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

/// Whether a ticket can be spent, but for its time. One of a revoked application cannot, whether it has been deleted yet or not.
macro_rules! unspent {
    () => {
        "used_at IS NULL AND (application_id IS NULL
            OR (SELECT revoked_at FROM applications WHERE applications.id = tickets.application_id) IS NULL)"
    };
}

statements! {
    BY_SECRET = concat!(
        "SELECT ", columns!(), " FROM tickets WHERE purpose = $1 AND secret_hash = $2 AND expires_at > $3 AND ", unspent!()
    );
    INSERT = "INSERT INTO tickets (id, purpose, secret_hash, user_id, session_id, application_id, payload, tries, created_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9)";
    SPEND = concat!("UPDATE tickets SET used_at = $1 WHERE id = $2 AND expires_at > $1 AND ", unspent!(), " RETURNING id");
    SPEND_OF_SESSION = concat!(
        "UPDATE tickets SET used_at = $1 WHERE session_id = $2 AND purpose = $3 AND expires_at > $1 AND ", unspent!(),
        " RETURNING ", columns!()
    );
    TRY = concat!(
        "UPDATE tickets SET tries = tries + 1 WHERE id = $1 AND expires_at > $2 AND tries < $3 AND ", unspent!(),
        " RETURNING ", columns!()
    );
    TRY_OF_USER = concat!(
        "UPDATE tickets SET tries = tries + 1 WHERE user_id = $1 AND purpose = $2 AND expires_at > $3 AND tries < $4 AND ", unspent!(),
        " RETURNING ", columns!()
    );
    SET_PAYLOAD = concat!("UPDATE tickets SET payload = $1 WHERE id = $2 AND expires_at > $3 AND ", unspent!(), " RETURNING user_id");
    DELETE_OF_USER = "DELETE FROM tickets WHERE user_id = $1 AND purpose = $2";
    DELETE_ALL_OF_USER = "DELETE FROM tickets WHERE user_id = $1";
    DELETE_OF_SESSION = "DELETE FROM tickets WHERE session_id = $1 AND purpose = $2";
    DELETE_OF_APPLICATION = concat!(
        "DELETE FROM tickets WHERE id IN (SELECT id FROM tickets WHERE ", of_application!("$1"), " LIMIT ", sweep_batch!(), ")"
    );
    REVOKED = concat!(
        "SELECT id FROM applications WHERE revoked_at IS NOT NULL AND (SELECT application_id FROM tickets WHERE ",
        of_application!("applications.id"), " LIMIT 1) IS NOT NULL ORDER BY id LIMIT 1"
    );
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

/// Deletes a batch of an application's tickets; their number.
pub(in crate::core) async fn delete_of_application(tx: &mut Tx, application: ApplicationId) -> Result<u64, Fault> {
    tx.execute(DELETE_OF_APPLICATION, values![application]).await
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

/// Deletes a batch of tickets of a revoked application, if there is one that has any left; their number.
pub(in crate::core) async fn sweep_revoked(tx: &mut Tx) -> Result<u64, Fault> {
    match tx.query_opt(REVOKED, values![]).await? {
        Some(row) => delete_of_application(tx, row.fields().parsed()?).await,
        None => Ok(0),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::core::store::Store;
    use crate::core::store::engine::fixture;

    const USER: &str = "01a21f10-6e4c-7000-82ae-59ba58da0001";
    const APPLICATION: &str = "01a21f10-6e4c-7000-82ae-59ba58da0002";
    const TICKET: &str = "01a21f10-6e4c-7000-82ae-59ba58da0003";

    /// What each that takes a ticket says of it: found, guessed at, given a code, spent.
    async fn taken(store: &Store) -> [bool; 4] {
        let (now, id) = (Timestamp::from_millis(1), TICKET.parse().unwrap());
        let work = store.write(move |tx| {
            Box::pin(async move {
                let secret = SecretHash::digest("test", "secret");
                Ok([
                    by_secret(tx, Purpose::OneTimeToken, &secret, now).await?.is_some(),
                    count_try(tx, id, now).await?.is_some(),
                    set_payload(tx, id, "a hash", now).await?.is_some(),
                    spend(tx, id, now).await?,
                ])
            })
        });
        work.await.unwrap()
    }

    /// Each by itself: the application may be revoked between one and the next.
    #[tokio::test]
    async fn a_ticket_of_a_revoked_application_is_nobodys_at_every_step() {
        let (kept, settings) = fixture::settings().await;
        let store = Store::open(&settings, Duration::from_secs(10), 0).await.unwrap();
        for sql in [
            format!(
                "INSERT INTO users (id, username, username_key, email, email_key, first_name, last_name, role, status, created_at)
                 VALUES ('{USER}', 'ann', 'ann', 'ann@example.com', 'ann@example.com', '', '', 'member', 'active', 0)"
            ),
            format!(
                "INSERT INTO applications (id, name, consumer_key_hash, access_token_hash, networks, one_time_token_suffices, created_at,
                    revoked_at) VALUES ('{APPLICATION}', 'Terminal', '', '', '', 0, 0, 1)"
            ),
        ] {
            kept.1.execute(&sql).await;
        }
        let ticket = NewTicket {
            id: TICKET.parse().unwrap(),
            purpose: Purpose::OneTimeToken,
            secret_hash: Some(SecretHash::digest("test", "secret")),
            user_id: USER.parse().unwrap(),
            session_id: None,
            application_id: APPLICATION.parse().ok(),
            payload: None,
            created_at: Timestamp::from_millis(0),
            expires_at: Timestamp::from_millis(9),
        };
        store.write(move |tx| Box::pin(async move { Ok(insert(tx, &ticket).await?) })).await.unwrap();
        assert_eq!(taken(&store).await, [false; 4]);
        kept.1.execute("UPDATE applications SET revoked_at = NULL").await;
        assert_eq!(taken(&store).await, [true; 4]);
    }
}
