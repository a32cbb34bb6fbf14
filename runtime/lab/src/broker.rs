//! One real broker: a plain `java` process that ends with its handle.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use crate::LabError;
use crate::cache::Release;
use crate::log::Mark;
use crate::process::{Output, Process, java_command, option};

/// A running broker. Dropping it kills the process and waits for its end.
#[derive(Debug)]
pub struct Broker {
    process: Process,
}

/// How a broker is to be started, for the few tests that need more than [`Broker::start`].
#[derive(Debug)]
pub struct Launch<'a> {
    release: &'a Release,
    xml: &'a Path,
    workdir: &'a Path,
    environment: Vec<(OsString, OsString)>,
    jvm: Vec<OsString>,
    jars: Vec<PathBuf>,
}

impl<'a> Launch<'a> {
    /// A broker of this release with this `activemq.xml`; `workdir` gets its data and its log (`broker.log`).
    #[must_use]
    pub fn new(release: &'a Release, xml: &'a Path, workdir: &'a Path) -> Self {
        Self { release, xml, workdir, environment: Vec::new(), jvm: Vec::new(), jars: Vec::new() }
    }

    /// Sets an environment variable, such as a secret that the file refers to as `${NAME}`.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Adds an argument for the Java virtual machine, such as `-Dname=value`.
    #[must_use]
    pub fn jvm(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.jvm.push(argument.as_ref().to_owned());
        self
    }

    /// Adds a library to the class path, after ActiveMQ's own.
    #[must_use]
    pub fn jar(mut self, path: impl Into<PathBuf>) -> Self {
        self.jars.push(path.into());
        self
    }

    /// Starts the process and returns at once: several brokers can be started, then waited for.
    ///
    /// # Errors
    ///
    /// `Io` when a path or `java` is missing, `NotFetched` when the cache is incomplete.
    pub fn start(self) -> Result<Broker, LabError> {
        let absolute = |path: &Path| path.canonicalize().map_err(|cause| LabError::at("find", path, cause));
        let (xml, workdir) = (absolute(self.xml)?, absolute(self.workdir)?);
        let mut command = java_command();
        if let Some(archive) = self.release.archive() {
            command.arg(option("-XX:SharedArchiveFile=", archive));
        }
        command
            .args(["-Dorg.slf4j.simpleLogger.showDateTime=true", "-Dorg.slf4j.simpleLogger.showShortLogName=true"])
            .arg("-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS")
            .arg(option("-Dactivemq.home=", self.release.home()))
            .arg(option("-Dactivemq.base=", &workdir))
            .arg(option("-Dactivemq.conf=", xml.parent().unwrap_or(&workdir)))
            .arg(option("-Dactivemq.data=", &workdir.join("data")))
            .args(self.jvm)
            .arg("-cp")
            .arg(self.release.class_path(&self.jars)?)
            .args(["LabMain", "start"])
            .arg(option("xbean:file:", &xml))
            .envs(self.environment)
            .current_dir(&workdir);
        let name = format!("the broker of {} (ActiveMQ {})", xml.display(), self.release.name());
        let (process, _) = Process::start(command, name, &workdir.join("broker.log"), Output::Log)?;
        Ok(Broker { process })
    }
}

impl Broker {
    /// Starts a broker of this release with this `activemq.xml` and returns at once; `workdir` gets its data and its log
    /// (`broker.log`). A broker started again in the same folder finds its data and appends to the log.
    ///
    /// # Errors
    ///
    /// `Io` when a path or `java` is missing, `NotFetched` when the cache is incomplete.
    pub fn start(release: &Release, activemq_xml: &Path, workdir: &Path) -> Result<Self, LabError> {
        Launch::new(release, activemq_xml, workdir).start()
    }

    /// Waits for `Apache ActiveMQ ... started`: its listeners are open then.
    ///
    /// # Errors
    ///
    /// `Exited` when it did not start (`${...}` unset, port taken, bad configuration), `TooLate` after `within`.
    pub fn wait_started(&self, within: Duration) -> Result<(), LabError> {
        self.wait_for("start", within, |log| {
            log.lines().any(|line| line.contains("Apache ActiveMQ") && line.ends_with(") started"))
        })
    }

    /// Waits for a line that contains `text`, and returns it.
    ///
    /// # Errors
    ///
    /// `Exited` when the broker ends without it, `TooLate` after `within`; both with the end of the log.
    pub fn wait_log(&self, text: &str, within: Duration) -> Result<String, LabError> {
        self.wait_log_since(self.process.log.start(), text, within)
    }

    /// As [`Broker::wait_log`], for what comes after the mark: such as a bridge that comes back.
    ///
    /// # Errors
    ///
    /// As [`Broker::wait_log`].
    pub fn wait_log_since(&self, mark: Mark, text: &str, within: Duration) -> Result<String, LabError> {
        self.process.wait_for(&format!("log `{text}`"), within, || {
            Ok(self.process.log.since(mark)?.lines().find(|line| line.contains(text)).map(str::to_owned))
        })
    }

    /// Waits until `seen` is true of the log so far; `what` completes "waited for the broker to ..." in the error.
    ///
    /// # Errors
    ///
    /// As [`Broker::wait_log`].
    pub fn wait_for(&self, what: &str, within: Duration, seen: impl Fn(&str) -> bool) -> Result<(), LabError> {
        let log = &self.process.log;
        self.process.wait_for(what, within, || Ok(seen(&log.since(log.start())?).then_some(())))
    }

    /// Waits until this broker has logged `count` bridges as established: each that its own network connectors opened, and
    /// each duplex one that another broker opened to it. The other end of a one-way bridge logs nothing. A bridge that was
    /// lost and came back counts twice. For a bridge to a certain broker: `wait_log("(NAME) has been established", ...)`.
    ///
    /// # Errors
    ///
    /// As [`Broker::wait_log`].
    pub fn wait_bridges(&self, count: usize, within: Duration) -> Result<(), LabError> {
        let what = format!("establish {count} bridge(s)");
        self.wait_for(&what, within, |log| bridges(log) >= count)
    }

    /// Everything that this process has logged so far.
    ///
    /// # Errors
    ///
    /// `Io` when it cannot be read.
    pub fn log(&self) -> Result<String, LabError> {
        self.log_since(self.process.log.start())
    }

    /// What it has logged after the mark.
    ///
    /// # Errors
    ///
    /// `Io` when it cannot be read.
    pub fn log_since(&self, mark: Mark) -> Result<String, LabError> {
        self.process.log.since(mark)
    }

    /// The present end of the log.
    ///
    /// # Errors
    ///
    /// `Io` when it cannot be read.
    pub fn mark(&self) -> Result<Mark, LabError> {
        self.process.log.end()
    }

    /// The id of the process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// How it ended, if it has. A broker that could not start exits with 1.
    ///
    /// # Errors
    ///
    /// `Io` when the operating system does not say.
    pub fn has_exited(&self) -> Result<Option<ExitStatus>, LabError> {
        self.process.exited()
    }

    /// Waits for the process to end by itself.
    ///
    /// # Errors
    ///
    /// `TooLate` after `within`.
    pub fn wait_exit(&self, within: Duration) -> Result<ExitStatus, LabError> {
        self.process.wait_exit(within)
    }

    /// Stops it cleanly (SIGTERM) and waits. Exit code 143 is a clean stop.
    ///
    /// # Errors
    ///
    /// `TooLate` when it has not stopped `within`; it is killed then.
    pub fn terminate(&self, within: Duration) -> Result<ExitStatus, LabError> {
        self.process.terminate(within)
    }

    /// Kills it (SIGKILL) as a power cut would, and waits: its ports and locks are free afterwards.
    pub fn kill(&self) {
        self.process.kill();
    }
}

/// How many bridges a log says were established (DemandForwardingBridgeSupport, 5.6 to 6.3.1).
fn bridges(log: &str) -> usize {
    log.lines()
        .filter(|line| line.contains("Network connection between") && line.contains("has been established"))
        .count()
}
