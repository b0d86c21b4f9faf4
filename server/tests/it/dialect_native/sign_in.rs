//! Signing in, with a password and with a mailed code.

use std::time::Duration;

use doorward::core::model::Role;
use serde_json::json;

use super::super::app::{PASSWORD, TestApp};
use super::super::reply::Ask;
use super::members;
use doorward::core::flows::authority::Authority;
use doorward::core::flows::users;

#[tokio::test]
async fn with_a_password() {
    let app = TestApp::new().await;
    let user = app.user("ann").await;
    for identifier in ["ann", "ANN@example.com", " ann@example.com "] {
        let reply = app.sign_in(identifier, PASSWORD).await.expect(200);
        let json = reply.json();
        assert_eq!(members(&json), ["second_factor_required", "session", "status", "token", "user"]);
        assert_eq!((&json["status"], &json["second_factor_required"]), (&json!("full"), &json!(false)));
        assert_eq!(
            json["user"],
            json!({"id": user.id, "email": "ann@example.com", "username": "ann", "first_name": "", "last_name": "",
                "role": "member", "email_verified": true})
        );
        assert_eq!(json["session"]["status"], "full");
        assert_eq!(json["session"]["factors"], json!(["password"]));
        assert_eq!(json["session"]["dialect"], "native");
        assert_eq!(json["session"]["address"], "192.0.2.1");
        assert_eq!(json["session"]["expires_at"], "2026-01-31T00:00:00.000Z");
        let token = reply.at("/token");
        let cookie = format!("doorward={token}; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax");
        assert_eq!(reply.headers["set-cookie"], cookie);
    }
    assert_eq!(app.audit().await.iter().filter(|line| *line == "sign_in ok").count(), 3);
}

#[tokio::test]
async fn over_https_the_cookie_is_bound_to_the_host() {
    let app = TestApp::with(&[("public_url", "https://login.example.com")]).await;
    app.user("ann").await;
    let reply = app.sign_in("ann", PASSWORD).await.expect(200);
    let cookie = reply.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-doorward=") && cookie.ends_with("; Secure"), "{cookie}");
    let token = reply.at("/token");
    app.send(Ask::get("/auth/v1/session").cookie("__Host-doorward", &token)).await.expect(200);
    app.send(Ask::get("/auth/v1/session").cookie("doorward", &token)).await.problem(401, "not-signed-in");
}

#[tokio::test]
async fn wrong_credentials_look_alike() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let code = |email: &str, code: &str| Ask::post("/auth/v1/sign-in/code").json(&json!({"email": email, "code": code}));
    let mut bodies = Vec::new();
    for (name, password) in [("ann", "wrong"), ("ann", ""), ("nobody", PASSWORD), ("nobody", ""), ("", ""), ("a\0b", "x")] {
        let reply = app.sign_in(name, password).await;
        assert!(!reply.headers.contains_key("set-cookie"));
        bodies.push(reply.body.clone());
        reply.problem(401, "invalid-credentials");
    }
    for (email, guess) in [("ann@example.com", "ABC234"), ("nobody@example.com", "ABC234"), ("ann", "ABC234"), ("", "")] {
        let reply = app.send(code(email, guess)).await;
        bodies.push(reply.body.clone());
        reply.problem(401, "invalid-credentials");
    }
    assert!(bodies.iter().all(|body| *body == bodies[0]));
}

#[tokio::test]
async fn a_disabled_account() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let token = app.token("ann").await;
    users::disable(app.core(), &app.call(), Authority::operator(), "ann").await.unwrap();
    app.session(&token).await.problem(401, "not-signed-in");
    app.sign_in("ann", "wrong").await.problem(401, "invalid-credentials");
    app.sign_in("ann", PASSWORD).await.problem(403, "account-disabled");
}

#[tokio::test]
async fn with_a_mailed_code() {
    let app = TestApp::new().await;
    app.create("ann", Role::Member, false).await;
    let request = |email: &str| Ask::post("/auth/v1/sign-in/code/request").json(&json!({"email": email}));
    let sign_in = |code: &str| {
        let body = json!({"email": "ann@example.com", "code": code});
        app.send(Ask::post("/auth/v1/sign-in/code").json(&body))
    };
    let known = app.send(request("ann@example.com")).await.expect(202);
    let unknown = app.send(request("nobody@example.com")).await.expect(202);
    let nonsense = app.send(request("nonsense")).await.expect(202);
    assert_eq!((known.snapshot(), known.body), (unknown.snapshot(), unknown.body));
    assert_eq!(nonsense.text(), "");
    let code = app.code("ann@example.com").await;
    assert!(app.mails("nobody").await.is_empty());

    sign_in("ABC234").await.problem(401, "invalid-credentials");
    let json = sign_in(&format!(" {} ", code.to_lowercase())).await.expect(200).json();
    assert_eq!(json["session"]["factors"], json!(["email_code"]));
    assert_eq!((&json["status"], &json["user"]["email_verified"]), (&json!("full"), &json!(true)));
    sign_in(&code).await.problem(401, "invalid-credentials");

    app.send(request("ann@example.com")).await.expect(202);
    let late = app.code("ann@example.com").await;
    app.advance(Duration::from_secs(601));
    sign_in(&late).await.problem(401, "invalid-credentials");
}

#[tokio::test]
async fn a_code_is_no_password_and_a_password_no_code() {
    let app = TestApp::new().await;
    app.user("ann").await;
    app.send(Ask::post("/auth/v1/sign-in/code/request").json(&json!({"email": "ann@example.com"}))).await.expect(202);
    let code = app.code("ann@example.com").await;
    app.sign_in("ann", &code).await.problem(401, "invalid-credentials");
    let body = json!({"email": "ann@example.com", "code": PASSWORD});
    app.send(Ask::post("/auth/v1/sign-in/code").json(&body)).await.problem(401, "invalid-credentials");
}

#[tokio::test]
async fn what_is_switched_off() {
    let code = json!({"email": "ann@example.com", "code": "ABC234"});
    let app = TestApp::with(&[("methods.email_code", "false")]).await;
    let methods = app.send(Ask::get("/auth/v1/methods")).await.expect(200).json();
    assert_eq!(methods, json!({"password": true, "email_code": false, "passkey": true, "security_key": true, "totp": true}));
    app.send(Ask::post("/auth/v1/sign-in/code").json(&code)).await.problem(403, "switched-off");
    app.send(Ask::post("/auth/v1/sign-in/code/request").json(&code)).await.problem(403, "switched-off");

    let app = TestApp::with(&[("methods.password", "false")]).await;
    app.user("ann").await;
    let methods = app.send(Ask::get("/auth/v1/methods")).await.expect(200).json();
    assert_eq!(methods, json!({"password": false, "email_code": true, "passkey": true, "security_key": true, "totp": true}));
    app.sign_in("ann", PASSWORD).await.problem(403, "switched-off");
}

#[tokio::test]
async fn with_more_to_hash_than_it_can_hold() {
    let settings = [("passwords.threads", "1"), ("passwords.queue", "1"), ("passwords.memory_kib", "19456")];
    let app = TestApp::with(&settings).await;
    app.user("ann").await;
    let token = app.token("ann").await;
    let tries = (0..32).map(|_| app.sign_in("ann", PASSWORD));
    let replies = futures_util::future::join_all(tries).await;
    let (done, busy): (Vec<_>, Vec<_>) = replies.into_iter().partition(|reply| reply.status == 200);
    assert!(!done.is_empty() && !busy.is_empty());
    for reply in busy {
        reply.problem(503, "overloaded");
    }
    app.session(&token).await.expect(200);
}

#[tokio::test]
async fn methods() {
    let app = TestApp::new().await;
    let offered = app.send(Ask::get("/auth/v1/methods")).await.expect(200).json();
    assert_eq!(offered, json!({"password": true, "email_code": true, "passkey": true, "security_key": true, "totp": true}));
    let numbered = TestApp::with(&[("public_url", "http://127.0.0.1:8080")]).await;
    assert_eq!(numbered.send(Ask::get("/auth/v1/methods")).await.expect(200).json()["security_key"], false);
    numbered.user("ann").await;
    let token = numbered.token("ann").await;
    numbered.send(Ask::post("/auth/v1/keys/start").bearer(&token)).await.problem(403, "webauthn-unavailable");
}

#[tokio::test]
async fn signing_in_ends_the_session_that_came_along() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let body = json!({"identifier": "ann", "password": PASSWORD});
    let sign_in = || Ask::post("/auth/v1/sign-in/password").json(&body);
    let first = app.token("ann").await;
    let second = app.send(sign_in().cookie("doorward", &first)).await.expect(200).at("/token");
    app.session(&first).await.problem(401, "not-signed-in");
    let third = app.send(sign_in().bearer(&second)).await.expect(200).at("/token");
    app.session(&second).await.problem(401, "not-signed-in");
    let wrong = json!({"identifier": "ann", "password": "wrong"});
    app.send(Ask::post("/auth/v1/sign-in/password").json(&wrong).bearer(&third)).await.expect(401);
    app.session(&third).await.expect(200);
    app.send(sign_in().header("authorization", "Basic YTpi")).await.problem(401, "not-signed-in");
}

#[tokio::test]
async fn too_many_attempts() {
    let app = TestApp::limited(&[("limits.signin_account.burst", "4"), ("limits.mail_address.burst", "1")]).await;
    app.user("ann").await;
    for name in ["ann@example.com", "nobody@example.com"] {
        for _ in 0..2 {
            app.sign_in(name, "wrong").await.problem(401, "invalid-credentials");
        }
        let reply = app.sign_in(name, PASSWORD).await;
        assert_eq!(reply.headers["retry-after"], "450");
        assert_eq!(reply.problem(429, "too-many-attempts")["retry_after"], 450);
        let request = || Ask::post("/auth/v1/sign-in/code/request").json(&json!({"email": name}));
        app.send(request()).await.expect(202);
        app.send(request()).await.problem(429, "too-many-attempts");
    }
    app.advance(Duration::from_secs(450));
    app.sign_in("ann@example.com", PASSWORD).await.expect(200);
}
