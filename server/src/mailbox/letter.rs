//! What is in a mail, as far as it can be read (RFC 5322, MIME): of what is no mail, its bytes as text.

use mail_parser::{Address, Message, MessageParser, PartType};

/// What a list shows of a mail; empty where it does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Who sent it.
    pub from: String,
    /// To whom it goes.
    pub to: String,
    /// What it is about.
    pub subject: String,
}

/// A mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The chief lines of its head.
    pub facts: Facts,
    /// Its head as it stands in the file.
    pub head: String,
    /// The text part.
    pub text: Option<String>,
    /// The HTML part: a stranger's document.
    pub html: Option<String>,
    /// Whether there is more of it than was read.
    pub cut: bool,
}

impl Facts {
    pub(super) fn of(bytes: &[u8]) -> Self {
        MessageParser::default().parse_headers(bytes).map(|mail| Self::read(&mail)).unwrap_or_default()
    }

    fn read(mail: &Message<'_>) -> Self {
        let subject = mail.subject().unwrap_or_default().to_owned();
        Self { from: people(mail.from()), to: people(mail.to()), subject }
    }
}

impl Letter {
    pub(super) fn of(bytes: &[u8], cut: bool) -> Self {
        let whole = || String::from_utf8_lossy(bytes).into_owned();
        let Some(mail) = MessageParser::default().parse(bytes) else {
            return Self { facts: Facts::default(), head: String::new(), text: Some(whole()), html: None, cut };
        };
        let end = usize::try_from(mail.root_part().offset_body).unwrap_or(0).min(bytes.len());
        let texts: Vec<_> = mail
            .text_bodies()
            .filter_map(|part| if let PartType::Text(text) = &part.body { Some(&**text) } else { None })
            .collect();
        let html =
            mail.html_bodies().find_map(|part| if let PartType::Html(html) = &part.body { Some(html.to_string()) } else { None });
        let text = if texts.is_empty() && html.is_none() {
            Some(whole())
        } else {
            Some(texts.join("\n\n")).filter(|text| !text.is_empty())
        };
        Self { facts: Facts::read(&mail), head: String::from_utf8_lossy(&bytes[..end]).into_owned(), text, html, cut }
    }
}

/// `Ann Lee <ann@example.org>, bob@example.org`.
fn people(addresses: Option<&Address<'_>>) -> String {
    let one = |address: &mail_parser::Addr<'_>| match (address.name(), address.address()) {
        (Some(name), Some(address)) => format!("{name} <{address}>"),
        (name, address) => name.or(address).unwrap_or_default().to_owned(),
    };
    addresses.map(|all| all.iter().map(one).collect::<Vec<_>>().join(", ")).unwrap_or_default()
}
