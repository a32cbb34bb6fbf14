//! Why bytes are no command, and why a command cannot be bytes.

use std::fmt;

/// Why bytes cannot be read as OpenWire.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// A frame says that it is longer than the limit; both in bytes. The peer may not speak OpenWire at all.
    FrameTooLong {
        /// What the frame says.
        size: u64,
        /// What is allowed.
        limit: u64,
    },
    /// Something ends before its length says, or inside a fixed field.
    Truncated {
        /// What was to be read.
        what: &'static str,
        /// Bytes that it needs.
        needed: u64,
        /// Bytes that are there.
        left: u64,
    },
    /// A command ends before its frame does.
    TrailingBytes(usize),
    /// A type id that OpenWire 12 does not have, or not in this place.
    UnknownType {
        /// What was to be read.
        what: &'static str,
        /// The id.
        id: u8,
    },
    /// The first frame does not begin with `ActiveMQ`.
    BadMagic,
    /// A length below zero.
    NegativeLength(&'static str),
    /// Values in values, deeper than any peer means.
    TooDeep,
    /// Bytes that are no modified UTF-8 (`java.io.DataInput`).
    BadText,
    /// A compressed body that is damaged.
    BadCompression,
    /// A compressed body that would be longer than the limit, in bytes.
    BodyTooLong(u64),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FrameTooLong { size, limit } => {
                write!(f, "a frame of {size} bytes, and at most {limit} are allowed")
            }
            Self::Truncated { what, needed, left } => write!(f, "{what} needs {needed} bytes and {left} are left"),
            Self::TrailingBytes(count) => write!(f, "{count} bytes are left after the command"),
            Self::UnknownType { what, id } => write!(f, "{id} is no type of {what}"),
            Self::BadMagic => f.write_str("the peer does not begin with `ActiveMQ`"),
            Self::NegativeLength(what) => write!(f, "{what} has a length below zero"),
            Self::TooDeep => f.write_str("values are nested too deeply"),
            Self::BadText => f.write_str("a text is no modified UTF-8"),
            Self::BadCompression => f.write_str("a compressed body is damaged"),
            Self::BodyTooLong(limit) => write!(f, "a compressed body is longer than {limit} bytes"),
        }
    }
}

impl std::error::Error for DecodeError {}

/// Why a command cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeError {
    /// A text of more than 65,535 bytes of modified UTF-8, in a place where Java writes its length in two bytes.
    TextTooLong(usize),
    /// More elements than a length field can say.
    TooMany(usize),
    /// A frame that the peer would not take; both in bytes. It would close the connection instead.
    FrameTooLong {
        /// What the frame needs.
        size: u64,
        /// What the peer takes (`wireFormat.maxFrameSize`).
        limit: u64,
    },
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TextTooLong(bytes) => write!(f, "a text of {bytes} bytes, where OpenWire has room for 65535"),
            Self::TooMany(count) => write!(f, "{count} elements are more than OpenWire can count here"),
            Self::FrameTooLong { size, limit } => {
                write!(f, "a frame of {size} bytes, and the peer takes {limit} (`wireFormat.maxFrameSize`)")
            }
        }
    }
}

impl std::error::Error for EncodeError {}
