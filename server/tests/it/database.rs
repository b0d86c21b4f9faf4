//! The database under a test: an SQLite file in its folder, or a database of its own on the PostgreSQL server that
//! `TEST_POSTGRES` names (a URL of somebody who may create databases). And its rows, behind the server's back.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

/// A row: its columns' names and values.
pub(crate) type Row = Vec<(String, Option<String>)>;

/// Where the rows are. A database on a server is dropped with it.
pub(crate) enum Database {
    Sqlite(PathBuf),
    Postgres { server: String, name: String },
}

/// A transaction of somebody else that nobody can write past.
pub(crate) enum Lock {
    Sqlite(rusqlite::Connection),
    Postgres(Client),
}

impl Database {
    pub(crate) async fn new(folder: &Path) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let Ok(server) = std::env::var("TEST_POSTGRES") else { return Self::Sqlite(folder.join("doorward.db")) };
        let name = format!("doorward_test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let admin = connect(&server).await;
        admin.batch_execute(&format!("DROP DATABASE IF EXISTS {name}")).await.unwrap();
        admin.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0")).await.unwrap();
        Self::Postgres { server, name }
    }

    /// What `database_url` must be.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite://{}", path.display()),
            Self::Postgres { server, name } => {
                let mut url = url::Url::parse(server).unwrap();
                url.set_path(name);
                url.to_string()
            }
        }
    }

    pub(crate) async fn rows(&self, sql: &str) -> Vec<Row> {
        match self {
            Self::Sqlite(path) => sqlite_rows(path, sql),
            Self::Postgres { .. } => {
                let answer = connect(&self.url()).await.simple_query(sql).await.unwrap();
                let rows = answer.into_iter().filter_map(|message| match message {
                    SimpleQueryMessage::Row(row) => Some(row),
                    _ => None,
                });
                let cells = |row: tokio_postgres::SimpleQueryRow| {
                    let columns = row.columns().iter().enumerate();
                    columns.map(|(at, column)| (column.name().to_owned(), row.get(at).map(str::to_owned))).collect()
                };
                rows.map(cells).collect()
            }
        }
    }

    /// The first value of the first row.
    pub(crate) async fn value(&self, sql: &str) -> String {
        self.rows(sql).await.remove(0).remove(0).1.unwrap()
    }

    /// Runs a statement; the number of rows that it changed.
    pub(crate) async fn execute(&self, sql: &str) -> u64 {
        match self {
            Self::Sqlite(path) => rusqlite::Connection::open(path).unwrap().execute(sql, []).unwrap() as u64,
            Self::Postgres { .. } => connect(&self.url()).await.execute(sql, &[]).await.unwrap(),
        }
    }

    /// Runs several statements as one transaction.
    pub(crate) async fn batch(&self, sql: &str) {
        let sql = format!("BEGIN; {sql}; COMMIT");
        match self {
            Self::Sqlite(path) => rusqlite::Connection::open(path).unwrap().execute_batch(&sql).unwrap(),
            Self::Postgres { .. } => connect(&self.url()).await.batch_execute(&sql).await.unwrap(),
        }
    }

    pub(crate) async fn lock(&self) -> Lock {
        match self {
            Self::Sqlite(path) => {
                let other = rusqlite::Connection::open(path).unwrap();
                other.execute_batch("BEGIN IMMEDIATE").unwrap();
                Lock::Sqlite(other)
            }
            Self::Postgres { .. } => {
                let other = connect(&self.url()).await;
                let tables = "sessions, tickets, limits, mails, audit";
                other.batch_execute(&format!("BEGIN; LOCK TABLE {tables} IN EXCLUSIVE MODE")).await.unwrap();
                Lock::Postgres(other)
            }
        }
    }

    /// Makes an end of the data under a running server.
    pub(crate) async fn destroy(&self) {
        match self {
            Self::Sqlite(path) => {
                for ending in ["", "-wal", "-shm"] {
                    // In place and without cutting it, for the server has mapped it.
                    let file = format!("{}{ending}", path.display());
                    let length = usize::try_from(std::fs::metadata(&file).unwrap().len()).unwrap();
                    let mut file = std::fs::OpenOptions::new().write(true).open(file).unwrap();
                    std::io::Write::write_all(&mut file, &vec![7; length]).unwrap();
                }
            }
            Self::Postgres { server, name } => {
                connect(server).await.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
            }
        }
    }
}

impl Lock {
    pub(crate) async fn release(self) {
        match self {
            Self::Sqlite(other) => other.execute_batch("ROLLBACK").unwrap(),
            Self::Postgres(other) => other.batch_execute("ROLLBACK").await.unwrap(),
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let Self::Postgres { server, name } = self else { return };
        let (server, sql) = (server.clone(), format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async { connect(&server).await.batch_execute(&sql).await })
        });
        // A test that fails says so by itself; what is left here goes with the server.
        let _ = dropping.join();
    }
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

fn sqlite_rows(path: &Path, sql: &str) -> Vec<Row> {
    let connection = rusqlite::Connection::open(path).unwrap();
    let mut statement = connection.prepare(sql).unwrap();
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut found = statement.query([]).unwrap();
    let mut rows = Vec::new();
    while let Some(row) = found.next().unwrap() {
        let text = |at| match row.get::<_, rusqlite::types::Value>(at).unwrap() {
            rusqlite::types::Value::Null => None,
            rusqlite::types::Value::Integer(number) => Some(number.to_string()),
            rusqlite::types::Value::Text(text) => Some(text),
            other => panic!("{sql}: {other:?}"),
        };
        rows.push(names.iter().enumerate().map(|(at, name)| (name.clone(), text(at))).collect());
    }
    rows
}
