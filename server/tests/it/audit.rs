//! The audit log of a day: every sign-in, refusal, factor change, reset, revocation and administrator's act.

use doorward::core::flows::authority::Authority;
use doorward::core::flows::{applications, invitations, mails, sessions, users};
use doorward::core::model::{Page, Role};
use serde_json::json;

use super::app::{ORIGIN, OTHER_PASSWORD, PASSWORD, TestApp};
use super::authenticator::Authenticator;
use super::reply::Ask;

#[tokio::test]
async fn everything_that_matters_is_on_record() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    app.sign_in("ann", OTHER_PASSWORD).await.expect(401);
    app.sign_in("nobody", OTHER_PASSWORD).await.expect(401);
    let token = app.token("ann").await;
    let mut key = Authenticator::new(1, ORIGIN);
    app.register(&token, "yellow", &mut key).await.expect(201);
    let full = app.token_with_key("ann", &mut key).await;
    let keys = app.send(Ask::get("/auth/v1/keys").bearer(&full)).await.json();
    let id = keys["items"][0]["id"].as_str().unwrap().to_owned();
    app.send(Ask::patch(format!("/auth/v1/keys/{id}")).bearer(&full).json(&json!({"name": "green"}))).await;
    app.send(Ask::delete(format!("/auth/v1/keys/{id}")).bearer(&full)).await.expect(204);
    app.send(Ask::delete("/auth/v1/sessions").bearer(&full)).await.expect(200);
    let body = json!({"current_password": PASSWORD, "new_password": OTHER_PASSWORD});
    let full = app.send(Ask::post("/auth/v1/password").bearer(&full).json(&body)).await.expect(200).at("/token");
    app.send(Ask::delete("/auth/v1/session").bearer(&full)).await.expect(204);
    app.send(Ask::get("/api/v1/request-code/ann%40example.com")).await.expect(200);
    app.deliver().await;
    app.send(Ask::get("/api/v1/forgotten-password?username=ann")).await.expect(200);
    let secret = app.mails("ann@example.com").await.iter().rev().find_map(|mail| mail.query("token")).unwrap();
    app.send(Ask::post("/api/v1/reset-password").json(&json!({"token": secret, "password": PASSWORD}))).await.expect(200);
    let application = app.application(false, &[]).await;
    application.token(&app, "ann").await;
    let invited = app.invite("new@example.com", Role::Member).await;

    let (core, operator) = (app.core(), Authority::operator());
    let call = || app.call();
    invitations::revoke(core, &call(), operator, invited.invitation.id).await.unwrap();
    let app_id = application.0.application.id;
    applications::limit(core, &call(), operator, app_id, Vec::new()).await.unwrap();
    applications::rotate(core, &call(), operator, app_id).await.unwrap();
    app.send(application.sign(Ask::get("/apim/session/1.0/session/init").header("userid", "ann"))).await.expect(401);
    applications::revoke(core, &call(), operator, app_id).await.unwrap();
    sessions::end_all(core, &call(), operator, ann.id).await.unwrap();
    app.deliver().await;
    let mail = mails::list(core, operator, Page::new(None, None)).await.unwrap().items.remove(0);
    assert!(mails::retry(core, &call(), operator, mail.id).await.is_err(), "a sent mail is not sent again");
    users::disable(core, &call(), operator, "ann").await.unwrap();
    app.sign_in("ann", PASSWORD).await;
    users::enable(core, &call(), operator, "ann").await.unwrap();
    users::delete(core, &call(), operator, "ann").await.unwrap();

    insta::assert_snapshot!(app.audit().await.join("\n"), @"
    user_created ok
    sign_in invalid_credentials
    sign_in invalid_credentials
    sign_in ok
    key_added ok
    sign_in second_factor_required
    second_factor ok
    key_renamed ok
    key_removed ok
    sessions_ended ok
    password_changed ok
    sign_out ok
    code_mailed ok
    recovery_mailed ok
    recovery_completed ok
    application_created ok
    sign_in access_code_required
    second_factor ok
    invitation_created ok
    invitation_revoked ok
    application_limited ok
    application_rotated ok
    application_refused application_unknown
    application_revoked ok
    sessions_ended ok
    mail_retried conflict
    user_disabled ok
    sign_in account_disabled
    user_enabled ok
    user_deleted ok
    ");
    // A deleted user's history stays, under their id.
    let filter = doorward::core::flows::audit_log::Filter { user: Some(ann.id), ..Default::default() };
    let page = Page::new(None, Some(200));
    let own = doorward::core::flows::audit_log::list(core, operator, filter, page).await.unwrap().items;
    assert!(own.len() > 15);
    let refused = own.iter().rev().find(|entry| entry.outcome == "invalid_credentials").unwrap();
    assert_eq!((refused.dialect.as_str(), refused.address.as_deref()), ("native", Some("192.0.2.1")));
    assert_eq!(refused.request_id.len(), 32);
}

#[tokio::test]
async fn every_refusal_is_on_record() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let token = app.token("ann").await;
    let application = app.application(false, &[]).await;
    let foreign = app.invite("bob@example.com", Role::Member).await.secret.reveal().to_owned();
    let recovery = |token: &str| Ask::post("/api/v1/reset-password").json(&json!({"token": token, "password": OTHER_PASSWORD}));
    let weak = json!({"current_password": PASSWORD, "new_password": "password1"});
    let one_time_token = Ask::post("/apim/session/1.0/session/2FA/oneTimeToken").json(&json!({"userid": "ann"}));
    let asks = [
        (recovery("unknown"), 400, "recovery_completed invalid_code"),
        (Ask::post("/api/v1/invitation/accept/unknown").bearer(&token), 404, "invitation_used invitation_not_found"),
        (Ask::post(format!("/api/v1/invitation/accept/{foreign}")).bearer(&token), 403, "invitation_used invitation_for_another"),
        (Ask::post("/auth/v1/password").bearer(&token).json(&weak), 422, "password_changed password_rejected"),
        (application.sign(one_time_token).header("oneTimeToken", "unknown"), 401, "second_factor invalid_code"),
        (Ask::get("/admin/v1/users").bearer(&token), 403, "administration_refused not_permitted"),
    ];
    for (ask, status, line) in asks {
        app.send(ask).await.expect(status);
        assert_eq!(app.audit().await.last().unwrap(), line);
    }
}
