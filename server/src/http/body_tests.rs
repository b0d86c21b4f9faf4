use axum::http::HeaderValue;
use proptest::prelude::*;

use super::*;

#[derive(Debug, Deserialize, PartialEq)]
struct Inner {
    #[serde(rename = "clientDataJSON")]
    data: String,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Login {
    email: String,
    password: String,
    inner: Option<Inner>,
    tries: Option<u8>,
}

fn login(email: &str, password: &str) -> Login {
    Login { email: email.to_owned(), password: password.to_owned(), inner: None, tries: None }
}

fn headers(values: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in values {
        headers.append(*name, HeaderValue::from_static(value));
    }
    headers
}

fn shape(text: &str) -> BodyError {
    BodyError::Shape(text.to_owned())
}

#[test]
fn json() {
    for text in [
        r#"{"email":"a","password":"hunter2"}"#,
        r#" {"extra":[{"x":null},1e5,-1,true],"password":"hunter2","email":"a","inner":null} "#,
    ] {
        assert_eq!(parse_json(text.as_bytes()), Ok(login("a", "hunter2")), "{text}");
    }
    assert_eq!(parse_json(br#"{"email":"\u0000","password":"\u0000"}"#), Ok(login("\0", "\0")));
    for (text, error) in [
        ("", BodyError::Empty),
        (" \r\n", BodyError::Empty),
        ("null", shape("the body must be a JSON object")),
        (r#"["a","hunter2",null,null]"#, shape("the body must be a JSON object")),
        (r#""hunter2""#, shape("the body must be a JSON object")),
        ("{}", shape("field `email` is missing")),
        (r#"{"email":"hunter2"}"#, shape("field `password` is missing")),
        (r#"{"email":"a","password":31337}"#, shape("field `password` must be a string")),
        (r#"{"email":"a","password":["hunter2"]}"#, shape("field `password` must be a string")),
        (r#"{"email":{"hunter2":1},"password":"a"}"#, shape("field `email` must be a string")),
        (r#"{"email":"a","password":null}"#, shape("field `password` must be a string")),
        (r#"{"email":"a","password":"b","inner":{}}"#, shape("field `clientDataJSON` is missing in `inner`")),
        (r#"{"email":"a","password":"b","inner":{"clientDataJSON":7}}"#, shape("field `inner.clientDataJSON` must be a string")),
        (r#"{"email":"a","password":"b","tries":", expected hunter2"}"#, shape("field `tries` must be a whole number")),
        (r#"{"email":"a","password":"b","inner":"hunter2"}"#, shape("field `inner` must be an object")),
        (r#"{"email":"a","password":"b","tries":999}"#, shape("field `tries` has a wrong value")),
        (r#"{"email":"a","password":"b","password":"c"}"#, shape("a field is given twice")),
        (r#"{"email":"a","password":"b","x":[{"y":1,"y":2}]}"#, shape("a field is given twice")),
        (r#"{"email":"a","\u0065mail":"b","password":"c"}"#, shape("a field is given twice")),
    ] {
        assert_eq!(parse_json::<Login>(text.as_bytes()), Err(error), "{text}");
    }
    for text in [
        "hunter2",
        "{",
        r#"{"email":"a","password":"hunter2"#,
        r#"{"email":"a","password":"b"} hunter2"#,
        "{'email':'hunter2'}",
        "\u{feff}{}",
        "{\"email\":\"a\0\"}",
        "{\"email\":NaN}",
    ] {
        match parse_json::<Login>(text.as_bytes()) {
            Err(BodyError::Syntax(words)) => assert!(words.starts_with("not JSON: ") && !words.contains("hunter2"), "{words}"),
            other => panic!("{text}: {other:?}"),
        }
    }
    assert!(matches!(parse_json::<Login>(b"{\"email\":\"\xff\",\"password\":\"b\"}"), Err(BodyError::Syntax(_))));
    for deep in ["[".repeat(60_000), r#"{"a":"#.repeat(10_000)] {
        assert!(matches!(parse_json::<Login>(deep.as_bytes()), Err(BodyError::Syntax(_))));
    }
}

#[test]
fn forms() {
    assert_eq!(parse_form(b"email=a%40b&password=x+y%2B&z=1"), Ok(login("a@b", "x y+")));
    assert_eq!(parse_form("email=é&password=%00".as_bytes()), Ok(login("é", "\0")));
    for (text, error) in [
        (&b""[..], BodyError::Empty),
        (b"email=a", shape("field `password` is missing")),
        (b"hunter2", shape("field `email` is missing")),
        (b"email=a&email=a&password=b", shape("a field is given twice")),
        (b"email=a&password=%ff", BodyError::Syntax("the form is not UTF-8".to_owned())),
        (b"email=a&password=b&tries=7", shape("field `tries` must be a whole number")),
    ] {
        assert_eq!(parse_form::<Login>(text), Err(error), "{text:?}");
    }
}

#[tokio::test]
async fn content_types() {
    use Untyped::{Accept, Refuse};
    let json = r#"{"email":"a","password":"b"}"#;
    let form = "email=a&password=b";
    let all = |values: &'static [&'static str]| headers(&values.iter().map(|value| ("content-type", *value)).collect::<Vec<_>>());
    for (types, untyped, body, json_fine, either_fine) in [
        (&["application/json"][..], Refuse, json, true, true),
        (&["Application/JSON; charset=utf-8"], Refuse, json, true, true),
        (&["application/problem+json"], Refuse, json, true, true),
        (&[], Accept, json, true, true),
        (&[], Refuse, json, false, false),
        (&["text/plain"], Accept, json, false, false),
        (&["text/json"], Refuse, json, false, false),
        (&[""], Accept, json, false, false),
        (&["application/jsonp"], Refuse, json, false, false),
        (&["application/json", "application/json"], Refuse, json, false, false),
        (&["application/x-www-form-urlencoded"], Refuse, form, false, true),
    ] {
        let headers = all(types);
        let only = read_json::<Login>(&headers, Body::from(body), 100, untyped).await;
        let either = read_json_or_form::<Login>(&headers, Body::from(body), 100, untyped).await;
        let right = |fine| if fine { Ok(login("a", "b")) } else { Err(BodyError::ContentType) };
        assert_eq!((only, either), (right(json_fine), right(either_fine)), "{types:?}");
    }
    assert_eq!(read_form(&all(&["application/x-www-form-urlencoded"]), Body::from(form), 100).await, Ok(login("a", "b")));
    assert_eq!(read_form::<Login>(&all(&["application/json"]), Body::from(json), 100).await, Err(BodyError::ContentType));
    assert_eq!(read_form::<Login>(&all(&[]), Body::from(form), 100).await, Err(BodyError::ContentType));
}

/// A body of `frames` frames of 1 KiB that counts those taken from it, and breaks at its end if told so.
fn stream(frames: usize, taken: &std::sync::Arc<std::sync::atomic::AtomicUsize>, breaks: bool) -> Body {
    let taken = std::sync::Arc::clone(taken);
    let end = breaks.then(|| Err(std::io::Error::other("gone")));
    let items = (0..frames).map(move |_| {
        taken.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Ok(Bytes::from_static(&[b'x'; 1024]))
    });
    Body::from_stream(futures_util::stream::iter(items.chain(end)))
}

#[tokio::test]
async fn limits() {
    let none = HeaderMap::new();
    assert_eq!(collect(&none, Body::from("12345"), 5).await.as_deref(), Ok(&b"12345"[..]));
    assert_eq!(collect(&none, Body::from("123456"), 5).await, Err(BodyError::TooLarge));
    assert_eq!(collect(&none, Body::empty(), 5).await.as_deref(), Ok(&b""[..]));
    let taken = std::sync::Arc::default();
    let count = || std::sync::atomic::AtomicUsize::swap(&taken, 0, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(collect(&none, stream(4, &taken, true), 65_536).await, Err(BodyError::Broken));
    assert_eq!(count(), 4);
    assert_eq!(collect(&none, stream(1_000_000, &taken, false), 1024).await, Err(BodyError::TooLarge));
    assert_eq!(count(), 2);
    let announced = headers(&[("content-length", "2000")]);
    assert_eq!(collect(&announced, stream(2, &taken, false), 1024).await, Err(BodyError::TooLarge));
    assert_eq!(count(), 0);
}

proptest! {
    #[test]
    fn never_panics_and_never_quotes(bytes in prop::collection::vec(any::<u8>(), 0..200), secret in "[a-z]{12}") {
        let _ = parse_json::<Login>(&bytes);
        let _ = parse_form::<Login>(&bytes);
        let text = format!(r#"{{"email":["{secret}"],"password":"{secret}"}}"#);
        let words = parse_json::<Login>(text.as_bytes()).map_err(|error| error.to_string());
        prop_assert!(!words.unwrap_err().contains(&secret));
    }
}
