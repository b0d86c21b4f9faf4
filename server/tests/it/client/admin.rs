//! `native::Admin`: `/admin/v1`.

use std::time::Duration;

use doorward::core::model::Role as CoreRole;
use doorward_client::native::{
    AuditFilter, CountedBy, InvitationState, MailState, NewApplication, NewInvitation, NewUser, Role, Session, UserStatus,
};
use doorward_client::secrecy::ExposeSecret as _;

use super::{client, problem, session};
use crate::app::PASSWORD;
use crate::served::Served;

/// A server, and an administrator's session.
async fn begin() -> (Served, Session) {
    let app = Served::new().await;
    app.create("root", CoreRole::Admin, true).await;
    let root = session(&app, "root").await;
    (app, root)
}

#[tokio::test]
async fn members_may_nothing() {
    let app = Served::new().await;
    app.user("ann").await;
    let ann = session(&app, "ann").await;
    assert_eq!(problem(ann.admin().users().next().await), "not-permitted");
    assert_eq!(problem(ann.admin().delete_user("ann").await), "not-permitted");
}

#[tokio::test]
async fn users() {
    let (app, root) = begin().await;
    let admin = root.admin();
    let ann = NewUser { password: Some(PASSWORD.into()), email_verified: true, ..NewUser::new("ann", "ann@example.com") };
    let made = admin.create_user(&ann).await.unwrap();
    assert_eq!((made.role, made.status, made.email_verified), (Role::Member, UserStatus::Active, true));
    assert_eq!(problem(admin.create_user(&ann).await), "email-taken");
    admin.create_user(&NewUser { role: Role::Admin, ..NewUser::new("bob", "bob@example.com") }).await.unwrap();
    let names: Vec<_> = admin.users().limit(1).all(9).await.unwrap().into_iter().map(|user| user.username).collect();
    assert_eq!(names, ["bob", "ann", "root"]);
    assert_eq!(admin.search_users("an").await.unwrap(), std::slice::from_ref(&made));
    for name in [made.id.to_string().as_str(), "ann", "ann@example.com"] {
        assert_eq!(admin.user(name).await.unwrap().user, made);
    }

    let opened = session(&app, "ann").await;
    assert_eq!(admin.user_sessions("ann").all(9).await.unwrap()[0].user_id, made.id);
    assert_eq!(admin.end_user_sessions("ann").await.unwrap(), 1);
    assert_eq!(problem(opened.show().await), "not-signed-in");
    assert_eq!(admin.disable_user("ann").await.unwrap().status, UserStatus::Disabled);
    assert_eq!(admin.disable_user("ann").await.unwrap().status, UserStatus::Disabled, "it may be tried again");
    assert_eq!(problem(client(&app).sign_in("ann", &PASSWORD.into()).await), "account-disabled");
    assert_eq!(admin.enable_user("ann").await.unwrap().status, UserStatus::Active);
    assert_eq!(admin.enable_user("ann").await.unwrap().status, UserStatus::Active);
    admin.send_recovery("bob").await.unwrap();
    assert!(!app.query("bob@example.com", "code").await.is_empty());
    admin.delete_user("ann").await.unwrap();
    assert_eq!(problem(admin.user("ann").await), "not-found");
}

#[tokio::test]
async fn second_factors_that_were_lost() {
    let (app, root) = begin().await;
    app.user("ann").await;
    let ann = session(&app, "ann").await;
    let credential = app.authenticator(1).create(&ann.start_key().await.unwrap());
    let key = ann.finish_key("first", &credential).await.unwrap();
    let admin = root.admin();
    assert_eq!(admin.user("ann").await.unwrap().security_keys, std::slice::from_ref(&key));
    admin.remove_user_key("ann", key.id).await.unwrap();
    assert_eq!(problem(admin.remove_user_key("ann", key.id).await), "not-found");
    assert_eq!(problem(admin.remove_user_totp("ann").await), "not-found");
    assert!(client(&app).sign_in("ann", &PASSWORD.into()).await.unwrap().full().is_some());
}

#[tokio::test]
async fn invitations() {
    let (app, root) = begin().await;
    let admin = root.admin();
    let day = NewInvitation { expires_in: Some(Duration::from_secs(86_400)), ..NewInvitation::new("ann@example.com") };
    let made = admin.invite(&day).await.unwrap();
    let spent = made.invitation.expires_at.duration_since(made.invitation.created_at);
    assert_eq!(spent.as_secs(), 86_400);
    assert!(made.link.expose_secret().ends_with(made.id.expose_secret()));
    assert_eq!(client(&app).inspect_invitation(&made.id).await.unwrap().email, "ann@example.com");
    admin.revoke_invitation(made.invitation.handle).await.unwrap();
    let listed = admin.invitations().all(9).await.unwrap();
    assert_eq!((listed[0].handle, listed[0].state), (made.invitation.handle, InvitationState::Revoked));
    assert_eq!(problem(client(&app).inspect_invitation(&made.id).await), "invitation-not-found");
}

#[tokio::test]
async fn applications() {
    let (_app, root) = begin().await;
    let admin = root.admin();
    let terminal = NewApplication { networks: vec!["10.0.0.0/8".to_owned()], ..NewApplication::new("terminal") };
    let made = admin.register_application(&terminal).await.unwrap();
    let rotated = admin.rotate_application(made.application.app_id).await.unwrap();
    assert_eq!(rotated.application, made.application);
    assert_ne!(rotated.consumer_key.expose_secret(), made.consumer_key.expose_secret());
    assert_ne!(rotated.access_token.expose_secret(), made.access_token.expose_secret());
    let elsewhere = ["2001:db8::/32".to_owned(), "192.0.2.0/24".to_owned()];
    let limited = admin.limit_application(made.application.app_id, &elsewhere).await.unwrap();
    assert_eq!((limited.app_id, limited.networks.as_slice()), (made.application.app_id, &elsewhere[..]));
    let wrong = admin.limit_application(made.application.app_id, &["everywhere".to_owned()]).await.unwrap_err();
    assert_eq!(wrong.refused().unwrap().body().unwrap().field.as_deref(), Some("networks"));
    admin.revoke_application(made.application.app_id).await.unwrap();
    let listed = admin.applications().all(9).await.unwrap();
    assert_eq!((listed[0].networks.as_slice(), listed[0].revoked_at.is_some()), (&elsewhere[..], true));
    let wrong = NewApplication { networks: vec!["everywhere".to_owned()], ..NewApplication::new("terminal") };
    let wrong = admin.register_application(&wrong).await.unwrap_err();
    assert_eq!(wrong.refused().unwrap().body().unwrap().field.as_deref(), Some("networks"));
}

#[tokio::test]
async fn sessions_mails_and_the_audit_log() {
    let (app, root) = begin().await;
    let ann = app.user("ann").await;
    let opened = session(&app, "ann").await;
    let admin = root.admin();
    assert_eq!(admin.sessions().all(9).await.unwrap().len(), 2);
    admin.end_session(opened.info().id).await.unwrap();
    assert_eq!(problem(opened.show().await), "not-signed-in");

    let invited = admin.invite(&NewInvitation::new("eve@example.com")).await.unwrap();
    let again = admin.reissue_invitation(invited.invitation.handle).await.unwrap();
    assert_eq!(again.invitation.handle, invited.invitation.handle);
    assert_eq!(problem(admin.reissue_invitation(ann.id.to_string().parse().unwrap()).await), "not-found");
    client(&app).recover("ann").await.unwrap();
    let due = admin.mails().all(9).await.unwrap();
    assert_eq!((due[0].kind.as_str(), due[0].state), ("recovery", MailState::Due));
    assert_eq!(admin.retry_mail(due[0].id).await.unwrap().state, MailState::Due);
    let shown = admin.preview_mail(due[0].id).await.unwrap();
    assert!(shown.text.contains("NOT-SHOWN") && shown.html.contains("NOT-SHOWN") && !shown.subject.is_empty());
    app.deliver().await;
    assert_eq!(admin.mail(due[0].id).await.unwrap().state, MailState::Sent);
    assert_eq!(problem(admin.retry_mail(due[0].id).await), "conflict");

    let all = admin.audit(&AuditFilter::default()).limit(3).all(50).await.unwrap();
    let of_event = admin.audit(&AuditFilter::of_event("sign_in")).all(50).await.unwrap();
    assert!(!of_event.is_empty() && of_event.len() < all.len());
    assert!(of_event.iter().all(|entry| entry.event == "sign_in" && entry.dialect == "native"));
    let narrow =
        AuditFilter { outcome: Some("ok".to_owned()), dialect: Some("test".to_owned()), ..AuditFilter::of_event("user_created") };
    assert_eq!(admin.audit(&narrow).all(50).await.unwrap().len(), 2);
    let counts = admin.counts(CountedBy::Hour).await.unwrap();
    assert_eq!((counts.len(), counts[47].sign_ins, counts[47].refusals, counts[47].more), (48, 2, 0, false));
    assert_eq!(admin.counts(CountedBy::Day).await.unwrap().len(), 30);
    let of_user = admin.audit(&AuditFilter::of_user(ann.id.to_string().parse().unwrap())).all(50).await.unwrap();
    assert!(of_user.iter().any(|entry| entry.event == "sessions_ended" && entry.actor == root.user_id().to_string()));
}
