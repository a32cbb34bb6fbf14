//! What is measured of a process, and how it is shown.

use std::fs;

use serde_json::{Value, json};

/// As many files as this process may have: each session is one, or two.
pub(crate) fn allow_files() {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let all = rustix::process::Rlimit { current: limit.maximum, ..limit };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, all).unwrap();
}

pub(crate) fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

/// Processor time of this process in seconds (clock 2 of POSIX, as Java's `getProcessCpuTime`).
pub(crate) fn cpu_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// What is resident of this process (`VmRSS`), or was at most (`VmHWM`), in KB.
pub(crate) fn resident(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// What all agents take, once they are ready.
pub(crate) struct Settled {
    pub(crate) agents: u64,
    pub(crate) before_kb: u64,
    pub(crate) after_kb: u64,
    pub(crate) peak_kb: u64,
    pub(crate) seconds: f64,
    pub(crate) cpu_seconds: f64,
}

impl Settled {
    pub(crate) fn json(&self) -> Value {
        json!({
            "agents": self.agents,
            "before_kb": self.before_kb,
            "after_kb": self.after_kb,
            "peak_kb": self.peak_kb,
            "seconds": self.seconds,
            "cpu_seconds": self.cpu_seconds,
        })
    }

    pub(crate) fn read(line: &str) -> Self {
        let value: Value = serde_json::from_str(line).unwrap();
        let whole = |name: &str| value[name].as_u64().unwrap();
        let real = |name: &str| value[name].as_f64().unwrap();
        Self {
            agents: whole("agents"),
            before_kb: whole("before_kb"),
            after_kb: whole("after_kb"),
            peak_kb: whole("peak_kb"),
            seconds: real("seconds"),
            cpu_seconds: real("cpu_seconds"),
        }
    }

    /// KB for each agent.
    pub(crate) fn each(&self) -> f64 {
        (self.after_kb - self.before_kb) as f64 / self.agents as f64
    }

    pub(crate) fn print(&self, transport: &str) {
        println!(
            "  {transport:<10} {:>9.1} {:>9.1} {:>9.1} {:>10.1} s {:>7.1} s",
            self.each(),
            (self.peak_kb - self.before_kb) as f64 / self.agents as f64,
            self.before_kb as f64 / 1024.0,
            self.seconds,
            self.cpu_seconds,
        );
    }
}

/// How requests went.
pub(crate) struct Load {
    pub(crate) median_us: i64,
    pub(crate) p99_us: i64,
    pub(crate) max_us: i64,
    pub(crate) per_second: f64,
    pub(crate) cpu_us: f64,
    pub(crate) failed: u64,
}

impl Load {
    /// Of the times that requests took, in microseconds.
    pub(crate) fn new(mut times: Vec<i64>, seconds: f64, cpu_seconds: f64, failed: u64) -> Self {
        times.sort_unstable();
        let last = times.len() - 1;
        let count = times.len() as f64;
        Self {
            median_us: times[last / 2],
            p99_us: times[last * 99 / 100],
            max_us: times[last],
            per_second: count / seconds,
            cpu_us: cpu_seconds * 1e6 / count,
            failed,
        }
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "median_us": self.median_us,
            "p99_us": self.p99_us,
            "max_us": self.max_us,
            "per_second": self.per_second,
            "cpu_us": self.cpu_us,
            "failed": self.failed,
        })
    }

    pub(crate) fn read(line: &str) -> Self {
        let value: Value = serde_json::from_str(line).unwrap();
        Self {
            median_us: value["median_us"].as_i64().unwrap(),
            p99_us: value["p99_us"].as_i64().unwrap(),
            max_us: value["max_us"].as_i64().unwrap(),
            per_second: value["per_second"].as_f64().unwrap(),
            cpu_us: value["cpu_us"].as_f64().unwrap(),
            failed: value["failed"].as_u64().unwrap(),
        }
    }

    pub(crate) fn print(&self, name: &str) {
        println!(
            "  {name:<8} {:>10} {:>10} {:>10} {:>12.1} {:>16.1} {:>8}",
            self.median_us, self.p99_us, self.max_us, self.per_second, self.cpu_us, self.failed
        );
    }
}
