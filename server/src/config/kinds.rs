//! Smaller kinds of values.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use lettre::message::Mailbox;

use super::setting::{Raw, Setting, expected, from_text};
use crate::locale::Language;

/// Networks in CIDR form; never the whole Internet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// Whether `address` is in one of them. An IPv4 address inside an IPv6 one counts as the IPv4 address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Setting for Networks {
    const FORM: &'static str = "a list of networks such as [\"10.1.0.0/16\", \"fd00::/8\"]";

    fn read(raw: &Raw<'_>) -> Result<Self, String> {
        let items = raw.list().ok_or_else(expected::<Self>)?;
        let network = |text: &str| {
            text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from)).map(|network: IpNet| network.trunc())
        };
        let networks: Vec<IpNet> = items.into_iter().map(network).collect::<Option<_>>().ok_or_else(expected::<Self>)?;
        if networks.iter().any(|network| network.prefix_len() == 0) {
            return Err(
                "a network of all addresses would let anybody name any address; name your proxies' own networks".to_owned()
            );
        }
        Ok(Self(networks))
    }

    fn show(&self) -> toml::Value {
        toml::Value::Array(self.0.iter().map(|network| network.to_string().into()).collect())
    }
}

impl Setting for Mailbox {
    const FORM: &'static str = "an e-mail address, such as \"Doorward <login@example.org>\"";

    fn read(raw: &Raw<'_>) -> Result<Self, String> {
        from_text(raw, |text| if text.contains(char::is_control) { None } else { text.parse().ok() })
    }

    fn show(&self) -> toml::Value {
        self.to_string().into()
    }
}

/// The name of the service: one line of 1 to 64 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceName(String);

impl ServiceName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for ServiceName {
    fn default() -> Self {
        Self("doorward".to_owned())
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Setting for ServiceName {
    const FORM: &'static str = "a name of 1 to 64 characters on one line";

    fn read(raw: &Raw<'_>) -> Result<Self, String> {
        from_text(raw, |text| {
            let fits = !text.trim().is_empty() && text.chars().count() <= 64 && !text.contains(char::is_control);
            fits.then(|| Self(text.trim().to_owned()))
        })
    }

    fn show(&self) -> toml::Value {
        self.0.clone().into()
    }
}

impl Setting for Language {
    const FORM: &'static str = "\"en\" or \"de\"";

    fn read(raw: &Raw<'_>) -> Result<Self, String> {
        from_text(raw, |text| Self::ALL.into_iter().find(|language| language.tag() == text))
    }

    fn show(&self) -> toml::Value {
        self.tag().into()
    }
}

/// The directives that say which log lines are written (`tracing-subscriber`'s `EnvFilter`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFilter(String);

impl LogFilter {
    /// The directives.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for LogFilter {
    fn default() -> Self {
        Self("info".to_owned())
    }
}

impl Setting for LogFilter {
    const FORM: &'static str =
        "a level (error, warn, info, debug, trace, off) or directives such as \"info,doorward::access=off\"";

    fn read(raw: &Raw<'_>) -> Result<Self, String> {
        from_text(raw, |text| {
            let parsed = tracing_subscriber::EnvFilter::builder().parse(text);
            // A lone word that is no level would be taken for the name of a module and silence everything.
            let level =
                |part: &str| part.contains(['=', '[', ':']) || part.parse::<tracing_subscriber::filter::LevelFilter>().is_ok();
            (parsed.is_ok() && !text.is_empty() && text.split(',').all(level)).then(|| Self(text.to_owned()))
        })
    }

    fn show(&self) -> toml::Value {
        self.0.clone().into()
    }
}

/// Writes an enum whose values are words.
macro_rules! words {
    ($(#[$about:meta])+ $name:ident, $form:literal { $($(#[$attribute:meta])+ $variant:ident = $word:literal,)+ }) => {
        $(#[$about])+
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub enum $name {
            $( $(#[$attribute])+ $variant, )+
        }

        impl Setting for $name {
            const FORM: &'static str = $form;

            fn read(raw: &Raw<'_>) -> Result<Self, String> {
                from_text(raw, |text| match text {
                    $( $word => Some(Self::$variant), )+
                    _ => None,
                })
            }

            fn show(&self) -> toml::Value {
                match self { $( Self::$variant => $word.into(), )+ }
            }
        }
    };
}

words! {
    /// How log lines are written.
    LogFormat, "\"auto\", \"text\" or \"json\"" {
        /// Text if standard error is a terminal, JSON otherwise.
        #[default]
        Auto = "auto",
        /// A line for people.
        Text = "text",
        /// One JSON object a line.
        Json = "json",
    }
}

words! {
    /// Which header the trusted proxies write the client's address into. The other is ignored: a proxy passes on what it does not know.
    ForwardedHeader, "\"x-forwarded-for\" or \"forwarded\"" {
        /// `X-Forwarded-For`.
        #[default]
        XForwardedFor = "x-forwarded-for",
        /// `Forwarded` (RFC 7239).
        Forwarded = "forwarded",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks() {
        let read = |text| Networks::read(&Raw::Text(text));
        let some = read("10.1.2.3/8, fd00::/8,192.0.2.7").expect("networks");
        assert_eq!(some.show().to_string(), r#"["10.0.0.0/8", "fd00::/8", "192.0.2.7/32"]"#);
        for (address, inside) in
            [("10.200.0.1", true), ("::ffff:10.0.0.1", true), ("11.0.0.1", false), ("fd00::1", true), ("192.0.2.8", false)]
        {
            assert_eq!(some.contains(address.parse().expect(address)), inside, "{address}");
        }
        assert_eq!(read(""), Ok(Networks::default()));
        for text in ["0.0.0.0/0", "::/0", "10.0.0.0/33", "example.org", "10.0.0.0/8;fd00::/8"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn filters() {
        let read = |text| LogFilter::read(&Raw::Text(text));
        for text in ["info", "warn,doorward::access=off", "off", "debug,hyper=info"] {
            assert!(read(text).is_ok(), "{text}");
        }
        for text in ["", "inof", "info,loud", "doorward=loud"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn names() {
        let read = |text| ServiceName::read(&Raw::Text(text));
        assert_eq!(read(" Acme login ").expect("a name").as_str(), "Acme login");
        for text in ["", "  ", "a\nb", &"x".repeat(65)] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
