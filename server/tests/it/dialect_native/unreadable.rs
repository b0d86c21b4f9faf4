//! What cannot be read: bodies, paths, methods. The answer is a problem, nothing changes.

use serde_json::json;

use super::super::app::{PASSWORD, TestApp};
use super::super::reply::Ask;
use super::{ASSERTION, KEY, ask};

/// Every call with a body, with one that is right in form, and a member that must be there.
const WITH_BODY: [(&str, &str, &str, &str); 16] = [
    ("POST", "/auth/v1/sign-in/password", r#"{"identifier":"nobody","password":"b"}"#, "password"),
    ("POST", "/auth/v1/sign-in/code", r#"{"email":"a","code":"b"}"#, "code"),
    ("POST", "/auth/v1/sign-in/code/request", r#"{"email":"a"}"#, "email"),
    ("POST", "/auth/v1/second-factor", ASSERTION, "credential"),
    ("POST", "/auth/v1/second-factor/totp", r#"{"code":"a"}"#, "code"),
    ("POST", "/auth/v1/totp", r#"{"code":"a"}"#, "code"),
    ("POST", "/auth/v1/password", r#"{"current_password":"a","new_password":"b"}"#, "new_password"),
    ("POST", "/auth/v1/recovery", r#"{"identifier":"a"}"#, "identifier"),
    ("POST", "/auth/v1/recovery/confirm", r#"{"code":"a","password":"b"}"#, "code"),
    ("POST", "/auth/v1/keys", KEY, "credential"),
    ("PATCH", "/auth/v1/keys/0197b3a0-0000-7000-8000-000000000001", r#"{"name":"a"}"#, "name"),
    ("POST", "/auth/v1/invitations/inspect", r#"{"id":"a"}"#, "id"),
    ("POST", "/auth/v1/invitations/accept", r#"{"id":"a"}"#, "id"),
    ("POST", "/auth/v1/invitations/account", r#"{"id":"a","first_name":"","last_name":"","password":""}"#, "password"),
    ("POST", "/admin/v1/users", r#"{"username":"a","email":"a@b.c"}"#, "email"),
    ("POST", "/admin/v1/invitations", r#"{"email":"a@b.c"}"#, "email"),
];

#[tokio::test]
async fn bodies() {
    let app = TestApp::new().await;
    let token = app.administrator().await;
    let before = app.audit().await;
    for (method, path, right, member) in WITH_BODY {
        let send = |kind: &str, body: String| app.send(Ask::new(method, path).raw(kind, body).bearer(&token));
        let json = |body: &str| send("application/json", body.to_owned());
        let without = right.replace(&format!("\"{member}\":"), "\"other\":");
        let null = json!({member: null}).to_string();
        let number = json!({member: 7}).to_string();
        let list = json!({member: ["a"]}).to_string();
        let twice = format!("{},\"{member}\":\"x\"}}", &right[..right.len() - 1]);
        let deep = "[".repeat(20_000) + &"]".repeat(20_000);
        let deep_inside = format!("{{\"other\":{deep}}}");
        for body in [
            "",
            " ",
            "x",
            "{",
            "[]",
            "[{}]",
            "null",
            "7",
            "\"a\"",
            "{}",
            "\u{feff}{}",
            &without,
            &null,
            &number,
            &list,
            &twice,
            &deep,
            &deep_inside,
        ] {
            let problem = json(body).await.problem(400, "malformed-body");
            assert!(!problem["detail"].as_str().unwrap().is_empty(), "{path} {body:.40}");
        }
        for kind in
            ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "application/jsonx", "application/xml"]
        {
            send(kind, right.to_owned()).await.problem(415, "unsupported-media-type");
        }
        app.send(Ask::new(method, path).bearer(&token)).await.problem(415, "unsupported-media-type");
        let doubled = Ask::new(method, path).raw("application/json", right).header("content-type", "application/json");
        app.send(doubled.bearer(&token)).await.problem(415, "unsupported-media-type");
        for size in [65_537, 1 << 20, 3 << 20] {
            json(&format!("{{\"{member}\":\"{}\"}}", "x".repeat(size))).await.problem(413, "payload-too-large");
        }
        let latin = Ask::new(method, path).raw("application/json", b"{\"a\":\"\xff\"}".to_vec()).bearer(&token);
        app.send(latin).await.problem(400, "malformed-body");
    }
    assert_eq!(app.audit().await, before, "nothing was done");
    app.session(&token).await.expect(200);
}

#[tokio::test]
async fn complaints_hold_no_values() {
    let app = TestApp::new().await;
    for body in
        [r#"{"identifier":"s3cret","password":["s3cret"]}"#, r#"{"identifier":"s3cret","password":"s3cret""#, r#"{"s3cret":1}"#]
    {
        let reply = app.send(ask("POST", "/auth/v1/sign-in/password", body)).await.expect(400);
        assert!(!reply.text().contains("s3cret"), "{}", reply.text());
    }
}

#[tokio::test]
async fn extra_members_and_odd_types_of_json_are_fine() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let body = json!({"identifier": "ann", "password": PASSWORD, "role": "admin", "user": {"id": 1}}).to_string();
    for kind in ["application/json", "Application/JSON; charset=utf-8", "application/vnd.api+json"] {
        let reply = app.send(Ask::post("/auth/v1/sign-in/password").raw(kind, body.clone())).await.expect(200);
        assert_eq!(reply.at("/user/role"), "member");
    }
}

#[tokio::test]
async fn paths() {
    let app = TestApp::new().await;
    let token = app.administrator().await;
    app.user("ann").await;
    let long = "a".repeat(255);
    for (method, before, after) in [
        ("DELETE", "/auth/v1/sessions/", ""),
        ("DELETE", "/auth/v1/keys/", ""),
        ("DELETE", "/admin/v1/sessions/", ""),
        ("DELETE", "/admin/v1/invitations/", ""),
        ("DELETE", "/admin/v1/applications/", ""),
        ("POST", "/admin/v1/applications/", "/rotate"),
        ("GET", "/admin/v1/mail/", ""),
        ("POST", "/admin/v1/mail/", "/retry"),
        ("GET", "/admin/v1/users/", ""),
        ("DELETE", "/admin/v1/users/", ""),
        ("POST", "/admin/v1/users/", "/disable"),
        ("POST", "/admin/v1/users/", "/enable"),
        ("POST", "/admin/v1/users/", "/recovery"),
        ("GET", "/admin/v1/users/", "/sessions"),
        ("DELETE", "/admin/v1/users/", "/sessions"),
        ("DELETE", "/admin/v1/users/", "/keys/0197b3a0-0000-7000-8000-000000000001"),
        ("DELETE", "/admin/v1/users/ann/keys/", ""),
    ] {
        let send = |part: &str| app.send(Ask::new(method, format!("{before}{part}{after}")).bearer(&token));
        for part in ["x", "7", "%00", "..%2f..", "%20", "%27%20OR%201=1", "%C3%A9", "0197b3a0-0000-7000-8000-000000000001", "-"] {
            send(part).await.problem(404, "not-found");
        }
        for part in [&long, "%ff", "%c3%28", &"%61".repeat(255)] {
            send(part).await.problem(400, "malformed-path");
        }
    }
    for path in [
        "/auth/v1",
        "/auth/v1/",
        "/auth/v1/nothing",
        "/auth/v1/sessions/a/b",
        "/admin/v1",
        "/admin/v1/users/a/b/c/d",
        "/auth/v1//session",
    ] {
        app.send(Ask::get(path).bearer(&token)).await.problem(404, "not-found");
    }
    app.session(&token).await.expect(200);
}

#[tokio::test]
async fn methods() {
    let app = TestApp::new().await;
    for (method, path, allow) in [
        ("GET", "/auth/v1/sign-in/password", "POST"),
        ("PUT", "/auth/v1/session", "GET,HEAD,DELETE"),
        ("BREW", "/auth/v1/keys", "GET,HEAD,POST"),
        ("POST", "/auth/v1/keys/a", "PATCH,DELETE"),
        ("OPTIONS", "/auth/v1/session", "GET,HEAD,DELETE"),
        ("PATCH", "/admin/v1/users", "GET,HEAD,POST"),
    ] {
        let reply = app.send(Ask::new(method, path)).await;
        let mut allowed: Vec<_> = reply.headers["allow"].to_str().unwrap().split(',').map(str::to_owned).collect();
        let mut wanted: Vec<_> = allow.split(',').map(str::to_owned).collect();
        allowed.sort();
        wanted.sort();
        assert_eq!(allowed, wanted, "{path}");
        reply.problem(405, "method-not-allowed");
    }
    let head = app.send(Ask::new("HEAD", "/auth/v1/session")).await.expect(401);
    assert!(head.body.is_empty());
}
