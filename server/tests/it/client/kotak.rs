//! `kotak::SessionApi`.

use doorward_client::kotak::{Configuration, Error, SessionApi};

use crate::app::{Application, OTHER_PASSWORD, PASSWORD};
use crate::served::{Served, options};

fn configuration(app: &Served, application: &Application) -> Configuration {
    let registered = &application.0;
    let (access_token, consumer_key) = (registered.access_token.reveal(), registered.consumer_key.reveal());
    let app_id = registered.application.id.to_string();
    Configuration::new(access_token, "ann", consumer_key, "203.0.113.9", app_id).host(app.at("/apim"))
}

async fn client(configuration: Configuration) -> Result<SessionApi, Error> {
    SessionApi::session_init_with(configuration, options()).await
}

/// Status and code of a refusal.
#[track_caller]
fn refused<T>(outcome: Result<T, Error>) -> (u16, u64) {
    let Err(Error::Refused(refused)) = outcome else { panic!("no refusal") };
    (refused.status().as_u16(), refused.body().unwrap().code.unwrap())
}

#[tokio::test]
async fn signs_in_in_two_steps_and_out() {
    let app = Served::new().await;
    app.user("ann").await;
    let application = app.application(false, &[]).await;
    let mut client = client(configuration(&app, &application)).await.unwrap();
    assert_eq!(client.greeting().userid.as_deref(), Some("ann"));
    assert_eq!(client.greeting().redirect.port, Some(app.port.into()));
    assert!(matches!(client.session_2fa(None).await, Err(Error::Invalid(_))));
    assert!(matches!(client.logout().await, Err(Error::Invalid(_))));

    assert_eq!(refused(client.login(&OTHER_PASSWORD.into()).await), (401, 401));
    let first = client.login(&PASSWORD.into()).await.unwrap();
    assert_eq!(first.status.as_deref(), Some("Temporary"));
    assert!(first.access_code_time.is_some_and(|seconds| seconds > 0) && first.email_id.is_some());
    assert_eq!(refused(client.session_2fa(Some(&"000000".into())).await), (401, 401));
    assert_eq!(refused(client.session_2fa(None).await), (401, 401));
    let session = client.session_2fa(Some(&app.code("ann@example.com").await.into())).await.unwrap();
    assert_eq!(session.client_code.as_deref(), Some("ann"));
    assert!(matches!(client.session_2fa(None).await, Err(Error::Invalid(_))), "the one-time token is spent");

    let token = client.session_token().unwrap().clone();
    client.logout().await.unwrap();
    client.set_session_token(token);
    assert_eq!(refused(client.logout().await), (401, 401));
}

#[tokio::test]
async fn the_one_time_token_alone() {
    let app = Served::new().await;
    app.user("ann").await;
    let application = app.application(true, &[]).await;
    let mut client = client(configuration(&app, &application)).await.unwrap();
    client.login(&PASSWORD.into()).await.unwrap();
    client.session_2fa(None).await.unwrap();
    client.logout().await.unwrap();
}

#[tokio::test]
async fn credentials_that_do_not_belong_together() {
    let app = Served::new().await;
    app.user("ann").await;
    let (one, other) = (app.application(false, &[]).await, app.application(false, &[]).await);
    let mixed = Application(doorward::core::flows::applications::Registered {
        application: other.0.application,
        consumer_key: one.0.consumer_key,
        access_token: one.0.access_token,
    });
    assert_eq!(refused(client(configuration(&app, &mixed)).await), (401, 900_901));
    let elsewhere = app.application(false, &["192.0.2.0/24"]).await;
    assert_eq!(refused(client(configuration(&app, &elsewhere)).await), (401, 900_901));
}

#[tokio::test]
async fn goes_on_at_the_host_that_it_is_sent_to() {
    let app = Served::new().await;
    app.user("ann").await;
    let application = app.application(true, &[]).await;
    // The public URL has another name for the same place.
    let here = format!("http://127.0.0.1:{}/apim", app.port);
    let mut client = client(configuration(&app, &application).host(here)).await.unwrap();
    assert_eq!(client.host(), app.at("/apim"));
    client.login(&PASSWORD.into()).await.unwrap();
    client.session_2fa(None).await.unwrap();
}
