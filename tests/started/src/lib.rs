//! A started Doorward with one user, for the examples of the client's documentation: each runs against a server of its own.
//!
//! The server is the binary that `CLIENT_TESTS_BINARY` names; without that, this workspace's, which is built if need be.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "an example fails by panicking")]

#[path = "../../../server/tests/it/authenticator.rs"]
#[allow(dead_code, reason = "the server's tests use more of it")]
mod authenticator;
mod binary;
mod mail;

use std::error::Error;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// Runs an example: gives it a server, and fails if it does.
pub fn example(run: impl AsyncFnOnce(&Started) -> Result<(), Box<dyn Error>>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server = Started::new();
    runtime.block_on(run(&server)).unwrap();
}

/// A server with the user `ann`, who is an administrator. It ends when it is dropped.
#[derive(Debug)]
pub struct Started {
    folder: TempDir,
    server: Child,
    url: String,
    user_id: String,
}

/// The credentials of an application.
#[derive(Clone, Debug)]
pub struct Application {
    /// `Authorization: Bearer …`
    pub access_token: String,
    /// `consumerKey`
    pub consumer_key: String,
    /// `appId`
    pub app_id: String,
}

const PASSWORD: &str = "correct horse battery 9!";

impl Started {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut serve = command(&folder, "serve --listen 127.0.0.1:0 --json");
        let mut server = serve.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let greeting: Value = serde_json::from_str(&line).expect("the server's greeting");
        let url = text(&greeting["public_url"]);
        let mut started = Self { folder, server, url, user_id: String::new() };
        let user = started.cli("user create --email ann@example.com --username ann --admin --password-stdin", PASSWORD);
        started.user_id = text(&user["id"]);
        started
    }

    /// A URL of the server.
    #[must_use]
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// The user's id.
    #[must_use]
    pub fn user_id(&self) -> &str {
        &self.user_id
    }

    /// The user's e-mail address.
    #[must_use]
    pub fn email(&self) -> &str {
        "ann@example.com"
    }

    /// The user's username.
    #[must_use]
    pub fn username(&self) -> &str {
        "ann"
    }

    /// The user's password.
    #[must_use]
    pub fn password(&self) -> &str {
        PASSWORD
    }

    /// Runs a command of the server's command line; what it says.
    #[must_use]
    pub fn cli(&self, arguments: &str, input: &str) -> Value {
        let mut command = command(&self.folder, &format!("{arguments} --json"));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{arguments}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// A registered application.
    #[must_use]
    pub fn application(&self) -> Application {
        let made = self.cli("app create terminal", "");
        let [access_token, consumer_key, app_id] = ["access_token", "consumer_key", "app_id"].map(|name| text(&made[name]));
        Application { access_token, consumer_key, app_id }
    }

    /// The secret of an invitation for an address.
    #[must_use]
    pub fn invitation(&self, email: &str) -> String {
        text(&self.cli(&format!("invitation create {email}"), "")["id"])
    }

    /// The last link that was mailed to an address, once there is one.
    pub async fn link(&self, email: &str) -> String {
        self.mailed(email, mail::link).await
    }

    /// The last code that was mailed to an address, once there is one.
    pub async fn code(&self, email: &str) -> String {
        self.mailed(email, mail::code).await
    }

    async fn mailed(&self, email: &str, find: fn(&str) -> Option<String>) -> String {
        for _ in 0..750 {
            let found = mail::texts(&self.folder.path().join("data/mail"), email).iter().rev().find_map(|text| find(text));
            if let Some(found) = found {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("no mail to {email} in 15 seconds")
    }

    /// A value of the query of a link.
    #[must_use]
    pub fn query(&self, link: &str, name: &str) -> String {
        let link = url::Url::parse(link).unwrap();
        link.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).expect("a value of the link")
    }

    /// A security key in software.
    #[must_use]
    pub fn authenticator(&self) -> Authenticator {
        Authenticator(authenticator::Authenticator::new(1, &self.url))
    }

    /// One that verifies its user and keeps whose it is.
    #[must_use]
    pub fn passkey(&self) -> Authenticator {
        Authenticator(authenticator::Authenticator::passkey(2, &self.url))
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// A security key in software.
pub struct Authenticator(authenticator::Authenticator);

impl Authenticator {
    /// The answer to creation options.
    #[must_use]
    pub fn create(&mut self, options: &Value) -> Value {
        self.0.create(options)
    }

    /// The answer to request options.
    #[must_use]
    pub fn get(&mut self, options: &Value) -> Value {
        self.0.get(options)
    }
}

/// A command with nothing of this process' environment, its hashing cheap and its limits off.
fn command(folder: &TempDir, arguments: &str) -> Command {
    let mut command = Command::new(binary::path());
    command.current_dir(folder.path()).env_clear();
    for (name, value) in
        [("DOORWARD_PASSWORDS__MEMORY_KIB", "64"), ("DOORWARD_PASSWORDS__ITERATIONS", "1"), ("DOORWARD_LIMITS__ENABLED", "false")]
    {
        command.env(name, value);
    }
    command.args(arguments.split_whitespace()).stdin(Stdio::null());
    command
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}
