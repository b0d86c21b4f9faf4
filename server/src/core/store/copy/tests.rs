//! Copies between the engines. On SQLite alone where no PostgreSQL server is given to the tests.

use super::*;
use crate::core::store::Store;
use crate::core::store::engine::Sql;
use crate::core::store::engine::fixture::{self, database::Database};

const DEADLINE: Duration = Duration::from_secs(10);

/// A database with as many users as asked for, each with a password and a session; and a few rows elsewhere, NULLs among them.
async fn filled(folder: &std::path::Path, users: usize) -> (Database, EngineSettings) {
    let database = Database::new(folder).await;
    let settings = fixture::of(&database);
    drop(Store::open(&settings, DEADLINE, 0).await.unwrap());
    let engine = Engine::open_alone(&settings, PATIENCE).unwrap();
    let tables = in_order(tables(&engine).await).unwrap();
    for table in tables {
        let rows = match table.name.as_str() {
            "users" | "passwords" | "sessions" => users,
            "server_secrets" => continue,
            _ => users.min(3),
        };
        let rows = (0..rows).map(|number| row(&table, number)).collect();
        fill(&engine, &Arc::new(table), rows).await.unwrap();
    }
    (database, settings)
}

/// A row with the same number in all its columns; what may be NULL is so in every second row.
fn row(table: &Table, number: usize) -> Row {
    let nullable =
        ["email_verified_at", "last_used_at", "confirmed_at", "revoked_at", "address", "user_agent", "detail", "payload"];
    let values = table.columns.iter().map(|column| match (nullable.contains(&column.name.as_str()), number % 2, column.kind) {
        (true, 1, _) => Value::Null,
        // There are as many.
        _ if column.name == "application_id" && number >= 3 => Value::Null,
        // Not what a text of numbers would be in the order of some language.
        (_, _, Kind::Text) => Value::Text(format!("{}{number}é\u{1F511}", if number.is_multiple_of(3) { "a" } else { "B-" })),
        (_, _, Kind::Int) => Value::Int(i64::MAX - i64::try_from(number).unwrap()),
    });
    Row::from(values.collect::<Vec<_>>())
}

async fn tables(engine: &Engine) -> Vec<Table> {
    let found = engine.run(Mode::Read, |tx| Box::pin(async move { Ok(tx.tables().await?) })).await.unwrap();
    found.into_iter().filter(|table| table.name != migrations::TABLE && table.name != MARK).collect()
}

/// An empty SQLite database, and an empty one on the engine that the tests run on.
async fn targets() -> Vec<(tempfile::TempDir, Option<Database>, EngineSettings)> {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = EngineSettings::Sqlite(folder.path().join("target.db"));
    let ((other, database), settings) = fixture::settings().await;
    vec![(folder, None, sqlite), (other, Some(database), settings)]
}

async fn copy_all(pair: Pair) -> Vec<Contents> {
    let names: Vec<_> = pair.tables().map(str::to_owned).collect();
    for name in &names {
        pair.pour(name, &mut |_| {}).await.unwrap();
    }
    let mut all = Vec::new();
    for name in &names {
        let (left, right) = pair.compare(name).await.unwrap();
        assert_eq!(left, right, "{name}");
        all.push(right);
    }
    pair.finish().await.unwrap();
    all
}

async fn refused(from: &EngineSettings, to: &EngineSettings, part: &str) {
    let told = Pair::open(from, to, "s").await.err().unwrap_or_else(|| panic!("taken: {part}")).to_string();
    assert!(told.contains(part), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_arrives_on_every_engine_and_comes_back_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (_database, from) = filled(folder.path(), BATCH + 1).await;
    for (_kept, _dropped, to) in targets().await {
        let there = copy_all(Pair::open(&from, &to, "s").await.unwrap()).await;
        assert!(there.iter().filter(|contents| contents.rows == u64::try_from(BATCH + 1).unwrap()).count() == 3);
        let home = tempfile::tempdir().unwrap();
        let back = EngineSettings::Sqlite(home.path().join("back.db"));
        assert_eq!(copy_all(Pair::open(&to, &back, "t").await.unwrap()).await, there);
        // The next release's tables are found like these.
        Store::open(&back, DEADLINE, 0).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_stopped_goes_on_and_nothing_else_may_use_its_target() {
    let folder = tempfile::tempdir().unwrap();
    let (_database, from) = filled(folder.path(), BATCH * 2 + 7).await;
    for (_kept, _dropped, to) in targets().await {
        let pair = Pair::open(&from, &to, "s").await.unwrap();
        assert!(!pair.resumed());
        for table in ["users", "applications"] {
            pair.pour(table, &mut |_| {}).await.unwrap();
        }
        // A part of a table, as a death in its middle leaves it.
        let table = pair.table("sessions").unwrap();
        let first = page(&pair.from, &table, Vec::new()).await.unwrap();
        fill(&pair.to, &table, first).await.unwrap();
        drop(pair);
        let told = Store::open(&to, DEADLINE, 0).await.err().map(|fault| fault.to_string());
        assert!(told.clone().is_some_and(|told| told.contains("unfinished copy")), "{told:?}");
        let other = Pair::open(&from, &to, "another").await.err().map(|fault| fault.to_string());
        assert!(other.clone().is_some_and(|told| told.contains("of another source")), "{other:?}");
        let pair = Pair::open(&from, &to, "s").await.unwrap();
        assert!(pair.resumed());
        let mut rows = 0;
        pair.pour("users", &mut |batch| rows += batch).await.unwrap();
        assert_eq!(rows, 0);
        pair.pour("sessions", &mut |batch| rows += batch).await.unwrap();
        assert_eq!(rows, BATCH + 7);
        copy_all(pair).await;
        Store::open(&to, DEADLINE, 0).await.unwrap();
        refused(&from, &to, "the target: is not empty: there are rows in ").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_or_lost_is_found() {
    const CHANGE: Sql = Sql("UPDATE users SET first_name = 'x' WHERE id = (SELECT id FROM users ORDER BY id DESC LIMIT 1)");
    const LOSE: Sql = Sql("DELETE FROM sessions WHERE id = (SELECT id FROM sessions ORDER BY id LIMIT 1)");
    let folder = tempfile::tempdir().unwrap();
    let (_database, from) = filled(folder.path(), 20).await;
    for (_kept, _dropped, to) in targets().await {
        let pair = Pair::open(&from, &to, "s").await.unwrap();
        let names: Vec<_> = pair.tables().map(str::to_owned).collect();
        for name in &names {
            pair.pour(name, &mut |_| {}).await.unwrap();
        }
        for (table, sql) in [("users", CHANGE), ("sessions", LOSE)] {
            let (left, right) = pair.compare(table).await.unwrap();
            assert_eq!(left, right);
            pair.to.run(Mode::Each, move |tx| Box::pin(async move { Ok(tx.execute(sql, &[]).await?) })).await.unwrap();
            let (left, right) = pair.compare(table).await.unwrap();
            assert_ne!(left.sha256, right.sha256);
            assert_eq!(left.rows == right.rows, table == "users");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_changes_the_source_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let (_database, from) = filled(folder.path(), 2).await;
    let target = tempfile::tempdir().unwrap();
    let to = EngineSettings::Sqlite(target.path().join("t.db"));
    let store = Store::open(&from, DEADLINE, 0).await.unwrap();
    if let EngineSettings::Sqlite(_) = &from {
        // A server that runs is found,
        refused(&from, &to, "another process has it open; stop the server first").await;
        drop(store);
        let _pair = Pair::open(&from, &to, "s").await.unwrap();
        // and one that is started then does not start.
        assert!(Store::open(&from, DEADLINE, 0).await.is_err());
    } else {
        let pair = Pair::open(&from, &to, "s").await.unwrap();
        let delete = || {
            store.write_each(|tx| {
                Box::pin(async move {
                    tx.batch("SET LOCAL lock_timeout = '100ms'").await?;
                    Ok(tx.execute(Sql("DELETE FROM limits"), &[]).await?)
                })
            })
        };
        assert!(delete().await.is_err());
        drop(pair);
        delete().await.unwrap();
    }
}

#[tokio::test]
async fn a_source_of_another_schema_and_a_foreign_target_are_refused() {
    let (_kept, empty) = fixture::settings().await;
    let folder = tempfile::tempdir().unwrap();
    let (_database, from) = filled(folder.path(), 1).await;
    let nowhere = tempfile::tempdir().unwrap();
    let to = EngineSettings::Sqlite(nowhere.path().join("t.db"));
    refused(&empty, &to, "has schema 0, ").await;
    let other = Engine::open_alone(&to, PATIENCE).unwrap();
    other.run(Mode::Each, |tx| Box::pin(async move { Ok(tx.batch("CREATE TABLE theirs (a TEXT)").await?) })).await.unwrap();
    drop(other);
    refused(&from, &to, "the target: is not empty").await;
}

#[test]
fn tables_come_after_those_that_they_refer_to() {
    let table = |name: &str, parents: &[&str]| Table {
        name: name.to_owned(),
        columns: Vec::new(),
        key: vec![0],
        parents: parents.iter().map(|parent| (*parent).to_owned()).collect(),
    };
    let ordered = in_order(vec![table("a", &["c"]), table("b", &["a", "c"]), table("c", &[])]).unwrap();
    assert_eq!(ordered.iter().map(|table| table.name.as_str()).collect::<Vec<_>>(), ["c", "a", "b"]);
    assert!(in_order(vec![table("a", &["b"]), table("b", &["a"])]).is_err());
}
