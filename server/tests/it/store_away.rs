//! A store that cannot be reached: who is told what, and that what was given up is not done later.

use std::time::Duration;

use doorward::core::flows::proof;
use doorward::work::housekeeping;
use serde_json::json;

use super::app::{OTHER_PASSWORD, PASSWORD, TestApp};
use super::reply::Ask;
use super::wires;

async fn ready(app: &TestApp) -> u16 {
    app.send(Ask::get("/health/ready")).await.status.as_u16()
}

#[tokio::test]
async fn a_server_whose_database_is_destroyed_is_not_ready() {
    let app = TestApp::new().await;
    app.user("ann").await;
    assert_eq!(ready(&app).await, 200);
    app.database().destroy().await;
    assert_eq!(app.sign_in("ann", PASSWORD).await.status.as_u16() / 100, 5);
    assert_eq!(ready(&app).await, 503);
    app.send(Ask::get("/health/live")).await.expect(200);
}

#[tokio::test]
async fn a_server_that_cannot_write_is_not_ready() {
    let app = TestApp::with(&[("request_timeout", "60s")]).await;
    app.user("ann").await;
    let other = app.database().lock().await;
    // The store waits for the other process for as long as it is patient, and says then that it cannot write.
    app.sign_in("ann", PASSWORD).await.expect(503);
    assert_eq!(ready(&app).await, 503);
    other.release().await;
    app.sign_in("ann", PASSWORD).await.expect(200);
    assert_eq!(ready(&app).await, 200);
}

/// Who is not ready is sent nothing that would show it.
#[tokio::test]
async fn a_server_that_could_not_write_finds_out_by_itself_when_it_can() {
    let app = TestApp::with(&[("request_timeout", "60s")]).await;
    app.user("ann").await;
    let other = app.database().lock().await;
    app.sign_in("ann", PASSWORD).await.expect(503);
    other.release().await;
    proof::write(app.core(), &app.call()).await.unwrap();
    assert_eq!(ready(&app).await, 200);
    // A row that is nobody's, once.
    proof::write(app.core(), &app.call()).await.unwrap();
    app.advance(Duration::from_secs(1));
    housekeeping::round(app.core(), &app.desk).await.unwrap();
    assert_eq!(app.database().value("SELECT COUNT(*) FROM limits").await, "0");
}

#[tokio::test]
async fn what_its_caller_was_told_took_too_long_is_not_done_later() {
    let app = TestApp::with(&[("request_timeout", "2s")]).await;
    let user = app.user("ann").await;
    let application = app.application(false, &[]).await;
    let mut asks = Vec::new();
    let mut tokens = Vec::new();
    for way in 0..wires::sign_outs("", "").len() {
        let token = app.token("ann").await;
        let (name, ask) = wires::sign_outs(&token, &user.id.to_string()).swap_remove(way);
        asks.push((name, ask, if name == "kraken" { 500 } else { 503 }));
        tokens.push(token);
    }
    let kotak = application.token(&app, "ann").await;
    asks.push(("kotak", wires::kotak_sign_out(&application, "ann", &kotak), 504));
    tokens.push(kotak);
    let mails = app.mails("ann@example.com").await.len();
    asks.push(("kestra", Ask::get("/api/v1/forgotten-password?username=ann"), 503));
    asks.push(("kalshi", Ask::post("/v1/passwords/reset").json(&json!({"email": "ann@example.com"})), 503));

    let other = app.database().lock().await;
    let replies = asks.into_iter().map(async |(name, ask, status)| (name, app.send(ask).await, status));
    for (name, reply, status) in futures_util::future::join_all(replies).await {
        assert_eq!(reply.status.as_u16(), status, "{name}: {}", reply.snapshot());
    }
    // Reading goes on.
    for token in &tokens {
        app.session(token).await.expect(200);
    }
    other.release().await;
    // This write waits behind all that were given up.
    app.sign_in("ann", OTHER_PASSWORD).await.expect(401);
    for token in &tokens {
        app.session(token).await.expect(200);
    }
    assert_eq!(app.mails("ann@example.com").await.len(), mails);
    assert!(!app.audit().await.iter().any(|line| line.starts_with("sign_out")));
}
