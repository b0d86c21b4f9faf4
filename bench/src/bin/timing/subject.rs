//! The server under test: a process of its own on a fresh data directory, and the accounts in it.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rand::RngExt as _;
use rand::rngs::StdRng;
use serde_json::Value;
use tempfile::TempDir;

use super::cost::Cost;

const PASSWORD: &str = "correct-Zebra-41-lamp-horizon";

/// What stands behind a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    /// Nobody.
    Unknown,
    /// A user with a password.
    Known,
    /// The same, other accounts: compared with `Known` they show what the test makes of no difference.
    KnownAgain,
    /// A disabled user.
    Disabled,
    /// A user without a password.
    Passwordless,
    /// A user for whom a mailed code is good.
    CodeOpen,
}

impl State {
    pub(crate) const ALL: [Self; 6] =
        [Self::Unknown, Self::Known, Self::KnownAgain, Self::Disabled, Self::Passwordless, Self::CodeOpen];
}

/// A name, with or without an account. All are of one length.
pub(crate) struct Account {
    pub(crate) username: String,
    pub(crate) email: String,
}

/// The credentials of a registered application.
#[derive(serde::Deserialize)]
pub(crate) struct Application {
    pub(crate) app_id: String,
    pub(crate) consumer_key: String,
    pub(crate) access_token: String,
}

/// A started server. Ends it when dropped.
pub(crate) struct Subject {
    process: Child,
    folder: TempDir,
    pub(crate) address: SocketAddr,
    pub(crate) application: Application,
    accounts: Vec<(State, Vec<Account>)>,
}

impl Subject {
    /// Fills a fresh data directory, `each` accounts of every state, and starts the server on it: limits off, all
    /// else by default or by `arguments`.
    pub(crate) fn start(binary: &Path, each: usize, cost: Cost, arguments: &[&str], rng: &mut StdRng) -> io::Result<Self> {
        let binary = binary.canonicalize()?;
        let folder = TempDir::with_prefix("doorward-timing-")?;
        let accounts = State::ALL.map(|state| (state, (0..each).map(|_| Account::random(rng)).collect::<Vec<_>>()));
        for (state, accounts) in &accounts {
            for account in accounts {
                create(&binary, folder.path(), *state, account, cost)?;
            }
        }
        let application = run(&binary, folder.path(), &["app", "create", "timing"], "")?;
        let application = serde_json::from_value(application)?;
        let (process, address) = serve(&binary, folder.path(), arguments)?;
        Ok(Self { process, folder, address, application, accounts: accounts.into() })
    }

    /// The accounts of one state.
    pub(crate) fn accounts(&self, state: State) -> &[Account] {
        self.accounts.iter().find(|(of, _)| *of == state).map_or(&[], |(_, accounts)| accounts)
    }

    /// How many mails were written.
    pub(crate) fn mails(&self) -> usize {
        std::fs::read_dir(self.folder.path().join("data/mail")).map_or(0, |files| {
            let written = |name: &std::ffi::OsStr| Path::new(name).extension().is_some_and(|end| end == "eml");
            files.flatten().filter(|file| written(&file.file_name())).count()
        })
    }

    /// Waits until more than `before` mails are written.
    pub(crate) fn await_mail(&self, before: usize) -> io::Result<()> {
        for _ in 0..1000 {
            if self.mails() > before {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Err(io::Error::other("a mail was asked for and did not come"))
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Account {
    /// A name that nobody has yet.
    pub(crate) fn random(rng: &mut StdRng) -> Self {
        let username: String = (0..12).map(|_| char::from(rng.random_range(b'a'..=b'z'))).collect();
        Self { email: format!("{username}@example.org"), username }
    }
}

fn create(binary: &Path, folder: &Path, state: State, account: &Account, cost: Cost) -> io::Result<()> {
    if state == State::Unknown {
        return Ok(());
    }
    let (secret, password) = if state == State::Passwordless { ("--no-password", "") } else { ("--password-stdin", PASSWORD) };
    let Account { username, email } = account;
    let own = ["user", "create", "--email", email, "--username", username, secret];
    run(binary, folder, &[&own, cost.of_account(state)].concat(), password)?;
    if state == State::Disabled {
        run(binary, folder, &["user", "disable", username], "")?;
    }
    Ok(())
}

/// The program, deaf to the caller's configuration.
fn command(binary: &Path, folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("DOORWARD_")) {
        command.env_remove(name);
    }
    command.current_dir(folder).arg("--json").args(arguments).arg("--data-dir").arg(PathBuf::from(folder).join("data"));
    command.stdout(Stdio::piped());
    command
}

fn run(binary: &Path, folder: &Path, arguments: &[&str], input: &str) -> io::Result<Value> {
    let mut child = command(binary, folder, arguments).stdin(Stdio::piped()).stderr(Stdio::inherit()).spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return Err(io::Error::other(format!("`doorward {}` failed", arguments.join(" "))));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn serve(binary: &Path, folder: &Path, arguments: &[&str]) -> io::Result<(Child, SocketAddr)> {
    let mut serve = command(binary, folder, &["serve", "--listen", "127.0.0.1:0", "--limits-enabled", "false"]);
    let mut process = serve.args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let stdout = process.stdout.take().ok_or_else(|| io::Error::other("the server has no output"))?;
    let greeting = serde_json::Deserializer::from_reader(stdout).into_iter::<Value>().next();
    let address = greeting.and_then(Result::ok).and_then(|greeting| {
        greeting
            .get("listen")
            .and_then(Value::as_str)
            .and_then(|url| url.strip_prefix("http://"))
            .and_then(|text| text.parse().ok())
    });
    if address.is_none() {
        let _ = process.kill();
        let _ = process.wait();
    }
    Ok((process, address.ok_or_else(|| io::Error::other("the server did not say where it listens"))?))
}
