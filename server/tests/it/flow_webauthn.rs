//! Security keys: what the library leaves to its caller.

use std::time::Duration;

use serde_json::json;

use super::app::{ORIGIN, TestApp};
use super::authenticator::Authenticator;
use super::reply::Ask;
use super::wires::kraken_step_up;

async fn options(app: &TestApp, token: &str) -> serde_json::Value {
    app.send(Ask::post("/auth/v1/second-factor/start").bearer(token)).await.expect(200).json()
}

async fn answer(app: &TestApp, token: &str, credential: serde_json::Value) -> u16 {
    let ask = Ask::post("/auth/v1/second-factor").bearer(token).json(&json!({"credential": credential}));
    app.send(ask).await.status.as_u16()
}

#[tokio::test]
async fn a_touch_is_enough_and_verification_is_welcome() {
    for verifies in [false, true] {
        let app = TestApp::new().await;
        app.user("ann").await;
        let mut key = Authenticator { verifies, ..Authenticator::new(1, ORIGIN) };
        let token = app.token("ann").await;
        app.register(&token, "key", &mut key).await.expect(201);
        app.token_with_key("ann", &mut key).await;
    }
}

#[tokio::test]
async fn a_counter_that_stands_still_or_falls_is_refused_and_audited() {
    let app = TestApp::new().await;
    let (_, mut key) = app.user_with_key("ann").await;
    key.counter = 10;
    app.token_with_key("ann", &mut key).await;
    for counter in [10, 3, 0] {
        let half = app.token("ann").await;
        let stale = Authenticator { counter, ..key.clone() };
        let options = options(&app, &half).await;
        assert_eq!(answer(&app, &half, stale.get_again(&options)).await, 400, "counter {counter} of 11");
    }
    let clones = app.audit().await.into_iter().filter(|line| line == "key_clone_suspected webauthn_failed").count();
    assert_eq!(clones, 3);
    app.token_with_key("ann", &mut key).await;
}

#[tokio::test]
async fn two_open_challenges_do_not_let_one_counter_pass_twice() {
    let app = TestApp::new().await;
    let (_, mut key) = app.user_with_key("ann").await;
    let (one, two) = (app.token("ann").await, app.token("ann").await);
    let (first, second) = (options(&app, &one).await, options(&app, &two).await);
    let (a, b) = (key.get(&first), key.get_again(&second));
    assert_eq!(answer(&app, &one, a).await, 200);
    assert_eq!(answer(&app, &two, b).await, 400, "the state at rest is older than the row");
}

#[tokio::test]
async fn a_key_that_never_counts_may_stay_at_zero() {
    let app = TestApp::new().await;
    let (_, key) = app.user_with_key("ann").await;
    for _ in 0..2 {
        let half = app.token("ann").await;
        let options = options(&app, &half).await;
        assert_eq!(answer(&app, &half, key.get_again(&options)).await, 200);
    }
}

#[tokio::test]
async fn a_challenge_is_of_one_session_one_purpose_one_use_and_five_minutes() {
    let app = TestApp::new().await;
    let (_, mut key) = app.user_with_key("ann").await;
    let (one, two) = (app.token("ann").await, app.token("ann").await);
    let of_one = options(&app, &one).await;
    let reply = key.get(&of_one);
    assert_eq!(answer(&app, &two, reply.clone()).await, 400, "another session's challenge");
    assert_eq!(answer(&app, &one, reply.clone()).await, 200);
    assert_eq!(answer(&app, &one, reply).await, 401, "the token was rotated");

    let late = app.token("ann").await;
    let options_late = options(&app, &late).await;
    app.advance(Duration::from_secs(5 * 60));
    assert_eq!(answer(&app, &late, key.get(&options_late)).await, 400, "five minutes");

    let twice = app.token("ann").await;
    let replaced = options(&app, &twice).await;
    let fresh = options(&app, &twice).await;
    assert_eq!(answer(&app, &twice, key.get(&replaced)).await, 400, "a new challenge replaces the last");
    assert_eq!(answer(&app, &twice, key.get(&fresh)).await, 400, "and a failed answer spends it");
}

#[tokio::test]
async fn a_challenge_outlives_a_restart_and_is_finished_on_another_node() {
    let app = TestApp::new().await;
    let (_, mut key) = app.user_with_key("ann").await;
    let half = app.token("ann").await;
    let first = options(&app, &half).await;
    let node = app.second_node().await;
    let reply = json!({"credential": key.get(&first)});
    let full = node.send(Ask::post("/auth/v1/second-factor").bearer(&half).json(&reply)).await.expect(200).at("/token");
    app.session(&full).await.expect(200);
    drop(node);
    let half = app.token("ann").await;
    let second = options(&app, &half).await;
    let app = app.restarted().await;
    assert_eq!(answer(&app, &half, key.get(&second)).await, 200);
}

#[tokio::test]
async fn every_field_of_a_valid_answer_counts() {
    let app = TestApp::new().await;
    let (_, mut key) = app.user_with_key("ann").await;
    let (_, mut stranger) = app.user_with_key("another").await;
    let half = app.token("ann").await;
    type Spoil = fn(&mut serde_json::Value);
    let spoils: [(&str, Spoil); 6] = [
        ("signature", |reply| flip(reply, "/response/signature")),
        ("authenticator data", |reply| flip(reply, "/response/authenticatorData")),
        ("client data", |reply| flip(reply, "/response/clientDataJSON")),
        ("credential id", |reply| flip(reply, "/rawId")),
        ("type", |reply| reply["type"] = json!("password")),
        ("user handle", |reply| reply["response"]["userHandle"] = json!("AAAAAAAAAAAAAAAAAAAAAA")),
    ];
    for (name, spoil) in spoils {
        let given = options(&app, &half).await;
        let mut reply = key.get(&given);
        spoil(&mut reply);
        assert!(matches!(answer(&app, &half, reply).await, 400), "{name}");
        app.session(&half).await.expect(401);
    }
    let given = options(&app, &half).await;
    assert_eq!(answer(&app, &half, stranger.get(&given)).await, 400, "another user's key");
    let mut phished = Authenticator { origin: "https://evil.example".to_owned(), ..key.clone() };
    let given = options(&app, &half).await;
    assert_eq!(answer(&app, &half, phished.get(&given)).await, 400, "another origin");
    // None of it has moved the counter.
    app.step_up(&half, &mut key).await.expect(200);
}

/// Another character in the middle of a text.
fn flip(reply: &mut serde_json::Value, pointer: &str) {
    let text = reply.pointer(pointer).unwrap().as_str().unwrap().to_owned();
    let middle = text.len() / 2;
    let other = if &text[middle..=middle] == "A" { "B" } else { "A" };
    *reply.pointer_mut(pointer).unwrap() = json!(format!("{}{other}{}", &text[..middle], &text[middle + 1..]));
}

#[tokio::test]
async fn a_stolen_password_cannot_add_a_key() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let before = app.token("ann").await;
    let mut key = Authenticator::new(1, ORIGIN);
    app.register(&before, "mine", &mut key).await.expect(201);
    let half = app.token("ann").await;
    for token in [&before, &half] {
        let native = app.send(Ask::post("/auth/v1/keys/start").bearer(token)).await;
        assert!(native.status.is_client_error(), "{}", native.snapshot());
        let kraken = app.send(Ask::post("/api/v1/auth/startRegister").cookie("doorward", token)).await.expect(400);
        assert_eq!(kraken.at("/status_code"), "1006");
    }
    let full = kraken_step_up(&app, &half, &mut key).await.expect(200).cookie().unwrap();
    app.send(Ask::post("/auth/v1/keys/start").bearer(&full)).await.expect(200);
    app.advance(Duration::from_secs(16 * 60));
    app.send(Ask::post("/auth/v1/keys/start").bearer(&full)).await.expect(403);
}

#[tokio::test]
async fn keys_are_unavailable_where_the_public_url_is_an_address() {
    let app = TestApp::with(&[("public_url", "http://127.0.0.1:8080")]).await;
    app.user("ann").await;
    let token = app.token("ann").await;
    let native = app.send(Ask::post("/auth/v1/keys/start").bearer(&token)).await;
    assert!(!native.status.is_success() && native.status != 500, "{}", native.snapshot());
    let methods = app.send(Ask::get("/auth/v1/methods")).await.expect(200).json();
    assert_eq!(methods["security_key"], json!(false));
}

#[tokio::test]
async fn names_of_keys_are_unique_for_their_user() {
    let app = TestApp::new().await;
    let (_, mut first) = app.user_with_key("ann").await;
    let token = app.token_with_key("ann", &mut first).await;
    let taken = app.register(&token, "FIRST", &mut Authenticator::new(2, ORIGIN)).await.expect(409);
    assert!(taken.text().contains("key_name_taken") || taken.text().contains("key-name-taken"), "{}", taken.snapshot());
    app.register(&token, "second", &mut Authenticator::new(2, ORIGIN)).await.expect(201);
    let known = app.register(&token, "third", &mut Authenticator::new(2, ORIGIN)).await;
    assert_eq!(known.status, 400, "a key that is registered already");
}
