//! Every statement, prepared: it parses, names what exists, and goes by a key or an index.

use super::Sql;
use super::fixture::{self, database::Database};
use crate::core::Result;
use crate::core::store::*;

mod writable;

fn all() -> Vec<Sql> {
    [
        applications::STATEMENTS,
        audit::STATEMENTS,
        authenticators::STATEMENTS,
        invitations::STATEMENTS,
        limits::STATEMENTS,
        mails::STATEMENTS,
        migrations::STATEMENTS,
        passwords::STATEMENTS,
        secrets::STATEMENTS,
        security_keys::STATEMENTS,
        sessions::STATEMENTS,
        tickets::STATEMENTS,
        unbound_tickets::STATEMENTS,
        users::STATEMENTS,
    ]
    .concat()
}

/// A store on the engine that the tests run on; the folder and the database go with the first of the pair.
async fn open() -> ((tempfile::TempDir, Database), Store) {
    let (kept, settings) = fixture::settings().await;
    let store = Store::open(&settings, Duration::from_secs(10), 0).await.unwrap();
    (kept, store)
}

async fn open_sqlite(folder: &tempfile::TempDir) -> Store {
    Store::open(&EngineSettings::Sqlite(folder.path().join("t.db")), Duration::from_secs(10), 0).await.unwrap()
}

fn connection(tx: &Tx) -> &rusqlite::Connection {
    let Tx::Sqlite(tx) = tx else { panic!("not SQLite") };
    tx.connection()
}

/// Prepares a statement; the steps by which it is run.
async fn plan(tx: &mut Tx, text: &str) -> Vec<String> {
    match tx {
        Tx::Sqlite(tx) => {
            tx.connection().prepare(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            let mut plan = tx.connection().prepare(&format!("EXPLAIN QUERY PLAN {text}")).unwrap();
            let steps = plan.raw_query().mapped(|row| row.get(3)).collect::<rusqlite::Result<_>>();
            steps.unwrap()
        }
        Tx::Postgres(tx) => {
            let prepared = tx.client().prepare(text).await.unwrap_or_else(|error| panic!("{text}: {error:?}"));
            let nulls = vec!["NULL"; prepared.params().len()].join(", ");
            let execute = if nulls.is_empty() { "EXECUTE s".to_owned() } else { format!("EXECUTE s ({nulls})") };
            tx.client().batch_execute(&format!("PREPARE s AS {text}")).await.unwrap();
            let steps = tx.client().query(&format!("EXPLAIN {execute}"), &[]).await.unwrap();
            tx.client().batch_execute("DEALLOCATE s").await.unwrap();
            steps.iter().map(|row| row.get(0)).collect()
        }
    }
}

#[tokio::test]
async fn every_statement_prepares_and_uses_an_index() {
    let (_kept, store) = open().await;
    store
        .write(|tx| {
            Box::pin(async move {
                for Sql(text) in all() {
                    for step in plan(tx, text).await {
                        // What a statement names itself is no table.
                        let constant = ["CONSTANT ROW", "VALUES CLAUSE", "SCAN noted"].iter().any(|word| step.contains(word));
                        let full_scan =
                            step.starts_with("SCAN ") && !step.contains("USING") && !constant || step.contains("Seq Scan");
                        assert!(!full_scan, "{text}\n  goes through the whole table: {step}");
                        let sorts = step.contains("TEMP B-TREE") || step.contains("Sort Key");
                        assert!(!sorts, "{text}\n  sorts by itself: {step}");
                    }
                }
                Ok(())
            })
        })
        .await
        .unwrap();
}

/// A search by the beginning of a name reads those that begin so, and counts what is counted: among a million rows as among ten.
#[tokio::test]
async fn searches_and_counts_go_by_the_range_of_an_index() {
    let (_kept, store) = open().await;
    let plans = store.write(|tx| {
        Box::pin(async move {
            for (statement, index) in [
                ("email_key < $2", "email_key"),
                ("username_key < $2", "username_key"),
                ("COUNT(*) FROM audit WHERE event = $1 AND id >= $2 AND id < $3", "audit_"),
            ] {
                let wanted: Vec<_> = all().into_iter().filter(|Sql(text)| text.contains(statement)).collect();
                assert!(!wanted.is_empty(), "{statement}");
                for Sql(text) in wanted {
                    let steps = plan(tx, text).await.join("\n");
                    let by_range = steps.contains("SEARCH ") || steps.contains("Index Cond");
                    assert!(by_range && steps.contains(index), "{text}\n{steps}");
                    if text.contains("outcome") {
                        assert!(steps.contains("audit_refused"), "{text}\n{steps}");
                    }
                }
            }
            Ok(())
        })
    });
    plans.await.unwrap();
}

#[tokio::test]
async fn a_join_or_select_is_not_planned_anew_on_each_use() {
    use rusqlite::StatementStatus;
    let folder = tempfile::tempdir().unwrap();
    let store = open_sqlite(&folder).await;
    let again = store
        .read(|tx| {
            Box::pin(async move {
                let mut join = connection(tx)
                    .prepare("SELECT u.id FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.token_hash = $1")
                    .unwrap();
                for _ in 0..5 {
                    join.clear_bindings();
                    join.raw_bind_parameter(1, "x").unwrap();
                    assert!(join.raw_query().next().unwrap().is_none());
                }
                Ok(join.get_status(StatementStatus::RePrepare))
            })
        })
        .await
        .unwrap();
    assert_eq!(again, 0);
}

#[tokio::test]
async fn an_error_or_panic_undoes_its_own_writes_only() {
    let (_kept, store) = open().await;
    let store = std::sync::Arc::new(store);
    let bucket = |name: &str, tolerance| {
        let key = crate::core::token::SecretHash::digest("test", name);
        limits::Bucket { key, interval: 10, tolerance }
    };
    let now = crate::core::clock::Timestamp::from_millis(1);
    let (good, bad, worse) = (bucket("good", 10), bucket("bad", 10), bucket("worse", 10));
    let (first, second, third) = tokio::join!(
        store.write(move |tx| Box::pin(async move { Ok(limits::take(tx, &good, now).await?) })),
        store.write(move |tx| {
            Box::pin(async move {
                limits::take(tx, &bad, now).await?;
                Err::<(), _>(crate::core::Refusal::NotFound.into())
            })
        }),
        store.write(move |tx| {
            Box::pin(async move {
                limits::take(tx, &worse, now).await?;
                let nothing: [u8; 0] = [];
                Ok(nothing[std::hint::black_box(0)])
            })
        }),
    );
    assert_eq!(first.unwrap(), None);
    assert!(second.is_err() && third.is_err());
    // Each bucket takes one and no more within its tolerance of zero.
    for (name, taken) in [("good", true), ("bad", false), ("worse", false)] {
        let full = bucket(name, 0);
        let wait = store.write(move |tx| Box::pin(async move { Ok(limits::take(tx, &full, now).await?) })).await.unwrap();
        assert_eq!(wait.is_some(), taken);
    }
}

/// A failed statement is a fault of the whole body, whether it looks at it or not.
#[tokio::test]
async fn a_body_that_goes_on_after_a_failure_keeps_nothing() {
    let (kept, store) = open().await;
    kept.1.execute("CREATE TABLE t (a BIGINT PRIMARY KEY)").await;
    // So that both are there when the writer begins, and share a commit.
    let other = kept.1.lock().await;
    let (careless, careful, ()) = tokio::join!(
        store.write(|tx| {
            Box::pin(async move {
                tx.execute(Sql("INSERT INTO t VALUES (1)"), &[]).await?;
                assert!(tx.execute(Sql("INSERT INTO t VALUES (1)"), &[]).await.is_err());
                assert!(tx.execute(Sql("INSERT INTO t VALUES (2)"), &[]).await.is_err());
                Ok(())
            })
        }),
        store.write(|tx| Box::pin(async move { Ok(tx.execute(Sql("INSERT INTO t VALUES (3)"), &[]).await?) })),
        other.release(),
    );
    let Err(crate::core::Error::Faulted(fault)) = careless else { panic!("{careless:?}") };
    assert_eq!(fault.to_string(), "a transaction went on after a failure");
    assert_eq!(careful.unwrap(), 1);
    assert_eq!(kept.1.value("SELECT CAST(SUM(a) AS TEXT) FROM t").await, "3");
}

/// SQLite does so by itself, on a full disk for one. Whatever came after would be committed at once, each statement by itself.
#[tokio::test]
async fn nothing_follows_a_statement_that_ended_the_whole_transaction() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_sqlite(&folder).await;
    let outcome = store.write(|tx| {
        Box::pin(async move {
            tx.batch("CREATE TABLE t (a BIGINT PRIMARY KEY); INSERT INTO t VALUES (1)").await?;
            assert!(tx.execute(Sql("INSERT OR ROLLBACK INTO t VALUES (1)"), &[]).await.is_err());
            assert!(connection(tx).is_autocommit());
            assert!(tx.batch("CREATE TABLE u (a BIGINT)").await.is_err());
            Ok(())
        })
    });
    assert!(outcome.await.is_err());
    let tables = store.write(|tx| Box::pin(async move { Ok(tx.tables().await?) })).await.unwrap();
    assert!(tables.iter().all(|table| table.name != "t" && table.name != "u"), "{tables:?}");
}

#[tokio::test]
async fn what_is_cut_off_in_the_middle_keeps_no_locks() {
    let (kept, settings) = fixture::settings().await;
    let EngineSettings::Postgres(_) = settings else { return };
    // Long enough for a busy machine to open it, for that has the same deadline.
    let store = Store::open(&settings, Duration::from_secs(2), 0).await.unwrap();
    let bucket = limits::Bucket { key: crate::core::token::SecretHash::digest("test", "cut"), interval: 10, tolerance: 10 };
    let late = store.write(move |tx| {
        Box::pin(async move {
            limits::take(tx, &bucket, crate::core::clock::Timestamp::from_millis(1)).await?;
            std::future::pending::<Result<()>>().await
        })
    });
    assert!(late.await.is_err());
    // The pool is not asked for anything, and the server would end such a transaction after 15 seconds.
    let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
    let began = tokio::time::Instant::now();
    while kept.1.value(open).await != "0" {
        assert!(began.elapsed() < Duration::from_secs(10), "its transaction is still open");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_sweeper_that_waited_for_a_row_looks_again_before_it_deletes_it() {
    let (kept, store) = open().await;
    if matches!(kept.1, Database::Sqlite(_)) {
        return;
    }
    kept.1.execute("INSERT INTO limits (bucket, tat) VALUES ('b', 1)").await;
    kept.1
        .execute("INSERT INTO mails (id, kind, state, attempts, due_at, created_at) VALUES ('m', 'recovery', 'due', 0, 1, 1)")
        .await;
    let now = crate::core::clock::Timestamp::from_millis(10);
    let (other, connection) = tokio_postgres::connect(&kept.1.url(), tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let moved = "BEGIN; UPDATE limits SET tat = 99; UPDATE mails SET state = 'sent'";
    other.batch_execute(moved).await.unwrap();
    let sweep = store.write_each(move |tx| Box::pin(async move { Ok(limits::sweep(tx, now).await?) }));
    let claim = store.write_each(move |tx| Box::pin(async move { Ok(mails::claim(tx, now, now, 5).await?.len()) }));
    let release = async {
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while kept.1.value(waiting).await != "2" {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        other.batch_execute("COMMIT").await.unwrap();
    };
    let (swept, claimed, ()) = tokio::join!(sweep, claim, release);
    assert_eq!((swept.unwrap(), claimed.unwrap()), (0, 0));
}

#[tokio::test]
async fn a_prepared_statement_whose_columns_have_changed_is_prepared_anew() {
    let (kept, store) = open().await;
    kept.1.execute("CREATE TABLE t (a BIGINT)").await;
    let count = async || store.read(|tx| Box::pin(async move { Ok(tx.query(Sql("SELECT * FROM t"), &[]).await?.len()) })).await;
    assert_eq!(count().await.unwrap(), 0);
    kept.1.execute("ALTER TABLE t ADD COLUMN b BIGINT").await;
    assert_eq!(count().await.unwrap(), 0);
}

#[tokio::test]
async fn a_defect_of_a_body_does_not_make_the_store_unwritable() {
    let (_kept, store) = open().await;
    let broken = store.write(|_| Box::pin(async { Err::<(), _>(Fault::internal("a defect").into()) }));
    assert!(broken.await.is_err());
    store.ping().await.unwrap();
}

#[tokio::test]
async fn a_body_that_waits_is_a_fault_and_keeps_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_sqlite(&folder).await;
    let outcome = store.write(|_| Box::pin(std::future::pending::<Result<()>>())).await;
    assert!(matches!(outcome, Err(crate::core::Error::Faulted(_))));
}

#[tokio::test]
async fn what_a_pooler_does_that_is_not_declared_is_told_with_the_mend() {
    const ONE: Sql = Sql("SELECT tat FROM limits WHERE bucket = 'b'");
    let (kept, store) = open().await;
    if matches!(kept.1, Database::Sqlite(_)) {
        return;
    }
    // The next transaction on a connection, which meets another one's statements, or none.
    let lost = store.write(|tx| {
        Box::pin(async move {
            tx.query(ONE, &[]).await?;
            tx.batch("DEALLOCATE ALL").await?;
            Ok(tx.query(ONE, &[]).await?)
        })
    });
    let there = store.write(|tx| Box::pin(async move { Ok(tx.batch("PREPARE x AS SELECT 1; PREPARE x AS SELECT 1").await?) }));
    for (code, fault) in [("26000", lost.await.err()), ("42P05", there.await.err())] {
        let Some(crate::core::Error::Faulted(fault)) = fault else { panic!("{code}: {fault:?}") };
        let told = fault.to_string();
        assert!(told.starts_with(code) && told.contains("set database.pooler = true"), "{told}");
    }
}

/// Bodies that are queued at once may share a commit; one that must last never shares one that does not wait for the disk.
#[tokio::test]
async fn what_must_last_waits_for_the_disk_whoever_it_shares_a_commit_with() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_sqlite(&folder).await;
    // FULL is 2, NORMAL is 1.
    fn waits(tx: &mut Tx) -> bool {
        connection(tx).pragma_query_value(None, "synchronous", |row| row.get::<_, i64>(0)).unwrap() == 2
    }
    let lasting = || store.write(|tx| Box::pin(async move { Ok(waits(tx)) }));
    let soon = || store.write_soon(|tx| Box::pin(async move { Ok(waits(tx)) }));
    assert!(lasting().await.unwrap());
    assert!(!soon().await.unwrap());
    for _ in 0..50 {
        let (a, _, b, c, _, d) = tokio::join!(
            lasting(),
            soon(),
            lasting(),
            store.write_each(|tx| Box::pin(async move { Ok(waits(tx)) })),
            soon(),
            lasting()
        );
        assert!([a, b, c, d].into_iter().all(|waited| waited.unwrap()));
        let (_, e, _, f) = tokio::join!(soon(), lasting(), soon(), lasting());
        assert!(e.unwrap() && f.unwrap());
    }
}

/// A shell may have a transaction open for hours.
#[tokio::test]
async fn a_store_ends_while_another_process_has_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::Sqlite(folder.path().join("t.db"));
    let ends = async {
        for _ in 0..8 {
            let store = Store::open(&fixture::of(&database), Duration::from_secs(10), 0).await.unwrap();
            let other = database.lock().await;
            let writes = (0..20).map(|_| store.write(|_| Box::pin(async { Ok(()) })));
            let waited = tokio::time::timeout(Duration::from_millis(50), futures_util::future::join_all(writes)).await;
            assert!(waited.is_err(), "the file is another's");
            tokio::task::spawn_blocking(move || drop(store)).await.unwrap();
            other.release().await;
        }
    };
    // Each time, the writer was waiting for the file, which it does for five seconds if anybody waits for the writer.
    tokio::time::timeout(Duration::from_secs(30), ends).await.expect("nobody was waited for");
}
