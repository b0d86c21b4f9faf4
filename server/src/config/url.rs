//! The three URLs of the configuration, parsed: the public one, the database's, the mail server's.

use std::fmt;
use std::path::PathBuf;

use secrecy::{ExposeSecret as _, SecretString};
use url::{Host, Url};

use super::setting::{Raw, Setting, expected, from_text};

/// The origin (RFC 6454) under which people and programs reach the server: every link is built from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    origin: String,
    https: bool,
}

impl PublicUrl {
    /// Reads `http` or `https`, a host and perhaps a port; `None` for anything more or less.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let bare = matches!(url.scheme(), "http" | "https")
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && !text.contains('@');
        url.host()?;
        bare.then(|| Self { origin: url.origin().ascii_serialization(), https: url.scheme() == "https" })
    }

    /// The address for trying it out on one's own machine.
    #[must_use]
    pub fn localhost(port: u16) -> Self {
        let suffix = if port == 80 { String::new() } else { format!(":{port}") };
        Self { origin: format!("http://localhost{suffix}"), https: false }
    }

    /// Scheme, host and any port that is not the scheme's own, as browsers send it in `Origin`; no slash at the end.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Whether it leads to the machine that asks, and so to nobody else's.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        Url::parse(&self.origin).is_ok_and(|url| url.host_str().is_some_and(is_loopback))
    }

    /// Whether cookies must be `Secure`.
    #[must_use]
    pub const fn is_https(&self) -> bool {
        self.https
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)
    }
}

impl Setting for PublicUrl {
    const FORM: &'static str =
        "an http or https URL with a host and no path, query or user, such as \"https://login.example.org\"";

    fn read(raw: &Raw<'_>) -> Result<Self, String> {
        from_text(raw, Self::parse)
    }

    fn show(&self) -> toml::Value {
        self.origin.clone().into()
    }
}

/// Whether a host, as it stands in a URL, is a loopback address or a name of one (RFC 6761, 6.3).
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    match Host::parse(host) {
        Ok(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Ok(Host::Ipv4(address)) => address.is_loopback(),
        Ok(Host::Ipv6(address)) => address.to_canonical().is_loopback(),
        Err(_) => false,
    }
}

/// Where the data is kept.
#[derive(Clone, Debug)]
pub enum DatabaseUrl {
    /// An SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL server.
    Postgres(PostgresUrl),
}

/// The URL of a PostgreSQL server, of which only the form is known here: what its parts mean is the store's to say.
#[derive(Clone)]
pub struct PostgresUrl {
    url: SecretString,
    shown: String,
}

impl PostgresUrl {
    fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://").filter(|(scheme, _)| matches!(*scheme, "postgres" | "postgresql"))?;
        let (authority, place) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let place = place.split_once('?').map_or_else(|| place.to_owned(), |(path, query)| format!("{path}?{}", masked(query)));
        let shown = match authority.rsplit_once('@') {
            Some((login, hosts)) => {
                let (user, password) = login.split_once(':').map_or((login, ""), |(user, _)| (user, ":***"));
                format!("{scheme}://{user}{password}@{hosts}{place}")
            }
            None => format!("{scheme}://{authority}{place}"),
        };
        (!rest.is_empty() && !text.contains('\0')).then(|| Self { url: text.into(), shown })
    }

    /// The URL with its password, for the store alone.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.url.expose_secret()
    }
}

/// A query without the values of `password`, `sslpassword` and their like, however their names are written.
fn masked(query: &str) -> String {
    let pair = |pair: &str| {
        let name = pair.split('=').next().unwrap_or_default();
        let read: String = url::form_urlencoded::parse(name.as_bytes()).map(|(name, _)| name.to_lowercase()).collect();
        let secret = ["password", "secret", "scram"].iter().any(|word| read.contains(word));
        if secret { format!("{name}=***") } else { pair.to_owned() }
    };
    query.split('&').map(pair).collect::<Vec<_>>().join("&")
}

/// With the password masked: fit for logs and the start-up message.
impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Self::Postgres(url) => url.fmt(f),
        }
    }
}

impl DatabaseUrl {
    /// Reads a URL that is no key's.
    ///
    /// # Errors
    /// What was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        Self::read(&Raw::Text(text))
    }
}

impl Setting for DatabaseUrl {
    const FORM: &'static str = "sqlite:// and a path, such as \"sqlite:///var/lib/doorward/doorward.db\", or \
                                \"postgres://user:password@host:5432/database\", with special characters of the password percent-encoded";

    fn read(raw: &Raw<'_>) -> Result<Self, String> {
        let text = raw.text().ok_or_else(expected::<Self>)?;
        if let Some(url) = PostgresUrl::parse(text) {
            return Ok(Self::Postgres(url));
        }
        let path = text.strip_prefix("sqlite://").filter(|path| !path.is_empty() && !path.contains(['?', '#', '\0']));
        path.map(|path| Self::Sqlite(path.into())).ok_or_else(expected::<Self>)
    }

    fn show(&self) -> toml::Value {
        self.to_string().into()
    }
}

/// The URL of the mail server, of which only the form is known here: what its parts mean is the mailer's to say.
#[derive(Clone)]
pub struct SmtpUrl {
    url: SecretString,
    shown: String,
}

impl SmtpUrl {
    /// Takes `smtp://`, `smtp+starttls://` and `smtps://` URLs that name a host.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut url = Url::parse(text).ok()?;
        let host = url.host_str().is_some_and(|host| !host.is_empty());
        if !host || !matches!(url.scheme(), "smtp" | "smtp+starttls" | "smtps") {
            return None;
        }
        if !url.username().is_empty() || url.password().is_some() {
            url.set_password(None).and_then(|()| url.set_username("***")).ok()?;
        }
        Some(Self { url: text.into(), shown: url.into() })
    }

    /// The URL with its login, for the mailer alone.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.url.expose_secret()
    }
}

/// With the login masked: fit for logs and the start-up message.
impl fmt::Display for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Setting for SmtpUrl {
    const FORM: &'static str = "\"smtp://host:25\", \"smtp+starttls://user:password@host:587\" or \
                                \"smtps://user:password@host:465\", with special characters of the password percent-encoded";

    fn read(raw: &Raw<'_>) -> Result<Self, String> {
        from_text(raw, Self::parse)
    }

    fn show(&self) -> toml::Value {
        self.to_string().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_urls() {
        for (text, origin, https) in [
            ("http://localhost:8080", "http://localhost:8080", false),
            ("https://Login.Example.org/", "https://login.example.org", true),
            ("https://login.example.org:443", "https://login.example.org", true),
            ("http://127.0.0.1:9", "http://127.0.0.1:9", false),
            ("http://[::1]:9", "http://[::1]:9", false),
        ] {
            let url = PublicUrl::parse(text).expect(text);
            assert_eq!((url.origin(), url.is_https()), (origin, https), "{text}");
        }
        for text in [
            "",
            "localhost:8080",
            "ftp://x",
            "https://x/path",
            "https://x/?q",
            "https://x/#f",
            "https://u:p@x",
            "https://@x",
            "https://",
            "//x",
            "javascript:1",
        ] {
            assert_eq!(PublicUrl::parse(text), None, "{text}");
        }
        for (text, here) in [
            ("http://localhost:8080", true),
            ("https://login.localhost", true),
            ("http://127.0.0.1:9", true),
            ("http://[::1]:9", true),
            ("http://10.0.0.1", false),
            ("https://localhost.example.org", false),
        ] {
            assert_eq!(PublicUrl::parse(text).expect(text).is_loopback(), here, "{text}");
        }
        assert_eq!(Some(PublicUrl::localhost(80)), PublicUrl::parse("http://localhost:80"));
        assert_eq!(Some(PublicUrl::localhost(81)), PublicUrl::parse("http://localhost:81"));
    }

    #[test]
    fn database_urls() {
        let shown = |text| DatabaseUrl::read(&Raw::Text(text)).map(|url| url.to_string());
        for (text, masked) in [
            ("sqlite://./data/doorward.db", "sqlite://./data/doorward.db"),
            ("sqlite:///srv/a b.db", "sqlite:///srv/a b.db"),
            ("postgres://u:hunter2@h/d", "postgres://u:***@h/d"),
            ("postgresql://u:hun:t@er2@h1:5432,h2/d?sslmode=require", "postgresql://u:***@h1:5432,h2/d?sslmode=require"),
            ("postgres://u@h", "postgres://u@h"),
            ("postgres://u@h/d?password=hunter2", "postgres://u@h/d?password=***"),
            ("postgres://h?user=u&p%61ssword=hun=ter2&sslmode=require", "postgres://h?user=u&p%61ssword=***&sslmode=require"),
            ("postgres://u:hunter2@h/d?sslPassword=hunter2", "postgres://u:***@h/d?sslPassword=***"),
        ] {
            assert_eq!(shown(text), Ok(masked.to_owned()), "{text}");
        }
        for text in ["", "sqlite://", "sqlite::memory:", "sqlite://x?mode=ro", "mysql://u:hunter2@x", "data.db", "postgres://"] {
            assert_eq!(shown(text), Err(expected::<DatabaseUrl>()), "{text}");
        }
        let Ok(DatabaseUrl::Postgres(url)) = DatabaseUrl::read(&Raw::Text("postgres://u:hunter2@h/d")) else {
            panic!("not read")
        };
        assert_eq!((url.reveal(), format!("{url:?}").as_str()), ("postgres://u:hunter2@h/d", "postgres://u:***@h/d"));
    }

    #[test]
    fn smtp_urls() {
        for (text, shown) in [
            ("smtp://localhost:1025", "smtp://localhost:1025"),
            ("smtp://[::1]:25", "smtp://[::1]:25"),
            ("smtp://u:p@mail?tls=required", "smtp://***@mail?tls=required"),
            ("smtp+starttls://:p@mail/name", "smtp+starttls://***@mail/name"),
            ("smtps://u%40x:p%2F@mail:465", "smtps://***@mail:465"),
        ] {
            let url = SmtpUrl::parse(text).expect(text);
            assert_eq!((url.to_string().as_str(), url.reveal()), (shown, text));
            assert_eq!(format!("{url:?}"), shown);
        }
        for text in ["", "mail:25", "http://mail", "smtp://", "smtp:mail", "hunter2"] {
            assert!(SmtpUrl::parse(text).is_none(), "{text}");
        }
    }
}
