//! Parameters that travel as headers.

use axum::http::HeaderMap;

use super::error::Failure;

/// The value of a header that may be there once.
///
/// # Errors
/// [`Failure::Malformed`] when it is there twice, or is not UTF-8.
pub(super) fn optional<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, Failure> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Failure::Malformed(format!("the header `{name}` is given twice")));
    }
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => Ok(Some(text.trim()).filter(|text| !text.is_empty())),
        Err(_) => Err(Failure::Malformed(format!("the header `{name}` is not UTF-8"))),
    }
}

/// The value of a header that must be there once.
///
/// # Errors
/// As [`optional`], and when it is missing or empty.
pub(super) fn required<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, Failure> {
    optional(headers, name)?.ok_or_else(|| Failure::Malformed(format!("the header `{name}` is missing")))
}
