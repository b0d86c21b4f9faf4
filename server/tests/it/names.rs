//! An account's two names: however it is called, and through whatever dialect, it has the guesses of one account.

use std::time::Duration;

use serde_json::json;

use super::app::{Application, OTHER_PASSWORD, PASSWORD, TestApp};
use super::reply::Ask;

/// What is typed for the account `ann`, `ann@example.com`, and finds it.
const CALLED: [&str; 10] = [
    "ann",
    "ann@example.com",
    "ANN",
    " Ann\t",
    "\u{a0}ann\u{3000}",
    "ＡＮＮ",
    "𝐚𝐧𝐧",
    "Ann@Example.COM",
    "  ann@EXAMPLE.com\n",
    "ＡＮＮ@ｅｘａｍｐｌｅ.com",
];

/// What resembles it and is nobody's name.
const RESEMBLES: [&str; 9] = [
    "ann@example.com.",
    "ann.",
    "a\u{308}nn",
    "аnn",
    "ann@example．com",
    "ann＠example.com",
    "a\u{ad}nn",
    "ann\0",
    "ann@@example.com",
];

/// Guesses at a first factor under a name, through every dialect that takes such a name.
fn guesses(application: &Application, name: &str, password: &str) -> Vec<Ask> {
    let code = "AAAA22";
    let kotak = Ask::post("/apim/session/1.0/session/login/userid").json(&json!({"userid": name, "password": password}));
    let mut asks = vec![
        Ask::post("/auth/v1/sign-in/password").json(&json!({"identifier": name, "password": password})),
        Ask::post("/api/v1/auth/login").json(&json!({"username": name, "password": password})),
        Ask::post("/login").json(&json!({"username": name, "password": password})),
        Ask::post("/login").form(&[("username", name), ("password", password)]),
        Ask::post("/login").json(&json!({"username": name, "password": code})),
        application.sign(kotak),
    ];
    if name.contains('@') {
        asks.extend([
            Ask::post("/v1/log_in").json(&json!({"email": name, "password": password})),
            Ask::post("/trade-api/v2/login").json(&json!({"email": name, "password": password})),
            Ask::post("/auth/v1/sign-in/code").json(&json!({"email": name, "code": code})),
        ]);
    }
    asks
}

/// The answers to wrong guesses through every dialect in turn, under each name, until nothing but 429 comes.
async fn guess_all(app: &TestApp, application: &Application, names: &[String]) -> Vec<String> {
    let mut answers = Vec::new();
    for _ in 0..3 {
        for name in names {
            for ask in guesses(application, name, OTHER_PASSWORD) {
                answers.push(app.send(ask).await.snapshot());
            }
        }
    }
    answers
}

fn judged(answers: &[String]) -> usize {
    answers.iter().filter(|answer| !answer.starts_with("429")).count()
}

#[tokio::test]
async fn an_account_has_its_guesses_once_whatever_it_is_called_by() {
    let called = |name: &str| -> Vec<String> { CALLED.iter().take(2).map(|called| called.replace("ann", name)).collect() };
    for (burst, most) in [("2", 2), ("10", 10), ("11", 10)] {
        let app = TestApp::limited(&[("limits.signin_account.burst", burst), ("limits.signin_network.burst", "1000")]).await;
        app.user("ann").await;
        let application = app.application(false, &[]).await;
        let before = app.core().hasher().compared();
        let known = guess_all(&app, &application, &called("ann")).await;
        assert_eq!((judged(&known), app.core().hasher().compared() - before), (most, most as u64), "{burst}");
        let unknown = guess_all(&app, &application, &called("nobody")).await;
        assert!(known == unknown, "{burst}: {known:#?} {unknown:#?}");
        // Nor more over time than come back of the whole.
        let mut later = 0;
        for _ in 0..12 {
            app.advance(Duration::from_secs(5 * 60));
            later += judged(&guess_all(&app, &application, &called("ann")).await);
        }
        assert_eq!(later, 4 * most, "{burst} in an hour");
    }
}

#[tokio::test]
async fn whatever_is_typed_and_finds_the_account_counts_for_one_of_its_names() {
    let app = TestApp::new().await;
    app.user("ann").await;
    for (names, status) in [(&CALLED[..], 200), (&RESEMBLES[..], 401)] {
        for name in names {
            assert_eq!(app.sign_in(name, PASSWORD).await.status, status, "{name:?}");
        }
    }
    let app = app.reconfigured(&[("limits.enabled", "true")]).await;
    for name in ["ann", "ann@example.com"] {
        for _ in 0..5 {
            app.sign_in(name, OTHER_PASSWORD).await.expect(401);
        }
    }
    for name in CALLED {
        app.sign_in(name, PASSWORD).await.expect(429);
    }
    // Names of nobody lead nowhere, whatever bucket they fall into.
    for name in RESEMBLES {
        assert_ne!(app.sign_in(name, PASSWORD).await.status, 200, "{name:?}");
    }
}
