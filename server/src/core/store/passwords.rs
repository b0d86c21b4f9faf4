//! Password hashes (PHC strings).

use super::engine::Tx;
use super::{statements, values};
use crate::core::clock::Timestamp;
use crate::core::decoy::DecoyKey;
use crate::core::fault::Fault;
use crate::core::model::UserId;

statements! {
    BY_USER = "SELECT phc, changed_at FROM passwords WHERE user_id = $1";
    SET = "INSERT INTO passwords (user_id, phc, changed_at, decoy_key) VALUES ($1, $2, $3, $4)
        ON CONFLICT (user_id) DO UPDATE SET phc = excluded.phc, changed_at = excluded.changed_at,
            decoy_key = COALESCE(passwords.decoy_key, excluded.decoy_key)";
    UPGRADE = "UPDATE passwords SET phc = $1 WHERE user_id = $2 AND phc = $3";
    DECOY = "SELECT phc FROM passwords WHERE decoy_key >= $1 ORDER BY decoy_key LIMIT 1";
    WITHOUT_DECOY_KEY = "SELECT user_id FROM passwords WHERE decoy_key IS NULL ORDER BY user_id LIMIT $1";
    SET_DECOY_KEY = "UPDATE passwords SET decoy_key = $1 WHERE user_id = $2 AND decoy_key IS NULL";
}

/// A password at rest.
#[derive(Clone)]
pub(in crate::core) struct StoredPassword {
    /// Its hash.
    pub(in crate::core) phc: String,
    /// When it was set; a costlier hash of the same password leaves it.
    pub(in crate::core) changed_at: Timestamp,
}

pub(in crate::core) async fn by_user(tx: &mut Tx, user: UserId) -> Result<Option<StoredPassword>, Fault> {
    let Some(row) = tx.query_opt(BY_USER, values![user]).await? else { return Ok(None) };
    let mut row = row.fields();
    Ok(Some(StoredPassword { phc: row.text()?, changed_at: row.time()? }))
}

/// Whether the user's password is still the one that was set at that time.
pub(in crate::core) async fn is_of(tx: &mut Tx, user: UserId, changed_at: Timestamp) -> Result<bool, Fault> {
    Ok(by_user(tx, user).await?.is_some_and(|stored| stored.changed_at == changed_at))
}

/// Sets a user's password. `fresh` becomes the row's place among the decoys, unless it has one already.
pub(in crate::core) async fn set(tx: &mut Tx, user: UserId, phc: &str, now: Timestamp, fresh: &DecoyKey) -> Result<(), Fault> {
    tx.execute(SET, values![user, phc, now, fresh.as_str()]).await.map(|_| ())
}

/// Replaces a hash by a costlier one of the same password, unless the password has been changed meanwhile.
pub(in crate::core) async fn upgrade(tx: &mut Tx, user: UserId, from: &str, to: &str) -> Result<(), Fault> {
    tx.execute(UPGRADE, values![to, user, from]).await.map(|_| ())
}

/// The hash whose place is next to this one, or the first when none comes after it; `None` when no row has a place.
pub(in crate::core) async fn decoy(tx: &mut Tx, place: &DecoyKey) -> Result<Option<String>, Fault> {
    let row = match tx.query_opt(DECOY, values![place.as_str()]).await? {
        Some(row) => Some(row),
        None => tx.query_opt(DECOY, values![DecoyKey::first().as_str()]).await?,
    };
    row.map(|row| row.fields().text()).transpose()
}

/// Users whose password's row has no place among the decoys yet, at most `limit`.
pub(in crate::core) async fn without_decoy_key(tx: &mut Tx, limit: i64) -> Result<Vec<UserId>, Fault> {
    tx.query(WITHOUT_DECOY_KEY, values![limit]).await?.into_iter().map(|row| row.fields().parsed()).collect()
}

/// Gives a row its place, unless it has one.
pub(in crate::core) async fn set_decoy_key(tx: &mut Tx, user: UserId, place: &DecoyKey) -> Result<(), Fault> {
    tx.execute(SET_DECOY_KEY, values![place.as_str(), user]).await.map(|_| ())
}
