//! The connector between brokers and Cisco Finesse: what `topoc-core` decides is done here, with sockets, files, time and chance.

pub mod admin;
pub mod command;
pub mod logs;
pub mod notify;
