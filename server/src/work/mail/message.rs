//! The MIME message of a rendered mail.

use std::time::{Duration, UNIX_EPOCH};

use lettre::address::Envelope;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};

use super::render::Rendered;
use crate::core::clock::Timestamp;

/// In whose name mails go out; made once at start.
#[derive(Clone, Debug)]
pub struct Sender {
    from: Mailbox,
    reply_to: Option<Mailbox>,
    domain: String,
}

impl Sender {
    /// `from` and `reply_to` are as in a mail's header: `Example <login@example.com>` or the address alone. Without `from`, mails come
    /// from `no-reply` at the public URL's host (`localhost` where that is an address), under the service's name.
    ///
    /// # Errors
    /// What is wrong with which of them, for the person who configures it.
    pub fn new(service: &str, from: Option<&str>, reply_to: Option<&str>, public_url: &str) -> Result<Self, String> {
        let url = url::Url::parse(public_url).map_err(|error| format!("the public URL is not a URL: {error}"))?;
        let domain = match url.host() {
            Some(url::Host::Domain(name)) => name.to_owned(),
            // Address literals of RFC 5321, section 4.1.3.
            Some(url::Host::Ipv4(address)) => format!("[{address}]"),
            Some(url::Host::Ipv6(address)) => format!("[IPv6:{address}]"),
            None => return Err("the public URL names no host".to_owned()),
        };
        let from = match from {
            Some(from) => mailbox(from)?,
            None => {
                // Where the URL has an address, mails go no further than this machine.
                let host = url.domain().unwrap_or("localhost");
                let address = format!("no-reply@{host}").parse();
                let address = address.map_err(|_| format!("no sender is configured, and none can be made of the host {host}"))?;
                Mailbox::new(Some(visible(service)), address)
            }
        };
        Ok(Self { from, reply_to: reply_to.map(mailbox).transpose()?, domain })
    }

    /// The sender as it stands in the header, for people.
    #[must_use]
    pub fn from(&self) -> String {
        self.from.to_string()
    }

    /// The message. It depends on its arguments alone: built again after a crash it has the same `Message-ID` and the same bytes, so
    /// that a mail program shows one mail where two arrived. The recipient's name is left out of the header: it is anybody's text.
    ///
    /// # Errors
    /// When `to` is not an address that mail can go to. The text does not repeat it.
    pub fn message(&self, mail_id: &str, to: &str, date: Timestamp, mail: &Rendered) -> Result<Message, String> {
        let no_address = || "the recipient's address is not one that mail can go to".to_owned();
        let to: Address = to.parse().map_err(|_| no_address())?;
        // Given, not read back from the headers: lettre does not read every address that it writes.
        let envelope = Envelope::new(Some(self.from.email.clone()), vec![to.clone()]).map_err(|_| no_address())?;
        let id = token(mail_id);
        let sent = Duration::from_millis(u64::try_from(date.as_millis()).unwrap_or(0));
        let mut builder = Message::builder()
            .envelope(envelope)
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .date(UNIX_EPOCH + sent)
            .message_id(Some(format!("<{id}@{}>", self.domain)))
            .subject(mail.subject.clone())
            // RFC 3834: no vacation notices in return.
            .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()));
        if let Some(reply_to) = &self.reply_to {
            builder = builder.reply_to(reply_to.clone());
        }
        let parts = MultiPart::alternative().boundary(format!("doorward-{id}"));
        let parts =
            parts.singlepart(part(ContentType::TEXT_PLAIN, &mail.text)).singlepart(part(ContentType::TEXT_HTML, &mail.html));
        builder.multipart(parts).map_err(|error| error.to_string())
    }
}

fn mailbox(configured: &str) -> Result<Mailbox, String> {
    configured.parse().map_err(|error| format!("{configured:?} is not a mail address, with or without a name before it: {error}"))
}

fn visible(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

/// A mail's id made fit for a header and a file name. The ids that Doorward makes stay as they are.
pub(super) fn token(mail_id: &str) -> String {
    let fit = |character: char| if character.is_ascii_alphanumeric() { character } else { '-' };
    mail_id.chars().take(48).map(fit).collect()
}

/// Plain ASCII goes out as it is, however long a link makes the line (RFC 5322 allows 998 characters): so that a link can be read in the
/// raw file too. Everything else is quoted-printable.
fn part(kind: ContentType, text: &str) -> SinglePart {
    let plain = text.is_ascii() && text.lines().all(|line| line.len() <= 998);
    let body = if plain {
        // The builder's own choice for lines beyond 76 characters is quoted-printable.
        let lines = text.lines().collect::<Vec<_>>().join("\r\n");
        Body::dangerous_pre_encoded(format!("{lines}\r\n").into_bytes(), ContentTransferEncoding::SevenBit)
    } else {
        let encoded = Body::new_with_encoding(text.to_owned(), ContentTransferEncoding::QuotedPrintable);
        encoded.unwrap_or_else(|_| Body::new(text.to_owned()))
    };
    SinglePart::builder().header(kind).body(body)
}
