//! Steps, those of this release and artificial ones, on the engine that the tests run on.

use std::sync::Arc;

use super::*;
use crate::core::store::Store;
use crate::core::store::engine::fixture;

const DEADLINE: Duration = Duration::from_secs(10);

/// The steps of a later release that this one can work beside, and of one that it cannot.
const EXPANDED: &[Step] =
    &[STEPS[0], STEPS[1], STEPS[2], STEPS[3], STEPS[4], future("ALTER TABLE users ADD COLUMN nickname TEXT", 1)];
const CONTRACTED: &[Step] =
    &[STEPS[0], STEPS[1], STEPS[2], STEPS[3], STEPS[4], future("ALTER TABLE users DROP COLUMN last_name", 1_000)];

const fn future(sql: &'static str, compatible_from: i64) -> Step {
    Step { version: 1_000, file: "1000_future.sql", sql, compatible_from }
}

async fn open(settings: &EngineSettings, steps: &'static [Step]) -> std::result::Result<Store, Fault> {
    Store::open_with(settings, DEADLINE, 0, steps).await
}

async fn versions(store: &Store) -> Vec<(i64, Option<i64>)> {
    const ALL: crate::core::store::engine::Sql =
        crate::core::store::engine::Sql("SELECT version, compatible_from FROM schema_migrations ORDER BY version");
    let read = store.read(|tx| {
        Box::pin(async move {
            let rows = tx.query(ALL, values![]).await?;
            let read = rows.into_iter().map(|row| {
                let mut fields = row.fields();
                Ok((fields.int()?, fields.opt_int()?))
            });
            Ok(read.collect::<std::result::Result<Vec<_>, Fault>>()?)
        })
    });
    read.await.unwrap()
}

#[tokio::test]
async fn every_step_is_declared_in_order_with_the_file_of_its_number() {
    for pair in STEPS.windows(2) {
        assert!(pair[0].version < pair[1].version);
    }
    for step in STEPS {
        assert!(step.file.starts_with(&format!("{:04}_", step.version)), "{}", step.file);
        assert!(step.compatible_from >= 1 && step.compatible_from <= step.version, "{}", step.file);
    }
    let (_kept, settings) = fixture::settings().await;
    let store = open(&settings, STEPS).await.unwrap();
    let declared: Vec<_> = STEPS.iter().map(|step| (step.version, Some(step.compatible_from))).collect();
    assert_eq!(versions(&store).await, declared);
}

#[tokio::test]
async fn an_older_release_starts_beside_a_newer_one_that_has_only_expanded() {
    let (_kept, settings) = fixture::settings().await;
    let newer = open(&settings, EXPANDED).await.unwrap();
    let older = open(&settings, STEPS).await.unwrap();
    assert_eq!(versions(&older).await, versions(&newer).await);
    assert_eq!(versions(&older).await.last(), Some(&(1_000, Some(1))));
    older.ping().await.unwrap();
    newer.ping().await.unwrap();
}

#[tokio::test]
async fn an_older_release_refuses_a_schema_that_it_cannot_work_with_and_is_no_longer_ready() {
    let (_kept, settings) = fixture::settings().await;
    let older = open(&settings, STEPS).await.unwrap();
    older.ping().await.unwrap();
    open(&settings, CONTRACTED).await.unwrap();
    let told = format!(
        "the database has schema 1000, this release knows {}: start the release that made it, or a later one",
        newest(STEPS)
    );
    assert_eq!(open(&settings, STEPS).await.err().map(|fault| fault.to_string()), Some(told));
    assert!(older.ping().await.is_err());
}

#[tokio::test]
async fn a_row_without_a_word_is_a_step_that_nobody_older_can_work_with() {
    let (_kept, settings) = fixture::settings().await;
    let store = open(&settings, STEPS).await.unwrap();
    let put = store.write(|tx| Box::pin(async move { Ok(tx.execute(RECORD, values![1_000_i64]).await?) }));
    put.await.unwrap();
    assert!(open(&settings, STEPS).await.is_err());
}

#[tokio::test]
async fn a_database_from_before_the_mechanism_is_brought_up_and_declared() {
    const FIRST: &[Step] = &[STEPS[0]];
    let (_kept, settings) = fixture::settings().await;
    let engine = Engine::open(&settings, DEADLINE).unwrap();
    let made = engine.run(Mode::Each, |tx| {
        Box::pin(async move {
            tx.batch("CREATE TABLE schema_migrations (version BIGINT PRIMARY KEY)").await?;
            tx.batch(FIRST[0].sql).await?;
            Ok(tx.execute(RECORD, values![1_i64]).await?)
        })
    });
    made.await.unwrap();
    let standing = standing(&engine, STEPS).await.unwrap();
    assert_eq!(standing.current, 1);
    assert!(standing.pending(STEPS).all(|step| step.version > 1) && standing.pending(STEPS).count() == STEPS.len() - 1);
    let store = open(&settings, STEPS).await.unwrap();
    assert!(versions(&store).await.iter().all(|(_, compatible_from)| compatible_from.is_some()));
}

#[tokio::test]
async fn a_step_that_fails_leaves_those_before_it_and_nothing_of_itself() {
    const BROKEN: &[Step] = &[STEPS[0], STEPS[1], STEPS[2], STEPS[3], STEPS[4], future(HALF, 1)];
    const HALF: &str = "ALTER TABLE users ADD COLUMN nickname TEXT; ALTER TABLE nobody ADD COLUMN x TEXT";
    let (_kept, settings) = fixture::settings().await;
    assert!(open(&settings, BROKEN).await.is_err());
    let engine = Engine::open(&settings, DEADLINE).unwrap();
    assert_eq!(standing(&engine, STEPS).await.unwrap().current, newest(STEPS));
    // The same name once more, by a step that is whole.
    open(&settings, EXPANDED).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_that_open_one_empty_database_at_once_run_each_step_once() {
    let (_kept, settings) = fixture::settings().await;
    let settings = Arc::new(settings);
    let opening: Vec<_> = (0..8)
        .map(|_| {
            let settings = Arc::clone(&settings);
            tokio::spawn(async move { open(&settings, EXPANDED).await })
        })
        .collect();
    for opened in opening {
        let store = opened.await.unwrap().unwrap_or_else(|fault| panic!("{fault}"));
        assert_eq!(versions(&store).await.len(), EXPANDED.len());
    }
}
