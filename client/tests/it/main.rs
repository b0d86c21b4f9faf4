//! How calls are made when servers and networks are not as one would wish: against a server that does as it is told.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod deadlines;
mod places;
mod retries;
mod script;
mod secrets;
mod tls;
