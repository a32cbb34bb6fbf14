//! The connector as values: what clients ask it for, what they are told, and which requests were taken already.
//!
//! No tokio, sockets, clock or random source. What clients send is the work of strangers: it is bounded before it is read, and no
//! error repeats what may be a secret.

pub mod command;
pub mod destination;
pub mod event;
pub mod recent;
