//! Nothing is done by a form that is not the visitor's own.

use std::collections::BTreeSet;

use doorward::core::model::Role;

use super::app::{ORIGIN, OTHER_PASSWORD, PASSWORD, TestApp};
use super::browser::{Browser, value_of, words};
use super::flow_totp;
use super::pages_admin::ACTS;
use super::reply::Ask;

const ID: &str = "0197b3a0-0000-7000-8000-000000000001";

/// Every URL that takes a form, with fields that it reads.
const FORMS: &[(&str, &[(&str, &str)])] = &[
    ("/sign-in", &[("identifier", "ann"), ("password", PASSWORD)]),
    ("/sign-in/code", &[("email", "ann@example.com")]),
    ("/sign-in/code/enter", &[("email", "ann@example.com"), ("code", "ABC234")]),
    ("/sign-in/passkey", &[("credential", "{}")]),
    ("/sign-in/passkey/options", &[]),
    ("/second-factor", &[("code", "123456")]),
    ("/second-factor/key", &[("credential", "{}")]),
    ("/second-factor/key/options", &[]),
    ("/sign-out", &[]),
    ("/forgotten", &[("identifier", "ann")]),
    ("/reset", &[("token", "x"), ("password", OTHER_PASSWORD)]),
    ("/invitation", &[("id", "x"), ("first_name", "A"), ("last_name", "B"), ("password", OTHER_PASSWORD)]),
    (
        "/setup",
        &[
            ("token", "x"),
            ("username", "a"),
            ("email", "a@b"),
            ("first_name", ""),
            ("last_name", ""),
            ("password", OTHER_PASSWORD),
        ],
    ),
    ("/invitation/accept", &[("id", "x")]),
    ("/account/profile", &[("first_name", "A"), ("last_name", "B")]),
    ("/account/password", &[("current", PASSWORD), ("new", OTHER_PASSWORD)]),
    ("/account/app", &[("code", "123456"), ("seed", "A"), ("uri", "otpauth://totp/x")]),
    ("/account/app/start", &[]),
    ("/account/app/remove", &[]),
    ("/account/keys", &[("name", "Blue"), ("credential", "{}")]),
    ("/account/keys/options", &[("name", "Blue")]),
    ("/account/sessions/end-others", &[]),
    ("/account/keys/ID/remove", &[]),
];

/// With an id in them; the rest is in [`FORMS`].
const OF_ONE: [(&str, &[(&str, &str)]); 2] = [("/account/keys/ID", &[("name", "Red")]), ("/account/sessions/ID/end", &[])];

fn forms() -> impl Iterator<Item = (String, &'static [(&'static str, &'static str)])> {
    let all = FORMS.iter().copied().chain(OF_ONE).chain(ACTS.iter().copied());
    all.map(|(path, fields)| (path.replace("ID", ID), fields))
}

#[test]
fn the_list_has_every_form() {
    let sources = [include_str!("../../src/pages/mod.rs"), include_str!("../../src/pages/admin/mod.rs")];
    let mounted =
        sources.iter().flat_map(|source| source.lines()).filter(|line| line.contains(".route(\"") && line.contains("post("));
    let mounted: BTreeSet<_> = mounted
        .map(|line| line.split('"').nth(1).unwrap().replace("{id}", ID).replace("{key}", ID).replace("{session}", ID))
        .collect();
    assert_eq!(mounted, forms().map(|(path, _)| path).collect());
}

#[tokio::test]
async fn without_the_token_nothing_is_done() {
    let app = TestApp::new().await;
    // Whoever may do all of it: nothing but the guard stands in the way.
    app.create("ann", Role::Admin, true).await;
    let mut browser = Browser::signed_in(&app, "ann").await;
    let stranger = Browser::new(&app).await;
    let before = app.audit().await;
    for (path, fields) in forms() {
        for csrf in [None, Some(""), Some("x"), Some(stranger.token.as_str())] {
            let mut all: Vec<_> = csrf.map(|csrf| ("csrf", csrf)).into_iter().collect();
            all.extend(fields);
            if all.is_empty() {
                all.push(("x", ""));
            }
            // The page of a key that there is not has no form to show again.
            let (status, words_of_it) = match path.strip_prefix("/account/keys/") {
                Some(ID) => (404, "There is no such page"),
                _ => (403, "Nothing was changed"),
            };
            let told = words(&app.send(browser.bare(&path).form(&all)).await.expect(status));
            assert!(told.contains(words_of_it), "{path}: {told}");
        }
    }
    assert_eq!(app.audit().await, before);
    assert_eq!(app.mails("ann@example.com").await.len(), 0);
    browser.open("/account").await.expect(200);
}

/// A neighbouring host can set a cookie without the prefix `__Host-` for the whole domain: pages do not take it for their visitor's.
#[tokio::test]
async fn a_session_that_a_neighbour_could_have_planted_is_nobodys() {
    let app = TestApp::with(&[("public_url", "https://login.example.org")]).await;
    app.user("ann").await;
    app.user("bob").await;
    flow_totp::enrol(&app, &app.token("bob").await).await;
    let (planted, own) = (app.token("ann").await, app.token("bob").await);
    let open = |path: &'static str, cookies: String| app.send(Ask::get(path).header("cookie", cookies));
    let turned = open("/account", format!("sessions={planted}")).await.expect(303);
    assert_eq!(turned.headers["location"], "/sign-in?return_to=%2Faccount");
    open("/account", format!("__Host-doorward={planted}")).await.expect(200);
    // Half signed in, one stays who one is.
    open("/second-factor", format!("__Host-doorward={own}; sessions={planted}")).await.expect(200);
    // The forms are bound to what a neighbour cannot set.
    let form = |cookies: String| async { value_of(&open("/sign-in", cookies).await.expect(200).text(), "csrf").unwrap() };
    let bound = form(format!("__Host-doorward-form=abc; sessions={planted}")).await;
    assert_eq!(bound, form("__Host-doorward-form=abc".to_owned()).await);
}

/// A mailed link's secret goes nowhere with what its page loads or sends.
#[tokio::test]
async fn no_address_with_a_secret_is_a_referrer() {
    let app = TestApp::new().await;
    for (path, policy) in [
        ("/reset?code=abc&user_id=x", "strict-origin"),
        ("/invitation?id=abc", "strict-origin"),
        ("/setup?token=abc", "strict-origin"),
        ("/sign-in?return_to=%2Finvitation%3Fid%3Dabc", "strict-origin"),
    ] {
        let reply = app.send(Ask::get(path)).await;
        assert_eq!(reply.headers["referrer-policy"], policy, "{path}");
    }
    app.user("ann").await;
    let mut browser = Browser::signed_in(&app, "ann").await;
    assert_eq!(browser.open("/account").await.expect(200).headers["referrer-policy"], "same-origin");
}

#[tokio::test]
async fn from_another_site_nothing_is_done() {
    let app = TestApp::new().await;
    // Whoever may do all of it: nothing but the guard stands in the way.
    app.create("ann", Role::Admin, true).await;
    let browser = Browser::signed_in(&app, "ann").await;
    let before = app.audit().await;
    for (path, fields) in forms() {
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("origin", "http://localhost:8081"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            let mut all = vec![("csrf", browser.token.as_str())];
            all.extend(fields);
            let reply = app.send(browser.cookies(Ask::post(&path)).header(name, value).form(&all)).await.expect(403);
            assert!(words(&reply).contains("from somewhere else"), "{path}: {}", reply.text());
        }
    }
    assert_eq!(app.audit().await, before);
}

#[tokio::test]
async fn the_token_is_the_sessions_and_changes_with_it() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let mut browser = Browser::new(&app).await;
    let anonymous = browser.token.clone();
    browser.send("/sign-in", &[("identifier", "ann"), ("password", PASSWORD)]).await.expect(303);
    browser.open("/account").await.expect(200);
    let first = browser.token.clone();
    assert_ne!(first, anonymous);
    browser.token = anonymous;
    browser.send("/account/sessions/end-others", &[]).await.expect(403);
    browser.token.clone_from(&first);
    browser.send("/account/password", &[("current", PASSWORD), ("new", OTHER_PASSWORD)]).await.expect(303);
    // The session has a new token of its own, and so have its forms.
    browser.token = first;
    browser.send("/account/sessions/end-others", &[]).await.expect(403);
    browser.open("/account").await.expect(200);
    browser.send("/account/sessions/end-others", &[]).await.expect(303);
}

#[tokio::test]
async fn what_was_typed_into_a_form_that_was_open_too_long_is_kept_but_for_the_password() {
    let app = TestApp::new().await;
    let invited = app.invite("new@example.com", Role::Member).await.secret.reveal().to_owned();
    let mut browser = Browser::new(&app).await;
    for (path, fields, kept) in [
        ("/sign-in", &[("identifier", "zoe"), ("password", PASSWORD)][..], "zoe"),
        ("/sign-in/code", &[("email", "zoe@example.com")], "zoe@example.com"),
        ("/forgotten", &[("identifier", "zoe")], "zoe"),
        ("/invitation", &[("id", &invited), ("first_name", "Nia"), ("last_name", "Osei"), ("password", PASSWORD)], "Nia"),
    ] {
        browser.token = "of another time".to_owned();
        let reply = browser.send(path, fields).await.expect(403);
        let html = reply.text();
        assert!(html.contains(&format!("value=\"{kept}\"")) && html.contains("send it again"), "{path}: {html}");
        assert!(!html.contains(PASSWORD), "{path}");
        // The form that is shown now is good.
        let again = browser.send(path, fields).await;
        assert_ne!(again.status, 403, "{path}");
    }
}

#[tokio::test]
async fn a_form_without_cookies_is_not_acted_on() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let browser = Browser::new(&app).await;
    let fields = [("csrf", browser.token.as_str()), ("identifier", "ann"), ("password", PASSWORD)];
    let reply = app.send(Ask::post("/sign-in").header("origin", ORIGIN).form(&fields)).await.expect(403);
    assert_eq!(reply.cookie().map(|value| value.len()), Some(43), "a cookie for the next try");
    // No browser's either.
    app.send(Ask::post("/sign-in").form(&fields)).await.expect(403);
    for (content_type, body, status) in [
        ("application/json", "{}", 415),
        ("application/x-www-form-urlencoded", "", 400),
        ("application/x-www-form-urlencoded", "csrf=a&csrf=b", 400),
        ("application/x-www-form-urlencoded", "csrf=%ff", 400),
        ("application/x-www-form-urlencoded", "csrf=a", 400),
    ] {
        let reply = app.send(browser.bare("/sign-in").raw(content_type, body)).await.expect(status);
        assert!(words(&reply).contains("not complete"), "{body}");
    }
}
