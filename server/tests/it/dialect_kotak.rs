//! `kotak` as its client sees it.

use std::net::IpAddr;
use std::time::Duration;

use axum::http::header;
use doorward::core::flows::authority::Authority;
use doorward::core::flows::{applications, users};
use serde_json::json;

use super::app::{Application, OTHER_PASSWORD, PASSWORD, TestApp};
use super::reply::{Ask, Reply};

const INIT: &str = "/apim/session/1.0/session/init";
const LOGIN: &str = "/apim/session/1.0/session/login/userid";
const ACCESS_CODE: &str = "/apim/session/1.0/session/2FA/accesscode";
const ONE_TIME_TOKEN: &str = "/apim/session/1.0/session/2FA/oneTimeToken";
const LOGOUT: &str = "/apim/session/1.0/session/logout";

async fn init(app: &TestApp, program: &Application, userid: &str) -> Reply {
    app.send(program.sign(Ask::get(INIT)).header("userid", userid)).await
}

/// The first step; its token and the mailed code. Mails are told apart by the second in which they were promised.
async fn begin(app: &TestApp, program: &Application, name: &str) -> (String, String) {
    app.advance(Duration::from_secs(1));
    let token = program.login(app, name, PASSWORD).await.expect(200).at("/Success/oneTimeToken");
    (token, app.code(&format!("{name}@example.com")).await)
}

async fn without_code(app: &TestApp, program: &Application, userid: &str, token: &str) -> Reply {
    let ask = Ask::post(ONE_TIME_TOKEN).json(&json!({"userid": userid})).header("oneTimeToken", token);
    app.send(program.sign(ask)).await
}

async fn logout(app: &TestApp, program: &Application, userid: &str, token: &str) -> Reply {
    app.send(program.sign(Ask::delete(LOGOUT)).header("sessionToken", token).header("userid", userid)).await
}

#[tokio::test]
async fn init_says_where_and_not_who() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let program = app.application(false, &[]).await;
    let known = init(&app, &program, "ann").await;
    insta::assert_snapshot!(known.snapshot(), @r#"
    200 OK
    content-type: application/json

    {
      "Success": {
        "message": "The session can begin. Log in with the password.",
        "redirect": {
          "host": "http://localhost:8080/apim",
          "port": 8080
        },
        "service": {
          "host": "http://localhost:8080/apim",
          "port": 8080
        },
        "status": "Success",
        "userid": "ann"
      }
    }
    "#);
    let unknown = init(&app, &program, "bob").await.expect(200);
    assert_eq!(known.text().replace("ann", "bob"), unknown.text());
}

#[tokio::test]
async fn two_steps_open_a_session_and_logout_ends_it() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let program = app.application(false, &[]).await;
    let begun = program.login(&app, "ann@example.com", PASSWORD).await;
    let token = begun.at("/Success/oneTimeToken");
    insta::assert_snapshot!(begun.snapshot().replace(&token, "[token]"), @r#"
    200 OK
    content-type: application/json

    {
      "Success": {
        "Status": "Temporary",
        "accessCodeTime": 300,
        "emailId": "a***@example.com",
        "message": "An access code is on its way to a***@example.com.",
        "oneTimeToken": "[token]",
        "redirect": {
          "host": "http://localhost:8080/apim",
          "port": 8080,
          "userid": "ann@example.com"
        }
      }
    }
    "#);
    let code = app.code("ann@example.com").await;
    // Either name of the same user.
    let opened = program.access_code(&app, "ann", &token, &code).await;
    let session = opened.at("/Success/sessionToken");
    insta::assert_snapshot!(opened.snapshot().replace(&session, "[token]"), @r#"
    200 OK
    content-type: application/json

    {
      "Success": {
        "clientCode": "ann",
        "clientName": "ann",
        "loginTime": "2026-01-01T00:00:01.000Z",
        "redirect": {
          "host": "http://localhost:8080/apim",
          "port": 8080
        },
        "service": {
          "host": "http://localhost:8080/apim",
          "port": 8080
        },
        "sessionToken": "[token]",
        "userId": "ann"
      }
    }
    "#);
    insta::assert_snapshot!(program.access_code(&app, "ann", &token, &code).await.snapshot(), @r#"
    401 Unauthorized
    content-type: application/json
    www-authenticate: Bearer

    {
      "fault": {
        "code": 401,
        "description": "The one-time token is unknown, spent, expired or not this user's. Log in again.",
        "message": "Unauthorized"
      }
    }
    "#);

    let other = app.application(false, &[]).await;
    logout(&app, &other, "ann", &session).await.expect(401);
    logout(&app, &program, "bob", &session).await.expect(401);
    insta::assert_snapshot!(logout(&app, &program, "ann", &session).await.snapshot(), @r#"
    200 OK
    content-type: application/json

    {
      "Success": {
        "message": "The session has ended."
      }
    }
    "#);
    insta::assert_snapshot!(logout(&app, &program, "ann", &session).await.snapshot(), @r#"
    401 Unauthorized
    content-type: application/json
    www-authenticate: Bearer

    {
      "fault": {
        "code": 401,
        "description": "The session token is unknown, expired, or not this user's and this application's.",
        "message": "Unauthorized"
      }
    }
    "#);
}

#[tokio::test]
async fn every_call_wants_an_application_first() {
    let app = TestApp::new().await;
    let program = app.application(false, &[]).await;
    let other = app.application(false, &[]).await;
    let (id, key, token) =
        (program.0.application.id.to_string(), program.0.consumer_key.reveal(), program.0.access_token.reveal());
    for (method, path) in [("GET", INIT), ("POST", LOGIN), ("POST", ACCESS_CODE), ("POST", ONE_TIME_TOKEN), ("DELETE", LOGOUT)] {
        let ask = || Ask::new(method, path);
        for incomplete in [
            ask(),
            ask().bearer(token).header("consumerKey", key),
            ask().bearer(token).header("appId", &id),
            ask().header("consumerKey", key).header("appId", &id),
            ask().header("authorization", token).header("consumerKey", key).header("appId", &id),
            ask().bearer(token).header("consumerKey", "").header("appId", &id),
        ] {
            assert_eq!(app.send(incomplete).await.expect(401).at("/fault/code"), "900902");
        }
        for wrong in [
            ask().bearer(key).header("consumerKey", token).header("appId", &id),
            ask().bearer(token).header("consumerKey", key).header("appId", "terminal"),
            ask().bearer(token).header("consumerKey", key).header("appId", other.0.application.id.to_string()),
            ask().bearer(other.0.access_token.reveal()).header("consumerKey", key).header("appId", &id),
            ask().bearer(token).header("consumerKey", other.0.consumer_key.reveal()).header("appId", &id),
        ] {
            assert_eq!(app.send(wrong).await.expect(401).at("/fault/code"), "900901");
        }
        for twice in ["authorization", "consumerKey", "appId", "ip"] {
            app.send(program.sign(ask()).header(twice, "Bearer x")).await.expect(400).at("/fault/description");
        }
        // The application is right, its parameters are missing.
        app.send(program.sign(ask())).await.expect(400);
        app.send(ask().bearer(token).header("consumerKey", key).header("appId", &id)).await.expect(400);
    }
    insta::assert_snapshot!(app.send(Ask::get(INIT)).await.snapshot(), @r#"
    401 Unauthorized
    content-type: application/json
    www-authenticate: Bearer

    {
      "fault": {
        "code": 900902,
        "description": "The header `Authorization` is missing or has no credential in it.",
        "message": "Missing Credentials"
      }
    }
    "#);
    insta::assert_snapshot!(app.send(program.sign(Ask::get(INIT))).await.snapshot(), @r#"
    400 Bad Request
    content-type: application/json

    {
      "fault": {
        "code": 400,
        "description": "the header `userid` is missing",
        "message": "Invalid or missing input parameters"
      }
    }
    "#);
}

#[tokio::test]
async fn the_network_is_the_one_that_the_call_comes_from() {
    let app = TestApp::new().await;
    let program = app.application(false, &["198.51.100.0/24"]).await;
    let ask = || program.sign(Ask::get(INIT)).header("userid", "ann").header("x-forwarded-for", "198.51.100.7");
    let inside: IpAddr = "198.51.100.7".parse().unwrap();
    app.send_from(inside, ask()).await.expect(200);
    insta::assert_snapshot!(app.send(ask()).await.snapshot(), @r#"
    401 Unauthorized
    content-type: application/json
    www-authenticate: Bearer

    {
      "fault": {
        "code": 900901,
        "description": "The application may not be used from this network.",
        "message": "Invalid Credentials"
      }
    }
    "#);
    let claimed = Ask::get(INIT)
        .bearer(program.0.access_token.reveal())
        .header("consumerKey", program.0.consumer_key.reveal())
        .header("appId", program.0.application.id.to_string())
        .header("userid", "ann")
        .header("ip", "198.51.100.7");
    app.send(claimed).await.expect(401);
}

#[tokio::test]
async fn the_ip_header_may_say_anything() {
    let app = TestApp::new().await;
    let program = app.application(false, &[]).await;
    for claimed in ["203.0.113.9", "IP", ""] {
        let ask = Ask::get(INIT)
            .bearer(program.0.access_token.reveal())
            .header("consumerKey", program.0.consumer_key.reveal())
            .header("appId", program.0.application.id.to_string())
            .header("userid", "ann")
            .header("ip", claimed);
        app.send(ask).await.expect(200);
    }
}

#[tokio::test]
async fn a_revoked_application_is_nobody() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let program = app.application(false, &[]).await;
    applications::revoke(app.core(), &app.call(), Authority::operator(), program.0.application.id).await.unwrap();
    assert_eq!(program.login(&app, "ann", PASSWORD).await.expect(401).at("/fault/code"), "900901");
}

#[tokio::test]
async fn login_says_little() {
    let app = TestApp::new().await;
    app.user("ann").await;
    app.user("old").await;
    users::disable(app.core(), &app.call(), Authority::operator(), "old").await.unwrap();
    let program = app.application(false, &[]).await;
    let wrong = program.login(&app, "ann", OTHER_PASSWORD).await;
    insta::assert_snapshot!(wrong.snapshot(), @r#"
    401 Unauthorized
    content-type: application/json
    www-authenticate: Bearer

    {
      "fault": {
        "code": 401,
        "description": "The userid, or the password or access code, is wrong.",
        "message": "Unauthorized"
      }
    }
    "#);
    assert_eq!(program.login(&app, "nobody", OTHER_PASSWORD).await.snapshot(), wrong.snapshot());
    assert_eq!(program.login(&app, "old", OTHER_PASSWORD).await.snapshot(), wrong.snapshot());
    program.login(&app, "old", PASSWORD).await.expect(401);
    assert_eq!(app.mails("@example.com").await.len(), 0);
}

#[tokio::test]
async fn a_one_time_token_has_five_tries() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let program = app.application(false, &[]).await;
    let (token, code) = begin(&app, &program, "ann").await;
    for _ in 0..4 {
        program.access_code(&app, "ann", &token, "AAAAAA").await.expect(401);
    }
    program.access_code(&app, "ann", &token, &code.to_lowercase()).await.expect(200);

    let (token, code) = begin(&app, &program, "ann").await;
    for _ in 0..5 {
        program.access_code(&app, "ann", &token, "AAAAAA").await.expect(401);
    }
    program.access_code(&app, "ann", &token, &code).await.expect(401);
}

#[tokio::test]
async fn a_one_time_token_is_bound() {
    let app = TestApp::new().await;
    app.user("ann").await;
    app.user("bob").await;
    let (program, other) = (app.application(false, &[]).await, app.application(false, &[]).await);
    let (old_token, old_code) = begin(&app, &program, "ann").await;
    let (token, code) = begin(&app, &program, "ann").await;
    program.access_code(&app, "ann", &old_token, &old_code).await.expect(401);
    program.access_code(&app, "ann", &token, &old_code).await.expect(401);
    program.access_code(&app, "bob", &token, &code).await.expect(401);
    other.access_code(&app, "ann", &token, &code).await.expect(401);
    program.access_code(&app, "ann", &token, &code).await.expect(200);

    let (token, code) = begin(&app, &program, "ann").await;
    app.advance(Duration::from_secs(300));
    program.access_code(&app, "ann", &token, &code).await.expect(401);
    let (token, code) = begin(&app, &program, "ann").await;
    users::disable(app.core(), &app.call(), Authority::operator(), "ann").await.unwrap();
    program.access_code(&app, "ann", &token, &code).await.expect(401);
}

#[tokio::test]
async fn a_token_alone_suffices_where_the_registration_says_so() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let (strict, lenient) = (app.application(false, &[]).await, app.application(true, &[]).await);
    let (token, code) = begin(&app, &strict, "ann").await;
    insta::assert_snapshot!(without_code(&app, &strict, "ann", &token).await.snapshot(), @r#"
    401 Unauthorized
    content-type: application/json
    www-authenticate: Bearer

    {
      "fault": {
        "code": 401,
        "description": "The one-time token does not suffice: the access code is needed.",
        "message": "Unauthorized"
      }
    }
    "#);
    strict.access_code(&app, "ann", &token, &code).await.expect(200);
    let (token, _) = begin(&app, &lenient, "ann").await;
    let session = without_code(&app, &lenient, "ann", &token).await.expect(200).at("/Success/sessionToken");
    logout(&app, &lenient, "ann@example.com", &session).await.expect(200);
}

#[tokio::test]
async fn a_security_key_asks_for_the_access_code() {
    let app = TestApp::new().await;
    app.user_with_key("ann").await;
    let program = app.application(true, &[]).await;
    let (token, code) = begin(&app, &program, "ann").await;
    without_code(&app, &program, "ann", &token).await.expect(401);
    program.access_code(&app, "ann", &token, &code).await.expect(200);
}

#[tokio::test]
async fn bodies_that_are_none_of_ours() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let program = app.application(true, &[]).await;
    let (token, _) = begin(&app, &program, "ann").await;
    for path in [LOGIN, ACCESS_CODE, ONE_TIME_TOKEN] {
        for ask in [
            Ask::post(path),
            Ask::post(path).raw("application/json", ""),
            Ask::post(path).raw("application/json", "{"),
            Ask::post(path).raw("application/json", vec![b'['; 100_000]),
            Ask::post(path).raw("application/json", vec![b' '; 2_000_000]),
            Ask::post(path).raw("text/plain", r#"{"userid": "ann"}"#),
            Ask::post(path).form(&[("userid", "ann"), ("password", PASSWORD), ("accessCode", "AAAAAA")]),
            Ask::post(path).json(&json!({})),
            Ask::post(path).json(&json!({"userid": ["ann"], "password": PASSWORD, "accessCode": "AAAAAA"})),
        ] {
            let ask = program.sign(ask).header("oneTimeToken", &token);
            app.send(ask).await.expect(400).at("/fault/description");
        }
    }
    without_code(&app, &program, "ann", &token).await.expect(200);
    insta::assert_snapshot!(app.send(Ask::get("/apim/orders")).await.snapshot(), @r#"
    404 Not Found
    content-type: application/json

    {
      "fault": {
        "code": 404,
        "description": "There is nothing under this URL.",
        "message": "No matching resource found"
      }
    }
    "#);
    insta::assert_snapshot!(app.send(Ask::get(LOGIN)).await.snapshot(), @r#"
    405 Method Not Allowed
    allow: POST
    content-type: application/json

    {
      "fault": {
        "code": 405,
        "description": "This URL does not take this method.",
        "message": "Method not allowed"
      }
    }
    "#);
}

#[tokio::test]
async fn limits_say_when_to_come_back() {
    let app = TestApp::limited(&[("limits.signin_account.burst", "4")]).await;
    let program = app.application(false, &[]).await;
    for _ in 0..2 {
        program.login(&app, "ann", PASSWORD).await.expect(401);
    }
    let limited = program.login(&app, "ann", PASSWORD).await;
    assert!(limited.headers.contains_key(header::RETRY_AFTER));
    insta::assert_snapshot!(limited.snapshot(), @r#"
    429 Too Many Requests
    content-type: application/json
    retry-after: 450

    {
      "fault": {
        "code": 900800,
        "description": "Too many attempts. Wait a while, then try again.",
        "message": "Message throttled out"
      }
    }
    "#);
}
