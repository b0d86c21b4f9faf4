//! Invitations, found by the hash of their secret or by their handle.

use super::engine::{Row, Tx};
use super::{statements, values};
use crate::core::clock::Timestamp;
use crate::core::fault::Fault;
use crate::core::model::{Email, Invitation, InvitationId, Page, Role};
use crate::core::token::SecretHash;

macro_rules! columns {
    () => {
        "id, email, role, created_at, expires_at, used_at, revoked_at"
    };
}

statements! {
    OPEN = concat!(
        "SELECT ", columns!(), " FROM invitations WHERE secret_hash = $1 AND used_at IS NULL AND revoked_at IS NULL AND expires_at > $2"
    );
    INSERT = "INSERT INTO invitations (id, secret_hash, email, email_key, role, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    SPEND = "UPDATE invitations SET used_at = $1
        WHERE secret_hash = $2 AND used_at IS NULL AND revoked_at IS NULL AND expires_at > $1 RETURNING id";
    REVOKE = "UPDATE invitations SET revoked_at = $1 WHERE id = $2 AND used_at IS NULL AND revoked_at IS NULL";
    REISSUE = "UPDATE invitations SET secret_hash = $1, expires_at = $2 WHERE id = $3 AND used_at IS NULL AND revoked_at IS NULL";
    BY_ID = concat!("SELECT ", columns!(), " FROM invitations WHERE id = $1");
    LIST = concat!("SELECT ", columns!(), " FROM invitations WHERE id < $1 ORDER BY id DESC LIMIT $2");
}

fn invitation(row: Row) -> Result<Invitation, Fault> {
    let mut row = row.fields();
    Ok(Invitation {
        id: row.parsed()?,
        email: row.known(|text| Email::parse(text).ok())?,
        role: row.known(Role::parse)?,
        created_at: row.time()?,
        expires_at: row.time()?,
        used_at: row.opt_time()?,
        revoked_at: row.opt_time()?,
    })
}

/// The open invitation with this secret; looking spends nothing.
pub(in crate::core) async fn open(tx: &mut Tx, secret: &SecretHash, now: Timestamp) -> Result<Option<Invitation>, Fault> {
    tx.query_opt(OPEN, values![secret, now]).await?.map(invitation).transpose()
}

pub(in crate::core) async fn by_id(tx: &mut Tx, id: InvitationId) -> Result<Option<Invitation>, Fault> {
    tx.query_opt(BY_ID, values![id]).await?.map(invitation).transpose()
}

pub(in crate::core) async fn insert(tx: &mut Tx, invitation: &Invitation, secret: &SecretHash) -> Result<(), Fault> {
    let row = values![
        invitation.id,
        secret,
        invitation.email.as_str(),
        invitation.email.key(),
        invitation.role.as_str(),
        invitation.created_at,
        invitation.expires_at,
    ];
    tx.execute(INSERT, row).await.map(|_| ())
}

/// Uses the invitation with this secret: its id for exactly one of all who try, and for nobody once it has another secret.
pub(in crate::core) async fn spend(tx: &mut Tx, secret: &SecretHash, now: Timestamp) -> Result<Option<InvitationId>, Fault> {
    tx.query_opt(SPEND, values![now, secret]).await?.map(|row| row.fields().parsed()).transpose()
}

/// Takes an invitation back; false if it is used or revoked already, or there is none.
pub(in crate::core) async fn revoke(tx: &mut Tx, id: InvitationId, now: Timestamp) -> Result<bool, Fault> {
    Ok(tx.execute(REVOKE, values![now, id]).await? == 1)
}

/// Gives an invitation another secret and another end; false if it is used or revoked, or there is none.
pub(in crate::core) async fn reissue(
    tx: &mut Tx,
    id: InvitationId,
    secret: &SecretHash,
    expires_at: Timestamp,
) -> Result<bool, Fault> {
    Ok(tx.execute(REISSUE, values![secret, expires_at, id]).await? == 1)
}

pub(in crate::core) async fn list(tx: &mut Tx, page: &Page) -> Result<Vec<Invitation>, Fault> {
    tx.query(LIST, values![page.before_id(), page.fetch()]).await?.into_iter().map(invitation).collect()
}
