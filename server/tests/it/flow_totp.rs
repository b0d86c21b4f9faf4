//! Authenticator apps: a second factor at every door, each code once.

use std::sync::Arc;
use std::time::Duration;

use doorward::core::flows::authority::Authority;
use doorward::core::flows::users;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha1::Sha1;

use super::app::{Application, OTHER_PASSWORD, PASSWORD, TestApp};
use super::races::{CALLERS, at_once};
use super::reply::{Ask, Reply};
use super::wires::Wire;

const STEP: Duration = Duration::from_secs(30);

/// The app on somebody's phone: RFC 6238, written apart from the server's.
#[derive(Clone)]
pub(crate) struct Phone(Vec<u8>);

impl Phone {
    /// Takes the seed that a person types.
    pub(crate) fn new(base32: &str) -> Self {
        let places = base32.chars().map(|c| "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(c).unwrap());
        let bits: Vec<bool> = places.flat_map(|place| (0..5).rev().map(move |bit| place >> bit & 1 == 1)).collect();
        assert_eq!(bits.len(), 160);
        Self(bits.chunks(8).map(|byte| byte.iter().fold(0, |byte, bit| byte << 1 | u8::from(*bit))).collect())
    }

    /// The code that the phone shows if its clock is so many steps ahead of the server's.
    fn ahead(&self, app: &TestApp, steps: i64) -> String {
        let counter = app.now().as_millis() / 30_000 + steps;
        let mut mac = Hmac::<Sha1>::new_from_slice(&self.0).unwrap();
        mac.update(&counter.to_be_bytes());
        let digest = mac.finalize().into_bytes();
        let offset = usize::from(digest[19] & 15);
        let number = u32::from_be_bytes(digest[offset..offset + 4].try_into().unwrap()) & 0x7fff_ffff;
        format!("{:06}", number % 1_000_000)
    }

    pub(crate) fn code(&self, app: &TestApp) -> String {
        self.ahead(app, 0)
    }

    /// A code of none of the steps that are accepted.
    pub(crate) fn wrong(&self, app: &TestApp) -> String {
        let near: Vec<String> = (-1..=1).map(|steps| self.ahead(app, steps)).collect();
        (0..).map(|number| format!("{number:06}")).find(|code| !near.contains(code)).unwrap()
    }
}

pub(crate) async fn start(app: &TestApp, token: &str) -> Reply {
    app.send(Ask::post("/auth/v1/totp/start").bearer(token)).await
}

pub(crate) async fn confirm(app: &TestApp, token: &str, code: &str) -> Reply {
    app.send(Ask::post("/auth/v1/totp").bearer(token).json(&json!({"code": code}))).await
}

pub(crate) async fn remove(app: &TestApp, token: &str) -> Reply {
    app.send(Ask::delete("/auth/v1/totp").bearer(token)).await
}

async fn state(app: &TestApp, token: &str) -> Value {
    app.send(Ask::get("/auth/v1/totp").bearer(token)).await.expect(200).json()
}

fn ask(token: &str, code: &str) -> Ask {
    Ask::post("/auth/v1/second-factor/totp").bearer(token).json(&json!({"code": code}))
}

pub(crate) async fn present(app: &TestApp, token: &str, code: &str) -> Reply {
    app.send(ask(token, code)).await
}

/// Enrols in a session, and waits until the code that did it is past.
pub(crate) async fn enrol(app: &TestApp, token: &str) -> Phone {
    let phone = Phone::new(&start(app, token).await.expect(200).at("/secret"));
    confirm(app, token, &phone.code(app)).await.expect(201);
    app.advance(STEP);
    phone
}

/// A user with an authenticator app.
async fn user(app: &TestApp, name: &str) -> Phone {
    app.user(name).await;
    let token = app.token(name).await;
    let phone = enrol(app, &token).await;
    app.send(Ask::delete("/auth/v1/session").bearer(&token)).await.expect(204);
    phone
}

/// A full session by password and code.
async fn full(app: &TestApp, name: &str, phone: &Phone) -> String {
    let half = app.token(name).await;
    let token = present(app, &half, &phone.code(app)).await.expect(200).at("/token");
    app.advance(STEP);
    token
}

#[track_caller]
fn problem(reply: &Reply, status: u16, name: &str) {
    assert_eq!(reply.status.as_u16(), status, "{}", reply.snapshot());
    assert_eq!(reply.at("/type"), format!("urn:doorward:problem:{name}"));
    assert!(reply.cookie().is_none());
}

#[tokio::test]
async fn enrolling_takes_a_seed_and_a_code_of_it() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let token = app.token("ann").await;
    assert_eq!(state(&app, &token).await, json!({"enrolled": false, "created_at": null}));
    problem(&confirm(&app, &token, "000000").await, 409, "conflict");
    problem(&remove(&app, &token).await, 404, "not-found");

    let begun = start(&app, &token).await.expect(200);
    let (seed, uri) = (begun.at("/secret"), url::Url::parse(&begun.at("/uri")).unwrap());
    assert_eq!((uri.scheme(), uri.host_str(), seed.len()), ("otpauth", Some("totp"), 32));
    assert!(uri.path().ends_with(":ann%40example.com"), "{uri}");
    assert!(uri.query_pairs().any(|pair| pair == ("secret".into(), seed.as_str().into())), "{uri}");

    // Until a code was shown, it counts for nothing.
    let phone = Phone::new(&seed);
    assert_eq!(state(&app, &token).await["enrolled"], false);
    assert_eq!(app.sign_in("ann", PASSWORD).await.expect(200).at("/status"), "full");
    problem(&present(&app, &token, &phone.code(&app)).await, 409, "conflict");
    problem(&confirm(&app, &token, &phone.wrong(&app)).await, 401, "invalid-credentials");
    for code in ["", "12345", "1234567", "abcdef", "\u{0661}\u{0662}\u{0663}\u{0664}\u{0665}\u{0666}"] {
        problem(&confirm(&app, &token, code).await, 401, "invalid-credentials");
    }

    let done = confirm(&app, &token, &phone.code(&app)).await.expect(201);
    assert_eq!(done.json(), state(&app, &token).await);
    assert_eq!(done.json()["enrolled"], true);
    assert_eq!(app.sign_in("ann", PASSWORD).await.expect(200).at("/status"), "half");
    app.session(&token).await.expect(200);
    let mail = app.mail("ann@example.com").await;
    assert!(mail.text.contains("authenticator app was added"), "{mail:?}");
    let log = app.audit().await;
    assert_eq!(log.iter().filter(|line| *line == "totp_added ok").count(), 1);
    assert_eq!(log.iter().filter(|line| *line == "totp_added invalid_credentials").count(), 6);
    assert_eq!(app.send(Ask::get("/auth/v1/methods")).await.expect(200).json()["totp"], true);
}

#[tokio::test]
async fn a_new_enrolment_replaces_an_open_one_and_never_a_finished_one() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let token = app.token("ann").await;
    let first = Phone::new(&start(&app, &token).await.expect(200).at("/secret"));
    let second = Phone::new(&start(&app, &token).await.expect(200).at("/secret"));
    assert_ne!(first.0, second.0);
    problem(&confirm(&app, &token, &first.code(&app)).await, 401, "invalid-credentials");
    confirm(&app, &token, &second.code(&app)).await.expect(201);
    app.advance(STEP);
    let token = present(&app, &token, &second.code(&app)).await.expect(200).at("/token");
    problem(&start(&app, &token).await, 409, "conflict");
    app.advance(STEP);
    problem(&confirm(&app, &token, &second.code(&app)).await, 409, "conflict");
    present(&app, &token, &second.code(&app)).await.expect(200);
}

#[tokio::test]
async fn an_open_enrolment_lasts_a_quarter_of_an_hour() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let token = app.token("ann").await;
    let phone = Phone::new(&start(&app, &token).await.expect(200).at("/secret"));
    app.advance(Duration::from_secs(15 * 60 + 1));
    problem(&confirm(&app, &token, &phone.code(&app)).await, 403, "recent-sign-in-required");
    problem(&start(&app, &token).await, 403, "recent-sign-in-required");
    let token = app.token("ann").await;
    problem(&confirm(&app, &token, &phone.code(&app)).await, 409, "conflict");
}

#[tokio::test]
async fn each_code_is_taken_once() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let token = app.token("ann").await;
    let phone = Phone::new(&start(&app, &token).await.expect(200).at("/secret"));
    confirm(&app, &token, &phone.code(&app)).await.expect(201);
    let half = app.token("ann").await;
    problem(&present(&app, &half, &phone.code(&app)).await, 401, "invalid-credentials");

    app.advance(STEP);
    let code = phone.code(&app);
    let opened = present(&app, &half, &code).await.expect(200);
    assert_eq!((opened.at("/status"), opened.at("/session/assurance_level")), ("full".to_owned(), "2".to_owned()));
    assert_eq!(opened.json()["session"]["factors"], json!(["password", "totp"]));
    let rotated = opened.at("/token");
    assert_eq!(opened.cookie().unwrap(), rotated);
    app.session(&half).await.expect(401);
    app.session(&rotated).await.expect(200);

    let other = app.second_node().await;
    let again = app.token("ann").await;
    problem(&present(&other, &again, &code).await, 401, "invalid-credentials");
    app.advance(STEP);
    problem(&present(&app, &again, &code).await, 401, "invalid-credentials");
    present(&other, &again, &format!(" {} {} ", &phone.code(&app)[..3], &phone.code(&app)[3..])).await.expect(200);
}

#[tokio::test]
async fn a_clock_may_be_wrong_by_one_step() {
    let app = TestApp::new().await;
    let phone = user(&app, "ann").await;
    app.advance(10 * STEP + Duration::from_millis(29_999));
    let half = app.token("ann").await;
    for steps in [-2, 2] {
        problem(&present(&app, &half, &phone.ahead(&app, steps)).await, 401, "invalid-credentials");
    }
    let token = present(&app, &half, &phone.ahead(&app, -1)).await.expect(200).at("/token");
    let token = present(&app, &token, &phone.ahead(&app, 1)).await.expect(200).at("/token");
    // What is before the last one that was taken, is past.
    problem(&present(&app, &token, &phone.code(&app)).await, 401, "invalid-credentials");
    app.advance(2 * STEP);
    present(&app, &token, &phone.code(&app)).await.expect(200);
}

#[tokio::test]
async fn a_password_alone_opens_no_door() {
    let app = TestApp::new().await;
    let phone = user(&app, "ann").await;
    for wire in Wire::ALL {
        let reply = app.send(wire.sign_in("ann", PASSWORD)).await;
        match wire {
            Wire::Native | Wire::Kraken => {
                let half = wire.token(&reply.expect(200));
                assert!(!super::wires::is_full_everywhere(&app, &half).await.contains(&true), "{wire:?}");
                let full = present(&app, &half, &phone.code(&app)).await.expect(200).at("/token");
                assert!(!super::wires::is_full_everywhere(&app, &full).await.contains(&false), "{wire:?}");
                app.advance(STEP);
            }
            Wire::Kalshi | Wire::KalshiV2 | Wire::KestraJson | Wire::KestraForm => {
                assert!(reply.expect(403).cookie().is_none(), "{wire:?}");
            }
        }
        // A wrong one is told nothing of it.
        app.send(wire.sign_in("ann", OTHER_PASSWORD)).await.expect(wire.refused());
    }
}

#[tokio::test]
async fn a_mailed_code_alone_opens_no_door() {
    let app = TestApp::new().await;
    let phone = user(&app, "ann").await;
    app.send(Ask::get("/api/v1/request-code/ann%40example.com")).await.expect(200);
    let code = app.code("ann@example.com").await;
    app.send(Ask::post("/login").json(&json!({"username": "ann", "password": code}))).await.expect(403);
    let request = Ask::post("/auth/v1/sign-in/code/request").json(&json!({"email": "ann@example.com"}));
    app.send(request).await.expect(202);
    let code = app.code("ann@example.com").await;
    let sign_in = Ask::post("/auth/v1/sign-in/code").json(&json!({"email": "ann@example.com", "code": code}));
    let half = app.send(sign_in).await.expect(200);
    assert_eq!(half.at("/status"), "half");
    let full = present(&app, &half.at("/token"), &phone.code(&app)).await.expect(200);
    assert_eq!(full.json()["session"]["factors"], json!(["email_code", "totp"]));
}

#[tokio::test]
async fn kraken_has_no_place_for_a_code() {
    let app = TestApp::new().await;
    user(&app, "ann").await;
    let half = Wire::Kraken.token(&app.send(Wire::Kraken.sign_in("ann", PASSWORD)).await.expect(200));
    for (ask, number) in [(Ask::get("/api/v1/auth/test"), "1006"), (Ask::post("/api/v1/auth/startAuth"), "1008")] {
        assert_eq!(app.send(ask.cookie("doorward", &half)).await.expect(400).at("/status_code"), number);
    }
    app.send(Ask::post("/api/v1/auth/startRegister").cookie("doorward", &half)).await.expect(400);
    app.send(Ask::get("/api/v1/auth/logout").cookie("doorward", &half)).await.expect(200);
    app.session(&half).await.expect(401);
}

async fn one_time_token(app: &TestApp, application: &Application) -> String {
    application.login(app, "ann", PASSWORD).await.expect(200).at("/Success/oneTimeToken")
}

#[tokio::test]
async fn an_applications_access_code_is_the_apps() {
    let app = TestApp::new().await;
    let phone = user(&app, "ann").await;
    let application = app.application(true, &[]).await;
    let mails = app.mails("ann").await.len();
    let begun = application.login(&app, "ann", PASSWORD).await.expect(200);
    assert!(begun.at("/Success/message").contains("authenticator app"), "{}", begun.snapshot());
    assert_eq!(begun.at("/Success/emailId"), "a***@example.com");
    assert_eq!(app.mails("ann").await.len(), mails, "no code is mailed");
    let token = begun.at("/Success/oneTimeToken");

    // The registration does not let the token alone do for who has a second factor.
    let alone = Ask::post("/apim/session/1.0/session/2FA/oneTimeToken").json(&json!({"userid": "ann"}));
    app.send(application.sign(alone).header("oneTimeToken", &token)).await.expect(401);

    let code = phone.code(&app);
    application.access_code(&app, "ann", &token, &phone.wrong(&app)).await.expect(401);
    let opened = application.access_code(&app, "ann", &token, &code).await.expect(200).at("/Success/sessionToken");
    let session = app.session(&opened).await.expect(200).json();
    assert_eq!(session["factors"], json!(["password", "totp"]));
    application.access_code(&app, "ann", &token, &code).await.expect(401);
    let next = one_time_token(&app, &application).await;
    application.access_code(&app, "ann", &next, &code).await.expect(401);
    problem(&present(&app, &app.token("ann").await, &code).await, 401, "invalid-credentials");
    app.advance(STEP);
    application.access_code(&app, "ann", &next, &phone.code(&app)).await.expect(200);
}

#[tokio::test]
async fn five_wrong_access_codes_spend_the_one_time_token() {
    let app = TestApp::new().await;
    let phone = user(&app, "ann").await;
    let application = app.application(false, &[]).await;
    let token = one_time_token(&app, &application).await;
    for _ in 0..5 {
        application.access_code(&app, "ann", &token, &phone.wrong(&app)).await.expect(401);
    }
    application.access_code(&app, "ann", &token, &phone.code(&app)).await.expect(401);
    let token = one_time_token(&app, &application).await;
    application.access_code(&app, "ann", &token, &phone.code(&app)).await.expect(200);
}

#[tokio::test]
async fn a_mailed_access_code_is_worth_nothing_once_an_app_is_enrolled() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let application = app.application(false, &[]).await;
    let token = one_time_token(&app, &application).await;
    let mailed = app.code("ann@example.com").await;
    let phone = enrol(&app, &app.token("ann").await).await;
    application.access_code(&app, "ann", &token, &mailed).await.expect(401);
    // What was out when the app was enrolled is dead altogether.
    application.access_code(&app, "ann", &token, &phone.code(&app)).await.expect(401);
    let token = one_time_token(&app, &application).await;
    application.access_code(&app, "ann", &token, &mailed).await.expect(401);
    app.advance(STEP);
    application.access_code(&app, "ann", &token, &phone.code(&app)).await.expect(200);
    // And the other way about: without the app, a code is mailed to who signs in anew.
    app.advance(STEP);
    let token = one_time_token(&app, &application).await;
    remove(&app, &full(&app, "ann", &phone).await).await.expect(204);
    application.access_code(&app, "ann", &token, &phone.code(&app)).await.expect(401);
    application.token(&app, "ann").await;
}

#[tokio::test]
async fn removing_it_lowers_what_rests_on_it() {
    let app = TestApp::new().await;
    let (_, mut key) = app.user_with_key("ann").await;
    let with_key = app.token_with_key("ann", &mut key).await;
    let phone = enrol(&app, &with_key).await;
    let with_totp = full(&app, "ann", &phone).await;
    let with_both = present(&app, &app.token_with_key("ann", &mut key).await, &phone.code(&app)).await.expect(200).at("/token");
    // With a key enrolled, a code alone changes no factor.
    problem(&remove(&app, &with_totp).await, 401, "second-factor-required");
    problem(&start(&app, &with_totp).await, 401, "second-factor-required");

    remove(&app, &with_both).await.expect(204);
    assert_eq!(state(&app, &with_both).await, json!({"enrolled": false, "created_at": null}));
    let left = app.session(&with_both).await.expect(200).json();
    assert_eq!((&left["factors"], &left["assurance_level"]), (&json!(["password", "security_key"]), &json!(2)));
    app.session(&with_key).await.expect(200);
    problem(&app.session(&with_totp).await, 401, "second-factor-required");
    problem(&present(&app, &with_totp, &phone.code(&app)).await, 409, "conflict");
    // The key is still known to the session that used it.
    let keys = app.send(Ask::get("/auth/v1/keys").bearer(&with_both)).await.expect(200).at("/items/0/id");
    app.send(Ask::delete(format!("/auth/v1/keys/{keys}")).bearer(&with_both)).await.expect(204);
    assert_eq!(app.session(&with_both).await.expect(200).json()["factors"], json!(["password"]));
    let mails = app.mails("ann").await;
    assert!(mails.iter().any(|mail| mail.text.contains("authenticator app was removed")));
    assert_eq!(app.audit().await.iter().filter(|line| *line == "totp_removed ok").count(), 1);
}

#[tokio::test]
async fn without_it_a_password_is_enough_again_and_an_old_seed_is_worth_nothing() {
    let app = TestApp::new().await;
    let old = user(&app, "ann").await;
    let token = full(&app, "ann", &old).await;
    remove(&app, &token).await.expect(204);
    let left = app.session(&token).await.expect(200).json();
    assert_eq!((&left["factors"], &left["assurance_level"]), (&json!(["password"]), &json!(1)));
    assert_eq!(app.sign_in("ann", PASSWORD).await.expect(200).at("/status"), "full");
    let new = enrol(&app, &token).await;
    let half = app.token("ann").await;
    problem(&present(&app, &half, &old.code(&app)).await, 401, "invalid-credentials");
    present(&app, &half, &new.code(&app)).await.expect(200);
}

#[tokio::test]
async fn removing_the_key_leaves_the_app_to_be_given() {
    let app = TestApp::new().await;
    let (_, mut key) = app.user_with_key("ann").await;
    let with_key = app.token_with_key("ann", &mut key).await;
    let phone = enrol(&app, &with_key).await;
    let id = app.send(Ask::get("/auth/v1/keys").bearer(&with_key)).await.expect(200).at("/items/0/id");
    app.send(Ask::delete(format!("/auth/v1/keys/{id}")).bearer(&with_key)).await.expect(204);
    problem(&app.session(&with_key).await, 401, "second-factor-required");
    present(&app, &with_key, &phone.code(&app)).await.expect(200);
}

#[tokio::test]
async fn a_stolen_password_neither_adds_nor_removes_it() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let (early, owner) = (app.token("ann").await, app.token("ann").await);
    let phone = enrol(&app, &owner).await;
    let late = app.token("ann").await;
    // Full from before the enrolment, and half from after it.
    for thief in [&early, &late] {
        problem(&start(&app, thief).await, 401, "second-factor-required");
        problem(&confirm(&app, thief, &phone.code(&app)).await, 401, "second-factor-required");
        problem(&remove(&app, thief).await, 401, "second-factor-required");
        let register = Ask::post("/auth/v1/keys/start").bearer(thief);
        problem(&app.send(register).await, 401, "second-factor-required");
    }
    problem(&app.send(Ask::get("/auth/v1/totp").bearer(&late)).await, 401, "second-factor-required");
    // Of who has a key, too.
    let (_, mut key) = app.user_with_key("bobby").await;
    let half = app.token("bobby").await;
    problem(&start(&app, &half).await, 401, "second-factor-required");
    start(&app, &app.token_with_key("bobby", &mut key).await).await.expect(200);
    for ask in [Ask::post("/auth/v1/totp/start"), Ask::delete("/auth/v1/totp"), Ask::get("/auth/v1/totp")] {
        problem(&app.send(ask).await, 401, "not-signed-in");
    }
    // An enrolment that was begun before a key was added is not finished without it.
    let name = "carol-ann";
    app.user(name).await;
    let (thief, owner) = (app.token(name).await, app.token(name).await);
    let planted = Phone::new(&start(&app, &thief).await.expect(200).at("/secret"));
    let mut key = super::authenticator::Authenticator::new(77, super::app::ORIGIN);
    app.register(&owner, "mine", &mut key).await.expect(201);
    problem(&confirm(&app, &thief, &planted.code(&app)).await, 401, "second-factor-required");
}

#[tokio::test]
async fn five_wrong_codes_end_the_session_with_limits_off() {
    let app = TestApp::new().await;
    let phone = user(&app, "ann").await;
    for is_full in [false, true] {
        let token = if is_full { full(&app, "ann", &phone).await } else { app.token("ann").await };
        for _ in 0..5 {
            problem(&present(&app, &token, &phone.wrong(&app)).await, 401, "invalid-credentials");
        }
        problem(&present(&app, &token, &phone.code(&app)).await, 401, "not-signed-in");
        problem(&app.session(&token).await, 401, "not-signed-in");
    }
    // A right one in between clears the count.
    let mut token = app.token("ann").await;
    for _ in 0..3 {
        for _ in 0..4 {
            problem(&present(&app, &token, &phone.wrong(&app)).await, 401, "invalid-credentials");
        }
        token = present(&app, &token, &phone.code(&app)).await.expect(200).at("/token");
        app.advance(STEP);
    }
}

#[tokio::test]
async fn wrong_codes_are_charged_to_the_account_wherever_they_are_tried() {
    let app = TestApp::limited(&[("limits.second_factor_account.burst", "4")]).await;
    let phone = user(&app, "ann").await;
    let application = app.application(false, &[]).await;
    let token = one_time_token(&app, &application).await;
    for _ in 0..2 {
        let half = app.token("ann").await;
        problem(&present(&app, &half, &phone.wrong(&app)).await, 401, "invalid-credentials");
        application.access_code(&app, "ann", &token, &phone.wrong(&app)).await.expect(401);
    }
    let half = app.token("ann").await;
    problem(&present(&app, &half, &phone.code(&app)).await, 429, "too-many-attempts");
    application.access_code(&app, "ann", &token, &phone.code(&app)).await.expect(429);
    app.advance(Duration::from_secs(60 * 60));
    full(&app, "ann", &phone).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_code_for_many_sessions_at_once() {
    let app = Arc::new(TestApp::new().await);
    let phone = user(&app, "ann").await;
    let mut halves = Vec::new();
    for _ in 0..CALLERS {
        halves.push(app.token("ann").await);
    }
    let code = phone.code(&app);
    let replies = at_once(&app, |caller| ask(&halves[caller], &code)).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1);
    assert_eq!(replies.iter().filter(|reply| reply.status == 401).count(), CALLERS - 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_guesses_in_one_session_do_not_slip_through() {
    let app = Arc::new(TestApp::new().await);
    let phone = user(&app, "ann").await;
    let half = app.token("ann").await;
    let wrong = phone.wrong(&app);
    let replies = at_once(&app, |_| ask(&half, &wrong)).await;
    let judged = replies.iter().filter(|reply| reply.at("/type").ends_with("invalid-credentials")).count();
    assert_eq!(judged, 5);
    assert!(replies.iter().all(|reply| reply.status == 401));
    let log = app.audit().await;
    assert_eq!(log.iter().filter(|line| *line == "second_factor invalid_credentials").count(), 5);
    app.session(&half).await.expect(401);
}

#[tokio::test]
async fn an_administrator_removes_what_was_lost() {
    let app = TestApp::new().await;
    let phone = user(&app, "ann").await;
    let theirs = full(&app, "ann", &phone).await;
    let root = app.administrator().await;
    let ask = || Ask::delete("/admin/v1/users/ann/totp");
    app.send(ask().bearer(&theirs)).await.expect(403);
    app.send(ask().bearer(&root)).await.expect(204);
    app.send(ask().bearer(&root)).await.expect(404);
    assert_eq!(app.session(&theirs).await.expect(200).json()["factors"], json!(["password"]));
    assert_eq!(app.sign_in("ann", PASSWORD).await.expect(200).at("/status"), "full");
    assert!(app.mails("ann").await.iter().any(|mail| mail.text.contains("authenticator app was removed")));
}

#[tokio::test]
async fn it_outlives_a_restart_and_a_new_password() {
    let app = TestApp::new().await;
    let phone = user(&app, "ann").await;
    let code = phone.code(&app);
    full(&app, "ann", &phone).await;
    let app = app.restarted().await;
    let half = app.token("ann").await;
    problem(&present(&app, &half, &code).await, 401, "invalid-credentials");
    app.send(Ask::post("/auth/v1/recovery").json(&json!({"identifier": "ann"}))).await.expect(202);
    let link = app.mails("ann").await.iter().rev().find_map(|mail| mail.query("code")).unwrap();
    let body = json!({"code": link, "password": OTHER_PASSWORD});
    app.send(Ask::post("/auth/v1/recovery/confirm").json(&body)).await.expect(204);
    let half = app.sign_in("ann", OTHER_PASSWORD).await.expect(200);
    assert_eq!(half.at("/status"), "half");
    present(&app, &half.at("/token"), &phone.code(&app)).await.expect(200);
    // Nor does a good code help who is disabled.
    app.advance(STEP);
    let half = app.sign_in("ann", OTHER_PASSWORD).await.expect(200).at("/token");
    users::disable(app.core(), &app.call(), Authority::operator(), "ann").await.unwrap();
    problem(&present(&app, &half, &phone.code(&app)).await, 401, "not-signed-in");
}
