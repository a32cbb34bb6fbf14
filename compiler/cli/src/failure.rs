//! Why a command could not be carried out: what happened, and what to do first. The exit code is 2.

use crate::files::ReadError;
use crate::store::StoreError;
use crate::terminal::Paint;
use std::fmt::Display;
use std::io::{self, Write};

/// Why a command could not be carried out.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    help: Option<String>,
}

impl Failure {
    /// What happened, without a full stop.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    /// What to do first.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The system refused to do something with a file.
    pub(crate) fn system(action: impl Display, path: &std::path::Path, error: &io::Error) -> Self {
        Self::new(format!("cannot {action} `{}`: {error}", path.display()))
    }

    /// Says it in the way that findings are said.
    pub(crate) fn write(&self, paint: Paint, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{} {}", paint.red("error:"), self.message)?;
        match &self.help {
            Some(help) => writeln!(out, "  {} {help}", paint.cyan("help:")),
            None => Ok(()),
        }
    }
}

/// The only plain IO errors that commands pass on come from writing a report.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::new(format!("the report cannot be written: {error}"))
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        Self::new(error.to_string()).help(error.help())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::new(error.to_string()).help(error.help())
    }
}
