//! Delivery by SMTP.
//!
//! The steps are taken one by one on lettre's connection, not by its transport, because the same reply code means different things at
//! different steps: a refused recipient is the mail's fault, a refused login or sender is our configuration's.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use lettre::Message;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use secrecy::ExposeSecret as _;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::smtp_url::{Security, SmtpUrl};
use super::transport::DeliveryError;

/// For connecting, with TLS and login, and for each command.
const STEP_TIMEOUT: Duration = Duration::from_secs(10);
/// For the answer to the message itself. Filters take their time, and a mail given up on after the server took it is sent twice.
const MESSAGE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long an unused connection is kept. Servers drop idle clients after minutes (RFC 5321, section 4.5.3.2.7: five).
const IDLE: Duration = Duration::from_secs(30);
/// How many unused connections are kept.
const KEPT: usize = 4;

/// One SMTP server and the connections to it that wait for the next mail.
pub struct Smtp {
    url: SmtpUrl,
    tls: Option<TlsParameters>,
    hello: ClientId,
    idle: Arc<Mutex<Idle>>,
}

#[derive(Default)]
struct Idle {
    connections: Vec<(u64, AsyncSmtpConnection)>,
    parked: u64,
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smtp").field("url", &self.url).finish_non_exhaustive()
    }
}

impl fmt::Display for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url.fmt(f)
    }
}

impl Smtp {
    pub(super) fn new(url: SmtpUrl) -> Result<Self, String> {
        let tls = match url.security {
            Security::Plain => None,
            _ => Some(TlsParameters::new(url.host.clone()).map_err(|error| format!("TLS cannot be set up: {error}"))?),
        };
        let hello = url.hello.clone().map_or_else(ClientId::default, ClientId::Domain);
        Ok(Self { url, tls, hello, idle: Arc::default() })
    }

    pub(super) async fn deliver(&self, message: &Message) -> Result<(), DeliveryError> {
        let bytes = message.formatted();
        let mut connection = match self.kept().await {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        match converse(&mut connection, message, &bytes).await {
            Ok(()) => {
                self.keep(connection).await;
                Ok(())
            }
            Err(error) => {
                // Politeness only: the connection is dropped either way.
                let _ = timeout(Duration::from_secs(2), connection.abort()).await;
                Err(error)
            }
        }
    }

    /// All failures up to the end of the login are temporary: what is wrong then is wrong for every mail.
    async fn connect(&self) -> Result<AsyncSmtpConnection, DeliveryError> {
        match timeout(STEP_TIMEOUT, self.open()).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(error)) => Err(DeliveryError::temporary(&format!("connecting to {}: {}", self.url, whole(&error)), &[])),
            Err(_) => Err(DeliveryError::temporary(
                &format!("connecting to {}: no answer in {} s", self.url, STEP_TIMEOUT.as_secs()),
                &[],
            )),
        }
    }

    async fn open(&self) -> Result<AsyncSmtpConnection, Error> {
        let server = (self.url.host.as_str(), self.url.port);
        let wrapper = self.tls.clone().filter(|_| self.url.security == Security::Tls);
        let mut connection = AsyncSmtpConnection::connect_tokio1(server, Some(STEP_TIMEOUT), &self.hello, wrapper, None).await?;
        if let Some(tls) = &self.tls {
            let upgrade = match self.url.security {
                Security::StartTls => true,
                Security::Opportunistic => connection.can_starttls(),
                Security::Plain | Security::Tls => false,
            };
            if upgrade {
                connection.starttls(tls.clone(), &self.hello).await?;
            }
        }
        if let Some((user, password)) = &self.url.login {
            let credentials = Credentials::new(user.clone(), password.expose_secret().to_owned());
            connection.auth(DEFAULT_MECHANISMS, &credentials).await?;
        }
        Ok(connection)
    }

    /// A connection left by an earlier mail that still answers.
    async fn kept(&self) -> Option<AsyncSmtpConnection> {
        loop {
            let (_, mut connection) = self.idle.lock().await.connections.pop()?;
            if timeout(STEP_TIMEOUT, connection.test_connected()).await == Ok(true) {
                return Some(connection);
            }
        }
    }

    async fn keep(&self, connection: AsyncSmtpConnection) {
        let ticket = {
            let mut idle = self.idle.lock().await;
            if idle.connections.len() >= KEPT {
                return;
            }
            idle.parked += 1;
            let ticket = idle.parked;
            idle.connections.push((ticket, connection));
            ticket
        };
        let idle = Arc::downgrade(&self.idle);
        tokio::spawn(async move {
            tokio::time::sleep(IDLE).await;
            let Some(idle) = idle.upgrade() else { return };
            let mut guard = idle.lock().await;
            let Some(place) = guard.connections.iter().position(|(parked, _)| *parked == ticket) else { return };
            let (_, mut connection) = guard.connections.remove(place);
            drop(guard);
            let _ = timeout(STEP_TIMEOUT, connection.quit()).await;
        });
    }
}

/// One mail on an open connection.
async fn converse(connection: &mut AsyncSmtpConnection, message: &Message, bytes: &[u8]) -> Result<(), DeliveryError> {
    let envelope = message.envelope();
    let international = envelope.from().into_iter().chain(envelope.to()).any(|address| !AsRef::<str>::as_ref(address).is_ascii());
    if international && !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
        // The code that RFC 6531, section 3.5 has for this.
        return Err(DeliveryError::permanent(553, "the server takes no addresses beyond ASCII (it offers no SMTPUTF8)", &[]));
    }
    let options = if international { vec![MailParameter::SmtpUtfEight] } else { Vec::new() };
    let sender = step(STEP_TIMEOUT, connection.command(Mail::new(envelope.from().cloned(), options))).await;
    sender.map_err(|failure| DeliveryError::temporary(&format!("the server refused our sender: {}", failure.text()), bytes))?;
    for recipient in envelope.to() {
        let command = Rcpt::new(recipient.clone(), Vec::new());
        step(STEP_TIMEOUT, connection.command(command)).await.map_err(|failure| failure.of_the_mail(bytes))?;
    }
    step(STEP_TIMEOUT, connection.command(Data)).await.map_err(|failure| failure.of_the_mail(bytes))?;
    step(MESSAGE_TIMEOUT, connection.message(bytes)).await.map_err(|failure| failure.of_the_mail(bytes))
}

enum Failure {
    Answered(Error),
    Slow(Duration),
}

async fn step<T>(limit: Duration, command: impl Future<Output = Result<T, Error>>) -> Result<(), Failure> {
    match timeout(limit, command).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(Failure::Answered(error)),
        Err(_) => Err(Failure::Slow(limit)),
    }
}

impl Failure {
    fn text(&self) -> String {
        match self {
            Self::Answered(error) => whole(error),
            Self::Slow(limit) => format!("no answer in {} s", limit.as_secs()),
        }
    }

    /// The meaning of a failure at a step that is about this mail.
    fn of_the_mail(&self, message: &[u8]) -> DeliveryError {
        let code = match self {
            Self::Answered(error) if error.is_permanent() => error.status().map(u16::from),
            _ => None,
        };
        match code {
            // Authentication or encryption is wanted (RFC 4954, section 6): ours to mend.
            None | Some(530 | 534 | 535 | 538) => DeliveryError::temporary(&self.text(), message),
            Some(code) => DeliveryError::permanent(code, &self.text(), message),
        }
    }
}

/// The error with all its causes.
fn whole(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error).and_then(std::error::Error::source);
    while let Some(deeper) = cause {
        let more = deeper.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = deeper.source();
    }
    text
}
