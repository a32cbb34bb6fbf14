//! The connector as values: what clients ask it for, what they are told, which requests were taken already, and the
//! machine that brings all this together.
//!
//! No tokio, sockets, clock or random source. What clients send is the work of strangers: it is bounded before it is read, and no
//! error repeats what may be a secret.

pub mod command;
pub mod connector;
pub mod deployment;
pub mod destination;
pub mod event;
pub mod recent;
pub mod sync;
