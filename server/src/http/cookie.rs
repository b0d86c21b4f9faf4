//! Session cookies (RFC 6265): reading every candidate, writing one, clearing one.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};
use smallvec::SmallVec;

/// Our own cookie over https; browsers take it only with `Secure`, `Path=/` and no `Domain`.
pub const HOST: &str = "__Host-doorward";

/// Our own cookie over plain http.
pub const PLAIN: &str = "doorward";

/// The name that the API of Kalshi prescribes.
pub const SESSIONS: &str = "sessions";

/// More than this nobody holds honestly; each costs a lookup.
const MOST_CANDIDATES: usize = 4;

/// The name of our own cookie.
#[must_use]
pub const fn own_name(https: bool) -> &'static str {
    if https { HOST } else { PLAIN }
}

/// Values of session cookies.
pub type Values<'a> = SmallVec<[&'a str; MOST_CANDIDATES]>;

/// The values of all session cookies of a request, our own name's first, then [`SESSIONS`]; each once, at most four. Over https a
/// plain `doorward` is not read: a neighbouring host could have set it.
#[must_use]
pub fn candidates(headers: &HeaderMap, https: bool) -> Values<'_> {
    values(headers, &[own_name(https), SESSIONS])
}

/// As [`candidates`], for pages: over https our own name's alone. A neighbouring host can set [`SESSIONS`] for the whole domain, and whoever is
/// led to a page of ours would act in the account of whoever set it.
#[must_use]
pub fn for_pages(headers: &HeaderMap, https: bool) -> Values<'_> {
    if https { values(headers, &[HOST]) } else { candidates(headers, https) }
}

fn values<'a>(headers: &'a HeaderMap, names: &[&str]) -> Values<'a> {
    let mut found = Values::new();
    for value in names.iter().flat_map(|name| named(headers, name)) {
        if found.len() < MOST_CANDIDATES && !found.contains(&value) {
            found.push(value);
        }
    }
    found
}

/// The values of the cookies of this name that are visible ASCII, without their quotes, none of them empty.
fn named<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(header::COOKIE).iter();
    // One unreadable cookie must not hide the others: foreign scripts set what they like. The name first: most are of others.
    let pieces = lines.flat_map(|line| pieces(line.as_bytes()));
    pieces.filter_map(move |piece| {
        let value = piece.trim_ascii_start().strip_prefix(name.as_bytes())?.trim_ascii_start().strip_prefix(b"=")?.trim_ascii();
        let bare = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(value);
        let bare = std::str::from_utf8(bare).ok().filter(|text| text.is_ascii())?;
        (!bare.is_empty()).then_some(bare)
    })
}

/// What is between semicolons.
fn pieces(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ends = memchr::memchr_iter(b';', line).chain(std::iter::once(line.len()));
    ends.scan(0, |start, end| Some(&line[std::mem::replace(start, end + 1)..end]))
}

/// A `Set-Cookie` that opens a session. `token` must be of letters, digits, `-` and `_`, as all our tokens are; `None` otherwise.
/// `Max-Age` is in whole seconds.
#[must_use]
pub fn session_cookie(name: &str, token: &str, https: bool, max_age: Duration) -> Option<HeaderValue> {
    let safe = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    let line = line(name, token, https, max_age.as_secs());
    let mut value = safe.then(|| HeaderValue::from_str(&line).ok())??;
    value.set_sensitive(true);
    Some(value)
}

/// A `Set-Cookie` that takes the cookie away.
#[must_use]
pub fn clearing_cookie(name: &str, https: bool) -> Option<HeaderValue> {
    HeaderValue::from_str(&line(name, "", https, 0)).ok()
}

/// The name of a cookie beside the session's, under the same rules: over https a neighbouring host cannot set it.
#[must_use]
pub fn aside_name(base: &str, https: bool) -> String {
    if https { format!("__Host-{base}") } else { base.to_owned() }
}

/// The first value of the cookie of this name.
#[must_use]
pub fn first<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    named(headers, name).next()
}

/// A `Set-Cookie` of a cookie beside the session's: gone with the browser, or after `max_age`. Values as of [`session_cookie`].
#[must_use]
pub fn aside_cookie(name: &str, value: &str, https: bool, max_age: Option<Duration>) -> Option<HeaderValue> {
    match max_age {
        Some(max_age) => session_cookie(name, value, https, max_age),
        None => {
            let kept = session_cookie(name, value, https, Duration::ZERO)?;
            let mut value = HeaderValue::from_str(&kept.to_str().ok()?.replacen("; Max-Age=0", "", 1)).ok()?;
            value.set_sensitive(true);
            Some(value)
        }
    }
}

fn line(name: &str, value: &str, https: bool, max_age: u64) -> String {
    let secure = if https { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&[u8]], https: bool) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::COOKIE, HeaderValue::from_bytes(line).expect("a value"));
        }
        candidates(&headers, https).into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn reads_all_candidates() {
        assert_eq!(read(&[], false), [""; 0]);
        assert_eq!(read(&[b"doorward=a"], false), ["a"]);
        assert_eq!(read(&[b"doorward=a"], true), [""; 0]);
        assert_eq!(read(&[b"__Host-doorward=a; doorward=b; sessions=c"], true), ["a", "c"]);
        assert_eq!(read(&[b"__Host-doorward=a; doorward=b; sessions=c"], false), ["b", "c"]);
        assert_eq!(read(&[b"sessions=c; x=y;doorward=\"a\"", b"doorward=b"], false), ["a", "b", "c"]);
        assert_eq!(read(&[b"doorward=a; doorward=a; sessions=a"], false), ["a"]);
        assert_eq!(
            read(&[b"doorward=1; doorward=2; doorward=3; doorward=4; doorward=5; sessions=6"], false),
            ["1", "2", "3", "4"]
        );
        assert_eq!(read(&[b"doorward=; doorward=\"\"; =a; doorward; ;;"], false), [""; 0]);
        assert_eq!(read(&[b"\xff=\xfe; sessions=c; doorward=\xff"], false), ["c"]);
        assert_eq!(read(&["é=1".as_bytes(), b"Doorward=a; sessions=a=b"], false), ["a=b"]);
    }

    #[test]
    fn writes() {
        let day = Duration::from_secs(86_400);
        let text = |value: Option<HeaderValue>| value.map(|value| value.to_str().expect("ASCII").to_owned());
        assert_eq!(
            text(session_cookie(HOST, "aB-_9", true, day)).as_deref(),
            Some("__Host-doorward=aB-_9; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax; Secure")
        );
        assert_eq!(
            text(session_cookie(SESSIONS, "a", false, day)).as_deref(),
            Some("sessions=a; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax")
        );
        assert_eq!(text(clearing_cookie(PLAIN, false)).as_deref(), Some("doorward=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"));
        for token in ["", "a b", "a;b", "a\r\nb", "é", "a=b"] {
            assert_eq!(session_cookie(PLAIN, token, false, day), None, "{token:?}");
        }
        let aside = aside_name("doorward-form", true);
        assert_eq!(
            text(aside_cookie(&aside, "aB", true, None)).as_deref(),
            Some("__Host-doorward-form=aB; Path=/; HttpOnly; SameSite=Lax; Secure")
        );
        assert_eq!(text(aside_cookie("x", "a", false, Some(day))), text(session_cookie("x", "a", false, day)));
        assert_eq!(aside_cookie("x", "a;b", false, None), None);
        let cookie = session_cookie(PLAIN, "secret", false, day);
        assert!(!format!("{cookie:?}").contains("secret"));
    }
}
