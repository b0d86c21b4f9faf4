//! Forward authentication: what a proxy is told that asks whether a request may pass.

use std::time::Duration;

use doorward::core::flows::authority::Authority;
use doorward::core::flows::users::{self, NewUser};
use doorward::core::model::{Email, PersonName, Role, Username};
use doorward::core::token::Secret;
use serde_json::json;

use super::app::{ORIGIN, PASSWORD, TestApp};
use super::reply::{Ask, Reply};

/// The test's own address, 192.0.2.1, is a proxy's, and there is a page to sign in at.
const BEHIND_PROXIES: [(&str, &str); 3] = [
    ("proxies.trusted", "192.0.2.0/24"),
    ("forward.sign_in_path", "/sign-in"),
    ("forward.return_to", "https://app.example.org,http://localhost:9000"),
];

const BROWSER: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

fn forward() -> Ask {
    Ask::get("/auth/v1/forward")
}

/// As Caddy and Traefik ask.
fn asked_for(method: &str, scheme: &str, host: &str, target: &str) -> Ask {
    forward()
        .header("x-forwarded-method", method)
        .header("x-forwarded-proto", scheme)
        .header("x-forwarded-host", host)
        .header("x-forwarded-uri", target)
        .header("x-forwarded-for", "203.0.113.9")
}

fn page() -> Ask {
    asked_for("GET", "https", "app.example.org", "/notes?page=2").header("accept", BROWSER)
}

/// The identity headers, sorted.
fn identity(reply: &Reply) -> Vec<String> {
    let ours = reply.headers.iter().filter(|(name, _)| name.as_str().starts_with("x-doorward-"));
    let mut lines: Vec<_> = ours.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    lines.sort();
    lines
}

fn location(reply: &Reply) -> &str {
    reply.headers["location"].to_str().unwrap()
}

#[track_caller]
fn refused(reply: &Reply, status: u16, name: &str) {
    let reply = reply.clone().expect(status);
    assert_eq!(reply.at("/type"), format!("urn:doorward:problem:{name}"));
    assert!(identity(&reply).is_empty(), "{}", reply.snapshot());
}

#[tokio::test]
async fn a_session_is_told_whose_it_is() {
    let app = TestApp::with(&BEHIND_PROXIES).await;
    let user = app.user("ann").await;
    let token = app.token("ann").await;
    for ask in [
        forward().bearer(&token),
        forward().cookie("doorward", &token),
        forward().cookie("sessions", &token),
        page().cookie("doorward", &token),
        asked_for("DELETE", "https", "unknown.example.org", "/a?b").cookie("doorward", &token),
        forward().header("x-original-url", "https://app.example.org/notes").cookie("doorward", &token),
        Ask::new("HEAD", "/auth/v1/forward").cookie("doorward", &token),
    ] {
        let reply = app.send(ask).await.expect(200);
        let expected = [
            "x-doorward-assurance-level: 1".to_owned(),
            "x-doorward-email-verified: true".to_owned(),
            "x-doorward-email: ann@example.com".to_owned(),
            "x-doorward-role: member".to_owned(),
            format!("x-doorward-user-id: {}", user.id),
            "x-doorward-username: ann".to_owned(),
        ];
        assert_eq!(identity(&reply), expected);
        assert_eq!(reply.headers["cache-control"], "no-store");
        assert!(reply.body.is_empty() && !reply.headers.contains_key("location"));
    }
    for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        refused(&app.send(Ask::new(method, "/auth/v1/forward").bearer(&token)).await, 405, "method-not-allowed");
    }
}

#[tokio::test]
async fn who_an_administrator_with_two_factors_is() {
    let app = TestApp::new().await;
    app.create("root", Role::Admin, false).await;
    let token = app.token("root").await;
    let phone = super::flow_totp::enrol(&app, &token).await;
    app.advance(Duration::from_secs(30));
    let half = app.token("root").await;
    let body = json!({"code": phone.code(&app)});
    let full = app.send(Ask::post("/auth/v1/second-factor/totp").bearer(&half).json(&body)).await.expect(200).at("/token");
    let reply = app.send(forward().bearer(&full)).await.expect(200);
    for line in ["x-doorward-role: admin", "x-doorward-assurance-level: 2", "x-doorward-email-verified: false"] {
        assert!(identity(&reply).contains(&line.to_owned()), "{line}: {}", reply.snapshot());
    }
}

#[tokio::test]
async fn names_that_no_header_carries_are_escaped() {
    let app = TestApp::new().await;
    for (username, email, in_headers) in [
        ("jörg", "jörg@exämple.de", ["j%C3%B6rg@ex%C3%A4mple.de", "j%C3%B6rg"]),
        ("李_小.龙-1", "a%b+c@example.com", ["a%25b+c@example.com", "%E6%9D%8E_%E5%B0%8F.%E9%BE%99-1"]),
        ("x", "{http.vars.a}$b`|~@example.com", ["%7Bhttp.vars.a%7D%24b%60%7C~@example.com", "x"]),
    ] {
        let new = NewUser {
            username: Username::parse(username).unwrap(),
            email: Email::parse(email).unwrap(),
            first_name: PersonName::default(),
            last_name: PersonName::default(),
            role: Role::Member,
            verified: true,
            password: Some(Secret::new(PASSWORD)),
        };
        users::create(app.core(), &app.call(), Authority::operator(), new).await.unwrap();
        let reply = app.send(forward().bearer(&app.token(username).await)).await.expect(200);
        let [email, username] = ["x-doorward-email", "x-doorward-username"].map(|name| reply.headers[name].to_str().unwrap());
        assert_eq!([email, username], in_headers);
    }
}

#[tokio::test]
async fn no_session_no_entry() {
    let app = TestApp::with(&BEHIND_PROXIES[..1]).await;
    app.user("ann").await;
    let token = app.token("ann").await;
    for ask in [
        forward(),
        page(),
        forward().bearer("stale"),
        forward().header("authorization", "Basic x").cookie("doorward", &token),
        forward().bearer(&token).bearer(&token),
        forward().cookie("other", &token),
        forward().header("x-doorward-user-id", "somebody"),
        forward().header("user-agent", "GoogleHC/1.0"),
    ] {
        let reply = app.send(ask).await;
        refused(&reply, 401, "not-signed-in");
        assert_eq!(reply.headers["www-authenticate"], "Bearer");
        assert_eq!(reply.headers["cache-control"], "no-store");
        assert!(!reply.headers.contains_key("location"));
    }
    app.send(Ask::delete("/auth/v1/session").bearer(&token)).await.expect(204);
    refused(&app.send(forward().bearer(&token)).await, 401, "not-signed-in");
}

#[tokio::test]
async fn a_half_session_is_worth_nothing_here() {
    let app = TestApp::with(&BEHIND_PROXIES).await;
    app.user_with_key("ann").await;
    let half = app.token("ann").await;
    refused(&app.send(forward().bearer(&half)).await, 401, "second-factor-required");
    let reply = app.send(page().cookie("doorward", &half)).await.expect(302);
    assert!(identity(&reply).is_empty());
}

#[tokio::test]
async fn being_asked_about_is_a_use_of_the_session() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let token = app.token("ann").await;
    for _ in 0..5 {
        app.advance(Duration::from_secs(20 * 60 * 60));
        app.send(forward().bearer(&token)).await.expect(200);
        app.sweep().await;
    }
    app.advance(Duration::from_secs(25 * 60 * 60));
    app.send(forward().bearer(&token)).await.expect(401);
}

#[tokio::test]
async fn a_browser_is_sent_to_sign_in_and_back() {
    let app = TestApp::with(&BEHIND_PROXIES).await;
    for (scheme, host, target, back) in [
        ("https", "app.example.org", "/notes?page=2&x=%20", Some("https%3A%2F%2Fapp.example.org%2Fnotes%3Fpage%3D2%26x%3D%2520")),
        ("https", "APP.example.org:443", "/", Some("https%3A%2F%2Fapp.example.org%2F")),
        ("http", "localhost:8080", "/a", Some("http%3A%2F%2Flocalhost%3A8080%2Fa")),
        ("http", "localhost:9000", "/a", Some("http%3A%2F%2Flocalhost%3A9000%2Fa")),
        // Known neither as our own nor as one of the operator's: signing in leads nowhere else.
        ("http", "app.example.org", "/a", None),
        ("https", "app.example.org:8443", "/a", None),
        ("https", "app.example.org.evil.example", "/a", None),
        ("https", "evil.example", "/a", None),
        ("https", "app.example.org", &format!("/{}", "a".repeat(1_024)), None),
    ] {
        let reply = app.send(asked_for("GET", scheme, host, target).header("accept", BROWSER)).await.expect(302);
        let query = back.map_or_else(String::new, |back| format!("?return_to={back}"));
        assert_eq!(location(&reply), format!("{ORIGIN}/sign-in{query}"), "{host}");
        assert_eq!(reply.headers["cache-control"], "no-store");
        assert!(identity(&reply).is_empty() && reply.cookie().is_none());
    }
}

#[tokio::test]
async fn programs_and_forms_are_refused_and_not_sent_anywhere() {
    let app = TestApp::with(&BEHIND_PROXIES).await;
    let get = || asked_for("GET", "https", "app.example.org", "/");
    for ask in [
        get(),
        get().header("accept", "*/*"),
        get().header("accept", "application/json"),
        get().header("accept", "text/html-not"),
        asked_for("POST", "https", "app.example.org", "/").header("accept", BROWSER),
        // Nothing was said of what was wanted.
        forward().header("accept", BROWSER),
    ] {
        let reply = app.send(ask).await;
        refused(&reply, 401, "not-signed-in");
        assert!(!reply.headers.contains_key("location"));
    }
}

/// nginx knows 401 and 403 only; where to go it takes from a header.
#[tokio::test]
async fn a_proxy_that_relays_no_redirect_is_told_the_place() {
    let app = TestApp::with(&BEHIND_PROXIES).await;
    let nginx = || forward().header("x-original-url", "https://app.example.org/notes").header("x-forwarded-method", "GET");
    let reply = app.send(nginx().header("accept", BROWSER)).await;
    refused(&reply, 401, "not-signed-in");
    assert_eq!(location(&reply), format!("{ORIGIN}/sign-in?return_to=https%3A%2F%2Fapp.example.org%2Fnotes"));
    let reply = app.send(nginx()).await;
    refused(&reply, 401, "not-signed-in");
    assert!(!reply.headers.contains_key("location"));
}

/// What `http/original` takes for ambiguous, here in all that a proxy may be told by whoever sends it.
#[tokio::test]
async fn ambiguous_headers_of_a_trusted_proxy_are_refused_even_with_a_session() {
    let app = TestApp::with(&BEHIND_PROXIES).await;
    app.user("ann").await;
    let token = app.token("ann").await;
    let with = |name: &str, value: &str| forward().header(name, value).bearer(&token);
    let twice = |name: &str, value: &str| with(name, value).header(name, value);
    for ask in [
        with("x-forwarded-uri", "/a/../b"),
        with("x-forwarded-uri", "/%2e%2e/b"),
        with("x-forwarded-uri", "/a%2fb"),
        with("x-forwarded-uri", "/a%252fb"),
        with("x-forwarded-uri", "/a%zz"),
        with("x-forwarded-uri", "/a%00"),
        with("x-forwarded-uri", "//evil.example/"),
        with("x-forwarded-uri", "https://evil.example/"),
        with("x-forwarded-uri", "/\u{e9}"),
        with("x-forwarded-method", "get"),
        with("x-forwarded-proto", "https, http"),
        with("x-forwarded-host", "a@evil.example"),
        with("x-original-url", "/a"),
        with("x-original-url", "https://app.example.org/a").header("x-forwarded-uri", "/b"),
        twice("x-forwarded-uri", "/a"),
        twice("x-forwarded-method", "GET"),
        twice("x-forwarded-proto", "https"),
        twice("x-forwarded-host", "app.example.org"),
        twice("x-original-url", "https://app.example.org/a"),
    ] {
        refused(&app.send(ask).await, 403, "malformed-forwarding");
    }
    refused(&app.send(forward().header("x-forwarded-uri", "/..").header("accept", BROWSER)).await, 403, "malformed-forwarding");
}

#[tokio::test]
async fn what_strangers_say_of_a_request_is_nothing() {
    let app = TestApp::with(&[("proxies.trusted", "10.0.0.0/8"), BEHIND_PROXIES[1], BEHIND_PROXIES[2]]).await;
    app.user("ann").await;
    let token = app.token("ann").await;
    let spoiled =
        |ask: Ask| ask.header("x-forwarded-uri", "/a/../b").header("x-forwarded-uri", "x").header("x-original-url", "x");
    app.send(spoiled(forward()).bearer(&token)).await.expect(200);
    for ask in [page(), spoiled(page()), forward().header("x-original-url", "https://app.example.org/").header("accept", BROWSER)]
    {
        let reply = app.send(ask).await;
        refused(&reply, 401, "not-signed-in");
        assert!(!reply.headers.contains_key("location"));
    }
    // The same from the proxy.
    app.send_from("10.1.2.3".parse().unwrap(), page()).await.expect(302);
    app.send_from("10.1.2.3".parse().unwrap(), spoiled(page()).bearer(&token)).await.expect(403);
}
