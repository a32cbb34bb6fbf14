//! The log of one process, read while the process still writes it.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::LabError;

/// A place in a log: what comes after it happened later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(u64);

impl Mark {
    pub(crate) fn after(self, bytes: u64) -> Self {
        Self(self.0.saturating_add(bytes))
    }
}

/// A log file from the place where this process began to write. It is kept open, and so read when its folder is gone already.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    file: File,
    start: Mark,
}

impl Log {
    /// Opens the file for appending; what an earlier process wrote stays in it, before the start of this log.
    pub(crate) fn append_to(path: &Path) -> Result<(Self, File), LabError> {
        let at = |cause| LabError::at("open the log", path, cause);
        let file = OpenOptions::new().create(true).append(true).read(true).open(path).map_err(at)?;
        let log = Self { path: path.to_path_buf(), file: file.try_clone().map_err(at)?, start: Mark(0) };
        let start = log.end()?;
        Ok((Self { start, ..log }, file))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn start(&self) -> Mark {
        self.start
    }

    pub(crate) fn end(&self) -> Result<Mark, LabError> {
        let metadata = self.file.metadata().map_err(|cause| LabError::at("read the log", &self.path, cause))?;
        Ok(Mark(metadata.len()))
    }

    /// Everything after the mark; an unfinished last line too.
    pub(crate) fn since(&self, mark: Mark) -> Result<String, LabError> {
        let Mark(end) = self.end()?;
        let mut bytes = vec![0; usize::try_from(end.saturating_sub(mark.0)).unwrap_or(usize::MAX)];
        let read = self.file.read_exact_at(&mut bytes, mark.0);
        read.map_err(|cause| LabError::at("read the log", &self.path, cause))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The last lines for an error message. Stack frames are left out: the exceptions between them say more.
    pub(crate) fn tail(&self) -> String {
        const LINES: usize = 30;
        let text = self.since(self.start).unwrap_or_else(|error| error.to_string());
        let is_frame = |line: &str| line.trim_start().starts_with("at ") || line.trim_start().starts_with("... ");
        let lines: Vec<&str> = text.lines().filter(|line| !is_frame(line)).collect();
        lines[lines.len().saturating_sub(LINES)..].join("\n")
    }
}
