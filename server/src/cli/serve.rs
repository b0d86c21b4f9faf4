//! `doorward serve`: from the configuration to the orderly end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::console::desk;
use super::failure::Failure;
use super::greeting;
use super::output::Output;
use super::settings::Settings;
use super::signals::{self, Signals};
use crate::app::{self, Texts};
use crate::config::Loaded;
use crate::core::Core;
use crate::http::health::Readiness;
use crate::http::serve::{App, Phase, Stopped, serve};
use crate::{log, work};

/// The most of the grace that is kept for after the last answer.
const RESERVE: Duration = Duration::from_millis(500);

/// Runs the server until it is told to stop.
pub(super) fn run(settings: &Settings, output: Output) -> Result<(), Failure> {
    let loaded = settings.load()?;
    let texts = app::check(&loaded)?;
    log::init(&loaded.config.log).map_err(|error| Failure::failed(format!("cannot set up logging: {error}")))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::failed(format!("cannot start: {error}")))?;
    let outcome = runtime.block_on(run_until_stopped(loaded, texts, settings, output));
    // What has outlasted the grace is not waited for.
    runtime.shutdown_background();
    outcome
}

async fn run_until_stopped(mut loaded: Loaded, texts: Texts, settings: &Settings, output: Output) -> Result<(), Failure> {
    let mut signals = Signals::listen().map_err(|error| Failure::failed(format!("cannot listen for signals: {error}")))?;
    let (listener, metrics) = listen(&mut loaded).await?;
    let (config, desk) = (&loaded.config, desk());
    let app = app::build_with(config, &desk, texts).await?;
    greeting::write(&loaded, settings, &app, &desk, output).await?;
    let phase = watch::Sender::new(Phase::Serving);
    let mut servers = JoinSet::new();
    let grace = config.shutdown_grace.get();
    servers.spawn(serve_on(listener, app.router, app.readiness.clone(), grace, phase.subscribe()));
    if let Some(listener) = metrics {
        servers.spawn(serve_on(listener, app.metrics, app.readiness, grace, phase.subscribe()));
    }
    let stop = watch::Sender::new(false);
    let loops = work::start(&app.core, &desk, app.mailer, &stop.subscribe());
    tracing::info!(address = %config.listen, "listening");
    Running { core: app.core, loops, servers, phase, stop, grace }.until_stopped(&mut signals, config.drain()).await
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

async fn serve_on(
    listener: TcpListener,
    app: impl App,
    readiness: Readiness,
    grace: Duration,
    phase: watch::Receiver<Phase>,
) -> Stopped {
    // A little is kept back for what comes after the last answer.
    let grace = grace.saturating_sub((grace / 10).min(RESERVE));
    serve(listener, app, &readiness, grace, phase).await
}

/// All that runs.
struct Running {
    core: Arc<Core>,
    loops: JoinSet<()>,
    servers: JoinSet<Stopped>,
    phase: watch::Sender<Phase>,
    /// Stops the loops.
    stop: watch::Sender<bool>,
    grace: Duration,
}

impl Running {
    /// Waits for a signal, then for the end of what is under way. A second signal ends the drain; one after the drain, the process.
    async fn until_stopped(mut self, signals: &mut Signals, drain: Duration) -> Result<(), Failure> {
        let (drain, broken) = tokio::select! {
            signal = signals.next() => {
                tracing::info!(signal, "stopping");
                // Nobody at a terminal has a load balancer to be told.
                (if signal == signals::TERMINATE { drain } else { Duration::ZERO }, None)
            }
            // Neither ends by itself. Without a part of it the server would only seem to run: its supervisor starts it again.
            _ = self.loops.join_next() => (Duration::ZERO, Some("a background loop ended unasked; see the log")),
            _ = self.servers.join_next() => (Duration::ZERO, Some("a listener ended unasked; see the log")),
        };
        let (phase, stop) = (self.phase.clone(), self.stop.clone());
        let hurry = async {
            if !drain.is_zero() {
                phase.send_replace(Phase::Draining);
                tokio::select! {
                    () = tokio::time::sleep(drain) => {}
                    signal = signals.next() => tracing::info!(signal, "not draining any longer"),
                }
            }
            phase.send_replace(Phase::Ending);
            stop.send_replace(true);
            signals.next().await
        };
        tokio::select! {
            signal = hurry => {
                tracing::warn!(signal, "stopping at once");
                std::process::exit(128 + signal);
            }
            () = self.finish() => {}
        }
        broken.map_or(Ok(()), |text| Err(Failure::failed(text)))
    }

    async fn finish(&mut self) {
        let all = async {
            while let Some(ended) = self.servers.join_next().await {
                if let Ok(Stopped::Cut(connections)) = ended {
                    tracing::warn!(connections, "the grace has passed; connections were cut");
                }
            }
            while self.loops.join_next().await.is_some() {}
            self.core.settled().await;
        };
        match tokio::time::timeout(self.grace, all).await {
            Ok(()) => tracing::info!("stopped"),
            // What it was doing is done again after the next start: a mail that was not reported as sent is still due.
            Err(_) => tracing::warn!("the grace has passed; background work was cut"),
        }
    }
}
