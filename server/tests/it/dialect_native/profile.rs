//! One's own names, and what happened to one's account.

use serde_json::{Value, json};

use super::super::app::{OTHER_PASSWORD, TestApp};
use super::super::reply::Ask;
use super::members;

#[tokio::test]
async fn names_are_changed_one_by_one_and_on_record() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let token = app.token("ann").await;
    let patch = |body: Value| app.send(Ask::patch("/auth/v1/profile").bearer(&token).json(&body));
    let changed = patch(json!({"first_name": " Ann ", "last_name": "Example"})).await.expect(200).json();
    assert_eq!((&changed["first_name"], &changed["last_name"]), (&json!("Ann"), &json!("Example")));
    let changed = patch(json!({"last_name": ""})).await.expect(200).json();
    assert_eq!((&changed["first_name"], &changed["last_name"]), (&json!("Ann"), &json!("")));
    patch(json!({"first_name": null})).await.expect(200);
    // On every node, also where the session was in memory.
    let other = app.second_node().await;
    assert_eq!(other.session(&token).await.expect(200).json()["user"]["first_name"], "Ann");
    assert_eq!(app.session(&token).await.expect(200).json()["user"]["first_name"], "Ann");
    assert_eq!(patch(json!({"first_name": "a".repeat(101)})).await.problem(400, "invalid-parameters")["field"], "first_name");
    assert_eq!(patch(json!({"last_name": "a\u{7}"})).await.problem(400, "invalid-parameters")["field"], "last_name");
    patch(json!({"first_name": 7})).await.problem(400, "malformed-body");
    assert_eq!(app.audit().await.iter().filter(|line| *line == "profile_changed ok").count(), 3);
}

#[tokio::test]
async fn history_is_ones_own_and_tells_nothing_of_others() {
    let app = TestApp::new().await;
    let root = app.administrator().await;
    let (_, mut key) = app.user_with_key("ann").await;
    app.user("bob").await;
    let far = "198.51.100.7".parse().unwrap();
    let wrong = json!({"identifier": "ann", "password": OTHER_PASSWORD});
    app.send_from(far, Ask::post("/auth/v1/sign-in/password").header("user-agent", "stranger").json(&wrong)).await.expect(401);
    app.send(Ask::post("/admin/v1/users/ann/recovery").bearer(&root).header("user-agent", "console")).await.expect(202);
    let bob = app.token("bob").await;
    let token = app.token_with_key("ann", &mut key).await;

    let page = |query: &str| app.send(Ask::get(format!("/auth/v1/history{query}")).bearer(&token));
    let all = page("").await.expect(200).json();
    let items = all["items"].as_array().unwrap();
    assert_eq!(members(&items[0]), ["address", "at", "by", "detail", "dialect", "event", "id", "outcome", "user_agent"]);
    let lines: Vec<_> = items
        .iter()
        .map(|item| {
            format!("{} {} {}", item["event"].as_str().unwrap(), item["outcome"].as_str().unwrap(), item["by"].as_str().unwrap())
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    second_factor ok oneself
    sign_in second_factor_required oneself
    recovery_sent ok administrator
    sign_in invalid_credentials anybody
    sign_out ok oneself
    key_added ok oneself
    sign_in ok oneself
    user_created ok administrator
    ");
    for item in items {
        let oneself = item["by"] == "oneself";
        assert_eq!(item["address"].is_string(), oneself, "{item:#}");
        assert!(oneself || item["user_agent"].is_null(), "{item:#}");
    }
    let text = all.to_string();
    assert!(!text.contains("198.51.100.7") && !text.contains("stranger") && !text.contains("console"));

    // In pages, without a gap or a repetition.
    let mut found = Vec::new();
    let mut query = "?limit=3".to_owned();
    loop {
        let page = page(&query).await.expect(200).json();
        found.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { break };
        query = format!("?limit=3&after={next}");
    }
    assert_eq!(Value::from(found), all["items"]);
    // Another user's cursor is a place in time and no way in.
    let of_bob = app.send(Ask::get("/auth/v1/history").bearer(&bob)).await.expect(200).json();
    assert!(of_bob["items"].as_array().unwrap().iter().all(|item| item["event"] == "sign_in" || item["event"] == "user_created"));
}
