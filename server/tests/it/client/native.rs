//! `native::Client` and its sessions: `/auth/v1`.

use doorward::core::model::Role as CoreRole;
use doorward_client::native::{By, Client, Error, Factor, NewAccount, RecoveryConfirmation, Role, SessionStatus, Uuid};
use doorward_client::secrecy::{ExposeSecret as _, SecretString};

use super::{client, problem, session};
use crate::app::{OTHER_PASSWORD, PASSWORD};
use crate::authenticator::Authenticator;
use crate::flow_totp::Phone;
use crate::served::{Served, options};

#[tokio::test]
async fn signs_in_shows_and_signs_out() {
    let app = Served::new().await;
    let user = app.user("ann").await;
    let methods = client(&app).methods().await.unwrap();
    assert!(methods.password && methods.email_code && methods.passkey && methods.security_key && methods.totp);
    let session = session(&app, "ann").await;
    let me = session.show().await.unwrap();
    assert_eq!((me.user.id.to_string(), me.user.email.as_str()), (user.id.to_string(), "ann@example.com"));
    assert_eq!((me.user.role, me.user.email_verified), (Role::Member, true));
    assert_eq!((me.session.id, me.session.status), (session.info().id, SessionStatus::Full));
    assert_eq!((me.session.factors.as_slice(), me.session.assurance_level), ([Factor::Password].as_slice(), 1));
    assert_eq!(me.session.user_agent.as_deref(), Some(concat!("doorward-client/", env!("CARGO_PKG_VERSION"))));
    session.sign_out().await.unwrap();
    assert_eq!(problem(session.show().await), "not-signed-in");
    assert_eq!(problem(client(&app).sign_in("ann", &OTHER_PASSWORD.into()).await), "invalid-credentials");
}

#[tokio::test]
async fn a_passkey_signs_in() {
    let app = Served::new().await;
    app.user("ann").await;
    let mut key = Authenticator::passkey(1, &app.url);
    let made = session(&app, "ann").await;
    let answer = key.create(&made.start_key().await.unwrap());
    assert_eq!(made.finish_key("laptop", &answer).await.unwrap().passkey, Some(true));
    let answer = key.get(&client(&app).start_passkey().await.unwrap());
    let opened = client(&app).sign_in_with_passkey(&answer).await.unwrap().full().unwrap();
    assert_eq!(opened.info().factors, [Factor::SecurityKey, Factor::UserVerification]);
    assert_eq!(opened.info().assurance_level, 2);
    assert_eq!(problem(client(&app).sign_in_with_passkey(&answer).await), "webauthn-failed");
}

#[tokio::test]
async fn names_are_changed_and_history_is_read() {
    let app = Served::new().await;
    app.user("ann").await;
    let session = session(&app, "ann").await;
    let user = session.change_names(Some("Ann"), None).await.unwrap();
    assert_eq!((user.first_name.as_str(), user.last_name.as_str()), ("Ann", ""));
    let lines = session.history().limit(2).all(9).await.unwrap();
    let told: Vec<_> = lines.iter().map(|line| (line.event.as_str(), line.by)).collect();
    assert_eq!(told, [("profile_changed", By::Oneself), ("sign_in", By::Oneself), ("user_created", By::Administrator)]);
}

#[tokio::test]
async fn a_session_is_stored_and_taken_up_again() {
    let app = Served::new().await;
    app.user("ann").await;
    let opened = session(&app, "ann").await;
    let stored = opened.export();
    let again = client(&app).import(&stored).unwrap().full().unwrap();
    assert_eq!((again.info(), again.user_id()), (opened.info(), opened.user_id()));
    assert_eq!(again.show().await.unwrap().user.username, "ann");

    // Not at another server, not in another form.
    assert!(Client::with("http://localhost:1", &options()).unwrap().import(&stored).is_err());
    let text = stored.expose_secret();
    for bad in
        [String::new(), "{}".to_owned(), text.replace("\"doorward\":1", "\"doorward\":2"), text[..text.len() - 1].to_owned()]
    {
        assert!(client(&app).import(&bad.into()).is_err());
    }
}

#[tokio::test]
async fn a_mailed_code_signs_in() {
    let app = Served::new().await;
    app.user("ann").await;
    client(&app).request_code("ann@example.com").await.unwrap();
    let code = app.code("ann@example.com").await.into();
    let session = client(&app).sign_in_with_code("ann@example.com", &code).await.unwrap().full().unwrap();
    assert_eq!(session.info().factors, [Factor::EmailCode]);
}

#[tokio::test]
async fn sessions_are_listed_and_ended() {
    let app = Served::new().await;
    app.user("ann").await;
    let mut opened = Vec::new();
    for _ in 0..5 {
        opened.push(session(&app, "ann").await);
    }
    let first = &opened[0];
    let mut pages = first.sessions().limit(2);
    let mut sizes = Vec::new();
    let mut current = Vec::new();
    while let Some(page) = pages.next().await.unwrap() {
        sizes.push(page.len());
        current.extend(page.into_iter().filter(|session| session.current).map(|session| session.session.id));
    }
    assert_eq!((sizes.as_slice(), current.as_slice()), ([2, 2, 1].as_slice(), [first.info().id].as_slice()));
    assert!(pages.next().await.unwrap().is_none());
    assert_eq!(problem(first.sessions().limit(0).next().await), "invalid-parameters");

    first.end_session(opened[1].info().id).await.unwrap();
    assert_eq!(problem(first.end_session(opened[1].info().id).await), "not-found");
    assert_eq!(problem(first.end_session(Uuid::nil()).await), "not-found");
    assert_eq!(first.end_other_sessions().await.unwrap(), 3);
    assert_eq!(first.sessions().all(10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn changing_the_password_renews_the_token() {
    let app = Served::new().await;
    app.user("ann").await;
    let (mut session, other) = (session(&app, "ann").await, session(&app, "ann").await);
    let before = session.clone();
    assert_eq!(problem(session.change_password(&OTHER_PASSWORD.into(), &PASSWORD.into()).await), "invalid-credentials");
    let weak = session.change_password(&PASSWORD.into(), &"x".into()).await.unwrap_err();
    let weak = weak.refused().unwrap().body().unwrap();
    assert_eq!((weak.name(), weak.problems[0].code.as_str()), ("password-rejected", "too_short"));
    assert!(weak.problems[0].minimum.is_some_and(|minimum| minimum > 1));
    session.change_password(&PASSWORD.into(), &OTHER_PASSWORD.into()).await.unwrap();
    session.show().await.unwrap();
    assert_eq!(problem(before.show().await), "not-signed-in");
    assert_eq!(problem(other.show().await), "not-signed-in");
}

#[tokio::test]
async fn a_forgotten_password() {
    let app = Served::new().await;
    app.user("ann").await;
    client(&app).recover("ann").await.unwrap();
    let code: SecretString = app.query("ann@example.com", "code").await.into();
    let user_id = app.query("ann@example.com", "user_id").await.parse().ok();
    let confirmation = RecoveryConfirmation { code, password: OTHER_PASSWORD.into(), user_id };
    let of_another = RecoveryConfirmation { user_id: Some(Uuid::nil()), ..confirmation.clone() };
    assert_eq!(problem(client(&app).confirm_recovery(&of_another).await), "invalid-code");
    client(&app).confirm_recovery(&confirmation).await.unwrap();
    client(&app).sign_in("ann", &OTHER_PASSWORD.into()).await.unwrap();
}

#[tokio::test]
async fn security_keys() {
    let app = Served::new().await;
    app.user("ann").await;
    let mut key = app.authenticator(1);
    let opened = session(&app, "ann").await;
    let registered = opened.finish_key("first", &key.create(&opened.start_key().await.unwrap())).await.unwrap();
    opened.rename_key(registered.id, "yellow").await.unwrap();
    let keys = opened.keys().await.unwrap();
    assert_eq!(keys.iter().map(|key| (key.id, key.name.as_str())).collect::<Vec<_>>(), [(registered.id, "yellow")]);

    let half = client(&app).sign_in("ann", &PASSWORD.into()).await.unwrap().half().unwrap();
    assert_eq!((half.info().status, half.user_id()), (SessionStatus::Half, opened.user_id()));
    assert!(client(&app).import(&half.export()).unwrap().half().is_some());
    let answer = key.get(&half.start_key().await.unwrap());
    let mut full = half.finish_key(&answer).await.unwrap().full().unwrap();
    assert_eq!(full.info().factors, [Factor::Password, Factor::SecurityKey]);
    assert_eq!(problem(half.start_key().await), "not-signed-in", "its token is worth nothing any more");
    let before = full.clone();
    full.finish_key_proof(&key.get(&full.start_key_proof().await.unwrap())).await.unwrap();
    assert_eq!(problem(before.show().await), "not-signed-in");
    full.remove_key(registered.id).await.unwrap();
    assert!(full.keys().await.unwrap().is_empty());
    let replayed = full.finish_key_proof(&answer).await;
    assert!(matches!(replayed, Err(Error::Refused(_))));
}

#[tokio::test]
async fn authenticator_apps() {
    let app = Served::new().await;
    app.user("ann").await;
    let opened = session(&app, "ann").await;
    assert!(!opened.totp().await.unwrap().enrolled);
    let enrolment = opened.start_totp().await.unwrap();
    assert!(enrolment.uri.expose_secret().contains(enrolment.secret.expose_secret()));
    let phone = Phone::new(enrolment.secret.expose_secret());
    let code = || SecretString::from(phone.code(&app));
    assert!(opened.finish_totp(&code()).await.unwrap().enrolled);
    assert_eq!(problem(opened.start_totp().await), "second-factor-required");
    app.advance(std::time::Duration::from_secs(30));

    let half = client(&app).sign_in("ann", &PASSWORD.into()).await.unwrap().half().unwrap();
    assert_eq!(problem(half.start_key().await), "no-security-key");
    assert_eq!(problem(half.totp(&phone.wrong(&app).into()).await), "invalid-credentials");
    let mut full = half.totp(&code()).await.unwrap().full().unwrap();
    app.advance(std::time::Duration::from_secs(30));
    full.totp_proof(&code()).await.unwrap();
    assert_eq!(problem(full.start_totp().await), "conflict");
    full.remove_totp().await.unwrap();
    let another = client(&app).sign_in("ann", &PASSWORD.into()).await.unwrap().full().unwrap();
    another.sign_out().await.unwrap();
}

#[tokio::test]
async fn invitations() {
    let app = Served::new().await;
    app.user("ann").await;
    let secret = async |email: &str| SecretString::from(app.invite(email, CoreRole::Admin).await.secret.reveal());
    let (to_ann, to_bob) = (secret("ann@example.com").await, secret("bob@example.com").await);
    let open = client(&app).inspect_invitation(&to_bob).await.unwrap();
    assert_eq!((open.email.as_str(), open.role), ("bob@example.com", Role::Admin));
    let opened = session(&app, "ann").await;
    assert_eq!(problem(opened.accept_invitation(&to_bob).await), "invitation-for-another");
    assert_eq!(opened.accept_invitation(&to_ann).await.unwrap().role, Role::Admin);
    let account = NewAccount { id: to_bob, first_name: "Bob".to_owned(), last_name: String::new(), password: PASSWORD.into() };
    let made = client(&app).create_account(&account).await.unwrap();
    assert_eq!((made.email.as_str(), made.first_name.as_str()), ("bob@example.com", "Bob"));
    assert_eq!(problem(client(&app).create_account(&account).await), "invitation-not-found");
}
