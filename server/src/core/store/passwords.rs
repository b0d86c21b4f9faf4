//! Password hashes (PHC strings).

use super::engine::Tx;
use super::{statements, values};
use crate::core::clock::Timestamp;
use crate::core::fault::Fault;
use crate::core::model::UserId;

statements! {
    BY_USER = "SELECT phc FROM passwords WHERE user_id = $1";
    SET = "INSERT INTO passwords (user_id, phc, changed_at) VALUES ($1, $2, $3)
        ON CONFLICT (user_id) DO UPDATE SET phc = excluded.phc, changed_at = excluded.changed_at";
    UPGRADE = "UPDATE passwords SET phc = $1 WHERE user_id = $2 AND phc = $3";
}

pub(in crate::core) async fn by_user(tx: &mut Tx, user: UserId) -> Result<Option<String>, Fault> {
    tx.query_opt(BY_USER, values![user]).await?.map(|row| row.fields().text()).transpose()
}

pub(in crate::core) async fn set(tx: &mut Tx, user: UserId, phc: &str, now: Timestamp) -> Result<(), Fault> {
    tx.execute(SET, values![user, phc, now]).await.map(|_| ())
}

/// Replaces a hash by a costlier one of the same password, unless the password has been changed meanwhile.
pub(in crate::core) async fn upgrade(tx: &mut Tx, user: UserId, from: &str, to: &str) -> Result<(), Fault> {
    tx.execute(UPGRADE, values![to, user, from]).await.map(|_| ())
}
