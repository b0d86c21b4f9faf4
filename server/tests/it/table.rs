//! Every flow through every dialect that offers it: the rows left behind are the same.

use doorward::core::model::Role;
use serde_json::json;

use super::app::{OTHER_PASSWORD, PASSWORD, TestApp};
use super::authenticator::Authenticator;
use super::browser;
use super::reply::Ask;
use super::wires::{self, Wire};

/// All rows of all tables, with what must differ made equal: ids and hashes by their order, the dialect's name, the form of a link.
async fn rows(app: &TestApp) -> String {
    let tables = [
        "users",
        "passwords",
        "security_keys",
        "authenticators",
        "applications",
        "sessions",
        "tickets",
        "invitations",
        "mails",
        "audit",
    ];
    let mut out = String::new();
    for table in tables {
        for row in app.database().rows(&format!("SELECT * FROM {table} ORDER BY 1")).await {
            out.push_str(table);
            for (name, value) in row {
                let text = match (name.as_str(), value) {
                    ("dialect", _) => "the dialect".to_owned(),
                    ("request_id" | "credential" | "phc" | "payload" | "credential_id", _) => "varies".to_owned(),
                    ("detail", Some(text)) if text == "token" || text == "code_and_user" => "the link's form".to_owned(),
                    (_, Some(text)) if text.len() == 64 || text.parse::<uuid::Uuid>().is_ok() => "an id".to_owned(),
                    (_, value) => format!("{value:?}"),
                };
                out.push_str(&format!(" {name}={text}"));
            }
            out.push('\n');
        }
    }
    out
}

#[track_caller]
fn all_same(outcomes: &[(String, String)]) {
    let (first_name, first) = &outcomes[0];
    assert!(!first.is_empty());
    for (name, rows) in &outcomes[1..] {
        assert_eq!(rows, first, "{name} leaves other rows than {first_name}");
    }
}

#[tokio::test]
async fn signing_in_with_a_password() {
    let mut outcomes = Vec::new();
    for wire in Wire::ALL {
        let app = TestApp::new().await;
        app.user("ann").await;
        app.send(wire.sign_in("ann", PASSWORD)).await.expect(200);
        outcomes.push((format!("{wire:?}"), rows(&app).await));
    }
    all_same(&outcomes);
}

#[tokio::test]
async fn failing_to_sign_in() {
    for (name, password) in [("ann", OTHER_PASSWORD), ("nobody", PASSWORD), ("off", PASSWORD)] {
        let mut outcomes = Vec::new();
        for wire in Wire::ALL {
            let app = TestApp::new().await;
            app.user("ann").await;
            let off = app.user("off").await;
            let authority = doorward::core::flows::authority::Authority::operator();
            doorward::core::flows::users::disable(app.core(), &app.call(), authority, &off.id.to_string()).await.unwrap();
            let reply = app.send(wire.sign_in(name, password)).await;
            assert!(reply.status.is_client_error() && reply.cookie().is_none(), "{wire:?} {}", reply.snapshot());
            outcomes.push((format!("{wire:?}"), rows(&app).await));
        }
        all_same(&outcomes);
    }
}

#[tokio::test]
async fn signing_out() {
    let ways = wires::sign_outs("", "").len();
    let mut outcomes = Vec::new();
    for way in 0..ways {
        let app = TestApp::new().await;
        let user = app.user("ann").await;
        let token = app.token("ann").await;
        let (name, ask) = wires::sign_outs(&token, &user.id.to_string()).swap_remove(way);
        let reply = app.send(ask).await;
        assert!(reply.status.is_success(), "{name}: {}", reply.snapshot());
        assert!(!wires::is_full_everywhere(&app, &token).await.contains(&true), "{name} left the session alive");
        outcomes.push((name.to_owned(), rows(&app).await));
    }
    all_same(&outcomes);
}

#[tokio::test]
async fn recovering_a_password() {
    let mut outcomes = Vec::new();
    for way in ["kalshi", "kestra", "native", "page code", "page token"] {
        let app = TestApp::new().await;
        app.user("ann").await;
        let before = app.token("ann").await;
        let request = match way {
            "kalshi" | "page code" => Ask::post("/v1/passwords/reset").json(&json!({"email": "ann@example.com"})),
            "kestra" | "page token" => Ask::get("/api/v1/forgotten-password?username=ann%40example.com"),
            _ => Ask::post("/auth/v1/recovery").json(&json!({"identifier": "ann@example.com"})),
        };
        assert!(app.send(request).await.status.is_success());
        let mail = app.mail("ann@example.com").await;
        let secret = mail.query("code").or_else(|| mail.query("token")).unwrap();
        let user_id = mail.query("user_id").unwrap_or_default();
        let confirm = match way {
            "kalshi" => Ask::put(format!("/v1/passwords/reset/{secret}/confirm"))
                .json(&json!({"password": OTHER_PASSWORD, "user_id": user_id})),
            "kestra" => Ask::post("/api/v1/reset-password").json(&json!({"token": secret, "password": OTHER_PASSWORD})),
            "page code" => browser::form("/reset", &[("code", &secret), ("user_id", &user_id), ("password", OTHER_PASSWORD)]),
            "page token" => browser::form("/reset", &[("token", &secret), ("password", OTHER_PASSWORD)]),
            _ => Ask::post("/auth/v1/recovery/confirm").json(&json!({"code": secret, "password": OTHER_PASSWORD})),
        };
        let reply = app.send(confirm).await;
        assert!(reply.status.is_success() || reply.status == 303, "{way}: {}", reply.snapshot());
        app.session(&before).await.expect(401);
        app.sign_in("ann", PASSWORD).await.expect(401);
        outcomes.push((way.to_owned(), rows(&app).await));
        app.sign_in("ann", OTHER_PASSWORD).await.expect(200);
    }
    all_same(&outcomes);
}

#[tokio::test]
async fn signing_in_with_a_mailed_code() {
    let mut outcomes = Vec::new();
    for way in ["kestra json", "kestra form", "native"] {
        let app = TestApp::new().await;
        app.create("ann", Role::Member, false).await;
        let request = match way {
            "native" => Ask::post("/auth/v1/sign-in/code/request").json(&json!({"email": "ann@example.com"})),
            _ => Ask::get("/api/v1/request-code/ann%40example.com"),
        };
        assert!(app.send(request).await.status.is_success());
        let code = app.code("ann@example.com").await;
        let sign_in = match way {
            "kestra json" => Ask::post("/login").json(&json!({"username": "ann@example.com", "password": code})),
            "kestra form" => Ask::post("/login").form(&[("username", "ann@example.com"), ("password", &code)]),
            _ => Ask::post("/auth/v1/sign-in/code").json(&json!({"email": "ann@example.com", "code": code})),
        };
        app.send(sign_in).await.expect(200);
        outcomes.push((way.to_owned(), rows(&app).await));
    }
    all_same(&outcomes);
}

#[tokio::test]
async fn creating_an_account_from_an_invitation() {
    let mut outcomes = Vec::new();
    for way in ["kestra", "native", "page"] {
        let app = TestApp::new().await;
        let id = app.invite("new@example.com", Role::Member).await.secret.reveal().to_owned();
        let fields = [("id", id.as_str()), ("first_name", "Nia"), ("last_name", "Osei"), ("password", PASSWORD)];
        let create = match way {
            "kestra" => Ask::post(format!("/api/v1/invitation/create/{id}"))
                .json(&json!({"firstName": "Nia", "lastName": "Osei", "password": PASSWORD})),
            "native" => Ask::post("/auth/v1/invitations/account")
                .json(&json!({"id": id, "first_name": "Nia", "last_name": "Osei", "password": PASSWORD})),
            _ => browser::form("/invitation", &fields),
        };
        let reply = app.send(create).await;
        assert!(reply.status.is_success() || reply.status == 303, "{way}: {}", reply.snapshot());
        outcomes.push((way.to_owned(), rows(&app).await));
        app.sign_in("new@example.com", PASSWORD).await.expect(200);
    }
    all_same(&outcomes);
}

#[tokio::test]
async fn accepting_an_invitation() {
    let mut outcomes = Vec::new();
    for way in ["kestra", "native"] {
        let app = TestApp::new().await;
        app.user("ann").await;
        let token = app.token("ann").await;
        let id = app.invite("ann@example.com", Role::Admin).await.secret.reveal().to_owned();
        let accept = match way {
            "kestra" => Ask::post(format!("/api/v1/invitation/accept/{id}")).cookie("doorward", &token),
            _ => Ask::post("/auth/v1/invitations/accept").bearer(&token).json(&json!({"id": id})),
        };
        let reply = app.send(accept).await;
        assert!(reply.status.is_success(), "{way}: {}", reply.snapshot());
        outcomes.push((way.to_owned(), rows(&app).await));
    }
    all_same(&outcomes);
}

#[tokio::test]
async fn registering_a_key_and_using_it() {
    let mut outcomes = Vec::new();
    for way in ["kraken", "native"] {
        let app = TestApp::new().await;
        app.user("ann").await;
        let mut key = Authenticator::new(7, super::app::ORIGIN);
        let token = app.token("ann").await;
        let registered = match way {
            "kraken" => wires::kraken_register(&app, &token, "yellow", &mut key).await,
            _ => app.register(&token, "yellow", &mut key).await,
        };
        assert!(registered.status.is_success(), "{way}: {}", registered.snapshot());
        let half = app.token("ann").await;
        let full = match way {
            "kraken" => wires::kraken_step_up(&app, &half, &mut key).await.expect(200).cookie().unwrap(),
            _ => app.step_up(&half, &mut key).await.expect(200).at("/token"),
        };
        assert_ne!(half, full, "{way} did not rotate the token");
        assert!(!wires::is_full_everywhere(&app, &full).await.contains(&false), "{way}");
        assert!(!wires::is_full_everywhere(&app, &half).await.contains(&true), "{way}");
        outcomes.push((way.to_owned(), rows(&app).await));
    }
    all_same(&outcomes);
}
