//! The outbox: what is promised is kept, whatever happens between the promise and the mail.

use std::time::Duration;

use doorward::core::flows::authority::Authority;
use doorward::core::flows::{delivery, invitations, mails, users};
use doorward::core::model::{Email, MailKind, MailState, Page, PersonName, Role, Username};
use serde_json::json;

use super::app::{OTHER_PASSWORD, PASSWORD, TestApp};
use super::reply::Ask;

async fn list(app: &TestApp) -> Vec<doorward::core::model::Mail> {
    mails::list(app.core(), Authority::operator(), Page::new(None, None)).await.unwrap().items
}

#[tokio::test]
async fn a_worker_that_dies_with_a_mail_in_hand_loses_none() {
    let app = TestApp::new().await;
    app.user("ann").await;
    app.send(Ask::get("/api/v1/forgotten-password?username=ann")).await.expect(200);
    app.advance(Duration::from_secs(1));
    // Claimed and prepared, and then the process is gone.
    let claimed = delivery::claim(app.core(), &app.call(), 8).await.unwrap();
    delivery::prepare(app.core(), &app.call(), &claimed[0]).await.unwrap().unwrap();
    drop(claimed);
    let app = app.restarted().await;
    assert!(app.mails("ann@example.com").await.is_empty(), "its lease still runs");
    app.advance(Duration::from_secs(10));
    let mail = app.mail("ann@example.com").await;
    let token = mail.query("token").unwrap();
    app.send(Ask::post("/api/v1/reset-password").json(&json!({"token": token, "password": OTHER_PASSWORD}))).await.expect(200);
}

#[tokio::test]
async fn a_mail_in_hand_is_not_sent_by_another_worker() {
    let app = TestApp::new().await;
    app.user("ann").await;
    app.send(Ask::get("/api/v1/forgotten-password?username=ann")).await.expect(200);
    app.advance(Duration::from_secs(1));
    let claimed = delivery::claim(app.core(), &app.call(), 8).await.unwrap();
    for _ in 0..5 {
        app.advance(Duration::from_secs(9));
        delivery::hold(app.core(), &app.call(), claimed[0].mail()).await.unwrap();
        assert!(delivery::claim(app.core(), &app.call(), 8).await.unwrap().is_empty());
    }
    app.advance(Duration::from_secs(10));
    assert_eq!(delivery::claim(app.core(), &app.call(), 8).await.unwrap().len(), 1);
    // The first worker has lost the mail: what it says no longer counts.
    delivery::hold(app.core(), &app.call(), claimed[0].mail()).await.unwrap();
    app.advance(Duration::from_secs(10));
    assert_eq!(delivery::claim(app.core(), &app.call(), 8).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_worker_that_has_lost_a_mail_decides_nothing_about_it() {
    let app = TestApp::new().await;
    app.user("ann").await;
    app.send(Ask::get("/api/v1/forgotten-password?username=ann")).await.expect(200);
    app.advance(Duration::from_secs(1));
    let slow = delivery::claim(app.core(), &app.call(), 8).await.unwrap();
    app.advance(Duration::from_secs(10));
    let quick = delivery::claim(app.core(), &app.call(), 8).await.unwrap();
    let (slow, quick) = (slow[0].mail(), quick[0].mail());
    assert_eq!(slow.id, quick.id);
    let held = list(&app).await.remove(0);
    delivery::postponed(app.core(), &app.call(), slow, "451 later").await.unwrap();
    delivery::failed(app.core(), &app.call(), slow, "550 never").await.unwrap();
    delivery::sent(app.core(), &app.call(), slow).await.unwrap();
    let kept = list(&app).await.remove(0);
    assert_eq!((kept.state, kept.due_at, kept.error), (MailState::Due, held.due_at, None));
    delivery::sent(app.core(), &app.call(), quick).await.unwrap();
    delivery::postponed(app.core(), &app.call(), quick, "451 later").await.unwrap();
    assert_eq!(list(&app).await.remove(0).state, MailState::Sent);
}

#[tokio::test]
async fn a_worker_that_has_lost_a_mail_makes_no_secret_for_it() {
    let app = TestApp::new().await;
    app.user("ann").await;
    for request in ["/api/v1/forgotten-password?username=ann", "/api/v1/request-code/ann%40example.com"] {
        app.send(Ask::get(request)).await.expect(200);
    }
    app.application(false, &[]).await.login(&app, "ann", PASSWORD).await.expect(200);
    app.advance(Duration::from_secs(1));
    let slow = delivery::claim(app.core(), &app.call(), 8).await.unwrap();
    app.advance(Duration::from_secs(10));
    let quick = delivery::claim(app.core(), &app.call(), 8).await.unwrap();
    assert_eq!((slow.len(), quick.len()), (3, 3));
    for claimed in &quick {
        delivery::prepare(app.core(), &app.call(), claimed).await.unwrap().unwrap();
    }
    let tickets = || app.database().rows("SELECT * FROM tickets ORDER BY id");
    let sent = tickets().await;
    for claimed in &slow {
        assert!(delivery::prepare(app.core(), &app.call(), claimed).await.unwrap().is_none());
    }
    assert_eq!(tickets().await, sent, "what the other worker sends stays good");
    assert!(list(&app).await.iter().all(|mail| mail.state == MailState::Due));
}

#[tokio::test]
async fn a_mail_that_cannot_go_waits_longer_each_time_and_is_given_up_after_a_day() {
    let app = TestApp::new().await;
    app.user("ann").await;
    app.send(Ask::get("/api/v1/forgotten-password?username=ann")).await.expect(200);
    app.advance(Duration::from_secs(1));
    let mut waits = Vec::new();
    let last = loop {
        let claimed = delivery::claim(app.core(), &app.call(), 8).await.unwrap();
        let mail = claimed.first().unwrap().mail().clone();
        delivery::prepare(app.core(), &app.call(), &claimed[0]).await.unwrap().unwrap();
        delivery::postponed(app.core(), &app.call(), &mail, "451 later").await.unwrap();
        let mail = list(&app).await.remove(0);
        if mail.state != MailState::Due {
            break mail;
        }
        assert_eq!(mail.error.as_deref(), Some("451 later"));
        let wait = mail.due_at.since(app.now());
        waits.push(wait.as_secs());
        app.advance(wait);
    };
    assert_eq!(last.state, MailState::Failed);
    assert!(last.error.unwrap().contains("given up after a day"));
    assert!(waits.windows(2).all(|pair| pair[0] <= pair[1]), "{waits:?}");
    let total: u64 = waits.iter().sum();
    assert!((86_400..=90_000).contains(&total), "{total}");
    // An operator may try once more; the link is a fresh one.
    mails::retry(app.core(), &app.call(), Authority::operator(), last.id).await.unwrap();
    let token = app.query("ann@example.com", "token").await;
    app.send(Ask::post("/api/v1/reset-password").json(&json!({"token": token, "password": OTHER_PASSWORD}))).await.expect(200);
}

#[tokio::test]
async fn no_secret_of_a_mail_is_at_rest() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let application = app.application(false, &[]).await;
    app.send(Ask::get("/api/v1/forgotten-password?username=ann")).await.expect(200);
    app.send(Ask::get("/api/v1/request-code/ann%40example.com")).await.expect(200);
    let one_time_token = application.login(&app, "ann", PASSWORD).await.expect(200).at("/Success/oneTimeToken");
    let invited = app.invite("new@example.com", Role::Member).await;
    let mut secrets: Vec<String> = Vec::new();
    for mail in app.mails("@example.com").await {
        secrets.extend(mail.code());
        secrets.extend(mail.query("token").or_else(|| mail.query("id")));
    }
    assert_eq!(secrets.len(), 4);
    secrets.extend([one_time_token, invited.secret.reveal().to_owned(), app.token("ann").await, PASSWORD.to_owned()]);
    secrets.push(application.0.consumer_key.reveal().to_owned());
    secrets.push(application.0.access_token.reveal().to_owned());
    let tables =
        ["users", "passwords", "security_keys", "applications", "sessions", "tickets", "invitations", "limits", "mails", "audit"];
    for table in tables {
        for row in app.database().rows(&format!("SELECT * FROM {table}")).await {
            let text = format!("{row:?}");
            for secret in &secrets {
                assert!(!text.contains(secret.as_str()), "{table} keeps a secret: {text}");
            }
        }
    }
}

#[tokio::test]
async fn a_mail_for_nobody_is_voided_and_forgotten() {
    let app = TestApp::new().await;
    app.send(Ask::get("/api/v1/forgotten-password?username=nobody")).await.expect(200);
    app.deliver().await;
    let mail = list(&app).await.remove(0);
    assert_eq!((mail.state, mail.recipient), (MailState::Void, None));
    app.advance(Duration::from_secs(31 * 24 * 60 * 60));
    app.sweep().await;
    assert!(list(&app).await.is_empty());
}

#[tokio::test]
async fn notices_tell_the_owner_of_changes() {
    let app = TestApp::new().await;
    let (_, mut key) = app.user_with_key("ann").await;
    let token = app.token_with_key("ann", &mut key).await;
    let keys = app.send(Ask::get("/auth/v1/keys").bearer(&token)).await.json();
    let id = keys["items"][0]["id"].as_str().unwrap().to_owned();
    app.send(Ask::delete(format!("/auth/v1/keys/{id}")).bearer(&token)).await.expect(204);
    let body = json!({"current_password": PASSWORD, "new_password": OTHER_PASSWORD});
    app.send(Ask::post("/auth/v1/password").bearer(&token).json(&body)).await.expect(200);
    let mails = app.mails("ann@example.com").await;
    assert_eq!(mails.len(), 3);
    assert_eq!(mails.iter().filter(|mail| mail.text.contains("first")).count(), 2, "the key is named where it came and went");
    assert!(mails.iter().all(|mail| mail.code().is_none()));
}

#[tokio::test]
async fn the_metrics_show_how_many_mails_wait() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let waiting =
        async || app.metrics().await.lines().find_map(|line| line.strip_prefix("doorward_mails_waiting ")?.parse().ok());
    assert_eq!(waiting().await, Some(0.0));
    app.send(Ask::get("/api/v1/forgotten-password?username=ann")).await.expect(200);
    assert_eq!(waiting().await, Some(1.0));
    app.deliver().await;
    assert_eq!(waiting().await, Some(0.0));
}

#[tokio::test]
async fn an_invitation_says_how_long_it_is_good_itself() {
    let app = TestApp::new().await;
    let token = app.administrator().await;
    let hour = json!({"email": "bob@example.com", "expires_in": "61m"});
    app.send(Ask::post("/admin/v1/invitations").bearer(&token).json(&hour)).await.expect(201);
    app.invite("cid@example.com", Role::Member).await;
    // What is left when it goes out counts, not what was decided.
    app.advance(Duration::from_secs(59));
    let text = app.mail("bob@example.com").await.text;
    assert!(text.contains("It works once, for 1 hour after it was sent"), "{text}");
    let text = app.mail("cid@example.com").await.text;
    assert!(text.contains(&format!("for {} minutes after it was sent", 7 * 24 * 60 - 1)), "{text}");
}

#[tokio::test]
async fn an_invitation_that_is_closed_before_it_goes_out_does_not() {
    for closed in ["revoked", "used", "expired"] {
        let app = TestApp::new().await;
        let hour = Duration::from_secs(60 * 60);
        let email = Email::parse("bob@example.com").unwrap();
        let (core, call, operator) = (app.core(), app.call(), Authority::operator());
        let invited = invitations::create(core, &call, operator, email, Role::Member, Some(hour)).await.unwrap();
        match closed {
            "revoked" => invitations::revoke(core, &call, operator, invited.invitation.id).await.unwrap(),
            "used" => {
                let body = json!({"firstName": "B", "lastName": "", "password": PASSWORD});
                let create = format!("/api/v1/invitation/create/{}", invited.secret.reveal());
                app.send(Ask::post(create).json(&body)).await.expect(200);
            }
            _ => app.advance(hour),
        }
        assert!(app.mails("bob@example.com").await.iter().all(|mail| mail.link().is_none()), "{closed}");
        let mail = list(&app).await.into_iter().find(|mail| mail.kind == MailKind::Invitation).unwrap();
        assert_eq!(mail.state, MailState::Void, "{closed}");
    }
}

#[tokio::test]
async fn a_name_is_what_it_was_asked_as() {
    let app = TestApp::new().await;
    app.user("ann").await;
    // This API takes an address: what is none is refused, and a username is none.
    for none in ["ann", "a nn@example.com", "ann@exam ple.com", "ann@@example.com", " "] {
        app.send(Ask::post("/v1/passwords/reset").json(&json!({"email": none}))).await.expect(400);
    }
    for none in ["ann", "a%20nn%40exam%20ple.com", "ann%40%40example.com"] {
        app.send(Ask::get(format!("/api/v1/request-code/{none}"))).await.expect(200);
    }
    for none in ["ann", "a nn@exam ple.com", "@ann@example.com"] {
        let body = json!({"email": none});
        assert!(!app.send(Ask::post("/auth/v1/sign-in/code/request").json(&body)).await.status.is_server_error());
    }
    for none in ["a nn", "a nn@exam ple.com", "email ann@example.com", "username ann"] {
        app.send(Ask::post("/auth/v1/recovery").json(&json!({"identifier": none}))).await.expect(202);
    }
    assert!(app.mails("ann").await.is_empty());
    for username in ["ann", "ANN", "ann%40example.com", "Ann%40Example.COM"] {
        let before = app.mails("ann@example.com").await.len();
        app.send(Ask::get(format!("/api/v1/forgotten-password?username={username}"))).await.expect(200);
        assert_eq!(app.mails("ann@example.com").await.len(), before + 1, "{username}");
    }
}

#[tokio::test]
async fn an_address_whose_canonical_form_is_none_gets_its_mail() {
    // Canonical forms: `ann(1)`, which no address may begin with, and `ann`.
    for address in ["ann⑴@example.com", "ａｎｎ@example.com"] {
        let app = TestApp::new().await;
        let new = users::NewUser {
            username: Username::parse("ann").unwrap(),
            email: Email::parse(address).unwrap(),
            first_name: PersonName::default(),
            last_name: PersonName::default(),
            role: Role::Member,
            verified: true,
            password: None,
        };
        users::create(app.core(), &app.call(), Authority::operator(), new).await.unwrap();
        app.send(Ask::post("/v1/passwords/reset").json(&json!({"email": address}))).await.expect(202);
        app.send(Ask::post("/auth/v1/sign-in/code/request").json(&json!({"email": address}))).await.expect(202);
        app.send(Ask::get("/api/v1/forgotten-password?username=ann")).await.expect(200);
        app.deliver().await;
        let mails = list(&app).await;
        assert_eq!(mails.len(), 3);
        for mail in mails {
            assert_eq!((mail.state, mail.recipient.as_deref()), (MailState::Sent, Some(address)), "{:?}", mail.error);
        }
    }
}

#[tokio::test]
async fn strangers_cannot_use_up_what_an_administrator_sends() {
    let app = TestApp::limited(&[("limits.mail_address.burst", "1")]).await;
    app.user("ann").await;
    let root = app.administrator().await;
    let before = {
        app.send(Ask::get("/api/v1/forgotten-password?username=ann")).await.expect(200);
        app.mails("ann@example.com").await.len()
    };
    for _ in 0..2 {
        app.send(Ask::post("/admin/v1/users/ann/recovery").bearer(&root)).await.expect(202);
        app.deliver().await;
    }
    assert_eq!(app.mails("ann@example.com").await.len(), before + 2);
    let code = app.query("ann@example.com", "code").await;
    app.send(Ask::post("/auth/v1/recovery/confirm").json(&json!({"code": code, "password": OTHER_PASSWORD}))).await.expect(204);
}
