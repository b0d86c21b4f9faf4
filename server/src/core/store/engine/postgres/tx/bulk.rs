//! Whole tables, read and filled.

use futures_util::TryStreamExt as _;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::Type;

use super::{Tx, read};
use crate::core::fault::Fault;
use crate::core::store::engine::table::{Kind, Table, quoted};
use crate::core::store::engine::{Row, Value};

impl Tx {
    /// Runs a statement of [`Table`].
    pub(in crate::core::store::engine) async fn read_whole(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, Fault> {
        let ran = self.try_read_whole(sql, values).await;
        ran.map_err(|error| self.failed(&error))
    }

    /// Puts in rows that have all columns of the table.
    pub(in crate::core::store::engine) async fn fill(&mut self, table: &Table, rows: &[Row]) -> Result<(), Fault> {
        if rows.iter().any(|row| row.0.len() != table.columns.len()) {
            return Err(Fault::internal(format!("a row of {} has not the columns of its table", table.name)));
        }
        let ran = self.try_fill(table, rows).await;
        ran.map_err(|error| self.failed(&error))
    }

    async fn try_read_whole(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, tokio_postgres::Error> {
        self.begin_now().await?;
        let stream = self.link.client.query_typed_raw(sql, values.iter().map(|value| (value, value.kind()))).await?;
        let mut stream = std::pin::pin!(stream);
        let mut rows = Vec::new();
        while let Some(row) = stream.try_next().await? {
            rows.push(read(&row)?);
        }
        Ok(rows)
    }

    async fn try_fill(&mut self, table: &Table, rows: &[Row]) -> Result<(), tokio_postgres::Error> {
        self.begin_now().await?;
        let sql = format!("COPY {} ({}) FROM STDIN BINARY", quoted(&table.name), table.column_list());
        let sink = self.link.client.copy_in(&sql).await?;
        let kinds = table.columns.iter().map(|column| match column.kind {
            Kind::Text => Type::TEXT,
            Kind::Int => Type::INT8,
        });
        let mut writer = std::pin::pin!(BinaryCopyInWriter::new(sink, &kinds.collect::<Vec<_>>()));
        for row in rows {
            writer.as_mut().write_raw(row.0.iter()).await?;
        }
        writer.finish().await.map(drop)
    }

    async fn begin_now(&mut self) -> Result<(), tokio_postgres::Error> {
        match self.begin() {
            Some(begin) => self.link.client.batch_execute(begin).await,
            None => Ok(()),
        }
    }
}
