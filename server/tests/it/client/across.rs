//! What all modules of the client have in common, against the server.

use std::time::Duration;

use doorward_client::kestra::AuthControllerInvitationUserRequest;
use doorward_client::native::Client;
use doorward_client::secrecy::ExposeSecret as _;
use doorward_client::{kalshi, kestra, kraken};

use super::{client, problem, session};
use crate::app::{OTHER_PASSWORD, PASSWORD};
use crate::served::{Served, options};

const ANN: &str = "ann@example.com";

#[tokio::test]
async fn a_session_is_carried_from_api_to_api() {
    let app = Served::new().await;
    let user = app.user("ann").await;
    let opened = session(&app, "ann").await;
    let kraken = kraken::AuthenticationApi::with(&app.url, &options()).unwrap();
    kraken.set_cookie("doorward", opened.token().clone());
    kraken.test().await.unwrap();
    let kestra = kestra::AuthApi::with(&app.url, &options()).unwrap().with_token(opened.token().clone());
    assert_eq!(kestra.accept_invitation("unknown").await.unwrap_err().status().unwrap(), 404);
    let kalshi = kalshi::AuthApi::with(&app.at("/v1"), &options()).unwrap();
    kalshi.with_api_key(kalshi::ApiKey::bearer(opened.token())).logout().await.unwrap();
    assert_eq!(problem(opened.show().await), "not-signed-in");
    assert_eq!(kraken.test().await.unwrap_err().status().unwrap(), 400);
    assert_eq!(opened.user_id().to_string(), user.id.to_string());
}

#[tokio::test]
async fn too_many_attempts_say_when_to_come_back() {
    let app =
        Served::with(&[("limits.enabled", "true"), ("limits.signin_account.burst", "6"), ("limits.signin_account.per", "3m")])
            .await;
    app.user("ann").await;
    let password = OTHER_PASSWORD.into();
    for _ in 0..3 {
        assert_eq!(problem(client(&app).sign_in(ANN, &password).await), "invalid-credentials");
    }
    let native = client(&app).sign_in(ANN, &password).await.unwrap_err();
    assert_eq!(native.refused().unwrap().body().unwrap().retry_after, Some(60));
    let kalshi = kalshi::AuthApi::with(&app.at("/v1"), &options()).unwrap();
    let kalshi = kalshi.login(&kalshi::LoginRequest::new(ANN, OTHER_PASSWORD)).await.unwrap_err();
    let kraken = kraken::AuthenticationApi::with(&app.url, &options()).unwrap();
    let kraken = kraken.login(&kraken::LoginRequest::new(ANN, OTHER_PASSWORD)).await.unwrap_err();
    let kestra = kestra::AuthApi::with(&app.url, &options()).unwrap();
    let kestra = kestra.login(ANN, &password).await.unwrap_err();
    let seen = [
        (native.status(), native.retry_after(), native.refused().unwrap().attempts()),
        (kalshi.status(), kalshi.retry_after(), kalshi.refused().unwrap().attempts()),
        (kraken.status(), kraken.retry_after(), kraken.refused().unwrap().attempts()),
        (kestra.status(), kestra.retry_after(), kestra.refused().unwrap().attempts()),
    ];
    for (status, retry_after, attempts) in seen {
        assert_eq!(status.unwrap(), 429);
        assert_eq!(retry_after, Some(Duration::from_secs(60)));
        assert_eq!(attempts, 1, "a sign-in is not tried again");
    }
}

#[tokio::test]
async fn no_debug_shows_a_secret() {
    let app = Served::new().await;
    app.user("ann").await;
    let mut opened = session(&app, "ann").await;
    let half = {
        let credential = app.authenticator(1).create(&opened.start_key().await.unwrap());
        opened.finish_key("first", &credential).await.unwrap();
        client(&app).sign_in("ann", &PASSWORD.into()).await.unwrap().half().unwrap()
    };
    let kraken = kraken::AuthenticationApi::with(&app.url, &options()).unwrap();
    kraken.set_cookie("doorward", opened.token().clone());
    let key = kalshi::ApiKey::bearer(opened.token());
    let request = AuthControllerInvitationUserRequest::new("Ann", "Example", PASSWORD);
    let error = opened.change_password(&OTHER_PASSWORD.into(), &PASSWORD.into()).await.unwrap_err();
    let shown = format!(
        "{opened:?} {half:?} {kraken:?} {key:?} {request:?} {error:?} {error} {:?} {:?}",
        opened.sessions(),
        opened.export()
    );
    for secret in [opened.token(), half.token(), &PASSWORD.into(), &OTHER_PASSWORD.into()] {
        assert!(!shown.contains(secret.expose_secret()), "{shown}");
    }
    let stored = opened.export();
    let elsewhere = Client::with("http://localhost:1", &options()).unwrap().import(&stored).unwrap_err();
    assert!(!format!("{elsewhere:?} {elsewhere}").contains(opened.token().expose_secret()));
}
