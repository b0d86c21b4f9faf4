//! Sessions, invitations, applications, mail, the audit log.

use std::time::Duration;

use doorward::core::model::Role;
use serde_json::{Value, json};

use super::super::app::PASSWORD;
use super::super::dialect_native::members;
use super::super::reply::Ask;
use super::{Desk, NOBODY};

#[tokio::test]
async fn sessions() {
    let desk = Desk::new().await;
    let user = desk.app.user("ann").await;
    let mut tokens = Vec::new();
    for _ in 0..3 {
        desk.app.advance(Duration::from_secs(1));
        tokens.push(desk.app.token("ann").await);
    }
    let own = desk.all("users/ann/sessions", 2, "/id").await;
    assert_eq!(own.len(), 3);
    assert_eq!(desk.all("sessions", 2, "/id").await.len(), 4);
    let item = desk.get("sessions?limit=1").await.json()["items"][0].clone();
    assert_eq!((&item["user_id"], &item["status"]), (&json!(user.id), &json!("full")));
    assert!(!item.to_string().contains("token"));
    desk.delete(&format!("sessions/{}", own[0])).await.expect(204);
    desk.delete(&format!("sessions/{}", own[0])).await.problem(404, "not-found");
    desk.app.session(&tokens[2]).await.problem(401, "not-signed-in");
    desk.app.session(&tokens[1]).await.expect(200);
    assert_eq!(desk.delete("users/ann/sessions").await.expect(200).json(), json!({"ended": 2}));
    desk.app.session(&tokens[1]).await.problem(401, "not-signed-in");
    desk.app.advance(Duration::from_secs(86_400));
    desk.get("sessions").await.problem(401, "not-signed-in");
}

#[tokio::test]
async fn invitations() {
    let desk = Desk::new().await;
    let made = desk.post("invitations", json!({"email": "new@example.com"})).await.expect(201).json();
    assert_eq!(
        members(&made),
        ["created_at", "email", "expires_at", "handle", "id", "link", "revoked_at", "role", "state", "used_at"]
    );
    let (handle, id) = (made["handle"].as_str().unwrap(), made["id"].as_str().unwrap());
    assert!(made["link"].as_str().unwrap().contains(id) && handle != id);
    assert_eq!((&made["role"], &made["expires_at"]), (&json!("member"), &json!("2026-01-08T00:00:00.000Z")));
    assert_eq!(desk.app.mail("new@example.com").await.link().unwrap().as_str(), made["link"]);

    for (expires_in, at) in [(json!("2h"), "T02:00:01.000Z"), (json!(60), "T00:01:01.000Z"), (json!("1d"), "2026-01-02")] {
        let body = json!({"email": "two@example.com", "role": "admin", "expires_in": expires_in});
        assert!(desk.post("invitations", body).await.expect(201).at("/expires_at").contains(at));
    }
    for wrong in [json!(0), json!("0s"), json!("soon"), json!(""), json!(u64::MAX), json!("99999d")] {
        let body = json!({"email": "two@example.com", "expires_in": wrong});
        assert_eq!(desk.post("invitations", body).await.problem(400, "invalid-parameters")["field"], "expires_in");
    }
    for wrong in [json!(-1), json!(1.5), json!(true), json!({})] {
        let body = json!({"email": "two@example.com", "expires_in": wrong});
        desk.post("invitations", body).await.problem(400, "malformed-body");
    }
    assert_eq!(desk.post("invitations", json!({"email": "two"})).await.problem(400, "invalid-parameters")["field"], "email");

    let list = desk.get("invitations").await.expect(200);
    assert!(!list.text().contains(id), "the secret is shown once");
    assert_eq!(desk.all("invitations", 3, "/state").await, ["open"; 4]);
    desk.delete(&format!("invitations/{id}")).await.problem(404, "not-found");
    desk.delete(&format!("invitations/{NOBODY}")).await.problem(404, "not-found");
    desk.delete(&format!("invitations/{handle}")).await.expect(204);
    desk.delete(&format!("invitations/{handle}")).await.problem(409, "conflict");
    desk.app.send(Ask::post("/auth/v1/invitations/inspect").json(&json!({"id": id}))).await.problem(404, "invitation-not-found");
    desk.app.advance(Duration::from_secs(60));
    let mut states = desk.all("invitations", 200, "/state").await;
    states.sort();
    assert_eq!(states, ["expired", "open", "open", "revoked"]);
}

#[tokio::test]
async fn applications() {
    let desk = Desk::new().await;
    let body = json!({"name": " Terminal ", "networks": ["192.0.2.0/24", "2001:db8::1"], "one_time_token_suffices": true});
    let made = desk.post("applications", body).await.expect(201).json();
    assert_eq!(
        members(&made),
        ["access_token", "app_id", "consumer_key", "created_at", "name", "networks", "one_time_token_suffices", "revoked_at"]
    );
    assert_eq!((&made["name"], &made["networks"]), (&json!("Terminal"), &json!(["192.0.2.0/24", "2001:db8::1/128"])));
    let plain = desk.post("applications", json!({"name": "Plain"})).await.expect(201).json();
    assert_eq!((&plain["networks"], &plain["one_time_token_suffices"]), (&json!([]), &json!(false)));
    for (field, body) in [
        ("name", json!({"name": ""})),
        ("name", json!({"name": "x".repeat(101)})),
        ("networks", json!({"name": "a", "networks": ["192.0.2.0/33"]})),
        ("networks", json!({"name": "a", "networks": ["example.com"]})),
    ] {
        assert_eq!(desk.post("applications", body).await.problem(400, "invalid-parameters")["field"], field);
    }
    desk.post("applications", json!({"name": "a", "networks": "192.0.2.0/24"})).await.problem(400, "malformed-body");
    desk.post("applications", json!({"networks": []})).await.problem(400, "malformed-body");

    let id = made["app_id"].as_str().unwrap();
    let rotated = desk.post(&format!("applications/{id}/rotate"), Value::Null).await.expect(200).json();
    assert_eq!((&rotated["app_id"], members(&rotated)), (&made["app_id"], members(&made)));
    for secret in ["consumer_key", "access_token"] {
        assert_ne!(rotated[secret], made[secret]);
        assert!(!desk.get("applications").await.text().contains(secret));
    }
    desk.delete(&format!("applications/{id}")).await.expect(204);
    desk.delete(&format!("applications/{id}")).await.problem(404, "not-found");
    desk.post(&format!("applications/{id}/rotate"), Value::Null).await.problem(404, "not-found");
    desk.post(&format!("applications/{NOBODY}/rotate"), Value::Null).await.problem(404, "not-found");
    let listed = desk.get("applications").await.json();
    let revoked: Vec<_> = listed["items"].as_array().unwrap().iter().map(|item| item["revoked_at"].is_string()).collect();
    assert_eq!(revoked.iter().filter(|revoked| **revoked).count(), 1);
    assert_eq!(desk.all("applications", 1, "/app_id").await.len(), 2);
}

#[tokio::test]
async fn an_application_is_limited_to_other_networks_at_once() {
    let desk = Desk::new().await;
    desk.app.user("ann").await;
    let application = desk.app.application(false, &[]).await;
    let path = format!("applications/{}", application.0.application.id);
    let init = async || {
        let ask = Ask::get("/apim/session/1.0/session/init").header("userid", "ann");
        desk.app.send(application.sign(ask)).await.status
    };
    let token = application.token(&desk.app, "ann").await;
    assert_eq!(init().await, 200);
    let node = desk.app.second_node().await;
    let limited = desk.patch(&path, json!({"networks": ["198.51.100.7/24", "2001:db8::1"]})).await.expect(200).json();
    assert_eq!(members(&limited), ["app_id", "created_at", "name", "networks", "one_time_token_suffices", "revoked_at"]);
    assert_eq!(limited["networks"], json!(["198.51.100.0/24", "2001:db8::1/128"]));
    assert_eq!(limited, desk.get("applications").await.json()["items"][0]);
    assert_eq!(init().await, 401);
    application.login(&desk.app, "ann", PASSWORD).await.expect(401);
    application.login(&node, "ann", PASSWORD).await.expect(401);
    desk.app.session(&token).await.expect(200);
    for (body, kind) in [
        (json!({"networks": ["192.0.2.0/33"]}), "invalid-parameters"),
        (json!({"networks": "192.0.2.0/24"}), "malformed-body"),
        (json!({"networks": null}), "malformed-body"),
        (json!({}), "malformed-body"),
    ] {
        desk.patch(&path, body).await.problem(400, kind);
    }
    assert_eq!(init().await, 401, "what is refused changes nothing");
    desk.patch(&path, json!({"networks": ["192.0.2.0/24"]})).await.expect(200);
    assert_eq!(init().await, 200);
    assert_eq!(desk.patch(&path, json!({"networks": []})).await.expect(200).json()["networks"], json!([]));
    assert_eq!(init().await, 200);

    let log = desk.get("audit?event=application_limited").await.json();
    let details: Vec<_> = log["items"].as_array().unwrap().iter().map(|line| line["detail"].as_str().unwrap()).collect();
    let id = application.0.application.id;
    let told = ["all", "192.0.2.0/24", "198.51.100.0/24 2001:db8::1/128"].map(|networks| format!("{id}: {networks}"));
    assert_eq!(details, told);
    desk.delete(&path).await.expect(204);
    desk.patch(&path, json!({"networks": []})).await.problem(404, "not-found");
    desk.patch(&format!("applications/{NOBODY}"), json!({"networks": []})).await.problem(404, "not-found");
}

#[tokio::test]
async fn mail() {
    let desk = Desk::new().await;
    let invited = desk.app.invite("new@example.com", Role::Member).await;
    let waiting = desk.get("mail").await.expect(200).json()["items"][0].clone();
    assert_eq!(
        members(&waiting),
        ["attempts", "created_at", "due_at", "error", "finished_at", "id", "kind", "recipient", "state", "user_id"]
    );
    assert_eq!((&waiting["kind"], &waiting["state"]), (&json!("invitation"), &json!("due")));
    let path = format!("mail/{}", waiting["id"].as_str().unwrap());
    assert_eq!(desk.get(&path).await.expect(200).json(), waiting);
    assert_eq!(desk.post(&format!("{path}/retry"), Value::Null).await.expect(200).at("/state"), "due");
    desk.app.deliver().await;
    let sent = desk.get(&path).await.expect(200);
    assert_eq!(
        (sent.at("/state"), sent.at("/recipient"), sent.at("/attempts")),
        ("sent".into(), "new@example.com".into(), "1".into())
    );
    assert!(!sent.text().contains(invited.secret.reveal()));
    desk.post(&format!("{path}/retry"), Value::Null).await.problem(409, "conflict");
    desk.get(&format!("mail/{NOBODY}")).await.problem(404, "not-found");
    desk.post(&format!("mail/{NOBODY}/retry"), Value::Null).await.problem(404, "not-found");
}

#[tokio::test]
async fn audit() {
    let desk = Desk::new().await;
    let user = desk.app.user("ann").await;
    desk.app.sign_in("ann", "wrong").await.expect(401);
    desk.app.sign_in("ann", PASSWORD).await.expect(200);
    let all = desk.all("audit", 2, "/event").await;
    assert_eq!(all.len(), 5, "{all:?}");
    assert!(all.contains(&"user_created".to_owned()) && all.contains(&"sign_in".to_owned()));
    let about = desk.get(&format!("audit?user={}", user.id)).await.expect(200).json();
    assert_eq!(about["items"].as_array().unwrap().len(), 3);
    assert_eq!(
        members(&about["items"][0]),
        ["actor", "address", "at", "detail", "dialect", "event", "id", "outcome", "peer", "request_id", "user_agent", "user_id"]
    );
    let signed_in = desk.get("audit?event=sign_in").await.expect(200).json();
    let mut outcomes: Vec<_> =
        signed_in["items"].as_array().unwrap().iter().map(|entry| entry["outcome"].as_str().unwrap()).collect();
    outcomes.sort_unstable();
    assert_eq!(outcomes, ["invalid_credentials", "ok", "ok"]);
    assert_eq!(desk.get("audit?event=nothing").await.expect(200).json()["items"], json!([]));
    assert_eq!(desk.get("audit?user=ann").await.problem(400, "invalid-parameters")["field"], "user");
    let both = desk.get(&format!("audit?event=sign_in&user={}", user.id)).await.expect(200).json();
    assert_eq!(both["items"].as_array().unwrap().len(), 2);
}
