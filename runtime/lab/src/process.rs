//! A process that ends with its handle, and with this process, and what it may not print.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::LabError;
use crate::log::{Log, Mark};
use crate::secrets::secrets_in;
use crate::wait::wait_until;

// What a small test broker needs, and quick starts before quick running (ground truth: 1.4 s instead of 2 s to start).
const JVM: [&str; 9] = [
    "-Xms64m",
    "-Xmx192m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-Xlog:cds=off",
    "-Xlog:cds+dynamic=off",
    "-Djava.net.preferIPv4Stack=true",
    "-Djava.awt.headless=true",
];

/// `java` with the flags that all processes of the lab share.
pub(crate) fn java_command() -> Command {
    let mut command = Command::new("java");
    command.args(JVM);
    command
}

/// An argument that names a path.
pub(crate) fn option(name: &str, path: &Path) -> OsString {
    let mut argument = OsString::from(name);
    argument.push(path);
    argument
}

/// Where a process's standard output goes; standard error goes to its log in both cases.
#[derive(Clone, Copy)]
pub(crate) enum Output<'a> {
    /// To its log, too.
    Log,
    /// To the test, which talks with it by this pipe.
    Pipe,
    /// To a file of its own.
    Apart(&'a Path),
}

#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) name: String,
    pub(crate) log: Log,
    /// Its standard output, where that goes apart.
    pub(crate) said: Option<Log>,
    /// The end of what the test has taken from the beginning of its standard output: this may have secrets.
    taken: Mutex<Option<Mark>>,
    pid: u32,
    child: Mutex<Child>,
    // The child halts when this pipe closes: when this value is dropped, and when this whole process is killed.
    lifeline: Mutex<Option<ChildStdin>>,
}

impl Process {
    pub(crate) fn start(
        mut command: Command,
        name: String,
        log: &Path,
        output: Output<'_>,
    ) -> Result<(Self, Option<ChildStdout>), LabError> {
        let (log, file) = Log::append_to(log)?;
        let copy = |file: &File| file.try_clone().map_err(|cause| LabError::io("share the log file", cause));
        let mut said = None;
        command.stdin(Stdio::piped()).stderr(copy(&file)?).stdout(match output {
            Output::Log => copy(&file)?.into(),
            Output::Pipe => Stdio::piped(),
            Output::Apart(path) => {
                let (log, file) = Log::append_to(path)?;
                said = Some(log);
                file.into()
            }
        });
        let doing = || format!("start {name} (`{}`)", command.get_program().display());
        let doing = doing();
        let mut child = command.spawn().map_err(|cause| LabError::io(doing, cause))?;
        // Taken out, since `Child` closes its standard input whenever it is waited for.
        let lifeline = Mutex::new(child.stdin.take());
        let stdout = child.stdout.take();
        let pid = child.id();
        let taken = Mutex::new(None);
        Ok((Self { name, log, said, taken, pid, child: Mutex::new(child), lifeline }, stdout))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Writes to its standard input.
    pub(crate) fn tell(&self, bytes: &[u8]) -> io::Result<()> {
        match self.lifeline.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            Some(stdin) => stdin.write_all(bytes),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Ends its standard input.
    pub(crate) fn close_stdin(&self) {
        self.lifeline.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// The test has taken so much of its standard output, from the mark on: what is told to it may have secrets.
    pub(crate) fn taken(&self, from: Mark, bytes: u64) {
        *self.taken.lock().unwrap_or_else(PoisonError::into_inner) = Some(from.after(bytes));
    }

    /// How it ended, if it has.
    pub(crate) fn exited(&self) -> Result<Option<ExitStatus>, LabError> {
        self.child().try_wait().map_err(|cause| LabError::io(format!("wait for {}", self.name), cause))
    }

    pub(crate) fn wait_exit(&self, within: Duration) -> Result<ExitStatus, LabError> {
        wait_until(within, || self.exited())?.ok_or_else(|| self.too_late("exit", within))
    }

    /// Waits until `look` finds something in the process's doings; gives up early when the process has ended.
    pub(crate) fn wait_for<T>(
        &self,
        what: &str,
        within: Duration,
        mut look: impl FnMut() -> Result<Option<T>, LabError>,
    ) -> Result<T, LabError> {
        let found = wait_until(within, || {
            // Asked first: what the process did before it ended is then seen by the look that follows.
            let exited = self.exited()?;
            match (look()?, exited) {
                (Some(found), _) => Ok(Some(found)),
                (None, Some(status)) => {
                    Err(LabError::Exited { awaited: self.awaited(what), status, log: self.log.tail() })
                }
                (None, None) => Ok(None),
            }
        })?;
        found.ok_or_else(|| self.too_late(what, within))
    }

    /// SIGTERM, then waits. A process that ignores it for so long is killed, and that is an error.
    pub(crate) fn terminate(&self, within: Duration) -> Result<ExitStatus, LabError> {
        {
            // While the lock is held nobody reaps the child, so its id cannot have gone to another process.
            let mut child = self.child();
            let doing = || format!("stop {}", self.name);
            if let Some(status) = child.try_wait().map_err(|cause| LabError::io(doing(), cause))? {
                return Ok(status);
            }
            if let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) {
                kill_process(pid, Signal::TERM).map_err(|errno| LabError::io(doing(), errno.into()))?;
            }
        }
        self.wait_exit(within).inspect_err(|_| self.kill())
    }

    /// SIGKILL, then waits: afterwards its ports and locks are free.
    pub(crate) fn kill(&self) {
        let mut child = self.child();
        // Fails only when it has already ended.
        let _ = child.kill();
        let _ = child.wait();
    }

    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn awaited(&self, what: &str) -> String {
        format!("waited for {} to {what}", self.name)
    }

    pub(crate) fn too_late(&self, what: &str, within: Duration) -> LabError {
        LabError::TooLate { awaited: self.awaited(what), within, log: self.log.tail() }
    }
}

impl Process {
    /// What it has printed of the secrets that tests use, in a sentence; of its standard output only what nobody took.
    fn secrets_printed(&self) -> Option<String> {
        let taken = *self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let logs = [Some((&self.log, None)), self.said.as_ref().map(|said| (said, taken))];
        let found = logs.into_iter().flatten().find_map(|(log, from)| {
            let text = log.since(from.unwrap_or(log.start())).unwrap_or_else(|error| error.to_string());
            let found = secrets_in(&text);
            (!found.is_empty()).then(|| format!("{} (number, line): {found:?}", log.path().display()))
        });
        found.map(|found| format!("{} printed secrets of runtime/lab/unmistakable-secrets in {found}", self.name))
    }
}

/// # Panics
///
/// When it has printed a secret.
impl Drop for Process {
    #[expect(clippy::print_stderr, reason = "the report of a failed test is all that is left to say it in")]
    fn drop(&mut self) {
        self.kill();
        let Some(found) = self.secrets_printed() else { return };
        // A test that fails already says why, and a second panic would take the others with it.
        if std::thread::panicking() {
            eprintln!("{found}");
        } else {
            panic!("{found}");
        }
    }
}
