//! Tables as the database's own catalogue describes them, and the statements that move whole tables. What is moved is never listed by
//! hand: a table that somebody adds is found here.

use super::{Fields, Row};
use crate::core::fault::Fault;

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::core::store) struct Table {
    pub(in crate::core::store) name: String,
    /// In their order.
    pub(in crate::core::store) columns: Vec<Column>,
    /// Places, among the columns, of those of the primary key, in the key's order.
    pub(in crate::core::store) key: Vec<usize>,
    /// The tables whose rows must be there before its own.
    pub(in crate::core::store) parents: Vec<String>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::core::store) struct Column {
    pub(in crate::core::store) name: String,
    pub(in crate::core::store) kind: Kind,
}

/// What a column holds: one text of the schema serves all engines, so there is nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::core::store) enum Kind {
    Text,
    Int,
}

impl Table {
    /// Reads what a catalogue says: rows of table, column, type and place in the primary key (0: none), in the order of the columns; and
    /// rows of table and parent.
    pub(super) fn read(columns: Vec<Row>, parents: Vec<Row>) -> Result<Vec<Self>, Fault> {
        let mut tables: Vec<Self> = Vec::new();
        let mut places: Vec<Vec<(i64, usize)>> = Vec::new();
        for row in columns {
            let mut fields = row.fields();
            let (name, column) = (fields.text()?, fields.text()?);
            let kind = kind(&mut fields, &name, &column)?;
            let place = fields.int()?;
            if tables.last().is_none_or(|table| table.name != name) {
                tables.push(Self { name, columns: Vec::new(), key: Vec::new(), parents: Vec::new() });
                places.push(Vec::new());
            }
            if let (Some(table), Some(places)) = (tables.last_mut(), places.last_mut()) {
                if place > 0 {
                    places.push((place, table.columns.len()));
                }
                table.columns.push(Column { name: column, kind });
            }
        }
        for (table, mut places) in tables.iter_mut().zip(places) {
            places.sort_unstable();
            table.key = places.into_iter().map(|(_, column)| column).collect();
        }
        for row in parents {
            let mut fields = row.fields();
            let (name, parent) = (fields.text()?, fields.text()?);
            if let Some(table) = tables.iter_mut().find(|table| table.name == name && name != parent) {
                table.parents.push(parent);
            }
        }
        for table in &mut tables {
            table.parents.sort_unstable();
            table.parents.dedup();
        }
        Ok(tables)
    }

    /// The next rows by the primary key: all columns, after a key that is bound as `$1` … if there is one before.
    pub(super) fn page_sql(&self, after: bool, rows: usize) -> String {
        let key = list(self.key_columns());
        let bound: Vec<_> = (1..=self.key.len()).map(|number| format!("${number}")).collect();
        let from = if after { format!(" WHERE ({key}) > ({})", bound.join(", ")) } else { String::new() };
        format!("SELECT {} FROM {}{from} ORDER BY {key} LIMIT {rows}", self.column_list(), quoted(&self.name))
    }

    /// The greatest primary key.
    pub(super) fn last_key_sql(&self) -> String {
        let descending: Vec<_> = self.key_columns().map(|column| format!("{} DESC", quoted(&column.name))).collect();
        let key = list(self.key_columns());
        format!("SELECT {key} FROM {} ORDER BY {} LIMIT 1", quoted(&self.name), descending.join(", "))
    }

    /// All columns, for a statement.
    pub(super) fn column_list(&self) -> String {
        list(self.columns.iter())
    }

    fn key_columns(&self) -> impl Iterator<Item = &Column> {
        self.key.iter().filter_map(|place| self.columns.get(*place))
    }
}

fn kind(fields: &mut Fields, table: &str, column: &str) -> Result<Kind, Fault> {
    match fields.text()?.to_uppercase().as_str() {
        "TEXT" => Ok(Kind::Text),
        "BIGINT" => Ok(Kind::Int),
        other => Err(Fault::internal(format!("the column {table}.{column} is {other}; there is TEXT and BIGINT only"))),
    }
}

fn list<'a>(columns: impl Iterator<Item = &'a Column>) -> String {
    columns.map(|column| quoted(&column.name)).collect::<Vec<_>>().join(", ")
}

/// A name as it stands in a statement.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
