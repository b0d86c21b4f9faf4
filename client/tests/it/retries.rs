//! What is tried again, how often, and what never is.

use std::time::Duration;

use doorward_client::native::{Client, SignedIn};
use doorward_client::{Error, Retry, kalshi, kestra, kotak, kraken};

use super::script::{Act, Script, options, say};

const METHODS: &str = r#"{"loginPassword": true, "mailsEnabled": true, "passwordless": false, "oauths": ["x"]}"#;

fn quick() -> Retry {
    Retry::new(3, Duration::from_millis(2), Duration::from_secs(2))
}

fn kestra(script: &Script) -> kestra::AuthApi {
    kestra::AuthApi::with(&script.url, &options().retry(quick())).unwrap()
}

#[tokio::test]
async fn an_idempotent_call_is_tried_again_until_it_succeeds() {
    for trouble in [Act::Drop, say(502, &[], ""), say(503, &[], "{}"), say(504, &[], ""), say(429, &[("Retry-After", "0")], "")] {
        let script = Script::new([trouble.clone(), trouble, say(200, &[], METHODS)]).await;
        let methods = kestra(&script).index().await.unwrap();
        assert_eq!((methods.oauths.as_slice(), script.heard().len()), (["x".to_owned()].as_slice(), 3));
    }
}

#[tokio::test]
async fn not_more_often_than_allowed() {
    let script = Script::new([say(503, &[], r#"{"message": "away"}"#)]).await;
    let refused = kestra(&script).index().await.unwrap_err();
    let refused = refused.refused().unwrap();
    assert_eq!((refused.status().as_u16(), refused.attempts(), script.heard().len()), (503, 3, 3));
    assert_eq!(refused.body().unwrap().message, "away");

    let script = Script::new([Act::Drop]).await;
    let broken = kestra(&script).index().await.unwrap_err();
    assert!(matches!(&broken, Error::Broken(broken) if !broken.is_connect()), "{broken:?}");
    assert_eq!(script.heard().len(), 3);

    let script = Script::new([say(503, &[], "")]).await;
    let once = kestra::AuthApi::with(&script.url, &options().retry(Retry::never())).unwrap();
    assert_eq!(once.index().await.unwrap_err().refused().unwrap().attempts(), 1);
    assert_eq!(script.heard().len(), 1);
}

#[tokio::test]
async fn what_will_not_pass_is_not_tried_again() {
    for status in [400, 401, 403, 404, 409, 422, 500, 501] {
        let script = Script::new([say(status, &[], "")]).await;
        let refused = kestra(&script).index().await.unwrap_err();
        assert_eq!((refused.status().unwrap().as_u16(), script.heard().len()), (status, 1));
    }
}

#[tokio::test]
async fn a_server_that_asks_for_long_is_left_alone() {
    let script = Script::new([say(429, &[("Retry-After", "120")], r#"{"message": "later"}"#)]).await;
    let refused = kestra(&script).index().await.unwrap_err();
    assert_eq!((refused.retry_after(), script.heard().len()), (Some(Duration::from_secs(120)), 1));
}

/// Every call that spends, mails or makes something is sent once, whatever comes of it.
#[tokio::test]
async fn what_is_not_idempotent_is_never_tried_again() {
    for trouble in [Act::Drop, say(503, &[("Retry-After", "0")], ""), say(429, &[("Retry-After", "0")], "")] {
        let script = Script::new([trouble]).await;
        let options = options().retry(quick());
        let mut calls = 0;
        let mut once = |failed: bool| {
            calls += 1;
            assert!(failed);
            assert_eq!(script.heard().len(), calls, "{:?}", script.heard().last());
        };

        let api = kalshi::AuthApi::with(&script.url, &options).unwrap();
        once(api.login(&kalshi::LoginRequest::new("a", "b")).await.is_err());
        once(api.logout().await.is_err());
        once(api.reset_password(&kalshi::ResetPasswordRequest::new("a")).await.is_err());
        once(api.reset_password_confirm("c", &kalshi::ConfirmPasswordResetRequest::new("b", "u")).await.is_err());

        let api = kraken::AuthenticationApi::with(&script.url, &options).unwrap();
        once(api.login(&kraken::LoginRequest::new("a", "b")).await.is_err());
        once(api.logout().await.is_err());
        once(api.start_register().await.is_err());
        once(api.start_auth().await.is_err());
        once(api.finish_auth(&serde_json::json!({})).await.is_err());

        let api = kestra(&script);
        once(api.login("a", &"b".into()).await.is_err());
        once(api.forgotten_password("a").await.is_err());
        once(api.request_code("a").await.is_err());
        once(api.reset_password(&kestra::AuthControllerResetPasswordRequest::new("t", "p")).await.is_err());
        once(api.accept_invitation("i").await.is_err());
        once(api.create_from_invitation("i", &kestra::AuthControllerInvitationUserRequest::new("a", "b", "c")).await.is_err());

        let client = Client::with(&script.url, &options).unwrap();
        once(client.sign_in("a", &"b".into()).await.is_err());
        once(client.request_code("a").await.is_err());
        once(client.recover("a").await.is_err());
    }
}

#[tokio::test]
async fn kotak_initialises_again_and_signs_in_once() {
    let script = Script::new([say(503, &[], ""), Act::Drop, say(200, &[], "{}")]).await;
    let configuration = kotak::Configuration::new("t", "u", "k", "i", "a").host(&script.url);
    let unreadable = kotak::SessionApi::session_init_with(configuration, options().retry(quick())).await.unwrap_err();
    assert!(matches!(unreadable, Error::Unreadable(_)), "{unreadable:?}");
    assert_eq!(script.heard().len(), 3);

    let script = Script::kotak([Act::Drop]).await;
    let configuration = kotak::Configuration::new("t", "u", "k", "i", "a").host(&script.url);
    let mut api = kotak::SessionApi::session_init_with(configuration, options().retry(quick())).await.unwrap();
    assert!(matches!(api.login(&"p".into()).await, Err(Error::Broken(_))));
    assert_eq!(script.heard().len(), 2);
}

#[tokio::test]
async fn a_delete_is_tried_again_and_says_how_often() {
    let session = r#"{"id": "0197b3a0-0000-7000-8000-000000000001", "status": "full", "factors": ["password", "of_tomorrow"],
        "assurance_level": 1, "application_id": null, "dialect": "native", "address": null, "user_agent": null,
        "created_at": "2026-01-01T00:00:00.000Z", "authenticated_at": "2026-01-01T00:00:00.000Z",
        "last_seen_at": "2026-01-01T00:00:00.000Z", "idle_expires_at": "2026-01-01T00:00:00.000Z",
        "expires_at": "2026-01-01T00:00:00.000Z", "of_tomorrow": 1}"#;
    let signed_in = format!(
        r#"{{"token": "t", "status": "full", "second_factor_required": false, "session": {session},
            "user": {{"id": "0197b3a0-0000-7000-8000-000000000002"}}}}"#
    );
    let gone = r#"{"type": "urn:doorward:problem:not-found", "title": "Not found", "status": 404}"#;
    let script = Script::new([say(200, &[], &signed_in), Act::Drop, say(404, &[], gone)]).await;
    let client = Client::with(&script.url, &options().retry(quick())).unwrap();
    let SignedIn::Full(session) = client.sign_in("a", &"b".into()).await.unwrap() else { panic!("a full session") };
    let refused = session.end_session(session.info().id).await.unwrap_err();
    let refused = refused.refused().unwrap();
    assert_eq!((refused.body().unwrap().name(), refused.attempts()), ("not-found", 2));
}
