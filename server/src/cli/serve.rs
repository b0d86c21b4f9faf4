//! `doorward serve`: from the configuration to the orderly end.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::console::desk;
use super::failure::Failure;
use super::greeting;
use super::output::Output;
use super::settings::Settings;
use super::signals::Signals;
use crate::app;
use crate::config::Loaded;
use crate::http::health::Readiness;
use crate::http::serve::{Stopped, serve};
use crate::{log, work};

/// The most of the grace that is kept for after the last answer.
const RESERVE: Duration = Duration::from_millis(500);

/// Runs the server until it is told to stop.
pub(super) fn run(settings: &Settings, output: Output) -> Result<(), Failure> {
    let loaded = settings.load()?;
    app::check(&loaded)?;
    log::init(&loaded.config.log).map_err(|error| Failure::failed(format!("cannot set up logging: {error}")))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::failed(format!("cannot start: {error}")))?;
    let outcome = runtime.block_on(run_until_stopped(loaded, settings, output));
    // What has outlasted the grace is not waited for.
    runtime.shutdown_background();
    outcome
}

async fn run_until_stopped(mut loaded: Loaded, settings: &Settings, output: Output) -> Result<(), Failure> {
    let mut signals = Signals::listen().map_err(|error| Failure::failed(format!("cannot listen for signals: {error}")))?;
    let (listener, metrics) = listen(&mut loaded).await?;
    let (config, desk) = (&loaded.config, desk());
    let app = app::build(config, &desk).await?;
    greeting::write(&loaded, settings, &app, output).await?;
    let (stop, stopped) = watch::channel(false);
    let mut servers = JoinSet::new();
    let grace = config.shutdown_grace.get();
    servers.spawn(serve_until(listener, app.router, app.readiness.clone(), grace, stopped.clone()));
    if let Some(listener) = metrics {
        servers.spawn(serve_until(listener, app.metrics, app.readiness, grace, stopped.clone()));
    }
    let loops = work::start(&app.core, &desk, app.mailer, &stopped);
    tracing::info!(address = %config.listen, "listening");
    Running { loops, servers }.until_stopped(&mut signals, &stop, grace).await
}

/// Binds the listeners, before anything else is touched; a port of 0 is replaced by the one that was given.
async fn listen(loaded: &mut Loaded) -> Result<(TcpListener, Option<TcpListener>), Failure> {
    let listener = bind(loaded, "listen", loaded.config.listen).await?;
    loaded.config.listen = listener.local_addr()?;
    let Some(address) = loaded.config.metrics_listen else { return Ok((listener, None)) };
    let metrics = bind(loaded, "metrics_listen", address).await?;
    loaded.config.metrics_listen = Some(metrics.local_addr()?);
    Ok((listener, Some(metrics)))
}

async fn bind(loaded: &Loaded, key: &str, address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        let mend = match error.kind() {
            io::ErrorKind::AddrInUse => format!("{address} is in use; stop the program that has it, or take another port"),
            io::ErrorKind::PermissionDenied => format!("{address} is not allowed to this account; take a port above 1023"),
            io::ErrorKind::AddrNotAvailable => format!("{address} is no address of this machine; take one that is"),
            _ => format!("{address}: {error}"),
        };
        Failure::failed(loaded.complain(key, &mend).to_string())
    })
}

async fn serve_until(
    listener: TcpListener,
    router: Router,
    readiness: Readiness,
    grace: Duration,
    mut stopped: watch::Receiver<bool>,
) -> Stopped {
    let stop = async move {
        let _ = stopped.wait_for(|stopped| *stopped).await;
    };
    // A little is kept back for what comes after the last answer.
    let grace = grace.saturating_sub((grace / 10).min(RESERVE));
    serve(listener, router, &readiness, grace, stop).await
}

/// All that runs.
struct Running {
    loops: JoinSet<()>,
    servers: JoinSet<Stopped>,
}

impl Running {
    /// Waits for a signal, then for the end of what is under way.
    async fn until_stopped(mut self, signals: &mut Signals, stop: &watch::Sender<bool>, grace: Duration) -> Result<(), Failure> {
        let broken = tokio::select! {
            signal = signals.next() => {
                tracing::info!(signal, "stopping");
                None
            }
            // Neither ends by itself. Without a part of it the server would only seem to run: its supervisor starts it again.
            _ = self.loops.join_next() => Some("a background loop ended unasked; see the log"),
            _ = self.servers.join_next() => Some("a listener ended unasked; see the log"),
        };
        stop.send_replace(true);
        tokio::select! {
            () = self.finish(grace) => {}
            signal = signals.next() => {
                tracing::warn!(signal, "stopping at once");
                std::process::exit(128 + signal);
            }
        }
        broken.map_or(Ok(()), |text| Err(Failure::failed(text)))
    }

    async fn finish(&mut self, grace: Duration) {
        let all = async {
            while let Some(ended) = self.servers.join_next().await {
                if let Ok(Stopped::Cut(connections)) = ended {
                    tracing::warn!(connections, "the grace has passed; connections were cut");
                }
            }
            while self.loops.join_next().await.is_some() {}
        };
        match tokio::time::timeout(grace, all).await {
            Ok(()) => tracing::info!("stopped"),
            // What it was doing is done again after the next start: a mail that was not reported as sent is still due.
            Err(_) => tracing::warn!("the grace has passed; background work was cut"),
        }
    }
}
