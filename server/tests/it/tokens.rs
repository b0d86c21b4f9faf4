//! Every kind of token at every endpoint that takes one: only its own accepts it, and a refused one stays good.

use doorward::core::model::Role;
use serde_json::json;

use super::app::{Application, ORIGIN, OTHER_PASSWORD, PASSWORD, TestApp};
use super::authenticator::Authenticator;
use super::browser;
use super::reply::Ask;

/// Every secret that the server issues, for one user.
struct Issued {
    kinds: Vec<(&'static str, String)>,
    /// What answers challenges.
    passkey: Authenticator,
}

async fn issue(app: &TestApp, application: &Application) -> Issued {
    let user = app.user("ann").await;
    let session = app.token("ann").await;
    let half = {
        let (_, _) = app.user_with_key("key").await;
        app.token("key").await
    };
    app.send(Ask::post("/v1/passwords/reset").json(&json!({"email": "ann@example.com"}))).await.expect(202);
    let recovery = app.query("ann@example.com", "code").await;
    app.send(Ask::get("/api/v1/request-code/ann@example.com")).await.expect(200);
    let login_code = app.code("ann@example.com").await;
    let one_time_token = application.login(app, "ann", PASSWORD).await.expect(200).at("/Success/oneTimeToken");
    let access_code = app.code("ann@example.com").await;
    let invitation = app.invite("new@example.com", Role::Member).await.secret.reveal().to_owned();
    let challenge = app.send(Ask::post("/auth/v1/keys/start").bearer(&session)).await.expect(200).at("/publicKey/challenge");
    let (_, mut passkey) = app.user_with_passkey("pass").await;
    passkey.counter = 1;
    let passkey_challenge = app.passkey_options().await["publicKey"]["challenge"].as_str().unwrap().to_owned();
    Issued {
        passkey,
        kinds: vec![
            ("session", session),
            ("half session", half),
            ("recovery", recovery),
            ("login code", login_code),
            ("one-time token", one_time_token),
            ("access code", access_code),
            ("invitation", invitation),
            ("challenge", challenge),
            ("passkey challenge", passkey_challenge),
            ("consumer key", application.0.consumer_key.reveal().to_owned()),
            ("access token", application.0.access_token.reveal().to_owned()),
            ("app id", application.0.application.id.to_string()),
            ("user id", user.id.to_string()),
        ],
    }
}

/// Every endpoint that takes a token, with the kinds that it accepts.
fn endpoints(
    application: &Application,
    token: &str,
    user_id: &str,
    passkey: &Authenticator,
) -> Vec<(&'static str, Ask, &'static [&'static str])> {
    let answered = json!({"credential": passkey.get_again(&json!({"publicKey": {"challenge": token, "rpId": "localhost"}}))});
    let account = json!({"firstName": "N", "lastName": "O", "password": PASSWORD});
    let own_account = json!({"id": token, "first_name": "N", "last_name": "O", "password": PASSWORD});
    let foreign = || Ask::get("/apim/session/1.0/session/init").header("userid", "ann").header("ip", "192.0.2.9");
    let second_step = |one_time_token: &str, code: &str| {
        let ask = Ask::post("/apim/session/1.0/session/2FA/accesscode").json(&json!({"userid": "ann", "accessCode": code}));
        application.sign(ask).header("oneTimeToken", one_time_token)
    };
    vec![
        ("native session", Ask::get("/auth/v1/session").bearer(token), &["session"]),
        ("native cookie", Ask::get("/auth/v1/session").cookie("doorward", token), &["session"]),
        ("native forward", Ask::get("/auth/v1/forward").bearer(token), &["session"]),
        ("native keys", Ask::post("/auth/v1/keys/start").bearer(token), &["session"]),
        ("native authenticator app", Ask::post("/auth/v1/totp/start").bearer(token), &["session"]),
        ("native second factor", Ask::post("/auth/v1/second-factor/start").bearer(token), &["half session"]),
        ("native passkey sign-in", Ask::post("/auth/v1/sign-in/passkey").json(&answered), &["passkey challenge"]),
        ("kraken test", Ask::get("/api/v1/auth/test").cookie("doorward", token), &["session"]),
        ("kraken start", Ask::post("/api/v1/auth/startAuth").cookie("doorward", token), &["half session"]),
        ("admin", Ask::get("/admin/v1/users").bearer(token), &[]),
        (
            "kalshi confirm",
            Ask::put(format!("/v1/passwords/reset/{token}/confirm"))
                .json(&json!({"password": OTHER_PASSWORD, "user_id": user_id})),
            &["recovery"],
        ),
        (
            "kestra reset",
            Ask::post("/api/v1/reset-password").json(&json!({"token": token, "password": OTHER_PASSWORD})),
            &["recovery"],
        ),
        (
            "native confirm",
            Ask::post("/auth/v1/recovery/confirm").json(&json!({"code": token, "password": OTHER_PASSWORD})),
            &["recovery"],
        ),
        ("page reset", browser::form("/reset", &[("token", token), ("password", OTHER_PASSWORD)]), &["recovery"]),
        ("page account", Ask::get("/account").cookie("doorward", token), &["session"]),
        ("page second factor", Ask::get("/second-factor").cookie("doorward", token), &["half session"]),
        ("page reset shown", Ask::get(format!("/reset?token={token}")), &["recovery"]),
        ("kestra sign-in", Ask::post("/login").json(&json!({"username": "ann", "password": token})), &["login code"]),
        (
            "native code sign-in",
            Ask::post("/auth/v1/sign-in/code").json(&json!({"email": "ann@example.com", "code": token})),
            &["login code"],
        ),
        (
            "native password sign-in",
            Ask::post("/auth/v1/sign-in/password").json(&json!({"identifier": "ann", "password": token})),
            &[],
        ),
        ("kalshi sign-in", Ask::post("/v1/log_in").json(&json!({"email": "ann@example.com", "password": token})), &[]),
        ("kraken sign-in", Ask::post("/api/v1/auth/login").json(&json!({"username": "ann", "password": token})), &[]),
        ("kestra invitation", Ask::post(format!("/api/v1/invitation/create/{token}")).json(&account), &["invitation"]),
        ("native invitation", Ask::post("/auth/v1/invitations/account").json(&own_account), &["invitation"]),
        ("page invitation shown", Ask::get(format!("/invitation?id={token}")), &["invitation"]),
        ("kotak one-time token", second_step(token, "ABC234"), &[]),
        (
            "kotak session token",
            application
                .sign(Ask::delete("/apim/session/1.0/session/logout"))
                .header("sessionToken", token)
                .header("userid", "ann"),
            &[],
        ),
        (
            "kotak access token",
            foreign()
                .bearer(token)
                .header("consumerKey", application.0.consumer_key.reveal())
                .header("appId", application.0.application.id.to_string()),
            &["access token"],
        ),
        (
            "kotak consumer key",
            foreign()
                .bearer(application.0.access_token.reveal())
                .header("consumerKey", token)
                .header("appId", application.0.application.id.to_string()),
            &["consumer key"],
        ),
        (
            "kotak app id",
            foreign()
                .bearer(application.0.access_token.reveal())
                .header("consumerKey", application.0.consumer_key.reveal())
                .header("appId", token),
            &["app id"],
        ),
    ]
}

#[tokio::test]
async fn a_token_opens_its_own_door_only() {
    let probe = TestApp::new().await;
    let application = probe.application(false, &[]).await;
    let count = endpoints(&application, "", "", &Authenticator::passkey(1, ORIGIN)).len();
    let mut refused = 0;
    for endpoint in 0..count {
        let app = TestApp::new().await;
        let application = app.application(false, &[]).await;
        let issued = issue(&app, &application).await;
        let user_id = issued.kinds.last().unwrap().1.clone();
        for (kind, token) in &issued.kinds {
            let (name, ask, accepts) = endpoints(&application, token, &user_id, &issued.passkey).swap_remove(endpoint);
            let status = app.send(ask).await.status;
            // A page's form that succeeds leads on.
            let accepted = status.is_success() || (name == "page reset" && status == 303);
            assert_eq!(accepted, accepts.contains(kind), "{kind} at {name}: {status}");
            refused += usize::from(!accepted);
        }
    }
    assert!(refused > 250);
}
