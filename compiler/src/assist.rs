//! What an editor asks about a place in a topology, answered as plain data in byte offsets: no protocol, no rendering.

mod completion;
mod cursor;
mod definition;
mod hover;
mod names;
mod symbols;

pub use completion::{Candidate, CandidateKind, complete};
pub use cursor::statement_at;
pub use definition::define;
pub use hover::{Hover, hover};
pub use symbols::{Symbol, symbols};

#[cfg(test)]
mod tests;
