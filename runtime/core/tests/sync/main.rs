//! Connectors that keep each other informed.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not there")]

mod cases;
#[path = "../many/mod.rs"]
mod many;
mod messages;
mod schedules;
mod support;
mod world;
