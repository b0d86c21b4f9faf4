//! Doorward, a self-hosted login server.
//!
//! Data flows one way: `cli → app → {dialect, pages, work} → core::flows → core::store → engine`. `ARCHITECTURE.md` draws the map;
//! `tests/it/house.rs` checks it.

pub mod app;
pub mod cli;
pub mod config;
pub mod core;
pub mod dialect;
pub mod http;
pub mod locale;
pub mod log;
pub mod mailbox;
pub mod openapi;
pub mod pages;
pub mod templates;
pub mod work;
