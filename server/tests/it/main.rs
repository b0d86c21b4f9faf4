//! The one integration-test binary: the whole server in this process, its clock and its randomness in the test's hand.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod app;
mod authenticator;
mod house;
mod mailbox;
mod reply;
