//! `check --watch`, driven through pipes: it sees every kind of save in time, and ends when it is told to.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not there")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const SOUND: &str = "topology t { activemq = \"6.2\" }\nsite east {\n  broker amq-1 {\n    host = \"amq-1\"\n    listen openwire { port = 61616; host = \"127.0.0.1\"; maximum-connections = 9 }\n    users { user gc { password = secret(\"env:GC_PASSWORD\") } }\n  }\n}\n";

/// On a machine that does much else, a tenth of a second is not always to be had; what hangs never comes.
const LONG: Duration = Duration::from_secs(20);

struct Watch {
    child: Child,
    lines: Receiver<String>,
}

impl Watch {
    fn start(folder: &Path) -> Self {
        // Both streams in one pipe, so that a report ends with its last line.
        let mut child = Command::new("sh")
            .current_dir(folder)
            .args([
                "-c",
                "exec \"$0\" \"$@\" 2>&1",
                env!("CARGO_BIN_EXE_topoc"),
                "check",
                "--watch",
                "--format",
                "short",
            ])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { child, lines }
    }

    /// Reads on until some text comes, and to the end of that report; how long the text took.
    #[track_caller]
    fn expect(&self, text: &str) -> Duration {
        let start = Instant::now();
        let mut seen = Vec::new();
        let mut time = None;
        while time.is_none() || !seen.last().is_some_and(|line: &String| line.starts_with("checked in ")) {
            let left = LONG.saturating_sub(start.elapsed());
            let line = self.lines.recv_timeout(left).unwrap_or_else(|_| panic!("no {text:?} came, only {seen:#?}"));
            if line.contains(text) {
                time.get_or_insert(start.elapsed());
            }
            seen.push(line);
        }
        time.unwrap()
    }

    fn signal(mut self, name: &str) -> ExitStatus {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(start.elapsed() < LONG, "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        fs::write(folder.path().join(path), text).unwrap();
    }
    folder
}

#[test]
fn every_kind_of_save_is_seen() {
    let misspelt = SOUND.replace("  broker", "  brokr");
    let importing = format!("import \"east.topo\"\n{}", SOUND.replace("east", "west"));
    let folder = project(&[("main.topo", SOUND)]);
    let at = |name: &str| folder.path().join(name);
    let watch = Watch::start(folder.path());
    watch.expect("no findings in 1 file");
    // Written in place.
    fs::write(at("main.topo"), &misspelt).unwrap();
    watch.expect("unknown-block");
    // A new file renamed over it.
    fs::write(at("main.topo~"), SOUND).unwrap();
    fs::rename(at("main.topo~"), at("main.topo")).unwrap();
    watch.expect("no findings in 1 file");
    // Moved away, and another one put in its place.
    fs::rename(at("main.topo"), at("main.bak")).unwrap();
    fs::write(at("main.topo"), &misspelt).unwrap();
    watch.expect("unknown-block");
    // Gone, which is said, and back.
    fs::remove_file(at("main.topo")).unwrap();
    watch.expect("error: there is no `.topo` file");
    // An import that is not there, and comes.
    fs::write(at("main.topo"), &importing).unwrap();
    watch.expect("import-not-found");
    fs::write(at("east.topo"), "let a = 1\n").unwrap();
    watch.expect("in 2 files");
    fs::write(at("east.topo"), "brokr\n").unwrap();
    watch.expect("east.topo:1");
    fs::write(at("east.topo"), "").unwrap();
    watch.expect("no findings in 2 files");
    // Settings that come, change and go.
    fs::write(at("topoc.toml"), "profil = 1\n").unwrap();
    watch.expect("unknown-setting");
    fs::write(at("topoc.toml"), "profile = \"strict\"\n").unwrap();
    watch.expect("in 3 files");
    fs::remove_file(at("topoc.toml")).unwrap();
    watch.expect("in 2 files");
}

#[test]
fn a_save_is_answered_within_a_tenth_of_a_second() {
    let folder = project(&[("main.topo", SOUND)]);
    let watch = Watch::start(folder.path());
    watch.expect("no findings");
    // The best of some: another process may take the machine at any moment.
    let times = (0..10).map(|round| {
        let (text, expected) = if round % 2 == 0 {
            (SOUND.replace("  broker", "  brokr"), "unknown-block")
        } else {
            (SOUND.to_owned(), "no findings")
        };
        fs::write(folder.path().join("main.topo"), text).unwrap();
        watch.expect(expected)
    });
    let best = times.min().unwrap();
    assert!(best < Duration::from_millis(100), "{best:?}");
}

#[test]
fn it_ends_cleanly_when_it_is_told_to() {
    for signal in ["INT", "TERM"] {
        let folder = project(&[("main.topo", SOUND)]);
        let watch = Watch::start(folder.path());
        watch.expect("waiting for changes");
        assert_eq!(watch.signal(signal).code(), Some(0), "{signal}");
    }
}

#[test]
fn it_ends_when_nobody_reads_any_more() {
    let folder = project(&[("main.topo", SOUND)]);
    let mut child = Command::new(env!("CARGO_BIN_EXE_topoc"))
        .current_dir(folder.path())
        .args(["check", "--watch"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut String::new()).unwrap();
    drop(stdout);
    let start = Instant::now();
    let mut save = 0;
    while child.try_wait().unwrap().is_none() {
        assert!(start.elapsed() < LONG, "it does not end");
        save += 1;
        fs::write(folder.path().join("main.topo"), format!("{SOUND}// {save}\n")).unwrap();
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn only_what_reports_can_be_watched() {
    let folder = project(&[("main.topo", SOUND)]);
    for other in ["--fix", "--write-baseline"] {
        let output = Command::new(env!("CARGO_BIN_EXE_topoc"))
            .current_dir(folder.path())
            .args(["check", "--watch", other])
            .output();
        assert_eq!(output.unwrap().status.code(), Some(2), "{other}");
    }
}
