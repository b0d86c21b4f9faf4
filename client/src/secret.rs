//! Secrets on their way out.

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serializer;

use crate::error::Invalid;

/// For `serde(serialize_with)`: a secret is written into the body of a request and nowhere else.
pub(crate) fn expose<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

/// As [`expose`], for members that may be left out.
pub(crate) fn expose_some<S: Serializer>(secret: &Option<SecretString>, serializer: S) -> Result<S::Ok, S::Error> {
    match secret {
        Some(secret) => expose(secret, serializer),
        None => serializer.serialize_none(),
    }
}

/// A header that neither this crate nor those below it print.
pub(crate) fn header(name: &'static str, value: &str) -> Result<HeaderValue, Invalid> {
    let told = |_| Invalid::new(name, "a header cannot carry this value");
    let mut value = HeaderValue::from_bytes(value.as_bytes()).map_err(told)?;
    value.set_sensitive(true);
    Ok(value)
}

/// `Bearer …` (RFC 6750).
pub(crate) fn bearer(token: &SecretString) -> Result<HeaderValue, Invalid> {
    header("authorization", &format!("Bearer {}", token.expose_secret()))
}
