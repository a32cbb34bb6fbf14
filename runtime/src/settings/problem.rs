//! Something that is wrong before a connector can begin, and what to do about it.

use std::fmt;

/// What is wrong, without any secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// One sentence, without a full stop.
    pub what: String,
    /// What to do, beginning with a verb.
    pub help: String,
}

impl Problem {
    pub(crate) fn new(what: String, help: impl Into<String>) -> Self {
        Self { what, help: help.into() }
    }
}

/// As people read it.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}\n  help: {}", self.what, self.help)
    }
}
