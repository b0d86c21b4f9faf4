//! Addresses that nothing is at, and methods that a page has not: a browser is shown a page, and nobody else anything new.

use axum::http::header;
use doorward::core::model::Role;

use super::app::TestApp;
use super::browser::{Browser, html, words};
use super::reply::{Ask, Reply};

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// Below pages, below what is published, and where nothing is.
const NOWHERE: &[&str] = &[
    "/admin/nothing",
    "/admin/users/a/b/c",
    "/account/nothing",
    "/account/keys/a/b",
    "/sign-in/nothing",
    "/reset/nothing",
    "/docs/nothing",
    "/openapi/nothing",
    "/health/nothing",
    "/nothing",
    "/favicon.ico",
    "/api",
];

/// Below each API, to the byte what it is without a browser.
const APIS: &[&str] = &[
    "/auth/v1/nothing",
    "/admin/v1/nothing",
    "/admin/v1",
    "/v1/nothing",
    "/trade-api/v2/nothing",
    "/api/v1/auth/nothing",
    "/api/v1/nothing",
    "/login/nothing",
    "/apim/nothing",
];

fn shown(reply: &Reply, status: u16, language: &str) {
    assert_eq!(reply.status.as_u16(), status, "{}", reply.snapshot());
    let header = |name: &str| reply.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default();
    assert_eq!(header("content-type"), "text/html; charset=utf-8");
    assert_eq!(header("content-language"), language);
    assert!(header("content-security-policy").starts_with("default-src 'none'; style-src 'self'"));
    assert_eq!((header("cache-control"), header("x-content-type-options")), ("no-store", "nosniff"));
    assert_eq!(header("x-frame-options"), "DENY");
    assert!(["strict-origin", "same-origin"].contains(&header("referrer-policy")));
    assert!(html(reply).contains("<main id=\"content\"") && html(reply).contains("<a class=\"button\" href=\"/account\">"));
}

#[tokio::test]
async fn a_browser_is_shown_a_page_in_its_language_with_a_way_on() {
    let app = TestApp::new().await;
    for path in NOWHERE {
        let reply = app.send(Ask::get(*path).header("accept", BROWSER)).await;
        shown(&reply, 404, "en");
        assert!(words(&reply).contains("There is no such page"), "{path}");
        let reply = app.send(Ask::get(*path).header("accept", BROWSER).header("accept-language", "de-AT")).await;
        shown(&reply, 404, "de");
        assert!(words(&reply).contains("Diese Seite gibt es nicht"), "{path}: {}", words(&reply));
        shown(&app.send(Ask::post(*path).header("accept", BROWSER)).await, 404, "en");
    }
}

#[tokio::test]
async fn whoever_asks_for_no_page_is_told_the_status_alone() {
    let app = TestApp::new().await;
    for path in NOWHERE {
        for ask in
            [Ask::get(*path), Ask::get(*path).header("accept", "*/*"), Ask::get(*path).header("accept", "application/json")]
        {
            let reply = app.send(ask).await.expect(404);
            assert!(reply.text().is_empty() && !reply.headers.contains_key(header::CONTENT_TYPE), "{path}");
            assert!(!reply.headers.contains_key(header::SET_COOKIE), "{path}");
        }
    }
}

#[tokio::test]
async fn an_api_keeps_its_own_words() {
    let app = TestApp::new().await;
    for path in APIS {
        let plain = app.send(Ask::get(*path)).await;
        let asked = app.send(Ask::get(*path).header("accept", BROWSER).header("accept-language", "de")).await;
        let bytes = |reply: &Reply| {
            let mut headers = reply.headers.clone();
            headers.remove("x-request-id");
            (reply.status, headers, reply.text())
        };
        assert_eq!(bytes(&plain), bytes(&asked), "{path}");
        let kind = plain.headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap()).unwrap_or_default();
        assert!(!kind.starts_with("text/html"), "{path}");
    }
}

#[tokio::test]
async fn who_is_signed_in_keeps_the_way_to_where_they_were() {
    let app = TestApp::new().await;
    app.create("root", Role::Admin, true).await;
    let mut browser = Browser::signed_in(&app, "root").await;
    let reply = browser.open("/admin/nothing").await;
    shown(&reply, 404, "en");
    assert!(html(&reply).contains("<a href=\"/admin\">") && html(&reply).contains("action=\"/sign-out\""));
    app.user("ann").await;
    let reply = Browser::signed_in(&app, "ann").await.open("/admin/nothing").await;
    assert!(!html(&reply).contains("<a href=\"/admin\">") && html(&reply).contains("action=\"/sign-out\""));
}

#[tokio::test]
async fn a_method_that_a_page_has_not() {
    let app = TestApp::new().await;
    for (method, path, allowed) in [
        ("POST", "/account", "GET,HEAD"),
        ("PUT", "/sign-in", "GET,HEAD,POST"),
        ("DELETE", "/admin/users", "GET,HEAD"),
        ("GET", "/account/sessions/end-others", "POST"),
        ("GET", "/sign-in/passkey", "POST"),
    ] {
        for (accept, language) in [(BROWSER, "en"), (BROWSER, "de"), ("*/*", "en")] {
            let ask = Ask::new(method, path).header("accept", accept).header("accept-language", language);
            let reply = app.send(ask).await.expect(405);
            assert_eq!(reply.headers[header::ALLOW], allowed, "{method} {path}");
            if accept == BROWSER {
                shown(&reply, 405, language);
            } else {
                assert!(reply.text().is_empty(), "{method} {path}");
            }
        }
    }
}
