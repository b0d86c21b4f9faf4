//! What the server says on standard output when it starts: where it is, where mail goes, where the data is, what to do first.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use serde::Serialize;

use super::failure::Failure;
use super::output::{Output, fields};
use super::settings::Settings;
use crate::app::App;
use crate::config::Loaded;
use crate::config::load::Place;
use crate::config::url::{DatabaseUrl, PublicUrl};
use crate::core::call::{Call, Origin};
use crate::core::clock::Timestamp;
use crate::core::flows::setup::{self, Setup};
use crate::work::Desk;

#[derive(Serialize)]
struct Greeting {
    listen: String,
    public_url: String,
    mail: String,
    /// Where these are shown to a browser on this machine.
    mailbox: Option<String>,
    database: String,
    metrics: Option<String>,
    /// The link with which the first administrator is created, in the start that made it and in no other.
    set_up: Option<String>,
    /// The command that creates the first user, while there is none.
    create_user: Option<String>,
}

/// Says it. Nobody needs to listen.
pub(super) async fn write(loaded: &Loaded, settings: &Settings, app: &App, desk: &Desk, output: Output) -> Result<(), Failure> {
    let config = &loaded.config;
    let origin = Origin::local("cli", "serve");
    let setup = setup::offer(&app.core, &Call { origin, ..desk.call() }).await?;
    let greeting = Greeting {
        listen: format!("http://{}", config.listen),
        public_url: config.origin().origin().to_owned(),
        mail: app.mailer.destination(),
        mailbox: config.has_mailbox().then(|| format!("{}/dev/mail", here(config.listen))),
        database: config.database().to_string(),
        metrics: config.metrics_listen.map(|address| format!("http://{address}/metrics")),
        set_up: if let Setup::Link(link) = &setup { Some(link.reveal().to_owned()) } else { None },
        create_user: (!matches!(setup, Setup::Done)).then(|| create_user(loaded, settings)),
    };
    let shown = if let Setup::Shown(until) = setup { Some(until) } else { None };
    let _ = output.value(&greeting, || greeting.text(config.smtp_url.is_some(), shown));
    Ok(())
}

impl Greeting {
    fn text(&self, sends: bool, shown: Option<Timestamp>) -> String {
        let mail = if sends { self.mail.clone() } else { format!("files in {} (set smtp_url to send it)", self.mail) };
        let mut text = format!("Doorward {}\n", env!("CARGO_PKG_VERSION"));
        let mut lines =
            vec![("listens on", self.listen.clone()), ("public URL", self.public_url.clone()), ("mail goes to", mail)];
        lines.extend(self.mailbox.clone().map(|url| ("mails read at", url)));
        lines.push(("data is in", self.database.clone()));
        lines.push(("metrics on", self.metrics.clone().unwrap_or_else(|| "no listener (metrics_listen)".to_owned())));
        text.push_str(&fields(&lines));
        if let Some(command) = &self.create_user {
            text.push_str("There is no user yet. To create the first, an administrator,");
            match (&self.set_up, shown) {
                (Some(link), _) => text.push_str(&format!(" open within an hour:\n  {link}\nor run:\n  {command}\n")),
                (None, Some(until)) => {
                    text.push_str(&format!(
                        " open the link that an earlier start has shown (good until {until}), or run:\n  {command}\n"
                    ));
                }
                (None, None) => text.push_str(&format!(" run:\n  {command}\n")),
            }
        }
        text
    }
}

/// The address of a listener, by the name that links have where it is the usual one.
fn here(listen: SocketAddr) -> String {
    if listen.ip() == Ipv4Addr::LOCALHOST { PublicUrl::localhost(listen.port()).to_string() } else { format!("http://{listen}") }
}

/// A command that works as it stands in the same folder, on the same data.
fn create_user(loaded: &Loaded, settings: &Settings) -> String {
    let program = std::env::args().next().unwrap_or_else(|| "doorward".to_owned());
    let mut words = vec![program];
    if let Some(file) = &settings.file {
        words.extend(["--config".to_owned(), path(file)]);
    }
    let elsewhere = |key: &str| matches!(loaded.places.get(key), Some(Place::Environment(_) | Place::Flag(_)));
    if elsewhere("data_dir") {
        words.extend(["--data-dir".to_owned(), path(&loaded.config.data_dir)]);
    }
    // A URL with a password is not repeated: it is where this process has it from.
    if let (true, url @ DatabaseUrl::Sqlite(_)) = (elsewhere("database_url"), loaded.config.database()) {
        words.extend(["--database-url".to_owned(), url.to_string()]);
    }
    words.extend(["user", "create", "--email", "you@example.org", "--username", "you", "--admin"].map(str::to_owned));
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

fn path(path: &Path) -> String {
    path.display().to_string()
}

/// As a word of a POSIX shell.
fn quoted(word: &str) -> String {
    let plain = !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:=@,+%".contains(c));
    if plain { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn words_of_a_shell() {
        assert_eq!(quoted("./data/x.db"), "./data/x.db");
        assert_eq!(quoted("it's me"), r"'it'\''s me'");
        assert_eq!(quoted(""), "''");
    }
}
