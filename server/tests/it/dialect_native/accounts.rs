//! Passwords, recovery, invitations.

use std::time::Duration;

use doorward::core::model::Role;
use serde_json::{Value, json};

use super::super::app::{OTHER_PASSWORD, PASSWORD, TestApp};
use super::super::reply::{Ask, Reply};

async fn change(app: &TestApp, token: &str, current: &str, new: &str) -> Reply {
    let body = json!({"current_password": current, "new_password": new});
    app.send(Ask::post("/auth/v1/password").bearer(token).json(&body)).await
}

#[tokio::test]
async fn changing_a_password() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let (one, other) = (app.token("ann").await, app.token("ann").await);
    change(&app, &one, "wrong", OTHER_PASSWORD).await.problem(401, "invalid-credentials");
    for (new, code, limit) in
        [("short", "too_short", "minimum"), ("password1", "too_weak", ""), (&"x".repeat(257), "too_long", "maximum")]
    {
        let problem = change(&app, &one, PASSWORD, new).await.problem(422, "password-rejected");
        assert_eq!(problem["problems"][0]["code"], code, "{problem:#}");
        assert!(!problem["problems"][0]["message"].as_str().unwrap().is_empty());
        assert!(limit.is_empty() || problem["problems"][0][limit].is_u64());
    }
    let changed = change(&app, &one, PASSWORD, OTHER_PASSWORD).await.expect(200);
    let token = changed.at("/token");
    assert_eq!(changed.cookie().as_ref(), Some(&token));
    assert_eq!(changed.at("/status"), "full");
    app.session(&one).await.problem(401, "not-signed-in");
    app.session(&other).await.problem(401, "not-signed-in");
    app.session(&token).await.expect(200);
    app.sign_in("ann", PASSWORD).await.problem(401, "invalid-credentials");
    app.sign_in("ann", OTHER_PASSWORD).await.expect(200);
    assert!(app.mail("ann@example.com").await.text.contains("password"));
    app.advance(Duration::from_secs(901));
    change(&app, &token, OTHER_PASSWORD, PASSWORD).await.problem(403, "recent-sign-in-required");
}

async fn confirm(app: &TestApp, body: Value) -> Reply {
    app.send(Ask::post("/auth/v1/recovery/confirm").json(&body)).await
}

async fn request(app: &TestApp, identifier: &str) -> Reply {
    app.send(Ask::post("/auth/v1/recovery").json(&json!({"identifier": identifier}))).await.expect(202)
}

#[tokio::test]
async fn recovery() {
    let app = TestApp::new().await;
    let user = app.user("ann").await;
    let token = app.token("ann").await;
    let (known, unknown) = (request(&app, "ann").await, request(&app, "nobody@example.com").await);
    assert_eq!(known.snapshot(), unknown.snapshot());
    let mail = app.mail("ann@example.com").await;
    let code = mail.query("code").unwrap();
    assert_eq!(mail.query("user_id"), Some(user.id.to_string()));
    assert!(app.mails("nobody").await.is_empty());
    for wrong in [
        json!({"code": "unknown", "password": OTHER_PASSWORD}),
        json!({"code": "", "password": OTHER_PASSWORD}),
        json!({"code": code, "password": OTHER_PASSWORD, "user_id": "0197b3a0-0000-7000-8000-000000000001"}),
        json!({"code": code, "password": OTHER_PASSWORD, "user_id": ""}),
        json!({"code": token, "password": OTHER_PASSWORD}),
    ] {
        confirm(&app, wrong).await.problem(400, "invalid-code");
    }
    let weak = json!({"code": code, "password": "ann"});
    assert!(confirm(&app, weak).await.problem(422, "password-rejected")["problems"].is_array());
    app.session(&token).await.expect(200);
    let right = json!({"code": code, "password": OTHER_PASSWORD, "user_id": user.id});
    let done = confirm(&app, right.clone()).await.expect(204);
    assert!(done.cookie().is_none());
    confirm(&app, right).await.problem(400, "invalid-code");
    app.session(&token).await.problem(401, "not-signed-in");
    app.sign_in("ann", OTHER_PASSWORD).await.expect(200);
}

#[tokio::test]
async fn recovery_is_late_or_superseded() {
    let app = TestApp::new().await;
    app.user("ann").await;
    request(&app, "ann").await;
    let first = app.query("ann@example.com", "code").await;
    request(&app, "ann@example.com").await;
    let second = app.query("ann@example.com", "code").await;
    confirm(&app, json!({"code": first, "password": OTHER_PASSWORD})).await.problem(400, "invalid-code");
    app.advance(Duration::from_secs(3600));
    confirm(&app, json!({"code": second, "password": OTHER_PASSWORD})).await.problem(400, "invalid-code");
    app.sign_in("ann", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn recovery_does_not_replace_a_second_factor() {
    let app = TestApp::new().await;
    app.user_with_key("ann").await;
    request(&app, "ann").await;
    let code = app.query("ann@example.com", "code").await;
    confirm(&app, json!({"code": code, "password": OTHER_PASSWORD})).await.expect(204);
    assert_eq!(app.sign_in("ann", OTHER_PASSWORD).await.expect(200).at("/status"), "half");
}

#[tokio::test]
async fn a_32_fold_recovery_succeeds_once() {
    let app = std::sync::Arc::new(TestApp::new().await);
    app.user("ann").await;
    request(&app, "ann").await;
    let code = app.query("ann@example.com", "code").await;
    let tries = (0..32).map(|_| {
        let (app, body) = (app.clone(), json!({"code": code, "password": OTHER_PASSWORD}));
        tokio::spawn(async move { confirm(&app, body).await.status.as_u16() })
    });
    let mut statuses = Vec::new();
    for one in tries.collect::<Vec<_>>() {
        statuses.push(one.await.unwrap());
    }
    assert_eq!(statuses.iter().filter(|status| **status == 204).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [204, 400, 503].contains(status)), "{statuses:?}");
}

#[tokio::test]
async fn an_invitation_becomes_an_account() {
    let app = TestApp::new().await;
    let invited = app.invite("New@example.com", Role::Admin).await;
    let id = invited.secret.reveal();
    let inspect = |id: &str| app.send(Ask::post("/auth/v1/invitations/inspect").json(&json!({"id": id})));
    let seen = inspect(id).await.expect(200).json();
    let times = json!({"created_at": "2026-01-01T00:00:00.000Z", "expires_at": "2026-01-08T00:00:00.000Z"});
    assert_eq!((&seen["email"], &seen["role"]), (&json!("New@example.com"), &json!("admin")));
    assert_eq!((&seen["created_at"], &seen["expires_at"]), (&times["created_at"], &times["expires_at"]));
    inspect("unknown").await.problem(404, "invitation-not-found");
    inspect(&invited.invitation.id.to_string()).await.problem(404, "invitation-not-found");

    let account = |id: &str, first: &str, password: &str| {
        let body =
            json!({"id": id, "first_name": first, "last_name": "Osei", "password": password, "email": "x@y.z", "role": "member"});
        app.send(Ask::post("/auth/v1/invitations/account").json(&body))
    };
    account("unknown", "Nia", PASSWORD).await.problem(404, "invitation-not-found");
    assert_eq!(account(id, &"x".repeat(101), PASSWORD).await.problem(400, "invalid-parameters")["field"], "first_name");
    account(id, "Nia", "abc").await.problem(422, "password-rejected");
    let made = account(id, "Nia", PASSWORD).await.expect(201);
    assert!(made.cookie().is_none());
    let user = made.json();
    assert_eq!(
        (&user["email"], &user["role"], &user["email_verified"]),
        (&json!("New@example.com"), &json!("admin"), &json!(true))
    );
    account(id, "Nia", PASSWORD).await.problem(404, "invitation-not-found");
    inspect(id).await.problem(404, "invitation-not-found");
    app.sign_in("new@example.com", PASSWORD).await.expect(200);
    let again = app.invite("new@example.com", Role::Member).await;
    account(again.secret.reveal(), "Nia", PASSWORD).await.problem(409, "email-taken");
}

#[tokio::test]
async fn an_invitation_is_accepted() {
    let app = TestApp::new().await;
    app.user("ann").await;
    app.user("bob").await;
    let (ann, bob) = (app.token("ann").await, app.token("bob").await);
    let invited = app.invite("ann@example.com", Role::Admin).await;
    let body = json!({"id": invited.secret.reveal()});
    let accept = |token: &str| app.send(Ask::post("/auth/v1/invitations/accept").bearer(token).json(&body));
    accept(&bob).await.problem(403, "invitation-for-another");
    app.send(Ask::get("/admin/v1/users").bearer(&ann)).await.problem(403, "not-permitted");
    assert_eq!(accept(&ann).await.expect(200).at("/role"), "admin");
    app.send(Ask::get("/admin/v1/users").bearer(&ann)).await.expect(200);
    accept(&ann).await.problem(404, "invitation-not-found");
    let late = app.invite("bob@example.com", Role::Admin).await;
    app.advance(Duration::from_secs(7 * 86_400));
    let bob = app.token("bob").await;
    let body = json!({"id": late.secret.reveal()});
    app.send(Ask::post("/auth/v1/invitations/accept").bearer(&bob).json(&body)).await.problem(404, "invitation-not-found");
}
