//! One connection, and the pool of them.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use deadpool::managed::{self, Metrics, RecycleError, RecycleResult};
use futures_util::future::select_ok;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::AbortHandle;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{AsyncMessage, Client, Config, NoTls, SimpleQueryMessage, Socket, Statement};

use super::address::Address;
pub(super) use super::address::PATIENCE;
use super::heard::Heard;
use crate::core::fault::Fault;

/// What is set on each connection that is ours alone. All statements go by an index, in its order, and predicate locks on whole tables, which
/// reading a small table row by row would take, make transactions fail that have nothing to do with one another. None is worth compiling,
/// but a plan that cannot do without what is off counts as so dear that it would be.
const SETTINGS: &str = "SET enable_seqscan = off; SET enable_sort = off; SET jit = off; SET plan_cache_mode = force_generic_plan; \
                        SET idle_in_transaction_session_timeout = '15s'";

const STARTED: &str = "SELECT CAST(pg_postmaster_start_time() AS TEXT)";

/// A connection and what is prepared on it.
pub(super) struct Link {
    pub(super) client: Client,
    pub(super) statements: HashMap<&'static str, Statement>,
    /// A transaction was begun that has not been seen to end: the connection is of no more use.
    pub(super) open: bool,
    driver: AbortHandle,
}

impl Link {
    /// Ends the connection without a word.
    pub(super) fn abandon(mut self) {
        self.open = true;
    }

    /// Ends the connection if it is in the middle of a transaction. A server that is frozen would never end the conversation.
    pub(super) fn cut_if_open(&self) {
        if self.open {
            self.driver.abort();
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.cut_if_open();
    }
}

/// Makes connections.
pub(super) struct Manager {
    address: Address,
    /// A pooler in transaction mode hands a connection on between transactions: nothing can be set or prepared on it.
    pub(super) pooler: bool,
    /// The server's own limit on a statement, for those whose caller has gone.
    statement_timeout: Duration,
    /// When the server was started to which the pool has connected last: what tells it from another that it has taken over from.
    server: Mutex<Option<Arc<str>>>,
    /// When a server has last answered.
    pub(super) heard: Arc<Heard>,
}

pub(super) type Pool = managed::Pool<Manager>;
pub(super) type Pooled = managed::Object<Manager>;

impl managed::Manager for Manager {
    type Type = Link;
    type Error = Fault;

    async fn create(&self) -> Result<Link, Fault> {
        let link = self.connect_any(None).await?;
        let told = |error: tokio_postgres::Error| super::fault(&error);
        if !self.pooler {
            let settings = format!("{SETTINGS}; SET statement_timeout = {}", self.statement_timeout.as_millis());
            link.client.batch_execute(&settings).await.map_err(told)?;
        }
        self.recognise(&link.client).await.map_err(told)?;
        Ok(link)
    }

    async fn recycle(&self, link: &mut Link, _: &Metrics) -> RecycleResult<Fault> {
        if link.open || link.client.is_closed() { Err(RecycleError::message("of no more use")) } else { Ok(()) }
    }
}

impl Manager {
    pub(super) fn new(address: Address, pooler: bool, statement_timeout: Duration) -> Self {
        Self { address, pooler, statement_timeout, server: Mutex::default(), heard: Arc::new(Heard::new()) }
    }

    /// The server that the pool has connected to last.
    pub(super) fn server(&self) -> Option<Arc<str>> {
        self.last_server().clone()
    }

    /// Whether the pool has connected last to another server than this one.
    pub(super) fn leads_elsewhere(&self, server: &str) -> bool {
        self.last_server().as_deref().is_some_and(|last| last != server)
    }

    /// Takes down which server answers on a connection of the pool.
    pub(super) async fn recognise(&self, client: &Client) -> Result<(), tokio_postgres::Error> {
        // As a text alone, for a pooler may be between.
        let started = client.simple_query(STARTED).await?.into_iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0).map(Arc::from),
            _ => None,
        });
        self.heard.note();
        *self.last_server() = started;
        Ok(())
    }

    fn last_server(&self) -> MutexGuard<'_, Option<Arc<str>>> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks all hosts at once; the first that can be written to is taken. What the server notifies of goes to `notices`, which end with
    /// the connection.
    pub(super) async fn connect_any(&self, notices: Option<UnboundedSender<String>>) -> Result<Link, Fault> {
        let tries = self.address.hosts.iter().map(|host| Box::pin(self.connect(host, notices.clone())));
        Ok(select_ok(tries).await?.0)
    }

    async fn connect(&self, host: &Config, notices: Option<UnboundedSender<String>>) -> Result<Link, Fault> {
        let link = async {
            match &self.address.tls {
                Some(tls) => connect(host, tls.clone(), notices).await,
                None => connect(host, NoTls, notices).await,
            }
        };
        match tokio::time::timeout(PATIENCE, link).await {
            Ok(Ok(link)) => Ok(link),
            Ok(Err(error)) => Err(Fault::unavailable(format!("{}: {}", named(host), told(&error)))),
            Err(_) => Err(Fault::unavailable(format!("{}: no answer within {PATIENCE:?}", named(host)))),
        }
    }
}

async fn connect<T>(host: &Config, tls: T, notices: Option<UnboundedSender<String>>) -> Result<Link, tokio_postgres::Error>
where
    T: MakeTlsConnect<Socket>,
    T::Stream: Send + 'static,
    T::TlsConnect: Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    let (client, mut connection) = host.connect(tls).await?;
    // How it ended is heard by whoever waits for an answer on it.
    let driver = tokio::spawn(async move {
        while let Some(Ok(message)) = poll_fn(|cx| connection.poll_message(cx)).await {
            if let (AsyncMessage::Notification(notice), Some(notices)) = (message, &notices) {
                let _ = notices.send(notice.payload().to_owned());
            }
        }
    });
    Ok(Link { client, statements: HashMap::new(), open: false, driver: driver.abort_handle() })
}

/// Host and port, for the log.
pub(super) fn named(host: &Config) -> String {
    let name = match host.get_hosts().first() {
        Some(tokio_postgres::config::Host::Tcp(name)) => name.clone(),
        #[cfg(unix)]
        Some(tokio_postgres::config::Host::Unix(path)) => path.display().to_string(),
        None => String::new(),
    };
    format!("{name}:{}", host.get_ports().first().unwrap_or(&5432))
}

/// An error with its causes, which the driver leaves out.
pub(super) fn told(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}
