//! The push channel: a connection of its own that listens for what other nodes, and the command line, have changed.
//!
//! It counts as live from the moment at which it has heard itself until the first heartbeat that is late. A pooler that hands
//! connections on between transactions never lets it hear itself.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::Client;

use super::link::{self, Manager, Pool};
use crate::core::store::cache::{Sessions, Touch};

/// Between two heartbeats.
const HEARTBEAT: Duration = Duration::from_millis(250);
/// A heartbeat that takes longer is late. With the pause before it this bounds how long a channel that was cut is believed in.
const PATIENCE: Duration = Duration::from_millis(400);
/// Before the next try to connect.
const PAUSE: Duration = Duration::from_millis(250);

/// What every node listens on.
const LISTEN: &str = "LISTEN doorward";
const HELLO: &str = "SELECT pg_notify('doorward', 'hello')";
const CLOCK: &str = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)";
/// More would not fit into a notification (8,000 bytes).
const MOST: usize = 150;

/// The statement that tells all nodes what a transaction has touched, to be run before its COMMIT. It carries the database's time.
pub(super) fn announcement(touched: &[Touch]) -> String {
    let list = if touched.len() > MOST { word(&Touch::All) } else { touched.iter().map(word).collect::<Vec<_>>().join(" ") };
    format!("SELECT pg_notify('doorward', CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT) || ' {list}')")
}

fn word(touch: &Touch) -> String {
    match touch {
        Touch::Session(id) => format!("s{id}"),
        Touch::User(id) => format!("u{id}"),
        Touch::Application(id) => format!("a{id}"),
        Touch::All => "*".to_owned(),
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
    let (clock, greeted) = (Compared::default(), Notify::new());
    let ended = tokio::select! {
        // What is heard is taken while a heartbeat is waited for.
        () = hear(heard, &clock, &greeted, sessions) => "the connection has ended".to_owned(),
        Err(late) = keep(&link.client, &clock, &greeted, sessions) => late,
    };
    link.abandon();
    ended
}

async fn keep(client: &Client, clock: &Compared, greeted: &Notify, sessions: &Sessions) -> Result<(), String> {
    let told = |error: tokio_postgres::Error| link::told(&error);
    timeout(link::PATIENCE, client.batch_execute(LISTEN)).await.map_err(|_| "LISTEN is late")?.map_err(told)?;
    timeout(link::PATIENCE, client.batch_execute(HELLO)).await.map_err(|_| "NOTIFY is late")?.map_err(told)?;
    timeout(link::PATIENCE, greeted.notified()).await.map_err(|_| "it does not hear itself; is there a pooler between?")?;
    loop {
        let asked = Instant::now();
        let answer = timeout(PATIENCE, client.query_one(CLOCK, &[])).await.map_err(|_| "a heartbeat is late")?;
        let micros = answer.and_then(|row| row.try_get(0)).map_err(told)?;
        // It was that time about in the middle of asking for it.
        *lock(clock) = Some((micros, asked + asked.elapsed() / 2));
        sessions.renew(asked, HEARTBEAT + PATIENCE);
        sleep(HEARTBEAT).await;
    }
}

async fn hear(mut heard: UnboundedReceiver<String>, clock: &Compared, greeted: &Notify, sessions: &Sessions) {
    while let Some(notice) = heard.recv().await {
        let mut words = notice.split(' ');
        let Some(Ok(at)) = words.next().map(str::parse::<i64>) else {
            greeted.notify_one();
            continue;
        };
        sessions.invalidate(&words.map(read_word).collect::<Vec<_>>());
        if let Some((then, when)) = *lock(clock) {
            let now = then.saturating_add(i64::try_from(when.elapsed().as_micros()).unwrap_or(i64::MAX));
            sessions.arrived(Duration::from_micros(u64::try_from(now.saturating_sub(at)).unwrap_or(0)));
        }
    }
}

fn lock(clock: &Compared) -> MutexGuard<'_, Option<(i64, Instant)>> {
    clock.lock().unwrap_or_else(PoisonError::into_inner)
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
        assert!(announcement(&touched).contains(&words.join(" ")));
        for unknown in ["", "x", "s", "sé", "s1234", "z01a21f10-6e4c-7000-82ae-59ba58da2941"] {
            assert_eq!(read_word(unknown), Touch::All, "{unknown}");
        }
    }

    #[test]
    fn what_would_not_fit_is_everything() {
        let many = vec![Touch::All; MOST + 1];
        assert!(announcement(&many).ends_with("|| ' *')"));
        let id: crate::core::model::UserId = "01a21f10-6e4c-7000-82ae-59ba58da2941".parse().unwrap();
        assert!(announcement(&vec![Touch::User(id); MOST]).len() < 8_000);
    }
}
