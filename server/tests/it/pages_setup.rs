//! The page of the first start.

use std::time::Duration;

use axum::http::header;

use super::app::{PASSWORD, TestApp};
use super::browser::{Browser, value_of, words};
use super::flow_setup::offered;
use super::reply::Ask;

fn fields<'a>(token: &'a str, username: &'a str, email: &'a str, password: &'a str) -> [(&'static str, &'a str); 6] {
    [
        ("token", token),
        ("username", username),
        ("email", email),
        ("first_name", "Rosa"),
        ("last_name", ""),
        ("password", password),
    ]
}

#[tokio::test]
async fn the_first_administrator_is_created_and_led_to_sign_in() {
    let app = TestApp::new().await;
    let token = offered(&app).await.reveal().to_owned();
    let mut browser = Browser::new(&app).await;
    let at = format!("/setup?token={token}");
    for _ in 0..2 {
        let page = browser.open(&at).await.expect(200);
        assert_eq!(value_of(&page.text(), "token").as_deref(), Some(token.as_str()), "looking spends nothing");
    }
    let email = "root@example.com";
    for (username, email, password, told) in [
        ("r@t", email, PASSWORD, "A username has 1 to 64"),
        ("root", "nobody", PASSWORD, "This is no e-mail address."),
        ("root", email, "short", "at least 8 characters."),
        ("root", email, "password123", "too easy to guess."),
    ] {
        let reply = browser.send("/setup", &fields(&token, username, email, password)).await.expect(422);
        assert!(words(&reply).contains(told), "{}", words(&reply));
        for (name, value) in [("username", username), ("email", email), ("first_name", "Rosa"), ("token", &token)] {
            assert_eq!(value_of(&reply.text(), name).as_deref(), Some(value));
        }
        assert!(!reply.text().contains(password));
    }
    let good = browser.token.clone();
    browser.token = "of another time".to_owned();
    let reply = browser.send("/setup", &fields(&token, "root", email, PASSWORD)).await.expect(403);
    assert!(words(&reply).contains("send it again") && value_of(&reply.text(), "username").as_deref() == Some("root"));
    assert_eq!(browser.token, good, "the form that is shown now is good");

    let reply = browser.send("/setup", &fields(&token, "root", email, PASSWORD)).await.expect(303);
    assert_eq!(reply.headers[header::LOCATION], "/sign-in");
    let page = browser.follow(&reply).await.expect(200);
    assert!(words(&page).contains("Your account is ready."), "{}", words(&page));
    browser.send("/sign-in", &[("identifier", email), ("password", PASSWORD)]).await.expect(303);
    app.send(Ask::get("/admin/v1/users").bearer(&browser.jar["doorward"])).await.expect(200);
    let reply = browser.open(&at).await.expect(400);
    assert!(words(&reply).contains("sign in with it") && words(&reply).contains("start the server again"), "{}", words(&reply));
}

#[tokio::test]
async fn a_link_that_is_no_good_says_what_to_do() {
    let app = TestApp::with(&[("language", "de")]).await;
    let token = offered(&app).await.reveal().to_owned();
    let mut browser = Browser::new(&app).await;
    let at = format!("/setup?token={token}");
    assert!(words(&browser.open(&at).await.expect(200)).contains("Legen Sie das erste Konto an."));
    for other in ["/setup", "/setup?token=x", &format!("{at}&token={token}")] {
        let reply = browser.open(other).await.expect(400);
        assert!(words(&reply).contains("starten Sie den Server neu"), "{other}: {}", words(&reply));
    }
    app.advance(Duration::from_secs(60 * 60));
    browser.open(&at).await.expect(400);
    let form = fields(&token, "root", "root@example.com", PASSWORD);
    let reply = browser.send("/setup", &form).await;
    // The page that was open has carried the form.
    assert_eq!(reply.status, 400, "{}", reply.snapshot());
    assert!(words(&reply).contains("doorward user create"));
    assert_eq!(app.database().value("SELECT count(*) FROM users").await, "0");
}

#[tokio::test]
async fn guesses_are_limited_and_what_was_typed_is_kept() {
    let app = TestApp::limited(&[("limits.signin_network.burst", "2")]).await;
    offered(&app).await;
    let mut browser = Browser::new(&app).await;
    let guess = "A".repeat(43);
    for _ in 0..2 {
        browser.open(&format!("/setup?token={guess}")).await.expect(400);
    }
    let reply = browser.open(&format!("/setup?token={guess}")).await.expect(429);
    assert!(reply.headers.contains_key(header::RETRY_AFTER) && words(&reply).contains("please wait"), "{}", words(&reply));
    let reply = browser.send("/setup", &fields(&guess, "root", "root@example.com", PASSWORD)).await.expect(429);
    assert!(reply.headers.contains_key(header::RETRY_AFTER), "{}", reply.snapshot());
    assert_eq!(value_of(&reply.text(), "username").as_deref(), Some("root"));
}
