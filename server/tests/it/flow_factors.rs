//! What becomes of sessions, tickets and tries when a second factor comes, fails or goes.

use std::time::Duration;

use doorward::core::flows::authority::Authority;
use doorward::core::flows::users;
use serde_json::{Value, json};

use super::app::{Application, ORIGIN, OTHER_PASSWORD, PASSWORD, TestApp};
use super::authenticator::Authenticator;
use super::flow_totp;
use super::reply::{Ask, Reply};
use super::wires::{self, Wire, is_full_everywhere};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

fn change_password(token: &str) -> Ask {
    let body = json!({"current_password": PASSWORD, "new_password": OTHER_PASSWORD});
    Ask::post("/auth/v1/password").bearer(token).json(&body)
}

/// A factor, as its owner holds it.
enum Enrolled {
    Key(Authenticator),
    App(flow_totp::Phone),
}

impl Enrolled {
    const KINDS: [&str; 2] = ["key", "app"];

    async fn enrol(app: &TestApp, kind: &str, token: &str) -> Self {
        if kind == "app" {
            return Self::App(flow_totp::enrol(app, token).await);
        }
        let mut key = Authenticator::new(77, ORIGIN);
        app.register(token, "first", &mut key).await.expect(201);
        Self::Key(key)
    }

    async fn step_up(&mut self, app: &TestApp, token: &str) -> Reply {
        match self {
            Self::Key(key) => app.step_up(token, key).await,
            Self::App(phone) => flow_totp::present(app, token, &phone.code(app)).await,
        }
    }

    async fn remove(&self, app: &TestApp, token: &str) {
        match self {
            Self::App(_) => flow_totp::remove(app, token).await.expect(204),
            Self::Key(_) => {
                let id = app.send(Ask::get("/auth/v1/keys").bearer(token)).await.expect(200).at("/items/0/id");
                app.send(Ask::delete(format!("/auth/v1/keys/{id}")).bearer(token)).await.expect(204)
            }
        };
    }
}

#[tokio::test]
async fn the_first_second_factor_is_asked_of_the_sessions_that_stand() {
    for kind in Enrolled::KINDS {
        let app = TestApp::new().await;
        app.user("ann").await;
        app.user("bob").await;
        let application = app.application(false, &[]).await;
        let bobs = app.token("bob").await;
        let with_code = application.token(&app, "ann").await;
        let mut stolen = Vec::new();
        for wire in Wire::ALL {
            let reply = app.send(wire.sign_in("ann", PASSWORD)).await.expect(200);
            stolen.push((wire, wire.token(&reply)));
        }
        let own = app.token("ann").await;
        let mut factor = Enrolled::enrol(&app, kind, &own).await;
        for (wire, token) in &stolen {
            assert!(!is_full_everywhere(&app, token).await.contains(&true), "{kind}: {wire:?} is still full");
            app.send(change_password(token)).await.expect(401);
        }
        for (name, token) in [("the enrolling one", &own), ("password and access code", &with_code), ("bob's", &bobs)] {
            assert!(!is_full_everywhere(&app, token).await.contains(&false), "{kind}: {name} was lowered");
        }
        // Lowered, not ended: whoever has the factor goes on.
        factor.step_up(&app, &stolen[0].1).await.expect(200);
        let problem = async || app.session(&stolen[1].1).await.expect(401).at("/type");
        assert_eq!(problem().await, "urn:doorward:problem:second-factor-required", "{kind}");
        app.advance(10 * MINUTE);
        assert_eq!(problem().await, "urn:doorward:problem:not-signed-in", "{kind}");
    }
}

#[tokio::test]
async fn a_new_password_needs_the_second_factor_once_there_is_one() {
    for kind in Enrolled::KINDS {
        let app = TestApp::new().await;
        app.user("ann").await;
        let with_code = app.application(false, &[]).await.token(&app, "ann").await;
        let own = app.token("ann").await;
        let mut factor = Enrolled::enrol(&app, kind, &own).await;
        for token in [&own, &with_code] {
            let refused = app.send(change_password(token)).await.expect(401);
            assert_eq!(refused.at("/type"), "urn:doorward:problem:second-factor-required", "{kind}");
        }
        app.sign_in("ann", OTHER_PASSWORD).await.expect(401);
        let raised = factor.step_up(&app, &own).await.expect(200).at("/token");
        app.send(change_password(&raised)).await.expect(200);
        app.sign_in("ann", OTHER_PASSWORD).await.expect(200);
    }
}

/// What may be out in a user's mailbox or with an application.
struct Outstanding {
    link: String,
    code: String,
    one_time_token: String,
}

impl Outstanding {
    async fn ask_for(app: &TestApp, application: &Application) -> Self {
        app.send(Ask::get("/api/v1/forgotten-password?username=ann")).await.expect(200);
        let link = app.query("ann@example.com", "token").await;
        app.send(Ask::get("/api/v1/request-code/ann%40example.com")).await.expect(200);
        let code = app.code("ann@example.com").await;
        let one_time_token = application.login(app, "ann", PASSWORD).await.expect(200).at("/Success/oneTimeToken");
        Self { link, code, one_time_token }
    }

    /// The statuses of using each.
    async fn use_up(&self, app: &TestApp, application: &Application) -> [u16; 3] {
        let reset = Ask::post("/api/v1/reset-password").json(&json!({"token": self.link, "password": OTHER_PASSWORD}));
        let login = Ask::post("/auth/v1/sign-in/code").json(&json!({"email": "ann@example.com", "code": self.code}));
        let alone = Ask::post("/apim/session/1.0/session/2FA/oneTimeToken").json(&json!({"userid": "ann"}));
        let alone = application.sign(alone).header("oneTimeToken", self.one_time_token.clone());
        // The link last: using it kills the others.
        let (code, alone) = (app.send(login).await.status, app.send(alone).await.status);
        [app.send(reset).await.status.as_u16(), code.as_u16(), alone.as_u16()]
    }
}

#[tokio::test]
async fn what_is_out_dies_when_a_factor_comes_or_goes() {
    let untouched = {
        let app = TestApp::new().await;
        app.user("ann").await;
        let application = app.application(true, &[]).await;
        Outstanding::ask_for(&app, &application).await.use_up(&app, &application).await
    };
    assert_eq!(untouched, [200; 3], "each is good as long as nothing changes");
    for kind in Enrolled::KINDS {
        let app = TestApp::new().await;
        app.user("ann").await;
        let application = app.application(true, &[]).await;
        let own = app.token("ann").await;
        let before = Outstanding::ask_for(&app, &application).await;
        let mut factor = Enrolled::enrol(&app, kind, &own).await;
        assert_eq!(before.use_up(&app, &application).await, [400, 401, 401], "{kind} came");
        let raised = factor.step_up(&app, &own).await.expect(200).at("/token");
        let before = Outstanding::ask_for(&app, &application).await;
        factor.remove(&app, &raised).await;
        assert_eq!(before.use_up(&app, &application).await, [400, 401, 401], "{kind} went");
    }
}

#[tokio::test]
async fn what_is_out_dies_when_an_administrator_takes_a_lost_factor_away() {
    for kind in Enrolled::KINDS {
        let app = TestApp::new().await;
        let ann = app.user("ann").await;
        let application = app.application(true, &[]).await;
        let own = app.token("ann").await;
        let factor = Enrolled::enrol(&app, kind, &own).await;
        let before = Outstanding::ask_for(&app, &application).await;
        let (core, call, operator) = (app.core(), app.call(), Authority::operator());
        match factor {
            Enrolled::App(_) => users::remove_authenticator_app(core, &call, operator, ann.id).await.unwrap(),
            Enrolled::Key(_) => {
                let key = users::find(core, operator, "ann").await.unwrap().security_keys.remove(0);
                users::remove_key(core, &call, operator, ann.id, key.id).await.unwrap();
            }
        }
        assert_eq!(before.use_up(&app, &application).await, [400, 401, 401], "{kind}");
    }
}

#[tokio::test]
async fn a_failed_registration_is_on_record() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let token = app.token("ann").await;
    let mut foreign = Authenticator::new(3, "https://evil.example");
    app.register(&token, "native", &mut foreign).await.expect(400);
    wires::kraken_register(&app, &token, "kraken", &mut foreign).await.expect(400);
    // An answer to no challenge at all.
    let body = json!({"name": "none", "credential": foreign.create(&json!({"publicKey": {"rp": {"id": "localhost"}, "challenge": "AAAA"}}))});
    app.send(Ask::post("/auth/v1/keys").bearer(&token).json(&body)).await.expect(400);
    let log = app.audit().await;
    assert_eq!(log.iter().filter(|line| *line == "key_added webauthn_failed").count(), 3, "{log:?}");
    assert!(!log.contains(&"key_added ok".to_owned()));
}

#[tokio::test]
async fn failed_assertions_are_limited_and_spend_nothing_of_another_user() {
    let native = |answer: Value| Ask::post("/auth/v1/second-factor").json(&json!({"credential": answer}));
    for dialect in ["native", "kraken"] {
        let app =
            TestApp::limited(&[("limits.second_factor_account.burst", "3"), ("limits.second_factor_account.per", "3m")]).await;
        let (_, mut key) = app.user_with_key("ann").await;
        let (_, mut bobs) = app.user_with_key("bobby").await;
        let answer = async |token: String, key: &mut Authenticator, good: bool| {
            let options = app.send(Ask::post("/auth/v1/second-factor/start").bearer(&token)).await.expect(200).json();
            let mut answer = key.get(&options);
            if !good {
                answer["response"]["signature"] = json!("MEUCIQDx");
            }
            match dialect {
                "native" => app.send(native(answer).bearer(&token)).await,
                _ => app.send(Ask::post("/api/v1/auth/finishAuth").cookie("doorward", &token).json(&answer)).await,
            }
        };
        for _ in 0..3 {
            // Each in a session of its own: it is the account that is limited.
            let refused = answer(app.token("ann").await, &mut key, false).await;
            assert!(refused.status.is_client_error() && refused.status != 429, "{dialect}: {}", refused.snapshot());
        }
        let throttled = answer(app.token("ann").await, &mut key, true).await.expect(429);
        assert_eq!(throttled.headers["retry-after"], "60", "{dialect}");
        assert!(answer(app.token("bobby").await, &mut bobs, true).await.status.is_success(), "{dialect}");
        app.advance(MINUTE);
        assert!(answer(app.token("ann").await, &mut key, true).await.status.is_success(), "{dialect}");
    }
}

#[tokio::test]
async fn a_step_up_does_not_move_the_absolute_end() {
    for kind in Enrolled::KINDS {
        let app = TestApp::with(&[("sessions.absolute", "3h"), ("sessions.idle", "3h")]).await;
        app.user("ann").await;
        let own = app.token("ann").await;
        let mut factor = Enrolled::enrol(&app, kind, &own).await;
        let half = app.token("ann").await;
        app.advance(9 * MINUTE);
        let full = factor.step_up(&app, &half).await.expect(200).at("/token");
        app.advance(2 * HOUR + 50 * MINUTE);
        let again = factor.step_up(&app, &full).await.expect(200).at("/token");
        app.session(&again).await.expect(200);
        app.advance(MINUTE);
        app.session(&again).await.expect(401);
    }
}
