//! The server under test, and its actors.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::ConnectInfo;
use doorward::app::App;
use doorward::config::{Config, Input, load};
use doorward::core::Core;
use doorward::core::call::{Call, Origin};
use doorward::core::clock::{Clock, Timestamp};
use doorward::core::entropy::{Entropy, EntropyError, Randomness};
use doorward::core::flows::applications::{self, Registered, Registration};
use doorward::core::flows::authority::Authority;
use doorward::core::flows::invitations::{self, Invited};
use doorward::core::flows::sweep::Left;
use doorward::core::flows::users::{self, NewUser};
use doorward::core::flows::{audit_log, sweep};
use doorward::core::model::{Email, Page, PersonName, Role, User, Username};
use doorward::core::token::Secret;
use doorward::http::serve::{Phase, serve};
use doorward::work::{Desk, housekeeping, outbox};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tower::ServiceExt as _;

use super::authenticator::Authenticator;
use super::database::Database;
use super::mailbox::{self, Mail};
use super::published;
use super::reply::{Ask, Reply};

pub(crate) const PASSWORD: &str = "correct horse battery 9!";
pub(crate) const OTHER_PASSWORD: &str = "another staple of mine 7?";
pub(crate) const ORIGIN: &str = "http://localhost:8080";
/// 2026-01-01T00:00:00Z
const START: i64 = 1_767_225_600_000;

/// A clock that stands still until it is moved.
pub(crate) struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// Randomness that is the same in every run.
struct TestEntropy(Mutex<ChaCha20Rng>);

impl Entropy for TestEntropy {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        self.0.lock().unwrap().fill_bytes(buffer);
        Ok(())
    }
}

/// The server, its folder, its clock.
pub(crate) struct TestApp {
    app: App,
    pub(crate) desk: Desk,
    clock: Arc<TestClock>,
    settings: Vec<(String, String)>,
    folder: Arc<tempfile::TempDir>,
    database: Arc<Database>,
    /// Every answer that this process gave, with the path that was asked.
    answers: Mutex<Vec<(String, Reply)>>,
}

impl TestApp {
    /// Limits off, hashing cheap; everything else as it comes.
    pub(crate) async fn new() -> Self {
        Self::with(&[]).await
    }

    /// With settings of its own: dotted keys and values.
    pub(crate) async fn with(settings: &[(&str, &str)]) -> Self {
        let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let clock = Arc::new(TestClock(AtomicI64::new(START)));
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let database = Arc::new(Database::new(folder.path()).await);
        Self::start(folder, database, settings, clock, 0).await
    }

    /// With limits on, too.
    pub(crate) async fn limited(settings: &[(&str, &str)]) -> Self {
        let mut all = vec![("limits.enabled", "true")];
        all.extend(settings);
        Self::with(&all).await
    }

    /// On data that is there already.
    pub(crate) async fn on(folder: tempfile::TempDir, database: Database) -> Self {
        let clock = Arc::new(TestClock(AtomicI64::new(START)));
        Self::start(Arc::new(folder), Arc::new(database), Vec::new(), clock, 0).await
    }

    async fn start(
        folder: Arc<tempfile::TempDir>,
        database: Arc<Database>,
        settings: Vec<(String, String)>,
        clock: Arc<TestClock>,
        seed: u64,
    ) -> Self {
        // What goes wrong inside is shown with a test that fails.
        let _ = tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).with_test_writer().try_init();
        let entropy = Arc::new(TestEntropy(Mutex::new(ChaCha20Rng::seed_from_u64(seed))));
        let desk = Desk { clock: Arc::clone(&clock) as Arc<dyn Clock>, entropy: Randomness::Of(entropy) };
        let app = doorward::app::build(&config(&folder, &database, &settings), &desk).await.unwrap();
        Self { app, desk, clock, settings, folder, database, answers: Mutex::default() }
    }

    /// The same data, another process: what was in memory alone is gone.
    pub(crate) async fn restarted(self) -> Self {
        let Self { app, clock, settings, folder, database, .. } = self;
        drop(app);
        Self::start(folder, database, settings, clock, 1).await
    }

    /// The same data, another process with settings of its own.
    pub(crate) async fn reconfigured(self, settings: &[(&str, &str)]) -> Self {
        let Self { app, clock, settings: mut all, folder, database, .. } = self;
        drop(app);
        all.extend(settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        Self::start(folder, database, all, clock, 3).await
    }

    /// A second node on the same data.
    pub(crate) async fn second_node(&self) -> Self {
        let (folder, database) = (Arc::clone(&self.folder), Arc::clone(&self.database));
        Self::start(folder, database, self.settings.clone(), Arc::clone(&self.clock), 2).await
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.app.core
    }

    /// What `/metrics` shows after a round of housekeeping.
    pub(crate) async fn metrics(&self) -> String {
        housekeeping::round(self.core(), &self.desk).await.unwrap();
        let request = Ask::get("/metrics").build();
        Reply::of(self.app.metrics.clone().oneshot(request).await.unwrap()).await.text()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn advance(&self, span: Duration) {
        self.clock.0.fetch_add(i64::try_from(span.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// Sets a clock right that was ahead.
    pub(crate) fn rewind(&self, span: Duration) {
        self.clock.0.fetch_sub(i64::try_from(span.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// Its data folder.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The rows, behind the server's back.
    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    /// Every answer since the start, with the path that was asked.
    pub(crate) fn answers(&self) -> Vec<(String, Reply)> {
        self.answers.lock().unwrap().clone()
    }

    /// A call of an operator.
    pub(crate) fn call(&self) -> Call {
        let origin = Origin::local("test", "test");
        Call { now: self.now(), entropy: self.desk.entropy.clone(), origin }
    }

    /// Sends a request from 192.0.2.1.
    pub(crate) async fn send(&self, ask: Ask) -> Reply {
        self.send_from(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), ask).await
    }

    /// Sends a request from an address.
    pub(crate) async fn send_from(&self, address: IpAddr, ask: Ask) -> Reply {
        let mut request = ask.build();
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(address, 40_000)));
        let reply = Reply::of(self.app.router.clone().oneshot(request).await.unwrap()).await;
        if !self.settings.iter().any(|(key, _)| key.starts_with("dialects.")) {
            published::check(method.as_str(), &path, &reply);
        }
        self.answers.lock().unwrap().push((path, reply.clone()));
        // What follows an answer has no order with the next call; here it has.
        self.core().settled().await;
        // As a connection would: a call that is answered from memory waits for nothing, and would keep a thread for itself.
        tokio::task::yield_now().await;
        reply
    }

    /// Serves connections until the task is aborted.
    pub(crate) fn serve_on(&self, listener: TcpListener) -> JoinHandle<()> {
        let (router, readiness, grace) = (self.app.router.clone(), self.app.readiness.clone(), Duration::from_secs(60));
        tokio::spawn(async move {
            let phase = watch::Sender::new(Phase::Serving);
            serve(listener, router, &readiness, grace, phase.subscribe()).await;
        })
    }

    /// Sends bytes as they stand over a connection of their own, and reads to its end.
    pub(crate) async fn send_bytes(&self, bytes: Vec<u8>) -> Reply {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let client = tokio::task::spawn_blocking(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(&bytes).unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).unwrap();
            answer
        });
        let server = self.serve_on(listener);
        let reply = Reply::parse(&client.await.unwrap());
        server.abort();
        reply
    }

    /// Sends what is due, and reads all mails to an address.
    pub(crate) async fn mails(&self, to: &str) -> Vec<Mail> {
        self.deliver().await;
        mailbox::read(&self.folder.path().join("mail")).into_iter().filter(|mail| mail.to.contains(to)).collect()
    }

    /// The last mail to an address.
    pub(crate) async fn mail(&self, to: &str) -> Mail {
        self.mails(to).await.pop().unwrap_or_else(|| panic!("no mail to {to}"))
    }

    /// The last code that was mailed to an address; notices may have gone out with it.
    pub(crate) async fn code(&self, to: &str) -> String {
        self.mails(to).await.iter().rev().find_map(Mail::code).unwrap_or_else(|| panic!("no code for {to}"))
    }

    /// A value of the query of the last link that was mailed to an address.
    pub(crate) async fn query(&self, to: &str, name: &str) -> String {
        self.mails(to).await.iter().rev().find_map(|mail| mail.query(name)).unwrap_or_else(|| panic!("no {name} for {to}"))
    }

    /// Sends what is due, and what strangers have asked for, which comes due within a second.
    pub(crate) async fn deliver(&self) {
        self.advance(Duration::from_secs(1));
        while outbox::round(self.core(), &self.desk, &self.app.mailer).await.unwrap() > 0 {}
    }

    /// What housekeeping does between two rounds.
    pub(crate) async fn sweep(&self) {
        sweep::seen(self.core()).await.unwrap();
        let mut left = Left::UNKNOWN;
        while left.any() {
            left = sweep::expired(self.core(), &self.call(), left).await.unwrap();
        }
    }

    /// The audit log as `event outcome`, oldest first.
    pub(crate) async fn audit(&self) -> Vec<String> {
        let page = Page::new(None, Some(200));
        let log = audit_log::list(self.core(), Authority::operator(), audit_log::Filter::default(), page).await.unwrap();
        log.items.iter().rev().map(|entry| format!("{} {}", entry.event, entry.outcome)).collect()
    }

    /// A user `name@example.com` with [`PASSWORD`].
    pub(crate) async fn user(&self, name: &str) -> User {
        self.create(name, Role::Member, true).await
    }

    pub(crate) async fn create(&self, name: &str, role: Role, verified: bool) -> User {
        let new = NewUser {
            username: Username::parse(name).unwrap(),
            email: Email::parse(&format!("{name}@example.com")).unwrap(),
            first_name: PersonName::default(),
            last_name: PersonName::default(),
            role,
            verified,
            password: Some(Secret::new(PASSWORD)),
        };
        users::create(self.core(), &self.call(), Authority::operator(), new).await.unwrap()
    }

    /// A user with a security key, registered through `native`.
    pub(crate) async fn user_with_key(&self, name: &str) -> (User, Authenticator) {
        let user = self.user(name).await;
        let token = self.token(name).await;
        let mut key = Authenticator::new(u8::try_from(name.len()).unwrap() + 40, ORIGIN);
        self.register(&token, "first", &mut key).await.expect(201);
        self.send(Ask::delete("/auth/v1/session").bearer(&token)).await.expect(204);
        (user, key)
    }

    /// A user with a passkey, registered through `native`.
    pub(crate) async fn user_with_passkey(&self, name: &str) -> (User, Authenticator) {
        let user = self.user(name).await;
        let token = self.token(name).await;
        let mut key = Authenticator::passkey(u8::try_from(name.len()).unwrap() + 80, ORIGIN);
        self.register(&token, "passkey", &mut key).await.expect(201);
        self.send(Ask::delete("/auth/v1/session").bearer(&token)).await.expect(204);
        (user, key)
    }

    /// Request options for a passkey.
    pub(crate) async fn passkey_options(&self) -> Value {
        self.send(Ask::post("/auth/v1/sign-in/passkey/start")).await.expect(200).json()
    }

    /// Signs in with what a key answers.
    pub(crate) async fn sign_in_with_passkey(&self, credential: &Value) -> Reply {
        self.send(Ask::post("/auth/v1/sign-in/passkey").json(&json!({"credential": credential}))).await
    }

    pub(crate) async fn register(&self, token: &str, name: &str, key: &mut Authenticator) -> Reply {
        let options = self.send(Ask::post("/auth/v1/keys/start").bearer(token)).await.expect(200).json();
        let body = json!({"name": name, "credential": key.create(&options)});
        self.send(Ask::post("/auth/v1/keys").bearer(token).json(&body)).await
    }

    /// A token of a new session, opened by password through `native`; half if the user has a key.
    pub(crate) async fn token(&self, name: &str) -> String {
        self.sign_in(name, PASSWORD).await.expect(200).at("/token")
    }

    pub(crate) async fn sign_in(&self, name: &str, password: &str) -> Reply {
        let body = json!({"identifier": name, "password": password});
        self.send(Ask::post("/auth/v1/sign-in/password").json(&body)).await
    }

    /// A full session by password and key.
    pub(crate) async fn token_with_key(&self, name: &str, key: &mut Authenticator) -> String {
        let half = self.token(name).await;
        self.step_up(&half, key).await.expect(200).at("/token")
    }

    pub(crate) async fn step_up(&self, token: &str, key: &mut Authenticator) -> Reply {
        let options = self.send(Ask::post("/auth/v1/second-factor/start").bearer(token)).await.expect(200).json();
        let body = json!({"credential": key.get(&options)});
        self.send(Ask::post("/auth/v1/second-factor").bearer(token).json(&body)).await
    }

    /// What `GET /auth/v1/session` says to a token.
    pub(crate) async fn session(&self, token: &str) -> Reply {
        self.send(Ask::get("/auth/v1/session").bearer(token)).await
    }

    /// A signed-in administrator's token.
    pub(crate) async fn administrator(&self) -> String {
        self.create("root", Role::Admin, true).await;
        self.token("root").await
    }

    /// An application.
    pub(crate) async fn application(&self, one_time_token_suffices: bool, networks: &[&str]) -> Application {
        let networks = networks.iter().map(|network| network.parse().unwrap()).collect();
        let registration = Registration { name: "Terminal".to_owned(), networks, one_time_token_suffices };
        let registered = applications::create(self.core(), &self.call(), Authority::operator(), registration).await.unwrap();
        Application(registered)
    }

    /// An invitation for an address.
    pub(crate) async fn invite(&self, email: &str, role: Role) -> Invited {
        let email = Email::parse(email).unwrap();
        invitations::create(self.core(), &self.call(), Authority::operator(), email, role, None).await.unwrap()
    }
}

fn config(folder: &tempfile::TempDir, database: &Database, settings: &[(String, String)]) -> Config {
    let folder = folder.path().to_str().unwrap();
    let database = database.url();
    let own = [
        ("data_dir", folder),
        ("database_url", &database),
        ("public_url", ORIGIN),
        ("limits.enabled", "false"),
        ("passwords.memory_kib", "64"),
        ("passwords.iterations", "1"),
    ];
    let mut flags: Vec<_> = own.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    flags.extend(settings.iter().cloned());
    load(&Input { folder: folder.into(), flags, ..Input::default() }).unwrap().config
}

/// A registered application, as its program uses it.
pub(crate) struct Application(pub(crate) Registered);

impl Application {
    /// Adds what every call of it carries.
    pub(crate) fn sign(&self, ask: Ask) -> Ask {
        ask.bearer(self.0.access_token.reveal())
            .header("consumerKey", self.0.consumer_key.reveal())
            .header("appId", self.0.application.id.to_string())
            .header("ip", "203.0.113.9")
    }

    /// The first step.
    pub(crate) async fn login(&self, app: &TestApp, userid: &str, password: &str) -> Reply {
        let ask = Ask::post("/apim/session/1.0/session/login/userid").json(&json!({"userid": userid, "password": password}));
        app.send(self.sign(ask)).await
    }

    /// The second step.
    pub(crate) async fn access_code(&self, app: &TestApp, userid: &str, one_time_token: &str, code: &str) -> Reply {
        let body: Value = json!({"userid": userid, "accessCode": code});
        let ask = Ask::post("/apim/session/1.0/session/2FA/accesscode").json(&body).header("oneTimeToken", one_time_token);
        app.send(self.sign(ask)).await
    }

    /// Both; the session token.
    pub(crate) async fn token(&self, app: &TestApp, name: &str) -> String {
        let one_time_token = self.login(app, name, PASSWORD).await.expect(200).at("/Success/oneTimeToken");
        let code = app.code(&format!("{name}@example.com")).await;
        self.access_code(app, name, &one_time_token, &code).await.expect(200).at("/Success/sessionToken")
    }
}
