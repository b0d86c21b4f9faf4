//! A transaction on a connection of its own.

mod bulk;

use std::sync::Arc;

use futures_util::TryStreamExt as _;
use futures_util::future::try_join;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::heard::Heard;
use super::link::Pooled;
use super::listener::announcement;
use super::{Mode, Place, Trouble, fault};
use crate::core::fault::Fault;
use crate::core::store::cache::Touch;
use crate::core::store::engine::{Row, Sql, Value};

/// A transaction; rolled back, with its connection thrown away, when dropped before its end.
pub(in crate::core) struct Tx {
    link: Pooled,
    /// Among those that write; to be given back after the connection.
    _place: Option<Place>,
    heard: Arc<Heard>,
    prepares: bool,
    /// Sent with the first statement, to save a round trip.
    begin: Option<&'static str>,
    /// Why it cannot be committed any more.
    trouble: Option<Trouble>,
    /// Statements for after the commit; `None` where they can be run at once.
    later: Option<Vec<(Sql, Vec<Value>)>>,
    /// Whether it has changed rows.
    changed: bool,
    /// What it has changed of what nodes keep in memory.
    pub(in crate::core::store::engine) touched: Vec<Touch>,
}

/// The pool would find out only when it is to hand the connection out again; until then, the transaction would keep its locks.
impl Drop for Tx {
    fn drop(&mut self) {
        self.link.cut_if_open();
    }
}

impl Tx {
    pub(super) fn new((link, place): (Pooled, Option<Place>), mode: Mode, prepares: bool, heard: &Arc<Heard>) -> Self {
        let (heard, later) = (Arc::clone(heard), (mode == Mode::Write).then(Vec::new));
        let begin = Some(mode.begin());
        Self { link, _place: place, heard, prepares, begin, trouble: None, later, changed: false, touched: Vec::new() }
    }

    pub(in crate::core::store::engine) async fn query(&mut self, sql: Sql, values: &[Value]) -> Result<Vec<Row>, Fault> {
        self.run(sql, values).await.map(|(rows, _)| rows)
    }

    pub(in crate::core::store::engine) async fn execute(&mut self, sql: Sql, values: &[Value]) -> Result<u64, Fault> {
        self.run(sql, values).await.map(|(_, changed)| changed)
    }

    pub(in crate::core::store::engine) async fn count(&mut self, sql: Sql, values: &[Value]) -> Result<(), Fault> {
        if let Some(later) = &mut self.later {
            later.push((sql, values.to_vec()));
            return Ok(());
        }
        self.run(sql, values).await.map(|_| ())
    }

    /// Whether something is to be run after the commit.
    pub(super) fn has_more(&self) -> bool {
        self.later.as_ref().is_some_and(|later| !later.is_empty())
    }

    /// Runs what was put off. It is not worth waiting for the disk.
    pub(super) async fn run_later(&mut self) -> Result<(), Fault> {
        self.begin = Some(Mode::Soon.begin());
        for (sql, values) in self.later.take().unwrap_or_default() {
            self.run(sql, &values).await?;
        }
        self.end("COMMIT").await.map_err(|error| self.failed(&error))
    }

    /// Runs several statements of a migration. TEXT is compared byte by byte on SQLite, so here, too, whatever the database's locale.
    pub(in crate::core::store::engine) async fn batch(&mut self, sql: &str) -> Result<(), Fault> {
        let sql = bytewise(sql);
        let begin = self.begin();
        let Self { link, .. } = self;
        let ran = async {
            if let Some(begin) = begin {
                link.client.batch_execute(begin).await?;
            }
            link.client.batch_execute(&sql).await
        };
        let ran = ran.await;
        ran.map_err(|error| self.failed(&error))
    }

    async fn run(&mut self, sql: Sql, values: &[Value]) -> Result<(Vec<Row>, u64), Fault> {
        let ran = self.try_run(sql, values).await;
        let (rows, changed) = ran.map_err(|error| self.failed(&error))?;
        self.heard.note();
        // A SELECT counts the rows that it returns.
        self.changed |= changed > 0 && !sql.0.starts_with("SELECT");
        Ok((rows, changed))
    }

    async fn try_run(&mut self, sql: Sql, values: &[Value]) -> Result<(Vec<Row>, u64), tokio_postgres::Error> {
        // Before BEGIN, since what is prepared outlives the transaction.
        let statement = if self.prepares { Some(self.prepared(sql).await?) } else { None };
        let begin = self.begin();
        let client = &self.link.client;
        let answer = async {
            let stream = match &statement {
                Some(statement) => client.query_raw(statement, values).await?,
                None => client.query_typed_raw(sql.0, values.iter().map(|value| (value, value.kind()))).await?,
            };
            let mut stream = std::pin::pin!(stream);
            let mut rows = Vec::new();
            while let Some(row) = stream.try_next().await? {
                rows.push(read(&row)?);
            }
            Ok((rows, stream.rows_affected().unwrap_or_default()))
        };
        match begin {
            Some(begin) => Ok(try_join(client.batch_execute(begin), answer).await?.1),
            None => answer.await,
        }
    }

    async fn prepared(&mut self, sql: Sql) -> Result<tokio_postgres::Statement, tokio_postgres::Error> {
        if let Some(statement) = self.link.statements.get(sql.0) {
            return Ok(statement.clone());
        }
        // It waits for the table's lock. Given up meanwhile, the connection is of no more use, also when no transaction was begun on it.
        let open = std::mem::replace(&mut self.link.open, true);
        let statement = self.link.client.prepare(sql.0).await?;
        self.link.open = open;
        self.link.statements.insert(sql.0, statement.clone());
        Ok(statement)
    }

    /// What begins the transaction, once.
    fn begin(&mut self) -> Option<&'static str> {
        let begin = self.begin.take();
        self.link.open |= begin.is_some();
        begin
    }

    fn failed(&mut self, error: &tokio_postgres::Error) -> Fault {
        self.trouble.get_or_insert(Trouble::of(error));
        if error.as_db_error().is_some() {
            self.heard.note();
        }
        fault(error)
    }

    /// Whether it has changed rows, as far as it has come.
    pub(super) const fn has_changed(&self) -> bool {
        self.changed
    }

    pub(super) const fn trouble(&self) -> Option<Trouble> {
        self.trouble
    }

    /// Ends the transaction for good, and tells all nodes what it has touched.
    pub(super) async fn commit(&mut self) -> Result<(), tokio_postgres::Error> {
        match announcement(&self.touched) {
            Some(announcement) => self.end(&format!("{announcement}; COMMIT")).await,
            None => self.end("COMMIT").await,
        }
    }

    /// Undoes it; the connection is good again if that can be done.
    pub(super) async fn roll_back(&mut self) {
        let _ = self.end("ROLLBACK").await;
    }

    async fn end(&mut self, how: &str) -> Result<(), tokio_postgres::Error> {
        if self.link.open {
            self.link.client.batch_execute(how).await?;
            self.link.open = false;
            self.heard.note();
        }
        Ok(())
    }

    #[cfg(test)]
    pub(in crate::core::store::engine) fn client(&self) -> &tokio_postgres::Client {
        &self.link.client
    }
}

/// The text of a migration with every TEXT compared by its bytes.
fn bytewise(sql: &str) -> String {
    sql.lines()
        .map(|line| format!("{}\n", line.split("--").next().unwrap_or_default().replace(" TEXT", " TEXT COLLATE \"C\"")))
        .collect()
}

impl Value {
    /// The type that a value is sent as where nothing is prepared.
    const fn kind(&self) -> Type {
        match self {
            Self::Null => Type::UNKNOWN,
            Self::Int(_) => Type::INT8,
            Self::Text(_) => Type::TEXT,
        }
    }
}

impl ToSql for Value {
    fn to_sql(&self, kind: &Type, out: &mut bytes::BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match (self, kind) {
            (Self::Null, _) => Ok(IsNull::Yes),
            (Self::Int(number), &Type::INT8) => number.to_sql(kind, out),
            (Self::Text(text), &Type::TEXT) => text.to_sql(kind, out),
            (value, kind) => Err(format!("{} was bound where {kind} belongs", value.kind()).into()),
        }
    }

    fn accepts(kind: &Type) -> bool {
        matches!(*kind, Type::INT8 | Type::TEXT | Type::UNKNOWN)
    }

    to_sql_checked!();
}

fn read(row: &tokio_postgres::Row) -> Result<Row, tokio_postgres::Error> {
    let columns = row.columns().iter().enumerate();
    let values = columns.map(|(at, column)| {
        Ok(if *column.type_() == Type::INT8 {
            row.try_get::<_, Option<i64>>(at)?.map_or(Value::Null, Value::Int)
        } else {
            row.try_get::<_, Option<String>>(at)?.map_or(Value::Null, Value::Text)
        })
    });
    values.collect::<Result<_, _>>().map(Row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_columns_are_compared_by_their_bytes_and_comments_are_left_out() {
        let sql = "-- TEXT is text\nCREATE TABLE a (\n    id TEXT PRIMARY KEY, n BIGINT\n);\nALTER TABLE a ADD COLUMN b TEXT;";
        let wanted = "\nCREATE TABLE a (\n    id TEXT COLLATE \"C\" PRIMARY KEY, n BIGINT\n);\nALTER TABLE a ADD COLUMN b TEXT COLLATE \"C\";\n";
        assert_eq!(bytewise(sql), wanted);
    }
}
