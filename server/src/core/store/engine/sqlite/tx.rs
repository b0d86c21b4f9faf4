//! A transaction, and what goes into its statements and comes out of them.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode};

use crate::core::fault::Fault;
use crate::core::store::cache::Touch;
use crate::core::store::engine::{Row, Sql, Value};

/// A transaction, on the thread of its connection.
pub(in crate::core) struct Tx {
    pub(super) connection: Connection,
    /// Whether a commit waits for the disk.
    pub(super) lasting: bool,
    /// Whether a statement of the job in hand has failed: then none may follow.
    pub(super) failed: bool,
    /// What the job in hand has changed of what is kept in memory.
    pub(in crate::core::store::engine) touched: Vec<Touch>,
}

impl Tx {
    pub(super) const fn new(connection: Connection) -> Self {
        Self { connection, lasting: true, failed: false, touched: Vec::new() }
    }

    /// Runs a statement that returns rows.
    pub(in crate::core::store::engine) fn query(&mut self, sql: Sql, values: &[Value]) -> std::result::Result<Vec<Row>, Fault> {
        self.step(|connection| rows(connection, sql, values).map_err(fault))
    }

    /// Runs a statement that returns none; the number of rows that it changed.
    pub(in crate::core::store::engine) fn execute(&mut self, sql: Sql, values: &[Value]) -> std::result::Result<u64, Fault> {
        self.step(|connection| execute(connection, sql, values).map_err(fault))
    }

    /// Runs several statements of a migration.
    pub(in crate::core::store::engine) fn batch(&mut self, sql: &str) -> std::result::Result<(), Fault> {
        self.step(|connection| connection.execute_batch(sql).map_err(fault))
    }

    /// Runs a step of a job, unless one before has failed. SQLite itself would go on: with half of what was wanted, or, when a full disk has
    /// ended the whole transaction, with each statement for good.
    pub(super) fn step<T>(
        &mut self,
        run: impl FnOnce(&Connection) -> std::result::Result<T, Fault>,
    ) -> std::result::Result<T, Fault> {
        if self.failed {
            return Err(went_on());
        }
        let ran = run(&self.connection);
        self.failed = ran.is_err();
        ran
    }

    /// Runs what is no job's own: what begins and ends it, whatever has become of it.
    pub(super) fn control(&self, sql: &'static str) -> std::result::Result<(), Fault> {
        execute(&self.connection, Sql(sql), &[]).map(|_| ()).map_err(fault)
    }

    /// Moves when another connection has written.
    pub(super) fn version(&self) -> rusqlite::Result<i64> {
        self.connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
    }

    #[cfg(test)]
    pub(in crate::core::store::engine) fn connection(&self) -> &Connection {
        &self.connection
    }
}

/// What becomes of a body that went on after a failed statement.
pub(super) fn went_on() -> Fault {
    Fault::internal("a transaction went on after a failure")
}

fn rows(connection: &Connection, sql: Sql, values: &[Value]) -> rusqlite::Result<Vec<Row>> {
    let mut statement = connection.prepare_cached(sql.0)?;
    bind(&mut statement, values)?;
    let columns = statement.column_count();
    let mut rows = statement.raw_query();
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push(Row((0..columns).map(|column| row.get_ref(column).map(read)).collect::<rusqlite::Result<_>>()?));
    }
    Ok(out)
}

fn execute(connection: &Connection, sql: Sql, values: &[Value]) -> rusqlite::Result<u64> {
    let mut statement = connection.prepare_cached(sql.0)?;
    bind(&mut statement, values)?;
    statement.raw_execute().map(|rows| rows as u64)
}

fn read(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Int(number),
        ValueRef::Real(number) => Value::Text(number.to_string()),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Value::Text(String::from_utf8_lossy(bytes).into_owned()),
    }
}

/// No statement has more.
const NAMES: [&str; 30] = [
    "$1", "$2", "$3", "$4", "$5", "$6", "$7", "$8", "$9", "$10", "$11", "$12", "$13", "$14", "$15", "$16", "$17", "$18", "$19",
    "$20", "$21", "$22", "$23", "$24", "$25", "$26", "$27", "$28", "$29", "$30",
];

/// SQLite numbers `$1` by where it first stands, not by its digits: look each up by name.
fn bind(statement: &mut rusqlite::Statement<'_>, values: &[Value]) -> rusqlite::Result<()> {
    for (index, value) in values.iter().enumerate() {
        let name = NAMES.get(index).ok_or(rusqlite::Error::InvalidParameterCount(values.len(), NAMES.len()))?;
        let place = statement.parameter_index(name)?.ok_or_else(|| rusqlite::Error::InvalidParameterName((*name).to_owned()))?;
        statement.raw_bind_parameter(place, output(value))?;
    }
    Ok(())
}

pub(super) fn output(value: &Value) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(match value {
        Value::Null => ValueRef::Null,
        Value::Int(number) => ValueRef::Integer(*number),
        Value::Text(text) => ValueRef::Text(text.as_bytes()),
    })
}

/// The driver's error as a fault. Its text names tables and columns, never values.
pub(super) fn fault(error: rusqlite::Error) -> Fault {
    match error.sqlite_error_code() {
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::DiskFull
            | ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen
            | ErrorCode::ReadOnly,
        ) => Fault::unavailable(error),
        _ => Fault::internal(error),
    }
}
