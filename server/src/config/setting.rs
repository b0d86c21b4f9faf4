//! One value of the configuration: how it is read from a file or from text, and how it is shown.

use std::net::SocketAddr;
use std::path::PathBuf;

use toml::de::DeValue;

use super::duration::{NotASpan, Span};

/// A value as a layer gives it.
#[derive(Debug)]
pub enum Raw<'a> {
    /// From the file, where it has a type.
    Toml(&'a DeValue<'a>),
    /// From the environment or a flag, where all is text.
    Text(&'a str),
}

impl<'a> Raw<'a> {
    /// A TOML string, or any text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Toml(DeValue::String(text)) => Some(text),
            Self::Toml(_) => None,
            Self::Text(text) => Some(text),
        }
    }

    /// A TOML array of strings, or text with commas between.
    #[must_use]
    pub fn list(&'a self) -> Option<Vec<&'a str>> {
        match self {
            Self::Toml(DeValue::Array(items)) => items.iter().map(|item| item.get_ref().as_str()).collect(),
            Self::Toml(_) => None,
            Self::Text(text) => Some(text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect()),
        }
    }

    fn boolean(&self) -> Option<bool> {
        match self {
            Self::Toml(DeValue::Boolean(value)) => Some(*value),
            Self::Toml(_) => None,
            Self::Text(text) => text.parse().ok(),
        }
    }

    fn integer(&self) -> Option<u64> {
        match self {
            Self::Toml(DeValue::Integer(value)) => u64::from_str_radix(value.as_str(), value.radix()).ok(),
            Self::Toml(_) => None,
            Self::Text(text) => text.parse().ok(),
        }
    }
}

/// A type that a key of the configuration can have.
pub trait Setting: Sized {
    /// What is expected, to stand after the word "expected".
    const FORM: &'static str;

    /// Reads it.
    ///
    /// # Errors
    /// What would be right, in words for people; never the value, for it may be a secret.
    fn read(raw: &Raw<'_>) -> Result<Self, String>;

    /// The value as TOML; secrets masked.
    fn show(&self) -> toml::Value;
}

/// The usual complaint.
#[must_use]
pub fn expected<T: Setting>() -> String {
    format!("expected {}", T::FORM)
}

/// Reads what has a text form.
///
/// # Errors
/// As [`Setting::read`].
pub fn from_text<T: Setting>(raw: &Raw<'_>, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, String> {
    raw.text().and_then(parse).ok_or_else(expected::<T>)
}

impl Setting for bool {
    const FORM: &'static str = "true or false";

    fn read(raw: &Raw<'_>) -> Result<Self, String> {
        raw.boolean().ok_or_else(expected::<Self>)
    }

    fn show(&self) -> toml::Value {
        (*self).into()
    }
}

macro_rules! whole_number {
    ($($kind:ty),*) => {$(
        impl Setting for $kind {
            const FORM: &'static str = "a whole number, not negative";

            fn read(raw: &Raw<'_>) -> Result<Self, String> {
                raw.integer().and_then(|n| n.try_into().ok()).ok_or_else(expected::<Self>)
            }

            fn show(&self) -> toml::Value {
                i64::try_from(*self).unwrap_or(i64::MAX).into()
            }
        }
    )*};
}

whole_number!(u8, u32, usize);

impl Setting for Span {
    const FORM: &'static str = "a number with a unit (ms, s, m, h, d, w), such as \"10m\"";

    fn read(raw: &Raw<'_>) -> Result<Self, String> {
        from_text(raw, |text| text.parse::<Self>().map_err(|NotASpan| ()).ok())
    }

    fn show(&self) -> toml::Value {
        self.to_string().into()
    }
}

impl Setting for SocketAddr {
    const FORM: &'static str = "an IP address and a port, such as \"127.0.0.1:8080\" or \"[::]:8080\"";

    fn read(raw: &Raw<'_>) -> Result<Self, String> {
        from_text(raw, |text| text.parse().ok())
    }

    fn show(&self) -> toml::Value {
        self.to_string().into()
    }
}

impl Setting for PathBuf {
    const FORM: &'static str = "a path";

    fn read(raw: &Raw<'_>) -> Result<Self, String> {
        from_text(raw, |text| (!text.is_empty() && !text.contains('\0')).then(|| text.into()))
    }

    fn show(&self) -> toml::Value {
        self.to_string_lossy().into_owned().into()
    }
}

/// A key that may be left out; an empty text says the same, so that the environment can take a value away.
impl<T: Setting> Setting for Option<T> {
    const FORM: &'static str = T::FORM;

    fn read(raw: &Raw<'_>) -> Result<Self, String> {
        if raw.text() == Some("") { Ok(None) } else { T::read(raw).map(Some) }
    }

    fn show(&self) -> toml::Value {
        self.as_ref().map_or_else(|| "".into(), Setting::show)
    }
}
