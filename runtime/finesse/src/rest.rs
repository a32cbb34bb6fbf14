//! Finesse's REST interface over sockets: connections that all agents of a server share, and one line of requests for each agent.

mod agent;
mod connection;
mod exchanges;
mod server;

pub use agent::{Agent, Notice, Wish};
pub use server::{AskError, Options, Server};
