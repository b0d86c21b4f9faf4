//! A COMMIT that takes longer than its caller waits.
//!
//! While a synchronous standby is away, a COMMIT waits for it on the server for ever, and neither the server's time limit nor the end of
//! the connection ends that. It must not be cancelled either, for then it is done without the standby. So whoever gave such a connection up
//! and made another would have one more at the server each time, until it takes no more. The connection is kept instead, with its place
//! in the pool, until the COMMIT has its answer.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};

use super::{Engine, Mode, Tx, fault, link};

/// So often it is looked whether the server is there that a COMMIT waits at.
const LOOK: Duration = Duration::from_secs(1);

/// How far a call has come, for whoever answers it when its time is up.
pub(super) struct Progress {
    pub(super) deadline: Instant,
    committing: AtomicBool,
}

impl Progress {
    pub(super) fn until(deadline: Instant) -> Self {
        Self { deadline, committing: AtomicBool::new(false) }
    }

    /// Whether a COMMIT is under way that must have its answer.
    pub(super) fn is_committing(&self) -> bool {
        self.committing.load(Ordering::Relaxed)
    }

    /// Whether the caller has been told that nobody knows.
    pub(super) fn is_over(&self) -> bool {
        Instant::now() >= self.deadline
    }
}

impl Engine {
    /// Commits, and waits for the answer beyond the caller's deadline if need be; nothing if there will be none.
    pub(super) async fn commit(&self, mode: Mode, tx: &mut Tx, progress: &Progress) -> Option<Result<(), tokio_postgres::Error>> {
        if !mode.lasts() {
            return Some(tx.commit().await);
        }
        let server = self.pool.manager().server();
        progress.committing.store(true, Ordering::Relaxed);
        let mut commit = pin!(tx.commit());
        let committed = match timeout_at(progress.deadline, commit.as_mut()).await {
            Ok(committed) => Some(committed),
            Err(_) => {
                let _counted = self.waited_for.begin();
                loop {
                    if let Ok(committed) = timeout(LOOK, commit.as_mut()).await {
                        break Some(committed);
                    }
                    if !self.leads_to(server.as_deref()).await {
                        break None;
                    }
                }
            }
        };
        progress.committing.store(false, Ordering::Relaxed);
        committed
    }

    /// Whether a server that the pool led to is there, and the pool still leads to it: after a failover, what waits at the old one waits for
    /// nothing, in the place of what could be written at the new one.
    async fn leads_to(&self, server: Option<&str>) -> bool {
        let answered = matches!(timeout(link::PATIENCE, self.ask()).await, Ok(Ok(())));
        let manager = self.pool.manager();
        // All connections may have been at work.
        (answered || manager.heard.within(link::PATIENCE)) && !server.is_some_and(|server| manager.leads_elsewhere(server))
    }

    /// Asks on another connection which server answers there.
    async fn ask(&self) -> crate::core::Result<()> {
        let mut link = self.connection(Mode::Read).await?.0;
        // Given up meanwhile, the connection is of no more use.
        link.open = true;
        self.pool.manager().recognise(&link.client).await.map_err(|error| fault(&error))?;
        link.open = false;
        Ok(())
    }
}
