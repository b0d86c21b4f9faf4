//! Users, as administrators handle them.

use doorward::core::flows::applications::Registration;
use doorward::core::flows::authority::{Authority, check_administrator};
use doorward::core::flows::session::{Claim, Need, Presented};
use doorward::core::flows::{applications, invitations, mails, sessions, users};
use doorward::core::model::{ApplicationId, Email, InvitationId, MailId, Role, SecurityKeyId, SessionId, Username};
use doorward::core::outbox::LinkForm;
use doorward::core::token::Secret;
use doorward::core::{Error, Refusal};

use super::app::{ORIGIN, TestApp};
use super::authenticator::Authenticator;
use super::reply::Ask;

#[tokio::test]
async fn an_administrator_cannot_disable_or_delete_themselves() {
    let app = TestApp::new().await;
    let token = app.administrator().await;
    let id = app.session(&token).await.expect(200).at("/user/id");
    app.create("second", Role::Admin, true).await;
    for reference in [id.as_str(), "root", "ROOT", "root@example.com"] {
        for ask in
            [Ask::delete(format!("/admin/v1/users/{reference}")), Ask::post(format!("/admin/v1/users/{reference}/disable"))]
        {
            let refused = app.send(ask.bearer(&token)).await.expect(409);
            assert_eq!(refused.at("/type"), "urn:doorward:problem:conflict");
        }
    }
    app.session(&token).await.expect(200);
    // Another administrator is fair game, and who may run the command line may do all.
    app.send(Ask::post("/admin/v1/users/second/disable").bearer(&token)).await.expect(200);
    app.send(Ask::delete("/admin/v1/users/second").bearer(&token)).await.expect(204);
    users::disable(app.core(), &app.call(), Authority::operator(), "root").await.unwrap();
    app.session(&token).await.expect(401);
    users::delete(app.core(), &app.call(), Authority::operator(), "root").await.unwrap();
}

/// Everything that an administrator can change, asked for with leave that was given before it was lost.
#[tokio::test]
async fn leave_that_was_lost_after_the_check_changes_nothing() {
    for lost in ["disabled", "signed out", "demoted", "lowered"] {
        let app = TestApp::new().await;
        let token = app.administrator().await;
        let bob = app.user("bob").await;
        let bobs = app.token("bob").await;
        let call = app.call();
        let presented = Presented::token(&token, Claim::None);
        let (authority, root) = check_administrator(app.core(), &call, &presented, Need::Recent).await.unwrap();
        let refusal = match lost {
            "disabled" => {
                users::disable(app.core(), &call, Authority::operator(), "root").await.unwrap();
                Refusal::NotSignedIn
            }
            "signed out" => {
                app.send(Ask::delete("/auth/v1/session").bearer(&token)).await.expect(204);
                Refusal::NotSignedIn
            }
            "demoted" => {
                app.database().execute("UPDATE users SET role = 'member' WHERE username = 'root'").await;
                Refusal::NotPermitted
            }
            _ => {
                app.register(&app.token("root").await, "phone", &mut Authenticator::new(7, ORIGIN)).await.expect(201);
                Refusal::NotSignedIn
            }
        };
        let done = async || app.audit().await.into_iter().filter(|line| line.ends_with(" ok")).count();
        let before = done().await;
        let (core, call) = (app.core(), &call);
        let new = || users::NewUser {
            username: Username::parse("new").unwrap(),
            email: Email::parse("new@example.com").unwrap(),
            first_name: bob.first_name.clone(),
            last_name: bob.last_name.clone(),
            role: Role::Admin,
            verified: true,
            password: None,
        };
        let registration = Registration { name: "Terminal".to_owned(), networks: Vec::new(), one_time_token_suffices: false };
        let application = ApplicationId::new(call).unwrap();
        let invitation = InvitationId::new(call).unwrap();
        let answers = [
            users::create(core, call, authority, new()).await.err(),
            users::disable(core, call, authority, "bob").await.err(),
            users::enable(core, call, authority, "bob").await.err(),
            users::delete(core, call, authority, "bob").await.err(),
            users::set_password(core, call, authority, "bob", &Secret::new("quartz lantern 4711")).await.err(),
            users::send_recovery(core, call, authority, "bob", LinkForm::Token).await.err(),
            users::remove_key(core, call, authority, bob.id, SecurityKeyId::new(call).unwrap()).await.err(),
            users::remove_authenticator_app(core, call, authority, bob.id).await.err(),
            sessions::end(core, call, authority, SessionId::new(call).unwrap()).await.err(),
            sessions::end_all(core, call, authority, bob.id).await.err(),
            mails::retry(core, call, authority, MailId::new(call).unwrap()).await.err(),
            applications::create(core, call, authority, registration).await.err(),
            applications::rotate(core, call, authority, application).await.err(),
            applications::limit(core, call, authority, application, Vec::new()).await.err(),
            applications::revoke(core, call, authority, application).await.err(),
            invitations::create(core, call, authority, root.email.clone(), Role::Admin, None).await.err(),
            invitations::reissue(core, call, authority, invitation).await.err(),
            invitations::revoke(core, call, authority, invitation).await.err(),
        ];
        for (number, answer) in answers.into_iter().enumerate() {
            assert!(matches!(&answer, Some(Error::Refused(found)) if *found == refusal), "{lost}, {number}: {answer:?}");
        }
        app.session(&bobs).await.expect(200);
        assert_eq!(done().await, before, "{lost}");
    }
}
