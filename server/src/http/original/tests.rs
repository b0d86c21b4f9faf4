use axum::http::HeaderValue;

use super::*;

fn told(pairs: &[(&str, &str)]) -> Result<Original, Malformed> {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let name: HeaderName = name.parse().expect("a name");
        headers.append(name, HeaderValue::from_bytes(value.as_bytes()).expect("a value"));
    }
    read(&headers)
}

fn url(pairs: &[(&str, &str)]) -> Option<String> {
    let url = told(pairs).expect("well formed").url?;
    Some(format!("{}{}", url.origin, url.target))
}

const APP: [(&str, &str); 2] = [("x-forwarded-proto", "https"), ("x-forwarded-host", "App.example.org:443")];

#[test]
fn the_url_of_whoever_tells_all_of_it() {
    let caddy = [&APP[..], &[("x-forwarded-method", "GET"), ("x-forwarded-uri", "/a?b=c")]].concat();
    assert_eq!(url(&caddy).as_deref(), Some("https://app.example.org/a?b=c"));
    assert_eq!(url(&[("x-original-url", "http://app:8000/a?b")]).as_deref(), Some("http://app:8000/a?b"));
    assert_eq!(url(&APP), None);
    assert_eq!(url(&[("x-forwarded-uri", "/a")]), None);
    assert_eq!(url(&[]), None);
    let relays = |pairs: &[(&str, &str)]| told(pairs).expect("well formed").relays;
    assert_eq!(relays(&caddy), Some(Relays::Whole));
    assert_eq!(relays(&[("x-original-url", "http://app/")]), Some(Relays::Status));
    assert_eq!(relays(&APP), None);
}

#[test]
fn methods() {
    let safe = |method| told(&[("x-forwarded-method", method)]).map(|original| original.safe);
    for (method, expected) in [("GET", true), ("HEAD", true), ("POST", false), ("OPTIONS", false), ("M-SEARCH", false)] {
        assert_eq!(safe(method), Ok(expected), "{method}");
    }
    for method in ["", "get", "GET ", "GET,POST", "G\u{e9}T", "GET / HTTP/1.1"] {
        assert!(safe(method).is_err(), "{method:?}");
    }
    assert!(told(&[]).expect("well formed").safe);
}

#[test]
fn schemes_and_hosts() {
    for scheme in ["", "HTTPS", "ftp", "https,http", "https ", "javascript", "file"] {
        assert!(told(&[("x-forwarded-proto", scheme)]).is_err(), "{scheme:?}");
    }
    for host in ["app", "app.example.org:8443", "192.0.2.1", "[2001:db8::1]:99", "a_b.local"] {
        assert!(told(&[("x-forwarded-host", host)]).is_ok(), "{host:?}");
    }
    for host in [
        "",
        "a b",
        "a,b",
        "a/b",
        "a@b",
        "a\\b",
        "a%2eb",
        "a?b",
        "a#b",
        "a:b",
        "a:99999",
        "[::1",
        "a\tb",
        "\u{e9}",
        "http://a",
        ":80",
        "1.2.3.4.5",
    ] {
        assert!(told(&[("x-forwarded-host", host)]).is_err(), "{host:?}");
    }
}

#[test]
fn plain_targets() {
    for target in [
        "/",
        "/a/b.c/d..e/...",
        "/?",
        "/a?b=/../c",
        "/a//b",
        "/a%20b/%C3%A9",
        "/100%25",
        "/100%25/z",
        "/a;v=1/b",
        "/a?filter[x]={1}|2^3`4'\\",
        "/a?b=%2F%2e%25%0a",
        "/~a-b_c!$&'()*+,;=:@|^[]",
        "/a?b?c",
    ] {
        assert!(told(&[("x-forwarded-uri", target)]).is_ok(), "{target}");
    }
}

/// Path or query, it makes no difference in which header.
#[test]
fn ambiguous_targets() {
    for target in [
        "",
        "a",
        "*",
        "?",
        "//evil.example/",
        "http://app.example.org/",
        "/..",
        "/../a",
        "/a/..",
        "/a/../b",
        "/a/./b",
        "/.",
        "/a/..;/b",
        "/a/.;x/b",
        "/%2e%2e/a",
        "/%2E./a",
        "/a%2fb",
        "/a%5Cb",
        "/a\\b",
        "/a%00",
        "/a%0d%0aset-cookie:x",
        "/a%7f",
        "/a%252e%252e/b",
        "/a%25%32%65",
        "/%25zz%252e",
        "/a%2",
        "/a%",
        "/a%zz",
        "/a%+1",
        "/%c0%ae%c0%ae/a",
        "/%ff",
        "/a b",
        "/a\tb",
        "/a#b",
        "/a\"b",
        "/a<b",
        "/{a}",
        "/\u{e9}",
        "/a?b c",
        "/a?b#c",
        "/a?b%",
        "/a?b%zz",
        "/a?b%00",
        "/a?\u{e9}",
        "/a, /b",
    ] {
        let uri = told(&[("x-forwarded-uri", target)]);
        assert_eq!(uri, Err(Malformed("X-Forwarded-Uri is not one plain path and query")), "{target:?}");
        let whole = told(&[("x-original-url", &format!("http://app{target}"))]);
        assert_eq!(whole, Err(Malformed("X-Original-URL is not one plain URL")), "{target:?}");
    }
}

#[test]
fn whole_urls() {
    for text in
        ["", "/a", "app/a", "//app/a", "ftp://app/a", "http:/app/a", "http:///a", "http://app", "http://u@app/", "http://app:x/"]
    {
        assert!(told(&[("x-original-url", text)]).is_err(), "{text:?}");
    }
}

#[test]
fn twice_is_refused_even_if_it_is_the_same() {
    for (name, value) in [
        ("x-forwarded-method", "GET"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "app"),
        ("x-forwarded-uri", "/a"),
        ("x-original-url", "https://app/a"),
    ] {
        assert!(told(&[(name, value)]).is_ok(), "{name}");
        assert!(told(&[(name, value), (name, value)]).is_err(), "{name}");
    }
}

#[test]
fn contradictions_are_refused() {
    let with = |name, value| told(&[("x-original-url", "https://app.example.org/a"), (name, value)]);
    for (name, right, wrong) in [
        ("x-forwarded-proto", "https", "http"),
        ("x-forwarded-host", "APP.example.org:443", "app.example.org:80"),
        ("x-forwarded-uri", "/a", "/b"),
    ] {
        assert!(with(name, right).is_ok(), "{name}");
        assert_eq!(with(name, wrong), Err(Malformed("X-Original-URL and X-Forwarded-* do not name the same URL")), "{name}");
    }
}
