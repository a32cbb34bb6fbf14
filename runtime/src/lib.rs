//! The connector between brokers and Cisco Finesse: what `topoc-core` decides is done here, with sockets, files, time and chance.

pub mod admin;
mod broker;
mod check;
mod clock;
pub mod command;
mod driver;
mod finesse;
pub mod logs;
pub mod notify;
mod outbox;
mod report;
pub mod settings;
