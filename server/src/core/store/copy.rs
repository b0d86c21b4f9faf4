//! One database poured into another, whatever their engines: every table that the catalogue has, in the order of primary keys, a batch a
//! transaction. How far it has come is what is in the target.

use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::engine::table::{Column, Kind, Table};
use super::engine::{Engine, EngineSettings, Hold, Mode, Row, Tx, Value};
use super::migrations::{self, STEPS};
use super::unwrapped;
use crate::core::token::hex;
use crate::core::{Fault, Result as CoreResult};

/// Nobody waits for an answer; what hangs is seen by whoever looks on.
const PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);
/// Rows that are in memory at a time, twice.
const BATCH: usize = 5_000;
/// The table that a target has until it is whole. No server starts on it.
pub(super) const MARK: &str = "unfinished_copy";
const MAKE_MARK: &str = "CREATE TABLE unfinished_copy (source TEXT PRIMARY KEY)";
const DROP_MARK: &str = "DROP TABLE unfinished_copy";

type Outcome<T> = std::result::Result<T, Fault>;

/// Source and target, open.
pub(in crate::core) struct Pair {
    from: Engine,
    to: Engine,
    /// Those that others refer to first.
    tables: Vec<Table>,
    hold: Hold,
    resumed: bool,
}

/// What a table holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::core) struct Contents {
    pub(in crate::core) rows: u64,
    /// SHA-256 over all values, in the order of the primary key.
    pub(in crate::core) sha256: String,
}

impl Pair {
    /// Opens both, and holds the source still. `source` names it in the target's mark.
    pub(in crate::core) async fn open(from: &EngineSettings, to: &EngineSettings, source: &str) -> Outcome<Self> {
        let from = Engine::open_alone(from, PATIENCE).map_err(|fault| said("the source", &fault))?;
        let tables = source_tables(&from).await.map_err(|fault| said("the source", &fault))?;
        let hold = from.hold(&tables).await.map_err(|fault| said("the source", &fault))?;
        let to = Engine::open_alone(to, PATIENCE).map_err(|fault| said("the target", &fault))?;
        let resumed = prepare(&to, source, &tables).await.map_err(|fault| said("the target", &fault))?;
        Ok(Self { from, to, tables, hold, resumed })
    }

    /// Whether an earlier try is gone on with.
    pub(in crate::core) const fn resumed(&self) -> bool {
        self.resumed
    }

    /// The names of all tables, in the order in which they are to be copied.
    pub(in crate::core) fn tables(&self) -> impl Iterator<Item = &str> {
        self.tables.iter().map(|table| table.name.as_str())
    }

    /// Copies what the target lacks of a table; `told` hears of each batch.
    pub(in crate::core) async fn pour(&self, name: &str, told: &mut (dyn FnMut(usize) + Send)) -> Outcome<()> {
        let table = self.table(name)?;
        let last = Arc::clone(&table);
        let last = unwrapped(self.to.run(Mode::Read, move |tx| Box::pin(async move { Ok(tx.last_key(&last).await?) })).await)?;
        let mut page = page(&self.from, &table, last).await?;
        while let Some(end) = page.last() {
            let (after, rows) = (end.at(&table.key), page.len());
            let next = async { if rows < BATCH { Ok(Vec::new()) } else { self::page(&self.from, &table, after).await } };
            let (next, filled) = tokio::join!(next, fill(&self.to, &table, page));
            filled?;
            page = next?;
            told(rows);
        }
        Ok(())
    }

    /// What a table holds on both sides: source, target.
    pub(in crate::core) async fn compare(&self, name: &str) -> Outcome<(Contents, Contents)> {
        let table = self.table(name)?;
        tokio::try_join!(contents(&self.from, &table), contents(&self.to, &table))
    }

    /// Takes the mark off the target: it is whole.
    pub(in crate::core) async fn finish(self) -> Outcome<()> {
        self.hold.check()?;
        unwrapped(self.to.run(Mode::Each, |tx| Box::pin(async move { Ok(tx.batch(DROP_MARK).await?) })).await)
    }

    fn table(&self, name: &str) -> Outcome<Arc<Table>> {
        let found = self.tables.iter().find(|table| table.name == name);
        found.cloned().map(Arc::new).ok_or_else(|| Fault::internal(format!("there is no table {name}")))
    }
}

fn said(where_: &str, fault: &Fault) -> Fault {
    Fault::unavailable(format!("{where_}: {fault}"))
}

async fn page(engine: &Engine, table: &Arc<Table>, after: Vec<Value>) -> Outcome<Vec<Row>> {
    let table = Arc::clone(table);
    unwrapped(engine.run(Mode::Read, move |tx| Box::pin(async move { Ok(tx.page(&table, &after, BATCH).await?) })).await)
}

async fn fill(engine: &Engine, table: &Arc<Table>, rows: Vec<Row>) -> Outcome<()> {
    let (table, rows) = (Arc::clone(table), Arc::new(rows));
    unwrapped(engine.run(Mode::Each, move |tx| Box::pin(async move { Ok(tx.fill(&table, &rows).await?) })).await)
}

async fn contents(engine: &Engine, table: &Arc<Table>) -> Outcome<Contents> {
    let (mut hash, mut rows, mut after) = (Sha256::new(), 0_u64, Vec::new());
    loop {
        let page = page(engine, table, after).await?;
        for row in &page {
            row.values().iter().for_each(|value| feed(&mut hash, value));
            rows += 1;
        }
        match page.last() {
            Some(end) if page.len() == BATCH => after = end.at(&table.key),
            _ => break,
        }
    }
    let sha256 = hex(&hash.finalize());
    Ok(Contents { rows, sha256 })
}

/// No two rows feed the same bytes: each value has its kind and its length before it.
fn feed(hash: &mut Sha256, value: &Value) {
    match value {
        Value::Null => hash.update([0]),
        Value::Int(number) => {
            hash.update([1]);
            hash.update(number.to_be_bytes());
        }
        Value::Text(text) => {
            hash.update([2]);
            hash.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(text);
        }
    }
}

/// What is to be copied: everything but the schema's own history.
async fn source_tables(engine: &Engine) -> Outcome<Vec<Table>> {
    let standing = migrations::standing(engine, STEPS).await?;
    standing.check()?;
    let newest = migrations::newest(STEPS);
    if standing.current < newest {
        let told = format!("has schema {}, this release copies {newest}: run `doorward migrate` on it first", standing.current);
        return Err(Fault::internal(told));
    }
    if standing.current > newest {
        let told = format!("has schema {}, this release copies {newest}: copy with the release that made it", standing.current);
        return Err(Fault::internal(told));
    }
    let mut tables = unwrapped(engine.run(Mode::Read, |tx| Box::pin(async move { Ok(tx.tables().await?) })).await)?;
    tables.retain(|table| table.name != migrations::TABLE);
    if let Some(keyless) = tables.iter().find(|table| table.key.is_empty()) {
        return Err(Fault::internal(format!("the table {} has no primary key to copy it by", keyless.name)));
    }
    in_order(tables)
}

/// Those that others refer to before those.
fn in_order(mut waiting: Vec<Table>) -> Outcome<Vec<Table>> {
    let mut ordered: Vec<Table> = Vec::new();
    while !waiting.is_empty() {
        let ready = |table: &Table| table.parents.iter().all(|parent| ordered.iter().any(|done| done.name == *parent));
        let Some(next) = waiting.iter().position(ready) else {
            return Err(Fault::internal("tables refer to one another in a circle"));
        };
        ordered.push(waiting.remove(next));
    }
    Ok(ordered)
}

/// Makes an empty database a target, or finds that it is one of the same source; whether that was so.
async fn prepare(engine: &Engine, source: &str, tables: &[Table]) -> Outcome<bool> {
    let found = unwrapped(engine.run(Mode::Read, |tx| Box::pin(async move { Ok(tx.tables().await?) })).await)?;
    let marked = found.iter().any(|table| table.name == MARK);
    if !marked {
        let standing = migrations::standing(engine, STEPS).await?;
        standing.check()?;
        if standing.current == 0 && !found.is_empty() {
            return Err(occupied(&found[0].name));
        }
        migrations::run_on(engine, STEPS).await?;
    }
    let (source, wanted) = (source.to_owned(), tables.to_vec());
    unwrapped(engine.run(Mode::Each, move |tx| Box::pin(async move { mark(tx, &source, &wanted).await })).await)
}

async fn mark(tx: &mut Tx, source: &str, wanted: &[Table]) -> CoreResult<bool> {
    tx.lock_schema().await?;
    let mut tables = tx.tables().await?;
    let marked = tables.iter().any(|table| table.name == MARK);
    tables.retain(|table| table.name != MARK && table.name != migrations::TABLE);
    let mut wanted = wanted.to_vec();
    wanted.sort_by(|a, b| a.name.cmp(&b.name));
    if tables != wanted {
        return Err(Fault::internal("has not the tables of the source; empty it, and start again").into());
    }
    if marked {
        let of = tx.page(&mark_table(), &[], 1).await?;
        if of.first().map(Row::values) == Some(&[Value::from(source)]) {
            return Ok(true);
        }
        return Err(Fault::internal("holds the unfinished copy of another source; empty it, and start again").into());
    }
    for table in &tables {
        if !tx.last_key(table).await?.is_empty() {
            return Err(occupied(&table.name).into());
        }
    }
    tx.batch(MAKE_MARK).await?;
    tx.fill(&mark_table(), &[Row::from(vec![Value::from(source)])]).await?;
    Ok(false)
}

fn occupied(table: &str) -> Fault {
    Fault::internal(format!("is not empty: there are rows in {table}; name a database that nothing was ever in"))
}

fn mark_table() -> Table {
    let column = Column { name: "source".to_owned(), kind: Kind::Text };
    Table { name: MARK.to_owned(), columns: vec![column], key: vec![0], parents: Vec::new() }
}

#[cfg(test)]
mod tests;
