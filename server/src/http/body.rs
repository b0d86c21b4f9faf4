//! Request bodies: JSON and forms, within a limit, strictly, and with complaints that hold none of the body's values.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use http_body_util::BodyExt as _;
use serde::Deserialize;
use serde::de::{DeserializeOwned, MapAccess, SeqAccess, Visitor};

/// What to make of a request that does not say what its body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Untyped {
    /// An error.
    Refuse,
    /// Take it for JSON.
    Accept,
}

/// Why a body was not taken. The texts name fields and forms, never values: they may be told to the caller and logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// `Content-Type` is missing, given twice, or not one that is read here.
    ContentType,
    /// There is no body.
    Empty,
    /// It is not JSON, or not a form; where and why.
    Syntax(String),
    /// It is well-formed, but a field is missing, given twice or of a wrong type; which.
    Shape(String),
    /// It is longer than the limit.
    TooLarge,
    /// The connection broke before its end.
    Broken,
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ContentType => f.write_str("the content type is not one that is read here"),
            Self::Empty => f.write_str("the body is empty"),
            Self::Syntax(text) | Self::Shape(text) => f.write_str(text),
            Self::TooLarge => f.write_str("the body is too large"),
            Self::Broken => f.write_str("the body broke off"),
        }
    }
}

impl std::error::Error for BodyError {}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Json,
    Form,
}

/// Reads a JSON body: `application/json` or any `+json`, with or without parameters. Members not asked for are ignored.
///
/// # Errors
/// [`BodyError`].
pub async fn read_json<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
    untyped: Untyped,
) -> Result<T, BodyError> {
    read(headers, body, limit, untyped, &[Kind::Json]).await
}

/// Reads an `application/x-www-form-urlencoded` body. All values are text.
///
/// # Errors
/// [`BodyError`].
pub async fn read_form<T: DeserializeOwned>(headers: &HeaderMap, body: Body, limit: usize) -> Result<T, BodyError> {
    read(headers, body, limit, Untyped::Refuse, &[Kind::Form]).await
}

/// Reads either, as the content type says.
///
/// # Errors
/// [`BodyError`].
pub async fn read_json_or_form<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
    untyped: Untyped,
) -> Result<T, BodyError> {
    read(headers, body, limit, untyped, &[Kind::Json, Kind::Form]).await
}

/// A body that is too large is that first, of whatever type it is.
async fn read<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
    untyped: Untyped,
    taken: &[Kind],
) -> Result<T, BodyError> {
    let kind = kind(headers, untyped);
    let bytes = collect(headers, body, limit).await?;
    match kind? {
        kind if !taken.contains(&kind) => Err(BodyError::ContentType),
        Kind::Json => parse_json(&bytes),
        Kind::Form => parse_form(&bytes),
    }
}

/// A client that sends nothing for so long has broken off. Shorter than a request may take, so that it is told so.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The bytes of a body, at most `limit` of them held at any time.
///
/// # Errors
/// [`BodyError::TooLarge`] or [`BodyError::Broken`].
pub async fn collect(headers: &HeaderMap, mut body: Body, limit: usize) -> Result<Bytes, BodyError> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(BodyError::TooLarge);
    }
    let mut kept = Vec::new();
    while let Some(frame) = tokio::time::timeout(LONGEST_PAUSE, body.frame()).await.map_err(|_| BodyError::Broken)? {
        let Ok(data) = frame.map_err(|_| BodyError::Broken)?.into_data() else { continue };
        if kept.len() + data.len() > limit {
            return Err(BodyError::TooLarge);
        }
        kept.extend_from_slice(&data);
    }
    Ok(kept.into())
}

fn kind(headers: &HeaderMap, untyped: Untyped) -> Result<Kind, BodyError> {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let value = match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().map_err(|_| BodyError::ContentType)?,
        (None, _) if untyped == Untyped::Accept => return Ok(Kind::Json),
        _ => return Err(BodyError::ContentType),
    };
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "application/json" => Ok(Kind::Json),
        "application/x-www-form-urlencoded" => Ok(Kind::Form),
        other if other.starts_with("application/") && other.ends_with("+json") => Ok(Kind::Json),
        _ => Err(BodyError::ContentType),
    }
}

/// Reads JSON from bytes: one object, no name twice in any object.
///
/// # Errors
/// [`BodyError::Empty`], [`BodyError::Syntax`] or [`BodyError::Shape`].
pub fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, BodyError> {
    let first = bytes.iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).ok_or(BodyError::Empty)?;
    serde_json::from_slice::<NoNameTwice>(bytes).map_err(|error| malformed(&error))?;
    // A derived struct would also be read from an array, by position.
    if *first != b'{' {
        return Err(BodyError::Shape("the body must be a JSON object".to_owned()));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    shaped(serde_path_to_error::deserialize(&mut reader))
}

/// Reads a form from bytes: UTF-8, no name twice.
///
/// # Errors
/// [`BodyError::Empty`], [`BodyError::Syntax`] or [`BodyError::Shape`].
pub fn parse_form<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, BodyError> {
    if bytes.is_empty() {
        return Err(BodyError::Empty);
    }
    let mut fields = serde_json::Map::new();
    for (name, value) in url::form_urlencoded::parse(bytes) {
        // Decoding puts this character where the bytes are no UTF-8; nobody types it.
        if name.contains('\u{fffd}') || value.contains('\u{fffd}') {
            return Err(BodyError::Syntax("the form is not UTF-8".to_owned()));
        }
        if fields.insert(name.into_owned(), value.into_owned().into()).is_some() {
            return Err(BodyError::Shape("a field is given twice".to_owned()));
        }
    }
    shaped(serde_path_to_error::deserialize(serde_json::Value::Object(fields)))
}

/// Where JSON is wrong. The reader's own words quote nothing in errors of syntax.
fn malformed(error: &serde_json::Error) -> BodyError {
    if error.is_data() {
        return BodyError::Shape("a field is given twice".to_owned());
    }
    BodyError::Syntax(format!("not JSON: {error}"))
}

fn shaped<T>(outcome: Result<T, serde_path_to_error::Error<serde_json::Error>>) -> Result<T, BodyError> {
    outcome.map_err(|error| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-[]".contains(c);
        let path = Some(error.path().to_string()).filter(|path| path != "." && path.len() <= 100 && path.chars().all(plain));
        BodyError::Shape(complaint(path.as_deref(), &error.inner().to_string()))
    })
}

/// The reader's words without the value that they quote: only what was missing, or what was expected.
fn complaint(path: Option<&str>, words: &str) -> String {
    let words = words.rsplit_once(" at line ").map_or(words, |(head, _)| head);
    if let Some(name) = words.strip_prefix("missing field ") {
        let inside = path.map(|path| format!(" in `{path}`")).unwrap_or_default();
        return format!("field {name} is missing{inside}");
    }
    let field = path.map_or_else(|| "a field".to_owned(), |path| format!("field `{path}`"));
    let typed = words.starts_with("invalid type: ") || words.starts_with("invalid length ");
    match words.rsplit_once(", expected ").filter(|_| typed) {
        Some((_, form)) => format!("{field} must be {}", plainly(form)),
        None => format!("{field} has a wrong value"),
    }
}

/// What serde calls a form, for people who do not write Rust.
fn plainly(form: &str) -> &str {
    let number = form.strip_prefix(['u', 'i']).is_some_and(|bits| bits.parse::<u8>().is_ok() || bits == "size");
    match form {
        _ if number => "a whole number",
        _ if form.starts_with("struct ") || form == "a map" => "an object",
        "a sequence" => "a list",
        "a boolean" => "true or false",
        other => other,
    }
}

/// Any JSON in which no object has a name twice: two readers of such a body could see two bodies.
struct NoNameTwice;

impl<'de> Deserialize<'de> for NoNameTwice {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for NoNameTwice {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self, A::Error> {
        let mut names = BTreeSet::new();
        while let Some((name, _)) = members.next_entry::<String, Self>()? {
            if !names.insert(name) {
                return Err(serde::de::Error::custom("a name twice"));
            }
        }
        Ok(self)
    }
}

#[cfg(test)]
#[path = "body_tests.rs"]
mod tests;
