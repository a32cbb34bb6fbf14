//! What can go wrong in the lab, told to the person who reads a failed test.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

/// Why the lab could not do what a test asked. `Debug` says the same as `Display`, so that `unwrap` in a test reads well.
#[non_exhaustive]
pub enum LabError {
    /// Something that `runtime/lab/fetch` brings is not in the cache.
    NotFetched(PathBuf),
    /// The operating system refused.
    Io {
        /// What was being done, with the path.
        doing: String,
        /// What the system said.
        cause: io::Error,
    },
    /// What a test waited for did not come in time.
    TooLate {
        /// Who was to do what.
        awaited: String,
        /// How long was waited.
        within: Duration,
        /// The end of the process's log.
        log: String,
    },
    /// The process ended while a test waited for something else.
    Exited {
        /// Who was to do what.
        awaited: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of the process's log.
        log: String,
    },
    /// A file does not follow the schema of a release.
    NotValid {
        /// The file.
        file: PathBuf,
        /// The release whose schema it was held against.
        release: String,
        /// One line for each complaint, with file and line number.
        complaints: Vec<String>,
    },
    /// The Java client threw an exception.
    Java {
        /// What was being done.
        doing: String,
        /// The exception with its causes and stack traces.
        reason: String,
    },
    /// No free loopback port is left in the lab's range.
    NoPort,
}

impl LabError {
    pub(crate) fn io(doing: impl Into<String>, cause: io::Error) -> Self {
        Self::Io { doing: doing.into(), cause }
    }

    pub(crate) fn at(verb: &str, path: &Path, cause: io::Error) -> Self {
        Self::io(format!("{verb} {}", path.display()), cause)
    }
}

impl fmt::Display for LabError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFetched(path) => {
                write!(f, "{} is missing: run ./test once (it fetches brokers)", path.display())
            }
            Self::Io { doing, cause } => write!(f, "cannot {doing}: {cause}"),
            Self::TooLate { awaited, within, log } => {
                write!(f, "{awaited}: not within {within:?}; the end of its log:\n{log}")
            }
            Self::Exited { awaited, status, log } => {
                write!(f, "{awaited}: it ended before that ({status}); the end of its log:\n{log}")
            }
            Self::NotValid { file, release, complaints } => {
                writeln!(f, "{} does not follow the schema of ActiveMQ {release}:", file.display())?;
                complaints.iter().try_for_each(|line| writeln!(f, "  {line}"))
            }
            Self::Java { doing, reason } => write!(f, "the Java client could not {doing}: {reason}"),
            Self::NoPort => {
                write!(f, "no free loopback port is left for this test: end other test runs on this machine")
            }
        }
    }
}

impl fmt::Debug for LabError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for LabError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { cause, .. } => Some(cause),
            _ => None,
        }
    }
}
