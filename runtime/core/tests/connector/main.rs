//! The connector's machine: single cases, and random schedules of faults in virtual time.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not there")]

mod cases;
#[path = "../many/mod.rs"]
mod many;
mod schedules;
mod support;
