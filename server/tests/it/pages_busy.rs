//! A server that cannot try just now (503), or will not yet (429): the pages tell one from the other, say when to come back, and keep what
//! was typed.

use std::pin::{Pin, pin};
use std::task::{Context, Waker};

use axum::http::header;
use doorward::core::model::Role;

use super::app::{OTHER_PASSWORD, PASSWORD, TestApp};
use super::browser::{Browser, html, value_of, words};
use super::reply::Reply;
use super::wires::Wire;

fn begin(call: Pin<&mut impl Future>) {
    assert!(call.poll(&mut Context::from_waker(Waker::noop())).is_pending());
}

#[track_caller]
fn told(reply: &Reply, status: u16, words_of: &str, kept: &[(&str, &str)]) {
    assert_eq!(reply.status.as_u16(), status, "{}", reply.snapshot());
    assert!(reply.headers[header::RETRY_AFTER].to_str().unwrap().parse::<u32>().unwrap() > 0);
    assert!(html(reply).contains("role=\"alert\"") && words(reply).contains(words_of), "{}", words(reply));
    for (name, value) in kept {
        assert_eq!(value_of(&reply.text(), name).as_deref(), Some(*value), "{name}");
    }
    assert!(!reply.text().contains(PASSWORD) && !reply.text().contains(OTHER_PASSWORD));
}

const BUSY: &str = "The server is very busy. Nothing was changed. Please wait a moment, then try again.";
const AWAY: &str =
    "The server cannot reach its data just now. Nothing was changed, as far as we know. Please wait a moment, then try again.";

#[tokio::test]
async fn when_the_hashing_queue_is_full_the_form_says_so_and_keeps_what_was_typed() {
    let app = TestApp::with(&[("passwords.threads", "1"), ("passwords.queue", "1")]).await;
    for name in ["ann", "bob", "eve"] {
        app.user(name).await;
    }
    let invited = app.invite("new@example.com", Role::Member).await.secret.reveal().to_owned();
    let mut own = Browser::signed_in(&app, "ann").await;
    let mut browser = Browser::new(&app).await;
    browser.send("/forgotten", &[("identifier", "ann")]).await.expect(303);
    let code = app.query("ann@example.com", "code").await;
    let user_id = app.query("ann@example.com", "user_id").await;
    {
        // Two others hold the one thread and the one place in the queue.
        let mut first = pin!(app.send(Wire::Native.sign_in("bob", PASSWORD)));
        let elsewhere = "198.51.100.1".parse().unwrap();
        let mut second = pin!(app.send_from(elsewhere, Wire::Native.sign_in("eve", PASSWORD)));
        begin(first.as_mut());
        begin(second.as_mut());
        assert_eq!(app.core().hasher().busy(), 2);
        let typed = [("identifier", "ann"), ("password", PASSWORD), ("return_to", "/account/keys")];
        told(&browser.send("/sign-in", &typed).await, 503, BUSY, &[("identifier", "ann"), ("return_to", "/account/keys")]);
        let typed = [("code", code.as_str()), ("user_id", &user_id), ("password", OTHER_PASSWORD)];
        told(&browser.send("/reset", &typed).await, 503, BUSY, &typed[..2]);
        let typed = [("id", invited.as_str()), ("first_name", "Nia"), ("last_name", "Osei"), ("password", PASSWORD)];
        told(&browser.send("/invitation", &typed).await, 503, BUSY, &typed[..3]);
        let typed = [("current", PASSWORD), ("new", OTHER_PASSWORD)];
        told(&own.send("/account/password", &typed).await, 503, BUSY, &[]);
        first.await.expect(200);
        second.await.expect(200);
    }
    // Nothing was spent by it.
    let typed = [("code", code.as_str()), ("user_id", &user_id), ("password", OTHER_PASSWORD)];
    browser.send("/reset", &typed).await.expect(303);
}

#[tokio::test]
async fn too_many_tries_are_told_from_a_busy_server() {
    let app = TestApp::limited(&[("limits.signin_account.burst", "3"), ("limits.signin_network.burst", "6")]).await;
    app.user("ann").await;
    let mut own = Browser::signed_in(&app, "ann").await;
    let wrong = [("current", OTHER_PASSWORD), ("new", "a third staple, 7 miles")];
    let mut last = own.send("/account/password", &wrong).await;
    while last.status == 422 {
        last = own.send("/account/password", &wrong).await;
    }
    told(&last, 429, "There were too many attempts. For your safety, please wait", &[]);
    assert!(!words(&last).contains(BUSY));
    let mut browser = Browser::new(&app).await;
    let guess = [("token", "of-another-time"), ("password", OTHER_PASSWORD)];
    let mut last = browser.send("/reset", &guess).await;
    while last.status == 400 {
        last = browser.send("/reset", &guess).await;
    }
    told(&last, 429, "There were too many attempts. For your safety, please wait", &guess[..1]);
}

#[tokio::test]
async fn when_the_store_is_away_the_form_says_so_and_keeps_what_was_typed() {
    let app = TestApp::with(&[("request_timeout", "2s")]).await;
    app.user("ann").await;
    let mut own = Browser::signed_in(&app, "ann").await;
    own.open("/account/profile").await.expect(200);
    let mut browser = Browser::new(&app).await;
    browser.open("/sign-in").await.expect(200);
    let other = app.database().lock().await;
    let asks = [
        (browser.form("/sign-in", &[("identifier", "ann"), ("password", PASSWORD)]), &[("identifier", "ann")][..]),
        (browser.form("/sign-in/code", &[("email", "ann@example.com")]), &[("email", "ann@example.com")]),
        (browser.form("/forgotten", &[("identifier", "ann")]), &[("identifier", "ann")]),
        (browser.form("/reset", &[("token", "of-another-time"), ("password", PASSWORD)]), &[("token", "of-another-time")]),
        (
            own.form("/account/profile", &[("first_name", "Ann"), ("last_name", "Ek")]),
            &[("first_name", "Ann"), ("last_name", "Ek")],
        ),
    ];
    let replies = asks.into_iter().map(async |(ask, kept)| (app.send(ask).await, kept));
    for (reply, kept) in futures_util::future::join_all(replies).await {
        told(&reply, 503, AWAY, kept);
    }
    other.release().await;
    own.send("/account/profile", &[("first_name", "Ann"), ("last_name", "Ek")]).await.expect(303);
}
