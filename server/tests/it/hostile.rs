//! Every endpoint against what nobody should send: the answer is that dialect's own error, and nothing changes.

use serde_json::{Value, json};

use super::app::{Application, PASSWORD, TestApp};
use super::reply::{Ask, Reply};

/// Method, path, whether it takes a body, and how its dialect's errors look.
type Endpoint = (&'static str, &'static str, bool, fn(&Reply));

const ENDPOINTS: &[Endpoint] = &[
    ("POST", "/v1/log_in", true, kalshi),
    ("POST", "/v1/log_out", false, kalshi),
    ("POST", "/v1/passwords/reset", true, kalshi),
    ("PUT", "/v1/passwords/reset/x/confirm", true, kalshi),
    ("POST", "/trade-api/v2/login", true, kalshi),
    ("POST", "/trade-api/v2/logout", false, kalshi),
    ("POST", "/api/v1/auth/login", true, kraken),
    ("GET", "/api/v1/auth/logout", false, kraken),
    ("GET", "/api/v1/auth/test", false, kraken),
    ("POST", "/api/v1/auth/startRegister", false, kraken),
    ("POST", "/api/v1/auth/finishRegister", true, kraken),
    ("POST", "/api/v1/auth/startAuth", false, kraken),
    ("POST", "/api/v1/auth/finishAuth", true, kraken),
    ("POST", "/api/v1/reset-password", true, kestra),
    ("POST", "/api/v1/invitation/accept/x", false, kestra),
    ("POST", "/api/v1/invitation/create/x", true, kestra),
    ("POST", "/login", true, kestra),
    ("POST", "/apim/session/1.0/session/login/userid", true, kotak),
    ("POST", "/apim/session/1.0/session/2FA/accesscode", true, kotak),
    ("POST", "/apim/session/1.0/session/2FA/oneTimeToken", true, kotak),
    ("DELETE", "/apim/session/1.0/session/logout", false, kotak),
    ("POST", "/auth/v1/sign-in/password", true, native),
    ("POST", "/auth/v1/sign-in/code", true, native),
    ("POST", "/auth/v1/sign-in/code/request", true, native),
    ("GET", "/auth/v1/session", false, native),
    ("GET", "/auth/v1/forward", false, native),
    ("DELETE", "/auth/v1/session", false, native),
    ("GET", "/auth/v1/sessions", false, native),
    ("DELETE", "/auth/v1/sessions", false, native),
    ("DELETE", "/auth/v1/sessions/x", false, native),
    ("POST", "/auth/v1/password", true, native),
    ("POST", "/auth/v1/recovery", true, native),
    ("POST", "/auth/v1/recovery/confirm", true, native),
    ("GET", "/auth/v1/keys", false, native),
    ("POST", "/auth/v1/keys", true, native),
    ("POST", "/auth/v1/keys/start", false, native),
    ("PATCH", "/auth/v1/keys/x", true, native),
    ("DELETE", "/auth/v1/keys/x", false, native),
    ("POST", "/auth/v1/second-factor/start", false, native),
    ("POST", "/auth/v1/second-factor", true, native),
    ("POST", "/auth/v1/second-factor/totp", true, native),
    ("GET", "/auth/v1/totp", false, native),
    ("POST", "/auth/v1/totp", true, native),
    ("DELETE", "/auth/v1/totp", false, native),
    ("POST", "/auth/v1/totp/start", false, native),
    ("POST", "/auth/v1/invitations/inspect", true, native),
    ("POST", "/auth/v1/invitations/accept", true, native),
    ("POST", "/auth/v1/invitations/account", true, native),
    ("GET", "/admin/v1/users", false, native),
    ("POST", "/admin/v1/users", true, native),
    ("GET", "/admin/v1/users/x", false, native),
    ("DELETE", "/admin/v1/users/x", false, native),
    ("POST", "/admin/v1/users/x/disable", false, native),
    ("POST", "/admin/v1/users/x/enable", false, native),
    ("GET", "/admin/v1/invitations", false, native),
    ("POST", "/admin/v1/invitations", true, native),
    ("DELETE", "/admin/v1/invitations/x", false, native),
    ("GET", "/admin/v1/applications", false, native),
    ("POST", "/admin/v1/applications", true, native),
    ("DELETE", "/admin/v1/applications/x", false, native),
    ("GET", "/admin/v1/sessions", false, native),
    ("DELETE", "/admin/v1/sessions/x", false, native),
    ("GET", "/admin/v1/mail", false, native),
    ("GET", "/admin/v1/mail/x", false, native),
    ("GET", "/admin/v1/audit", false, native),
];

#[track_caller]
fn kalshi(reply: &Reply) {
    let body = reply.json();
    for name in ["code", "message", "details", "service"] {
        assert!(body[name].is_string(), "{}", reply.snapshot());
        assert!(reply.headers.contains_key(name), "{}", reply.snapshot());
    }
}

#[track_caller]
fn kraken(reply: &Reply) {
    assert!(reply.json()["status_code"].is_u64() && reply.json()["message"].is_string(), "{}", reply.snapshot());
}

#[track_caller]
fn kestra(reply: &Reply) {
    let body = reply.json();
    assert!(body["message"].is_string(), "{}", reply.snapshot());
    assert!(body["_embedded"]["errors"][0]["message"].is_string(), "{}", reply.snapshot());
}

#[track_caller]
fn kotak(reply: &Reply) {
    let fault = &reply.json()["fault"];
    assert!(fault["code"].is_u64() && fault["message"].is_string() && fault["description"].is_string(), "{}", reply.snapshot());
}

#[track_caller]
fn native(reply: &Reply) {
    assert_eq!(reply.headers["content-type"], "application/problem+json", "{}", reply.snapshot());
    let body = reply.json();
    assert!(body["type"].is_string() && body["title"].is_string(), "{}", reply.snapshot());
    assert_eq!(body["status"], json!(reply.status.as_u16()), "{}", reply.snapshot());
}

/// A refusal in the dialect's words; never a fault.
#[track_caller]
fn refused(what: &str, reply: &Reply, in_words: fn(&Reply)) {
    assert!(reply.status.is_client_error(), "{what}: {}", reply.snapshot());
    in_words(reply);
}

fn ask(application: &Application, method: &str, path: &str) -> Ask {
    let ask = Ask::new(method, path);
    if !path.starts_with("/apim") {
        return ask;
    }
    application.sign(ask).header("userid", "ann").header("oneTimeToken", "x").header("sessionToken", "x")
}

fn bodies() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let json = "application/json";
    let deep = "[".repeat(100_000);
    let wide = json!({"email": "x".repeat(1 << 20), "password": PASSWORD}).to_string();
    let wrong = json!({
        "email": 1, "username": [], "identifier": {}, "password": null, "token": true, "userid": 1.5, "accessCode": {}, "code": [],
        "user_id": 7, "id": 0, "firstName": 1, "lastName": 2, "first_name": 3, "name": 4, "current_password": 1, "new_password": 1,
        "credential": "x", "one_time_token_suffices": "x",
    });
    let doubled = r#"{"email":"a@b.c","email":"ann@example.com","username":"a","username":"b","identifier":"a","identifier":"b","token":"a","token":"b",
        "id":"a","id":"b","userid":"a","userid":"b","name":"a","name":"b","credential":{},"credential":{},"code":"a","code":"b","password":"x",
        "current_password":"a","current_password":"b","new_password":"x","email":"x"}"#;
    vec![
        ("empty", json, vec![]),
        ("not JSON", json, b"hello".to_vec()),
        ("half", json, br#"{"email":"#.to_vec()),
        ("an array", json, b"[]".to_vec()),
        ("a string", json, b"\"x\"".to_vec()),
        ("null", json, b"null".to_vec()),
        ("a number", json, b"1e999".to_vec()),
        ("no fields", json, b"{}".to_vec()),
        ("wrong types", json, wrong.to_string().into_bytes()),
        ("fields twice", json, doubled.as_bytes().to_vec()),
        ("deep", json, deep.into_bytes()),
        ("deep objects", json, "{\"a\":".repeat(20_000).into_bytes()),
        ("a mebibyte", json, wide.into_bytes()),
        ("not UTF-8", json, vec![b'{', 0xff, 0xfe, b'}']),
        ("only NULs", json, vec![0; 64]),
        ("a lone surrogate", json, br#"{"email":"\ud800","password":"\udfff"}"#.to_vec()),
        ("no such type", "text/plain", br#"{"email":"ann@example.com","password":"x"}"#.to_vec()),
        ("an XML type", "application/xml", b"<x/>".to_vec()),
        ("a broken type", ";;;", b"{}".to_vec()),
    ]
}

#[tokio::test]
async fn malformed_bodies() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let application = app.application(false, &[]).await;
    let before = app.audit().await.len();
    for (method, path, takes_body, in_words) in ENDPOINTS.iter().filter(|endpoint| endpoint.2) {
        assert!(takes_body);
        for (what, kind, body) in bodies() {
            let reply = app.send(ask(&application, method, path).raw(kind, body)).await;
            refused(&format!("{what} to {method} {path}"), &reply, *in_words);
        }
        let reply = app.send(ask(&application, method, path)).await;
        refused(&format!("nothing to {method} {path}"), &reply, *in_words);
    }
    // Nothing was tried, for nothing could be read.
    assert_eq!(app.audit().await.len(), before);
    app.sign_in("ann", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn wrong_methods_and_unknown_paths() {
    let app = TestApp::new().await;
    let application = app.application(false, &[]).await;
    for (method, path, _, in_words) in ENDPOINTS {
        for other in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let served = ENDPOINTS.iter().any(|(known, known_path, ..)| known == &other && known_path == path);
            if other == *method || served {
                continue;
            }
            let reply = app.send(ask(&application, other, path)).await;
            refused(&format!("{other} {path}"), &reply, *in_words);
        }
        let reply = app.send(ask(&application, method, &format!("{path}/and/more"))).await;
        refused(&format!("{method} below {path}"), &reply, *in_words);
    }
}

#[tokio::test]
async fn path_parameters() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let token = app.token("ann").await;
    let long = "x".repeat(8_000);
    let spoiled =
        ["%00", "%ff%fe", "%2e%2e%2f", "%0d%0aset-cookie:x", "a%20b", "%F0%9F%90%98", "..;", long.as_str(), "%25%30%30"];
    for parameter in spoiled {
        let kalshi_ask =
            Ask::put(format!("/v1/passwords/reset/{parameter}/confirm")).json(&json!({"password": PASSWORD, "user_id": "x"}));
        refused(parameter, &app.send(kalshi_ask).await, kalshi);
        let account = json!({"firstName": "N", "lastName": "O", "password": PASSWORD});
        let create = Ask::post(format!("/api/v1/invitation/create/{parameter}")).json(&account);
        refused(parameter, &app.send(create).await, kestra);
        let accept = Ask::post(format!("/api/v1/invitation/accept/{parameter}")).cookie("doorward", &token);
        refused(parameter, &app.send(accept).await, kestra);
        let code = app.send(Ask::get(format!("/api/v1/request-code/{parameter}"))).await;
        assert!(code.status == 200 || code.status.is_client_error(), "{parameter}: {}", code.snapshot());
        let forgotten = app.send(Ask::get(format!("/api/v1/forgotten-password?username={parameter}"))).await;
        assert!(forgotten.status == 200 || forgotten.status.is_client_error(), "{parameter}: {}", forgotten.snapshot());
        refused(parameter, &app.send(Ask::delete(format!("/auth/v1/sessions/{parameter}")).bearer(&token)).await, native);
    }
    assert!(app.mails("ann").await.is_empty());
}

#[tokio::test]
async fn extra_fields_change_nothing() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let extra: Value = json!({
        "email": "ann@example.com", "username": "ann", "identifier": "ann", "password": PASSWORD, "role": "admin", "user_id": "x", "admin": true,
    });
    for path in ["/v1/log_in", "/trade-api/v2/login", "/api/v1/auth/login", "/login", "/auth/v1/sign-in/password"] {
        let token = app.send(Ask::post(path).json(&extra)).await.expect(200);
        let token = token.cookie().unwrap_or_else(|| token.at("/token"));
        assert_eq!(app.session(&token).await.expect(200).json()["user"]["role"], json!("member"), "{path}");
    }
}

#[tokio::test]
async fn strange_names_are_nobody() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let long = "a".repeat(30_000);
    for name in [
        "",
        " ",
        "\u{0}",
        "ann\u{0}",
        "a@b@c",
        "' OR 1=1 --",
        "%",
        "ann%",
        "\u{202e}nna",
        "*",
        long.as_str(),
        "ann@example.com\u{0}",
    ] {
        for path in ["/api/v1/auth/login", "/login", "/auth/v1/sign-in/password"] {
            let body = json!({"username": name, "identifier": name, "password": PASSWORD});
            let reply = app.send(Ask::post(path).json(&body)).await;
            assert!(reply.status.is_client_error() && reply.cookie().is_none(), "{name:?} at {path}: {}", reply.snapshot());
        }
    }
}

#[tokio::test]
async fn switched_off_dialects_are_not_there() {
    for (dialect, path) in [
        ("kalshi", "/v1/log_in"),
        ("kraken", "/api/v1/auth/login"),
        ("kestra", "/login"),
        ("kotak", "/apim/session/1.0/session/login/userid"),
        ("native", "/auth/v1/sign-in/password"),
    ] {
        let app = TestApp::with(&[(&format!("dialects.{dialect}"), "false")]).await;
        app.user("ann").await;
        let body = json!({"email": "ann@example.com", "username": "ann", "identifier": "ann", "password": PASSWORD});
        app.send(Ask::post(path).json(&body)).await.expect(404);
    }
}

#[tokio::test]
async fn who_is_not_signed_in_is_told_so_whatever_they_send() {
    let app = TestApp::new().await;
    app.user_with_key("ann").await;
    let half = app.token("ann").await;
    let needs_a_session = [
        ("POST", "/auth/v1/password"),
        ("POST", "/auth/v1/keys"),
        ("PATCH", "/auth/v1/keys/x"),
        ("POST", "/auth/v1/totp"),
        ("POST", "/auth/v1/invitations/accept"),
    ];
    for (method, path) in needs_a_session {
        for body in ["{", "{}", "[]"] {
            let ask = || Ask::new(method, path).raw("application/json", body);
            app.send(ask()).await.expect(401);
            let owed = app.send(ask().bearer(&half)).await.expect(401);
            assert!(owed.at("/type").contains("second-factor"), "{}", owed.snapshot());
        }
    }
    app.send(Ask::post("/auth/v1/second-factor").raw("application/json", "{")).await.expect(401);
    app.send(Ask::post("/auth/v1/second-factor").raw("application/json", "{").bearer(&half)).await.expect(400);
}

/// What is wrong with a head, the head after its request line, and the status where the dialect has no one status for all.
fn heads() -> Vec<(&'static str, Vec<u8>, u16)> {
    let host = "Host: localhost\r\n";
    let head = |rest: String| format!("{rest}\r\n").into_bytes();
    vec![
        ("too large", head(format!("{host}X: {}\r\n", "x".repeat(70_000))), 431),
        ("too many headers", head(format!("{host}{}", "X: y\r\n".repeat(101))), 431),
        ("two lengths", head(format!("{host}Content-Length: 1\r\nContent-Length: 2\r\n")), 400),
        ("another coding", head(format!("{host}Transfer-Encoding: gzip\r\n")), 400),
        ("a NUL", head(format!("{host}X: a\0b\r\n")), 400),
        ("no name", head(format!("{host}: x\r\n")), 400),
        ("no host", head("Connection: close\r\n".to_owned()), 400),
        ("two hosts", head(format!("{host}{host}Connection: close\r\n")), 400),
        ("no such host", head("Host: a b\r\nConnection: close\r\n".to_owned()), 400),
    ]
}

/// Every answer has them.
#[track_caller]
fn dressed(what: &str, reply: &Reply) {
    for name in ["x-request-id", "x-content-type-options", "referrer-policy", "cache-control", "x-frame-options"] {
        assert_eq!(reply.headers.get_all(name).iter().count(), 1, "{what}: {name}: {reply:?}");
    }
}

#[tokio::test]
async fn heads_that_cannot_be_read() {
    let app = TestApp::new().await;
    let before = app.audit().await.len();
    for (method, path, _, in_words) in ENDPOINTS {
        for (what, rest, status) in heads() {
            let what = format!("{what} to {method} {path}");
            let head = [format!("{method} {path} HTTP/1.1\r\n").into_bytes(), rest].concat();
            let reply = app.send_bytes(head).await;
            refused(&what, &reply, *in_words);
            let own = ["/auth/v1", "/admin/v1"].iter().any(|prefix| path.starts_with(prefix));
            assert_eq!(reply.status, if own { status } else { 400 }, "{what}");
            dressed(&what, &reply);
        }
    }
    assert_eq!(app.audit().await.len(), before);
    // Each is counted under its dialect, and none under a route: no router has seen it.
    let line = r#"doorward_http_requests_total{dialect="kraken",method="POST",route="other",status="4xx"} 45"#;
    let metrics = app.metrics().await;
    assert!(metrics.contains(line), "{metrics}");
    for (text, status) in [("nonsense\r\n\r\n", 400), ("GET /nowhere\0 HTTP/1.1\r\n\r\n", 400)] {
        let reply = app.send_bytes(text.into()).await.expect(status);
        assert_eq!(reply.headers["content-type"], "application/problem+json");
        assert_eq!(reply.json()["status"], json!(status));
        dressed(text, &reply);
    }
    kestra(&app.send_bytes(b"GET /api/v1/nothing HTTP/1.1\r\nConnection: close\r\n\r\n".to_vec()).await.expect(400));
    app.send_bytes(b"GET /reset?code=s3cret HTTP/1.1\r\nConnection: close\r\n\r\n".to_vec()).await.expect(400);
    app.send_bytes(b"GET /health/ready HTTP/1.1\r\nConnection: close\r\n\r\n".to_vec()).await.expect(400);
    app.send_bytes(b"GET /health/ready HTTP/1.0\r\n\r\n".to_vec()).await.expect(200);
    let metrics = app.metrics().await;
    assert!(metrics.contains(r#"{dialect="kestra",method="GET",route="other",status="4xx"} 1"#), "{metrics}");
    assert!(metrics.contains(r#"{dialect="pages",method="GET",route="other",status="4xx"} 1"#), "{metrics}");
}
