//! `kalshi::AuthApi`.

use doorward::core::model::Role;
use doorward_client::kalshi::{
    ApiKey, AuthApi, ConfirmPasswordResetRequest, Error, LoginRequest, LoginResponse, ResetPasswordRequest,
};

use crate::app::{OTHER_PASSWORD, PASSWORD};
use crate::served::{Served, options};

fn api(app: &Served) -> AuthApi {
    AuthApi::with(&app.at("/v1"), &options()).unwrap()
}

fn ann(password: &str) -> LoginRequest {
    LoginRequest::new("ann@example.com", password)
}

/// Status and code of a refusal.
#[track_caller]
fn refused<T>(outcome: Result<T, Error>) -> (u16, String) {
    let Err(Error::Refused(refused)) = outcome else { panic!("no refusal") };
    let body = refused.body().unwrap();
    assert_eq!(refused.headers()["code"], *body.code, "body and headers agree");
    assert_eq!(body.service, "doorward");
    (refused.status().as_u16(), body.code.clone())
}

#[tokio::test]
async fn signs_in_and_out_with_every_form_of_key() {
    let app = Served::new().await;
    let user = app.user("ann").await;
    let forms: [fn(LoginResponse) -> ApiKey; 3] =
        [|session| ApiKey::of(&session), |session| ApiKey::bearer(&session.token), |session| ApiKey::bare(session.token)];
    for form in forms {
        let session = api(&app).login(&ann(PASSWORD)).await.unwrap();
        assert_eq!((session.user_id.as_str(), session.access_level.as_str()), (user.id.to_string().as_str(), "member"));
        let api = api(&app).with_api_key(form(session));
        api.logout().await.unwrap();
        assert_eq!(refused(api.logout().await), (401, "not_signed_in".to_owned()));
    }
    assert_eq!(refused(api(&app).logout().await).0, 401);
}

#[tokio::test]
async fn refusals_are_typed() {
    let app = Served::new().await;
    app.create("bob", Role::Member, false).await;
    assert_eq!(refused(api(&app).login(&ann(PASSWORD)).await), (401, "invalid_credentials".to_owned()));
    assert_eq!(refused(api(&app).login(None).await).0, 400);
    assert_eq!(api(&app).login(&LoginRequest::new("bob@example.com", PASSWORD)).await.unwrap().access_level, "applicant");
    let unknown = AuthApi::with(&app.at("/v1/nowhere"), &options()).unwrap();
    assert_eq!(unknown.login(&ann(PASSWORD)).await.unwrap_err().status().unwrap(), 404);
}

#[tokio::test]
async fn a_user_with_a_key_is_told_that_more_is_owed() {
    let app = Served::new().await;
    let session = {
        app.user("ann").await;
        super::session(&app, "ann").await
    };
    let credential = app.authenticator(1).create(&session.start_key().await.unwrap());
    session.finish_key("first", &credential).await.unwrap();
    assert_eq!(refused(api(&app).login(&ann(PASSWORD)).await), (403, "second_factor_required".to_owned()));
}

#[tokio::test]
async fn a_forgotten_password() {
    let app = Served::new().await;
    let (ann_id, bob_id) = (app.user("ann").await.id, app.user("bob").await.id);
    for email in ["nobody@example.com", "ann@example.com"] {
        api(&app).reset_password(&ResetPasswordRequest::new(email)).await.unwrap();
    }
    assert_eq!(refused(api(&app).reset_password(None).await).0, 400);
    let code = app.query("ann@example.com", "code").await;
    assert_eq!(app.query("ann@example.com", "user_id").await, ann_id.to_string());
    let confirm = async |password: &str, user_id: String| {
        api(&app).reset_password_confirm(&code, &ConfirmPasswordResetRequest::new(password, user_id)).await
    };
    assert_eq!(refused(api(&app).reset_password_confirm(&code, None).await).0, 400);
    assert_eq!(refused(confirm(OTHER_PASSWORD, bob_id.to_string()).await).0, 400);
    assert_eq!(refused(confirm("short", ann_id.to_string()).await).0, 400);
    confirm(OTHER_PASSWORD, ann_id.to_string()).await.unwrap();
    assert_eq!(refused(confirm(OTHER_PASSWORD, ann_id.to_string()).await).0, 400);
    assert_eq!(refused(api(&app).login(&ann(PASSWORD)).await).0, 401);
    api(&app).login(&ann(OTHER_PASSWORD)).await.unwrap();
    // Nothing that is no code leads anywhere else.
    let request = ConfirmPasswordResetRequest::new(PASSWORD, ann_id.to_string());
    for code in ["", ".", ".."] {
        assert!(matches!(api(&app).reset_password_confirm(code, &request).await, Err(Error::Invalid(_))));
    }
    assert_eq!(refused(api(&app).reset_password_confirm("../../log_in?x#y", &request).await).0, 400);
}
