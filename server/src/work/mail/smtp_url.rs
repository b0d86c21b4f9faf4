//! The URL of an SMTP server; its forms are listed at [`super::transport::Transport::from_url`].

use std::fmt;
use std::str::FromStr;

use secrecy::SecretString;
use url::Url;

/// How the connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Security {
    /// Not at all.
    Plain,
    /// By STARTTLS if the server offers it.
    Opportunistic,
    /// By STARTTLS, or no delivery.
    StartTls,
    /// From the first byte (RFC 8314).
    Tls,
}

/// A parsed URL.
#[derive(Clone, Debug)]
pub(super) struct SmtpUrl {
    /// Name or address, without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
    pub(super) login: Option<(String, SecretString)>,
    /// The name given in EHLO.
    pub(super) hello: Option<String>,
}

/// Without user and password.
impl fmt::Display for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let security = match self.security {
            Security::Plain => "not encrypted",
            Security::Opportunistic => "STARTTLS if offered",
            Security::StartTls => "STARTTLS",
            Security::Tls => "TLS",
        };
        write!(f, "{} port {} ({security})", self.host, self.port)
    }
}

/// No message repeats a part of the input: a mistyped URL has its password anywhere.
impl FromStr for SmtpUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url = Url::parse(text.trim())
            .map_err(|error| format!("not a URL: {error}; expected smtp://, smtp+starttls:// or smtps://"))?;
        let security = security(&url)?;
        if url.fragment().is_some() {
            return Err("a \"#\" has no meaning here; in a password write it as %23".to_owned());
        }
        let default = match security {
            Security::Plain => 25,
            Security::Opportunistic | Security::StartTls => 587,
            Security::Tls => 465,
        };
        Ok(Self { host: host(&url)?, port: url.port().unwrap_or(default), security, login: login(&url)?, hello: hello(&url)? })
    }
}

fn security(url: &Url) -> Result<Security, String> {
    let mut asked = None;
    for (key, value) in url.query_pairs() {
        if key != "tls" || asked.is_some() {
            return Err("the only parameter is tls, once; in a password write \"?\" as %3F".to_owned());
        }
        asked = Some(value.into_owned());
    }
    match (url.scheme(), asked.as_deref()) {
        ("smtp", None) => Ok(Security::Plain),
        ("smtp", Some("opportunistic")) => Ok(Security::Opportunistic),
        ("smtp" | "smtp+starttls", Some("required")) | ("smtp+starttls", None) => Ok(Security::StartTls),
        ("smtps", None) => Ok(Security::Tls),
        ("smtp", Some(_)) => Err("tls is either \"required\" or \"opportunistic\"".to_owned()),
        ("smtp+starttls" | "smtps", Some(_)) => {
            Err("the scheme already says how it is encrypted: leave the tls parameter out".to_owned())
        }
        _ => Err("the scheme must be smtp, smtp+starttls or smtps".to_owned()),
    }
}

fn host(url: &Url) -> Result<String, String> {
    let host = url.host_str().unwrap_or_default();
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return Ok(address.to_owned());
    }
    let fit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    if host.is_empty() || !host.bytes().all(fit) {
        return Err(
            "the URL names no server, or one of odd characters; in a password write \"@\" as %40 and \"/\" as %2F".to_owned()
        );
    }
    Ok(host.to_ascii_lowercase())
}

fn login(url: &Url) -> Result<Option<(String, SecretString)>, String> {
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        ("", Some(_)) => Err("there is a password but no user before it".to_owned()),
        (_, None | Some("")) => Err("there is a user but no password".to_owned()),
        (user, Some(password)) => Ok(Some((decode(user)?, SecretString::from(decode(password)?)))),
    }
}

fn hello(url: &Url) -> Result<Option<String>, String> {
    let name = url.path().trim_matches('/');
    let fit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    match name {
        "" => Ok(None),
        _ if name.bytes().all(fit) => Ok(Some(name.to_owned())),
        _ => Err("what follows the server is not a host name for EHLO; in a password write \"/\" as %2F".to_owned()),
    }
}

fn decode(encoded: &str) -> Result<String, String> {
    let problem = || "user and password must be percent-encoded UTF-8; write \"%\" as %25".to_owned();
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut bytes = encoded.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        let (high, low) = (digit(bytes.next()).ok_or_else(problem)?, digit(bytes.next()).ok_or_else(problem)?);
        decoded.push(u8::try_from(high * 16 + low).map_err(|_| problem())?);
    }
    String::from_utf8(decoded).map_err(|_| problem())
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret as _;

    #[test]
    fn urls_that_are_right() {
        let table = [
            ("smtp://localhost", "localhost port 25 (not encrypted)", None, None),
            ("smtp://127.0.0.1:2525/", "127.0.0.1 port 2525 (not encrypted)", None, None),
            ("smtp://[::1]:2525", "::1 port 2525 (not encrypted)", None, None),
            ("smtp://mail.example?tls=opportunistic", "mail.example port 587 (STARTTLS if offered)", None, None),
            ("smtp://Mail.Example?tls=required", "mail.example port 587 (STARTTLS)", None, None),
            ("smtp+starttls://u:p@mail.example", "mail.example port 587 (STARTTLS)", Some(("u", "p")), None),
            ("smtp+starttls://mail.example:25?tls=required", "mail.example port 25 (STARTTLS)", None, None),
            (
                "SMTPS://a%40b.example:p%2Fw%3A%25+%C3%A9@mail.example/ehlo.example",
                "mail.example port 465 (TLS)",
                Some(("a@b.example", "p/w:%+é")),
                Some("ehlo.example"),
            ),
        ];
        for (text, shown, login, hello) in table {
            let url: SmtpUrl = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(url.to_string(), shown, "{text}");
            assert_eq!(url.login.as_ref().map(|(user, password)| (user.as_str(), password.expose_secret())), login, "{text}");
            assert_eq!(url.hello.as_deref(), hello, "{text}");
        }
    }

    #[test]
    fn urls_that_are_wrong_are_explained_without_their_password() {
        let table = [
            "",
            "S3CRET",
            "http://u:S3CRET@mail.example",
            "smtp://",
            "smtp:S3CRET",
            "smtp://u:S3CRET@",
            "smtp://u:S3CRET@mail.example:99999",
            "smtp://u:S3CRET@mail.example?tls=yes",
            "smtp://u:x@mail.example?tls=required&S3CRET",
            "smtps://u:S3CRET@mail.example?tls=required",
            "smtp+starttls://u:S3CRET@mail.example?tls=opportunistic",
            "smtp://u:S3/CRET@mail.example",
            "smtp://u:1/S3CRET@mail.example",
            "smtp://u:1#S3CRET@mail.example",
            "smtp://u:1?S3CRET@mail.example",
            "smtp://u:S3CRET%zz@mail.example",
            "smtp://u:S3CRET%ff@mail.example",
            "smtp://S3CRET@mail.example",
            "smtp://:S3CRET@mail.example",
            "smtp://u:@mail.example",
            "smtp://mail.example/S3CRET@x",
            "smtp://u:p@S3CRET%20x",
        ];
        for text in table {
            let error = text.parse::<SmtpUrl>().map(|url| url.to_string()).expect_err(text);
            assert!(!error.contains("S3") && !error.contains("CRET"), "{text}: {error}");
        }
        let debug = format!("{:?}", "smtp://u:S3CRET@mail.example".parse::<SmtpUrl>());
        assert!(!debug.contains("S3CRET"), "{debug}");
    }
}
