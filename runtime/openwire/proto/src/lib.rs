//! ActiveMQ's OpenWire protocol as values: bytes to commands and back. No sockets, no clock, no random source.
//!
//! Version 12 in the loose encoding without cache, which every broker since 5.11 can be asked for: a client that leaves
//! `TightEncodingEnabled` and `CacheEnabled` out of its [`command::WireFormatInfo`] gets exactly that.
//!
//! ```
//! use topoc_openwire_proto::{command::{Command, KeepAliveInfo}, frame::{self, Decoder}};
//!
//! let bytes = frame::encode(&Command::from(KeepAliveInfo::default()))?;
//! let mut decoder = Decoder::new(1024);
//! decoder.feed(&bytes);
//! assert!(matches!(decoder.next(), Ok(Some(Command::KeepAliveInfo(_)))));
//! # Ok::<(), topoc_openwire_proto::EncodeError>(())
//! ```
//!
//! Bytes come from strangers: every length is checked against what is there before anything is allocated for it, nesting is
//! bounded, and no class is ever looked up by name.

pub mod acks;
pub mod body;
pub mod client;
pub mod command;
pub mod destination;
mod error;
pub mod failover;
pub mod frame;
pub mod id;
pub mod link;
mod loose;
pub mod message;
mod modified_utf8;
mod option;
pub mod primitive;
mod structure;
pub mod tracker;
pub mod uri;

pub use error::{DecodeError, EncodeError};
pub use option::OptionError;
pub use structure::Layout;
