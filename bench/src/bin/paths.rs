//! Session checks and sign-ins without a network, one after another, so that their instructions can be counted:
//! `scripts/test.sh instructions`.
//!
//! `paths checks N` opens a session and checks it so often; `paths sign-ins N` signs in so often, with hashes that cost next to nothing.

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::Response;
use clap::{Parser, ValueEnum};
use doorward::app::{self, App};
use doorward::config::{Config, Input, load};
use doorward::core::call::{Call, Origin};
use doorward::core::clock::SystemClock;
use doorward::core::entropy::Randomness;
use doorward::core::flows::authority::Authority;
use doorward::core::flows::users::{self, NewUser};
use doorward::core::model::{Email, PersonName, Role, Username};
use doorward::core::token::Secret;
use doorward::http::serve::App as _;
use doorward::work::Desk;
use serde_json::{Value, json};

type Outcome<T> = Result<T, Box<dyn Error>>;

const PASSWORD: &str = "a parrot of the north";

/// Repeats one call.
#[derive(Parser)]
struct Options {
    /// Which.
    call: Which,
    /// How often.
    times: usize,
}

#[derive(Clone, Copy, ValueEnum)]
enum Which {
    /// `GET /auth/v1/session`, of a session that is in memory.
    Checks,
    /// `POST /auth/v1/sign-in/password`.
    SignIns,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let Options { call, times } = Options::parse();
    let folder = tempfile::tempdir()?;
    let desk = Desk { clock: Arc::new(SystemClock), entropy: Randomness::System };
    let app = app::build(&config(&folder)?, &desk).await?;
    create_user(&app, &desk).await?;
    let token = sign_in(&app).await?;
    // Until memory is known to be live, checks are the database's.
    while !app.core.session_memory().live {
        tokio::task::yield_now().await;
    }
    check(&app, &token).await?;
    for _ in 0..times {
        match call {
            Which::Checks => check(&app, &token).await?,
            Which::SignIns => _ = sign_in(&app).await?,
        }
    }
    Ok(())
}

fn config(folder: &tempfile::TempDir) -> Outcome<Config> {
    let own = [
        ("data_dir", folder.path().to_str().unwrap_or_default()),
        ("limits.enabled", "false"),
        ("passwords.memory_kib", "8"),
        ("passwords.iterations", "1"),
    ];
    let flags = own.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    Ok(load(&Input { folder: folder.path().into(), flags, ..Input::default() })?.config)
}

async fn create_user(app: &App, desk: &Desk) -> Outcome<()> {
    let origin = Origin::local("cli", "paths");
    let call = Call { now: desk.clock.now(), entropy: desk.entropy.clone(), origin };
    let new = NewUser {
        username: Username::parse("ann").map_err(|refusal| refusal.name())?,
        email: Email::parse("ann@example.org").map_err(|refusal| refusal.name())?,
        first_name: PersonName::default(),
        last_name: PersonName::default(),
        role: Role::Member,
        verified: true,
        password: Some(Secret::new(PASSWORD)),
    };
    users::create(&app.core, &call, Authority::operator(), new).await.map(|_| ()).map_err(|error| format!("{error:?}").into())
}

async fn sign_in(app: &App) -> Outcome<String> {
    let body = json!({ "identifier": "ann", "password": PASSWORD }).to_string();
    let request =
        Request::post("/auth/v1/sign-in/password").header(header::CONTENT_TYPE, "application/json").body(body.into())?;
    let answer: Value = serde_json::from_slice(&send(app, request).await?)?;
    answer["token"].as_str().map(str::to_owned).ok_or_else(|| "no token".into())
}

async fn check(app: &App, token: &str) -> Outcome<()> {
    let bearer = format!("Bearer {token}");
    let request = Request::get("/auth/v1/session").header(header::AUTHORIZATION, bearer).body(Body::empty())?;
    send(app, request).await.map(|_| ())
}

async fn send(app: &App, request: Request) -> Outcome<Vec<u8>> {
    let response: Response = app.router.answer(request, SocketAddr::from((Ipv4Addr::LOCALHOST, 40_000))).await;
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await?;
    if status == StatusCode::OK { Ok(body.into()) } else { Err(format!("{status}: {body:?}").into()) }
}
