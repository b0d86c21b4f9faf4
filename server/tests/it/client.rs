//! The dialects, driven through the client crate over real HTTP.

mod across;
mod admin;
mod kalshi;
mod kestra;
mod kotak;
mod kraken;
mod native;

use doorward_client::native::{Client, Error, Session};

use super::app::PASSWORD;
use super::served::{Served, options};

/// A client of the native API.
fn client(app: &Served) -> Client {
    Client::with(&app.url, &options()).unwrap()
}

/// A full session by password.
async fn session(app: &Served, name: &str) -> Session {
    client(app).sign_in(name, &PASSWORD.into()).await.unwrap().full().unwrap()
}

/// The stable name of a problem.
#[track_caller]
fn problem<T>(outcome: Result<T, Error>) -> String {
    match outcome {
        Ok(_) => panic!("it succeeded"),
        Err(error) => error.refused().unwrap_or_else(|| panic!("{error}")).body().unwrap().name().to_owned(),
    }
}
