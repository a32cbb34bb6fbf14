//! A program under a test, such as those of the project: what it prints is kept, and searched for secrets when it ends.

use std::path::Path;
use std::process::{Command, ExitStatus, Output};
use std::time::Duration;

use crate::LabError;
use crate::log::Mark;
use crate::process::{Output as To, Process};
use crate::secrets::secrets_in;

/// A running program with a pipe as its standard input. Dropping it kills it and waits for its end.
#[derive(Debug)]
pub struct Program {
    process: Process,
    /// Where the next line of its standard output begins.
    next: Mark,
}

impl Program {
    /// Starts it; `workdir` gets what it prints (`NAME.out`, `NAME.err`).
    ///
    /// # Errors
    ///
    /// `Io` when it cannot be started, or nothing can be written there.
    pub fn start(command: Command, workdir: &Path) -> Result<Self, LabError> {
        let name = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (errors, said) = (workdir.join(name.clone() + ".err"), workdir.join(name.clone() + ".out"));
        let (process, _) = Process::start(command, name, &errors, To::Apart(&said))?;
        let next = process.said.as_ref().map_or_else(|| process.log.start(), |said| said.start());
        Ok(Self { process, next })
    }

    /// Waits for the next line of its standard output. It may have a secret, unlike everything else: such as the first line of
    /// a server, which tells whoever started it where it is and how to sign in.
    ///
    /// # Errors
    ///
    /// `Exited` when it ends without one, `TooLate` after `within`; both with the end of what it printed as errors.
    pub fn line(&mut self, within: Duration) -> Result<String, LabError> {
        let said = self.process.said.as_ref().unwrap_or(&self.process.log);
        let line = self.process.wait_for("print a line", within, || {
            let text = said.since(self.next)?;
            Ok(text.split_once('\n').map(|(line, _)| line.to_owned()))
        })?;
        let length = u64::try_from(line.len()).unwrap_or(u64::MAX).saturating_add(1);
        self.process.taken(self.next, length);
        self.next = self.next.after(length);
        Ok(line)
    }

    /// What it has printed as errors so far: its log.
    ///
    /// # Errors
    ///
    /// `Io` when it cannot be read.
    pub fn errors(&self) -> Result<String, LabError> {
        self.process.log.since(self.process.log.start())
    }

    /// Ends its standard input.
    pub fn close_stdin(&self) {
        self.process.close_stdin();
    }

    /// Waits for it to end by itself.
    ///
    /// # Errors
    ///
    /// `TooLate` after `within`.
    pub fn wait_exit(&self, within: Duration) -> Result<ExitStatus, LabError> {
        self.process.wait_exit(within)
    }

    /// Stops it (SIGTERM) and waits.
    ///
    /// # Errors
    ///
    /// `TooLate` when it has not stopped `within`; it is killed then.
    pub fn terminate(&self, within: Duration) -> Result<ExitStatus, LabError> {
        self.process.terminate(within)
    }
}

/// Runs a program to its end, without input, and gives what it printed.
///
/// # Errors
///
/// `Io` when it cannot be started.
///
/// # Panics
///
/// When it has printed a secret of the list.
pub fn output(mut command: Command) -> Result<Output, LabError> {
    let name = Path::new(command.get_program()).to_string_lossy().into_owned();
    let output = command.output().map_err(|cause| LabError::io(format!("run {name}"), cause))?;
    for (what, printed) in [("output", &output.stdout), ("errors", &output.stderr)] {
        let found = secrets_in(&String::from_utf8_lossy(printed));
        assert!(found.is_empty(), "{name} printed secrets (number, line) in its {what}: {found:?}");
    }
    Ok(output)
}
