//! The `Authorization` header (RFC 9110 section 11.6.2, RFC 6750), in the forms that the dialects know.

use axum::http::{HeaderMap, header};

/// What an `Authorization` header carries. Not yet checked in any way.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Bearer<'a> {
    /// Whether the scheme `Bearer` was named; the standard asks for it, some clients leave it out.
    pub scheme: bool,
    /// A user id before the token, as clients of one API send it.
    pub user_id: Option<&'a str>,
    /// The token.
    pub token: &'a str,
}

impl<'a> Bearer<'a> {
    /// The token, if it came as the standard says: `Bearer <token>`.
    #[must_use]
    pub const fn standard(self) -> Option<&'a str> {
        if self.scheme && self.user_id.is_none() { Some(self.token) } else { None }
    }
}

/// Never prints the token.
impl std::fmt::Debug for Bearer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bearer").field("scheme", &self.scheme).field("user_id", &self.user_id.is_some()).finish_non_exhaustive()
    }
}

/// There is an `Authorization` header, but not one of the known forms, or more than one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// Reads the one `Authorization` header: `Bearer <token>`, `<token>`, `Bearer <user_id> <token>` or `<user_id> <token>`. `None` if there
/// is no such header. A caller that gets [`Malformed`] must refuse, and not look for a cookie instead.
///
/// # Errors
/// [`Malformed`].
pub fn authorization(headers: &HeaderMap) -> Result<Option<Bearer<'_>>, Malformed> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Malformed);
    }
    if let Some(token) = plainly(value.as_bytes()) {
        return Ok(Some(Bearer { scheme: true, user_id: None, token }));
    }
    // Visible ASCII and spaces only; a tab or a byte above is in no token.
    let text = value.to_str().ok().filter(|text| !text.contains('\t')).ok_or(Malformed)?;
    let mut words = text.split(' ').filter(|word| !word.is_empty());
    let words = [words.next(), words.next(), words.next(), words.next()];
    let (scheme, words) = match words {
        [Some(first), second, third, None] if first.eq_ignore_ascii_case("bearer") => (true, [second, third, None]),
        [first, second, third, None] => (false, [first, second, third]),
        _ => return Err(Malformed),
    };
    match words {
        [Some(token), None, None] => Ok(Some(Bearer { scheme, user_id: None, token })),
        [Some(user_id), Some(token), None] => Ok(Some(Bearer { scheme, user_id: Some(user_id), token })),
        _ => Err(Malformed),
    }
}

/// The token, where it came as nearly all do: `Bearer`, a space and one word. Seen without looking for words in all of it.
fn plainly(value: &[u8]) -> Option<&str> {
    let token = value.strip_prefix(b"Bearer ").filter(|token| !token.is_empty() && token.iter().all(u8::is_ascii_graphic))?;
    std::str::from_utf8(token).ok()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(values: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, HeaderValue::from_bytes(value).expect("a value"));
        }
        headers
    }

    #[test]
    fn reads() {
        for (value, scheme, user_id, token) in [
            ("Bearer abc", true, None, "abc"),
            ("bEARER  abc ", true, None, "abc"),
            ("abc", false, None, "abc"),
            ("Bearer u-1 abc", true, Some("u-1"), "abc"),
            ("u-1 abc", false, Some("u-1"), "abc"),
            ("Basic dTpw", false, Some("Basic"), "dTpw"),
            ("Bearer Bearer", true, None, "Bearer"),
        ] {
            let headers = headers(&[value.as_bytes()]);
            let bearer = authorization(&headers).expect("well formed").expect("there");
            assert_eq!((bearer.scheme, bearer.user_id, bearer.token), (scheme, user_id, token), "{value}");
            assert_eq!(bearer.standard().is_some(), scheme && user_id.is_none(), "{value}");
            assert!(!format!("{bearer:?}").contains("abc"));
        }
        assert_eq!(authorization(&headers(&[])), Ok(None));
    }

    #[test]
    fn refuses() {
        for values in [
            &[&b""[..]][..],
            &[b"Bearer"],
            &[b"Bearer "],
            &[b"Bearer a b c"],
            &[b"a b c"],
            &[b"a b c d e f g"],
            &[b"Bearer\tabc"],
            &[b"Bearer \xff\xfe"],
            &["Bearer é".as_bytes()],
            &[b"Bearer abc", b"Bearer abc"],
            &[b"", b"Bearer abc"],
        ] {
            assert_eq!(authorization(&headers(values)), Err(Malformed), "{values:?}");
        }
    }
}
