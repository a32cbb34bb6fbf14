//! Runs a command and says how long it took, how much memory it had, or how many instructions.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// One run of a command.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    wall: Duration,
}

impl Run {
    /// Runs a command that must succeed, and does nothing else meanwhile.
    pub(crate) fn of(program: &str, arguments: &[&OsStr]) -> Self {
        let start = Instant::now();
        let status = start_quietly(program, arguments).wait().unwrap();
        assert!(status.success(), "{program} {arguments:?}: {status}");
        Self { wall: start.elapsed() }
    }

    /// Milliseconds.
    pub(crate) fn wall(&self) -> f64 {
        self.wall.as_secs_f64() * 1000.0
    }
}

/// The most memory that a command had, in megabytes (of 1,048,576 bytes). A run of its own: looking takes time.
pub(crate) fn megabytes(program: &str, arguments: &[&OsStr]) -> f64 {
    let mut child = start_quietly(program, arguments);
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        peak = high_water_mark(child.id()).unwrap_or(peak).max(peak);
        std::thread::sleep(Duration::from_micros(300));
    }
    peak as f64 / 1024.0
}

fn start_quietly(program: &str, arguments: &[&OsStr]) -> Child {
    Command::new(program)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("{program} cannot be started: {error}"))
}

/// The middle one of some runs, in milliseconds.
pub(crate) fn median(runs: &[Run]) -> f64 {
    let mut figures: Vec<f64> = runs.iter().map(Run::wall).collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// `VmHWM` of a process, in KiB.
fn high_water_mark(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Milliseconds that writing the files of one folder into another takes, one after the other.
pub(crate) fn copy(from: &Path, to: &Path) -> f64 {
    let mut files = Vec::new();
    collect(from, &mut files);
    let contents: Vec<(std::path::PathBuf, Vec<u8>)> = files
        .into_iter()
        .map(|path| (to.join(path.strip_prefix(from).unwrap()), std::fs::read(&path).unwrap()))
        .collect();
    let start = Instant::now();
    for (path, bytes) in &contents {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    start.elapsed().as_secs_f64() * 1000.0
}

fn collect(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { collect(&path, files) } else { files.push(path) }
    }
}

/// Instructions that a command executes on one thread, counted by callgrind.
pub(crate) fn instructions(program: &str, arguments: &[&OsStr]) -> i64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", program])
        .args(arguments)
        .env("RAYON_NUM_THREADS", "1")
        .stdout(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("valgrind cannot be started: {error}"));
    let log = String::from_utf8_lossy(&output.stderr);
    let line = log.lines().find(|line| line.contains("Collected :")).unwrap_or_else(|| panic!("no count in: {log}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}
