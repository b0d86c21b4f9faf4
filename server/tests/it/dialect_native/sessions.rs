//! Who am I, signing out, the list of sessions, and how a session is carried.

use std::time::Duration;

use serde_json::json;

use super::super::app::{ORIGIN, PASSWORD, TestApp};
use super::super::reply::Ask;
use super::{NEED_A_SESSION, ask, members};

#[tokio::test]
async fn who_am_i() {
    let app = TestApp::new().await;
    let user = app.user("ann").await;
    let token = app.token("ann").await;
    let by_bearer = app.session(&token).await.expect(200).json();
    assert_eq!(members(&by_bearer), ["assurance_level", "expires_at", "factors", "idle_expires_at", "session", "user"]);
    assert_eq!(by_bearer["user"]["id"], user.id.to_string());
    assert_eq!((&by_bearer["factors"], &by_bearer["assurance_level"]), (&json!(["password"]), &json!(1)));
    assert_eq!(by_bearer["idle_expires_at"], "2026-01-02T00:00:00.000Z");
    for name in ["doorward", "sessions"] {
        let by_cookie = app.send(Ask::get("/auth/v1/session").cookie(name, &token)).await.expect(200).json();
        assert_eq!(by_cookie, by_bearer);
    }
    app.advance(Duration::from_secs(86_400));
    app.session(&token).await.problem(401, "not-signed-in");
}

#[tokio::test]
async fn how_a_session_is_carried() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let token = app.token("ann").await;
    let get = || Ask::get("/auth/v1/session");
    for good in [format!("Bearer {token}"), format!("bearer  {token}")] {
        app.send(get().header("authorization", good).cookie("doorward", "stale")).await.expect(200);
    }
    for bad in [
        String::new(),
        "Bearer".to_owned(),
        "Bearer stale".to_owned(),
        format!("Basic {token}"),
        token.clone(),
        format!("Bearer x {token}"),
        format!("Bearer {token} x"),
        format!("Bearer {token}x"),
        format!("Bearer\t{token}"),
    ] {
        let reply = app.send(get().header("authorization", bad.clone()).cookie("doorward", &token)).await;
        assert_eq!(reply.problem(401, "not-signed-in")["status"], 401, "{bad}");
    }
    let doubled = get().bearer(&token).bearer(&token).cookie("doorward", &token);
    app.send(doubled).await.problem(401, "not-signed-in");
    app.send(get()).await.problem(401, "not-signed-in");
    app.send(get().cookie("other", &token)).await.problem(401, "not-signed-in");
}

#[tokio::test]
async fn without_a_session() {
    let app = TestApp::new().await;
    for (method, path, body) in NEED_A_SESSION {
        app.send(ask(method, path, body)).await.problem(401, "not-signed-in");
        app.send(ask(method, path, body).bearer("unknown")).await.problem(401, "not-signed-in");
    }
    for (method, path, body) in [
        ("DELETE", "/auth/v1/session", ""),
        ("POST", "/auth/v1/second-factor/start", ""),
        ("POST", "/auth/v1/second-factor", super::ASSERTION),
        ("POST", "/auth/v1/second-factor/totp", r#"{"code":"123456"}"#),
    ] {
        app.send(ask(method, path, body)).await.problem(401, "not-signed-in");
    }
    assert!(app.audit().await.is_empty());
}

#[tokio::test]
async fn a_half_session_is_good_for_nothing_else() {
    let app = TestApp::new().await;
    let (user, _key) = app.user_with_key("ann").await;
    let json = app.sign_in("ann", PASSWORD).await.expect(200).json();
    assert_eq!((&json["status"], &json["second_factor_required"]), (&json!("half"), &json!(true)));
    assert_eq!(json["user"], json!({"id": user.id}));
    assert_eq!(json["session"]["expires_at"], "2026-01-01T00:10:00.000Z");
    let half = json["token"].as_str().unwrap();
    for (method, path, body) in NEED_A_SESSION {
        app.send(ask(method, path, body).bearer(half)).await.problem(401, "second-factor-required");
    }
    app.send(Ask::delete("/auth/v1/session").bearer(half)).await.expect(204);
    app.session(half).await.problem(401, "not-signed-in");
    let late = app.token("ann").await;
    app.advance(Duration::from_secs(600));
    app.session(&late).await.problem(401, "not-signed-in");
}

#[tokio::test]
async fn signing_out() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let (one, two) = (app.token("ann").await, app.token("ann").await);
    let reply = app.send(Ask::delete("/auth/v1/session").cookie("doorward", &one)).await.expect(204);
    assert_eq!(reply.text(), "");
    let cleared: Vec<_> = reply.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
    assert_eq!(
        cleared,
        ["doorward=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax", "sessions=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"]
    );
    app.session(&one).await.problem(401, "not-signed-in");
    app.session(&two).await.expect(200);
    app.send(Ask::delete("/auth/v1/session").bearer(&one)).await.problem(401, "not-signed-in");
    let restarted = app.restarted().await;
    restarted.session(&one).await.problem(401, "not-signed-in");
    restarted.session(&two).await.expect(200);
}

#[tokio::test]
async fn own_sessions_in_pages() {
    let app = TestApp::new().await;
    app.user("ann").await;
    app.user("bob").await;
    let foreign = app.token("bob").await;
    let mut tokens = Vec::new();
    for _ in 0..5 {
        app.advance(Duration::from_secs(1));
        tokens.push(app.token("ann").await);
    }
    let list = |query: String| app.send(Ask::get(format!("/auth/v1/sessions{query}")).bearer(&tokens[1]));
    let (mut seen, mut query) = (Vec::new(), "?limit=2".to_owned());
    for size in [2, 2, 1] {
        let page = list(query).await.expect(200).json();
        assert_eq!(members(&page), ["items", "next"]);
        let items = page["items"].as_array().unwrap();
        assert_eq!(items.len(), size);
        seen.extend(items.iter().map(|item| (item["id"].as_str().unwrap().to_owned(), item["current"] == true)));
        query = format!("?limit=2&after={}", page["next"].as_str().unwrap_or("end"));
    }
    assert!(query.ends_with("end"));
    assert!(seen.is_sorted_by(|a, b| a.0 > b.0), "newest first");
    assert_eq!(seen.iter().map(|(_, current)| *current).collect::<Vec<_>>(), [false, false, false, true, false]);
    for query in ["?limit=0", "?limit=201", "?limit=x", "?limit=", "?after=x", "?after=", "?after=%27%20OR%201"] {
        let problem = list(query.to_owned()).await.problem(400, "invalid-parameters");
        assert_eq!(problem["field"], if query.contains("limit") { "limit" } else { "after" });
    }
    list("?limit=1&limit=2".to_owned()).await.problem(400, "malformed-query");
    list("?after=%ff".to_owned()).await.problem(400, "malformed-query");
    list("?unknown=1".to_owned()).await.expect(200);

    let end = |id: &str| Ask::delete(format!("/auth/v1/sessions/{id}"));
    app.send(end(&seen[0].0).bearer(&foreign)).await.problem(404, "not-found");
    app.send(end(&seen[0].0).bearer(&tokens[1])).await.expect(204);
    app.send(end(&seen[0].0).bearer(&tokens[1])).await.problem(404, "not-found");
    app.session(&tokens[4]).await.problem(401, "not-signed-in");
    let ended = app.send(Ask::delete("/auth/v1/sessions").bearer(&tokens[1])).await.expect(200).json();
    assert_eq!(ended, json!({"ended": 3}));
    app.session(&tokens[0]).await.problem(401, "not-signed-in");
    app.session(&foreign).await.expect(200);
    app.send(end(&seen[3].0).bearer(&tokens[1])).await.expect(204);
    app.session(&tokens[1]).await.problem(401, "not-signed-in");
}

#[tokio::test]
async fn other_sites_change_nothing() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let token = app.token("ann").await;
    let with_cookie = || Ask::delete("/auth/v1/sessions").cookie("doorward", &token);
    for (name, value) in [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")] {
        app.send(with_cookie().header(name, value)).await.problem(403, "foreign-origin");
        let body = json!({"identifier": "ann", "password": PASSWORD});
        let sign_in = Ask::post("/auth/v1/sign-in/password").json(&body).cookie("sessions", "any");
        app.send(sign_in.header(name, value)).await.problem(403, "foreign-origin");
    }
    app.send(with_cookie().header("origin", ORIGIN).header("sec-fetch-site", "same-origin")).await.expect(200);
    app.send(with_cookie()).await.expect(200);
    app.send(Ask::get("/auth/v1/session").cookie("doorward", &token).header("origin", "https://evil.example")).await.expect(200);
    app.send(Ask::delete("/auth/v1/sessions").bearer(&token).header("origin", "https://app.example")).await.expect(200);
}
