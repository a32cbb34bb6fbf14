//! The topology language: text to syntax tree and syntax errors, and back to canonical text. Never fails, never panics.

mod again;
pub mod format;
pub mod parse;
mod recover;
pub mod scan;
mod slips;
pub mod span;
pub mod syntax;

pub use format::format;
pub use parse::{parse, parse_again};
pub use span::{FileId, Span};
