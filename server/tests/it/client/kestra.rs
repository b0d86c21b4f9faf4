//! `kestra::AuthApi`.

use doorward::core::model::Role;
use doorward_client::kestra::{AuthApi, AuthControllerInvitationUserRequest, AuthControllerResetPasswordRequest, Error};
use serde_json::json;

use crate::app::{OTHER_PASSWORD, PASSWORD};
use crate::served::{Served, options};

fn api(app: &Served) -> AuthApi {
    AuthApi::with(&app.url, &options()).unwrap()
}

/// Status and single complaints of a refusal.
#[track_caller]
fn refused<T>(outcome: Result<T, Error>) -> (u16, Vec<String>) {
    let Err(Error::Refused(refused)) = outcome else { panic!("no refusal") };
    let body = refused.body().unwrap();
    assert!(!body.message.is_empty());
    (refused.status().as_u16(), body.errors().map(str::to_owned).collect())
}

#[tokio::test]
async fn methods_are_those_of_the_configuration() {
    let methods = api(&Served::new().await).index().await.unwrap();
    assert!(methods.login_password && methods.mails_enabled && methods.passwordless && methods.oauths.is_empty());
    let methods = api(&Served::with(&[("methods.email_code", "false")]).await).index().await.unwrap();
    assert!(methods.login_password && !methods.passwordless);
}

#[tokio::test]
async fn a_forgotten_password() {
    let app = Served::new().await;
    app.user("ann").await;
    for name in ["nobody", "ann"] {
        assert_eq!(api(&app).forgotten_password(name).await.unwrap(), json!({}));
    }
    let token = app.query("ann@example.com", "token").await;
    let reset = async |password: &str| {
        let request = AuthControllerResetPasswordRequest::new(token.as_str(), password);
        api(&app).reset_password(&request).await
    };
    let (status, errors) = refused(reset("x").await);
    assert_eq!(status, 422);
    assert!(errors.len() >= 2, "each broken rule: {errors:?}");
    reset(OTHER_PASSWORD).await.unwrap();
    assert_eq!(refused(reset(OTHER_PASSWORD).await).0, 400);
    assert_eq!(refused(api(&app).login("ann", &PASSWORD.into()).await).0, 401);
    api(&app).login("ann", &OTHER_PASSWORD.into()).await.unwrap();
}

#[tokio::test]
async fn a_mailed_code_signs_in() {
    let app = Served::new().await;
    app.user("ann").await;
    for email in ["nobody@example.com", "ann@example.com"] {
        api(&app).request_code(email).await.unwrap();
    }
    let code = app.code("ann@example.com").await.into();
    api(&app).login("ann@example.com", &code).await.unwrap();
    assert_eq!(refused(api(&app).login("ann@example.com", &code).await).0, 401);
}

#[tokio::test]
async fn invitations() {
    let app = Served::new().await;
    app.user("ann").await;
    let secret = async |email: &str| app.invite(email, Role::Member).await.secret.reveal().to_owned();
    let (to_ann, to_bob) = (secret("ann@example.com").await, secret("bob@example.com").await);

    let api = api(&app);
    assert_eq!(refused(api.accept_invitation(&to_ann).await).0, 401);
    api.login("ann", &PASSWORD.into()).await.unwrap();
    assert_eq!(refused(api.accept_invitation(&to_bob).await).0, 403);
    assert_eq!(refused(api.accept_invitation("unknown").await).0, 404);
    api.accept_invitation(&to_ann).await.unwrap();
    assert_eq!(refused(api.accept_invitation(&to_ann).await).0, 404);

    let account = AuthControllerInvitationUserRequest::new("Bob", "Example", PASSWORD);
    assert_eq!(refused(api.create_from_invitation(&secret("ann@example.com").await, &account).await).0, 409);
    api.create_from_invitation(&to_bob, &account).await.unwrap();
    assert_eq!(refused(api.create_from_invitation(&to_bob, &account).await).0, 404);
    api.login("bob@example.com", &PASSWORD.into()).await.unwrap();
}
