//! Builds everything from the configuration and mounts it: the only place that knows all.

mod metrics;
mod policy;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};

use crate::config::url::DatabaseUrl;
use crate::config::{Config, ConfigError, Loaded};
use crate::core::call::Call;
use crate::core::database::{Database, PoolPolicy};
use crate::core::{Core, Fault};
use crate::dialect::{
    self,
    shared::{Forward, Shared, Writer, WrittenMail},
};
use crate::http::call::{Edge, NO_DIALECT};
use crate::http::forwarded::Proxies;
use crate::http::head::{self, HeadError, Refuse};
use crate::http::health::{Probe, Readiness};
use crate::http::layers::{self, Around, AtOnce, Front, Words};
use crate::locale::Catalogues;
use crate::mailbox::Mailbox;
use crate::openapi;
use crate::pages::{self, Site, render::Pages};
use crate::templates::TemplateError;
use crate::work::Desk;
use crate::work::mail::message::Sender;
use crate::work::mail::render::{Rendered, Renderer};
use crate::work::mail::transport::Transport;
use crate::work::outbox::Mailer;

/// Everything that a running server consists of.
pub struct App {
    /// The core, as all that runs shares it.
    pub core: Arc<Core>,
    /// All that is served on the public listener.
    pub router: Front,
    /// What is served on the listener for metrics.
    pub metrics: Router,
    /// The answer of `/health/ready`.
    pub readiness: Readiness,
    /// How mails are made and where they go.
    pub mailer: Mailer,
}

/// Why the server cannot start: one line for the operator, with the mend where there is one.
#[derive(Debug)]
pub struct StartError(String);

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StartError {}

impl From<TemplateError> for StartError {
    fn from(error: TemplateError) -> Self {
        Self(error.to_string())
    }
}

/// Opens the core alone, for the command line.
///
/// # Errors
/// When the database cannot be opened.
pub async fn open(config: &Config, desk: &Desk) -> Result<Core, StartError> {
    let policy = policy::policy(config).map_err(StartError)?;
    Core::open(policy, &desk.call()).await.map_err(|fault| cannot_open(&config.database(), &fault))
}

/// One line: what was tried, why it failed, what to do.
#[must_use]
pub fn cannot_open(database: &DatabaseUrl, fault: &Fault) -> StartError {
    let why = fault.to_string();
    StartError(match database {
        DatabaseUrl::Sqlite(path) => {
            let path = path.display().to_string();
            let why = if why.contains(&path) { why } else { format!("{path}: {why}") };
            // What says itself what to do needs no other advice.
            let mend = if why.contains("; ") { "" } else { "; name a file in a folder that this user may write" };
            format!("database_url, data_dir: {why}{mend}")
        }
        DatabaseUrl::Postgres(url) => {
            format!("database_url: {url}: {why}; see that a server which takes writes is there and lets this user in")
        }
    })
}

/// The templates of mails and pages with their words, read.
pub struct Texts {
    mails: Renderer,
    pages: Pages,
}

impl Texts {
    fn read(config: &Config) -> Result<Self, TemplateError> {
        let (service, templates) = (config.service_name.as_str(), config.templates.dir.as_deref());
        let words = Catalogues::load(templates)?;
        let mails = Renderer::new(service, config.origin().origin(), config.language, words.clone(), templates)?;
        let pages = Pages::new(service, config.language, words, &config.forward.return_to, templates)?;
        Ok(Self { mails, pages })
    }
}

/// Finds what only those who use a value can judge: the mail server's URL, the senders, the templates. The templates as they were read.
///
/// # Errors
/// The first thing that is wrong.
pub fn check(loaded: &Loaded) -> Result<Texts, ConfigError> {
    let config = &loaded.config;
    if let Some(url) = &config.smtp_url {
        Transport::from_url(url.reveal()).map_err(|mend| loaded.complain("smtp_url", &mend))?;
    }
    database_at(config, &config.database()).map_err(|mend| loaded.complain("database_url", &mend))?;
    sender(config).map_err(|mend| loaded.complain("mail.from", &mend))?;
    let texts = Texts::read(config).map_err(|error| loaded.complain("templates.dir", &error.to_string()))?;
    if !can_be_made(&config.data_dir) {
        return Err(loaded.complain("data_dir", "is not a folder and cannot be made one; name a folder that this user may write"));
    }
    Ok(texts)
}

/// Whether there is such a folder, or one in which it can be made.
fn can_be_made(folder: &Path) -> bool {
    let nearest = folder.ancestors().map(|path| if path.as_os_str().is_empty() { Path::new(".") } else { path });
    let nearest = nearest.filter_map(|path| path.metadata().ok()).next();
    nearest.is_some_and(|found| found.is_dir() && !found.permissions().readonly())
}

/// Builds the server.
///
/// # Errors
/// When the database, the folder for mails or an operator's template cannot be used.
pub async fn build(config: &Config, desk: &Desk) -> Result<App, StartError> {
    build_with(config, desk, Texts::read(config)?).await
}

/// As [`build`], with templates that are read.
///
/// # Errors
/// As [`build`].
pub async fn build_with(config: &Config, desk: &Desk, texts: Texts) -> Result<App, StartError> {
    let core = Arc::new(open(config, desk).await?);
    let readiness = Readiness::new(probe(&core));
    let metrics = metrics::metrics(&core);
    let edge = Edge {
        clock: Arc::clone(&desk.clock),
        entropy: desk.entropy.clone(),
        proxies: Proxies { trusted: config.proxies.trusted.clone(), header: config.proxies.header },
    };
    let mailer = mailer(config, texts.mails)?;
    let shared = Shared::new(Arc::clone(&core), config.origin(), config.max_body_bytes, forward(config), writer(&mailer));
    let (router, refuse) = mount(config, &shared, texts.pages, readiness.router());
    let router = Front::new(router, edge, metrics.clone(), refuse, at_once(config, &shared));
    let metrics = head::guard(metrics.router());
    Ok(App { mailer, core, router, metrics, readiness })
}

fn forward(config: &Config) -> Forward {
    Forward {
        trusted: config.proxies.trusted.clone(),
        sign_in: config.forward.sign_in_path.clone(),
        return_to: config.forward.return_to.clone(),
    }
}

/// Every dialect that is on, the pages, `probes`, and an answer for every URL that nobody has; and one for every head that nobody can read.
fn mount(config: &Config, shared: &Shared, pages: Pages, probes: Router) -> (Router, Refuse) {
    let limit = config.request_timeout.get();
    let (mut router, mut areas) = (Router::new(), Vec::<Area>::new());
    for dialect in dialect::ALL.iter().filter(|dialect| (dialect.enabled)(&config.dialects)) {
        let words = (dialect.words)(shared);
        let (admit, of) = (dialect.admit, shared.clone());
        let around =
            Around { name: dialect.name, limit, words: words.clone(), admit: move |request: &Request| admit(&of, request) };
        router = router.merge(layers::dialect((dialect.routes)(shared.clone()), around));
        let area = |prefix| Area { prefix, name: dialect.name, words: words.clone(), not_found: Some(dialect.not_found) };
        areas.extend(dialect.prefixes.iter().copied().map(area));
    }
    let rendered = Arc::new(pages);
    let words = pages::words(&rendered);
    let mailbox = config.has_mailbox().then(|| Mailbox::new(config.mail_folder()));
    let apis = areas.iter().map(|area| area.prefix).collect();
    let site = Site::new(shared.clone(), rendered, config.in_force(), apis);
    let around = Around { name: PAGES, limit, words: words.clone(), admit: layers::everybody };
    let pages = layers::dialect(pages::routes(site.clone(), mailbox), around);
    let area = |prefix| Area { prefix, name: PAGES, words: words.clone(), not_found: None };
    areas.extend(pages::PREFIXES.map(area));
    let around = Around { name: DOCS, limit, words: openapi::words(), admit: layers::everybody };
    let docs = layers::dialect(openapi::routes(&config.dialects, shared.public_url()), around);
    let area = |prefix| Area { prefix, name: DOCS, words: openapi::words(), not_found: None };
    areas.extend(openapi::PREFIXES.map(area));
    let around = Around { name: NO_DIALECT, limit, words: openapi::words(), admit: layers::everybody };
    let probes = layers::dialect(probes, around);
    // The longest prefix first: `/api/v1/auth` is another dialect's than `/api/v1`.
    areas.sort_by_key(|area| std::cmp::Reverse(area.prefix.len()));
    let areas: Areas = Arc::new(areas);
    let unknown = Router::new().fallback(unknown).with_state((shared.clone(), site, Arc::clone(&areas)));
    let refuse = move |path: &str, error: HeadError| {
        area_of(&areas, path).map_or_else(|| error.into_response(), |area| area.words.refused(area.name, error))
    };
    (router.merge(pages).merge(docs).merge(probes).merge(unknown), Arc::new(refuse))
}

/// What the dialects that are on can answer without waiting.
fn at_once(config: &Config, shared: &Shared) -> Vec<AtOnce> {
    let on = dialect::ALL.iter().filter(|dialect| (dialect.enabled)(&config.dialects));
    let all = on.flat_map(|dialect| dialect.at_once.iter().map(|it| (dialect.name, it)));
    let of = |(dialect, it): (_, &'static dialect::AtOnce)| {
        let shared = shared.clone();
        AtOnce {
            path: it.path,
            dialect,
            answer: Box::new(move |call: &Call, request: &Request| (it.answer)(&shared, call, request)),
        }
    };
    all.map(of).collect()
}

/// What the log and the metrics call the pages.
const PAGES: &str = "pages";

/// What they call the published documents and their page.
const DOCS: &str = "docs";

/// Whose URLs begin with a prefix, and how they say what they say without a handler.
struct Area {
    prefix: &'static str,
    name: &'static str,
    words: Words,
    /// An API's answer to a URL that it does not have; elsewhere people are told by a page.
    not_found: Option<fn(&Shared) -> Response>,
}

/// The longest prefix first.
type Areas = Arc<Vec<Area>>;

fn area_of<'a>(areas: &'a [Area], path: &str) -> Option<&'a Area> {
    let below = |prefix: &str| path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    areas.iter().find(|area| below(area.prefix))
}

async fn unknown(State((shared, site, areas)): State<(Shared, Site, Areas)>, request: Request) -> Response {
    match area_of(&areas, request.uri().path()).and_then(|area| area.not_found) {
        Some(not_found) => not_found(&shared),
        None => site.unknown(request).await,
    }
}

fn probe(core: &Arc<Core>) -> Probe {
    let core = Arc::clone(core);
    Arc::new(move || {
        let core = Arc::clone(&core);
        Box::pin(async move { core.ping().await.is_ok() })
    })
}

/// What shows mails in words: the mailer's own templates.
fn writer(mailer: &Mailer) -> Writer {
    let mailer = mailer.clone();
    Arc::new(move |letter| {
        let Rendered { subject, text, html } = mailer.words(letter).map_err(Fault::internal)?;
        Ok(WrittenMail { subject, text, html })
    })
}

fn mailer(config: &Config, renderer: Renderer) -> Result<Mailer, StartError> {
    let sender = sender(config).map_err(StartError)?;
    let transport = match &config.smtp_url {
        Some(url) => Transport::from_url(url.reveal()).map_err(StartError)?,
        None => {
            let folder = config.mail_folder();
            Transport::files(folder.clone()).map_err(|error| StartError(format!("{}: {error}", folder.display())))?
        }
    };
    Ok(Mailer::new(renderer, sender, transport))
}

fn sender(config: &Config) -> Result<Sender, String> {
    let reply_to = config.mail.reply_to.as_ref().map(ToString::to_string);
    let from = config.mail.from.as_ref().map(ToString::to_string);
    Sender::new(config.service_name.as_str(), from.as_deref(), reply_to.as_deref(), config.origin().origin())
}

/// The database of the configuration, not opened.
///
/// # Errors
/// What is wrong with its URL.
pub fn database(config: &Config) -> Result<Database, StartError> {
    database_at(config, &config.database()).map_err(|mend| StartError(format!("database_url: {mend}")))
}

/// How long a call waits for the store: shorter than a request may take, so that the dialect can still say that it was the store.
#[must_use]
pub fn store_deadline(config: &Config) -> Duration {
    config.request_timeout.get() * 4 / 5
}

/// Another database, with the pool of the configuration.
///
/// # Errors
/// What is wrong with its URL.
pub fn database_at(config: &Config, url: &DatabaseUrl) -> Result<Database, String> {
    let pool = PoolPolicy {
        size: config.database.pool_size,
        acquire_timeout: config.database.acquire_timeout.get(),
        statement_timeout: config.database.statement_timeout.get(),
        pooler: config.database.pooler,
    };
    match url {
        DatabaseUrl::Sqlite(path) => Ok(Database::sqlite(path.clone())),
        DatabaseUrl::Postgres(url) => Database::postgres(url.reveal(), pool),
    }
}
