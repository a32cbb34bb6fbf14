//! A database server (Derby) on loopback, for brokers that keep their messages in one.

use std::path::Path;
use std::time::Duration;

use crate::LabError;
use crate::cache::{database_class_path, database_jars};
use crate::process::{Output, Process, java_command};
use crate::{Launch, ports};

/// A running server. Dropping it kills the process and waits for its end.
#[derive(Debug)]
pub struct Database {
    process: Process,
    port: u16,
}

impl Database {
    /// Starts the server on a port of its own; `workdir` gets the databases and its log (`database.log`).
    ///
    /// # Errors
    ///
    /// `NotFetched` when it is not in the cache, `Io` when `java` is missing.
    pub fn start(workdir: &Path) -> Result<Self, LabError> {
        let port = ports(1)?[0];
        let mut command = java_command();
        command.arg("-cp").arg(database_class_path()?);
        command.args(["DatabaseMain", "start", "-h", "127.0.0.1", "-p", &port.to_string(), "-noSecurityManager"]);
        command.current_dir(workdir);
        let (process, _) =
            Process::start(command, "the database".to_owned(), &workdir.join("database.log"), Output::Log)?;
        Ok(Self { process, port })
    }

    /// Waits until it accepts connections.
    ///
    /// # Errors
    ///
    /// `Exited` when it did not start, `TooLate` after `within`.
    pub fn wait_started(&self, within: Duration) -> Result<(), LabError> {
        let log = &self.process.log;
        let ready = |text: &str| text.contains("ready to accept connections");
        self.process.wait_for("start", within, || Ok(ready(&log.since(log.start())?).then_some(())))
    }

    /// The JDBC URL of a database here, which is made when it is first used.
    #[must_use]
    pub fn url(&self, name: &str) -> String {
        format!("jdbc:derby://127.0.0.1:{}/{name};create=true", self.port)
    }

    /// Gives a broker the driver and the connection pool, as an administrator puts them into its `lib/extra`.
    ///
    /// # Errors
    ///
    /// `NotFetched` when they are not in the cache.
    pub fn driver(launch: Launch<'_>) -> Result<Launch<'_>, LabError> {
        Ok(database_jars()?.into_iter().fold(launch, Launch::jar))
    }
}
