//! Sessions in memory: what one process ends, another that has it in memory refuses.

use std::time::Duration;

use doorward::core::flows::authority::Authority;
use doorward::core::flows::{applications, sessions, sweep, users};
use doorward::core::token::Secret;

use super::app::{OTHER_PASSWORD, PASSWORD, TestApp};
use super::reply::Ask;
use super::wires;

/// Asks again until it is so; far longer than it may take, and then fails.
async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let waiting = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.unwrap_or_else(|_| panic!("in vain: {what}"));
}

/// A node whose checks are answered from memory.
async fn live(node: &TestApp) {
    until("a live channel", async || node.core().session_memory().live).await;
}

/// Has the node check a session until it does so from memory.
async fn remembered(node: &TestApp, token: &str) {
    until("an answer from memory", async || {
        let before = node.core().session_memory().hits;
        node.session(token).await.expect(200);
        node.core().session_memory().hits > before
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn checks_are_answered_from_memory_and_strangers_by_the_store() {
    let app = TestApp::new().await;
    app.user("ann").await;
    live(&app).await;
    let token = app.token("ann").await;
    remembered(&app, &token).await;
    let before = app.core().session_memory();
    app.session("nobody's").await.expect(401);
    let after = app.core().session_memory();
    assert_eq!((after.hits, after.misses), (before.hits, before.misses + 1));
    // It is used, and does not end while it is.
    for _ in 0..5 {
        app.advance(Duration::from_secs(20 * 60 * 60));
        app.session(&token).await.expect(200);
        app.sweep().await;
    }
    // And it ends in memory, too.
    app.advance(Duration::from_secs(25 * 60 * 60));
    app.session(&token).await.expect(401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_memory_answers_is_what_the_store_does() {
    let app = TestApp::new().await;
    app.user("ann").await;
    live(&app).await;
    let token = app.token("ann").await;
    let ask = || Ask::get("/auth/v1/session").bearer(&token);
    let [stored, kept] = [false, true].map(async |kept| {
        if kept {
            remembered(&app, &token).await;
        }
        let mut reply = app.send(ask()).await.expect(200);
        assert!(reply.headers.remove("x-request-id").is_some());
        // The router says it before the HTTP library would.
        reply.headers.remove("content-length");
        reply
    });
    let (stored, kept) = (stored.await, kept.await);
    assert_eq!((stored.text(), &stored.headers), (kept.text(), &kept.headers));
    // With a body, which somebody has to read, it takes the longer way.
    let reply = app.send(ask().raw("text/plain", "hello")).await.expect(200);
    assert_eq!(reply.text(), kept.text());
}

#[tokio::test]
async fn without_memory_every_check_asks_the_store() {
    let app = TestApp::with(&[("sessions.cache_mib", "0")]).await;
    app.user("ann").await;
    let token = app.token("ann").await;
    for _ in 0..3 {
        app.session(&token).await.expect(200);
    }
    assert_eq!(app.core().session_memory().hits, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_node_ends_the_other_refuses() {
    let app = TestApp::new().await;
    let other = app.second_node().await;
    let application = app.application(false, &[]).await;
    live(&app).await;
    live(&other).await;
    let (operator, root) = (Authority::operator(), app.administrator().await);
    for way in ["sign out", "revoke", "end all", "disable", "delete", "set password", "change password", "revoke application"] {
        let user = app.user(&format!("ann-{}", way.replace(' ', "-"))).await;
        let name = user.username.as_str().to_owned();
        let token = if way == "revoke application" { application.token(&app, &name).await } else { app.token(&name).await };
        let asker = app.token(&name).await;
        let id = app.session(&token).await.expect(200).at("/session/id");
        remembered(&other, &token).await;
        let (core, call, user_id) = (app.core(), app.call(), user.id.to_string());
        match way {
            "sign out" => drop(app.send(Ask::delete("/auth/v1/session").bearer(&token)).await.expect(204)),
            "revoke" => sessions::end(core, &call, operator, id.parse().unwrap()).await.unwrap(),
            "end all" => drop(sessions::end_all(core, &call, operator, user.id).await.unwrap()),
            "disable" => drop(users::disable(core, &call, operator, &user_id).await.unwrap()),
            "delete" => drop(users::delete(core, &call, operator, &user_id).await.unwrap()),
            "set password" => {
                drop(users::set_password(core, &call, operator, &user_id, &Secret::new(OTHER_PASSWORD)).await.unwrap());
            }
            "change password" => {
                let body = serde_json::json!({"current_password": PASSWORD, "new_password": OTHER_PASSWORD});
                app.send(Ask::post("/auth/v1/password").bearer(&asker).json(&body)).await.expect(200);
            }
            _ => applications::revoke(core, &call, operator, application.0.application.id).await.unwrap(),
        }
        // At once where it was done, in every dialect; as soon as it hears of it elsewhere.
        assert!(!wires::is_full_everywhere(&app, &token).await.contains(&true), "{way}");
        until(way, async || other.session(&token).await.status == 401).await;
        assert!(!wires::is_full_everywhere(&other, &token).await.contains(&true), "{way}");
        // And nobody else's.
        other.session(&root).await.expect(200);
    }
}

/// Whatever has become of its row, and whoever failed to say so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_whose_use_finds_no_row_is_in_memory_no_more() {
    let app = TestApp::new().await;
    app.user("ann").await;
    live(&app).await;
    let token = app.token("ann").await;
    remembered(&app, &token).await;
    app.advance(Duration::from_secs(6 * 60));
    app.session(&token).await.expect(200);
    app.database().execute("DELETE FROM sessions").await;
    sweep::seen(app.core()).await.unwrap();
    app.session(&token).await.expect(401);
}
