//! Whole tables, read and filled.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Statement};

use super::{Tx, fault, output};
use crate::core::fault::Fault;
use crate::core::store::engine::table::{Table, quoted};
use crate::core::store::engine::{Row, Value};

impl Tx {
    /// Runs a statement of [`Table`]. What is neither TEXT in UTF-8 nor BIGINT is a fault: no other engine could hold it.
    pub(in crate::core::store::engine) fn read_whole(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, Fault> {
        self.step(|connection| read_whole(connection, sql, values))
    }

    /// Puts in rows that have all columns of the table.
    pub(in crate::core::store::engine) fn fill(&mut self, table: &Table, rows: &[Row]) -> Result<(), Fault> {
        let places: Vec<_> = (1..=table.columns.len()).map(|number| format!("?{number}")).collect();
        let (name, columns, places) = (quoted(&table.name), table.column_list(), places.join(", "));
        let sql = format!("INSERT INTO {name} ({columns}) VALUES ({places})");
        self.step(|connection| fill(connection, &sql, rows).map_err(fault))
    }
}

fn read_whole(connection: &Connection, sql: &str, values: &[Value]) -> Result<Vec<Row>, Fault> {
    let mut statement = connection.prepare_cached(sql).map_err(fault)?;
    bind(&mut statement, values).map_err(fault)?;
    let columns = statement.column_count();
    let mut rows = statement.raw_query();
    let mut out = Vec::new();
    while let Some(row) = rows.next().map_err(fault)? {
        let values = (0..columns).map(|at| strict(row.get_ref(at).map_err(fault)?));
        out.push(Row(values.collect::<Result<_, _>>()?));
    }
    Ok(out)
}

fn fill(connection: &Connection, sql: &str, rows: &[Row]) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(sql)?;
    for row in rows {
        bind(&mut statement, &row.0)?;
        statement.raw_execute()?;
    }
    Ok(())
}

/// By place, for there are more than have a name.
fn bind(statement: &mut Statement<'_>, values: &[Value]) -> rusqlite::Result<()> {
    values.iter().enumerate().try_for_each(|(at, value)| statement.raw_bind_parameter(at + 1, output(value)))
}

fn strict(value: ValueRef<'_>) -> Result<Value, Fault> {
    match value {
        ValueRef::Null => Ok(Value::Null),
        ValueRef::Integer(number) => Ok(Value::Int(number)),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Value::Text(text.to_owned())),
            Err(_) => Err(Fault::internal("a TEXT column holds what is not UTF-8")),
        },
        ValueRef::Real(_) | ValueRef::Blob(_) => Err(Fault::internal("a column holds what is neither TEXT nor BIGINT")),
    }
}
