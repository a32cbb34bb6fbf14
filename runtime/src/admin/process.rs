//! What the kernel says of this process: `proc(5)`.

use std::fs;
use std::path::Path;

/// Ticks of a second in `/proc`: Linux tells programs of 100 whatever its own clock does (`USER_HZ`).
const TICKS: f64 = 100.0;

/// What a process takes. What cannot be read is absent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Process {
    /// Memory in RAM, in bytes.
    pub resident: Option<u64>,
    /// Open files and sockets.
    pub open_files: Option<u64>,
    /// How many there may be.
    pub most_files: Option<u64>,
    /// Threads.
    pub threads: Option<u64>,
    /// Time of processors that it took, in seconds.
    pub cpu: Option<f64>,
    /// When it was started, in seconds since the Unix epoch.
    pub started: Option<f64>,
}

impl Process {
    /// Reads what is below a folder like `/proc`.
    #[must_use]
    pub fn read(proc: &Path) -> Self {
        let of_self = proc.join("self");
        let text = |path: &Path| fs::read_to_string(path).ok();
        let status = text(&of_self.join("status")).unwrap_or_default();
        let limits = text(&of_self.join("limits")).unwrap_or_default();
        let stat = text(&of_self.join("stat")).unwrap_or_default();
        let system = text(&proc.join("stat")).unwrap_or_default();
        Self {
            resident: number(&status, "VmRSS:").map(|kib| kib * 1024),
            // The folder itself is open while it is read.
            open_files: fs::read_dir(of_self.join("fd")).ok().map(|all| (all.count() as u64).saturating_sub(1)),
            most_files: number(&limits, "Max open files"),
            threads: number(&status, "Threads:"),
            cpu: field(&stat, 14).zip(field(&stat, 15)).map(|(user, system)| (user + system) / TICKS),
            started: field(&stat, 22).zip(number(&system, "btime")).map(|(at, boot)| boot as f64 + at / TICKS),
        }
    }
}

/// The first number behind a word at the begin of a line; `unlimited` is none.
fn number(text: &str, word: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(word))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// A field of `stat`, counted from 1 as `proc(5)` does. The second is the program's name, which may hold anything.
fn field(stat: &str, place: usize) -> Option<f64> {
    let (_, behind) = stat.rsplit_once(')')?;
    behind.split_whitespace().nth(place - 3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_takes_something() {
        let process = Process::read(Path::new("/proc"));
        assert!(process.resident.unwrap() > 100_000);
        assert!(process.open_files.unwrap() >= 3 && process.most_files.is_none_or(|most| most > 3));
        assert!(process.threads.unwrap() >= 1 && process.cpu.unwrap() >= 0.0);
        assert!(process.started.unwrap() > 1_700_000_000.0);
    }

    #[test]
    fn one_more_file_is_one_more() {
        let before = fs::read_dir("/proc/self/fd").unwrap().count() as u64 - 1;
        assert!(Process::read(Path::new("/proc")).open_files.unwrap().abs_diff(before) < 64, "{before}");
    }

    #[test]
    fn a_name_with_parentheses_shifts_no_field() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 0 0 0 0 0 250 50 0 0 20 0 3 0 12345 0 0";
        assert_eq!((field(stat, 14), field(stat, 15), field(stat, 22)), (Some(250.0), Some(50.0), Some(12345.0)));
    }

    #[test]
    fn what_cannot_be_read_is_absent() {
        assert_eq!(Process::read(Path::new("/nowhere")), Process::default());
        assert_eq!(number("Max open files            unlimited\n", "Max open files"), None);
    }
}
