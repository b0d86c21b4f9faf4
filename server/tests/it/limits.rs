//! Limits: 429 in each dialect's words, before the verdict, given back by success, over with time, off when switched off.

use std::time::Duration;

use doorward::core::model::Role;
use serde_json::json;

use super::app::{ORIGIN, OTHER_PASSWORD, PASSWORD, TestApp};
use super::authenticator::Authenticator;
use super::flow_totp;
use super::reply::Ask;
use super::wires::Wire;

#[tokio::test]
async fn failures_of_an_account_are_limited_in_every_dialect() {
    for wire in Wire::ALL {
        let app = TestApp::limited(&[("limits.signin_account.burst", "6"), ("limits.signin_account.per", "3m")]).await;
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
        let app = TestApp::limited(&[("limits.signin_account.burst", "6")]).await;
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

/// What strangers can ask for ann, by any of her names.
fn strangers_asks() -> Vec<Ask> {
    vec![
        Ask::post("/v1/passwords/reset").json(&json!({"email": "ann@example.com"})),
        Ask::get("/api/v1/forgotten-password?username=ann"),
        Ask::get("/api/v1/forgotten-password?username=ann%40example.com"),
        Ask::get("/api/v1/request-code/ann%40example.com"),
        Ask::post("/auth/v1/recovery").json(&json!({"identifier": "ann"})),
        Ask::post("/auth/v1/sign-in/code/request").json(&json!({"email": "ann@example.com"})),
    ]
}

#[tokio::test]
async fn strangers_cannot_use_up_the_access_codes() {
    let app = TestApp::limited(&[("limits.mail_address.burst", "2")]).await;
    app.user("ann").await;
    let application = app.application(false, &[]).await;
    for round in 0..4 {
        let stranger = format!("203.0.113.{round}").parse().unwrap();
        for ask in strangers_asks() {
            app.send_from(stranger, ask).await;
        }
        app.deliver().await;
    }
    application.token(&app, "ann").await;
}

#[tokio::test]
async fn a_right_password_is_not_charged_for_access_codes_that_are_too_many() {
    let app = TestApp::limited(&[("limits.mail_address.burst", "2"), ("limits.signin_account.burst", "4")]).await;
    app.user("ann").await;
    let application = app.application(false, &[]).await;
    for _ in 0..2 {
        application.login(&app, "ann", PASSWORD).await.expect(200);
        app.deliver().await;
    }
    let last = application.login(&app, "ann", PASSWORD).await.expect(429);
    assert_eq!(last.at("/fault/code"), "900800");
    assert!(last.headers.contains_key("retry-after"));
    for _ in 0..4 {
        application.login(&app, "ann", PASSWORD).await.expect(429);
    }
    assert_eq!(app.mails("ann@example.com").await.iter().filter(|mail| mail.code().is_some()).count(), 2);
    // Both tries of a password are there still.
    for status in [401, 401, 429] {
        app.sign_in("ann", OTHER_PASSWORD).await.expect(status);
    }
}

fn throttled(log: &[String]) -> Vec<&str> {
    log.iter().filter_map(|line| line.strip_suffix(" too_many_attempts")).collect()
}

#[tokio::test]
async fn refused_applications_are_limited_and_do_not_fill_the_log() {
    let app = TestApp::limited(&[("limits.signin_network.burst", "3")]).await;
    app.user("ann").await;
    let application = app.application(false, &[]).await;
    let init = || Ask::get("/apim/session/1.0/session/init").header("userid", "ann");
    let unknown = || init().bearer("x").header("consumerKey", "y").header("appId", "nobody").header("ip", "1.1.1.1");
    for _ in 0..3 {
        app.send(unknown()).await.expect(401);
    }
    let before = app.audit().await.len();
    for n in 0..40 {
        let id = format!("00000000-0000-7000-8000-{n:012}");
        let ask = init().bearer("x").header("consumerKey", "y").header("appId", id).header("ip", "1.1.1.1");
        let reply = app.send(ask).await.expect(429);
        assert_eq!(reply.at("/fault/code"), "900800");
        assert!(reply.headers.contains_key("retry-after"));
    }
    let log = app.audit().await;
    assert_eq!((log.len(), throttled(&log)), (before + 1, vec!["application_refused"]));
    // A right application of the same network goes on, and others are not concerned.
    app.send(application.sign(init())).await.expect(200);
    app.send_from("198.51.100.7".parse().unwrap(), unknown()).await.expect(401);
}

#[tokio::test]
async fn throttling_is_on_record_once_a_bucket_and_span_in_every_flow() {
    let limits = [
        ("limits.signin_account.burst", "2"),
        ("limits.signin_account.per", "30m"),
        ("limits.second_factor_account.burst", "1"),
        ("limits.second_factor_account.per", "30m"),
        ("limits.mail_address.burst", "1"),
    ];
    let network = [("limits.signin_network.burst", "1"), ("limits.signin_network.per", "30m")];
    let wrong = || json!({"current_password": OTHER_PASSWORD, "new_password": "a wholly new one 3!"});
    let account = || json!({"firstName": "A", "lastName": "B", "password": PASSWORD});
    for (event, name) in [
        ("sign_in", "password"),
        ("sign_in", "mailed code"),
        ("sign_in", "application"),
        ("sign_in", "access codes mailed"),
        ("second_factor", "access code"),
        ("second_factor", "key"),
        ("second_factor", "authenticator app"),
        ("totp_added", "authenticator app, enrolling"),
        ("password_changed", ""),
        ("recovery_mailed", ""),
        ("code_mailed", ""),
        ("recovery_completed", ""),
        ("invitation_used", ""),
        ("application_refused", ""),
    ] {
        let of_network = ["recovery_completed", "invitation_used", "application_refused"].contains(&event);
        let app = TestApp::limited(if of_network { &network } else { &limits }).await;
        app.user("ann").await;
        let application = app.application(false, &[]).await;
        let token = app.token("ann").await;
        let mut one_time_token = String::new();
        match name {
            "access code" => {
                one_time_token = application.login(&app, "ann", PASSWORD).await.expect(200).at("/Success/oneTimeToken");
                app.deliver().await;
            }
            "key" => drop(app.register(&token, "first", &mut Authenticator::new(8, ORIGIN)).await.expect(201)),
            "authenticator app" => drop(flow_totp::enrol(&app, &token).await),
            "authenticator app, enrolling" => drop(flow_totp::start(&app, &token).await.expect(200)),
            _ => {}
        }
        let tries = async |count: usize| {
            let mut last = 0;
            for _ in 0..count {
                let ask = match (event, name) {
                    ("sign_in", "password") => Wire::Native.sign_in("ann", OTHER_PASSWORD),
                    ("sign_in", "mailed code") => Ask::post("/login").json(&json!({"username": "ann", "password": "AAAA22"})),
                    ("sign_in", _) => {
                        let password = if name == "application" { OTHER_PASSWORD } else { PASSWORD };
                        let ask = Ask::post("/apim/session/1.0/session/login/userid");
                        application.sign(ask.json(&json!({"userid": "ann", "password": password})))
                    }
                    ("second_factor", "access code") => {
                        let ask = Ask::post("/apim/session/1.0/session/2FA/accesscode");
                        let ask = ask.json(&json!({"userid": "ann", "accessCode": "AAAA22"}));
                        application.sign(ask).header("oneTimeToken", one_time_token.clone())
                    }
                    ("second_factor", "key") => {
                        let ask = Ask::post("/auth/v1/second-factor/start").bearer(&token);
                        let options = app.send(ask).await.expect(200).json();
                        let mut answer = Authenticator::new(8, ORIGIN).get(&options);
                        answer["response"]["signature"] = json!("MEUCIQDx");
                        Ask::post("/auth/v1/second-factor").bearer(&token).json(&json!({"credential": answer}))
                    }
                    ("second_factor", _) => Ask::post("/auth/v1/second-factor/totp").bearer(&token).json(&json!({"code": "x"})),
                    ("totp_added", _) => Ask::post("/auth/v1/totp").bearer(&token).json(&json!({"code": "x"})),
                    ("password_changed", _) => Ask::post("/auth/v1/password").bearer(&token).json(&wrong()),
                    ("recovery_mailed", _) => Ask::get("/api/v1/forgotten-password?username=ann"),
                    ("code_mailed", _) => Ask::get("/api/v1/request-code/ann%40example.com"),
                    ("recovery_completed", _) => {
                        Ask::post("/api/v1/reset-password").json(&json!({"token": "x", "password": OTHER_PASSWORD}))
                    }
                    ("invitation_used", _) => Ask::post("/api/v1/invitation/create/x").json(&account()),
                    (_, _) => {
                        let ask = Ask::get("/apim/session/1.0/session/init").header("userid", "ann").header("ip", "1.1.1.1");
                        ask.bearer("x").header("consumerKey", "y").header("appId", "z")
                    }
                };
                last = app.send(ask).await.status.as_u16();
            }
            last
        };
        assert_eq!(tries(4).await, 429, "{event} {name}");
        assert_eq!(throttled(&app.audit().await), [event], "{name}: once");
        app.advance(Duration::from_secs(10 * 60));
        // (An old session may not try to enrol or change any more.)
        if !["totp_added", "password_changed"].contains(&event) && name != "access code" {
            assert_eq!(tries(2).await, 429, "{event} {name}");
            assert_eq!(throttled(&app.audit().await), [event], "{name}: once in a quarter of an hour");
            app.advance(Duration::from_secs(5 * 60));
            assert_eq!(tries(2).await, 429, "{event} {name}");
            assert_eq!(throttled(&app.audit().await), [event, event], "{name}: and once in the next");
        }
    }
}

#[tokio::test]
async fn accepted_invitations_and_weak_passwords_are_no_failures_of_the_network() {
    let app = TestApp::limited(&[("limits.signin_network.burst", "2")]).await;
    app.user("ann").await;
    let create = |id: &str, password: &str| {
        let body = json!({"firstName": "A", "lastName": "B", "password": password});
        Ask::post(format!("/api/v1/invitation/create/{id}")).json(&body)
    };
    for n in 0..5 {
        let id = app.invite(&format!("u{n}@example.com"), Role::Member).await.secret.reveal().to_owned();
        app.send(create(&id, "abc")).await.expect(422);
        app.send(create(&id, PASSWORD)).await.expect(200);
    }
    let taken = app.invite("ann@example.com", Role::Member).await.secret.reveal().to_owned();
    let token = app.token("ann").await;
    for _ in 0..4 {
        app.send(create(&taken, PASSWORD)).await.expect(409);
    }
    let another = app.invite("other@example.com", Role::Member).await.secret.reveal().to_owned();
    for _ in 0..4 {
        let accept = Ask::post(format!("/api/v1/invitation/accept/{another}")).cookie("doorward", &token);
        app.send(accept).await.expect(403);
    }
    app.send(Ask::get("/api/v1/forgotten-password?username=ann")).await.expect(200);
    let link = app.query("ann@example.com", "token").await;
    let reset =
        |token: &str, password: &str| Ask::post("/api/v1/reset-password").json(&json!({"token": token, "password": password}));
    for _ in 0..4 {
        app.send(reset(&link, "abc")).await.expect(422);
    }
    app.send(reset(&link, OTHER_PASSWORD)).await.expect(200);
    // Guesses are, whatever they are guesses at.
    app.send(create("x", PASSWORD)).await.expect(404);
    app.send(reset("x", OTHER_PASSWORD)).await.expect(400);
    app.send(create("x", PASSWORD)).await.expect(429);
    app.send(reset("x", OTHER_PASSWORD)).await.expect(429);
    app.sign_in("ann", OTHER_PASSWORD).await.expect(429);
}

#[tokio::test]
async fn one_user_under_two_names_gets_the_mails_of_one() {
    for burst in [1, 3] {
        let app = TestApp::limited(&[("limits.mail_address.burst", &burst.to_string())]).await;
        app.user("ann").await;
        for _ in 0..4 {
            for ask in strangers_asks() {
                app.send(ask).await;
            }
            app.deliver().await;
        }
        assert_eq!(app.mails("ann@example.com").await.len(), burst);
        app.advance(Duration::from_secs(60 * 60));
        app.send(Ask::get("/api/v1/forgotten-password?username=ann")).await.expect(200);
        assert_eq!(app.mails("ann@example.com").await.len(), burst + 1);
    }
}

#[tokio::test]
async fn a_clock_that_was_ahead_locks_nobody_out_once_it_is_right() {
    let year = Duration::from_secs(365 * 24 * 60 * 60);
    let app = TestApp::limited(&[("limits.signin_network.burst", "12")]).await;
    app.user("ann").await;
    app.user_with_key("keyed").await;
    let application = app.application(false, &[]).await;
    app.advance(year);
    for _ in 0..12 {
        app.sign_in("ann", OTHER_PASSWORD).await;
        app.send(Ask::get("/api/v1/forgotten-password?username=ann")).await;
    }
    app.sign_in("ann", PASSWORD).await.expect(429);
    app.send(Ask::get("/api/v1/forgotten-password?username=ann")).await.expect(429);
    app.rewind(year);
    app.sign_in("ann", PASSWORD).await.expect(200);
    application.login(&app, "ann", PASSWORD).await.expect(200);
    app.send(Ask::get("/api/v1/forgotten-password?username=ann")).await.expect(200);
    // And the limits hold again.
    for _ in 0..5 {
        app.sign_in("ann", OTHER_PASSWORD).await.expect(401);
    }
    app.sign_in("ann", PASSWORD).await.expect(429);
}

#[tokio::test]
async fn a_network_that_is_throttled_is_on_record_once_whatever_names_it_tries() {
    let app = TestApp::limited(&[("limits.signin_network.burst", "3"), ("limits.mail_network.burst", "3")]).await;
    for n in 0..30 {
        let status = if n < 3 { 401 } else { 429 };
        app.send(Wire::Native.sign_in(&format!("n{n}"), PASSWORD)).await.expect(status);
        app.send(Ask::get(format!("/api/v1/forgotten-password?username=n{n}"))).await.expect(if n < 3 { 200 } else { 429 });
    }
    assert_eq!(throttled(&app.audit().await), ["sign_in", "recovery_mailed"]);
    // Finding out which bucket was empty takes nothing from the others.
    for _ in 0..3 {
        app.send_from("198.51.100.7".parse().unwrap(), Wire::Native.sign_in("n29", PASSWORD)).await.expect(401);
    }
}
