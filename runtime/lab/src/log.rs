//! The log of one process, read while the process still writes it.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::LabError;

/// A place in a log: what comes after it happened later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(u64);

/// A log file from the place where this process began to write.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    start: Mark,
}

impl Log {
    /// Opens the file for appending; what an earlier process wrote stays in it, before the start of this log.
    pub(crate) fn append_to(path: &Path) -> Result<(Self, File), LabError> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .map_err(|cause| LabError::at("open the log", path, cause))?;
        let log = Self { path: path.to_path_buf(), start: Mark(0) };
        let start = log.end()?;
        Ok((Self { start, ..log }, file))
    }

    pub(crate) fn start(&self) -> Mark {
        self.start
    }

    pub(crate) fn end(&self) -> Result<Mark, LabError> {
        let metadata = self.path.metadata().map_err(|cause| LabError::at("read the log", &self.path, cause))?;
        Ok(Mark(metadata.len()))
    }

    /// Everything after the mark; an unfinished last line too.
    pub(crate) fn since(&self, mark: Mark) -> Result<String, LabError> {
        let read = || {
            let mut file = File::open(&self.path)?;
            file.seek(SeekFrom::Start(mark.0))?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let bytes = read().map_err(|cause| LabError::at("read the log", &self.path, cause))?;
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
