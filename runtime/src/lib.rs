//! The connector between brokers and Cisco Finesse: what `topoc-core` decides is done here, with sockets, files, time and chance.

mod broker;
mod check;
mod clock;
pub mod command;
mod driver;
mod finesse;
mod outbox;
pub mod settings;
