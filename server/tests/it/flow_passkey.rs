//! Signing in with a passkey: what it opens, and all that it must not.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::app::{ORIGIN, PASSWORD, TestApp};
use super::authenticator::Authenticator;
use super::races::{CALLERS, at_once};
use super::reply::Ask;
use super::wires::kraken_step_up;

async fn sign_in(app: &TestApp, key: &mut Authenticator) -> String {
    let answer = key.get(&app.passkey_options().await);
    app.sign_in_with_passkey(&answer).await.expect(200).at("/token")
}

async fn keys(app: &TestApp, token: &str) -> Value {
    app.send(Ask::get("/auth/v1/keys").bearer(token)).await.expect(200).json()["items"].clone()
}

#[tokio::test]
async fn a_passkey_opens_a_full_session_of_two_factors() {
    let app = TestApp::new().await;
    let (user, mut key) = app.user_with_passkey("ann").await;
    let options = app.passkey_options().await;
    assert_eq!(options["publicKey"]["userVerification"], "required");
    assert_eq!((&options["publicKey"]["allowCredentials"], &options["publicKey"]["rpId"]), (&json!([]), &json!("localhost")));
    assert!(options.get("mediation").is_none(), "that is the page's to say");
    let opened = app.sign_in_with_passkey(&key.get(&options)).await.expect(200);
    assert_eq!(opened.cookie(), Some(opened.at("/token")));
    let json = opened.json();
    assert_eq!((&json["status"], &json["second_factor_required"]), (&json!("full"), &json!(false)));
    assert_eq!(json["session"]["factors"], json!(["security_key", "user_verification"]));
    assert_eq!(json["session"]["assurance_level"], 2);
    assert_eq!(json["user"]["id"], user.id.to_string());
    let token = opened.at("/token");
    // From memory and from the database, on this node and another one.
    assert_eq!(app.session(&token).await.expect(200).json()["assurance_level"], 2);
    assert_eq!(app.second_node().await.session(&token).await.expect(200).json()["assurance_level"], 2);
    // It has used the key: it may add another.
    app.register(&token, "spare", &mut Authenticator::new(7, ORIGIN)).await.expect(201);
    assert_eq!(keys(&app, &token).await[0]["passkey"], true);
    assert!(keys(&app, &token).await[0]["last_used_at"].is_string());
    assert!(app.audit().await.contains(&"sign_in ok".to_owned()));
}

#[tokio::test]
async fn no_further_second_factor_is_owed() {
    let app = TestApp::new().await;
    let (_, mut key) = app.user_with_passkey("ann").await;
    let token = sign_in(&app, &mut key).await;
    super::flow_totp::enrol(&app, &token).await;
    let token = sign_in(&app, &mut key).await;
    app.session(&token).await.expect(200);
    // And it can be stepped up all the same.
    let token = app.step_up(&token, &mut key).await.expect(200).at("/token");
    assert_eq!(app.session(&token).await.json()["factors"], json!(["security_key", "user_verification"]));
}

#[tokio::test]
async fn registration_asks_for_what_the_api_is_for_and_records_what_came() {
    let app = TestApp::new().await;
    for (name, verifies, discoverable, passkey) in [
        ("a", true, Some(true), json!(true)),
        ("b", true, Some(false), json!(false)),
        ("c", true, None, json!(null)),
        ("d", false, Some(true), json!(false)),
        ("e", false, None, json!(false)),
    ] {
        app.user(name).await;
        let token = app.token(name).await;
        let options = app.send(Ask::post("/auth/v1/keys/start").bearer(&token)).await.expect(200).json();
        let selection = &options["publicKey"]["authenticatorSelection"];
        assert_eq!((&selection["residentKey"], &selection["userVerification"]), (&json!("preferred"), &json!("preferred")));
        assert!(options["publicKey"].get("hints").is_none(), "{options:#}");
        let mut key = Authenticator { verifies, discoverable, ..Authenticator::new(name.as_bytes()[0], ORIGIN) };
        let made = app.register(&token, "key", &mut key).await.expect(201).json();
        assert_eq!(made["passkey"], passkey, "{name}");
    }
    // kraken's own words stay as they are.
    app.user("kraken").await;
    let token = app.token("kraken").await;
    let options = app.send(Ask::post("/api/v1/auth/startRegister").cookie("doorward", &token)).await.expect(200).json();
    assert_eq!(options["publicKey"]["authenticatorSelection"]["residentKey"], "discouraged");
    assert_eq!(options["publicKey"]["hints"], json!(["security-key"]));
}

#[tokio::test]
async fn what_a_client_did_not_tell_is_known_once_it_was_done() {
    let app = TestApp::new().await;
    let user = app.user("ann").await;
    let token = app.token("ann").await;
    let mut key = Authenticator { verifies: true, ..Authenticator::new(1, ORIGIN) };
    app.register(&token, "key", &mut key).await.expect(201);
    let token = app.step_up(&token, &mut key).await.expect(200).at("/token");
    assert_eq!(keys(&app, &token).await[0]["passkey"], json!(null));
    let id: uuid::Uuid = user.id.to_string().parse().unwrap();
    key.user_handle = Some(id.as_bytes().to_vec());
    let token = sign_in(&app, &mut key).await;
    assert_eq!(keys(&app, &token).await[0]["passkey"], true);
}

/// Whoever finds a key without a PIN can give it one, and has then all that a passkey takes.
#[tokio::test]
async fn a_key_that_did_not_verify_its_user_when_it_was_registered_never_signs_in_by_itself() {
    let app = TestApp::new().await;
    let (_, mut key) = app.user_with_passkey("ann").await;
    let token = sign_in(&app, &mut key).await;
    let mut touched = Authenticator { discoverable: Some(true), ..Authenticator::new(7, ORIGIN) };
    app.register(&token, "touched", &mut touched).await.expect(201);
    touched.verifies = true;
    let answer = touched.get(&app.passkey_options().await);
    app.sign_in_with_passkey(&answer).await.problem(400, "webauthn-failed");
    // Nor one that is known not to be discoverable.
    let mut plain = Authenticator { discoverable: Some(false), ..Authenticator::passkey(8, ORIGIN) };
    app.register(&token, "plain", &mut plain).await.expect(201);
    plain.user_handle = key.user_handle.clone();
    let answer = plain.get(&app.passkey_options().await);
    app.sign_in_with_passkey(&answer).await.problem(400, "webauthn-failed");
}

#[tokio::test]
async fn whatever_is_wrong_is_refused_in_the_same_words() {
    let app = TestApp::new().await;
    let (_, key) = app.user_with_passkey("ann").await;
    let (_, other) = app.user_with_passkey("another").await;
    let stranger = Authenticator { user_handle: key.user_handle.clone(), ..Authenticator::passkey(99, ORIGIN) };
    let wrong: [(&str, Authenticator); 9] = [
        ("not verified", Authenticator { verifies: false, ..key.clone() }),
        ("another origin", Authenticator { origin: "https://evil.example".to_owned(), ..key.clone() }),
        ("another port", Authenticator { origin: "http://localhost:9".to_owned(), ..key.clone() }),
        ("a credential that nobody has", stranger),
        ("no user handle", Authenticator { user_handle: None, ..key.clone() }),
        ("another user's handle", Authenticator { user_handle: other.user_handle.clone(), ..key.clone() }),
        ("a handle that is no user's id", Authenticator { user_handle: Some(b"ann".to_vec()), ..key.clone() }),
        ("an empty handle", Authenticator { user_handle: Some(Vec::new()), ..key.clone() }),
        ("another key under this id", Authenticator { key: other.key.clone(), ..key.clone() }),
    ];
    let mut words = Vec::new();
    for (name, mut wrong) in wrong {
        let answer = wrong.get(&app.passkey_options().await);
        let told = app.sign_in_with_passkey(&answer).await;
        words.push(told.text());
        told.problem(400, "webauthn-failed");
        assert!(words.iter().all(|told| *told == words[0]), "{name}: {words:?}");
    }
    let mut elsewhere = app.passkey_options().await;
    elsewhere["publicKey"]["rpId"] = json!("evil.example");
    app.sign_in_with_passkey(&key.clone().get(&elsewhere)).await.problem(400, "webauthn-failed");
    let made_up = json!({"publicKey": {"challenge": "A".repeat(43), "rpId": "localhost"}});
    app.sign_in_with_passkey(&key.clone().get(&made_up)).await.problem(400, "webauthn-failed");
    // All of it is on record, for the user where the key is known; none of it has moved the counter or opened anything.
    let failed = app.audit().await.into_iter().filter(|line| line == "sign_in webauthn_failed").count();
    assert_eq!(failed, 11);
    let answer = key.clone().get(&app.passkey_options().await);
    app.sign_in_with_passkey(&answer).await.expect(200);
}

#[tokio::test]
async fn a_challenge_is_good_once_for_five_minutes_and_for_this_alone() {
    let app = TestApp::new().await;
    let (_, mut key) = app.user_with_passkey("ann").await;
    let answer = key.get(&app.passkey_options().await);
    app.sign_in_with_passkey(&answer).await.expect(200);
    app.sign_in_with_passkey(&answer).await.problem(400, "webauthn-failed");

    let late = app.passkey_options().await;
    app.advance(Duration::from_secs(5 * 60));
    app.sign_in_with_passkey(&key.get(&late)).await.problem(400, "webauthn-failed");

    // A wrong answer spends it too.
    let options = app.passkey_options().await;
    let wrong = Authenticator { verifies: false, ..key.clone() }.get(&options);
    app.sign_in_with_passkey(&wrong).await.problem(400, "webauthn-failed");
    app.sign_in_with_passkey(&key.get(&options)).await.problem(400, "webauthn-failed");

    // A second factor's challenge signs nobody in, and a passkey's is no second factor.
    let half = app.token("ann").await;
    let second_factor = app.send(Ask::post("/auth/v1/second-factor/start").bearer(&half)).await.expect(200).json();
    app.sign_in_with_passkey(&key.get(&second_factor)).await.problem(400, "webauthn-failed");
    let passkey = app.passkey_options().await;
    let body = json!({"credential": key.get(&passkey)});
    app.send(Ask::post("/auth/v1/second-factor").bearer(&half).json(&body)).await.problem(400, "webauthn-failed");
    // Neither does the challenge of a registration, nor of one that another user began; and a passkey's registers none.
    let full = sign_in(&app, &mut key).await;
    let registration = app.send(Ask::post("/auth/v1/keys/start").bearer(&full)).await.expect(200).json();
    let challenge = &registration["publicKey"]["challenge"];
    let asked = json!({"publicKey": {"challenge": challenge, "rpId": "localhost"}});
    app.sign_in_with_passkey(&key.get(&asked)).await.problem(400, "webauthn-failed");
    let mut spare = Authenticator::passkey(7, ORIGIN);
    let mut foreign = registration.clone();
    foreign["publicKey"]["challenge"] = app.passkey_options().await["publicKey"]["challenge"].clone();
    let body = json!({"name": "spare", "credential": spare.create(&foreign)});
    app.send(Ask::post("/auth/v1/keys").bearer(&full).json(&body)).await.problem(400, "webauthn-failed");
    assert_eq!(keys(&app, &full).await.as_array().unwrap().len(), 1);
    let kraken = kraken_step_up(&app, &half, &mut key).await;
    kraken.expect(200);
}

#[tokio::test]
async fn a_challenge_outlives_a_restart_and_is_finished_on_another_node() {
    let app = TestApp::new().await;
    let (_, mut key) = app.user_with_passkey("ann").await;
    let first = app.passkey_options().await;
    let node = app.second_node().await;
    node.sign_in_with_passkey(&key.get(&first)).await.expect(200);
    drop(node);
    let second = app.passkey_options().await;
    let app = app.restarted().await;
    app.sign_in_with_passkey(&key.get(&second)).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_challenge_opens_one_session() {
    let app = Arc::new(TestApp::new().await);
    let (_, mut key) = app.user_with_passkey("ann").await;
    let answer = json!({"credential": key.get(&app.passkey_options().await)});
    let replies = at_once(&app, |_| Ask::post("/auth/v1/sign-in/passkey").json(&answer)).await;
    let opened = replies.iter().filter(|reply| reply.status == 200).count();
    let refused = replies.iter().filter(|reply| reply.status == 400).count();
    assert_eq!((opened, refused), (1, CALLERS - 1));
}

#[tokio::test]
async fn a_counter_that_does_not_grow_is_refused_and_audited() {
    let app = TestApp::new().await;
    let (_, mut key) = app.user_with_passkey("ann").await;
    key.counter = 10;
    sign_in(&app, &mut key).await;
    let (first, second) = (app.passkey_options().await, app.passkey_options().await);
    app.sign_in_with_passkey(&key.get_again(&first)).await.problem(400, "webauthn-failed");
    // Both are read from the row at the time of the answer.
    let third = app.passkey_options().await;
    let (a, b) = (key.get(&second), key.get_again(&third));
    app.sign_in_with_passkey(&a).await.expect(200);
    app.sign_in_with_passkey(&b).await.problem(400, "webauthn-failed");
    let clones = app.audit().await.into_iter().filter(|line| line == "key_clone_suspected webauthn_failed").count();
    assert_eq!(clones, 2);
}

#[tokio::test]
async fn a_disabled_user_is_told_so_after_a_right_answer_alone() {
    let app = TestApp::new().await;
    let root = app.administrator().await;
    let (_, mut key) = app.user_with_passkey("ann").await;
    app.send(Ask::post("/admin/v1/users/ann/disable").bearer(&root)).await.expect(200);
    let answer = key.get(&app.passkey_options().await);
    app.sign_in_with_passkey(&answer).await.problem(403, "account-disabled");
    let wrong = Authenticator { verifies: false, ..key.clone() }.get(&app.passkey_options().await);
    app.sign_in_with_passkey(&wrong).await.problem(400, "webauthn-failed");
    app.send(Ask::delete("/admin/v1/users/ann").bearer(&root)).await.expect(204);
    let answer = key.get(&app.passkey_options().await);
    app.sign_in_with_passkey(&answer).await.problem(400, "webauthn-failed");
}

#[tokio::test]
async fn a_session_ends_with_the_passkey_that_it_rests_on() {
    let app = TestApp::new().await;
    let (_, mut key) = app.user_with_passkey("ann").await;
    let token = sign_in(&app, &mut key).await;
    let mut spare = Authenticator::new(7, ORIGIN);
    app.register(&token, "spare", &mut spare).await.expect(201);
    // Stepping up with another key does not make it rest on that one.
    let token = app.step_up(&token, &mut spare).await.expect(200).at("/token");
    let by_password = app.token_with_key("ann", &mut spare).await;
    let id = keys(&app, &token).await[0]["id"].as_str().unwrap().to_owned();
    app.send(Ask::delete(format!("/auth/v1/keys/{id}")).bearer(&by_password)).await.expect(204);
    app.session(&token).await.problem(401, "not-signed-in");
    app.session(&by_password).await.expect(200);
    let answer = key.get(&app.passkey_options().await);
    app.sign_in_with_passkey(&answer).await.problem(400, "webauthn-failed");
}

#[tokio::test]
async fn the_session_before_ends_and_a_foreign_page_cannot_sign_in() {
    let app = TestApp::new().await;
    let (_, mut key) = app.user_with_passkey("ann").await;
    let before = sign_in(&app, &mut key).await;
    let body = json!({"credential": key.get(&app.passkey_options().await)});
    let ask = || Ask::post("/auth/v1/sign-in/passkey").cookie("doorward", &before).json(&body);
    app.send(ask().header("origin", "https://evil.example")).await.problem(403, "foreign-origin");
    app.send(ask()).await.expect(200);
    app.session(&before).await.problem(401, "not-signed-in");
}

#[tokio::test]
async fn wrong_answers_and_challenges_are_limited_by_network() {
    let app = TestApp::limited(&[("limits.signin_network.burst", "3")]).await;
    let (_, mut key) = app.user_with_passkey("ann").await;
    let (_, mut other) = app.user_with_passkey("another").await;
    for _ in 0..3 {
        let wrong = Authenticator { verifies: false, ..key.clone() }.get(&app.passkey_options().await);
        app.sign_in_with_passkey(&wrong).await;
    }
    let answer = other.get(&app.passkey_options().await);
    app.sign_in_with_passkey(&answer).await.problem(429, "too-many-attempts");
    app.sign_in("ann", PASSWORD).await.problem(429, "too-many-attempts");
    // Ten challenges for each try that may fail, for all that fail or do not.
    let mut told = Vec::new();
    while told.len() < 40 && told.last() != Some(&429) {
        told.push(app.send(Ask::post("/auth/v1/sign-in/passkey/start")).await.status.as_u16());
    }
    assert_eq!((told.len(), told.last()), (27, Some(&429)));
    app.advance(Duration::from_secs(15 * 60));
    let answer = key.get(&app.passkey_options().await);
    app.sign_in_with_passkey(&answer).await.expect(200);
}

#[tokio::test]
async fn right_answers_are_not_charged() {
    let app = TestApp::limited(&[("limits.signin_network.burst", "3")]).await;
    let (_, mut key) = app.user_with_passkey("ann").await;
    for _ in 0..8 {
        sign_in(&app, &mut key).await;
    }
}

#[tokio::test]
async fn challenges_that_nobody_answers_are_swept() {
    let app = TestApp::new().await;
    for _ in 0..3 {
        app.passkey_options().await;
    }
    app.sweep().await;
    assert_eq!(app.database().value("SELECT count(*) FROM unbound_tickets").await, "3");
    app.advance(Duration::from_secs(5 * 60));
    app.sweep().await;
    assert_eq!(app.database().value("SELECT count(*) FROM unbound_tickets").await, "0");
}

#[tokio::test]
async fn passkeys_are_unavailable_where_the_public_url_is_an_address() {
    let app = TestApp::with(&[("public_url", "http://127.0.0.1:8080")]).await;
    app.send(Ask::post("/auth/v1/sign-in/passkey/start")).await.problem(403, "webauthn-unavailable");
    let assertion = super::dialect_native::ASSERTION;
    let ask = Ask::post("/auth/v1/sign-in/passkey").raw("application/json", assertion);
    app.send(ask).await.problem(403, "webauthn-unavailable");
    assert_eq!(app.send(Ask::get("/auth/v1/methods")).await.expect(200).json()["passkey"], false);
    let app = TestApp::new().await;
    assert_eq!(app.send(Ask::get("/auth/v1/methods")).await.expect(200).json()["passkey"], true);
    let ask = Ask::post("/auth/v1/sign-in/passkey").raw("application/json", assertion);
    app.send(ask).await.problem(400, "webauthn-failed");
}
