//! Secrets of the server itself: the same after a restart and on every node.

use super::engine::Tx;
use super::{statements, values};
use crate::core::fault::Fault;
use crate::core::token::Secret;

statements! {
    BY_NAME = "SELECT value FROM server_secrets WHERE name = $1";
    INSERT = "INSERT INTO server_secrets (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
}

/// The secret of this name; `fresh` becomes it where there is none yet, unless another node has been faster.
pub(in crate::core) async fn get_or_make(tx: &mut Tx, name: &str, fresh: &Secret) -> Result<Secret, Fault> {
    if let Some(kept) = by_name(tx, name).await? {
        return Ok(kept);
    }
    tx.execute(INSERT, values![name, fresh.reveal()]).await?;
    by_name(tx, name).await?.ok_or_else(|| Fault::internal("a secret of the server was made and is gone"))
}

async fn by_name(tx: &mut Tx, name: &str) -> Result<Option<Secret>, Fault> {
    let row = tx.query_opt(BY_NAME, values![name]).await?;
    row.map(|row| row.fields().text().map(Secret::new)).transpose()
}
