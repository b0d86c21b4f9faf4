//! The dialect `kalshi` on its wire.

use std::sync::Arc;
use std::time::Duration;

use doorward::config::url::PublicUrl;
use doorward::core::flows::authority::Authority;
use doorward::core::flows::users;
use doorward::core::model::Role;
use doorward::dialect::{
    self,
    shared::{Forward, Shared, Writer, WrittenMail},
};
use serde_json::{Value, json};

use super::app::{ORIGIN, OTHER_PASSWORD, PASSWORD, TestApp};
use super::reply::{Ask, Reply};

fn log_in(email: &str, password: &str) -> Ask {
    Ask::post("/v1/log_in").json(&json!({"email": email, "password": password}))
}

fn log_out() -> Ask {
    Ask::post("/v1/log_out")
}

fn confirm(code: &str, user_id: &str, password: &str) -> Ask {
    let path = format!("/v1/passwords/reset/{code}/confirm");
    Ask::put(path).json(&json!({"password": password, "user_id": user_id}))
}

async fn token(app: &TestApp, name: &str) -> String {
    app.send(log_in(&format!("{name}@example.com"), PASSWORD)).await.expect(200).at("/token")
}

/// A refusal: the status, the code, and everything that every refusal has.
#[track_caller]
fn refused(reply: &Reply, status: u16, code: &str) {
    assert_eq!(reply.status.as_u16(), status, "{reply:?}");
    assert_eq!(reply.headers["content-type"], "application/json");
    let body = reply.json();
    assert_eq!(body.as_object().unwrap().keys().collect::<Vec<_>>(), ["code", "details", "message", "service"]);
    for name in ["code", "details", "message", "service"] {
        assert_eq!(reply.headers[name].to_str().unwrap(), body[name].as_str().unwrap(), "{name}");
    }
    assert_eq!(body["code"], code);
    assert_eq!(body["service"], "doorward");
    assert!(!body["message"].as_str().unwrap().is_empty());
    assert!(!reply.headers.contains_key("set-cookie"));
}

#[tokio::test]
async fn signing_in_answers_with_user_token_and_cookie() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let reply = app.send(log_in("Ann@Example.com", PASSWORD)).await.expect(200);
    let body = reply.json();
    assert_eq!(body.as_object().unwrap().keys().collect::<Vec<_>>(), ["access_level", "token", "user_id"]);
    assert_eq!((&body["user_id"], &body["access_level"]), (&json!(ann.id.to_string()), &json!("member")));
    let cookie = reply.headers["set-cookie"].to_str().unwrap();
    let token = body["token"].as_str().unwrap();
    assert_eq!(cookie, format!("sessions={token}; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax"));

    app.create("new", Role::Member, false).await;
    assert_eq!(app.send(log_in("new@example.com", PASSWORD)).await.expect(200).at("/access_level"), "applicant");
}

#[tokio::test]
async fn the_session_comes_back_in_every_way() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await.id.to_string();
    for (header, value) in [
        ("cookie", "sessions=TOKEN".to_owned()),
        ("cookie", "doorward=TOKEN".to_owned()),
        ("authorization", "TOKEN".to_owned()),
        ("authorization", "Bearer TOKEN".to_owned()),
        ("authorization", "bearer TOKEN".to_owned()),
        ("authorization", format!("{ann} TOKEN")),
        ("authorization", format!("Bearer {ann} TOKEN")),
    ] {
        let token = token(&app, "ann").await;
        let ask = || log_out().header(header, value.replace("TOKEN", &token));
        let reply = app.send(ask()).await;
        assert_eq!((reply.status.as_u16(), reply.body.len()), (204, 0), "{header}: {value}: {reply:?}");
        refused(&app.send(ask()).await, 401, "not_signed_in");
    }
    refused(&app.send(log_out()).await, 401, "not_signed_in");
}

#[tokio::test]
async fn a_wrong_authorization_is_not_mended_by_a_cookie() {
    let app = TestApp::new().await;
    let (ann, bob) = (app.user("ann").await.id.to_string(), app.user("bob").await.id.to_string());
    let token = token(&app, "ann").await;
    for wrong in [
        String::new(),
        "Bearer".to_owned(),
        "Bearer nonsense".to_owned(),
        format!("Bearer {bob} {token}"),
        format!("{bob} {token}"),
        format!("{} {token}", ann.to_uppercase()),
        format!("Basic {token}"),
        format!("Bearer {ann} {token} more"),
        format!("{token} {token}"),
    ] {
        let ask = log_out().header("authorization", wrong.as_str()).cookie("sessions", &token);
        refused(&app.send(ask).await, 401, "not_signed_in");
    }
    refused(&app.send(log_out().bearer(&token).bearer(&token).cookie("sessions", &token)).await, 401, "not_signed_in");
    app.send(log_out().cookie("sessions", &token)).await.expect(204);
}

#[tokio::test]
async fn signing_out_takes_the_cookies_of_the_session_that_ended() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let (one, other) = (token(&app, "ann").await, token(&app, "ann").await);
    // The header named another session than the browser's.
    let reply = app.send(log_out().bearer(&one).cookie("sessions", &other)).await.expect(204);
    assert!(!reply.headers.contains_key("set-cookie"));
    let reply = app.send(log_out().cookie("sessions", &other)).await.expect(204);
    let cleared: Vec<_> = reply.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
    assert!(cleared.iter().any(|cookie| cookie.starts_with("sessions=; Path=/; Max-Age=0")), "{cleared:?}");
}

#[tokio::test]
async fn signing_in_replaces_the_session_of_the_cookie() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let old = token(&app, "ann").await;
    let new = app.send(log_in("ann@example.com", PASSWORD).cookie("sessions", &old)).await.expect(200).at("/token");
    refused(&app.send(log_out().bearer(&old)).await, 401, "not_signed_in");
    app.send(log_out().bearer(&new)).await.expect(204);
}

#[tokio::test]
async fn signing_out_ignores_body_and_content_type() {
    let app = TestApp::new().await;
    app.user("ann").await;
    for (path, kind, body) in [
        ("/v1/log_out", "application/json", ""),
        ("/v1/log_out", "text/plain", "{"),
        ("/trade-api/v2/logout", "application/json", "{}"),
        ("/trade-api/v2/logout", "application/x-www-form-urlencoded", "\0"),
    ] {
        let token = token(&app, "ann").await;
        app.send(Ask::post(path).raw(kind, body).bearer(&token)).await.expect(204);
    }
}

#[tokio::test]
async fn unknown_and_known_are_refused_in_the_same_bytes() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let known = app.send(log_in("ann@example.com", "wrong password")).await;
    refused(&known, 401, "invalid_credentials");
    for ask in [
        log_in("nobody@example.com", "wrong password"),
        log_in("ann", PASSWORD),
        log_in("", ""),
        log_in("ann@example.com", ""),
        log_in("ann@example.com\0", &"x".repeat(10_000)),
    ] {
        let reply = app.send(ask).await;
        assert_eq!((reply.status, &reply.body), (known.status, &known.body));
        assert_eq!(reply.snapshot(), known.snapshot());
    }
}

#[tokio::test]
async fn disabled_users_are_told_after_the_password_only() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let token = token(&app, "ann").await;
    users::disable(app.core(), &app.call(), Authority::operator(), "ann").await.unwrap();
    refused(&app.send(log_in("ann@example.com", "wrong password")).await, 401, "invalid_credentials");
    refused(&app.send(log_in("ann@example.com", PASSWORD)).await, 403, "account_disabled");
    refused(&app.send(log_out().bearer(&token)).await, 401, "not_signed_in");
}

#[tokio::test]
async fn a_second_factor_that_is_owed_opens_nothing() {
    let app = TestApp::new().await;
    super::dialect_kraken::user_with_key(&app, "kim").await;
    for path in ["/v1/log_in", "/trade-api/v2/login"] {
        let ask = Ask::post(path).json(&json!({"email": "kim@example.com", "password": PASSWORD}));
        refused(&app.send(ask).await, 403, "second_factor_required");
    }
    // A half session from elsewhere can be ended here.
    let half = super::dialect_kraken::login(&app, "kim").await;
    app.send(log_out().cookie("doorward", &half)).await.expect(204);
    refused(&app.send(log_out().cookie("doorward", &half)).await, 401, "not_signed_in");
}

#[tokio::test]
async fn a_reset_by_mail() {
    let app = TestApp::new().await;
    let (ann, bob) = (app.user("ann").await.id.to_string(), app.user("bob").await.id.to_string());
    let session = token(&app, "ann").await;
    let ask = |email: &str| Ask::post("/v1/passwords/reset").json(&json!({"email": email}));
    let known = app.send(ask("ann@example.com")).await.expect(202);
    let unknown = app.send(ask("nobody@example.com")).await.expect(202);
    assert_eq!((known.snapshot(), known.body.len()), (unknown.snapshot(), 0));
    assert!(app.mails("nobody@example.com").await.is_empty());
    for wrong in ["", "ann", "ann@", "ann@example.com\0", "ann@example.com, bob@example.com"] {
        refused(&app.send(ask(wrong)).await, 400, "invalid_parameters");
    }

    let first = app.query("ann@example.com", "code").await;
    app.advance(Duration::from_secs(1));
    app.send(ask("ann@example.com")).await.expect(202);
    let mail = app.mail("ann@example.com").await;
    let link = mail.link().unwrap().to_string();
    let code = mail.query("code").unwrap();
    assert_eq!(link, format!("{ORIGIN}/reset?code={code}&user_id={ann}"));

    refused(&app.send(confirm(&first, &ann, OTHER_PASSWORD)).await, 400, "invalid_code");
    refused(&app.send(confirm(&code, &bob, OTHER_PASSWORD)).await, 400, "invalid_code");
    refused(&app.send(confirm(&code, "", OTHER_PASSWORD)).await, 400, "invalid_code");
    let weak = app.send(confirm(&code, &ann, "aaa")).await;
    refused(&weak, 400, "password_rejected");
    assert!(weak.at("/details").contains("at least 8"), "{weak:?}");
    let done = app.send(confirm(&code, &ann, OTHER_PASSWORD)).await.expect(204);
    assert_eq!(done.body.len(), 0);
    refused(&app.send(confirm(&code, &ann, PASSWORD)).await, 400, "invalid_code");

    refused(&app.send(log_out().bearer(&session)).await, 401, "not_signed_in");
    refused(&app.send(log_in("ann@example.com", PASSWORD)).await, 401, "invalid_credentials");
    app.send(log_in("ann@example.com", OTHER_PASSWORD)).await.expect(200);
}

#[tokio::test]
async fn a_code_arrives_percent_encoded_and_dies_with_its_hour() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await.id.to_string();
    app.send(Ask::post("/v1/passwords/reset").json(&json!({"email": "ann@example.com"}))).await.expect(202);
    let code = app.query("ann@example.com", "code").await;
    for wrong in ["", "%00", "%ff%fe", "%2F..%2F", "a%20b", &"x".repeat(8000), &code.to_uppercase(), &format!("{code}%00")] {
        refused(&app.send(confirm(wrong, &ann, OTHER_PASSWORD)).await, 400, "invalid_code");
    }
    app.advance(Duration::from_secs(3600));
    refused(&app.send(confirm(&code, &ann, OTHER_PASSWORD)).await, 400, "invalid_code");
    app.send(Ask::post("/v1/passwords/reset").json(&json!({"email": "ann@example.com"}))).await.expect(202);
    let code = app.query("ann@example.com", "code").await;
    let encoded: String = code.bytes().map(|byte| format!("%{byte:02X}")).collect();
    app.send(confirm(&encoded, &ann, OTHER_PASSWORD)).await.expect(204);
}

#[tokio::test]
async fn version_two() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await.id.to_string();
    let ask = Ask::post("/trade-api/v2/login").json(&json!({"email": "ann@example.com", "password": PASSWORD}));
    let reply = app.send(ask).await.expect(200);
    let body = reply.json();
    assert_eq!(body.as_object().unwrap().keys().collect::<Vec<_>>(), ["member_id", "token"]);
    assert_eq!(body["member_id"], ann);
    let token = body["token"].as_str().unwrap();
    app.send(Ask::post("/trade-api/v2/logout").bearer(token)).await.expect(204);
    refused(&app.send(Ask::post("/trade-api/v2/logout").bearer(token)).await, 401, "not_signed_in");
    let ask = Ask::post("/trade-api/v2/login").json(&json!({"email": "ann@example.com", "password": "nope nope"}));
    refused(&app.send(ask).await, 401, "invalid_credentials");
}

#[tokio::test]
async fn bodies_that_cannot_be_used() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let bodies = [
        ("application/json", String::new()),
        ("application/json", "{".to_owned()),
        ("application/json", "[]".to_owned()),
        ("application/json", "null".to_owned()),
        ("application/json", "{}".to_owned()),
        ("application/json", r#"{"email":"ann@example.com","password":null,"user_id":"x"}"#.to_owned()),
        ("application/json", r#"{"email":7,"password":7,"user_id":7}"#.to_owned()),
        ("application/json", r#"{"email":"a@b","email":"c@d","password":"x","password":"y","user_id":"x"}"#.to_owned()),
        ("application/json", format!("{}{}", r#"{"email":"#, "[".repeat(10_000))),
        ("application/json", format!(r#"{{"email":"{}"}}"#, "x".repeat(1 << 20))),
        ("application/json", "{\"email\":\"\u{0}\"}".to_owned()),
        ("text/plain", r#"{"email":"ann@example.com","password":"correct horse battery 9!","user_id":"x"}"#.to_owned()),
        ("application/x-www-form-urlencoded", "email=ann@example.com&password=x&user_id=x".to_owned()),
    ];
    let calls = [
        ("POST", "/v1/log_in"),
        ("POST", "/v1/passwords/reset"),
        ("PUT", "/v1/passwords/reset/x/confirm"),
        ("POST", "/trade-api/v2/login"),
    ];
    for (method, path) in calls {
        for (kind, body) in &bodies {
            if path == "/v1/passwords/reset" && body.contains("null") && body.contains("ann") {
                continue; // a password is not asked for there
            }
            let reply = app.send(Ask::new(method, path).raw(kind, body.as_str())).await;
            refused(&reply, 400, "invalid_parameters");
            assert!(!reply.at("/details").is_empty() && !reply.text().contains("correct horse"), "{reply:?}");
        }
        refused(&app.send(Ask::new(method, path)).await, 400, "invalid_parameters");
    }
    assert!(app.mails("ann@example.com").await.is_empty());
    let extra: Value = json!({"email": "ann@example.com", "password": PASSWORD, "user_id": "x", "admin": true});
    app.send(Ask::post("/v1/log_in").json(&extra)).await.expect(200);
}

#[tokio::test]
async fn other_methods_and_other_urls() {
    let app = TestApp::new().await;
    for (method, path, allow) in [
        ("GET", "/v1/log_in", "POST"),
        ("DELETE", "/v1/log_out", "POST"),
        ("POST", "/v1/passwords/reset/x/confirm", "PUT"),
        ("OPTIONS", "/trade-api/v2/login", "POST"),
    ] {
        let reply = app.send(Ask::new(method, path)).await;
        refused(&reply, 405, "method_not_allowed");
        assert_eq!(reply.headers["allow"], allow);
    }
    for path in ["/v1", "/v1/", "/v1/log_in/", "/trade-api/v2/markets"] {
        refused(&app.send(Ask::post(path)).await, 404, "not_found");
    }
}

#[tokio::test]
async fn foreign_sites_cannot_use_the_cookie() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let token = token(&app, "ann").await;
    let foreign = |ask: Ask| ask.cookie("sessions", &token).header("origin", "https://evil.example");
    refused(&app.send(foreign(log_out())).await, 403, "foreign_origin");
    refused(&app.send(foreign(log_in("ann@example.com", PASSWORD))).await, 403, "foreign_origin");
    app.send(log_out().cookie("sessions", &token).header("origin", ORIGIN)).await.expect(204);
}

#[tokio::test]
async fn too_many_attempts() {
    let app = TestApp::limited(&[("limits.signin_account.burst", "4"), ("limits.mail_address.burst", "1")]).await;
    let ann = app.user("ann").await.id.to_string();
    for _ in 0..2 {
        refused(&app.send(log_in("ann@example.com", "wrong password")).await, 401, "invalid_credentials");
    }
    let limited = app.send(log_in("ann@example.com", PASSWORD)).await;
    refused(&limited, 429, "too_many_attempts");
    assert!(limited.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() > 0);

    let ask = || Ask::post("/v1/passwords/reset").json(&json!({"email": "ann@example.com"}));
    app.send(ask()).await.expect(202);
    refused(&app.send(ask()).await, 429, "too_many_attempts");
    let code = app.query("ann@example.com", "code").await;
    app.send(confirm(&code, &ann, OTHER_PASSWORD)).await.expect(204);
}

#[tokio::test]
async fn the_operators_names_in_errors_and_cookies_over_https() {
    let app = TestApp::with(&[("service_name", "Zürich Login"), ("public_url", "https://login.example.org")]).await;
    app.user("ann").await;
    let reply = app.send(log_out()).await.expect(401);
    assert_eq!((reply.at("/service").as_str(), &reply.headers["service"]), ("Zürich Login", &"Z?rich Login".parse().unwrap()));
    let reply = app.send(log_in("ann@example.com", PASSWORD)).await.expect(200);
    assert!(reply.headers["set-cookie"].to_str().unwrap().ends_with("HttpOnly; SameSite=Lax; Secure"));
}

#[tokio::test]
async fn every_refusal_names_the_service_as_the_operator_does() {
    let app = TestApp::with(&[("service_name", "Example Login")]).await;
    let text = String::new;
    let writer: Writer = Arc::new(move |_| Ok(WrittenMail { subject: text(), text: text(), html: text() }));
    let shared = Shared::new(Arc::clone(app.core()), PublicUrl::localhost(8080), 1024, Forward::default(), writer);
    let kalshi = dialect::ALL.iter().find(|dialect| dialect.name == "kalshi").unwrap();
    let words = (kalshi.words)(&shared);
    for (reply, status) in [
        (app.send(log_out()).await, 401),
        (app.send(Ask::post("/v1/nothing")).await, 404),
        (app.send(Ask::get("/v1/log_in")).await, 405),
        (Reply::of(words.panicked()).await, 500),
        (Reply::of(words.timed_out()).await, 503),
    ] {
        let reply = reply.expect(status);
        assert_eq!(
            (reply.at("/service").as_str(), reply.headers["service"].to_str().unwrap()),
            ("Example Login", "Example Login")
        );
    }
}
