//! `/admin/v1` over the wire: every endpoint, its successes and its refusals.

mod log;
mod things;
mod users;

use std::time::Duration;

use doorward::core::model::Role;
use serde_json::{Value, json};

use super::app::TestApp;
use super::dialect_native::{ask, members};
use super::reply::{Ask, Reply};

/// An id that nothing has.
const NOBODY: &str = "0197b3a0-0000-7000-8000-000000000001";

/// Every call; bodies are of the right form.
const ALL: [(&str, &str, &str); 29] = [
    ("GET", "/admin/v1/users", ""),
    ("GET", "/admin/v1/users?search=a", ""),
    ("POST", "/admin/v1/users", r#"{"username":"mallory","email":"mallory@example.com","role":"admin"}"#),
    ("GET", "/admin/v1/users/root", ""),
    ("POST", "/admin/v1/users/root/disable", ""),
    ("POST", "/admin/v1/users/root/enable", ""),
    ("DELETE", "/admin/v1/users/root", ""),
    ("POST", "/admin/v1/users/root/recovery", ""),
    ("GET", "/admin/v1/users/root/sessions", ""),
    ("DELETE", "/admin/v1/users/root/sessions", ""),
    ("DELETE", "/admin/v1/users/root/keys/0197b3a0-0000-7000-8000-000000000001", ""),
    ("DELETE", "/admin/v1/users/root/totp", ""),
    ("GET", "/admin/v1/invitations", ""),
    ("POST", "/admin/v1/invitations", r#"{"email":"mallory@example.com","role":"admin"}"#),
    ("DELETE", "/admin/v1/invitations/0197b3a0-0000-7000-8000-000000000001", ""),
    ("GET", "/admin/v1/applications", ""),
    ("POST", "/admin/v1/applications", r#"{"name":"Terminal"}"#),
    ("POST", "/admin/v1/applications/0197b3a0-0000-7000-8000-000000000001/rotate", ""),
    ("PATCH", "/admin/v1/applications/0197b3a0-0000-7000-8000-000000000001", r#"{"networks":[]}"#),
    ("DELETE", "/admin/v1/applications/0197b3a0-0000-7000-8000-000000000001", ""),
    ("GET", "/admin/v1/sessions", ""),
    ("DELETE", "/admin/v1/sessions/0197b3a0-0000-7000-8000-000000000001", ""),
    ("GET", "/admin/v1/mail", ""),
    ("GET", "/admin/v1/mail/0197b3a0-0000-7000-8000-000000000001", ""),
    ("POST", "/admin/v1/mail/0197b3a0-0000-7000-8000-000000000001/retry", ""),
    ("GET", "/admin/v1/mail/0197b3a0-0000-7000-8000-000000000001/preview", ""),
    ("GET", "/admin/v1/audit", ""),
    ("GET", "/admin/v1/counts", ""),
    ("POST", "/admin/v1/invitations/0197b3a0-0000-7000-8000-000000000001/reissue", ""),
];

/// An administrator at work.
struct Desk {
    app: TestApp,
    token: String,
}

impl Desk {
    async fn new() -> Self {
        let app = TestApp::new().await;
        let token = app.administrator().await;
        Self { app, token }
    }

    async fn get(&self, path: &str) -> Reply {
        self.app.send(Ask::get(format!("/admin/v1/{path}")).bearer(&self.token)).await
    }

    async fn post(&self, path: &str, body: Value) -> Reply {
        let ask = Ask::post(format!("/admin/v1/{path}")).bearer(&self.token);
        self.app.send(if body.is_null() { ask } else { ask.json(&body) }).await
    }

    async fn patch(&self, path: &str, body: Value) -> Reply {
        self.app.send(Ask::patch(format!("/admin/v1/{path}")).bearer(&self.token).json(&body)).await
    }

    async fn delete(&self, path: &str) -> Reply {
        self.app.send(Ask::delete(format!("/admin/v1/{path}")).bearer(&self.token)).await
    }

    /// One value of every item of a list, followed page by page.
    async fn all(&self, path: &str, limit: usize, pointer: &str) -> Vec<String> {
        let (mut found, mut query) = (Vec::new(), format!("?limit={limit}"));
        loop {
            let page = self.get(&format!("{path}{query}")).await.expect(200).json();
            assert_eq!(members(&page), ["items", "next"]);
            let items = page["items"].as_array().unwrap();
            assert!(items.len() <= limit);
            found.extend(items.iter().map(|item| item.pointer(pointer).unwrap().as_str().unwrap().to_owned()));
            match page["next"].as_str() {
                Some(next) => query = format!("?limit={limit}&after={next}"),
                None => return found,
            }
        }
    }
}

#[tokio::test]
async fn nobody_but_administrators_gets_in() {
    let desk = Desk::new().await;
    let app = &desk.app;
    app.user("ann").await;
    let member = app.token("ann").await;
    let before = app.audit().await;
    for (method, path, body) in ALL {
        app.send(ask(method, path, body)).await.problem(401, "not-signed-in");
        app.send(ask(method, path, body).bearer(&member)).await.problem(403, "not-permitted");
        app.send(ask(method, path, body).cookie("doorward", &member)).await.problem(403, "not-permitted");
        app.send(ask(method, path, body).cookie("sessions", &member)).await.problem(403, "not-permitted");
        let both = ask(method, path, body).bearer(&member).cookie("doorward", &desk.token);
        app.send(both).await.problem(403, "not-permitted");
        let doubled = ask(method, path, body).bearer(&desk.token).bearer(&member);
        app.send(doubled).await.problem(401, "not-signed-in");
        if method != "GET" {
            let foreign = ask(method, path, body).cookie("doorward", &desk.token).header("origin", "https://evil.example");
            app.send(foreign).await.problem(403, "foreign-origin");
        }
        // Whoever may not ask is told so before the rest is read.
        app.send(ask(method, path, "{").bearer(&member)).await.problem(403, "not-permitted");
    }
    let (refusals, rest): (Vec<_>, Vec<_>) =
        app.audit().await.into_iter().partition(|line| line == "administration_refused not_permitted");
    assert_eq!(rest, before);
    assert!(!refusals.is_empty(), "a member's tries are on record");
}

#[tokio::test]
async fn half_an_administrator_is_none() {
    let app = TestApp::new().await;
    let (_, mut key) = app.user_with_key("root").await;
    let full = app.token_with_key("root", &mut key).await;
    let invited = app.invite("root@example.com", Role::Admin).await;
    let body = json!({"id": invited.secret.reveal()});
    app.send(Ask::post("/auth/v1/invitations/accept").bearer(&full).json(&body)).await.expect(200);
    let half = app.token("root").await;
    for (method, path, body) in ALL {
        app.send(ask(method, path, body).bearer(&half)).await.problem(401, "second-factor-required");
    }
    app.send(Ask::get("/admin/v1/users").bearer(&full)).await.expect(200);
}

#[tokio::test]
async fn every_list_checks_its_page() {
    let desk = Desk::new().await;
    for path in ["users", "users/root/sessions", "invitations", "applications", "sessions", "mail", "audit"] {
        for (query, field) in
            [("limit=0", "limit"), ("limit=201", "limit"), ("limit=-1", "limit"), ("after=x", "after"), ("after=", "after")]
        {
            assert_eq!(desk.get(&format!("{path}?{query}")).await.problem(400, "invalid-parameters")["field"], field);
        }
        desk.get(&format!("{path}?after=a&after=b")).await.problem(400, "malformed-query");
        desk.get(&format!("{path}?limit=%ff")).await.problem(400, "malformed-query");
        let page = desk.get(&format!("{path}?after=00000000-0000-0000-0000-000000000000&limit=1")).await.expect(200).json();
        assert_eq!(page, json!({"items": [], "next": null}), "{path}");
    }
}

/// What takes something away for good, or lets somebody in.
fn is_dangerous(method: &str, path: &str) -> bool {
    let harmless = path.contains("/sessions") || path.contains("/mail/");
    let taken_back = method == "DELETE" && path.contains("/invitations/");
    method != "GET" && !harmless && !taken_back
}

#[tokio::test]
async fn what_is_dangerous_asks_for_a_recent_sign_in() {
    let desk = Desk::new().await;
    desk.app.advance(Duration::from_secs(16 * 60));
    let before = desk.app.audit().await;
    for (method, path, body) in ALL.into_iter().filter(|(method, path, _)| is_dangerous(method, path)) {
        desk.app.send(ask(method, path, body).bearer(&desk.token)).await.problem(403, "recent-sign-in-required");
    }
    assert_eq!(desk.app.audit().await, before, "nothing was done");
    // The last: ending all sessions of root ends this one.
    let rest =
        ALL.into_iter().filter(|(method, path, _)| !is_dangerous(method, path) && *path != "/admin/v1/users/root/sessions");
    for (method, path, body) in rest {
        let reply = desk.app.send(ask(method, path, body).bearer(&desk.token)).await;
        assert!([200, 204, 404].contains(&reply.status.as_u16()), "{method} {path}: {}", reply.status);
    }
    desk.delete("users/root/sessions").await.expect(200);
}
