//! `topoc up` as a newcomer has it: one command, and requests are answered; Ctrl-C, and nothing is left.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not there")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};

use rustix::process::{Pid, Signal, kill_process};
use topoc_lab::{PATIENCE, secrets_in, until};

/// The password of the simulator's agents, which nothing else is spelled like (see `runtime/lab/unmistakable-secrets`).
const PASSWORD: &str = "Qy7-mistaken";

/// `topoc up`, and the lines that it prints.
struct Up {
    topoc: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
    /// What is its own of this test: `tmp`, where all that runs is kept, and `stderr`.
    folder: PathBuf,
}

/// A folder that is empty.
fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("up-{test}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join("tmp")).unwrap();
    folder
}

/// A script that starts the simulator in another way, in the folder.
fn simulator(folder: &Path, script: &str) {
    let path = folder.join("simulator");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

impl Up {
    /// One that has all it may need.
    fn start(test: &str, topology: &Path) -> Self {
        let folder = folder(test);
        let script = format!("exec '{}' --password '{PASSWORD}' \"$@\"", beside("finesse-sim").display());
        simulator(&folder, &script);
        // As a person names it who stands beside it.
        Self::with(folder, topology, Path::new("./simulator"), &beside("topoc-connector"))
    }

    /// One of a topology that needs nothing but brokers.
    fn brokers_only(test: &str, text: &str) -> Self {
        let (folder, nowhere) = (folder(test), Path::new("/nowhere"));
        let topology = folder.join("main.topo");
        fs::write(&topology, text).unwrap();
        Self::with(folder, &topology, nowhere, nowhere)
    }

    fn with(folder: PathBuf, topology: &Path, simulator: &Path, template: &Path) -> Self {
        let mut topoc = Command::new(env!("CARGO_BIN_EXE_topoc"))
            .arg("up")
            .arg(topology)
            .arg("--activemq")
            .arg(topoc_lab::release("6.3.1").unwrap().home())
            .arg("--simulator")
            .arg(simulator)
            .arg("--template")
            .arg(template)
            .current_dir(&folder)
            .env("TMPDIR", folder.join("tmp"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(folder.join("stderr")).unwrap())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(topoc.stdout.take().unwrap());
        let (tell, lines) = mpsc::channel();
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        Self { topoc, lines, seen: Vec::new(), folder }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.topoc), signal).unwrap();
    }

    /// What is left of the folders of things that run.
    fn left(&self) -> usize {
        fs::read_dir(self.folder.join("tmp")).unwrap().count()
    }

    /// Ends it, and nothing is left.
    fn end(mut self, signal: Signal) {
        self.signal(signal);
        let status = until("topoc ends", || self.topoc.try_wait().unwrap());
        assert_eq!((status.code(), self.left()), (Some(0), 0), "{}", self.stderr());
    }

    fn stderr(&self) -> String {
        fs::read_to_string(self.folder.join("stderr")).unwrap()
    }

    /// Everything that it and those that it has started have printed so far.
    fn said(&mut self) -> String {
        self.seen.extend(self.lines.try_iter());
        let mut said = self.seen.join("\n") + &self.stderr();
        let mut open = vec![self.folder.join("tmp")];
        while let Some(folder) = open.pop() {
            for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                // What brokers keep of requests is no output.
                if path.is_dir() && !path.ends_with("stores") {
                    open.push(path);
                } else if path.extension().is_some_and(|extension| extension == "log") {
                    said += &String::from_utf8_lossy(&fs::read(path).unwrap());
                }
            }
        }
        said
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
                Err(error) => panic!("`{start}...{end}` does not come ({error}):\n{}", self.said()),
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
    fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty())
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name)
}

/// What all processes of a run have in their environment for passwords.
fn drawn(pid: i32, name: &str) -> String {
    let environment = fs::read_to_string(format!("/proc/{pid}/environ")).unwrap();
    environment.split('\0').find_map(|one| one.strip_prefix(name)?.strip_prefix('=')).unwrap().to_owned()
}

#[test]
fn requests_are_answered_until_ctrl_c_and_nothing_is_left() {
    let mut up = Up::start("both", &example("active-active"));
    let parts = ["finesse finesse-sim", "broker amq-1", "broker amq-2", "connector gc-1", "connector gc-2"];
    let pids: Vec<i32> = parts.iter().map(|part| up.pid(part)).collect();
    up.wait("client desktop-1: at amq-1", "answered by site-1.gc-1");
    up.wait("client desktop-2: at amq-2", "answered by site-2.gc-2");
    // Each begins at its first broker, whichever of them is up first.
    assert!(!up.seen.iter().any(|line| line.starts_with("client desktop-2: at amq-1")), "{:?}", up.seen);
    let key = drawn(pids[3], "SYNC_KEY");

    // Whoever is killed is stood in for.
    kill_process(Pid::from_raw(pids[3]).unwrap(), Signal::KILL).unwrap();
    up.wait("connector gc-1: ended", "");
    up.wait("client desktop-1: at amq-1", "answered by site-2.gc-2");

    let said = up.said();
    assert!(said.contains("the connector starts") && said.contains("amq-1"), "the logs are in it");
    assert_eq!((secrets_in(&said), said.contains(&key)), (vec![], false), "{said}");
    up.end(Signal::INT);
    assert_eq!(pids.iter().filter(|pid| is_there(**pid)).count(), 0);
}

#[test]
fn whoever_kills_topoc_kills_all_that_it_has_started() {
    let mut up = Up::start("killed", &example("simplex"));
    let pids = ["finesse finesse-sim", "broker amq-1", "connector gc-1"].map(|part| up.pid(part));
    up.topoc.kill().unwrap();
    up.topoc.wait().unwrap();
    until("all have ended", || pids.iter().all(|pid| !is_there(*pid)).then_some(()));
}

#[test]
fn brokers_alone_need_neither_a_simulator_nor_a_connectors_program() {
    let text = r#"topology t { activemq = "6.2" }
site s {
  broker amq-1 { host = "amq-1"; listen openwire { port = 61616 }; store memory {} }
  client orders { brokers = [amq-1]; timeout = 10s }
}
"#;
    let mut up = Up::brokers_only("brokers", text);
    up.wait("client orders: at amq-1", "");
    assert!(!up.said().contains("inesse"), "{}", up.said());
    // A terminal that closes is a wish to end, too.
    up.end(Signal::HUP);
}

#[test]
fn clients_do_not_wait_for_the_slave_of_a_pair() {
    let text = r#"topology t { activemq = "6.2" }
site s {
  defaults store { directory = "/mnt/shared/hub"; shared = true }
  broker hub-a {
    host = "hub-a"
    listen openwire { port = 61616 }
    store kahadb {}
  }
  broker hub-b {
    host = "hub-b"
    listen openwire { port = 61616 }
    store kahadb {}
  }
  pair hub { master = hub-a; slave = hub-b }
  client orders { brokers = [hub] }
}
"#;
    let mut up = Up::brokers_only("pair", text);
    up.wait("client orders: at hub-", "");
    let listens = |name: &str| up.seen.iter().any(|line| line.starts_with(&format!("broker {name}: up")));
    assert!(listens("hub-a") != listens("hub-b"), "{:?}", up.seen);
    up.end(Signal::TERM);
}

#[test]
fn one_password_may_be_in_a_file_here_and_under_another_name_there() {
    let folder = folder("files");
    let topology = folder.join("main.topo");
    let text = r#"topology t { activemq = "6.2"; finesse = "12.6" }
site s {
  broker amq-1 {
    host = "amq-1"
    listen openwire { port = 61616 }
    store memory {}
    users {
      user gc { password = secret("env:BROKERS_NAME_FOR_IT") }
      user desk { password = secret("env:DESK") }
    }
  }
  finesse fin-1 { host = "fin-1.example.com" }
  connector gc-1 {
    brokers             = [amq-1]
    finesse             = [fin-1]
    timeout             = 10s
    user                = "gc"
    password            = secret("file:/nowhere/gc")
    admin               = "0.0.0.0:9464"
    admin-token         = secret("file:/nowhere/token")
  }
  client desk { brokers = [amq-1]; timeout = 10s; user = "desk"; password = secret("file:/nowhere/desk") }
}
deployment main simplex { connectors = [gc-1] }
"#;
    fs::write(&topology, text).unwrap();
    let simulator = beside("finesse-sim");
    let mut up = Up::with(folder, &topology, &simulator, &beside("topoc-connector"));
    let broker = up.pid("broker amq-1");
    up.wait("client desk: at amq-1", "answered by s.gc-1");
    assert!(!up.said().contains(&drawn(broker, "DESK")));
    up.end(Signal::TERM);
}

#[test]
fn two_of_one_name_at_different_sites_both_run() {
    let folder = folder("namesakes");
    let topology = folder.join("main.topo");
    let site = |site: &str, other: &str| {
        format!(
            "site {site} {{
  broker amq-{site} {{ host = \"{site}\"; listen openwire {{ port = 61616 }}; store memory {{}} }}
  finesse fin {{ host = \"{site}.example.com\" }}
  connector gc {{ brokers = [amq-{site}, amq-{other}]; finesse = [{site}.fin, {other}.fin]; timeout = 10s }}
  client desk {{ brokers = [amq-{site}, amq-{other}]; timeout = 10s }}
}}\n"
        )
    };
    let head = "topology t { activemq = \"6.2\"; finesse = \"12.6\" }\n".to_owned();
    let deployment = "bridge amq-a <-> amq-b
deployment main active-active { connectors = [a.gc, b.gc]; sync-key = secret(\"env:KEY\") }\n";
    fs::write(&topology, head + &site("a", "b") + &site("b", "a") + deployment).unwrap();
    let simulator = beside("finesse-sim");
    let mut up = Up::with(folder, &topology, &simulator, &beside("topoc-connector"));
    for part in ["broker amq-a", "broker amq-b", "connector a.gc", "connector b.gc"] {
        up.pid(part);
    }
    up.wait("client a.desk: at", "answered by");
    up.wait("client b.desk: at", "answered by");
    up.end(Signal::INT);
}

#[test]
fn ctrl_c_while_things_are_started_leaves_nothing() {
    let folder = folder("early");
    let pid = folder.join("pid");
    simulator(&folder, &format!("echo $$ >'{0}.new'; mv '{0}.new' '{0}'; exec sleep 600", pid.display()));
    let up = Up::with(folder, &example("simplex"), Path::new("./simulator"), &beside("topoc-connector"));
    let pid: i32 = until("the simulator runs", || fs::read_to_string(&pid).ok()).trim().parse().unwrap();
    assert_eq!(up.left(), 1, "there is something to remove");
    up.end(Signal::INT);
    assert!(!is_there(pid));
}
