//! `kestra` as its client and a browser see it.

use std::time::Duration;

use axum::http::header;
use doorward::core::flows::authority::Authority;
use doorward::core::flows::users;
use doorward::core::model::Role;
use serde_json::json;

use super::app::{ORIGIN, OTHER_PASSWORD, PASSWORD, TestApp};
use super::reply::{Ask, Reply};

const COOKIE: &str = "doorward";
const UNKNOWN: &str = "/api/v1/invitation/accept/00000000-0000-0000-0000-000000000000";

async fn login(app: &TestApp, username: &str, password: &str) -> Reply {
    app.send(Ask::post("/login").json(&json!({"username": username, "password": password}))).await
}

async fn forgotten(app: &TestApp, username: &str) -> Reply {
    app.send(Ask::get(format!("/api/v1/forgotten-password?username={username}"))).await
}

async fn request_code(app: &TestApp, email: &str) -> Reply {
    app.send(Ask::get(format!("/api/v1/request-code/{email}"))).await
}

async fn code(app: &TestApp, email: &str) -> String {
    app.advance(TICK);
    request_code(app, email).await.expect(200);
    app.code(email).await
}

async fn reset(app: &TestApp, token: &str, password: &str) -> Reply {
    app.send(Ask::post("/api/v1/reset-password").json(&json!({"token": token, "password": password}))).await
}

async fn create(app: &TestApp, id: &str, password: &str) -> Reply {
    let body = json!({"firstName": "Nia", "lastName": "Osei", "password": password});
    app.send(Ask::post(format!("/api/v1/invitation/create/{id}")).json(&body)).await
}

/// Mails are told apart by the second in which they were promised.
const TICK: Duration = Duration::from_secs(1);

/// Whether a cookie opens a full session: an unknown invitation is looked up for nobody else.
async fn is_signed_in(app: &TestApp, cookie: &str) -> bool {
    app.send(Ask::post(UNKNOWN).cookie(COOKIE, cookie)).await.status == 404
}

#[tokio::test]
async fn the_methods_are_those_of_the_configuration() {
    let app = TestApp::new().await;
    insta::assert_snapshot!(app.send(Ask::get("/api/v1/auths")).await.snapshot(), @r#"
    200 OK
    content-type: application/json

    {
      "loginPassword": true,
      "mailsEnabled": true,
      "oauths": [],
      "passwordless": true
    }
    "#);
    let app = TestApp::with(&[("methods.email_code", "false")]).await;
    let index = app.send(Ask::get("/api/v1/auths")).await.json();
    assert_eq!((&index["passwordless"], &index["loginPassword"]), (&json!(false), &json!(true)));
    request_code(&app, "ann@example.com").await.expect(403);
}

#[tokio::test]
async fn a_forgotten_password_is_set_anew() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let session = login(&app, "ann", PASSWORD).await.cookie().unwrap();
    let (known, unknown) = (forgotten(&app, "ann").await.expect(200), forgotten(&app, "nobody").await.expect(200));
    assert_eq!(known.snapshot(), unknown.snapshot());
    insta::assert_snapshot!(known.snapshot(), @r#"
    200 OK
    content-type: application/json

    {}
    "#);
    assert_eq!(app.mails("nobody").await.len(), 0);
    let mail = app.mail("ann@example.com").await;
    assert!(mail.link().unwrap().as_str().starts_with(&format!("{ORIGIN}/reset?token=")));
    let token = mail.query("token").unwrap();

    insta::assert_snapshot!(reset(&app, &token, "abc").await.snapshot(), @r#"
    422 Unprocessable Entity
    content-type: application/json

    {
      "_embedded": {
        "errors": [
          {
            "message": "The password needs at least 8 characters."
          },
          {
            "message": "The password is too easy to guess. Sequences like abc or 6543 are easy to guess. Add another word or two. Uncommon words are better. Avoid sequences."
          }
        ]
      },
      "message": "The password breaks the rules for passwords."
    }
    "#);
    assert!(is_signed_in(&app, &session).await);
    insta::assert_snapshot!(reset(&app, &token, OTHER_PASSWORD).await.snapshot(), @r#"
    200 OK
    content-type: application/json

    {}
    "#);
    assert!(!is_signed_in(&app, &session).await);
    insta::assert_snapshot!(reset(&app, &token, PASSWORD).await.snapshot(), @r#"
    400 Bad Request
    content-type: application/json

    {
      "_embedded": {
        "errors": [
          {
            "message": "The token is unknown, expired or has been used. Ask for a new one."
          }
        ]
      },
      "message": "The token is unknown, expired or has been used. Ask for a new one."
    }
    "#);
    login(&app, "ann", PASSWORD).await.expect(401);
    login(&app, "ann", OTHER_PASSWORD).await.expect(200);
}

#[tokio::test]
async fn a_reset_link_expires() {
    let app = TestApp::new().await;
    app.user("ann").await;
    forgotten(&app, "ann@example.com").await.expect(200);
    let token = app.query("ann@example.com", "token").await;
    app.advance(Duration::from_secs(3600));
    reset(&app, &token, OTHER_PASSWORD).await.expect(400);
}

#[tokio::test]
async fn gets_with_an_effect_are_guarded() {
    let app = TestApp::new().await;
    app.user("ann").await;
    for path in ["/api/v1/forgotten-password?username=ann", "/api/v1/request-code/ann%40example.com"] {
        let session = login(&app, "ann", PASSWORD).await.cookie().unwrap();
        let foreign = Ask::get(path).cookie(COOKIE, &session).header("sec-fetch-site", "cross-site");
        app.send(foreign).await.expect(403);
        for method in ["HEAD", "POST", "OPTIONS"] {
            let refused = app.send(Ask::new(method, path)).await.expect(405);
            assert_eq!(refused.headers[header::ALLOW], "GET", "{method} {path}");
        }
        assert_eq!(app.mails("ann@example.com").await.len(), 0);
    }
    app.send(Ask::get("/api/v1/request-code/ann%40example.com")).await.expect(200);
    assert_eq!(app.mails("ann@example.com").await.len(), 1);
}

#[tokio::test]
async fn urls_that_are_none_of_ours() {
    let app = TestApp::new().await;
    for query in ["", "?", "?user=ann", "?username=ann&username=bob", "?username=%ff"] {
        app.send(Ask::get(format!("/api/v1/forgotten-password{query}"))).await.expect(400).at("/_embedded/errors/0/message");
    }
    let long = "a".repeat(3000);
    request_code(&app, "%ff").await.expect(400).at("/message");
    request_code(&app, &long).await.expect(400).at("/message");
    create(&app, "%ff", PASSWORD).await.expect(400).at("/message");
    for segment in ["x", "%00", "%E2%98%83", &long] {
        create(&app, segment, PASSWORD).await.expect(404).at("/message");
    }
    for segment in ["ann", "%00", "a%2Fb@example.com", "%27%20OR%201=1"] {
        request_code(&app, segment).await.expect(200);
    }
    insta::assert_snapshot!(app.send(Ask::get("/api/v1/nothing")).await.snapshot(), @r#"
    404 Not Found
    content-type: application/json

    {
      "_embedded": {
        "errors": [
          {
            "message": "There is nothing under this URL."
          }
        ]
      },
      "message": "There is nothing under this URL."
    }
    "#);
    insta::assert_snapshot!(app.send(Ask::get("/login")).await.snapshot(), @r#"
    405 Method Not Allowed
    allow: POST
    content-type: application/json

    {
      "_embedded": {
        "errors": [
          {
            "message": "This URL does not take this method."
          }
        ]
      },
      "message": "This URL does not take this method."
    }
    "#);
}

#[tokio::test]
async fn a_mailed_code_signs_in_once() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let email = "ann@example.com";
    let (known, unknown) = (request_code(&app, email).await, request_code(&app, "nobody@example.com").await);
    assert_eq!(known.expect(200).snapshot(), unknown.snapshot());
    let first = app.code(email).await;
    let second = code(&app, email).await;
    login(&app, email, &first).await.expect(401);
    login(&app, email, &second.to_lowercase()).await.expect(200);
    login(&app, email, &second).await.expect(401);

    let third = code(&app, email).await;
    let form = Ask::post("/login").form(&[("username", "ann"), ("password", &third)]);
    assert!(is_signed_in(&app, &app.send(form).await.expect(200).cookie().unwrap()).await);
}

#[tokio::test]
async fn five_guesses_and_ten_minutes_are_the_end_of_a_code() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let guessed = code(&app, "ann@example.com").await;
    for _ in 0..5 {
        login(&app, "ann", "AAAAAA").await.expect(401);
    }
    login(&app, "ann", &guessed).await.expect(401);
    let late = code(&app, "ann@example.com").await;
    app.advance(Duration::from_secs(600));
    login(&app, "ann", &late).await.expect(401);
}

#[tokio::test]
async fn login_says_little() {
    let app = TestApp::new().await;
    app.user("ann").await;
    app.user("old").await;
    users::disable(app.core(), &app.call(), Authority::operator(), "old").await.unwrap();
    let opened = login(&app, "ann", PASSWORD).await;
    let (cookie, snapshot) = (opened.cookie().unwrap(), opened.snapshot());
    insta::assert_snapshot!(snapshot.replace(&cookie, "[token]"), @r#"
    200 OK
    content-type: application/json
    set-cookie: doorward=[token]; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax

    {}
    "#);
    let (wrong, unknown) = (login(&app, "ann", OTHER_PASSWORD).await, login(&app, "nobody", OTHER_PASSWORD).await);
    assert_eq!(wrong.snapshot(), unknown.snapshot());
    insta::assert_snapshot!(wrong.snapshot(), @r#"
    401 Unauthorized
    content-type: application/json
    www-authenticate: Bearer

    {
      "_embedded": {
        "errors": [
          {
            "message": "The username, or the password or code, is wrong."
          }
        ]
      },
      "message": "The username, or the password or code, is wrong."
    }
    "#);
    assert_eq!(login(&app, "old", OTHER_PASSWORD).await.snapshot(), wrong.snapshot());
    insta::assert_snapshot!(login(&app, "old", PASSWORD).await.snapshot(), @r#"
    403 Forbidden
    content-type: application/json

    {
      "_embedded": {
        "errors": [
          {
            "message": "The account is disabled."
          }
        ]
      },
      "message": "The account is disabled."
    }
    "#);
}

#[tokio::test]
async fn login_takes_json_and_forms_from_our_own_pages() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let body = json!({"username": "ann", "password": PASSWORD});
    for ask in [
        Ask::post("/login").raw("application/json", ""),
        Ask::post("/login").raw("application/x-www-form-urlencoded", ""),
        Ask::post("/login").raw("text/plain", body.to_string()),
        Ask::post("/login"),
        Ask::post("/login").json(&json!({"username": "ann"})),
        Ask::post("/login").json(&json!({"username": "ann", "password": null})),
        Ask::post("/login").json(&json!({"username": "ann", "password": 1})),
        Ask::post("/login").json(&json!(["ann", PASSWORD])),
        Ask::post("/login").raw("application/json", vec![b'['; 100_000]),
        Ask::post("/login").raw("application/json", vec![b' '; 2_000_000]),
        Ask::post("/login").json(&body).header("content-type", "application/json"),
    ] {
        let reply = app.send(ask).await.expect(400);
        assert!(reply.cookie().is_none());
        reply.at("/_embedded/errors/0/message");
    }
    app.send(Ask::post("/login").json(&body).header("origin", "https://evil.example")).await.expect(403);
    app.send(Ask::post("/login").json(&body).header("origin", ORIGIN)).await.expect(200);
}

#[tokio::test]
async fn a_new_login_ends_the_session_that_came_along() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let old = login(&app, "ann", PASSWORD).await.cookie().unwrap();
    let again = Ask::post("/login").json(&json!({"username": "ann", "password": PASSWORD})).cookie(COOKIE, &old);
    let new = app.send(again).await.expect(200).cookie().unwrap();
    assert!(!is_signed_in(&app, &old).await);
    assert!(is_signed_in(&app, &new).await);
}

#[tokio::test]
async fn a_security_key_cannot_be_left_out() {
    let app = TestApp::new().await;
    app.user_with_key("ann").await;
    let refused = login(&app, "ann", PASSWORD).await.expect(403);
    assert!(refused.cookie().is_none());
    let code = code(&app, "ann@example.com").await;
    assert_eq!(login(&app, "ann", &code).await.expect(403).snapshot(), refused.snapshot());
    let half = app.token("ann").await;
    app.send(Ask::post(UNKNOWN).bearer(&half)).await.expect(403);
}

#[tokio::test]
async fn an_invitation_is_accepted_by_its_own_address() {
    let app = TestApp::new().await;
    for name in ["ann", "bob"] {
        app.user(name).await;
    }
    let invited = app.invite("Ann@example.com", Role::Admin).await;
    let path = format!("/api/v1/invitation/accept/{}", invited.secret.reveal());
    let ann = login(&app, "ann", PASSWORD).await.cookie().unwrap();
    let bob = login(&app, "bob", PASSWORD).await.cookie().unwrap();
    insta::assert_snapshot!(app.send(Ask::post(&path)).await.snapshot(), @r#"
    401 Unauthorized
    content-type: application/json
    www-authenticate: Bearer

    {
      "_embedded": {
        "errors": [
          {
            "message": "Sign in first."
          }
        ]
      },
      "message": "Sign in first."
    }
    "#);
    insta::assert_snapshot!(app.send(Ask::post(&path).bearer(&bob)).await.snapshot(), @r#"
    403 Forbidden
    content-type: application/json

    {
      "_embedded": {
        "errors": [
          {
            "message": "The invitation is for another address."
          }
        ]
      },
      "message": "The invitation is for another address."
    }
    "#);
    let odd = Ask::post(&path).cookie(COOKIE, &ann).header("authorization", ann.as_str());
    app.send(odd).await.expect(401);
    app.send(Ask::post(&path).cookie(COOKIE, &ann).header("origin", "null")).await.expect(403);
    app.send(Ask::post(&path).cookie(COOKIE, &ann).raw("text/plain", "anything")).await.expect(200);
    app.send(Ask::post(&path).cookie(COOKIE, &ann)).await.expect(404);
}

#[tokio::test]
async fn an_invitation_makes_one_account() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let invited = app.invite("nia@example.com", Role::Member).await;
    let id = invited.secret.reveal();
    insta::assert_snapshot!(create(&app, "unknown", PASSWORD).await.snapshot(), @r#"
    404 Not Found
    content-type: application/json

    {
      "_embedded": {
        "errors": [
          {
            "message": "There is no such invitation, or it is no longer open."
          }
        ]
      },
      "message": "There is no such invitation, or it is no longer open."
    }
    "#);
    create(&app, id, "abc").await.expect(422);
    insta::assert_snapshot!(create(&app, id, PASSWORD).await.snapshot(), @r#"
    200 OK
    content-type: application/json

    {}
    "#);
    create(&app, id, PASSWORD).await.expect(404);
    login(&app, "nia@example.com", PASSWORD).await.expect(200);
    let found = users::find(app.core(), Authority::operator(), "nia@example.com").await.unwrap();
    assert!(found.user.email_verified_at.is_some());

    let taken = app.invite("ann@example.com", Role::Member).await;
    insta::assert_snapshot!(create(&app, taken.secret.reveal(), PASSWORD).await.snapshot(), @r#"
    409 Conflict
    content-type: application/json

    {
      "_embedded": {
        "errors": [
          {
            "message": "There is an account with this address. Sign in to accept the invitation."
          }
        ]
      },
      "message": "There is an account with this address. Sign in to accept the invitation."
    }
    "#);
}

#[tokio::test]
async fn an_invitation_wants_names() {
    let app = TestApp::new().await;
    let invited = app.invite("nia@example.com", Role::Member).await;
    let path = format!("/api/v1/invitation/create/{}", invited.secret.reveal());
    for body in [
        json!({"lastName": "Osei", "password": PASSWORD}),
        json!({"firstName": "Nia", "lastName": null, "password": PASSWORD}),
        json!({"firstName": "Nia", "lastName": "Osei"}),
        json!({"firstName": "Ni\u{0}a", "lastName": "Osei", "password": PASSWORD}),
        json!({"firstName": "Nia", "lastName": "x".repeat(101), "password": PASSWORD}),
    ] {
        app.send(Ask::post(&path).json(&body)).await.expect(400).at("/message");
    }
    create(&app, invited.secret.reveal(), PASSWORD).await.expect(200);
}

#[tokio::test]
async fn limits_say_when_to_come_back() {
    let app = TestApp::limited(&[("limits.signin_account.burst", "4"), ("limits.mail_address.burst", "1")]).await;
    for _ in 0..2 {
        login(&app, "ann", PASSWORD).await.expect(401);
    }
    insta::assert_snapshot!(login(&app, "ann", PASSWORD).await.snapshot(), @r#"
    429 Too Many Requests
    content-type: application/json
    retry-after: 450

    {
      "_embedded": {
        "errors": [
          {
            "message": "Too many attempts. Wait a while, then try again."
          }
        ]
      },
      "message": "Too many attempts. Wait a while, then try again."
    }
    "#);
    request_code(&app, "ann@example.com").await.expect(200);
    assert!(request_code(&app, "ann@example.com").await.expect(429).headers.contains_key(header::RETRY_AFTER));
    assert!(forgotten(&app, "ann@example.com").await.expect(429).headers.contains_key(header::RETRY_AFTER));
}
