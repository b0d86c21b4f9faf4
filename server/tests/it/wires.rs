//! Each flow, as each dialect that offers it asks for it.

use serde_json::json;

use super::app::{Application, TestApp};
use super::authenticator::Authenticator;
use super::reply::{Ask, Reply};

/// A way to sign in with a password that answers with a session at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    Native,
    Kalshi,
    KalshiV2,
    Kraken,
    KestraJson,
    KestraForm,
}

impl Wire {
    pub(crate) const ALL: [Self; 6] =
        [Self::Native, Self::Kalshi, Self::KalshiV2, Self::Kraken, Self::KestraJson, Self::KestraForm];

    /// Signing in with `name@example.com`, so that every dialect asks the same.
    pub(crate) fn sign_in(self, name: &str, password: &str) -> Ask {
        let email = format!("{name}@example.com");
        match self {
            Self::Native => Ask::post("/auth/v1/sign-in/password").json(&json!({"identifier": email, "password": password})),
            Self::Kalshi => Ask::post("/v1/log_in").json(&json!({"email": email, "password": password})),
            Self::KalshiV2 => Ask::post("/trade-api/v2/login").json(&json!({"email": email, "password": password})),
            Self::Kraken => Ask::post("/api/v1/auth/login").json(&json!({"username": email, "password": password})),
            Self::KestraJson => Ask::post("/login").json(&json!({"username": email, "password": password})),
            Self::KestraForm => Ask::post("/login").form(&[("username", &email), ("password", password)]),
        }
    }

    /// The token that a sign-in answered.
    pub(crate) fn token(self, reply: &Reply) -> String {
        match self {
            Self::Native | Self::Kalshi | Self::KalshiV2 => reply.at("/token"),
            Self::Kraken | Self::KestraJson | Self::KestraForm => reply.cookie().unwrap(),
        }
    }

    /// The status of a refusal for wrong credentials.
    pub(crate) const fn refused(self) -> u16 {
        match self {
            Self::Kraken => 400,
            Self::Native | Self::Kalshi | Self::KalshiV2 | Self::KestraJson | Self::KestraForm => 401,
        }
    }
}

/// Every way to ask whether a session is full; `true` if it is.
pub(crate) async fn is_full_everywhere(app: &TestApp, token: &str) -> Vec<bool> {
    let asks = [
        Ask::get("/auth/v1/session").bearer(token),
        Ask::get("/auth/v1/session").cookie("doorward", token),
        Ask::get("/auth/v1/session").cookie("sessions", token),
        Ask::get("/auth/v1/keys").bearer(token),
        Ask::get("/auth/v1/sessions").bearer(token),
        Ask::get("/api/v1/auth/test").cookie("doorward", token),
        Ask::get("/api/v1/auth/test").cookie("sessions", token),
    ];
    let mut answers = Vec::new();
    for ask in asks {
        answers.push(app.send(ask).await.status.is_success());
    }
    // An unknown invitation: 404 to who is signed in, 401 or 403 to who is not.
    for ask in [
        Ask::post("/api/v1/invitation/accept/unknown").cookie("doorward", token),
        Ask::post("/auth/v1/invitations/accept").bearer(token).json(&json!({"id": "unknown"})),
    ] {
        answers.push(app.send(ask).await.status.as_u16() == 404);
    }
    answers
}

/// Ways to sign out with a token.
pub(crate) fn sign_outs(token: &str, user_id: &str) -> Vec<(&'static str, Ask)> {
    vec![
        ("native bearer", Ask::delete("/auth/v1/session").bearer(token)),
        ("native cookie", Ask::delete("/auth/v1/session").cookie("doorward", token)),
        ("kalshi cookie", Ask::post("/v1/log_out").cookie("sessions", token)),
        ("kalshi bearer", Ask::post("/v1/log_out").bearer(token)),
        ("kalshi bare", Ask::post("/v1/log_out").header("authorization", token)),
        ("kalshi user and token", Ask::post("/v1/log_out").header("authorization", format!("{user_id} {token}"))),
        ("kalshi bearer user and token", Ask::post("/v1/log_out").bearer(&format!("{user_id} {token}"))),
        ("kalshi v2", Ask::post("/trade-api/v2/logout").bearer(token).json(&json!({}))),
        ("kraken", Ask::get("/api/v1/auth/logout").cookie("doorward", token)),
    ]
}

/// The kraken ceremony for a token in a cookie.
pub(crate) async fn kraken_step_up(app: &TestApp, token: &str, key: &mut Authenticator) -> Reply {
    let options = app.send(Ask::post("/api/v1/auth/startAuth").cookie("doorward", token)).await.expect(200).json();
    let answer = key.get(&options);
    app.send(Ask::post("/api/v1/auth/finishAuth").cookie("doorward", token).json(&answer)).await
}

/// The kraken registration for a token in a cookie.
pub(crate) async fn kraken_register(app: &TestApp, token: &str, name: &str, key: &mut Authenticator) -> Reply {
    let options = app.send(Ask::post("/api/v1/auth/startRegister").cookie("doorward", token)).await.expect(200).json();
    let mut body = key.create(&options);
    body["name"] = json!(name);
    app.send(Ask::post("/api/v1/auth/finishRegister").cookie("doorward", token).json(&body)).await
}

/// Signing out of a session that an application opened.
pub(crate) fn kotak_sign_out(application: &Application, userid: &str, token: &str) -> Ask {
    let ask = Ask::delete("/apim/session/1.0/session/logout").header("sessionToken", token).header("userid", userid);
    application.sign(ask)
}
