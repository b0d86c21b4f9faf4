//! The audit log: only ever added to.

use super::engine::{Row, Tx};
use super::{statements, values};
use crate::core::audit::Entry;
use crate::core::fault::Fault;
use crate::core::model::{Page, UserId};

macro_rules! columns {
    () => {
        "id, at, event, outcome, user_id, actor, dialect, address, peer, user_agent, request_id, detail"
    };
}

statements! {
    INSERT = "INSERT INTO audit (id, at, event, outcome, user_id, actor, dialect, address, peer, user_agent, request_id, detail)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    LIST = concat!("SELECT ", columns!(), " FROM audit WHERE id < $1 ORDER BY id DESC LIMIT $2");
    OF_USER = concat!("SELECT ", columns!(), " FROM audit WHERE user_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3");
    OF_EVENT = concat!("SELECT ", columns!(), " FROM audit WHERE event = $1 AND id < $2 ORDER BY id DESC LIMIT $3");
}

fn entry(row: Row) -> Result<Entry, Fault> {
    let mut row = row.fields();
    Ok(Entry {
        id: row.parsed()?,
        at: row.time()?,
        event: row.text()?,
        outcome: row.text()?,
        user_id: row.opt_parsed()?,
        actor: row.text()?,
        dialect: row.text()?,
        address: row.opt_text()?,
        peer: row.opt_text()?,
        user_agent: row.opt_text()?,
        request_id: row.text()?,
        detail: row.opt_text()?,
    })
}

pub(in crate::core) async fn insert(tx: &mut Tx, entry: &Entry) -> Result<(), Fault> {
    let row = values![
        entry.id,
        entry.at,
        entry.event.as_str(),
        entry.outcome.as_str(),
        entry.user_id,
        entry.actor.as_str(),
        entry.dialect.as_str(),
        entry.address.as_deref(),
        entry.peer.as_deref(),
        entry.user_agent.as_deref(),
        entry.request_id.as_str(),
        entry.detail.as_deref(),
    ];
    tx.execute(INSERT, row).await.map(|_| ())
}

pub(in crate::core) async fn list(tx: &mut Tx, page: &Page) -> Result<Vec<Entry>, Fault> {
    tx.query(LIST, values![page.before_id(), page.fetch()]).await?.into_iter().map(entry).collect()
}

pub(in crate::core) async fn of_user(tx: &mut Tx, user: UserId, page: &Page) -> Result<Vec<Entry>, Fault> {
    tx.query(OF_USER, values![user, page.before_id(), page.fetch()]).await?.into_iter().map(entry).collect()
}

pub(in crate::core) async fn of_event(tx: &mut Tx, event: &str, page: &Page) -> Result<Vec<Entry>, Fault> {
    tx.query(OF_EVENT, values![event, page.before_id(), page.fetch()]).await?.into_iter().map(entry).collect()
}
