//! Connectors that keep each other informed.

mod cases;
mod messages;
mod schedules;
mod support;
mod world;
