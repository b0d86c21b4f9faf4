//! What people change on their account page.

use std::time::Duration;

use axum::http::header;

use super::app::{ORIGIN, OTHER_PASSWORD, PASSWORD, TestApp};
use super::authenticator::Authenticator;
use super::browser::{Browser, html, value_of, words};
use super::flow_totp::{Phone, enrol};
use super::reply::{Ask, Reply};

fn place(reply: &Reply) -> &str {
    reply.headers[header::LOCATION].to_str().unwrap()
}

#[tokio::test]
async fn changing_the_password() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let other = app.token("ann").await;
    let mut browser = Browser::signed_in(&app, "ann").await;
    browser.open("/account/password").await.expect(200);
    for (current, new, told) in [
        (OTHER_PASSWORD, OTHER_PASSWORD, "That is not your current password."),
        (PASSWORD, "short", "The password needs at least 8 characters."),
        (PASSWORD, "password123", "too easy to guess."),
    ] {
        let reply = browser.send("/account/password", &[("current", current), ("new", new)]).await.expect(422);
        assert!(words(&reply).contains(told), "{}", words(&reply));
        assert!(!reply.text().contains(current) && !reply.text().contains(&format!("\"{new}\"")));
    }
    let before = browser.jar["doorward"].clone();
    let reply = browser.send("/account/password", &[("current", PASSWORD), ("new", OTHER_PASSWORD)]).await.expect(303);
    let page = browser.follow(&reply).await.expect(200);
    assert!(words(&page).contains("Your password is changed."), "{}", words(&page));
    app.session(&other).await.expect(401);
    app.session(&before).await.expect(401);
    app.sign_in("ann", OTHER_PASSWORD).await.expect(200);
    // Sent twice: the second is of the session as it was.
    app.send(browser.form("/account/password", &[("current", PASSWORD), ("new", OTHER_PASSWORD)])).await.expect(422);
}

#[tokio::test]
async fn the_advice_about_a_password_comes_in_the_visitors_language() {
    let app = TestApp::with(&[("language", "de")]).await;
    app.user("ann").await;
    let mut browser = Browser::signed_in(&app, "ann").await;
    let reply = browser.send("/account/password", &[("current", PASSWORD), ("new", "password123")]).await.expect(422);
    let told = words(&reply);
    assert!(told.contains("zu leicht zu erraten") && told.contains("Fügen Sie ein oder zwei Wörter hinzu"), "{told}");
    assert!(!told.contains("common") && !told.contains("Add another"), "{told}");
}

#[tokio::test]
async fn an_authenticator_app_from_setting_up_to_removal() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let mut browser = Browser::signed_in(&app, "ann").await;
    let page = browser.send("/account/app/start", &[]).await.expect(200);
    let (seed, uri) = (value_of(&page.text(), "seed").unwrap(), value_of(&page.text(), "uri").unwrap());
    assert!(page.text().contains("<svg class=\"qr\"") && uri.starts_with("otpauth://totp/"), "{uri}");
    let reply = browser.send("/account/app", &[("code", "000000"), ("seed", &seed), ("uri", &uri)]).await.expect(422);
    assert!(words(&reply).contains("The code is wrong."), "{}", words(&reply));
    assert_eq!(value_of(&reply.text(), "seed").as_deref(), Some(seed.as_str()), "still to be scanned");
    let code = Phone::new(&seed).code(&app);
    let reply = browser.send("/account/app", &[("code", &code), ("seed", &seed), ("uri", &uri)]).await.expect(303);
    let page = browser.follow(&reply).await.expect(200);
    assert!(
        words(&page).contains("The authenticator app is set up.") && words(&page).contains("Set up since"),
        "{}",
        words(&page)
    );
    // Another tab.
    let again = browser.send("/account/app/start", &[]).await;
    assert!(again.status == 303 || again.status == 409, "{}", again.snapshot());

    let mut fresh = Browser::new(&app).await;
    let reply = fresh.send("/sign-in", &[("identifier", "ann"), ("password", PASSWORD)]).await.expect(303);
    let page = fresh.follow(&reply).await.expect(200);
    assert!(page.text().contains("autocomplete=\"one-time-code\"") && !page.text().contains("data-key"), "{}", page.text());
    let reply = fresh.send("/second-factor", &[("code", &code)]).await.expect(401);
    assert!(words(&reply).contains("was used already"), "{}", words(&reply));
    app.advance(Duration::from_secs(30));
    let code = Phone::new(&seed).code(&app);
    let reply = fresh.send("/second-factor", &[("code", &code)]).await.expect(303);
    fresh.follow(&reply).await.expect(200);
    fresh.open("/account/app/remove").await.expect(200);
    let reply = fresh.send("/account/app/remove", &[]).await.expect(303);
    let page = fresh.follow(&reply).await;
    assert!(page.status == 200 && words(&page).contains("The authenticator app is removed."), "{}", page.snapshot());
}

#[tokio::test]
async fn five_wrong_codes_end_the_session_and_the_page_says_so() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let mut browser = Browser::signed_in(&app, "ann").await;
    let page = browser.send("/account/app/start", &[]).await.expect(200);
    let seed = value_of(&page.text(), "seed").unwrap();
    let code = Phone::new(&seed).code(&app);
    browser.send("/account/app", &[("code", &code), ("seed", &seed), ("uri", "")]).await.expect(303);
    let mut thief = Browser::new(&app).await;
    thief.send("/sign-in", &[("identifier", "ann"), ("password", PASSWORD)]).await.expect(303);
    thief.open("/second-factor").await.expect(200);
    let mut last = None;
    for _ in 0..5 {
        last = Some(thief.send("/second-factor", &[("code", "000000")]).await);
    }
    let last = last.unwrap().expect(303);
    assert_eq!(place(&last), "/sign-in?return_to=%2Faccount");
    let page = thief.follow(&last).await.expect(200);
    assert!(words(&page).contains("Your session has ended."), "{}", words(&page));
}

#[tokio::test]
async fn a_security_key_from_adding_to_removal() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let mut browser = Browser::signed_in(&app, "ann").await;
    browser.open("/account/keys").await.expect(200);
    let mut key = Authenticator::new(7, ORIGIN);
    let options = browser.send("/account/keys/options", &[("name", "Blue")]).await.expect(200).json();
    let credential = key.create(&options).to_string();
    // The challenge is good once; what was typed stays.
    let reply = browser.send("/account/keys", &[("name", " "), ("credential", &credential)]).await.expect(422);
    assert!(words(&reply).contains("A name has 1 to 64 characters"), "{}", words(&reply));
    let reply = browser.send("/account/keys", &[("name", "Blue"), ("credential", &credential)]).await.expect(303);
    let page = browser.follow(&reply).await.expect(200);
    assert!(words(&page).contains("The security key is added.") && words(&page).contains("Blue"), "{}", words(&page));
    let reply = browser.send("/account/keys", &[("name", "Blue"), ("credential", &credential)]).await;
    assert_eq!(place(&reply.expect(303)), "/second-factor?return_to=%2Faccount%2Fkeys%3Fname%3DBlue&again=yes");

    let page = browser.open("/second-factor?return_to=/account/keys&again=yes").await.expect(200);
    assert!(words(&page).contains("asks for your second factor"), "{}", words(&page));
    let options = browser.send("/second-factor/key/options", &[]).await.expect(200).json();
    let answer = key.get(&options).to_string();
    browser.send("/second-factor/key", &[("credential", &answer)]).await.expect(303);
    let page = browser.open("/account").await.expect(200);
    let id = page.text().split("href=\"/account/keys/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let at = format!("/account/keys/{id}");
    browser.open(&at).await.expect(200);
    let reply = browser.send(&at, &[("name", "\u{7}")]).await.expect(422);
    assert!(words(&reply).contains("control character"));
    browser.send(&at, &[("name", "Red")]).await.expect(303);
    assert!(words(&browser.open("/account").await).contains("Red"));
    let reply = browser.send(&format!("{at}/remove"), &[]).await.expect(303);
    assert_eq!(place(&reply), "/account");
    // Twice, by another tab: what was wanted is so.
    let reply = browser.send(&format!("{at}/remove"), &[]).await.expect(303);
    assert!(words(&browser.follow(&reply).await).contains("The security key is removed."));
    browser.open(&at).await.expect(404);
    browser.open("/account/keys/nonsense").await.expect(404);
    browser.open("/account/nothing").await.expect(404);
}

#[tokio::test]
async fn who_has_a_key_and_an_app_is_asked_for_the_key_before_a_form_is_filled_in() {
    let app = TestApp::new().await;
    let (_, mut key) = app.user_with_key("ann").await;
    let token = app.token_with_key("ann", &mut key).await;
    let phone = enrol(&app, &token).await;
    let mut browser = Browser::new(&app).await;
    let asked = browser.send("/sign-in", &[("identifier", "ann"), ("password", PASSWORD)]).await.expect(303);
    let page = browser.follow(&asked).await.expect(200).text();
    assert!(page.contains("data-key=\"get\"") && page.contains("name=\"code\""), "either will do: {page}");
    browser.send("/second-factor", &[("code", &phone.code(&app))]).await.expect(303);
    browser.open("/account").await.expect(200);
    for form in ["/account/keys", "/account/app/remove", "/account/password"] {
        let asked = browser.open(form).await.expect(303);
        assert!(place(&asked).starts_with("/second-factor?return_to=%2Faccount%2F"), "{form}: {}", place(&asked));
        let page = browser.follow(&asked).await.expect(200);
        assert!(words(&page).contains("your security key, and nothing else"), "{form}: {}", words(&page));
        assert!(page.text().contains("data-key=\"get\"") && !page.text().contains("name=\"code\""), "{form}");
        assert_eq!(value_of(&page.text(), "return_to").as_deref(), Some(form));
    }
    let options = browser.send("/second-factor/key/options", &[]).await.expect(200).json();
    let answer = key.get(&options).to_string();
    let given = [("credential", answer.as_str()), ("return_to", "/account/password")];
    let given = browser.send("/second-factor/key", &given).await.expect(303);
    assert_eq!(place(&given), "/account/password");
    browser.follow(&given).await.expect(200);
    let changed = browser.send("/account/password", &[("current", PASSWORD), ("new", OTHER_PASSWORD)]).await.expect(303);
    assert_eq!(place(&changed), "/account");
}

#[tokio::test]
async fn a_key_of_the_same_name_or_a_failed_one_keeps_what_was_typed() {
    let app = TestApp::new().await;
    let (_, mut key) = app.user_with_key("ann").await;
    let mut browser = Browser::new(&app).await;
    browser.send("/sign-in", &[("identifier", "ann"), ("password", PASSWORD)]).await.expect(303);
    browser.open("/second-factor").await.expect(200);
    let options = browser.send("/second-factor/key/options", &[]).await.expect(200).json();
    let answer = key.get(&options).to_string();
    browser.send("/second-factor/key", &[("credential", &answer)]).await.expect(303);
    browser.open("/account/keys").await.expect(200);
    let options = browser.send("/account/keys/options", &[("name", "first")]).await.expect(200).json();
    let credential = Authenticator::new(9, ORIGIN).create(&options).to_string();
    let reply = browser.send("/account/keys", &[("name", "first"), ("credential", &credential)]).await.expect(409);
    assert!(words(&reply).contains("You have a key of this name.") && reply.text().contains("value=\"first\""));
    let reply = browser.send("/account/keys", &[("name", "second"), ("credential", &credential)]).await.expect(422);
    assert!(words(&reply).contains("The key was not accepted.") && reply.text().contains("value=\"second\""));
}

#[tokio::test]
async fn sessions_are_listed_and_ended() {
    let app = TestApp::new().await;
    app.user("ann").await;
    app.user("bob").await;
    let api = app.token("ann").await;
    let strangers = app.token("bob").await;
    let mut browser = Browser::signed_in(&app, "ann").await;
    let page = browser.open("/account").await.expect(200);
    let told = words(&page);
    assert!(
        told.contains("This session") && told.contains("through the API native") && told.contains("from 192.0.2.1"),
        "{told}"
    );
    let id = html(&page).split("action=\"/account/sessions/").nth(1).unwrap().split('/').next().unwrap().to_owned();
    browser.send(&format!("/account/sessions/{id}/end"), &[]).await.expect(303);
    app.session(&api).await.expect(401);
    // Twice, by another tab: what was wanted is so.
    browser.send(&format!("/account/sessions/{id}/end"), &[]).await.expect(303);
    let foreign = app.session(&strangers).await.expect(200).at("/session/id");
    browser.send(&format!("/account/sessions/{foreign}/end"), &[]).await.expect(303);
    app.session(&strangers).await.expect(200);
    let more = [app.token("ann").await, app.token("ann").await];
    let reply = browser.send("/account/sessions/end-others", &[]).await.expect(303);
    for token in more {
        app.session(&token).await.expect(401);
    }
    let page = browser.follow(&reply).await.expect(200);
    assert!(
        words(&page).contains("All your other sessions are ended.") && !words(&page).contains("End all other"),
        "{}",
        words(&page)
    );
}

#[tokio::test]
async fn changing_the_names() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let mut browser = Browser::signed_in(&app, "ann").await;
    let page = browser.open("/account/profile").await.expect(200);
    assert!(value_of(&page.text(), "first_name").is_some());
    let wrong = [("first_name", "Zoë"), ("last_name", "\u{7}")];
    let reply = browser.send("/account/profile", &wrong).await.expect(422);
    assert!(words(&reply).contains("none of them a control character"), "{}", words(&reply));
    assert_eq!(value_of(&reply.text(), "first_name").as_deref(), Some("Zoë"));
    let fields = [("first_name", "Zoë"), ("last_name", "Ødegård")];
    browser.token = "of another time".to_owned();
    let reply = browser.send("/account/profile", &fields).await.expect(403);
    assert!(words(&reply).contains("send it again") && value_of(&reply.text(), "last_name").as_deref() == Some("Ødegård"));
    let reply = browser.send("/account/profile", &fields).await.expect(303);
    let page = browser.follow(&reply).await.expect(200);
    assert!(words(&page).contains("Your name is changed.") && words(&page).contains("Zoë Ødegård"), "{}", words(&page));
    browser.send("/account/profile", &[("first_name", ""), ("last_name", "")]).await.expect(303);
    assert!(words(&browser.open("/account").await).contains("Your account\nann\n"));
    browser.send("/sign-out", &[]).await.expect(303);
    assert_eq!(place(&browser.open("/account/profile").await.expect(303)), "/sign-in?return_to=%2Faccount%2Fprofile");
}

#[tokio::test]
async fn what_happened_lately_in_pages_and_in_words() {
    let app = TestApp::new().await;
    app.user("ann").await;
    app.user("bob").await;
    app.sign_in("ann", OTHER_PASSWORD).await.expect(401);
    let mut browser = Browser::signed_in(&app, "ann").await;
    let page = browser.open("/account/history").await.expect(200);
    insta::assert_snapshot!(words(&page), @r"
    What happened lately
    All that was done with your account, newest first. If you do not recognise something, change your password.
    Sign-in
    2026-01-01 00:00 UTC, by you, An unknown program, from 192.0.2.1
    Sign-in
    Refused
    2026-01-01 00:00 UTC, by somebody not signed in
    Account created
    2026-01-01 00:00 UTC, by an administrator
    Back to your account
    ");
    for _ in 0..31 {
        browser.send("/account/profile", &[("first_name", "A"), ("last_name", "B")]).await.expect(303);
    }
    let page = browser.open("/account/history").await.expect(200);
    assert_eq!(words(&page).matches("Name changed").count(), 30);
    let older = html(&page).split("href=\"/account/history?after=").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let page = browser.open(&format!("/account/history?after={older}")).await.expect(200);
    let told = words(&page);
    assert_eq!((told.matches("Name changed").count(), told.matches("Account created").count()), (1, 1), "{told}");
    assert!(told.contains("Back to the newest") && !told.contains("Show older"), "{told}");
    let page = browser.open("/account/history?after=nonsense").await.expect(200);
    assert_eq!(words(&page).matches("Name changed").count(), 30);
    assert_eq!(words(&browser.open("/account").await.expect(200)).matches("Name changed").count(), 5);
    let mut german = Browser::new(&app).await;
    german.send("/sign-in", &[("identifier", "bob"), ("password", PASSWORD)]).await.expect(303);
    let ask = german.cookies(Ask::get("/account/history")).header("accept-language", "de");
    let told = words(&app.send(ask).await.expect(200));
    assert!(told.contains("Anmeldung") && told.contains("von Ihnen") && !told.contains("Name geändert"), "{told}");
}

#[tokio::test]
async fn names_that_were_typed_outlive_a_session_that_has_ended() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let mut browser = Browser::signed_in(&app, "ann").await;
    browser.open("/account/profile").await.expect(200);
    let root = app.administrator().await;
    app.send(Ask::delete("/admin/v1/users/ann/sessions").bearer(&root)).await.expect(200);
    let turned = browser.send("/account/profile", &[("first_name", "Änn & Co"), ("last_name", "O'Ek")]).await.expect(303);
    let page = browser.follow(&turned).await.expect(200);
    let back = value_of(&page.text(), "return_to").unwrap();
    let typed = [("identifier", "ann"), ("password", PASSWORD), ("return_to", back.as_str())];
    let entered = browser.send("/sign-in", &typed).await.expect(303);
    let page = browser.follow(&entered).await.expect(200);
    let kept = |name| value_of(&page.text(), name).unwrap();
    assert_eq!((kept("first_name").as_str(), kept("last_name").as_str()), ("Änn & Co", "O'Ek"));
    let saved = [("first_name", kept("first_name")), ("last_name", kept("last_name"))];
    let saved: Vec<_> = saved.iter().map(|(name, value)| (*name, value.as_str())).collect();
    browser.send("/account/profile", &saved).await.expect(303);
    assert!(words(&browser.open("/account").await).contains("Änn & Co O'Ek"));
}
