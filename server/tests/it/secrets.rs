//! No answer carries a secret but the one that issues it: a whole run of all flows, and then a search of all that was answered.

use std::collections::BTreeMap;

use doorward::core::model::Role;
use serde_json::json;

use super::app::{Application, ORIGIN, OTHER_PASSWORD, PASSWORD, TestApp};
use super::authenticator::Authenticator;
use super::flow_totp;
use super::reply::{Ask, Reply};
use super::wires::{self, Wire};

/// All of an answer that a reader sees.
fn seen(reply: &Reply) -> String {
    let mut text = reply.text();
    for (name, value) in &reply.headers {
        text.push_str(&format!("\n{name}: {}", String::from_utf8_lossy(value.as_bytes())));
    }
    text
}

/// Texts of the form of a 256-bit secret.
fn secret_looking(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || "-_".contains(c)));
    words.filter(|word| word.len() == 43).map(str::to_owned).collect()
}

/// Every dialect's way in, and out.
async fn sign_in_everywhere(app: &TestApp) {
    for wire in Wire::ALL {
        let reply = app.send(wire.sign_in("ann", PASSWORD)).await.expect(200);
        let token = wire.token(&reply);
        app.send(wire.sign_in("ann", OTHER_PASSWORD)).await.expect(wire.refused());
        wires::is_full_everywhere(app, &token).await;
        app.send(Ask::get("/auth/v1/sessions").bearer(&token)).await.expect(200);
        app.send(Ask::delete("/auth/v1/session").bearer(&token)).await.expect(204);
    }
}

/// Everything about an application, as its administrator and as it sees it itself.
async fn applications(app: &TestApp, root: &str, application: &Application) {
    let made = app.send(Ask::post("/admin/v1/applications").bearer(root).json(&json!({"name": "Other"}))).await.expect(201);
    let id = made.at("/app_id");
    app.send(Ask::post(format!("/admin/v1/applications/{id}/rotate")).bearer(root)).await.expect(200);
    app.send(Ask::delete(format!("/admin/v1/applications/{id}")).bearer(root)).await.expect(204);
    app.send(application.sign(Ask::get("/apim/session/1.0/session/init").header("userid", "ann"))).await.expect(200);
    let one_time_token = application.login(app, "ann", PASSWORD).await.expect(200).at("/Success/oneTimeToken");
    let code = app.code("ann@example.com").await;
    application.access_code(app, "ann", &one_time_token, "AAAA22").await.expect(401);
    let opened = application.access_code(app, "ann", &one_time_token, &code).await.expect(200).at("/Success/sessionToken");
    application.access_code(app, "ann", &one_time_token, &code).await.expect(401);
    app.send(wires::kotak_sign_out(application, "ann", &opened)).await.expect(200);
    app.send(wires::kotak_sign_out(application, "ann", &opened)).await.expect(401);
}

/// Mails, asked for in every dialect and used in one.
async fn mails(app: &TestApp, root: &str) {
    for ask in [
        Ask::post("/v1/passwords/reset").json(&json!({"email": "ann@example.com"})),
        Ask::post("/v1/passwords/reset").json(&json!({"email": "ann@example.com", "delivery": "return", "returnCode": true})),
        Ask::get("/api/v1/forgotten-password?username=ann&returnCode=true"),
        Ask::get("/api/v1/request-code/ann%40example.com"),
        Ask::post("/auth/v1/recovery").json(&json!({"identifier": "ann"})),
        Ask::post("/auth/v1/sign-in/code/request").json(&json!({"email": "ann@example.com"})),
        Ask::post("/admin/v1/users/ann/recovery").bearer(root),
    ] {
        app.send(ask).await;
        app.deliver().await;
    }
    app.send(Ask::post("/auth/v1/recovery").json(&json!({"identifier": "ann"}))).await.expect(202);
    let link = app.query("ann@example.com", "code").await;
    app.send(Ask::post("/auth/v1/sign-in/code/request").json(&json!({"email": "ann@example.com"}))).await.expect(202);
    let code = app.code("ann@example.com").await;
    let body = json!({"email": "ann@example.com", "code": code});
    app.send(Ask::post("/auth/v1/sign-in/code").json(&body)).await.expect(200);
    app.send(Ask::post("/auth/v1/sign-in/code").json(&body)).await.expect(401);
    for password in ["weak", OTHER_PASSWORD, OTHER_PASSWORD] {
        app.send(Ask::post("/api/v1/reset-password").json(&json!({"token": link, "password": password}))).await;
    }
    let full = app.sign_in("ann", OTHER_PASSWORD).await.expect(200).at("/token");
    let body = json!({"current_password": OTHER_PASSWORD, "new_password": PASSWORD});
    app.send(Ask::post("/auth/v1/password").bearer(&full).json(&body)).await.expect(200);
}

/// Invitations: made over the wire and beside it, looked at, refused, used.
async fn invitations(app: &TestApp, root: &str) {
    let body = json!({"email": "new@example.com", "role": "member"});
    app.send(Ask::post("/admin/v1/invitations").bearer(root).json(&body)).await.expect(201);
    let id = app.invite("other@example.com", Role::Member).await.secret.reveal().to_owned();
    app.deliver().await;
    app.send(Ask::post("/auth/v1/invitations/inspect").json(&json!({"id": id}))).await.expect(200);
    let create = |password: &str| {
        let body = json!({"firstName": "N", "lastName": "O", "password": password});
        Ask::post(format!("/api/v1/invitation/create/{id}")).json(&body)
    };
    app.send(create("weak")).await.expect(422);
    app.send(create(PASSWORD)).await.expect(200);
    app.send(create(PASSWORD)).await.expect(404);
}

/// Second factors: enrolled, used, listed, removed.
async fn factors(app: &TestApp) {
    let mut token = app.token("ann").await;
    let phone = flow_totp::enrol(app, &token).await;
    flow_totp::start(app, &token).await;
    app.send(Ask::get("/auth/v1/totp").bearer(&token)).await.expect(200);
    token = flow_totp::present(app, &token, &phone.code(app)).await.expect(200).at("/token");
    app.advance(std::time::Duration::from_secs(30));
    let mut key = Authenticator::new(9, ORIGIN);
    wires::kraken_register(app, &token, "first", &mut key).await.expect(200);
    token = wires::kraken_step_up(app, &token, &mut key).await.expect(200).cookie().unwrap();
    let id = app.send(Ask::get("/auth/v1/keys").bearer(&token)).await.expect(200).at("/items/0/id");
    flow_totp::present(app, &token, "000000").await.expect(401);
    app.send(Ask::delete("/auth/v1/totp").bearer(&token)).await.expect(204);
    app.send(Ask::delete(format!("/auth/v1/keys/{id}")).bearer(&token)).await.expect(204);
}

/// What an administrator can read afterwards.
async fn read_all(app: &TestApp, root: &str) {
    for list in ["users", "invitations", "applications", "sessions", "mail", "audit", "users/ann", "users/ann/sessions"] {
        app.send(Ask::get(format!("/admin/v1/{list}")).bearer(root)).await.expect(200);
    }
    let mails = app.send(Ask::get("/admin/v1/mail?limit=200").bearer(root)).await.expect(200).json();
    for mail in mails["items"].as_array().unwrap() {
        let id = mail["id"].as_str().unwrap();
        app.send(Ask::get(format!("/admin/v1/mail/{id}")).bearer(root)).await.expect(200);
        app.send(Ask::get(format!("/admin/v1/mail/{id}/preview")).bearer(root)).await.expect(200);
    }
}

#[tokio::test]
async fn no_answer_carries_a_secret_but_the_one_that_issues_it() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let root = app.administrator().await;
    let application = app.application(true, &[]).await;
    sign_in_everywhere(&app).await;
    applications(&app, &root, &application).await;
    mails(&app, &root).await;
    invitations(&app, &root).await;
    factors(&app).await;
    let (_, mut passkey) = app.user_with_passkey("pass").await;
    let answer = passkey.get(&app.passkey_options().await);
    let token = app.sign_in_with_passkey(&answer).await.expect(200).at("/token");
    app.send(Ask::get("/auth/v1/history").bearer(&token)).await.expect(200);
    read_all(&app, &root).await;

    let answers: Vec<(String, String)> = app.answers().iter().map(|(path, reply)| (path.clone(), seen(reply))).collect();
    assert!(answers.len() > 100);
    // Tokens, one-time tokens, application secrets, challenges: each in one answer.
    let mut carriers: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (place, (_, text)) in answers.iter().enumerate() {
        for secret in secret_looking(text) {
            carriers.entry(secret).or_default().push(place);
        }
    }
    assert!(carriers.len() > 20, "{}", carriers.len());
    for places in carriers.values_mut() {
        places.dedup();
        let paths: Vec<_> = places.iter().map(|place| &answers[*place].0).collect();
        assert_eq!(places.len(), 1, "a secret stands in the answers of {paths:?}");
    }
    // What was mailed, typed or handed over otherwise: in none.
    let mut hidden = vec![PASSWORD.to_owned(), OTHER_PASSWORD.to_owned()];
    hidden.push(application.0.consumer_key.reveal().to_owned());
    hidden.push(application.0.access_token.reveal().to_owned());
    let mut invited = Vec::new();
    for mail in app.mails("@example.com").await {
        hidden.extend(mail.code());
        hidden.extend(mail.query("code"));
        hidden.extend(mail.query("token"));
        invited.extend(mail.query("id"));
    }
    // Whoever invites is told the link once, where it was asked for over the wire.
    for id in invited {
        let told: Vec<_> = answers.iter().filter(|(_, text)| text.contains(&id)).map(|(path, _)| path.as_str()).collect();
        assert!(told.is_empty() || told == ["/admin/v1/invitations"], "{told:?}");
    }
    assert!(hidden.len() > 10, "{}", hidden.len());
    for secret in hidden {
        let told: Vec<_> = answers.iter().filter(|(_, text)| text.contains(&secret)).map(|(path, _)| path).collect();
        assert!(told.is_empty(), "what was mailed or typed stands in the answers of {told:?}");
    }
    // A seed is told to whoever enrols it, and in a form of its own.
    let seeds: Vec<_> = answers.iter().filter(|(_, text)| text.contains("otpauth://")).map(|(path, _)| path.as_str()).collect();
    assert_eq!(seeds, ["/auth/v1/totp/start"]);
}
