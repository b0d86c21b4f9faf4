//! COMMITs that wait, as they do for a standby that is away: here for a lock that a deferred trigger asks for.

use std::time::Duration;

use tokio_postgres::{Client, NoTls};

use super::super::fixture::{self, database::Database};
use crate::core::clock::Timestamp;
use crate::core::fault::FaultKind;
use crate::core::store::*;
use crate::core::token::SecretHash;

/// Of the fixture's four connections, those who write have as many.
const WRITERS: usize = 3;

struct Waiting {
    kept: (tempfile::TempDir, Database),
    store: Arc<Store>,
    /// What holds all COMMITs up that have added a limit.
    holder: Client,
}

impl Waiting {
    /// Nothing on SQLite.
    async fn begin() -> Option<Self> {
        let (kept, settings) = fixture::settings().await;
        let EngineSettings::Postgres(settings) = settings else { return None };
        let settings = PostgresSettings { acquire_timeout: Duration::from_millis(500), ..settings };
        let store = Store::open(&EngineSettings::Postgres(settings), Duration::from_secs(2), 0).await.unwrap();
        let (holder, connection) = tokio_postgres::connect(&kept.1.url(), NoTls).await.unwrap();
        tokio::spawn(connection);
        let trigger = "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN NULL; END $$;
            CREATE CONSTRAINT TRIGGER hold AFTER INSERT ON limits DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hold();
            SELECT pg_advisory_lock(1)";
        holder.batch_execute(trigger).await.unwrap();
        Some(Self { kept, store: Arc::new(store), holder })
    }

    async fn write(&self, name: &str) -> Result<()> {
        let bucket = limits::Bucket { key: SecretHash::digest("test", name), interval: 10, tolerance: 10 };
        let work = self.store.write(move |tx| {
            tx.touch(Touch::All);
            Box::pin(async move { Ok(limits::take(tx, &bucket, Timestamp::from_millis(1)).await?) })
        });
        work.await.map(|_| ())
    }

    async fn read(&self) -> Result<()> {
        self.store.read(|tx| Box::pin(async move { Ok(migrations::check(tx, migrations::STEPS).await?) })).await
    }

    /// As many writes as there may be, all of them given up by their callers. Meanwhile others read.
    async fn fill(&self) {
        let writes = futures_util::future::join_all(["a", "b", "c"].map(|name| self.write(name)));
        let mut writes = std::pin::pin!(writes);
        let outcomes = loop {
            tokio::select! {
                outcomes = writes.as_mut() => break outcomes,
                read = self.read() => read.unwrap(),
            }
            tokio::task::yield_now().await;
        };
        assert_eq!(outcomes.len(), WRITERS);
        for outcome in outcomes {
            let Err(Error::Faulted(fault)) = outcome else { panic!("{outcome:?}") };
            assert_eq!(fault.kind(), FaultKind::Deadline, "{fault}");
        }
    }

    /// Connections of the store: all, and those in a COMMIT.
    async fn connections(&self) -> [String; 2] {
        let all = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
            AND application_name = 'doorward'";
        [self.kept.1.value(all).await, self.kept.1.value(&format!("{all} AND query LIKE '%COMMIT' AND state = 'active'")).await]
    }

    async fn until(&self, what: &str, mut condition: impl AsyncFnMut() -> bool) {
        let began = tokio::time::Instant::now();
        while !condition().await {
            assert!(began.elapsed() < Duration::from_secs(10), "not so in time: {what}");
            tokio::task::yield_now().await;
        }
    }
}

#[test]
fn some_of_the_pool_are_always_for_who_reads() {
    assert_eq!([1, 2, 3, 4, 16].map(super::writers), [1, 1, 2, WRITERS, 12]);
}

#[tokio::test]
async fn commits_that_outlast_their_callers_keep_their_connections_and_leave_one_to_who_reads() {
    let Some(waiting) = Waiting::begin().await else { return };
    waiting.fill().await;
    let [all, committing] = waiting.connections().await;
    assert_eq!(committing, WRITERS.to_string());
    let full = waiting.write("d").await;
    assert!(matches!(full, Err(Error::Refused(crate::core::Refusal::Overloaded { .. }))), "{full:?}");
    waiting.read().await.unwrap();
    assert_eq!(waiting.connections().await, [all, committing], "none was lost, and none made");
}

#[tokio::test]
async fn a_commit_that_waits_costs_others_no_connection() {
    let Some(waiting) = Waiting::begin().await else { return };
    let pids = "SELECT string_agg(CAST(pid AS TEXT), ' ' ORDER BY pid) FROM pg_stat_activity WHERE datname = current_database()
        AND application_name = 'doorward'";
    let mut write = std::pin::pin!(waiting.write("a"));
    let mut before = None;
    let outcome = loop {
        tokio::select! {
            outcome = write.as_mut() => break outcome,
            (one, other) = async { tokio::join!(waiting.read(), waiting.read()) } => one.and(other).unwrap(),
        }
        if before.is_none() && waiting.connections().await[1] == "1" {
            before = Some(waiting.kept.1.value(pids).await);
        }
    };
    assert!(outcome.is_err());
    waiting.read().await.unwrap();
    let (before, after) = (before.unwrap(), waiting.kept.1.value(pids).await);
    let lost = before.split(' ').find(|pid| !after.split(' ').any(|other| other == *pid));
    assert_eq!(lost, None, "of {before}; there are {after}");
}

#[tokio::test]
async fn a_commit_that_is_late_is_good_and_makes_void_what_was_read_before_it() {
    let Some(waiting) = Waiting::begin().await else { return };
    waiting.fill().await;
    assert!(waiting.store.ping().await.is_err());
    assert!(!waiting.store.is_in_doubt(), "it will be seen");
    let read_before = waiting.store.sessions.now();
    waiting.holder.batch_execute("SELECT pg_advisory_unlock(1)").await.unwrap();
    waiting.until("it can be written to", async || waiting.store.ping().await.is_ok()).await;
    waiting.until("all are done", async || waiting.connections().await[1] == "0").await;
    assert_eq!(waiting.kept.1.value("SELECT count(*) FROM limits").await, WRITERS.to_string());
    assert!(format!("{:?}", waiting.store.sessions.now()) != format!("{read_before:?}"));
    futures_util::future::join_all(["d", "e", "f", "g", "h"].map(|name| waiting.write(name)))
        .await
        .into_iter()
        .for_each(Result::unwrap);
}

#[tokio::test]
async fn nothing_waits_for_a_commit_that_is_late() {
    let Some(waiting) = Waiting::begin().await else { return };
    waiting.fill().await;
    tokio::time::timeout(Duration::from_secs(1), waiting.store.settled()).await.unwrap();
}

#[tokio::test]
async fn a_commit_whose_connection_breaks_gives_its_place_back() {
    let Some(waiting) = Waiting::begin().await else { return };
    waiting.fill().await;
    let ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%COMMIT'
        AND state = 'active' AND pid <> pg_backend_pid()";
    assert_eq!(waiting.kept.1.value(ended).await, WRITERS.to_string());
    waiting.holder.batch_execute("SELECT pg_advisory_unlock(1)").await.unwrap();
    waiting.until("it can be written to", async || waiting.write("d").await.is_ok()).await;
    assert_eq!(waiting.kept.1.value("SELECT count(*) FROM limits").await, "1");
}
