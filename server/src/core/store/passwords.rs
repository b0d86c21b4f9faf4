//! Password hashes (PHC strings).

use super::engine::Tx;
use super::{statements, values};
use crate::core::clock::Timestamp;
use crate::core::fault::Fault;
use crate::core::model::UserId;

statements! {
    BY_USER = "SELECT phc, changed_at FROM passwords WHERE user_id = $1";
    SET = "INSERT INTO passwords (user_id, phc, changed_at) VALUES ($1, $2, $3)
        ON CONFLICT (user_id) DO UPDATE SET phc = excluded.phc, changed_at = excluded.changed_at";
    UPGRADE = "UPDATE passwords SET phc = $1 WHERE user_id = $2 AND phc = $3";
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

pub(in crate::core) async fn set(tx: &mut Tx, user: UserId, phc: &str, now: Timestamp) -> Result<(), Fault> {
    tx.execute(SET, values![user, phc, now]).await.map(|_| ())
}

/// Replaces a hash by a costlier one of the same password, unless the password has been changed meanwhile.
pub(in crate::core) async fn upgrade(tx: &mut Tx, user: UserId, from: &str, to: &str) -> Result<(), Fault> {
    tx.execute(UPGRADE, values![to, user, from]).await.map(|_| ())
}
