//! What can be used once is used once, whoever comes at the same time.

use std::sync::Arc;

use doorward::core::flows::authority::Authority;
use doorward::core::flows::{invitations, users};
use doorward::core::model::Role;
use serde_json::json;

use super::app::{ORIGIN, OTHER_PASSWORD, PASSWORD, TestApp};
use super::authenticator::Authenticator;
use super::reply::{Ask, Reply};
use super::wires;

pub(crate) const CALLERS: usize = 32;

/// Sends what `ask` makes from so many tasks at once, on threads of their own.
pub(crate) async fn at_once(app: &Arc<TestApp>, ask: impl Fn(usize) -> Ask) -> Vec<Reply> {
    let barrier = Arc::new(tokio::sync::Barrier::new(CALLERS));
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..CALLERS {
        let (app, barrier, ask) = (Arc::clone(app), Arc::clone(&barrier), ask(caller));
        callers.spawn(async move {
            barrier.wait().await;
            app.send(ask).await
        });
    }
    callers.join_all().await
}

#[track_caller]
fn one_of(replies: &[Reply], refused: &[u16]) {
    let succeeded = replies.iter().filter(|reply| reply.status.is_success()).count();
    assert_eq!(succeeded, 1, "{:?}", replies.iter().map(|reply| reply.status).collect::<Vec<_>>());
    for reply in replies.iter().filter(|reply| !reply.status.is_success()) {
        assert!(refused.contains(&reply.status.as_u16()), "{}", reply.snapshot());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_recovery_link() {
    let app = Arc::new(TestApp::new().await);
    app.user("ann").await;
    app.send(Ask::get("/api/v1/forgotten-password?username=ann")).await.expect(200);
    let token = app.query("ann@example.com", "token").await;
    let replies = at_once(&app, |caller| {
        let password = format!("{OTHER_PASSWORD} number {caller}");
        Ask::post("/api/v1/reset-password").json(&json!({"token": token, "password": password}))
    });
    one_of(&replies.await, &[400]);
    let log = app.audit().await;
    assert_eq!(log.iter().filter(|line| *line == "recovery_completed ok").count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_login_code() {
    let app = Arc::new(TestApp::new().await);
    app.user("ann").await;
    app.send(Ask::get("/api/v1/request-code/ann@example.com")).await.expect(200);
    let code = app.code("ann@example.com").await;
    let replies = at_once(&app, |_| Ask::post("/login").json(&json!({"username": "ann", "password": code}))).await;
    one_of(&replies, &[401]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_invitation_makes_one_account() {
    // All hash, and all from one network, which has half of the places.
    let app = Arc::new(TestApp::with(&[("passwords.queue", "128")]).await);
    let id = app.invite("new@example.com", Role::Member).await.secret.reveal().to_owned();
    let body = json!({"firstName": "N", "lastName": "O", "password": PASSWORD});
    let replies = at_once(&app, |_| Ask::post(format!("/api/v1/invitation/create/{id}")).json(&body)).await;
    one_of(&replies, &[404, 409]);
}

/// An invitation that is issued anew while its first secret is being used: one of the two comes too late.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_secret_of_an_invitation() {
    let app = TestApp::new().await;
    for round in 0..16 {
        let email = format!("new{round}@example.com");
        let invited = app.invite(&email, Role::Member).await;
        let path = format!("/api/v1/invitation/create/{}", invited.secret.reveal());
        let body = json!({"firstName": "N", "lastName": "O", "password": PASSWORD});
        let create = app.send(Ask::post(path).json(&body));
        let call = app.call();
        let reissue = invitations::reissue(app.core(), &call, Authority::operator(), invited.invitation.id);
        let (created, reissued) = tokio::join!(create, reissue);
        assert_ne!(created.status.is_success(), reissued.is_ok(), "{}", created.snapshot());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_two_administrators_who_disable_each_other() {
    let app = TestApp::new().await;
    let names = ["root", "second"];
    app.create(names[0], Role::Admin, true).await;
    app.create(names[1], Role::Admin, true).await;
    for _ in 0..16 {
        let (root, second) = (app.token(names[0]).await, app.token(names[1]).await);
        let disable = |name, token: &str| app.send(Ask::post(format!("/admin/v1/users/{name}/disable")).bearer(token));
        let replies = tokio::join!(disable(names[1], &root), disable(names[0], &second));
        one_of(&[replies.0, replies.1], &[401]);
        for name in names {
            users::enable(app.core(), &app.call(), Authority::operator(), name).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_one_time_token() {
    let app = Arc::new(TestApp::new().await);
    app.user("ann").await;
    let application = app.application(true, &[]).await;
    let token = application.login(&app, "ann", PASSWORD).await.expect(200).at("/Success/oneTimeToken");
    let replies = at_once(&app, |_| {
        let ask = Ask::post("/apim/session/1.0/session/2FA/oneTimeToken").json(&json!({"userid": "ann"}));
        application.sign(ask).header("oneTimeToken", token.clone())
    });
    one_of(&replies.await, &[401]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn wrong_access_codes_have_five_tries_together() {
    let app = Arc::new(TestApp::new().await);
    app.user("ann").await;
    let application = app.application(false, &[]).await;
    let token = application.login(&app, "ann", PASSWORD).await.expect(200).at("/Success/oneTimeToken");
    let right = app.code("ann@example.com").await;
    let before = app.core().hasher().compared();
    let replies = at_once(&app, |caller| {
        let ask = Ask::post("/apim/session/1.0/session/2FA/accesscode");
        let body = json!({"userid": "ann", "accessCode": format!("AAAA{:02}", caller)});
        application.sign(ask.json(&body)).header("oneTimeToken", token.clone())
    });
    assert!(replies.await.iter().all(|reply| reply.status == 401));
    assert_eq!(app.core().hasher().compared() - before, 5);
    application.access_code(&app, "ann", &token, &right).await.expect(401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_challenge_one_answer() {
    let app = Arc::new(TestApp::new().await);
    let (_, mut key) = app.user_with_key("ann").await;
    let half = app.token("ann").await;
    let options = app.send(Ask::post("/auth/v1/second-factor/start").bearer(&half)).await.expect(200).json();
    let answer = json!({"credential": key.get(&options)});
    let replies = at_once(&app, |_| Ask::post("/auth/v1/second-factor").bearer(&half).json(&answer)).await;
    one_of(&replies, &[400, 401, 403]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_registrations_of_one_key() {
    let app = Arc::new(TestApp::new().await);
    // The same authenticator, offered by 32 users at once, each with a ceremony of their own.
    let mut asks = Vec::new();
    for caller in 0..CALLERS {
        let name = format!("user{caller}");
        app.user(&name).await;
        let token = app.token(&name).await;
        let options = app.send(Ask::post("/api/v1/auth/startRegister").cookie("doorward", &token)).await.expect(200).json();
        let mut body = Authenticator::new(9, ORIGIN).create(&options);
        body["name"] = json!("mine");
        asks.push((token, body));
    }
    let replies = at_once(&app, |caller| {
        let (token, body) = &asks[caller];
        Ask::post("/api/v1/auth/finishRegister").cookie("doorward", token).json(body)
    });
    one_of(&replies.await, &[400]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn after_a_sign_out_is_answered_no_check_succeeds() {
    let app = Arc::new(TestApp::new().await);
    let user = app.user("ann").await;
    for way in 0..wires::sign_outs("", "").len() {
        let token = app.token("ann").await;
        let (_, ask) = wires::sign_outs(&token, &user.id.to_string()).swap_remove(way);
        let ended = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let mut checkers = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let (app, token, ended) = (Arc::clone(&app), token.clone(), Arc::clone(&ended));
            checkers.spawn(async move {
                loop {
                    let was_ended = ended.load(std::sync::atomic::Ordering::SeqCst);
                    let alive = app.session(&token).await.status == 200;
                    assert!(!(was_ended && alive), "a session was honoured after its sign-out was answered");
                    if was_ended {
                        return;
                    }
                }
            });
        }
        assert!(app.send(ask).await.status.is_success());
        ended.store(true, std::sync::atomic::Ordering::SeqCst);
        checkers.join_all().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_guesses_do_not_slip_through_the_limit() {
    let app = Arc::new(TestApp::limited(&[("limits.signin_account.burst", "10")]).await);
    app.user("ann").await;
    let before = app.core().hasher().compared();
    let replies =
        at_once(&app, |_| Ask::post("/v1/log_in").json(&json!({"email": "ann@example.com", "password": OTHER_PASSWORD})));
    let replies = replies.await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 401).count(), 5);
    assert_eq!(replies.iter().filter(|reply| reply.status == 429).count(), CALLERS - 5);
    assert_eq!(app.core().hasher().compared() - before, 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_nodes_send_each_mail_once() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let other = app.second_node().await;
    for _ in 0..20 {
        app.send(Ask::get("/api/v1/forgotten-password?username=ann")).await.expect(200);
    }
    tokio::join!(app.deliver(), other.deliver());
    assert_eq!(app.mails("ann@example.com").await.len(), 20);
}
