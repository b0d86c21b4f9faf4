//! A client of Doorward's own API and of the four sign-in APIs that Doorward speaks.
//!
//! | module | API | in the place of |
//! |---|---|---|
//! | [`native`] | `/auth/v1`, `/admin/v1` | |
//! | [`kalshi`] | Kalshi's trading API, version 1 | Python's `kalshi.api.auth_api.AuthApi` |
//! | [`kraken`] | the Kraken pentesting platform's | Python's `kraken_sdk.AuthenticationApi` |
//! | [`kestra`] | Kestra's | Python's `kestrapy.AuthApi` |
//! | [`kotak`] | Kotak Securities' trade API | Python's `ks_api_client.SessionApi` and `KSTradeApi` |
//!
//! The four have the hosts of the original services as their defaults, and take any other.
//!
//! # Start
//!
//! ```no_run
//! # async fn start(password: doorward_client::secrecy::SecretString) -> Result<(), Box<dyn std::error::Error>> {
//! # fn keep(_: doorward_client::secrecy::SecretString) {}
//! use doorward_client::kalshi::{ApiKey, AuthApi, LoginRequest};
//! use doorward_client::native::Client;
//!
//! let ann = Client::new("http://localhost:8080")?.sign_in("ann", &password).await?.full().ok_or("a second factor is needed")?;
//! println!("{}", ann.show().await?.user.email);
//! keep(ann.export()); // a SecretString; Client::import takes it
//!
//! let api = AuthApi::with_host("http://localhost:8080/v1")?;
//! let session = api.login(&LoginRequest::new("ann@example.org", password)).await?;
//! api.with_api_key(ApiKey::of(&session)).logout().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # What all of them keep to
//!
//! - **Deadlines.** A call ends within [`Options::deadline`], its repetitions included, with an answer or with [`Error::Deadline`].
//! - **Repetition.** Calls that are idempotent are tried again, as [`Retry`] says: when no connection came about or it broke, and when the
//!   answer was 429, 502, 503 or 504. Each method that does so says "tried again". What has an effect that can be had only once is sent once.
//! - **Errors.** [`Error::Refused`] has status, headers, the API's own error body, and [`Refused::retry_after`].
//! - **Secrets.** Tokens and passwords are [`secrecy::SecretString`]s; headers that carry them are marked sensitive. Nothing here writes a
//!   log line, and no `Debug` shows one of them.
//! - **Places.** No HTTP redirect is followed: it could carry secrets to another host.
//!
//! All calls need a Tokio runtime with its I/O and time drivers.

#![deny(missing_docs)]

mod cookies;
mod error;
pub mod kalshi;
pub mod kestra;
pub mod kotak;
pub mod kraken;
pub mod native;
mod options;
mod request;
mod retry;
mod secret;
mod tls;
mod transport;

pub use error::{Broken, Error, Invalid, Refused, Unreadable};
pub use options::{Options, Proxy};
pub use reqwest::StatusCode;
pub use reqwest::header::HeaderMap;
pub use retry::Retry;
pub use secrecy;
