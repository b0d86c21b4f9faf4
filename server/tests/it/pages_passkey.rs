//! Signing in through the pages with a passkey.

use std::time::Duration;

use axum::http::header;

use super::app::{ORIGIN, TestApp};
use super::authenticator::Authenticator;
use super::browser::{Browser, value_of, words};
use super::reply::{Ask, Reply};

const OPTIONS: &str = "/sign-in/passkey/options";

async fn answer(browser: &mut Browser<'_>, key: &mut Authenticator) -> String {
    key.get(&browser.send(OPTIONS, &[]).await.expect(200).json()).to_string()
}

async fn send(browser: &mut Browser<'_>, credential: &str) -> Reply {
    browser.send("/sign-in/passkey", &[("credential", credential), ("return_to", "/account/keys")]).await
}

#[tokio::test]
async fn a_passkey_signs_in_and_leads_back() {
    let app = TestApp::new().await;
    let (_, mut key) = app.user_with_passkey("ann").await;
    let mut browser = Browser::new(&app).await;
    let page = browser.open("/sign-in?return_to=/account/keys").await.expect(200);
    assert!(page.text().contains("autocomplete=\"username webauthn\"") && page.text().contains("data-offer=\"300\""));
    let credential = answer(&mut browser, &mut key).await;
    let reply = send(&mut browser, &credential).await.expect(303);
    assert_eq!(reply.headers[header::LOCATION], "/account/keys");
    browser.follow(&reply).await.expect(200);
    let session = app.session(&browser.jar["doorward"]).await.expect(200).json();
    assert_eq!(session["assurance_level"], 2);
    // It replaces the session that was there, as signing in again does.
    let before = browser.jar["doorward"].clone();
    let page = browser.open("/sign-in?again=yes").await.expect(200);
    assert!(page.text().contains("action=\"/sign-in/passkey\""));
    let credential = answer(&mut browser, &mut key).await;
    send(&mut browser, &credential).await.expect(303);
    app.session(&before).await.expect(401);
}

#[tokio::test]
async fn what_is_refused_is_told_beside_the_form() {
    let app = TestApp::new().await;
    let (_, mut key) = app.user_with_passkey("ann").await;
    let mut browser = Browser::new(&app).await;
    let unknown = answer(&mut browser, &mut Authenticator::passkey(99, ORIGIN)).await;
    let unverified = answer(&mut browser, &mut Authenticator { verifies: false, ..key.clone() }).await;
    let late = answer(&mut browser, &mut key).await;
    app.advance(Duration::from_secs(5 * 60));
    let root = app.administrator().await;
    for credential in ["", "{}", &unknown, &unverified, &late] {
        let reply = send(&mut browser, credential).await.expect(401);
        assert!(words(&reply).contains("The passkey was not accepted."), "{credential}: {}", words(&reply));
        assert_eq!(value_of(&reply.text(), "return_to").as_deref(), Some("/account/keys"));
    }
    let credential = answer(&mut browser, &mut key).await;
    browser.token = "of another time".to_owned();
    let reply = send(&mut browser, &credential).await.expect(403);
    assert!(words(&reply).contains("send it again"), "{}", words(&reply));
    // Nothing was done by that one: the challenge is still good.
    send(&mut browser, &credential).await.expect(303);

    let mut browser = Browser::new(&app).await;
    let credential = answer(&mut browser, &mut key).await;
    app.send(Ask::post("/admin/v1/users/ann/disable").bearer(&root)).await.expect(200);
    let reply = send(&mut browser, &credential).await.expect(403);
    assert!(words(&reply).contains("This account is disabled."), "{}", words(&reply));
}

#[tokio::test]
async fn challenges_are_limited_and_the_script_is_told() {
    let app = TestApp::limited(&[("limits.signin_network.burst", "1")]).await;
    let mut browser = Browser::new(&app).await;
    let mut reply = browser.send(OPTIONS, &[]).await.expect(200);
    for _ in 0..30 {
        reply = browser.send(OPTIONS, &[]).await;
    }
    assert!(reply.expect(429).at("/problem").contains("please wait"));
}

#[tokio::test]
async fn where_there_are_none_the_page_does_not_speak_of_them() {
    let app = TestApp::with(&[("public_url", "http://127.0.0.1:8080")]).await;
    let page = app.send(Ask::get("/sign-in")).await.expect(200);
    assert!(!page.text().contains("/sign-in/passkey"));
    let token = value_of(&page.text(), "csrf").unwrap();
    let cookie = page.cookie().unwrap();
    let ask = Ask::post(OPTIONS).cookie("doorward-form", &cookie).header("origin", "http://127.0.0.1:8080");
    app.send(ask.form(&[("csrf", token.as_str())])).await.expect(403).at("/problem");
}

#[tokio::test]
async fn without_passwords_it_stands_beside_the_code() {
    let app = TestApp::new().await;
    let (_, mut key) = app.user_with_passkey("ann").await;
    let app = app.reconfigured(&[("methods.password", "false")]).await;
    let page = app.send(Ask::get("/sign-in/code")).await.expect(200);
    assert!(page.text().contains("autocomplete=\"username webauthn\"") && page.text().contains("action=\"/sign-in/passkey\""));
    let mut browser = Browser::at(&app, "/sign-in/code").await;
    let reply = send(&mut browser, "{}").await.expect(401);
    assert!(words(&reply).contains("The passkey was not accepted.") && reply.text().contains("action=\"/sign-in/code\""));
    let credential = answer(&mut browser, &mut key).await;
    send(&mut browser, &credential).await.expect(303);
}
