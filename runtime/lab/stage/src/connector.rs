//! A connector's program as a process that ends with its handle.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use topoc_lab::{secrets_in, until};
use topoc_plan::{Plan, Secret, encode, slot};

use crate::Loopback;

/// A running connector. Dropped, it is killed, and what it has printed is searched for secrets.
#[derive(Debug)]
pub struct Connector {
    child: Child,
    log: PathBuf,
    /// What it was told by its environment.
    told: Vec<String>,
}

impl Connector {
    /// Makes the program of a template and a plan, in a folder.
    pub(crate) fn make(template: &Path, plan: &Plan, folder: &Path) -> PathBuf {
        let program = folder.join(&plan.connector);
        fs::create_dir_all(folder).unwrap();
        fs::write(&program, slot::embed(&fs::read(template).unwrap(), &encode(plan)).unwrap()).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        program
    }

    /// Starts it. What it prints is added to `output.log` beside it.
    pub(crate) fn start(program: &Path, plan: &Plan) -> Self {
        let file = File::options().create(true).append(true).open(Self::log_beside(program)).unwrap();
        let mut command = Command::new(program);
        command.arg("run").current_dir(program.parent().unwrap());
        command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
        let mut told = Vec::new();
        for secret in plan.login.password.iter().chain(plan.deployment.iter().flat_map(|one| &one.sync_keys)) {
            if let Secret::Env(name) = secret {
                command.env(name, value(name));
                told.push(value(name));
            }
        }
        Self { child: command.spawn().unwrap(), log: Self::log_beside(program), told }
    }

    /// Where it prints.
    pub(crate) fn log_beside(program: &Path) -> PathBuf {
        program.with_file_name("output.log")
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Kills it as a power cut would.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end, and waits.
    pub fn terminate(&mut self) -> ExitStatus {
        signal(self.pid(), Signal::TERM);
        until("a connector ends that was asked to", || self.child.try_wait().unwrap())
    }

    /// How it ended, if it has.
    pub fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }
}

impl Connector {
    /// What it has printed that it must not, in a sentence that does not repeat it.
    fn secrets_printed(&self) -> Option<String> {
        let log = fs::read_to_string(&self.log).unwrap_or_else(|error| error.to_string());
        let listed = secrets_in(&log);
        let own = self.told.iter().position(|secret| log.contains(secret.as_str()));
        let found = !listed.is_empty() || own.is_some();
        found.then(|| {
            let log = self.log.display();
            format!(
                "{log} has secrets: of runtime/lab/unmistakable-secrets (number, line) {listed:?}, of its own {own:?}"
            )
        })
    }
}

/// # Panics
///
/// When it has printed a secret.
impl Drop for Connector {
    #[expect(clippy::print_stderr, reason = "the report of a failed test is all that is left to say it in")]
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let Some(found) = self.secrets_printed() else { return };
        // A test that fails already says why, and a second panic would take the others with it.
        if std::thread::panicking() {
            eprintln!("{found}");
        } else {
            panic!("{found}");
        }
    }
}

/// Sends a signal to a process of ours that was not waited for, so that its id is its own.
pub(crate) fn signal(pid: u32, which: Signal) {
    kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), which).unwrap();
}

/// What a variable holds: a key where one is meant, else [`Loopback::secret`].
fn value(name: &str) -> String {
    if name.contains("SYNC") { "5a".repeat(32) } else { Loopback::secret(name) }
}
