//! Security keys: registering, naming, removing, and giving one as a second factor.

use std::time::Duration;

use serde_json::json;

use super::super::app::{ORIGIN, PASSWORD, TestApp};
use super::super::authenticator::Authenticator;
use super::super::reply::Ask;
use super::members;

#[tokio::test]
async fn a_key_from_its_start_to_its_end() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let token = app.token("ann").await;
    let mut key = Authenticator::new(7, ORIGIN);
    let made = app.register(&token, " My key ", &mut key).await.expect(201).json();
    assert_eq!(members(&made), ["created_at", "id", "last_used_at", "name", "passkey"]);
    assert_eq!((&made["name"], &made["last_used_at"]), (&json!("My key"), &json!(null)));

    // The session has used no key yet, and there is one: it may change none now.
    app.send(Ask::post("/auth/v1/keys/start").bearer(&token)).await.problem(401, "second-factor-required");
    let full = app.step_up(&token, &mut key).await.expect(200);
    assert_eq!(full.cookie(), Some(full.at("/token")));
    let json = full.json();
    assert_eq!(members(&json), ["second_factor_required", "session", "status", "token", "user"]);
    assert_eq!(json["session"]["factors"], json!(["password", "security_key"]));
    assert_eq!((&json["status"], &json["session"]["assurance_level"]), (&json!("full"), &json!(2)));
    app.session(&token).await.problem(401, "not-signed-in");
    let token = full.at("/token");
    assert_eq!(app.session(&token).await.expect(200).json()["assurance_level"], 2);

    let mut second = Authenticator::new(8, ORIGIN);
    app.register(&token, "MY KEY", &mut second).await.problem(409, "key-name-taken");
    app.register(&token, "", &mut second).await.problem(400, "invalid-parameters");
    app.register(&token, "Second", &mut second).await.expect(201);
    let list = || app.send(Ask::get("/auth/v1/keys").bearer(&token));
    let keys = list().await.expect(200).json();
    assert_eq!((keys["items"].as_array().unwrap().len(), &keys["next"]), (2, &json!(null)));
    assert!(keys["items"][0]["last_used_at"].is_string());

    let at = |place: usize| format!("/auth/v1/keys/{}", keys["items"][place]["id"].as_str().unwrap());
    app.send(Ask::patch(at(1)).bearer(&token).json(&json!({"name": "my key"}))).await.problem(409, "key-name-taken");
    app.send(Ask::patch(at(1)).bearer(&token).json(&json!({"name": "x".repeat(65)}))).await.problem(400, "invalid-parameters");
    app.send(Ask::patch(at(1)).bearer(&token).json(&json!({"name": "Spare"}))).await.expect(204);
    assert_eq!(list().await.json()["items"][1]["name"], "Spare");

    app.user("bob").await;
    let bob = app.token("bob").await;
    app.send(Ask::delete(at(1)).bearer(&bob)).await.problem(404, "not-found");
    app.send(Ask::patch(at(1)).bearer(&bob).json(&json!({"name": "Mine"}))).await.problem(404, "not-found");

    app.send(Ask::delete(at(1)).bearer(&token)).await.expect(204);
    app.send(Ask::delete(at(1)).bearer(&token)).await.problem(404, "not-found");
    app.send(Ask::delete(at(0)).bearer(&token)).await.expect(204);
    let left = app.session(&token).await.expect(200).json();
    assert_eq!((&left["factors"], &left["assurance_level"]), (&json!(["password"]), &json!(1)));
    app.send(Ask::post("/auth/v1/second-factor/start").bearer(&token)).await.problem(409, "no-security-key");
    let audit = app.audit().await.join("\n");
    for line in ["key_added ok", "second_factor ok", "key_renamed ok", "key_removed ok"] {
        assert!(audit.contains(line), "{audit}");
    }
}

#[tokio::test]
async fn browsers_can_make_sense_of_the_options() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let token = app.token("ann").await;
    let options = app.send(Ask::post("/auth/v1/keys/start").bearer(&token)).await.expect(200).json();
    let options = &options["publicKey"];
    assert_eq!(options["rp"], json!({"id": "localhost", "name": "doorward"}));
    assert_eq!(options["attestation"], "none");
    assert_eq!(options["authenticatorSelection"]["userVerification"], "preferred");
    // Chromium takes this policy only where user verification is required.
    assert!(options["extensions"].get("credentialProtectionPolicy").is_none());
    assert!(options["extensions"].get("enforceCredentialProtectionPolicy").is_none());
}

#[tokio::test]
async fn factors_are_changed_after_a_recent_sign_in_only() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let token = app.token("ann").await;
    let mut key = Authenticator::new(7, ORIGIN);
    let options = app.send(Ask::post("/auth/v1/keys/start").bearer(&token)).await.expect(200).json();
    app.advance(Duration::from_secs(901));
    app.send(Ask::post("/auth/v1/keys/start").bearer(&token)).await.problem(403, "recent-sign-in-required");
    let body = json!({"name": "a", "credential": key.create(&options)});
    app.send(Ask::post("/auth/v1/keys").bearer(&token).json(&body)).await.problem(403, "recent-sign-in-required");
}

#[tokio::test]
async fn a_registration_is_finished_once_and_by_its_own_session() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let (token, other) = (app.token("ann").await, app.token("ann").await);
    let mut key = Authenticator::new(7, ORIGIN);
    let start = || app.send(Ask::post("/auth/v1/keys/start").bearer(&token));
    let finish = |token: &str, body| app.send(Ask::post("/auth/v1/keys").bearer(token).json(&body));

    let nothing_open = json!({"name": "a", "credential": key.create(&start().await.json())});
    finish(&other, nothing_open.clone()).await.problem(400, "webauthn-failed");
    start().await.expect(200);
    finish(&token, nothing_open).await.problem(400, "webauthn-failed");

    let late = json!({"name": "a", "credential": key.create(&start().await.json())});
    app.advance(Duration::from_secs(300));
    finish(&token, late).await.problem(400, "webauthn-failed");

    let mut foreign = Authenticator::new(7, "https://evil.example");
    let body = json!({"name": "a", "credential": foreign.create(&start().await.json())});
    finish(&token, body).await.problem(400, "webauthn-failed");

    let body = json!({"name": "a", "credential": key.create(&start().await.json())});
    finish(&token, body.clone()).await.expect(201);
    finish(&token, body).await.problem(401, "second-factor-required");
}

#[tokio::test]
async fn a_second_factor_is_refused() {
    let app = TestApp::new().await;
    let (_, mut key) = app.user_with_key("ann").await;
    let half = app.token("ann").await;
    let start = |token: &str| app.send(Ask::post("/auth/v1/second-factor/start").bearer(token));
    let finish = |token: &str, credential| {
        app.send(Ask::post("/auth/v1/second-factor").bearer(token).json(&json!({"credential": credential})))
    };
    let first = start(&half).await.expect(200).json();
    assert_eq!(first["publicKey"]["rpId"], "localhost");
    let second = start(&half).await.expect(200).json();
    finish(&half, key.get(&first)).await.problem(400, "webauthn-failed");
    // The try has spent the challenge, whatever it was about.
    finish(&half, key.get(&second)).await.problem(400, "webauthn-failed");

    let mut stranger = Authenticator::new(99, ORIGIN);
    finish(&half, stranger.get(&start(&half).await.json())).await.problem(400, "webauthn-failed");
    let mut elsewhere = key.clone();
    elsewhere.origin = "https://evil.example".to_owned();
    finish(&half, elsewhere.get(&start(&half).await.json())).await.problem(400, "webauthn-failed");
    let other = app.token("ann").await;
    let options = start(&half).await.json();
    start(&other).await.expect(200);
    finish(&other, key.get(&options)).await.problem(400, "webauthn-failed");

    let answer = key.get(&start(&half).await.json());
    let full = finish(&half, answer.clone()).await.expect(200).at("/token");
    finish(&half, answer.clone()).await.problem(401, "not-signed-in");
    finish(&full, answer).await.problem(400, "webauthn-failed");

    let clone = key.get_again(&start(&full).await.json());
    finish(&full, clone).await.problem(400, "webauthn-failed");
    assert!(app.audit().await.iter().any(|line| line == "key_clone_suspected webauthn_failed"));
}

#[tokio::test]
async fn guesses_at_a_second_factor_are_limited() {
    let app = TestApp::limited(&[("limits.second_factor_account.burst", "3")]).await;
    app.user_with_key("ann").await;
    let half = app.token("ann").await;
    let guess = || Ask::post("/auth/v1/second-factor").bearer(&half).raw("application/json", super::ASSERTION);
    for _ in 0..3 {
        app.send(guess()).await.problem(400, "webauthn-failed");
    }
    app.send(guess()).await.problem(429, "too-many-attempts");
    let again = app.token("ann").await;
    let guess = Ask::post("/auth/v1/second-factor").bearer(&again).raw("application/json", super::ASSERTION);
    app.send(guess).await.problem(429, "too-many-attempts");
}

#[tokio::test]
async fn a_code_and_a_key() {
    let app = TestApp::new().await;
    let (_, mut key) = app.user_with_key("ann").await;
    app.send(Ask::post("/auth/v1/sign-in/code/request").json(&json!({"email": "ann@example.com"}))).await.expect(202);
    let code = app.mails("ann@example.com").await.iter().rev().find_map(|mail| mail.code()).unwrap();
    let body = json!({"email": "ann@example.com", "code": code});
    let half = app.send(Ask::post("/auth/v1/sign-in/code").json(&body)).await.expect(200);
    assert_eq!(half.at("/status"), "half");
    let full = app.step_up(&half.at("/token"), &mut key).await.expect(200).json();
    assert_eq!(full["session"]["factors"], json!(["email_code", "security_key"]));
    app.sign_in("ann", PASSWORD).await.expect(200);
}
