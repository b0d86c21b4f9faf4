//! Parameters that travel as headers.

use axum::http::HeaderMap;

use super::error::Failure;

/// The value of a header that may be there once, without the spaces around it.
///
/// # Errors
/// [`Failure::Malformed`] when it is there twice, or is not UTF-8.
fn once<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, Failure> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Failure::Malformed(format!("the header `{name}` is given twice")));
    }
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => Ok(Some(text.trim())),
        Err(_) => Err(Failure::Malformed(format!("the header `{name}` is not UTF-8"))),
    }
}

/// As [`present`], but `None` when it is missing, and when it is empty.
///
/// # Errors
/// [`Failure::Malformed`] when it is there twice, or is not UTF-8.
pub(super) fn optional<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, Failure> {
    Ok(once(headers, name)?.filter(|text| !text.is_empty()))
}

/// The value of a header that must be there once, but may be empty.
///
/// # Errors
/// [`Failure::Malformed`] when it is missing, there twice, or not UTF-8.
pub(super) fn present<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, Failure> {
    once(headers, name)?.ok_or_else(|| missing(name))
}

/// The value of a header that must be there once, and not be empty.
///
/// # Errors
/// As [`present`], and when it is empty.
pub(super) fn required<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, Failure> {
    optional(headers, name)?.ok_or_else(|| missing(name))
}

fn missing(name: &'static str) -> Failure {
    Failure::Malformed(format!("the header `{name}` is missing"))
}
