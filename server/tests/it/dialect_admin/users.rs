//! `/admin/v1/users`.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::app::{ORIGIN, PASSWORD};
use super::super::authenticator::Authenticator;
use super::super::flow_totp;
use super::{Desk, NOBODY};

#[tokio::test]
async fn users_are_made_and_found() {
    let desk = Desk::new().await;
    let new = json!({"username": "Ann", "email": "Ann@example.com", "first_name": "Ann", "last_name": "Lee",
        "password": PASSWORD, "email_verified": true});
    let made = desk.post("users", new.clone()).await.expect(201).json();
    let mut wanted = json!({"username": "Ann", "email": "Ann@example.com", "first_name": "Ann", "last_name": "Lee", "role": "member",
        "status": "active", "email_verified": true, "email_verified_at": "2026-01-01T00:00:00.000Z",
        "created_at": "2026-01-01T00:00:00.000Z"});
    wanted["id"] = made["id"].clone();
    assert_eq!(made, wanted);
    let id = made["id"].as_str().unwrap();
    wanted["security_keys"] = json!([]);
    for reference in [id, "ann", "ANN@EXAMPLE.COM", "ann%40example.com"] {
        assert_eq!(desk.get(&format!("users/{reference}")).await.expect(200).json(), wanted);
    }
    desk.app.sign_in("ann", PASSWORD).await.expect(200);
    desk.post("users", new).await.problem(409, "email-taken");
    desk.post("users", json!({"username": "ANN", "email": "b@example.com"})).await.problem(409, "username-taken");
    for (field, body) in [
        ("email", json!({"username": "b", "email": "b"})),
        ("username", json!({"username": "b@c", "email": "b@example.com"})),
        ("username", json!({"username": "", "email": "b@example.com"})),
        ("first_name", json!({"username": "b", "email": "b@example.com", "first_name": "\u{0}"})),
        ("last_name", json!({"username": "b", "email": "b@example.com", "last_name": "x".repeat(101)})),
    ] {
        assert_eq!(desk.post("users", body).await.problem(400, "invalid-parameters")["field"], field);
    }
    desk.post("users", json!({"username": "b", "email": "b@example.com", "role": "king"})).await.problem(400, "malformed-body");
    desk.post("users", json!({"username": "b", "email": "b@example.com", "password": "b"}))
        .await
        .problem(422, "password-rejected");
    let bare = desk.post("users", json!({"username": "b", "email": "b@example.com", "role": "admin"})).await.expect(201).json();
    assert_eq!(
        (&bare["role"], &bare["email_verified"], &bare["email_verified_at"]),
        (&json!("admin"), &json!(false), &json!(null))
    );
    desk.app.sign_in("b", "").await.problem(401, "invalid-credentials");
}

#[tokio::test]
async fn users_in_pages_and_by_search() {
    let desk = Desk::new().await;
    for name in ["abe", "ada", "bea", "bob", "cyd"] {
        desk.app.advance(Duration::from_secs(1));
        desk.app.user(name).await;
    }
    let wanted = ["cyd", "bob", "bea", "ada", "abe", "root"];
    for limit in [1, 2, 3, 200] {
        assert_eq!(desk.all("users", limit, "/username").await, wanted);
    }
    for (search, mut found) in
        [("a", vec!["abe", "ada"]), ("B", vec!["bea", "bob"]), ("bob@ex", vec!["bob"]), ("zz", vec![]), ("%25", vec![])]
    {
        let page = desk.get(&format!("users?search={search}")).await.expect(200).json();
        let mut names: Vec<_> = page["items"].as_array().unwrap().iter().map(|user| user["username"].as_str().unwrap()).collect();
        names.sort_unstable();
        found.sort_unstable();
        assert_eq!(names, found);
        assert!(page["next"].is_null());
    }
    assert_eq!(desk.get("users?search=a&limit=1").await.problem(400, "invalid-parameters")["field"], "search");
}

#[tokio::test]
async fn a_user_is_disabled_enabled_and_deleted() {
    let desk = Desk::new().await;
    desk.app.user("ann").await;
    let token = desk.app.token("ann").await;
    assert_eq!(desk.post("users/ann/disable", Value::Null).await.expect(200).at("/status"), "disabled");
    desk.app.session(&token).await.problem(401, "not-signed-in");
    desk.app.sign_in("ann", PASSWORD).await.problem(403, "account-disabled");
    desk.post("users/ann/recovery", Value::Null).await.problem(409, "conflict");
    assert_eq!(desk.post("users/ann@example.com/enable", Value::Null).await.expect(200).at("/status"), "active");
    desk.app.session(&token).await.problem(401, "not-signed-in");
    let token = desk.app.token("ann").await;
    assert_eq!(desk.delete("users/ann").await.expect(204).text(), "");
    desk.app.session(&token).await.problem(401, "not-signed-in");
    desk.app.sign_in("ann", PASSWORD).await.problem(401, "invalid-credentials");
    for reply in [
        desk.get("users/ann").await,
        desk.delete("users/ann").await,
        desk.post("users/ann/disable", Value::Null).await,
        desk.post("users/ann/enable", Value::Null).await,
        desk.post("users/ann/recovery", Value::Null).await,
        desk.get("users/ann/sessions").await,
        desk.delete("users/ann/sessions").await,
        desk.delete(&format!("users/ann/keys/{NOBODY}")).await,
    ] {
        reply.problem(404, "not-found");
    }
    let audit = desk.app.audit().await;
    for line in ["user_disabled ok", "user_enabled ok", "user_deleted ok"] {
        assert!(audit.iter().any(|found| found == line), "{line} in {audit:?}");
    }
}

#[tokio::test]
async fn a_user_is_helped_to_a_new_password() {
    let desk = Desk::new().await;
    let user = desk.app.user("ann").await;
    desk.post("users/ann/recovery", Value::Null).await.expect(202);
    let mail = desk.app.mail("ann@example.com").await;
    assert_eq!(mail.query("user_id"), Some(user.id.to_string()));
    assert!(mail.query("code").is_some());
    let sent = desk.get("audit?event=recovery_sent").await.expect(200).json();
    let root = desk.get("users/root").await.at("/id");
    assert_eq!((&sent["items"][0]["actor"], &sent["items"][0]["user_id"]), (&json!(root), &json!(user.id)));
}

/// The rule that the strongest factor guards the factors holds for an administrator as for anybody.
#[tokio::test]
async fn nobody_removes_their_own_factors_as_an_administrator() {
    let desk = Desk::new().await;
    let mut key = Authenticator::new(7, ORIGIN);
    let id = desk.app.register(&desk.token, "Blue", &mut key).await.expect(201).at("/id");
    let token = desk.app.token_with_key("root", &mut key).await;
    flow_totp::enrol(&desk.app, &token).await;
    let desk = Desk { token, ..desk };
    desk.delete(&format!("users/root/keys/{id}")).await.problem(409, "conflict");
    desk.delete("users/root@example.com/totp").await.problem(409, "conflict");
    assert_eq!(desk.get("users/root").await.expect(200).at("/security_keys/0/id"), id);
}

#[tokio::test]
async fn a_user_has_lost_a_key() {
    let desk = Desk::new().await;
    let (_, mut key) = desk.app.user_with_key("ann").await;
    let full = desk.app.token_with_key("ann", &mut key).await;
    let id = desk.get("users/ann").await.at("/security_keys/0/id");
    desk.app.user("bob").await;
    desk.delete(&format!("users/bob/keys/{id}")).await.problem(404, "not-found");
    desk.delete(&format!("users/ann/keys/{id}")).await.expect(204);
    desk.delete(&format!("users/ann/keys/{id}")).await.problem(404, "not-found");
    assert_eq!(desk.app.session(&full).await.expect(200).json()["assurance_level"], 1);
    assert_eq!(desk.app.sign_in("ann", PASSWORD).await.expect(200).at("/status"), "full");
    assert!(desk.app.mail("ann@example.com").await.text.contains("key"));
}

#[tokio::test]
async fn what_no_database_can_hold_is_found_nowhere() {
    let desk = Desk::new().await;
    let nothing = json!({"items": [], "next": null});
    for path in ["users?search=%00", "users?search=a%00b", "audit?event=%00", "audit?outcome=%00", "audit?dialect=a%00"] {
        assert_eq!(desk.get(path).await.expect(200).json(), nothing, "{path}");
    }
}
