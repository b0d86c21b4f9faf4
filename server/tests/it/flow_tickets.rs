//! Recovery links, login codes, access codes, invitations: who may use them, for how long, and what leaves them good.

use std::time::Duration;

use doorward::core::flows::authority::Authority;
use doorward::core::flows::{invitations, users};
use doorward::core::model::Role;
use serde_json::json;

use super::app::{OTHER_PASSWORD, PASSWORD, TestApp};
use super::reply::{Ask, Reply};

const MINUTE: Duration = Duration::from_secs(60);

async fn recovery(app: &TestApp) -> (String, String) {
    app.send(Ask::post("/v1/passwords/reset").json(&json!({"email": "ann@example.com"}))).await.expect(202);
    // A notice may have gone out in the same batch.
    let mail = app.mails("ann@example.com").await.into_iter().rfind(|mail| mail.query("code").is_some()).unwrap();
    (mail.query("code").unwrap(), mail.query("user_id").unwrap())
}

fn confirm(code: &str, user_id: &str, password: &str) -> Ask {
    Ask::put(format!("/v1/passwords/reset/{code}/confirm")).json(&json!({"password": password, "user_id": user_id}))
}

#[tokio::test]
async fn a_link_is_bound_to_its_user_survives_a_weak_password_and_is_used_once() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let bob = app.user("bob").await;
    let (code, user_id) = recovery(&app).await;
    app.send(confirm(&code, &bob.id.to_string(), OTHER_PASSWORD)).await.expect(400);
    app.send(confirm(&code, &user_id, "12345678")).await.expect(400);
    app.send(Ask::post("/api/v1/reset-password").json(&json!({"token": code, "password": "password"}))).await.expect(422);
    app.send(confirm(&code, &user_id, OTHER_PASSWORD)).await.expect(204);
    app.send(confirm(&code, &user_id, PASSWORD)).await.expect(400);
    app.sign_in("bob", PASSWORD).await.expect(200);
    app.sign_in("ann", OTHER_PASSWORD).await.expect(200);
}

#[tokio::test]
async fn a_new_link_replaces_the_older() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let (older, user_id) = recovery(&app).await;
    let (newer, _) = recovery(&app).await;
    app.send(confirm(&older, &user_id, OTHER_PASSWORD)).await.expect(400);
    app.send(confirm(&newer, &user_id, OTHER_PASSWORD)).await.expect(204);
}

#[tokio::test]
async fn a_link_expires_when_it_is_read_not_when_it_is_swept() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let (code, user_id) = recovery(&app).await;
    app.advance(60 * MINUTE - Duration::from_millis(1));
    app.send(Ask::get(format!("/reset?code={code}&user_id={user_id}"))).await.expect(200);
    app.advance(Duration::from_millis(1));
    app.send(Ask::get(format!("/reset?code={code}&user_id={user_id}"))).await.expect(400);
    app.send(confirm(&code, &user_id, OTHER_PASSWORD)).await.expect(400);
    app.sign_in("ann", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn opening_a_link_spends_nothing() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let (code, user_id) = recovery(&app).await;
    for _ in 0..5 {
        app.send(Ask::get(format!("/reset?code={code}&user_id={user_id}"))).await.expect(200);
    }
    app.send(confirm(&code, &user_id, OTHER_PASSWORD)).await.expect(204);
    let id = app.invite("new@example.com", Role::Member).await.secret.reveal().to_owned();
    for _ in 0..5 {
        app.send(Ask::get(format!("/invitation?id={id}"))).await.expect(200);
    }
}

#[tokio::test]
async fn a_reset_does_not_bypass_the_second_factor() {
    let app = TestApp::new().await;
    let (_, mut key) = app.user_with_key("ann").await;
    let full = app.token_with_key("ann", &mut key).await;
    let (code, user_id) = recovery(&app).await;
    app.send(confirm(&code, &user_id, OTHER_PASSWORD)).await.expect(204);
    app.session(&full).await.expect(401);
    let half = app.sign_in("ann", OTHER_PASSWORD).await.expect(200).at("/token");
    app.session(&half).await.expect(401);
    app.send(Ask::post("/v1/log_in").json(&json!({"email": "ann@example.com", "password": OTHER_PASSWORD}))).await.expect(403);
    let kestra = app.send(Ask::post("/login").json(&json!({"username": "ann", "password": OTHER_PASSWORD}))).await.expect(403);
    assert!(kestra.cookie().is_none());
    app.step_up(&half, &mut key).await.expect(200);
}

#[tokio::test]
async fn a_mailed_code_does_not_bypass_the_second_factor() {
    let app = TestApp::new().await;
    let (_, mut key) = app.user_with_key("ann").await;
    let code = request_code(&app).await;
    let kestra = app.send(Ask::post("/login").json(&json!({"username": "ann", "password": code}))).await.expect(403);
    assert!(kestra.cookie().is_none());
    let code = request_code(&app).await;
    let body = json!({"email": "ann@example.com", "code": code});
    let half = app.send(Ask::post("/auth/v1/sign-in/code").json(&body)).await.expect(200).at("/token");
    app.session(&half).await.expect(401);
    let full = app.step_up(&half, &mut key).await.expect(200).at("/token");
    assert_eq!(app.session(&full).await.expect(200).json()["assurance_level"], json!(2));
}

async fn request_code(app: &TestApp) -> String {
    app.send(Ask::get("/api/v1/request-code/ann%40example.com")).await.expect(200);
    app.code("ann@example.com").await
}

async fn login(app: &TestApp, code: &str) -> Reply {
    app.send(Ask::post("/login").json(&json!({"username": "ann@example.com", "password": code}))).await
}

#[tokio::test]
async fn a_code_lives_ten_minutes_has_five_tries_and_yields_to_the_next() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let code = request_code(&app).await;
    app.advance(10 * MINUTE);
    login(&app, &code).await.expect(401);

    let first = request_code(&app).await;
    let second = request_code(&app).await;
    login(&app, &first).await.expect(401);
    login(&app, &second.to_lowercase()).await.expect(200);
    login(&app, &second).await.expect(401);

    let code = request_code(&app).await;
    for _ in 0..4 {
        login(&app, "AAAA22").await.expect(401);
    }
    login(&app, &code).await.expect(200);
    let code = request_code(&app).await;
    for _ in 0..5 {
        login(&app, "AAAA22").await.expect(401);
    }
    login(&app, &code).await.expect(401);
}

#[tokio::test]
async fn a_code_is_no_use_to_another() {
    let app = TestApp::new().await;
    app.user("ann").await;
    app.user("bob").await;
    let code = request_code(&app).await;
    app.send(Ask::post("/login").json(&json!({"username": "bob", "password": code}))).await.expect(401);
    login(&app, &code).await.expect(200);
}

#[tokio::test]
async fn a_recovery_kills_what_else_is_outstanding() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let application = app.application(false, &[]).await;
    let login_code = request_code(&app).await;
    let one_time_token = application.login(&app, "ann", PASSWORD).await.expect(200).at("/Success/oneTimeToken");
    let access_code = app.code("ann@example.com").await;
    let (code, user_id) = recovery(&app).await;
    app.send(confirm(&code, &user_id, OTHER_PASSWORD)).await.expect(204);
    login(&app, &login_code).await.expect(401);
    application.access_code(&app, "ann", &one_time_token, &access_code).await.expect(401);
}

#[tokio::test]
async fn ways_to_sign_in_can_be_switched_off() {
    let app = TestApp::with(&[("methods.email_code", "false")]).await;
    app.user("ann").await;
    let refused = app.send(Ask::get("/api/v1/request-code/ann%40example.com")).await;
    assert!(refused.status.is_client_error(), "{}", refused.snapshot());
    assert!(app.mails("ann@example.com").await.is_empty());
    let index = app.send(Ask::get("/api/v1/auths")).await.expect(200).json();
    assert_eq!((&index["loginPassword"], &index["passwordless"]), (&json!(true), &json!(false)));

    let app = TestApp::with(&[("methods.password", "false")]).await;
    app.user("ann").await;
    assert!(app.sign_in("ann", PASSWORD).await.status.is_client_error());
    let index = app.send(Ask::get("/api/v1/auths")).await.expect(200).json();
    assert_eq!((&index["loginPassword"], &index["passwordless"]), (&json!(false), &json!(true)));
    let code = request_code(&app).await;
    login(&app, &code).await.expect(200);
}

#[tokio::test]
async fn an_access_code_is_bound_to_user_and_application_and_replaced_by_the_next() {
    let app = TestApp::new().await;
    app.user("ann").await;
    app.user("bob").await;
    let (mine, other) = (app.application(false, &[]).await, app.application(false, &[]).await);
    let begin = || async {
        let token = mine.login(&app, "ann", PASSWORD).await.expect(200).at("/Success/oneTimeToken");
        (token, app.code("ann@example.com").await)
    };
    let (first, first_code) = begin().await;
    let (second, second_code) = begin().await;
    mine.access_code(&app, "ann", &first, &first_code).await.expect(401);
    mine.access_code(&app, "ann", &second, &first_code).await.expect(401);
    mine.access_code(&app, "bob", &second, &second_code).await.expect(401);
    other.access_code(&app, "ann", &second, &second_code).await.expect(401);
    // A header that names another user is one word too many, and spends nothing.
    let body = json!({"userid": "ann", "accessCode": second_code});
    let ask = Ask::post("/apim/session/1.0/session/2FA/accesscode").json(&body).header("oneTimeToken", second.clone());
    app.send(mine.sign(ask).header("userid", "bob")).await.expect(401);
    mine.access_code(&app, "ann@example.com", &second, &second_code).await.expect(200);
    mine.access_code(&app, "ann", &second, &second_code).await.expect(401);
    let (late, late_code) = begin().await;
    app.advance(5 * MINUTE);
    mine.access_code(&app, "ann", &late, &late_code).await.expect(401);
}

#[tokio::test]
async fn a_one_time_token_alone_opens_only_where_it_may_and_nothing_else_is_enrolled() {
    let app = TestApp::new().await;
    app.user("ann").await;
    app.user_with_key("keyed").await;
    let (strict, lenient) = (app.application(false, &[]).await, app.application(true, &[]).await);
    for (application, name, status) in [(&strict, "ann", 401), (&lenient, "ann", 200), (&lenient, "keyed", 401)] {
        let token = application.login(&app, name, PASSWORD).await.expect(200).at("/Success/oneTimeToken");
        let ask = Ask::post("/apim/session/1.0/session/2FA/oneTimeToken").json(&json!({"userid": name}));
        app.send(application.sign(ask).header("oneTimeToken", token.clone())).await.expect(status);
        if status == 401 {
            // The refusal has not spent it: the code still goes with it.
            let code = app.code(&format!("{name}@example.com")).await;
            let opened = application.access_code(&app, name, &token, &code).await.expect(200);
            let session = app.session(&opened.at("/Success/sessionToken")).await.expect(200).json();
            assert_eq!(session["factors"], json!(["password", "access_code"]));
            assert_eq!(session["assurance_level"], json!(2));
        }
    }
}

#[tokio::test]
async fn an_application_is_checked_on_every_call() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let application = app.application(false, &["192.0.2.0/24"]).await;
    let foreign = "198.51.100.1".parse().unwrap();
    let ask = || application.sign(Ask::get("/apim/session/1.0/session/init").header("userid", "ann"));
    app.send(ask()).await.expect(200);
    // The `ip` header is the client's own word.
    let lied = Ask::get("/apim/session/1.0/session/init").header("userid", "ann");
    app.send_from(foreign, application.sign(lied)).await.expect(401);
    let token = application.token(&app, "ann").await;
    let core = app.core();
    let id = application.0.application.id;
    let rotated = doorward::core::flows::applications::rotate(core, &app.call(), Authority::operator(), id).await.unwrap();
    app.send(ask()).await.expect(401);
    app.session(&token).await.expect(200);
    doorward::core::flows::applications::revoke(core, &app.call(), Authority::operator(), id).await.unwrap();
    app.send(super::app::Application(rotated).sign(Ask::get("/apim/session/1.0/session/init").header("userid", "ann")))
        .await
        .expect(401);
    app.session(&token).await.expect(401);
}

#[tokio::test]
async fn an_invitation_is_for_its_address_used_once_expires_and_can_be_revoked() {
    let app = TestApp::new().await;
    app.user("ann").await;
    app.user("bob").await;
    let (ann, bob) = (app.token("ann").await, app.token("bob").await);
    let accept = |token: &str, id: &str| Ask::post(format!("/api/v1/invitation/accept/{id}")).cookie("doorward", token);
    let create = |id: &str| {
        let body = json!({"firstName": "N", "lastName": "O", "password": PASSWORD, "email": "evil@example.com", "role": "admin"});
        Ask::post(format!("/api/v1/invitation/create/{id}")).json(&body)
    };
    let invited = app.invite("Ann@Example.com", Role::Admin).await;
    let id = invited.secret.reveal().to_owned();
    app.send(accept(&bob, &id)).await.expect(403);
    app.send(Ask::post(format!("/api/v1/invitation/accept/{id}"))).await.expect(401);
    app.send(create(&id)).await.expect(409);
    app.send(accept(&ann, &id)).await.expect(200);
    app.send(accept(&ann, &id)).await.expect(404);
    assert_eq!(app.session(&ann).await.json()["user"]["role"], json!("admin"));

    let late = app.invite("late@example.com", Role::Member).await.secret.reveal().to_owned();
    app.advance(Duration::from_secs(7 * 24 * 60 * 60));
    app.send(create(&late)).await.expect(404);

    let taken_back = app.invite("back@example.com", Role::Member).await;
    invitations::revoke(app.core(), &app.call(), Authority::operator(), taken_back.invitation.id).await.unwrap();
    app.send(create(taken_back.secret.reveal())).await.expect(404);
    // The handle is not the secret.
    let open = app.invite("new@example.com", Role::Member).await;
    app.send(create(&open.invitation.id.to_string())).await.expect(404);
    app.send(create(open.secret.reveal())).await.expect(200);
    let made = users::find(app.core(), Authority::operator(), "new@example.com").await.unwrap().user;
    assert_eq!((made.role, made.email_verified_at.is_some()), (Role::Member, true), "address and role are the row's");
    assert!(users::find(app.core(), Authority::operator(), "evil@example.com").await.is_err());
}

#[tokio::test]
async fn a_weak_password_leaves_an_invitation_open_and_every_broken_rule_is_named() {
    let app = TestApp::new().await;
    let id = app.invite("new@example.com", Role::Member).await.secret.reveal().to_owned();
    let create = |password: &str| {
        Ask::post(format!("/api/v1/invitation/create/{id}"))
            .json(&json!({"firstName": "Nia", "lastName": "Osei", "password": password}))
    };
    let weak = app.send(create("abc")).await.expect(422);
    let errors = weak.json()["_embedded"]["errors"].as_array().unwrap().len();
    assert_eq!(errors, 2, "too short and too weak: {}", weak.snapshot());
    app.send(create("new@example.com")).await.expect(422);
    app.send(create("Osei2024")).await.expect(422);
    app.send(create(PASSWORD)).await.expect(200);
}

#[tokio::test]
async fn a_password_that_looks_like_a_spaced_code_is_a_password() {
    let app = TestApp::with(&[("passwords.min_score", "0")]).await;
    app.user("ann").await;
    for password in ["q 7 x 9 z k", "v9 qz  k4", "q7x  9zk", "  q7x9zk"] {
        let new = doorward::core::token::Secret::new(password);
        users::set_password(app.core(), &app.call(), Authority::operator(), "ann", &new).await.unwrap();
        app.sign_in("ann", password).await.expect(200);
        app.send(Ask::post("/login").json(&json!({"username": "ann", "password": password}))).await.expect(200);
        app.send(Ask::post("/login").form(&[("username", "ann"), ("password", password)])).await.expect(200);
    }
    // And a code as it is read out is a code.
    let code = request_code(&app).await.to_lowercase();
    login(&app, &format!("{} {}", &code[..3], &code[3..])).await.expect(200);
}
