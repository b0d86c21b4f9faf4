//! Tickets that are out before it is known whose they are. Expiry is judged in the statement that takes one, which deletes it.

use super::engine::Tx;
use super::{statements, sweep_batch, values};
use crate::core::clock::Timestamp;
use crate::core::fault::Fault;
use crate::core::model::Purpose;
use crate::core::token::SecretHash;

statements! {
    INSERT = "INSERT INTO unbound_tickets (purpose, secret_hash, payload, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)";
    SPEND = "DELETE FROM unbound_tickets WHERE purpose = $1 AND secret_hash = $2 AND expires_at > $3 RETURNING payload";
    IS_OPEN = "SELECT expires_at FROM unbound_tickets WHERE purpose = $1 AND secret_hash = $2 AND expires_at > $3";
    OPEN_UNTIL = "SELECT expires_at FROM unbound_tickets WHERE purpose = $1 AND expires_at > $2 LIMIT 1";
    SWEEP = concat!(
        "DELETE FROM unbound_tickets WHERE (purpose, secret_hash) IN
            (SELECT purpose, secret_hash FROM unbound_tickets WHERE expires_at <= $1 ORDER BY expires_at LIMIT ", sweep_batch!(), ")"
    );
}

/// A ticket to be written.
#[derive(Clone)]
pub(in crate::core) struct NewUnboundTicket {
    pub(in crate::core) purpose: Purpose,
    pub(in crate::core) secret_hash: SecretHash,
    /// What spending it needs: the state of a ceremony.
    pub(in crate::core) payload: Option<String>,
    pub(in crate::core) created_at: Timestamp,
    pub(in crate::core) expires_at: Timestamp,
}

pub(in crate::core) async fn insert(tx: &mut Tx, ticket: &NewUnboundTicket) -> Result<(), Fault> {
    let (created_at, expires_at) = (ticket.created_at, ticket.expires_at);
    let row = values![ticket.purpose.as_str(), &ticket.secret_hash, ticket.payload.as_deref(), created_at, expires_at];
    tx.execute(INSERT, row).await.map(|_| ())
}

/// Spends a ticket: its payload for exactly one of all who try, `None` for the others.
pub(in crate::core) async fn spend(
    tx: &mut Tx,
    purpose: Purpose,
    secret: &SecretHash,
    now: Timestamp,
) -> Result<Option<Option<String>>, Fault> {
    tx.query_opt(SPEND, values![purpose.as_str(), secret, now]).await?.map(|row| row.fields().opt_text()).transpose()
}

/// Whether a ticket is good; looking spends nothing.
pub(in crate::core) async fn is_open(tx: &mut Tx, purpose: Purpose, secret: &SecretHash, now: Timestamp) -> Result<bool, Fault> {
    Ok(tx.query_opt(IS_OPEN, values![purpose.as_str(), secret, now]).await?.is_some())
}

/// Until when a ticket of this purpose is good, where there can be one at most.
pub(in crate::core) async fn open_until(tx: &mut Tx, purpose: Purpose, now: Timestamp) -> Result<Option<Timestamp>, Fault> {
    tx.query_opt(OPEN_UNTIL, values![purpose.as_str(), now]).await?.map(|row| row.fields().time()).transpose()
}

/// Deletes a batch of expired tickets; their number.
pub(in crate::core) async fn sweep(tx: &mut Tx, now: Timestamp) -> Result<u64, Fault> {
    tx.execute(SWEEP, values![now]).await
}
