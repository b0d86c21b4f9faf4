//! The push channel: a connection of its own that listens for what other nodes, and the command line, have changed.
//!
//! It counts as live from the moment at which it has heard another connection until the first heartbeat that is late. Behind a pooler
//! that hands connections on between transactions it could hear itself, for it has one while it speaks, but nobody else.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::time::{Instant, sleep, timeout};

use super::link::{self, Link, Manager, Pool};
use crate::core::store::cache::{Sessions, Touch};

/// Between two heartbeats.
const HEARTBEAT: Duration = Duration::from_millis(250);
/// A heartbeat that takes longer is late. With the pause before it this bounds how long a channel that was cut is believed in.
const PATIENCE: Duration = Duration::from_millis(400);
/// Before the next try to connect.
const PAUSE: Duration = Duration::from_millis(250);

/// What every node listens on.
const LISTEN: &str = "LISTEN doorward";
/// What nobody else says.
const GREETING: &str = "SELECT 'hello ' || random()::text || ' ' || clock_timestamp()::text";
/// The database's time, and which server this is.
const CLOCK: &str =
    "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT), CAST(pg_postmaster_start_time() AS TEXT)";
/// More would not fit into a notification (8,000 bytes).
const MOST: usize = 150;
const EVERYTHING: &str = "*";

/// The statement that tells all nodes what a transaction has touched, to be run before its COMMIT, if it has. It carries the
/// database's time.
pub(super) fn announcement(touched: &[Touch]) -> Option<String> {
    let words: Vec<_> = touched.iter().map(word).collect();
    let list = match words.len() {
        0 => return None,
        1..=MOST => words.join(" "),
        _ => EVERYTHING.to_owned(),
    };
    Some(format!("SELECT pg_notify('doorward', CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT) || ' {list}')"))
}

fn word(touch: &Touch) -> String {
    match touch {
        Touch::Session(id) => format!("s{id}"),
        Touch::User(id) => format!("u{id}"),
        Touch::Application(id) => format!("a{id}"),
        Touch::All => EVERYTHING.to_owned(),
    }
}

/// What a word of an announcement says; a word of a later release touches all that it may mean.
fn read_word(word: &str) -> Touch {
    let id = word.get(1..).unwrap_or_default();
    match word.get(..1) {
        Some("s") => id.parse().map_or(Touch::All, Touch::Session),
        Some("u") => id.parse().map_or(Touch::All, Touch::User),
        Some("a") => id.parse().map_or(Touch::All, Touch::Application),
        _ => Touch::All,
    }
}

/// The database's time, and when it was that.
type Compared = Mutex<Option<(i64, Instant)>>;

/// What another connection says, to see whether it is heard.
#[derive(Default)]
struct Greeting {
    expected: Mutex<Option<String>>,
    heard: Notify,
}

/// Listens until the task is aborted, again and again.
pub(super) async fn run(pool: Pool, sessions: Arc<Sessions>) {
    loop {
        let why = listen(pool.manager(), &sessions).await;
        if sessions.is_live() {
            tracing::warn!(why, "no push channel: sessions are checked in the database");
        }
        sessions.cut();
        sleep(PAUSE).await;
    }
}

/// Why it ended.
async fn listen(manager: &Manager, sessions: &Sessions) -> String {
    let (notices, heard) = mpsc::unbounded_channel();
    let link = match manager.connect_any(Some(notices)).await {
        Ok(link) => link,
        Err(fault) => return fault.to_string(),
    };
    let (clock, greeting) = (Compared::default(), Greeting::default());
    let ended = tokio::select! {
        // What was heard before a heartbeat is taken before it counts.
        biased;
        () = hear(heard, &clock, &greeting, sessions) => "the connection has ended".to_owned(),
        Err(late) = keep(manager, &link, &clock, &greeting, sessions) => late,
    };
    link.abandon();
    ended
}

async fn keep(manager: &Manager, link: &Link, clock: &Compared, greeting: &Greeting, sessions: &Sessions) -> Result<(), String> {
    let told = |error: tokio_postgres::Error| link::told(&error);
    let client = &link.client;
    timeout(link::PATIENCE, client.batch_execute(LISTEN)).await.map_err(|_| "LISTEN is late")?.map_err(told)?;
    timeout(link::PATIENCE * 2, greet(manager, greeting)).await.map_err(|_| "NOTIFY is late")??;
    let heard = timeout(link::PATIENCE, greeting.heard.notified()).await;
    heard.map_err(|_| "it does not hear other connections; is there a pooler between, or more than one primary?")?;
    loop {
        let asked = Instant::now();
        let answer = timeout(PATIENCE, client.query_one(CLOCK, &[])).await.map_err(|_| "a heartbeat is late")?;
        let (micros, server): (_, String) = answer.and_then(|row| Ok((row.try_get(0)?, row.try_get(1)?))).map_err(told)?;
        if manager.leads_elsewhere(&server) {
            return Err("transactions go to another server by now".to_owned());
        }
        manager.heard.note();
        // It was that time about in the middle of asking for it.
        *lock(clock) = Some((micros, asked + asked.elapsed() / 2));
        sessions.renew(asked, HEARTBEAT + PATIENCE);
        sleep(HEARTBEAT).await;
    }
}

/// Says something on another connection, while the one that listens is silent.
async fn greet(manager: &Manager, greeting: &Greeting) -> Result<(), String> {
    let told = |error: tokio_postgres::Error| link::told(&error);
    let other = manager.connect_any(None).await.map_err(|fault| fault.to_string())?;
    let words: String = other.client.query_one(GREETING, &[]).await.and_then(|row| row.try_get(0)).map_err(told)?;
    let say = format!("SELECT pg_notify('doorward', '{words}')");
    *lock(&greeting.expected) = Some(words);
    other.client.batch_execute(&say).await.map_err(told)
}

async fn hear(mut heard: UnboundedReceiver<String>, clock: &Compared, greeting: &Greeting, sessions: &Sessions) {
    while let Some(notice) = heard.recv().await {
        let mut words = notice.split(' ');
        let Some(Ok(at)) = words.next().map(str::parse::<i64>) else {
            if lock(&greeting.expected).as_deref() == Some(notice.as_str()) {
                greeting.heard.notify_one();
            }
            continue;
        };
        sessions.invalidate(&words.map(read_word).collect::<Vec<_>>());
        if let Some((then, when)) = *lock(clock) {
            let now = then.saturating_add(i64::try_from(when.elapsed().as_micros()).unwrap_or(i64::MAX));
            sessions.arrived(Duration::from_micros(u64::try_from(now.saturating_sub(at)).unwrap_or(0)));
        }
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announcement_is_read_as_it_was_written() {
        let id = "01a21f10-6e4c-7000-82ae-59ba58da2941";
        let touched = [
            Touch::Session(id.parse().unwrap()),
            Touch::User(id.parse().unwrap()),
            Touch::Application(id.parse().unwrap()),
            Touch::All,
        ];
        let words = touched.iter().map(word).collect::<Vec<_>>();
        assert_eq!(words.iter().map(|word| read_word(word)).collect::<Vec<_>>(), touched);
        assert!(announcement(&touched).unwrap().contains(&words.join(" ")));
        for unknown in ["", "x", "s", "sé", "s1234", "z01a21f10-6e4c-7000-82ae-59ba58da2941"] {
            assert_eq!(read_word(unknown), Touch::All, "{unknown}");
        }
    }

    #[test]
    fn what_would_not_fit_is_everything() {
        let many = vec![Touch::All; MOST + 1];
        assert!(announcement(&many).unwrap().ends_with("|| ' *')"));
        let id: crate::core::model::UserId = "01a21f10-6e4c-7000-82ae-59ba58da2941".parse().unwrap();
        assert!(announcement(&vec![Touch::User(id); MOST]).unwrap().len() < 8_000);
    }
}
