//! Signing in through the pages, and where that leads.

use std::time::Duration;

use axum::http::header;

use super::app::{OTHER_PASSWORD, PASSWORD, TestApp};
use super::browser::{Browser, html, words};
use super::reply::{Ask, Reply};

fn place(reply: &Reply) -> &str {
    reply.headers[header::LOCATION].to_str().unwrap()
}

/// What changes from visit to visit.
fn constant(reply: &Reply, browser: &Browser<'_>, name: &str) -> String {
    reply.text().replace(&browser.token, "TOKEN").replace(name, "NAME")
}

#[tokio::test]
async fn a_page_has_its_headers() {
    let app = TestApp::with(&[("forward.return_to", "https://app.example.org")]).await;
    let reply = app.send(Ask::get("/sign-in")).await.expect(200);
    let mut told: Vec<_> = reply
        .headers
        .iter()
        .filter(|(name, _)| *name != "x-request-id" && *name != "content-length" && *name != "set-cookie")
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    told.sort();
    insta::assert_snapshot!(told.join("\n"), @r"
    cache-control: no-store
    content-language: en
    content-security-policy: default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self' https://app.example.org; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'
    content-type: text/html; charset=utf-8
    cross-origin-opener-policy: same-origin
    referrer-policy: strict-origin
    vary: Accept-Language, Cookie
    x-content-type-options: nosniff
    x-frame-options: DENY
    ");
    let set = reply.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(set.starts_with("doorward-form=") && set.ends_with("; Path=/; HttpOnly; SameSite=Lax"), "{set}");
}

#[tokio::test]
async fn the_sign_in_page_is_small_and_its_parts_are_kept() {
    let app = TestApp::new().await;
    let page = app.send(Ask::get("/sign-in")).await.expect(200);
    let mut size = page.body.len();
    let html = html(&page);
    for mark in ["href=\"/assets/", "src=\"/assets/"] {
        for rest in html.split(mark).skip(1) {
            let url = format!("/assets/{}", rest.split('"').next().unwrap());
            let part = app.send(Ask::get(&url)).await.expect(200);
            assert_eq!(part.headers["cache-control"], "public, max-age=31536000, immutable", "{url}");
            size += part.body.len();
            let tag = part.headers["etag"].to_str().unwrap().to_owned();
            assert!(app.send(Ask::get(&url).header("if-none-match", tag)).await.expect(304).body.is_empty());
            let other = format!("{}?v=other", url.split('?').next().unwrap());
            assert_eq!(app.send(Ask::get(other)).await.expect(200).headers["cache-control"], "no-cache");
        }
    }
    assert!((10_000..30_000).contains(&size), "{size} bytes");
}

#[tokio::test]
async fn signing_in_and_out() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let mut browser = Browser::new(&app).await;
    let fields = [("identifier", "ann@example.com"), ("password", PASSWORD)];
    let reply = browser.send("/sign-in", &fields).await.expect(303);
    assert_eq!(place(&reply), "/account");
    let token = browser.jar["doorward"].clone();
    // The session is everybody's: no dialect of its own.
    app.session(&token).await.expect(200);
    let account = browser.follow(&reply).await.expect(200);
    assert!(words(&account).contains("ann@example.com"));
    assert_eq!(place(&browser.open("/sign-in").await.expect(303)), "/account");
    browser.open("/sign-out").await.expect(200);
    app.session(&token).await.expect(200);
    let reply = browser.send("/sign-out", &[]).await.expect(303);
    assert_eq!(place(&reply), "/sign-in");
    app.session(&token).await.expect(401);
    assert!(!browser.jar.contains_key("doorward"));
    let page = browser.follow(&reply).await.expect(200);
    assert!(words(&page).contains("You are signed out."));
    let page = browser.open("/sign-in").await.expect(200);
    assert!(!words(&page).contains("You are signed out."), "said once");
    assert_eq!(place(&browser.open("/account").await.expect(303)), "/sign-in?return_to=%2Faccount");
}

#[tokio::test]
async fn the_public_url_leads_to_the_account_or_to_sign_in() {
    let app = TestApp::new().await;
    app.user("ann").await;
    assert_eq!(place(&app.send(Ask::get("/")).await.expect(303)), "/sign-in");
    let mut browser = Browser::signed_in(&app, "ann").await;
    assert_eq!(place(&browser.open("/").await.expect(303)), "/account");
    browser.send("/sign-out", &[]).await.expect(303);
    assert_eq!(place(&browser.open("/").await.expect(303)), "/sign-in");
    app.user_with_key("kim").await;
    browser.open("/sign-in").await.expect(200);
    browser.send("/sign-in", &[("identifier", "kim"), ("password", PASSWORD)]).await.expect(303);
    assert_eq!(place(&browser.open("/").await.expect(303)), "/second-factor");
}

#[tokio::test]
async fn names_that_nobody_has_are_answered_as_others() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let mut browser = Browser::new(&app).await;
    let mut answers = Vec::new();
    for name in ["ann", "bob"] {
        for path in ["/sign-in", "/sign-in/code", "/forgotten", "/sign-in/code/enter"] {
            let email = format!("{name}@example.com");
            browser.open(path).await;
            let reply = match path {
                "/sign-in" => browser.send(path, &[("identifier", name), ("password", OTHER_PASSWORD)]).await.expect(401),
                "/forgotten" => browser.send(path, &[("identifier", name)]).await.expect(303),
                "/sign-in/code" => browser.send(path, &[("email", &email)]).await.expect(303),
                _ => browser.send(path, &[("email", &email), ("code", "ABC234")]).await.expect(401),
            };
            answers.push((name, path, constant(&reply, &browser, name), reply.status, reply.headers.len()));
            if reply.status == 303 {
                let next = browser.follow(&reply).await.expect(200);
                answers.push((name, path, constant(&next, &browser, name), next.status, next.headers.len()));
            }
        }
    }
    let (known, unknown) = answers.split_at(answers.len() / 2);
    for (known, unknown) in known.iter().zip(unknown) {
        assert_eq!((&known.1, &known.2, known.3, known.4), (&unknown.1, &unknown.2, unknown.3, unknown.4));
    }
}

#[tokio::test]
async fn a_wrong_password_keeps_the_name_and_says_so_beside_it() {
    let app = TestApp::limited(&[("limits.signin_account.burst", "4")]).await;
    app.user("ann").await;
    let mut browser = Browser::new(&app).await;
    let fields = [("identifier", "ann"), ("password", OTHER_PASSWORD), ("return_to", "/account/keys")];
    for _ in 0..2 {
        let reply = browser.send("/sign-in", &fields).await.expect(401);
        let html = html(&reply);
        assert!(html.contains("role=\"alert\">The name or the password is wrong") && html.contains("<title>Error: "), "{html}");
        assert!(html.contains("value=\"ann\"") && !html.contains(OTHER_PASSWORD), "{html}");
        assert!(html.contains("name=\"return_to\" value=\"/account/keys\""), "{html}");
        assert!(!browser.jar.contains_key("doorward"));
    }
    let reply = browser.send("/sign-in", &fields).await.expect(429);
    assert!(words(&reply).contains("please wait 8 minutes"), "{}", words(&reply));
    assert!(reply.headers.contains_key("retry-after") && reply.text().contains("value=\"ann\""));
}

#[tokio::test]
async fn a_disabled_account_is_told_so_to_who_has_its_password() {
    let app = TestApp::new().await;
    let root = app.administrator().await;
    app.user("ann").await;
    app.send(Ask::post("/admin/v1/users/ann/disable").bearer(&root)).await.expect(200);
    let mut browser = Browser::new(&app).await;
    let reply = browser.send("/sign-in", &[("identifier", "ann"), ("password", PASSWORD)]).await.expect(403);
    assert!(words(&reply).contains("This account is disabled."), "{}", words(&reply));
    browser.send("/sign-in", &[("identifier", "ann"), ("password", OTHER_PASSWORD)]).await.expect(401);
}

#[tokio::test]
async fn one_goes_back_to_where_one_came_from_and_nowhere_else() {
    let app = TestApp::with(&[("forward.return_to", "https://app.example.org")]).await;
    app.user("ann").await;
    for (asked, led) in [
        ("/account/keys?name=x", "/account/keys?name=x"),
        ("https://app.example.org/deep?a=b", "https://app.example.org/deep?a=b"),
        ("http://localhost:8080/docs", "http://localhost:8080/docs"),
        ("https://evil.example/", "/account"),
        ("//evil.example", "/account"),
        ("/api/v1/auth/logout", "/account"),
        ("/\\evil.example", "/account"),
        ("https://app.example.org@evil.example/", "/account"),
        ("https://app.example.org:8443/", "/account"),
        ("javascript:alert(1)", "/account"),
        ("/a\r\nX-Evil: 1", "/account"),
    ] {
        let query: String = url::form_urlencoded::byte_serialize(asked.as_bytes()).collect();
        let mut browser = Browser::new(&app).await;
        let page = browser.open(&format!("/sign-in?return_to={query}")).await.expect(200);
        assert_eq!(page.text().contains("name=\"return_to\""), led != "/account", "{asked}");
        assert!(!page.text().contains("evil"), "{asked}");
        // Whatever a page may have put into the form.
        let fields = [("identifier", "ann"), ("password", PASSWORD), ("return_to", asked)];
        let reply = browser.send("/sign-in", &fields).await.expect(303);
        assert_eq!(place(&reply), led, "{asked}");
        let reply = browser.open(&format!("/sign-in?return_to={query}")).await.expect(303);
        assert_eq!(place(&reply), led, "{asked}");
    }
    let twice = app.send(Ask::get("/sign-in?return_to=/a&return_to=/b")).await.expect(200);
    assert!(!twice.text().contains("name=\"return_to\""));
}

#[tokio::test]
async fn a_half_session_reaches_only_its_second_factor_and_signing_out() {
    let app = TestApp::new().await;
    let (_, _key) = app.user_with_key("ann").await;
    let mut browser = Browser::new(&app).await;
    let fields = [("identifier", "ann"), ("password", PASSWORD), ("return_to", "/account/password")];
    let reply = browser.send("/sign-in", &fields).await.expect(303);
    assert_eq!(place(&reply), "/second-factor?return_to=%2Faccount%2Fpassword");
    let page = browser.follow(&reply).await.expect(200);
    assert!(page.text().contains("data-key=\"get\"") && !page.text().contains("name=\"code\""), "{}", page.text());
    let id = "0197b3a0-0000-7000-8000-000000000001";
    for path in ["/account", "/account/password", "/account/keys", &format!("/account/keys/{id}"), "/account/app/remove"] {
        let reply = browser.open(path).await.expect(303);
        assert!(place(&reply).starts_with("/second-factor?return_to=%2Faccount"), "{path}: {}", place(&reply));
    }
    browser.open("/second-factor").await.expect(200);
    for (path, fields) in [
        ("/account/password", &[("current", PASSWORD), ("new", OTHER_PASSWORD)][..]),
        ("/account/app/start", &[]),
        ("/account/app/remove", &[]),
        (
            "/account/keys",
            &[
                ("name", "Blue"),
                (
                    "credential",
                    "{\"id\":\"\",\"rawId\":\"\",\"type\":\"public-key\",\"response\":{\"attestationObject\":\"\",\"clientDataJSON\":\"\"},\"extensions\":{}}",
                ),
            ],
        ),
        ("/account/sessions/end-others", &[]),
        (&format!("/account/keys/{id}"), &[("name", "Red")]),
        (&format!("/account/keys/{id}/remove"), &[]),
        (&format!("/account/sessions/{id}/end"), &[]),
        ("/invitation/accept", &[("id", "x")]),
    ] {
        let reply = browser.send(path, fields).await.expect(303);
        assert!(place(&reply).starts_with("/second-factor?return_to="), "{path}: {}", place(&reply));
    }
    let reply = browser.send("/account/keys/options", &[("name", "Blue")]).await.expect(401);
    assert_eq!(reply.at("/location"), "/second-factor?return_to=%2Faccount%2Fkeys%3Fname%3DBlue&again=yes");
    assert_eq!(place(&browser.open("/sign-in").await.expect(303)), "/second-factor");
    let reply = browser.send("/sign-out", &[]).await.expect(303);
    assert_eq!(place(&reply), "/sign-in");
    assert_eq!(place(&browser.open("/second-factor").await.expect(303)), "/sign-in?return_to=%2Faccount");
}

#[tokio::test]
async fn the_security_key_makes_the_session_full() {
    let app = TestApp::new().await;
    let (_, mut key) = app.user_with_key("ann").await;
    let mut browser = Browser::new(&app).await;
    let fields = [("identifier", "ann"), ("password", PASSWORD), ("return_to", "/account/keys")];
    let reply = browser.send("/sign-in", &fields).await.expect(303);
    browser.follow(&reply).await.expect(200);
    for credential in ["", "{}", "nonsense"] {
        let reply = browser.send("/second-factor/key", &[("credential", credential)]).await.expect(401);
        assert!(words(&reply).contains("The security key was not accepted."), "{}", words(&reply));
    }
    let options = browser.send("/second-factor/key/options", &[]).await.expect(200).json();
    let mut foreign = super::authenticator::Authenticator::new(99, super::app::ORIGIN);
    let wrong = foreign.get(&options).to_string();
    browser.send("/second-factor/key", &[("credential", &wrong)]).await.expect(401);
    let options = browser.send("/second-factor/key/options", &[]).await.expect(200).json();
    let answer = key.get(&options).to_string();
    let half = browser.jar["doorward"].clone();
    let reply = browser.send("/second-factor/key", &[("credential", &answer), ("return_to", "/account/keys")]).await.expect(303);
    assert_eq!(place(&reply), "/account/keys");
    assert_ne!(browser.jar["doorward"], half);
    app.session(&half).await.expect(401);
    browser.follow(&reply).await.expect(200);
    assert_eq!(place(&browser.open("/second-factor").await.expect(303)), "/account");
}

#[tokio::test]
async fn a_change_asks_for_a_fresh_sign_in_and_one_comes_back_to_it() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let mut browser = Browser::signed_in(&app, "ann").await;
    app.advance(Duration::from_secs(16 * 60));
    browser.open("/account").await.expect(200);
    let reply = browser.open("/account/keys?name=Blue").await.expect(303);
    assert_eq!(place(&reply), "/sign-in?return_to=%2Faccount%2Fkeys%3Fname%3DBlue&again=yes");
    let page = browser.follow(&reply).await.expect(200);
    assert!(words(&page).contains("asks for a fresh sign-in") && page.text().contains("value=\"ann@example.com\""));
    let before = browser.jar["doorward"].clone();
    let fields = [("identifier", "ann@example.com"), ("password", PASSWORD), ("return_to", "/account/keys?name=Blue")];
    let reply = browser.send("/sign-in", &fields).await.expect(303);
    app.session(&before).await.expect(401);
    let page = browser.follow(&reply).await.expect(200);
    assert!(page.text().contains("value=\"Blue\""), "{}", page.text());
}

#[tokio::test]
async fn a_session_that_ended_meanwhile_is_told_and_leads_back() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let mut browser = Browser::signed_in(&app, "ann").await;
    let mut elsewhere = Browser::signed_in(&app, "ann").await;
    elsewhere.send("/account/sessions/end-others", &[]).await.expect(303);
    let reply = browser.send("/account/app/start", &[]).await.expect(303);
    assert_eq!(place(&reply), "/sign-in?return_to=%2Faccount");
    let page = browser.follow(&reply).await.expect(200);
    assert!(words(&page).contains("Your session has ended."), "{}", words(&page));
    let fields = [("identifier", "ann"), ("password", PASSWORD), ("return_to", "/account")];
    browser.send("/sign-in", &fields).await.expect(303);
    browser.open("/account").await.expect(200);
}

#[tokio::test]
async fn pages_come_in_the_language_that_is_asked_for() {
    let app = TestApp::with(&[("language", "de")]).await;
    for (asked, lang, title) in [
        (None, "de", "Bei doorward anmelden"),
        (Some("en-GB, de;q=0.5"), "en", "Sign in to doorward"),
        (Some("fr"), "de", "Bei doorward anmelden"),
        (Some("de-CH"), "de", "Bei doorward anmelden"),
    ] {
        let ask = Ask::get("/sign-in");
        let ask = asked.into_iter().fold(ask, |ask, asked| ask.header("accept-language", asked));
        let reply = app.send(ask).await.expect(200);
        assert!(reply.text().contains(&format!("<html lang=\"{lang}\" dir=\"ltr\">")), "{asked:?}");
        assert!(words(&reply).starts_with(title), "{asked:?} {}", words(&reply));
        assert_eq!(reply.headers["content-language"], lang);
    }
    app.invite("new@example.com", doorward::core::model::Role::Member).await;
    assert!(app.mail("new@example.com").await.text.contains("Sie sind zu einem Konto bei doorward eingeladen."));
}

#[tokio::test]
async fn without_passwords_the_sign_in_page_is_the_codes() {
    let app = TestApp::with(&[("methods.password", "false")]).await;
    assert_eq!(
        place(&app.send(Ask::get("/sign-in?return_to=/account/keys")).await.expect(303)),
        "/sign-in/code?return_to=%2Faccount%2Fkeys"
    );
    let page = app.send(Ask::get("/sign-in/code")).await.expect(200);
    assert!(!page.text().contains("action=\"/sign-in\""));
    let app = TestApp::with(&[("methods.email_code", "false")]).await;
    assert!(!app.send(Ask::get("/sign-in")).await.expect(200).text().contains("/sign-in/code"));
    app.send(Ask::get("/sign-in/code")).await.expect(403);
}
