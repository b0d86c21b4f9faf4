//! Where mails go: to an SMTP server, or into a folder when none is configured.

use std::fmt;
use std::path::PathBuf;

use lettre::Message;

use super::files::Files;
use super::smtp::Smtp;

/// Longest text of a delivery error, in characters.
const TEXT_MAX: usize = 300;

/// The configured way out.
#[derive(Debug)]
pub enum Transport {
    /// By SMTP.
    Smtp(Smtp),
    /// Into files.
    Files(Files),
}

/// Why a mail was not delivered. The texts are fit for the store and the log: one line, cut, without the mail's links and codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryError {
    /// The server refused this mail for good (5yz, RFC 5321 section 4.2.1): trying again will not help.
    Permanent {
        /// The reply code.
        code: u16,
        /// What the server said.
        text: String,
    },
    /// It may go through later: the server is away, busy or slow, or our own settings are wrong and will be mended.
    Temporary {
        /// What happened.
        text: String,
    },
}

impl Transport {
    /// An SMTP server by its URL; connects to nothing yet. User and password are percent-encoded, and optional together.
    ///
    /// | URL | what it means | default port |
    /// |---|---|---|
    /// | `smtps://user:password@host` | TLS from the start | 465 |
    /// | `smtp+starttls://user:password@host` | STARTTLS, or no delivery | 587 |
    /// | `smtp://user:password@host?tls=required` | the same | 587 |
    /// | `smtp://host?tls=opportunistic` | STARTTLS where the server offers it; an attacker on the way can prevent that | 587 |
    /// | `smtp://host` | not encrypted | 25 |
    ///
    /// A path, `smtp://host/name`, is the name given in EHLO. Certificates are judged by the system's roots (`SSL_CERT_FILE` counts).
    ///
    /// # Errors
    /// What is wrong with the URL and how to mend it. The text never repeats any part of the URL that could be of the password.
    pub fn from_url(url: &str) -> Result<Self, String> {
        Smtp::new(url.parse()?).map(Self::Smtp)
    }

    /// A folder that gets one `.eml` file for each mail; it is made, for this account alone, where it does not exist.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn files(folder: PathBuf) -> std::io::Result<Self> {
        Files::new(folder).map(Self::Files)
    }

    /// Hands the mail over. `mail_id` names the file; the same id and message give the same file.
    ///
    /// # Errors
    /// See [`DeliveryError`]. A mail may have gone out although this failed: the server may have taken it and lost its answer.
    pub async fn deliver(&self, message: &Message, mail_id: &str) -> Result<(), DeliveryError> {
        match self {
            Self::Smtp(smtp) => smtp.deliver(message).await,
            Self::Files(files) => files.deliver(message, mail_id).await,
        }
    }
}

/// Where mails go, for people; without the login's password.
impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Smtp(smtp) => smtp.fmt(f),
            Self::Files(files) => write!(f, "{}", files.folder().display()),
        }
    }
}

impl fmt::Display for DeliveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Permanent { text, .. } | Self::Temporary { text } => f.write_str(text),
        }
    }
}

impl std::error::Error for DeliveryError {}

impl DeliveryError {
    pub(super) fn temporary(text: &str, message: &[u8]) -> Self {
        Self::Temporary { text: presentable(text, message) }
    }

    pub(super) fn permanent(code: u16, text: &str, message: &[u8]) -> Self {
        Self::Permanent { code, text: presentable(text, message) }
    }
}

/// One line, cut, and without what a content filter may have quoted from the mail: the query of a link, and the code.
fn presentable(text: &str, message: &[u8]) -> String {
    let message = String::from_utf8_lossy(message);
    let code = message
        .lines()
        .map(str::trim)
        .find(|line| line.len() == 6 && line.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()));
    let one_line: String = text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
    let words = one_line.split_whitespace().map(|word| match word.split_once('?') {
        Some((head, query)) if query.contains('=') => format!("{head}?…"),
        _ => word.to_owned(),
    });
    let mut clean = words.collect::<Vec<_>>().join(" ");
    if let Some(code) = code {
        clean = clean.replace(code, "…");
    }
    match clean.char_indices().nth(TEXT_MAX) {
        Some((end, _)) => format!("{}…", &clean[..end]),
        None => clean,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_is_one_short_line_without_the_mails_secrets() {
        let mail = b"Hello,\r\n\r\nhttps://login.example.com/reset?code=SECRET&user_id=1\r\n\r\nK7Q2MX\r\n";
        let said = "554 5.7.1 blocked:\r\n\thttps://login.example.com/reset?code=SECRET&user_id=1 and K7Q2MX\u{1b}[2J, see https://help.example/5.7.1";
        let error = DeliveryError::permanent(554, said, mail);
        assert_eq!(
            error.to_string(),
            "554 5.7.1 blocked: https://login.example.com/reset?… and … [2J, see https://help.example/5.7.1"
        );
        assert_eq!(DeliveryError::temporary(&"é".repeat(9000), mail).to_string().chars().count(), TEXT_MAX + 1);
    }
}
