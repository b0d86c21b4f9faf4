//! Known and unknown accounts: the same bytes, in every dialect. (The same time is shown by `bench/timing`.)

use doorward::core::flows::authority::Authority;
use doorward::core::flows::users;
use serde_json::json;

use super::app::{OTHER_PASSWORD, TestApp};
use super::reply::Ask;
use super::wires::Wire;

async fn app() -> TestApp {
    let app = TestApp::new().await;
    app.user("ann").await;
    app.user_with_key("keyed").await;
    app.user("off").await;
    users::disable(app.core(), &app.call(), Authority::operator(), "off").await.unwrap();
    app
}

#[tokio::test]
async fn a_wrong_password_tells_nothing() {
    let app = app().await;
    for wire in Wire::ALL {
        for password in [OTHER_PASSWORD, "", "x", "ABC234", "\u{0}", &"long".repeat(2000)] {
            let mut answers = Vec::new();
            for name in ["nobody", "ann", "keyed", "off"] {
                let reply = app.send(wire.sign_in(name, password)).await;
                assert!(reply.status.is_client_error() && reply.cookie().is_none(), "{wire:?}");
                answers.push(reply.snapshot());
            }
            assert!(answers.iter().all(|answer| *answer == answers[0]), "{wire:?} {answers:#?}");
        }
    }
}

#[tokio::test]
async fn asking_for_a_mail_tells_nothing() {
    let app = app().await;
    let asks: [fn(&str) -> Ask; 5] = [
        |name| Ask::post("/v1/passwords/reset").json(&json!({"email": format!("{name}@example.com")})),
        |name| Ask::get(format!("/api/v1/forgotten-password?username={name}")),
        |name| Ask::get(format!("/api/v1/request-code/{name}%40example.com")),
        |name| Ask::post("/auth/v1/recovery").json(&json!({"identifier": name})),
        |name| Ask::post("/auth/v1/sign-in/code/request").json(&json!({"email": format!("{name}@example.com")})),
    ];
    for ask in asks {
        let mut answers = Vec::new();
        for name in ["nobody", "ann", "keyed", "off"] {
            answers.push(app.send(ask(name)).await.snapshot());
        }
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
    }
    // Whom mails went to, nobody could see from outside: to those alone who exist and may sign in.
    assert!(app.mails("nobody").await.is_empty());
    assert!(app.mails("off").await.is_empty());
    assert_eq!(app.mails("ann").await.len(), 5);
}

#[tokio::test]
async fn an_application_learns_nothing_before_the_password() {
    let app = app().await;
    let application = app.application(false, &[]).await;
    let mut answers = Vec::new();
    for name in ["nobody", "ann", "off"] {
        let init = Ask::get("/apim/session/1.0/session/init").header("userid", name);
        let init = app.send(application.sign(init)).await.expect(200).snapshot().replace(name, "NAME");
        let login = application.login(&app, name, OTHER_PASSWORD).await.expect(401).snapshot();
        answers.push((init, login));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
}

/// What a guess is counted by where there is no code is a row of its own, as a code is: at one for all they would wait for one another.
#[tokio::test]
async fn guesses_at_codes_of_different_names_meet_at_no_row() {
    let app = app().await;
    let mut rows = 0;
    for (name, more) in [("nobody", 1), ("nobody", 0), ("stranger", 1), ("ann", 1), ("ann", 0)] {
        let body = json!({"email": format!("{name}@example.com"), "code": "ABC234"});
        app.send(Ask::post("/auth/v1/sign-in/code").json(&body)).await.expect(401);
        rows += more;
        assert_eq!(app.database().value("SELECT COUNT(*) FROM limits").await, rows.to_string(), "{name}");
    }
}
