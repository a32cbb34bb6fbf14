//! The Java client under load, measured: what another client's figures are held against.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde::Deserialize;

use crate::LabError;
use crate::cache::client_class_path;
use crate::process::{Output, Process};

/// A running load: a Java process of its own, killed when this is dropped.
///
/// It runs `java` without any flag, as a user would who tunes nothing: on a machine with two cores and 2 GB or more that
/// is the G1 collector, both compilers and a heap of up to a quarter of the memory.
#[derive(Debug)]
pub struct Load {
    process: Process,
}

/// What a load measured.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[non_exhaustive]
pub struct LoadReport {
    /// How many messages were measured.
    pub messages: u64,
    /// How long they took, after the warm-up.
    pub seconds: f64,
    /// Processor time of the whole process in that time, collectors and compilers included.
    pub cpu_seconds: f64,
    /// The most memory that the process has had, from its start to the end (VmHWM), in KiB.
    pub peak_rss_kb: u64,
    /// The broker of the first connection at the end.
    pub broker: Option<String>,
    /// When the first measured message was sent or came, in milliseconds since 1970.
    pub first_ms: u64,
    /// When the last one had been.
    pub last_ms: u64,
    /// Of `request`: how long answers took.
    pub latency_us: Option<Latency>,
}

/// How long answers took, in microseconds.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[non_exhaustive]
pub struct Latency {
    /// Half of them were quicker.
    pub median: u64,
    /// Of a hundred, 99 were quicker.
    pub p99: u64,
    /// The slowest.
    pub max: u64,
}

/// Runs a load to its end; `workdir` gets its log (`load-VERB.log`).
///
/// The arguments are a verb (`send`, `receive`, `request`, `echo`), `--uri`, `--queue`, `--count`, and where wanted
/// `--warmup` (1000), `--size`, `--persistent`, `--priority`, `--prefetch`, `--connections`: see `java/Load.java`.
///
/// # Errors
///
/// `NotFetched` when the client is not in the cache, `Exited` with the client's exception, `TooLate` after `within`.
pub fn load(arguments: &[&str], workdir: &Path, within: Duration) -> Result<LoadReport, LabError> {
    Load::start(arguments, workdir)?.wait_report(within)
}

impl Load {
    /// Starts a load with the arguments of [`load`], and returns at once. Several may share a folder.
    ///
    /// # Errors
    ///
    /// `NotFetched` when the client is not in the cache, `Io` when `java` is missing.
    pub fn start(arguments: &[&str], workdir: &Path) -> Result<Self, LabError> {
        let mut command = Command::new("java");
        command.arg("-cp").arg(client_class_path()?).arg("Load").args(arguments);
        let name = format!("load-{}", arguments.first().unwrap_or(&""));
        let (process, _) = Process::start(command, name.clone(), &workdir.join(name + ".log"), Output::Log)?;
        Ok(Self { process })
    }

    /// Waits until all its connections, and consumers, are there.
    ///
    /// # Errors
    ///
    /// `Exited` with the client's exception, `TooLate` after `within`.
    pub fn wait_ready(&self, within: Duration) -> Result<(), LabError> {
        self.wait_line("be ready", within, |line| (line == "{\"event\":\"ready\"}").then_some(()))
    }

    /// Waits for the end.
    ///
    /// # Errors
    ///
    /// `Exited` with the client's exception, `TooLate` after `within`.
    pub fn wait_report(&self, within: Duration) -> Result<LoadReport, LabError> {
        self.wait_line("report", within, |line| serde_json::from_str(line).ok())
    }

    /// The id of the process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Answers and the client's log go to one file; what is whole and fits is an answer.
    fn wait_line<T>(&self, what: &str, within: Duration, look: impl Fn(&str) -> Option<T>) -> Result<T, LabError> {
        let log = &self.process.log;
        self.process.wait_for(what, within, || Ok(log.since(log.start())?.lines().find_map(&look)))
    }
}
