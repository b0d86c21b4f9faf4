//! Doorward, a self-hosted login server.
//!
//! Data flows one way: `cli → app → {dialect, pages, work} → core::flows → core::store → engine`. `ARCHITECTURE.md` draws the map;
//! `tests/it/house.rs` checks it.

pub mod core;
pub mod pages;
pub mod templates;
pub mod work;
