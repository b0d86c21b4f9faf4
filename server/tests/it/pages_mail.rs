//! What comes by mail: codes, links, invitations.

use axum::http::header;
use doorward::core::model::Role;

use super::app::{OTHER_PASSWORD, PASSWORD, TestApp};
use super::browser::{Browser, html, words};
use super::reply::Reply;

fn place(reply: &Reply) -> &str {
    reply.headers[header::LOCATION].to_str().unwrap()
}

#[tokio::test]
async fn signing_in_with_a_mailed_code() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let mut browser = Browser::new(&app).await;
    browser.open("/sign-in/code?return_to=/account/keys").await.expect(200);
    let fields = [("email", "ann@example.com"), ("return_to", "/account/keys")];
    let reply = browser.send("/sign-in/code", &fields).await.expect(303);
    assert_eq!(place(&reply), "/sign-in/code/enter?return_to=%2Faccount%2Fkeys", "no address in it");
    let page = browser.follow(&reply).await.expect(200);
    assert!(words(&page).contains("If there is an account with ann@example.com"), "{}", words(&page));
    let code = app.code("ann@example.com").await;
    let reply = browser.send("/sign-in/code/enter", &[("email", "ann@example.com"), ("code", "AAA222")]).await.expect(401);
    assert!(words(&reply).contains("The code is wrong, was used, or is too old."), "{}", words(&reply));
    // In whatever way it is typed.
    let typed = format!(" {} ", code.to_lowercase());
    let fields = [("email", "ann@example.com"), ("code", &typed), ("return_to", "/account/keys")];
    let reply = browser.send("/sign-in/code/enter", &fields).await.expect(303);
    assert_eq!(place(&reply), "/account/keys");
    assert!(!browser.jar.contains_key("doorward-mailbox"));
    browser.follow(&reply).await.expect(200);
}

#[tokio::test]
async fn the_code_can_be_typed_in_another_browser() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let mut browser = Browser::new(&app).await;
    browser.send("/sign-in/code", &[("email", "ann@example.com")]).await.expect(303);
    let code = app.code("ann@example.com").await;
    let mut other = Browser::new(&app).await;
    let page = other.open("/sign-in/code/enter").await.expect(200);
    assert!(page.text().contains("<label for=\"email\">"), "{}", page.text());
    other.send("/sign-in/code/enter", &[("email", "ann@example.com"), ("code", &code)]).await.expect(303);
    other.open("/account").await.expect(200);
}

#[tokio::test]
async fn a_forgotten_password() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let before = app.token("ann").await;
    let mut browser = Browser::new(&app).await;
    browser.open("/forgotten").await.expect(200);
    let reply = browser.send("/forgotten", &[("identifier", "ann")]).await.expect(303);
    let page = browser.follow(&reply).await.expect(200);
    assert!(words(&page).contains("It works once, for 1 hour."), "{}", words(&page));
    let link = app.mail("ann@example.com").await.link().unwrap();
    let at = format!("{}?{}", link.path(), link.query().unwrap());
    let (code, user_id) = (app.query("ann@example.com", "code").await, app.query("ann@example.com", "user_id").await);
    browser.open(&at).await.expect(200);
    let secret = [("code", code.as_str()), ("user_id", user_id.as_str())];
    let reply = browser.send("/reset", &[secret[0], secret[1], ("password", "short")]).await.expect(422);
    assert!(words(&reply).contains("at least 8 characters") && reply.text().contains(&code), "{}", words(&reply));
    let set = [secret[0], secret[1], ("password", OTHER_PASSWORD)];
    let reply = browser.send("/reset", &set).await.expect(303);
    let page = browser.follow(&reply).await.expect(200);
    assert!(words(&page).contains("Your new password is set"), "{}", words(&page));
    app.session(&before).await.expect(401);
    // Sent twice, and opened again.
    let reply = browser.send("/reset", &set).await.expect(400);
    assert!(words(&reply).contains("This link does not work"), "{}", words(&reply));
    browser.open(&at).await.expect(400);
    browser.open("/reset").await.expect(400);
    browser.open("/sign-in").await.expect(200);
    browser.send("/sign-in", &[("identifier", "ann"), ("password", PASSWORD)]).await.expect(401);
    browser.send("/sign-in", &[("identifier", "ann"), ("password", OTHER_PASSWORD)]).await.expect(303);
}

#[tokio::test]
async fn an_invitation_makes_an_account() {
    let app = TestApp::new().await;
    let id = app.invite("new@example.com", Role::Member).await.secret.reveal().to_owned();
    let mut browser = Browser::new(&app).await;
    let at = format!("/invitation?id={id}");
    let page = browser.open(&at).await.expect(200);
    assert!(page.text().contains("value=\"new@example.com\""), "{}", page.text());
    let form = |first: &'static str, password: &'static str| {
        [
            ("id", id.clone()),
            ("first_name", first.to_owned()),
            ("last_name", "Osei".to_owned()),
            ("password", password.to_owned()),
        ]
    };
    let pairs = |form: &'_ [(&'static str, String)]| form.iter().map(|(name, value)| (*name, value.clone())).collect::<Vec<_>>();
    for (fields, told) in
        [(form("Nia\u{7}", PASSWORD), "none of them a control character"), (form("Nia", "password"), "too easy to guess")]
    {
        let fields = pairs(&fields);
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let reply = browser.send("/invitation", &fields).await.expect(422);
        assert!(words(&reply).contains(told), "{}", words(&reply));
        assert!(reply.text().contains("value=\"Osei\"") && reply.text().contains("new@example.com"), "{}", reply.text());
    }
    let fields = pairs(&form("Nia", PASSWORD));
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let reply = browser.send("/invitation", &fields).await.expect(303);
    let page = browser.follow(&reply).await.expect(200);
    assert!(words(&page).contains("Your account is ready."), "{}", words(&page));
    browser.send("/invitation", &fields).await.expect(404);
    let closed = browser.open(&at).await.expect(404);
    assert!(words(&closed).contains("This invitation is closed"), "{}", words(&closed));
    browser.open("/invitation").await.expect(404);
    browser.open("/sign-in").await.expect(200);
    browser.send("/sign-in", &[("identifier", "new@example.com"), ("password", PASSWORD)]).await.expect(303);
}

#[tokio::test]
async fn an_invitation_is_accepted_signed_in() {
    let app = TestApp::new().await;
    app.user("ann").await;
    app.user("bob").await;
    let id = app.invite("ann@example.com", Role::Admin).await.secret.reveal().to_owned();
    let at = format!("/invitation?id={id}");
    // Without a session the form leads to signing in, and back.
    let mut browser = Browser::new(&app).await;
    let page = browser.open(&at).await.expect(200);
    let sign_in = format!("/sign-in?return_to=%2Finvitation%3Fid%3D{id}");
    assert!(html(&page).contains(&sign_in), "{}", page.text());
    let fields = [("id", id.as_str()), ("first_name", "A"), ("last_name", "B"), ("password", OTHER_PASSWORD)];
    let reply = browser.send("/invitation", &fields).await.expect(409);
    assert!(words(&reply).contains("There is an account with this address already."), "{}", words(&reply));

    let mut bobs = Browser::signed_in(&app, "bob").await;
    let page = bobs.open(&at).await.expect(200);
    assert!(words(&page).contains("you are signed in with bob@example.com"), "{}", words(&page));
    assert_eq!(place(&bobs.send("/invitation/accept", &[("id", &id)]).await.expect(303)), at);

    browser.open(&sign_in).await.expect(200);
    let fields = [("identifier", "ann"), ("password", PASSWORD), ("return_to", at.as_str())];
    let reply = browser.send("/sign-in", &fields).await.expect(303);
    let page = browser.follow(&reply).await.expect(200);
    assert!(words(&page).contains("Accept the invitation"), "{}", words(&page));
    let reply = browser.send("/invitation/accept", &[("id", &id)]).await.expect(303);
    let page = browser.follow(&reply).await.expect(200);
    assert!(words(&page).contains("The invitation is accepted."), "{}", words(&page));
    browser.send("/invitation/accept", &[("id", &id)]).await.expect(404);
}
