//! Passwords: length, Unicode, cost.

use std::pin::{Pin, pin};
use std::task::{Context, Waker};
use std::time::Duration;

use doorward::core::flows::authority::Authority;
use doorward::core::flows::users;
use doorward::core::token::Secret;
use futures_util::future::join_all;
use serde_json::json;

use super::app::{OTHER_PASSWORD, PASSWORD, TestApp};
use super::reply::Ask;
use super::wires::Wire;

async fn set(app: &TestApp, password: &str) -> Result<(), doorward::core::Error> {
    let (core, call) = (app.core(), app.call());
    users::set_password(core, &call, Authority::operator(), "ann", &Secret::new(password)).await.map(drop)
}

#[tokio::test]
async fn any_unicode_from_8_to_256_characters() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let long: String = (0..256).map(|n| char::from_u32(0x4e00 + n * 7).unwrap()).collect();
    let longer = format!("{long}x");
    for fine in ["gr\u{fc}n-Dackel-Wolke", "пароль из слов 42", "🐘 eats 🥨 at noon", "tab\tand nul\0 inside", &long]
    {
        set(&app, fine).await.unwrap_or_else(|error| panic!("{fine:?}: {error:?}"));
        app.sign_in("ann", fine).await.expect(200);
        app.sign_in("ann", &format!("{fine}!")).await.expect(401);
    }
    for wrong in ["", "Xk9#q2!", &longer, "password123", "ann@example.com1", "aaaaaaaaaaaaaaaa"] {
        assert!(set(&app, wrong).await.is_err(), "{wrong:?}");
    }
}

#[tokio::test]
async fn composed_and_decomposed_are_one_password() {
    let app = TestApp::new().await;
    app.user("ann").await;
    set(&app, "cafe\u{301} at the corner 8").await.unwrap();
    app.sign_in("ann", "caf\u{e9} at the corner 8").await.expect(200);
    // But not what merely looks alike (NFKC), nor another case.
    app.sign_in("ann", "ｃaf\u{e9} at the corner 8").await.expect(401);
    app.sign_in("ann", "Caf\u{e9} at the corner 8").await.expect(401);
}

#[tokio::test]
async fn a_sign_in_upgrades_a_hash_when_the_setting_has_grown() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let phc = async |app: &TestApp| app.database().value("SELECT phc FROM passwords").await;
    let before = phc(&app).await;
    assert!(before.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{before}");
    app.sign_in("ann", PASSWORD).await.expect(200);
    assert_eq!(phc(&app).await, before);
    let grown = app.reconfigured(&[("passwords.iterations", "2")]).await;
    grown.sign_in("ann", OTHER_PASSWORD).await.expect(401);
    assert_eq!(phc(&grown).await, before);
    grown.sign_in("ann", PASSWORD).await.expect(200);
    let after = phc(&grown).await;
    assert!(after.starts_with("$argon2id$v=19$m=64,t=2,p=1$"), "{after}");
    grown.sign_in("ann", PASSWORD).await.expect(200);
    // A cheaper setting does not weaken what is there.
    let shrunk = grown.reconfigured(&[("passwords.iterations", "1")]).await;
    shrunk.sign_in("ann", PASSWORD).await.expect(200);
    assert_eq!(phc(&shrunk).await, after);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_too_many_wait_to_hash_the_next_is_told_so_and_checks_go_on() {
    let settings = [("passwords.queue", "1"), ("passwords.threads", "1"), ("passwords.memory_kib", "65536")];
    let app = std::sync::Arc::new(TestApp::with(&settings).await);
    app.user("ann").await;
    let token = app.token("ann").await;
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let app = std::sync::Arc::clone(&app);
        callers.spawn(async move { app.sign_in("ann", PASSWORD).await });
    }
    let mut refused = 0;
    while let Some(reply) = callers.join_next().await {
        let reply = reply.unwrap();
        match reply.status.as_u16() {
            200 => {}
            503 => {
                assert!(reply.headers.contains_key("retry-after"));
                refused += 1;
            }
            _ => panic!("{}", reply.snapshot()),
        }
        app.session(&token).await.expect(200);
    }
    assert!(refused > 0);
    app.sign_in("ann", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn right_passwords_at_once_are_all_taken_while_the_hash_is_upgraded() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let app = app.reconfigured(&[("passwords.iterations", "2")]).await;
    // All are polled, and so have read the old hash, before one of them can have written the new.
    let replies = join_all((0..8).map(|_| app.sign_in("ann", PASSWORD))).await;
    for reply in replies {
        reply.expect(200);
    }
    let phc = app.database().value("SELECT phc FROM passwords").await;
    assert!(phc.starts_with("$argon2id$v=19$m=64,t=2,p=1$"), "{phc}");
    app.sign_in("ann", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn a_password_that_was_changed_meanwhile_opens_nothing_though_its_old_hash_was_right() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let app = app.reconfigured(&[("passwords.iterations", "2")]).await;
    // The sign-in reads before the new password is written, and settles after.
    let mut sign_in = pin!(app.sign_in("ann", PASSWORD));
    begin(sign_in.as_mut());
    app.advance(Duration::from_secs(1));
    set(&app, OTHER_PASSWORD).await.unwrap();
    sign_in.await.expect(401);
    app.sign_in("ann", OTHER_PASSWORD).await.expect(200);
}

/// Polls a call once, which takes it to its first wait: for the store, with a place at the hashing threads in hand.
fn begin(call: Pin<&mut impl Future>) {
    assert!(call.poll(&mut Context::from_waker(Waker::noop())).is_pending());
}

#[tokio::test]
async fn a_busy_server_costs_nobody_a_try() {
    let limits = [
        ("limits.signin_account.burst", "2"),
        ("limits.signin_network.burst", "3"),
        ("limits.second_factor_account.burst", "1"),
        ("limits.mail_address.burst", "3"),
        ("passwords.threads", "1"),
        ("passwords.queue", "1"),
    ];
    let app = TestApp::limited(&limits).await;
    app.user("ann").await;
    app.user("bob").await;
    app.user("eve").await;
    let application = app.application(false, &[]).await;
    let token = app.token("ann").await;
    app.send(Ask::get("/api/v1/request-code/ann%40example.com")).await.expect(200);
    let code = app.code("ann@example.com").await;
    let one_time_token = application.login(&app, "ann", PASSWORD).await.expect(200).at("/Success/oneTimeToken");
    let access_code = app.code("ann@example.com").await;
    let with_code = |code: &str| Ask::post("/login").json(&json!({"username": "ann", "password": code}));
    let change = |new: &str| {
        let body = json!({"current_password": PASSWORD, "new_password": new});
        Ask::post("/auth/v1/password").bearer(&token).json(&body)
    };
    {
        // Two others hold the one thread and the one place in the queue.
        let elsewhere = |last| std::net::Ipv4Addr::new(198, 51, 100, last).into();
        let mut first = pin!(app.send_from(elsewhere(1), Wire::Native.sign_in("bob", PASSWORD)));
        let mut second = pin!(app.send_from(elsewhere(2), Wire::Native.sign_in("eve", PASSWORD)));
        begin(first.as_mut());
        begin(second.as_mut());
        assert_eq!(app.core().hasher().busy(), 2);
        for _ in 0..6 {
            for wire in Wire::ALL {
                let reply = app.send(wire.sign_in("ann", OTHER_PASSWORD)).await.expect(503);
                assert!(reply.headers.contains_key("retry-after"), "{wire:?}");
            }
            app.send(with_code("AAAA22")).await.expect(503);
            application.login(&app, "ann", PASSWORD).await.expect(503);
            application.access_code(&app, "ann", &one_time_token, "AAAA22").await.expect(503);
            app.send(change(OTHER_PASSWORD)).await.expect(503);
        }
        app.session(&token).await.expect(200);
        first.await.expect(200);
        second.await.expect(200);
    }
    assert_eq!(app.core().hasher().busy(), 0);
    // Buckets of one try, and codes of five: all are as they were.
    app.send(with_code(&code)).await.expect(200);
    application.access_code(&app, "ann", &one_time_token, &access_code).await.expect(200);
    app.sign_in("ann", PASSWORD).await.expect(200);
    app.send(change(OTHER_PASSWORD)).await.expect(200);
}

/// What the configuration makes of these settings.
fn configured(settings: &[(&str, &str)]) -> Result<doorward::config::Loaded, doorward::config::ConfigError> {
    let flags = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    doorward::config::load(&doorward::config::Input { flags, ..Default::default() })
}

#[tokio::test]
async fn what_the_configuration_allows_is_computed_and_nothing_more() {
    for refused in [
        [("passwords.parallelism", "17"), ("passwords.memory_kib", "1024")],
        [("passwords.parallelism", "0"), ("passwords.memory_kib", "1024")],
        [("passwords.parallelism", "16"), ("passwords.memory_kib", "127")],
        [("passwords.parallelism", "1"), ("passwords.memory_kib", "1048577")],
        [("passwords.iterations", "65"), ("passwords.memory_kib", "64")],
        [("passwords.iterations", "0"), ("passwords.memory_kib", "64")],
    ] {
        assert!(configured(&refused).is_err(), "{refused:?}");
    }
    configured(&[("passwords.memory_kib", "1048576"), ("passwords.iterations", "64")]).unwrap();
    for allowed in [
        [("passwords.parallelism", "16"), ("passwords.memory_kib", "128"), ("passwords.iterations", "1")],
        [("passwords.parallelism", "1"), ("passwords.memory_kib", "8"), ("passwords.iterations", "64")],
    ] {
        let app = TestApp::with(&allowed).await;
        app.user("ann").await;
        app.sign_in("ann", PASSWORD).await.expect(200);
    }
}

#[tokio::test]
async fn a_stored_hash_of_absurd_cost_is_a_fault_that_nobody_computes() {
    let app = TestApp::new().await;
    app.user("ann").await;
    app.user("bob").await;
    let token = app.token("ann").await;
    let (salt, hash) = ("c2FsdHNhbHRzYWx0c2FsdA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    // The first would take 4 TiB: to be answered at all is to be refused unread.
    for costs in ["m=4294967295,t=1,p=1", "m=1048577,t=1,p=1", "m=64,t=4294967295,p=1", "m=64,t=65,p=1", "m=136,t=1,p=17"] {
        let phc = format!("$argon2id$v=19${costs}${salt}${hash}");
        let set = format!("UPDATE passwords SET phc = '{phc}' WHERE user_id = (SELECT id FROM users WHERE username = 'ann')");
        assert_eq!(app.database().execute(&set).await, 1);
        for wire in Wire::ALL {
            let reply = app.send(wire.sign_in("ann", PASSWORD)).await.expect(500);
            assert!(!reply.text().contains("argon2"), "{wire:?} {}", reply.snapshot());
        }
        app.sign_in("bob", PASSWORD).await.expect(200);
        app.session(&token).await.expect(200);
    }
    assert_eq!(app.core().hasher().busy(), 0, "a fault gives its place back");
}

#[tokio::test]
async fn an_old_hash_is_compared_as_often_as_nobodys() {
    let app = TestApp::new().await;
    app.user("ann").await;
    // How much one comparison computes is for the unit tests of `core::password`.
    let app = app.reconfigured(&[("passwords.iterations", "3"), ("passwords.memory_kib", "256")]).await;
    for wire in Wire::ALL {
        let mut counts = Vec::new();
        for name in ["ann", "nobody"] {
            let before = app.core().hasher().compared();
            app.send(wire.sign_in(name, OTHER_PASSWORD)).await.expect(wire.refused());
            counts.push(app.core().hasher().compared() - before);
        }
        assert_eq!(counts, [1, 1], "{wire:?}");
    }
}
