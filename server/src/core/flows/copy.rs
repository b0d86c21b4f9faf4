//! Everything in one database, put into another that is empty, and compared. Killed at any moment, the same call goes on.

use crate::core::Fault;
use crate::core::database::Database;
use crate::core::store::copy::Pair;

/// What a copy is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress<'a> {
    /// So many rows of a table are in the target that were not there before this call.
    Copied {
        /// The table.
        table: &'a str,
        /// All of this call.
        rows: u64,
    },
    /// A table is read from both sides.
    Comparing {
        /// The table.
        table: &'a str,
    },
}

/// What a finished copy holds.
#[derive(Clone, Debug)]
pub struct Copied {
    /// Whether an earlier try was gone on with.
    pub resumed: bool,
    /// Each table.
    pub tables: Vec<CopiedTable>,
}

/// A table that is the same on both sides.
#[derive(Clone, Debug)]
pub struct CopiedTable {
    /// Its name.
    pub name: String,
    /// How many rows it has.
    pub rows: u64,
    /// SHA-256 over all values in the order of the primary key, as read back from either side.
    pub sha256: String,
}

/// Copies. The source is kept from being changed meanwhile: on SQLite nobody else can have it open, on PostgreSQL nobody can write.
///
/// # Errors
/// When either side cannot be used, the target is neither empty nor the unfinished copy of the same source, or the two are not the same
/// at the end, as when the source was changed between two tries.
pub async fn copy(from: &Database, to: &Database, told: &mut (dyn FnMut(Progress<'_>) + Send)) -> Result<Copied, Fault> {
    let (source, target) = (from.place(), to.place());
    if source == target {
        return Err(Fault::internal("source and target are one database"));
    }
    let pair = Pair::open(&from.0, &to.0, &source).await?;
    let names: Vec<_> = pair.tables().map(str::to_owned).collect();
    for table in &names {
        let mut rows = 0;
        pair.pour(table, &mut |batch| {
            rows += u64::try_from(batch).unwrap_or(u64::MAX);
            told(Progress::Copied { table, rows });
        })
        .await?;
    }
    let mut tables = Vec::new();
    for table in names {
        told(Progress::Comparing { table: &table });
        let (left, right) = pair.compare(&table).await?;
        if left != right {
            let told = format!(
                "the copy is not like its source: {table} has {} rows there and {} here, or other values; the source was changed since \
                 the copy began: empty the target and copy again",
                left.rows, right.rows
            );
            return Err(Fault::internal(told));
        }
        tables.push(CopiedTable { name: table, rows: right.rows, sha256: right.sha256 });
    }
    let resumed = pair.resumed();
    pair.finish().await?;
    Ok(Copied { resumed, tables })
}
