//! Security keys. The signature counter has a column of its own, so that one statement can compare and raise it.

use super::engine::{Row, Tx};
use super::{statements, values};
use crate::core::Result;
use crate::core::clock::Timestamp;
use crate::core::fault::Fault;
use crate::core::model::{KeyName, SecurityKey, SecurityKeyId, UserId};
use crate::core::refusal::Refusal;

macro_rules! columns {
    () => {
        "id, user_id, name, credential, created_at, last_used_at, passkey"
    };
}

statements! {
    OF_USER = concat!("SELECT ", columns!(), " FROM security_keys WHERE user_id = $1");
    BY_CREDENTIAL = concat!("SELECT ", columns!(), " FROM security_keys WHERE credential_id = $1");
    COUNT_OF_USER = "SELECT COUNT(*) FROM security_keys WHERE user_id = $1";
    NAME_TAKEN = "SELECT id FROM security_keys WHERE user_id = $1 AND name_key = $2 AND id <> $3";
    CREDENTIAL_TAKEN = "SELECT id FROM security_keys WHERE credential_id = $1";
    INSERT = "INSERT INTO security_keys (id, user_id, name, name_key, credential_id, credential, counter, created_at, passkey)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    RENAME = "UPDATE security_keys SET name = $1, name_key = $2 WHERE id = $3 AND user_id = $4";
    USED = "UPDATE security_keys SET counter = $1, credential = $2, last_used_at = $3
        WHERE id = $4 AND user_id = $5 AND (counter < $1 OR (counter = 0 AND $1 = 0))";
    IS_PASSKEY = "UPDATE security_keys SET passkey = 1 WHERE id = $1 AND passkey IS NULL";
    DELETE = "DELETE FROM security_keys WHERE id = $1 AND user_id = $2 RETURNING name";
}

fn key(row: Row) -> std::result::Result<SecurityKey, Fault> {
    let mut row = row.fields();
    Ok(SecurityKey {
        id: row.parsed()?,
        user_id: row.parsed()?,
        name: row.known(|text| KeyName::parse(text).ok())?,
        credential: row.text()?,
        created_at: row.time()?,
        last_used_at: row.opt_time()?,
        passkey: row.opt_int()?.map(|passkey| passkey != 0),
    })
}

/// A user's keys, in the order in which they were registered.
pub(in crate::core) async fn of_user(tx: &mut Tx, user: UserId) -> std::result::Result<Vec<SecurityKey>, Fault> {
    let keys = tx.query(OF_USER, values![user]).await?.into_iter().map(key);
    let mut keys: Vec<SecurityKey> = keys.collect::<std::result::Result<_, _>>()?;
    keys.sort_by_key(|key| key.id);
    Ok(keys)
}

/// Whoever's key has this credential id.
pub(in crate::core) async fn by_credential(tx: &mut Tx, credential_id: &str) -> std::result::Result<Option<SecurityKey>, Fault> {
    tx.query_opt(BY_CREDENTIAL, values![credential_id]).await?.map(key).transpose()
}

pub(in crate::core) async fn has_any(tx: &mut Tx, user: UserId) -> std::result::Result<bool, Fault> {
    match tx.query_opt(COUNT_OF_USER, values![user]).await? {
        Some(row) => Ok(row.fields().int()? > 0),
        None => Err(Fault::internal("a count returned no row")),
    }
}

/// Adds a key.
///
/// # Errors
/// [`Refusal::KeyNameTaken`]; [`Refusal::WebauthnFailed`] when anybody has registered this credential.
pub(in crate::core) async fn insert(tx: &mut Tx, key: &SecurityKey, credential_id: &str, counter: u32) -> Result<()> {
    if tx.query_opt(NAME_TAKEN, values![key.user_id, key.name.key(), ""]).await?.is_some() {
        return Err(Refusal::KeyNameTaken.into());
    }
    if tx.query_opt(CREDENTIAL_TAKEN, values![credential_id]).await?.is_some() {
        return Err(Refusal::WebauthnFailed.into());
    }
    let row = values![
        key.id,
        key.user_id,
        key.name.as_str(),
        key.name.key(),
        credential_id,
        key.credential.as_str(),
        i64::from(counter),
        key.created_at,
        key.passkey,
    ];
    tx.execute(INSERT, row).await?;
    Ok(())
}

/// Renames a user's key.
///
/// # Errors
/// [`Refusal::KeyNameTaken`], [`Refusal::NotFound`].
pub(in crate::core) async fn rename(tx: &mut Tx, user: UserId, id: SecurityKeyId, name: &KeyName) -> Result<()> {
    if tx.query_opt(NAME_TAKEN, values![user, name.key(), id]).await?.is_some() {
        return Err(Refusal::KeyNameTaken.into());
    }
    match tx.execute(RENAME, values![name.as_str(), name.key(), id, user]).await? {
        0 => Err(Refusal::NotFound.into()),
        _ => Ok(()),
    }
}

/// Records a use, if the counter has grown (or never counts): false is the sign of a cloned key. Judged against the row, for the copy in
/// a ceremony's state may be stale.
pub(in crate::core) async fn used(
    tx: &mut Tx,
    key: &SecurityKey,
    counter: u32,
    credential: &str,
    now: Timestamp,
) -> std::result::Result<bool, Fault> {
    Ok(tx.execute(USED, values![i64::from(counter), credential, now, key.id, key.user_id]).await? == 1)
}

/// The key has signed its user in by itself: what was not known is known.
pub(in crate::core) async fn is_passkey(tx: &mut Tx, key: &SecurityKey) -> std::result::Result<(), Fault> {
    tx.execute(IS_PASSKEY, values![key.id]).await.map(|_| ())
}

/// Removes a user's key; its name, or `None` if the user has no such key.
pub(in crate::core) async fn delete(tx: &mut Tx, user: UserId, id: SecurityKeyId) -> std::result::Result<Option<String>, Fault> {
    tx.query_opt(DELETE, values![id, user]).await?.map(|row| row.fields().text()).transpose()
}
