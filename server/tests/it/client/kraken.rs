//! `kraken::AuthenticationApi`.

use doorward_client::kraken::{AuthenticationApi, Error, FinishRegisterRequest, LoginRequest};
use serde_json::json;

use crate::app::{OTHER_PASSWORD, PASSWORD};
use crate::served::{Served, options};

fn api(app: &Served) -> AuthenticationApi {
    AuthenticationApi::with(&app.url, &options()).unwrap()
}

fn ann(password: &str) -> LoginRequest {
    LoginRequest::new("ann", password)
}

/// Status and number of a refusal.
#[track_caller]
fn refused<T>(outcome: Result<T, Error>) -> (u16, u16) {
    let Err(Error::Refused(refused)) = outcome else { panic!("no refusal") };
    (refused.status().as_u16(), refused.body().unwrap().status_code)
}

#[tokio::test]
async fn signs_in_and_out() {
    let app = Served::new().await;
    app.user("ann").await;
    let api = api(&app);
    assert_eq!(refused(api.login(&ann(OTHER_PASSWORD)).await), (400, 1000));
    assert_eq!(refused(api.test().await), (400, 1005));
    api.login(&ann(PASSWORD)).await.unwrap();
    api.test().await.unwrap();
    assert!(api.cookie("doorward").is_some());
    // The session is the client's, its clones included, and nobody else's.
    api.clone().test().await.unwrap();
    assert_eq!(refused(super::kraken::api(&app).test().await), (400, 1005));
    api.logout().await.unwrap();
    assert!(api.cookie("doorward").is_none());
    assert_eq!(refused(api.test().await), (400, 1005));
}

#[tokio::test]
async fn a_security_key_is_a_second_factor() {
    let app = Served::new().await;
    app.user("ann").await;
    let (api, mut key) = (api(&app), app.authenticator(1));
    api.login(&ann(PASSWORD)).await.unwrap();
    assert_eq!(refused(api.start_auth().await), (400, 1008));
    let credential = key.create(&api.start_register().await.unwrap());
    let nameless = FinishRegisterRequest::new("", credential);
    assert_eq!(refused(api.finish_register(&nameless).await), (400, 1020));
    let credential = key.create(&api.start_register().await.unwrap());
    api.finish_register(&FinishRegisterRequest::new("yellow", credential)).await.unwrap();

    api.login(&ann(PASSWORD)).await.unwrap();
    let half = api.cookie("doorward").unwrap();
    assert_eq!(refused(api.test().await), (400, 1006));
    let options = api.start_auth().await.unwrap();
    assert_eq!(options["publicKey"]["rpId"], "localhost");
    assert_eq!(refused(api.finish_auth(&json!({"id": "nonsense"})).await), (400, 1003));
    let stale = key.get(&options);
    api.finish_auth(&key.get(&api.start_auth().await.unwrap())).await.unwrap();
    api.test().await.unwrap();
    assert_eq!(refused(api.finish_auth(&stale).await), (400, 2003));

    // The token was rotated: the half session's is worth nothing.
    let other = super::kraken::api(&app);
    other.set_cookie("doorward", half);
    assert_eq!(refused(other.test().await), (400, 1005));
}
