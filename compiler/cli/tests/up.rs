//! `topoc up` as a newcomer has it: one command, and requests are answered; Ctrl-C, and nothing is left.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not there")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};

use rustix::process::{Pid, Signal, kill_process};
use topoc_lab::{PATIENCE, until};

/// `topoc up` of an example, and the lines that it prints.
struct Up {
    topoc: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Up {
    fn start(example: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut topoc = Command::new(env!("CARGO_BIN_EXE_topoc"))
            .arg("up")
            .arg(root.join("examples").join(example))
            .arg("--activemq")
            .arg(topoc_lab::release("6.3.1").unwrap().home())
            .arg("--simulator")
            .arg(beside("finesse-sim"))
            .arg("--template")
            .arg(beside("topoc-connector"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(topoc.stdout.take().unwrap());
        let (tell, lines) = mpsc::channel();
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        Self { topoc, lines, seen: Vec::new() }
    }

    /// Waits for a line that begins and ends so.
    fn wait(&mut self, start: &str, end: &str) -> String {
        let is_it = |line: &&String| line.starts_with(start) && line.contains(end);
        loop {
            if let Some(line) = self.seen.iter().find(is_it) {
                return line.clone();
            }
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => self.seen.push(line),
                Err(error) => panic!("`{start}...{end}` does not come ({error}):\n{}", self.seen.join("\n")),
            }
        }
    }

    /// The process of a part that is up.
    fn pid(&mut self, part: &str) -> i32 {
        let line = self.wait(&format!("{part}: up"), "pid ");
        let (_, pid) = line.rsplit_once("pid ").unwrap();
        pid.trim_end_matches(')').parse().unwrap()
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.topoc.kill();
        let _ = self.topoc.wait();
    }
}

/// Another program of the workspace, which a run of all tests has built.
fn beside(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_topoc")).with_file_name(name);
    assert!(path.exists(), "{} is not built: `cargo build --workspace`", path.display());
    path
}

fn is_there(pid: i32) -> bool {
    // A process that has ended and that nobody has waited for has no command line.
    std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty())
}

#[test]
fn requests_are_answered_until_ctrl_c_and_nothing_is_left() {
    let mut up = Up::start("active-active");
    let parts = ["finesse finesse-sim", "broker amq-1", "broker amq-2", "connector gc-1", "connector gc-2"];
    let pids: Vec<i32> = parts.iter().map(|part| up.pid(part)).collect();
    up.wait("client desktop-1: at amq-1", "answered by site-1.gc-1");
    up.wait("client desktop-2: at amq-2", "answered by site-2.gc-2");

    // Whoever is killed is stood in for.
    kill_process(Pid::from_raw(pids[3]).unwrap(), Signal::KILL).unwrap();
    up.wait("connector gc-1: ended", "");
    up.wait("client desktop-1: at amq-1", "answered by site-2.gc-2");

    kill_process(Pid::from_raw(i32::try_from(up.topoc.id()).unwrap()).unwrap(), Signal::INT).unwrap();
    let status = until("topoc ends", || up.topoc.try_wait().unwrap());
    assert_eq!(status.code(), Some(0));
    assert_eq!(pids.iter().filter(|pid| is_there(**pid)).count(), 0);
}

#[test]
fn whoever_kills_topoc_kills_all_that_it_has_started() {
    let mut up = Up::start("simplex");
    let pids = ["finesse finesse-sim", "broker amq-1", "connector gc-1"].map(|part| up.pid(part));
    up.topoc.kill().unwrap();
    up.topoc.wait().unwrap();
    until("all have ended", || pids.iter().all(|pid| !is_there(*pid)).then_some(()));
}
