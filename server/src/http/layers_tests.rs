use axum::body::Body;
use axum::routing::get;
use tower::ServiceExt as _;

use super::super::call::Caller;
use super::super::call::tests::edge;
use super::*;
use crate::log::tests::Memory;

fn words() -> Words {
    Words::new(
        || (StatusCode::INTERNAL_SERVER_ERROR, "oops").into_response(),
        || (StatusCode::GATEWAY_TIMEOUT, "late").into_response(),
        HeadError::into_response,
    )
}

fn app(entropy: bool) -> (Front, Metrics) {
    let inner = Router::new()
        .route("/who/{code}", get(async |Caller(call): Caller| call.origin.dialect))
        .route("/panic", get(async || -> &'static str { panic!("on purpose") }))
        .route("/late", get(async || -> &'static str { std::future::pending().await }))
        .route("/cached", get(async || [(header::CACHE_CONTROL, "max-age=60")]));
    let outer = Router::new().route("/panic-outside", get(async || -> &'static str { panic!("on purpose") }));
    let around = Around { name: "kestra", limit: Duration::from_millis(1), words: words(), admit: everybody };
    let metrics = Metrics::new(|_| ());
    let refuse = Arc::new(|_: &str, error: HeadError| error.into_response());
    let at_once =
        |path, answer: fn() -> Option<Response>| AtOnce { path, dialect: "kestra", answer: Box::new(move |_, _| answer()) };
    let at_once = vec![
        at_once("/k/who/now", || Some("at once".into_response())),
        at_once("/k/cached", || None),
        at_once("/k/panic", || panic!("on purpose")),
    ];
    (Front::new(outer.nest("/k", dialect(inner, around)), edge(entropy), metrics.clone(), refuse, at_once), metrics)
}

async fn send(front: Front, method: &str, path: &str) -> (u16, String, HeaderMap) {
    let request =
        Request::builder().method(method).uri(path).header("x-request-id", "mine").body(Body::empty()).expect("a request");
    let response = front.oneshot(request).await.expect("an answer");
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, 1000).await.expect("a body");
    (parts.status.as_u16(), String::from_utf8(bytes.to_vec()).expect("UTF-8"), parts.headers)
}

#[tokio::test]
async fn answers_in_the_right_words() {
    let (router, metrics) = app(true);
    for (method, path, status, body) in [
        ("GET", "/k/who/s3cret?email=a@b", 200, "kestra"),
        ("GET", "/k/who/now?s3cret", 200, "at once"),
        ("HEAD", "/k/who/now", 200, ""),
        ("GET", "/k/panic", 500, "oops"),
        ("GET", "/k/late", 504, "late"),
        ("GET", "/panic-outside", 500, ""),
        ("GET", "/nowhere/s3cret", 404, ""),
        ("POST", "/k/panic", 405, ""),
        ("BREW", "/k/who/s3cret", 405, ""),
    ] {
        let memory = Memory::listen(false);
        let (found, text, headers) = send(router.clone(), method, path).await;
        assert_eq!((found, text.as_str()), (status, body), "{path}");
        assert_eq!(headers[REQUEST_ID], "07".repeat(16), "{path}");
        for (name, value) in SECURITY {
            assert_eq!(headers[&name], value, "{path} {name}");
        }
        let lines = memory.take();
        assert!(!lines.contains("s3cret") && !lines.contains("a@b"), "{lines}");
        assert!(
            lines.contains(&format!("status={status} ")) && lines.contains(&format!("request={}", "07".repeat(16))),
            "{lines}"
        );
    }
    let text = metrics.encode().expect("text");
    for (labels, count) in [
        (r#"dialect="kestra",method="GET",route="/k/who/{code}",status="2xx""#, 1),
        (r#"dialect="kestra",method="GET",route="/k/who/now",status="2xx""#, 1),
        (r#"dialect="kestra",method="OTHER",route="/k/who/{code}",status="4xx""#, 1),
        (r#"dialect="none",method="GET",route="other",status="4xx""#, 1),
    ] {
        assert!(text.contains(&format!("doorward_http_requests_total{{{labels}}} {count}\n")), "{labels} in\n{text}");
    }
    assert!(!text.contains("s3cret"));
}

#[tokio::test]
async fn a_handlers_own_header_stays() {
    assert_eq!(send(app(true).0, "GET", "/k/cached").await.2[header::CACHE_CONTROL], "max-age=60");
}

#[tokio::test]
async fn without_entropy_nothing_is_served() {
    assert_eq!(send(app(false).0, "GET", "/k/who/1").await.0, 500);
}
