//! Limits: 429 in each dialect's words, before the verdict, given back by success, over with time, off when switched off.

use std::time::Duration;

use serde_json::json;

use super::app::{OTHER_PASSWORD, PASSWORD, TestApp};
use super::reply::Ask;
use super::wires::Wire;

#[tokio::test]
async fn failures_of_an_account_are_limited_in_every_dialect() {
    for wire in Wire::ALL {
        let app = TestApp::limited(&[("limits.signin_account.burst", "3"), ("limits.signin_account.per", "3m")]).await;
        app.user("ann").await;
        for _ in 0..3 {
            app.send(wire.sign_in("ann", OTHER_PASSWORD)).await.expect(wire.refused());
        }
        let before = app.core().hasher().compared();
        let reply = app.send(wire.sign_in("ann", PASSWORD)).await.expect(429);
        assert_eq!(reply.headers["retry-after"], "60", "{wire:?}");
        assert_eq!(app.core().hasher().compared(), before, "{wire:?} compared a password over the limit");
        app.advance(Duration::from_secs(59));
        app.send(wire.sign_in("ann", PASSWORD)).await.expect(429);
        app.advance(Duration::from_secs(1));
        app.send(wire.sign_in("ann", PASSWORD)).await.expect(200);
        // A success was given back: there is one try, as before.
        app.send(wire.sign_in("ann", OTHER_PASSWORD)).await.expect(wire.refused());
        app.send(wire.sign_in("ann", PASSWORD)).await.expect(429);
    }
}

#[tokio::test]
async fn an_unknown_account_is_limited_like_a_known_one() {
    for wire in Wire::ALL {
        let app = TestApp::limited(&[("limits.signin_account.burst", "3")]).await;
        app.user("ann").await;
        let mut answers = Vec::new();
        for name in ["ann", "nobody"] {
            let mut replies = Vec::new();
            for _ in 0..5 {
                replies.push(app.send(wire.sign_in(name, OTHER_PASSWORD)).await.snapshot());
            }
            answers.push(replies);
        }
        assert_eq!(answers[0], answers[1], "{wire:?}");
    }
}

#[tokio::test]
async fn a_network_is_limited_and_others_are_not() {
    let app = TestApp::limited(&[("limits.signin_network.burst", "4")]).await;
    app.user("ann").await;
    for account in 0..4 {
        app.send(Wire::Native.sign_in(&format!("a{account}"), PASSWORD)).await.expect(401);
    }
    app.send(Wire::Native.sign_in("ann", PASSWORD)).await.expect(429);
    let elsewhere = "198.51.100.7".parse().unwrap();
    app.send_from(elsewhere, Wire::Native.sign_in("ann", PASSWORD)).await.expect(200);
    // One IPv6 subscriber is one network, whatever address of theirs they take.
    for host in 0..4 {
        let address = format!("2001:db8:1:2::{host}").parse().unwrap();
        app.send_from(address, Wire::Native.sign_in(&format!("b{host}"), PASSWORD)).await.expect(401);
    }
    let same = "2001:db8:1:2:ffff::1".parse().unwrap();
    app.send_from(same, Wire::Native.sign_in("ann", PASSWORD)).await.expect(429);
    let other = "2001:db8:1:3::1".parse().unwrap();
    app.send_from(other, Wire::Native.sign_in("ann", PASSWORD)).await.expect(200);
}

#[tokio::test]
async fn forwarded_headers_from_anybody_do_not_change_the_network() {
    let app = TestApp::limited(&[("limits.signin_network.burst", "2")]).await;
    for (n, header) in ["x-forwarded-for", "forwarded", "x-real-ip", "ip"].into_iter().enumerate() {
        let reply = app.send(Wire::Native.sign_in(&format!("n{n}"), PASSWORD).header(header, format!("203.0.113.{n}"))).await;
        assert_eq!(reply.status.as_u16(), if n < 2 { 401 } else { 429 }, "{header}");
    }
}

#[tokio::test]
async fn mails_to_an_address_are_limited_in_every_dialect() {
    let asks: [fn(&str) -> Ask; 5] = [
        |name| Ask::post("/v1/passwords/reset").json(&json!({"email": format!("{name}@example.com")})),
        |name| Ask::get(format!("/api/v1/forgotten-password?username={name}%40example.com")),
        |name| Ask::get(format!("/api/v1/request-code/{name}%40example.com")),
        |name| Ask::post("/auth/v1/recovery").json(&json!({"identifier": format!("{name}@example.com")})),
        |name| Ask::post("/auth/v1/sign-in/code/request").json(&json!({"email": format!("{name}@example.com")})),
    ];
    for ask in asks {
        let app = TestApp::limited(&[("limits.mail_address.burst", "2")]).await;
        app.user("ann").await;
        let mut answers = Vec::new();
        for name in ["ann", "nobody"] {
            let mut replies = Vec::new();
            for _ in 0..3 {
                replies.push(app.send(ask(name)).await);
            }
            assert!(replies[1].status.is_success() && replies[2].status == 429, "{}", replies[2].snapshot());
            assert!(replies[2].headers.contains_key("retry-after"));
            answers.push(replies.iter().map(super::reply::Reply::snapshot).collect::<Vec<_>>());
        }
        assert_eq!(answers[0], answers[1]);
        assert_eq!(app.mails("ann@example.com").await.len(), 2);
    }
}

#[tokio::test]
async fn second_factors_are_limited() {
    let app = TestApp::limited(&[("limits.second_factor_account.burst", "3")]).await;
    app.user("ann").await;
    let application = app.application(false, &[]).await;
    let begin = || async { application.login(&app, "ann", PASSWORD).await.expect(200).at("/Success/oneTimeToken") };
    let first = begin().await;
    app.deliver().await;
    for _ in 0..3 {
        application.access_code(&app, "ann", &first, "AAAA22").await.expect(401);
    }
    // A new sign-in brings new tries of its code, not of the account.
    let second = begin().await;
    let code = app.code("ann@example.com").await;
    let reply = application.access_code(&app, "ann", &second, &code).await.expect(429);
    assert_eq!(reply.at("/fault/code"), "900800");
    assert!(reply.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn a_password_asked_for_again_is_limited_like_a_second_factor() {
    let app = TestApp::limited(&[("limits.second_factor_account.burst", "3")]).await;
    app.user("ann").await;
    let token = app.token("ann").await;
    let change = |current: &str| {
        let body = json!({"current_password": current, "new_password": "a wholly new one 3!"});
        Ask::post("/auth/v1/password").bearer(&token).json(&body)
    };
    for _ in 0..3 {
        app.send(change(OTHER_PASSWORD)).await.expect(401);
    }
    app.send(change(PASSWORD)).await.expect(429);
}

#[tokio::test]
async fn with_limits_off_there_are_none_but_a_codes_own_tries() {
    let app = TestApp::new().await;
    app.user("ann").await;
    for _ in 0..30 {
        app.send(Wire::Native.sign_in("ann", OTHER_PASSWORD)).await.expect(401);
    }
    app.send(Wire::Native.sign_in("ann", PASSWORD)).await.expect(200);
    app.send(Ask::get("/api/v1/request-code/ann@example.com")).await.expect(200);
    let code = app.code("ann@example.com").await;
    for _ in 0..5 {
        app.send(Ask::post("/login").json(&json!({"username": "ann", "password": "AAAA22"}))).await.expect(401);
    }
    app.send(Ask::post("/login").json(&json!({"username": "ann", "password": code}))).await.expect(401);
}
