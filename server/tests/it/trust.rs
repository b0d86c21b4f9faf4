//! What a request says about itself is not believed: host names, forwarded headers, origins.

use serde_json::json;

use super::app::{ORIGIN, OTHER_PASSWORD, PASSWORD, TestApp};
use super::reply::Ask;
use super::wires::Wire;

#[tokio::test]
async fn links_are_built_from_the_public_url_alone() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let headers = [
        ("host", "evil.example"),
        ("forwarded", "host=evil.example;proto=https"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-port", "666"),
        ("x-original-url", "https://evil.example/"),
        ("origin", "https://evil.example"),
        ("referer", "https://evil.example/"),
    ];
    for (name, value) in headers {
        app.send(Ask::get("/api/v1/forgotten-password?username=ann").header(name, value)).await.expect(200);
        let link = app.mail("ann@example.com").await.link().unwrap();
        assert!(link.as_str().starts_with(&format!("{ORIGIN}/reset?token=")), "{name}: {link}");
    }
    let application = app.application(false, &[]).await;
    let init = Ask::get("/apim/session/1.0/session/init").header("userid", "ann").header("host", "evil.example");
    let init = app.send(application.sign(init)).await.expect(200);
    assert_eq!(init.at("/Success/redirect/host"), format!("{ORIGIN}/apim"));
}

/// State-changing calls that carry a cookie, the prescribed GETs among them.
fn with_cookie(token: &str) -> Vec<(&'static str, Ask)> {
    let password = json!({"current_password": PASSWORD, "new_password": OTHER_PASSWORD});
    vec![
        ("kalshi logout", Ask::post("/v1/log_out").cookie("sessions", token)),
        ("kalshi login", Wire::Kalshi.sign_in("ann", PASSWORD).cookie("sessions", token)),
        ("kalshi v2 logout", Ask::post("/trade-api/v2/logout").cookie("sessions", token)),
        ("kalshi reset", Ask::post("/v1/passwords/reset").json(&json!({"email": "ann@example.com"})).cookie("sessions", token)),
        ("kraken logout", Ask::get("/api/v1/auth/logout").cookie("doorward", token)),
        ("kraken login", Wire::Kraken.sign_in("ann", PASSWORD).cookie("doorward", token)),
        ("kraken register", Ask::post("/api/v1/auth/startRegister").cookie("doorward", token)),
        ("kestra forgotten", Ask::get("/api/v1/forgotten-password?username=ann").cookie("doorward", token)),
        ("kestra code", Ask::get("/api/v1/request-code/ann%40example.com").cookie("doorward", token)),
        ("kestra login", Wire::KestraForm.sign_in("ann", PASSWORD).cookie("doorward", token)),
        ("kestra accept", Ask::post("/api/v1/invitation/accept/x").cookie("doorward", token)),
        ("native sign-out", Ask::delete("/auth/v1/session").cookie("doorward", token)),
        ("native sign-in", Wire::Native.sign_in("ann", PASSWORD).cookie("doorward", token)),
        ("native password", Ask::post("/auth/v1/password").json(&password).cookie("doorward", token)),
        ("native others", Ask::delete("/auth/v1/sessions").cookie("doorward", token)),
        ("native keys", Ask::post("/auth/v1/keys/start").cookie("doorward", token)),
    ]
}

#[tokio::test]
async fn another_sites_page_changes_nothing_with_our_cookie() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let token = app.token("ann").await;
    let foreign: [&[(&str, &str)]; 6] = [
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "http://localhost:8081")],
        &[("origin", ORIGIN), ("sec-fetch-site", "cross-site")],
    ];
    for headers in foreign {
        for (name, mut ask) in with_cookie(&token) {
            for (header, value) in headers {
                ask = ask.header(header, *value);
            }
            let reply = app.send(ask).await;
            assert!(matches!(reply.status.as_u16(), 400 | 403), "{name} {headers:?}: {}", reply.snapshot());
            assert!(reply.cookie().is_none(), "{name} {headers:?}");
        }
    }
    app.session(&token).await.expect(200);
    assert!(app.mails("ann@example.com").await.is_empty());
}

#[tokio::test]
async fn our_own_pages_and_programs_are_let_through() {
    let ours: [&[(&str, &str)]; 4] = [
        &[],
        &[("origin", ORIGIN)],
        &[("sec-fetch-site", "same-origin")],
        &[("origin", ORIGIN), ("sec-fetch-site", "same-origin")],
    ];
    for headers in ours {
        let count = with_cookie("").len();
        for way in 0..count {
            let app = TestApp::new().await;
            app.user("ann").await;
            let token = app.token("ann").await;
            let (name, mut ask) = with_cookie(&token).swap_remove(way);
            for (header, value) in headers {
                ask = ask.header(header, *value);
            }
            let reply = app.send(ask).await;
            let fine = reply.status.is_success() || (name == "kestra accept" && reply.status == 404);
            assert!(fine, "{name} {headers:?}: {}", reply.snapshot());
        }
    }
}

#[tokio::test]
async fn two_authorization_headers_are_none() {
    let app = TestApp::new().await;
    let user = app.user("ann").await;
    let token = app.token("ann").await;
    for ask in [
        Ask::get("/auth/v1/session").bearer(&token).bearer(&token),
        Ask::get("/auth/v1/session").bearer("x").bearer(&token),
        Ask::get("/auth/v1/session").header("authorization", "Basic x").cookie("doorward", &token),
        Ask::post("/v1/log_out").bearer(&token).bearer(&token),
        Ask::post("/v1/log_out").bearer(&token).bearer("x").cookie("sessions", &token),
        Ask::post("/v1/log_out").header("authorization", format!("{} {token} x", user.id)),
        Ask::post("/v1/log_out").header("authorization", format!("someone {token}")),
    ] {
        app.send(ask).await.expect(401);
    }
    app.session(&token).await.expect(200);
}

#[tokio::test]
async fn cookies_are_dressed_for_the_public_url() {
    for (url, secure) in [(ORIGIN, false), ("https://login.example.org", true)] {
        let app = TestApp::with(&[("public_url", url)]).await;
        app.user("ann").await;
        for wire in Wire::ALL {
            let reply = app.send(wire.sign_in("ann", PASSWORD)).await.expect(200);
            let set: Vec<_> = reply.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
            if wire == Wire::KalshiV2 && set.is_empty() {
                continue;
            }
            assert_eq!(set.len(), 1, "{wire:?}");
            let name = match (wire, secure) {
                (Wire::Kalshi | Wire::KalshiV2, _) => "sessions=",
                (_, true) => "__Host-doorward=",
                (_, false) => "doorward=",
            };
            assert!(set[0].starts_with(name), "{wire:?} {}", set[0]);
            assert!(set[0].contains("HttpOnly") && set[0].contains("SameSite=Lax") && set[0].contains("Path=/"));
            assert!(!set[0].contains("Domain"));
            assert_eq!(set[0].contains("Secure"), secure, "{wire:?}");
        }
    }
}

#[tokio::test]
async fn a_trusted_proxy_names_the_client_and_the_log_has_both() {
    let app = TestApp::limited(&[("proxies.trusted", "192.0.2.0/24"), ("limits.signin_network.burst", "1")]).await;
    for client in ["203.0.113.1", "203.0.113.2"] {
        let ask = Wire::Native.sign_in(client, PASSWORD).header("x-forwarded-for", client);
        app.send(ask).await.expect(401);
    }
    app.send(Wire::Native.sign_in("again", PASSWORD).header("x-forwarded-for", "203.0.113.1")).await.expect(429);
    let first = app.database().rows("SELECT address, peer FROM audit ORDER BY id LIMIT 1").await.remove(0);
    let [address, peer] = ["203.0.113.1", "192.0.2.1"].map(|ip| Some(ip.to_owned()));
    assert_eq!(first, [("address".to_owned(), address), ("peer".to_owned(), peer)]);
}

#[tokio::test]
async fn a_proxy_that_names_nobody_is_limited_by_its_address_and_not_let_in_by_it() {
    let app = TestApp::limited(&[("proxies.trusted", "192.0.2.0/24"), ("limits.signin_network.burst", "2")]).await;
    app.user("ann").await;
    let application = app.application(false, &["192.0.2.0/24", "203.0.113.0/24"]).await;
    let init = || application.sign(Ask::get("/apim/session/1.0/session/init").header("userid", "ann"));
    app.send(init().header("x-forwarded-for", "203.0.113.5")).await.expect(200);
    // One try from the network of each client that is named.
    app.send(init().header("x-forwarded-for", "198.51.100.5")).await.expect(401);
    let malformed = ["", "unknown", "203.0.113.5, nonsense", "203.0.113.5:80:80"];
    for (n, header) in malformed.into_iter().enumerate() {
        let reply = app.send(init().header("x-forwarded-for", header)).await;
        assert_eq!(reply.status.as_u16(), if n < 2 { 401 } else { 429 }, "{header:?}: {}", reply.snapshot());
    }
    app.send(init()).await.expect(429);
    app.sign_in("ann", PASSWORD).await.expect(429);
    // Who is named is not concerned.
    app.send(Wire::Native.sign_in("ann", PASSWORD).header("x-forwarded-for", "203.0.113.9")).await.expect(200);
    app.send(init().header("x-forwarded-for", "203.0.113.5")).await.expect(200);
}
