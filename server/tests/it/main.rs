//! The one integration-test binary: the whole server in this process, its clock and its randomness in the test's hand.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod app;
mod audit;
mod authenticator;
mod client;
mod database;
mod decoys;
mod dialect_admin;
mod dialect_kalshi;
mod dialect_kestra;
mod dialect_kotak;
mod dialect_kraken;
mod dialect_native;
mod flow_factors;
mod flow_passkey;
mod flow_passwords;
mod flow_sessions;
mod flow_setup;
mod flow_tickets;
mod flow_totp;
mod flow_users;
mod flow_webauthn;
mod forward;
mod hostile;
mod house;
mod limits;
mod mailbox;
mod memory;
mod moving;
mod names;
mod openapi;
mod outbox;
mod process;
mod published;
mod races;
mod reply;
mod secrets;
mod sequences;
mod served;
mod store_away;
mod strangers;
mod table;
mod tokens;
mod trust;
mod wires;
