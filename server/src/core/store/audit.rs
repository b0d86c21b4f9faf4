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
    LIST = concat!("SELECT ", columns!(), " FROM audit WHERE id < $1 AND id >= $2 ORDER BY id DESC LIMIT $3");
    OF_USER = concat!("SELECT ", columns!(), " FROM audit WHERE user_id = $4 AND id < $1 AND id >= $2 ORDER BY id DESC LIMIT $3");
    OF_EVENT = concat!("SELECT ", columns!(), " FROM audit WHERE event = $4 AND id < $1 AND id >= $2 ORDER BY id DESC LIMIT $3");
    COUNT = "SELECT COUNT(*) FROM audit WHERE event = $1 AND id >= $2 AND id < $3";
    MANY = "SELECT id FROM audit WHERE event = $1 AND id >= $2 AND id < $3 ORDER BY id LIMIT 1 OFFSET $4";
    // The condition is the index's, word for word.
    COUNT_REFUSED = "SELECT COUNT(*) FROM audit WHERE event = $1 AND id >= $2 AND id < $3
        AND outcome <> 'ok' AND outcome <> 'second_factor_required'";
    MANY_REFUSED = "SELECT id FROM audit WHERE event = $1 AND id >= $2 AND id < $3
        AND outcome <> 'ok' AND outcome <> 'second_factor_required' ORDER BY id LIMIT 1 OFFSET $4";
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

/// The index that lines are read by.
#[derive(Clone, Debug)]
pub(in crate::core) enum By {
    Id,
    User(UserId),
    Event(String),
}

/// A piece of the log, from `from` to before `before`, newest first.
#[derive(Clone, Debug)]
pub(in crate::core) struct Slice {
    pub(in crate::core) before: String,
    pub(in crate::core) from: String,
    pub(in crate::core) limit: i64,
}

pub(in crate::core) async fn slice(tx: &mut Tx, by: &By, slice: &Slice) -> Result<Vec<Entry>, Fault> {
    let (before, from, limit) = (slice.before.as_str(), slice.from.as_str(), slice.limit);
    let rows = match by {
        By::Id => tx.query(LIST, values![before, from, limit]).await?,
        By::User(user) => tx.query(OF_USER, values![before, from, limit, *user]).await?,
        By::Event(event) => tx.query(OF_EVENT, values![before, from, limit, event.as_str()]).await?,
    };
    rows.into_iter().map(entry).collect()
}

pub(in crate::core) async fn of_user(tx: &mut Tx, user: UserId, page: &Page) -> Result<Vec<Entry>, Fault> {
    let whole = Slice { before: page.before_id().to_owned(), from: String::new(), limit: page.fetch() };
    slice(tx, &By::User(user), &whole).await
}

/// How many lines of an event there are from one id to before another, and how many of them were refused; no more than `most`.
pub(in crate::core) async fn count(tx: &mut Tx, event: &str, from: &str, before: &str, most: i64) -> Result<(i64, i64), Fault> {
    let mut counted = [0; 2];
    for (number, (many, count)) in counted.iter_mut().zip([(MANY, COUNT), (MANY_REFUSED, COUNT_REFUSED)]) {
        *number = match tx.query_opt(many, values![event, from, before, most]).await? {
            Some(_) => most,
            None => tx.query_opt(count, values![event, from, before]).await?.map_or(Ok(0), |row| row.fields().int())?,
        };
    }
    Ok((counted[0], counted[1]))
}
