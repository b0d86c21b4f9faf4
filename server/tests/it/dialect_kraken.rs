//! The dialect `kraken` on its wire.

use std::time::Duration;

use doorward::core::flows::authority::Authority;
use doorward::core::flows::users;
use serde_json::{Value, json};

use super::app::{ORIGIN, PASSWORD, TestApp};
use super::authenticator::Authenticator;
use super::reply::{Ask, Reply};

const COOKIE: &str = "doorward";

fn call(method: &str, operation: &str) -> Ask {
    Ask::new(method, format!("/api/v1/auth/{operation}"))
}

fn ask_login(username: &str, password: &str) -> Ask {
    call("POST", "login").json(&json!({"username": username, "password": password}))
}

/// Signs in; the token in the cookie.
pub(crate) async fn login(app: &TestApp, username: &str) -> String {
    token(&app.send(ask_login(username, PASSWORD)).await.expect(200))
}

/// The token that an empty answer sets.
#[track_caller]
fn token(reply: &Reply) -> String {
    assert!(reply.body.is_empty(), "{reply:?}");
    let cookie = reply.headers["set-cookie"].to_str().unwrap();
    let (value, attributes) = cookie.strip_prefix("doorward=").unwrap().split_once(';').unwrap();
    assert!(attributes.starts_with(" Path=/; Max-Age=") && attributes.ends_with("; HttpOnly; SameSite=Lax"), "{cookie}");
    value.to_owned()
}

/// A user with a key, registered here and signed out again.
pub(crate) async fn user_with_key(app: &TestApp, name: &str) -> Authenticator {
    app.user(name).await;
    let session = login(app, name).await;
    let mut key = Authenticator::new(41, ORIGIN);
    register(app, &session, "first", &mut key).await.expect(200);
    app.send(call("GET", "logout").cookie(COOKIE, &session)).await.expect(200);
    key
}

async fn register(app: &TestApp, session: &str, name: &str, key: &mut Authenticator) -> Reply {
    let options = app.send(call("POST", "startRegister").cookie(COOKIE, session)).await.expect(200).json();
    let mut body = key.create(&options);
    body["name"] = json!(name);
    app.send(call("POST", "finishRegister").cookie(COOKIE, session).json(&body)).await
}

async fn options(app: &TestApp, session: &str) -> Value {
    app.send(call("POST", "startAuth").cookie(COOKIE, session)).await.expect(200).json()
}

async fn finish(app: &TestApp, session: &str, assertion: &Value) -> Reply {
    app.send(call("POST", "finishAuth").cookie(COOKIE, session).json(assertion)).await
}

async fn test(app: &TestApp, session: &str) -> Reply {
    app.send(call("GET", "test").cookie(COOKIE, session)).await
}

/// A refusal: the status, the number, and nothing else.
#[track_caller]
fn refused(reply: &Reply, status: u16, number: u64) {
    assert_eq!(reply.status.as_u16(), status, "{reply:?}");
    assert_eq!(reply.headers["content-type"], "application/json");
    let body = reply.json();
    assert_eq!(body.as_object().unwrap().keys().collect::<Vec<_>>(), ["message", "status_code"]);
    assert_eq!(body["status_code"].as_u64(), Some(number), "{reply:?}");
    assert!(!body["message"].as_str().unwrap().is_empty());
    assert!(!reply.headers.contains_key("set-cookie"));
}

#[tokio::test]
async fn in_and_out_without_a_key() {
    let app = TestApp::new().await;
    app.user("ann").await;
    refused(&app.send(call("GET", "test")).await, 400, 1005);
    for name in ["ann", "ANN", "ann@example.com"] {
        let session = login(&app, name).await;
        let reply = test(&app, &session).await.expect(200);
        assert!(reply.body.is_empty());
        let reply = app.send(call("GET", "logout").cookie(COOKIE, &session)).await.expect(200);
        assert!(reply.body.is_empty());
        assert!(reply.headers["set-cookie"].to_str().unwrap().starts_with("doorward=; Path=/; Max-Age=0"));
        refused(&test(&app, &session).await, 400, 1005);
        refused(&app.send(call("GET", "logout").cookie(COOKIE, &session)).await, 400, 1005);
    }
}

#[tokio::test]
async fn a_session_is_carried_by_cookie_alone() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let session = login(&app, "ann").await;
    refused(&app.send(call("GET", "test").bearer(&session)).await, 400, 1005);
    refused(&app.send(call("GET", format!("test?doorward={session}").as_str())).await, 400, 1005);
    // One opened in another API is as good.
    let ask = Ask::post("/v1/log_in").json(&json!({"email": "ann@example.com", "password": PASSWORD}));
    let other = app.send(ask).await.expect(200).at("/token");
    app.send(call("GET", "test").cookie("sessions", &other)).await.expect(200);
}

#[tokio::test]
async fn wrong_unknown_and_disabled_are_one_refusal() {
    let app = TestApp::new().await;
    app.user("ann").await;
    app.user("bob").await;
    users::disable(app.core(), &app.call(), Authority::operator(), "bob").await.unwrap();
    let wrong = app.send(ask_login("ann", "wrong password")).await;
    refused(&wrong, 400, 1000);
    for ask in [ask_login("nobody", PASSWORD), ask_login("bob", PASSWORD), ask_login("", ""), ask_login("a\0b@", "\0")] {
        assert_eq!(app.send(ask).await.snapshot(), wrong.snapshot());
    }
}

#[tokio::test]
async fn signing_in_rotates_the_token() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let old = login(&app, "ann").await;
    let new = token(&app.send(ask_login("ann", PASSWORD).cookie(COOKIE, &old)).await.expect(200));
    assert_ne!(old, new);
    refused(&test(&app, &old).await, 400, 1005);
    test(&app, &new).await.expect(200);
}

#[tokio::test]
async fn a_key_from_registration_to_sign_in() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let session = login(&app, "ann").await;
    refused(&app.send(call("POST", "startAuth").cookie(COOKIE, &session)).await, 400, 1008);

    let ask = call("POST", "startRegister").raw("application/json", "").cookie(COOKIE, &session);
    let options_of = app.send(ask).await.expect(200).json();
    assert_eq!(options_of.as_object().unwrap().keys().collect::<Vec<_>>(), ["publicKey"]);
    assert_eq!(options_of["publicKey"]["rp"]["id"], "localhost");
    assert_eq!(options_of["publicKey"]["user"]["name"], ann.username.as_str());
    assert_eq!(options_of["publicKey"]["authenticatorSelection"]["userVerification"], "preferred");
    let mut key = Authenticator::new(7, ORIGIN);
    register(&app, &session, "blue", &mut key).await.expect(200);
    // This session has proven the password only: it may not add the next key.
    refused(&app.send(call("POST", "startRegister").cookie(COOKIE, &session)).await, 400, 1006);
    app.send(call("GET", "logout").cookie(COOKIE, &session)).await.expect(200);

    let half = login(&app, "ann").await;
    refused(&test(&app, &half).await, 400, 1006);
    refused(&app.send(call("POST", "startRegister").cookie(COOKIE, &half)).await, 400, 1006);
    let request = app.send(call("POST", "startAuth").raw("application/json", "").cookie(COOKIE, &half)).await.expect(200).json();
    assert_eq!(request.as_object().unwrap().keys().collect::<Vec<_>>(), ["publicKey"]);
    assert_eq!(request["publicKey"]["userVerification"], "preferred");
    let answer = key.get(&request);
    let full = token(&finish(&app, &half, &answer).await.expect(200));
    assert_ne!(half, full);
    refused(&test(&app, &half).await, 400, 1005);
    test(&app, &full).await.expect(200);
    refused(&finish(&app, &full, &answer).await, 400, 2003);
    test(&app, &full).await.expect(200);

    let again = app.send(call("POST", "startRegister").cookie(COOKIE, &full)).await.expect(200).json();
    assert_eq!(again["publicKey"]["excludeCredentials"].as_array().unwrap().len(), 1);
    refused(&register(&app, &full, "BLUE", &mut Authenticator::new(8, ORIGIN)).await, 400, 1013);
    register(&app, &full, "red", &mut Authenticator::new(8, ORIGIN)).await.expect(200);
}

#[tokio::test]
async fn names_of_keys() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let session = login(&app, "ann").await;
    let options = app.send(call("POST", "startRegister").cookie(COOKIE, &session)).await.expect(200).json();
    let mut body = Authenticator::new(7, ORIGIN).create(&options);
    let ask = |body: &Value| call("POST", "finishRegister").cookie(COOKIE, &session).json(body);
    refused(&app.send(ask(&body)).await, 400, 1020);
    for name in [json!(""), json!("  "), json!(null), json!(7), json!(["x"]), json!("x".repeat(65)), json!("a\0b")] {
        body["name"] = name;
        refused(&app.send(ask(&body)).await, 400, 1020);
    }
    // What the published package sends unless it is told otherwise.
    refused(&app.send(ask(&json!({"name": "blue"}))).await, 400, 1003);
    // None of them has spent the challenge.
    body["name"] = json!("blue");
    app.send(ask(&body)).await.expect(200);
}

#[tokio::test]
async fn ceremonies_that_fail() {
    let app = TestApp::new().await;
    let mut key = user_with_key(&app, "kim").await;
    let half = login(&app, "kim").await;

    let answer = key.get(&options(&app, &half).await);
    for field in ["signature", "authenticatorData", "clientDataJSON"] {
        let mut forged = answer.clone();
        let text = forged["response"][field].as_str().unwrap();
        let flipped = if text.ends_with('A') { "B" } else { "A" };
        forged["response"][field] = json!(format!("{}{flipped}AAA", &text[..text.len() - 4]));
        refused(&finish(&app, &half, &forged).await, 400, 2003);
        // The failed answer has spent the challenge.
        refused(&finish(&app, &half, &answer).await, 400, 2003);
        key.get(&options(&app, &half).await);
    }
    // A challenge of another session, one that was replaced, one that is too old.
    let other = login(&app, "kim").await;
    let theirs = key.get(&options(&app, &other).await);
    refused(&finish(&app, &half, &theirs).await, 400, 2003);
    let first = key.get(&options(&app, &half).await);
    options(&app, &half).await;
    refused(&finish(&app, &half, &first).await, 400, 2003);
    let late = key.get(&options(&app, &half).await);
    app.advance(Duration::from_secs(300));
    refused(&finish(&app, &half, &late).await, 400, 2003);
    refused(&test(&app, &half).await, 400, 1006);
}

#[tokio::test]
async fn a_cloned_key_is_refused_and_audited() {
    let app = TestApp::new().await;
    let mut key = user_with_key(&app, "kim").await;
    let half = login(&app, "kim").await;
    let answer = key.get(&options(&app, &half).await);
    finish(&app, &half, &answer).await.expect(200);
    let half = login(&app, "kim").await;
    let answer = key.get_again(&options(&app, &half).await);
    refused(&finish(&app, &half, &answer).await, 400, 2003);
    assert!(app.audit().await.iter().any(|line| line.contains("clone")), "{:?}", app.audit().await);
    refused(&test(&app, &half).await, 400, 1006);
}

#[tokio::test]
async fn registering_needs_a_recent_sign_in() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let session = login(&app, "ann").await;
    app.advance(Duration::from_secs(15 * 60 + 1));
    let reply = app.send(call("POST", "startRegister").cookie(COOKIE, &session)).await;
    refused(&reply, 400, 1005);
    assert!(reply.at("/message").contains("Sign in again"), "{reply:?}");
    test(&app, &session).await.expect(200);
}

#[tokio::test]
async fn without_a_session_nothing_starts_or_finishes() {
    let app = TestApp::new().await;
    let mut key = user_with_key(&app, "kim").await;
    let half = login(&app, "kim").await;
    let answer = key.get(&options(&app, &half).await);
    for operation in ["startRegister", "startAuth"] {
        refused(&app.send(call("POST", operation)).await, 400, 1005);
    }
    refused(&app.send(call("POST", "finishAuth").json(&answer)).await, 400, 1005);
}

#[tokio::test]
async fn bodies_that_cannot_be_used() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let session = login(&app, "ann").await;
    for operation in ["login", "finishRegister", "finishAuth"] {
        let send = |kind: &str, body: &str| app.send(call("POST", operation).raw(kind, body).cookie(COOKIE, &session));
        for body in [
            "",
            "{",
            "[]",
            "null",
            "{}",
            r#"{"username":7,"password":[],"id":7,"rawId":7,"response":7,"type":7}"#,
            r#"{"username":"ann","username":"ann","password":"x","id":"a","id":"b"}"#,
            &format!("{}{}", r#"{"username":"#, "[".repeat(10_000)),
        ] {
            refused(&send("application/json", body).await, 400, 1003);
        }
        refused(&send("application/json", &"x".repeat(1 << 20)).await, 400, 1004);
        refused(&send("text/plain", "{}").await, 400, 1002);
        refused(&send("application/x-www-form-urlencoded", "username=ann&password=x").await, 400, 1002);
        refused(&app.send(call("POST", operation).cookie(COOKIE, &session)).await, 400, 1002);
    }
    // Who is not signed in is told so, whatever they send.
    for operation in ["finishRegister", "finishAuth"] {
        for body in ["{}", "{", r#"{"name":"x"}"#] {
            refused(&app.send(call("POST", operation).raw("application/json", body)).await, 400, 1005);
        }
    }
    test(&app, &session).await.expect(200);
}

#[tokio::test]
async fn other_methods_and_other_urls() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let session = login(&app, "ann").await;
    for (method, operation, allow) in [
        ("GET", "login", "POST"),
        ("POST", "logout", "GET"),
        ("DELETE", "finishAuth", "POST"),
        ("OPTIONS", "startAuth", "POST"),
        ("HEAD", "logout", "GET"),
    ] {
        let reply = app.send(call(method, operation).cookie(COOKIE, &session)).await;
        assert_eq!(reply.status, 405, "{method} {operation}");
        assert_eq!(reply.headers["allow"], allow, "{method} {operation}");
        if method != "HEAD" {
            refused(&reply, 405, 1001);
        }
    }
    for operation in ["", "nothing", "login/", "Login"] {
        refused(&app.send(call("GET", operation)).await, 404, 1001);
    }
    refused(&app.send(Ask::get("/api/v1/auth")).await, 404, 1001);
    test(&app, &session).await.expect(200);
}

#[tokio::test]
async fn foreign_sites_cannot_use_the_cookie() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let session = login(&app, "ann").await;
    for (method, operation) in [("GET", "logout"), ("POST", "startRegister"), ("POST", "startAuth")] {
        for (name, value) in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")] {
            refused(&app.send(call(method, operation).cookie(COOKIE, &session).header(name, value)).await, 400, 1007);
        }
    }
    let foreign = ask_login("ann", PASSWORD).cookie(COOKIE, &session).header("sec-fetch-site", "cross-site");
    refused(&app.send(foreign).await, 400, 1007);
    test(&app, &session).await.expect(200);
}

#[tokio::test]
async fn too_many_attempts() {
    let app = TestApp::limited(&[("limits.signin_account.burst", "4")]).await;
    app.user("ann").await;
    for _ in 0..2 {
        refused(&app.send(ask_login("ann", "wrong password")).await, 400, 1000);
    }
    let limited = app.send(ask_login("ann", PASSWORD)).await;
    refused(&limited, 429, 1000);
    assert!(limited.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() > 0);
}

#[tokio::test]
async fn guesses_with_a_key_are_limited() {
    let app = TestApp::limited(&[("limits.second_factor_account.burst", "3")]).await;
    let mut key = user_with_key(&app, "kim").await;
    let half = login(&app, "kim").await;
    let foreign = Authenticator::new(99, ORIGIN);
    for _ in 0..3 {
        refused(&finish(&app, &half, &foreign.get_again(&options(&app, &half).await)).await, 400, 2003);
    }
    let answer = key.get(&options(&app, &half).await);
    let limited = finish(&app, &half, &answer).await;
    refused(&limited, 429, 1000);
    assert!(limited.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn no_keys_at_an_address_without_a_name() {
    let app = TestApp::with(&[("public_url", "http://192.0.2.7:8080")]).await;
    app.user("ann").await;
    let session = login(&app, "ann").await;
    refused(&app.send(call("POST", "startRegister").cookie(COOKIE, &session)).await, 500, 2003);
}
