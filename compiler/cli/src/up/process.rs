//! Programs that are started, watched, and end with this one.

use crate::failure::Failure;
use rustix::process::{Pid, Signal, getppid, kill_process, set_parent_process_death_signal};
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How a program is started, as often as one likes.
#[derive(Debug, Clone)]
pub(super) struct Recipe {
    /// What people call it.
    pub(super) name: String,
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<OsString>,
    pub(super) environment: Vec<(String, String)>,
    /// Where it runs.
    pub(super) folder: PathBuf,
    /// What it prints is added here.
    pub(super) log: PathBuf,
}

/// A program that was started. Dropped, it is killed.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
    log: PathBuf,
}

impl Recipe {
    /// Starts it. `piped` leaves its standard output to the caller.
    pub(super) fn start(&self, piped: bool) -> Result<(Running, Option<ChildStdout>), Failure> {
        let log = |error| Failure::system("write", &self.log, &error);
        let file: File = OpenOptions::new().create(true).append(true).open(&self.log).map_err(log)?;
        let ours =
            std::env::current_exe().map_err(|error| Failure::new(format!("topoc cannot find itself: {error}")))?;
        let mut command = Command::new(ours);
        command.args(["guard", "--parent", &std::process::id().to_string(), "--"]).arg(&self.program);
        command.args(&self.arguments).envs(self.environment.iter().cloned()).current_dir(&self.folder);
        // A Ctrl-C at the terminal is for topoc alone, which ends them in order.
        command.process_group(0).stdin(Stdio::null()).stderr(file.try_clone().map_err(log)?);
        command.stdout(if piped { Stdio::piped() } else { file.into() });
        let mut child = command.spawn().map_err(|error| {
            Failure::new(format!("cannot start {} ({}): {error}", self.name, self.program.display()))
        })?;
        let stdout = child.stdout.take();
        Ok((Running { child, log: self.log.clone() }, stdout))
    }
}

impl Running {
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// As a power cut would.
    pub(super) fn kill(&mut self) {
        // What has ended already needs no killing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks it to end.
    pub(super) fn terminate(&self) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::TERM);
        }
    }

    /// The last line that it has printed.
    pub(super) fn last_words(&self) -> String {
        last_line(&self.log)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.ended().is_none() {
            self.kill();
        }
    }
}

/// Ends programs together, and kills those that take too long, or all when nobody wants to wait for them.
pub(super) fn end(mut all: Vec<Running>, patience: Duration, is_in_a_hurry: impl Fn() -> bool) {
    for one in &all {
        one.terminate();
    }
    let until = Instant::now() + patience;
    while Instant::now() < until && !is_in_a_hurry() && all.iter_mut().any(|one| one.ended().is_none()) {
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The last line of a file of any size that says something. Where in a program a mistake was made (`Throwable.printStackTrace`
/// of Java) says nothing to people.
fn last_line(path: &Path) -> String {
    const MOST: u64 = 16 * 1024;
    let read = || -> io::Result<String> {
        let mut file = File::open(path)?;
        let size = file.metadata()?.len();
        file.seek(SeekFrom::Start(size.saturating_sub(MOST)))?;
        let mut bytes = Vec::new();
        file.take(MOST).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let text = read().unwrap_or_default();
    let is_said = |line: &&str| !line.is_empty() && !line.starts_with("at ") && !line.starts_with("... ");
    text.lines().rev().map(str::trim).find(is_said).unwrap_or_default().to_owned()
}

/// Becomes another program that the kernel ends when the one that started it is gone, also when that was killed.
pub(crate) fn become_guarded(parent: u32, command: &[OsString]) -> Failure {
    if let Err(error) = set_parent_process_death_signal(Some(Signal::TERM)) {
        return Failure::new(format!("cannot be tied to process {parent}: {error}"));
    }
    // It may have gone before the kernel knew.
    if getppid().is_none_or(|now| now.as_raw_nonzero().get().unsigned_abs() != parent) {
        return Failure::new(format!("process {parent} is gone"));
    }
    let Some((program, arguments)) = command.split_first() else {
        return Failure::new("there is no program to become");
    };
    let error = Command::new(program).args(arguments).exec();
    Failure::new(format!("cannot start `{}`: {error}", Path::new(program).display()))
}

#[cfg(test)]
mod tests {
    use super::last_line;

    #[test]
    fn the_last_line_is_one_for_people() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("output.log");
        assert_eq!(last_line(&file), "", "nothing has been written");
        let text = "started\nError: no such thing\n\tat org.Main.main(Main.java:1)\n\t... 12 more\n\n";
        std::fs::write(&file, text).expect("it can be written");
        assert_eq!(last_line(&file), "Error: no such thing");
    }
}
