//! How much memory connectors take, and whether it is more and more.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

/// What is kept longest is remembered for ten minutes (`topoc_core::recent::Limits`), or until there are 8,192: only behind that
/// can one see whether memory is flat. A shorter stretch is measured and not judged.
const WARM: Duration = Duration::from_secs(300);
/// A late sample may be above an early one by so much: an allocator's pages, and agents that came from another connector (48 KB each).
const ROOM: (u64, u64) = (15, 4 * 1024);
/// Nobody takes more, however short the run: agents of a soak are few.
const MOST: u64 = 256 * 1024;

/// What is resident of a process, in KiB (`VmRSS` in `/proc/PID/status`).
pub(crate) fn resident(pid: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

/// Samples of processes by their names.
#[derive(Debug, Default)]
pub(crate) struct Memory(BTreeMap<String, Vec<(Duration, u64)>>);

/// What was seen of one of them, in KiB.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) name: String,
    pub(crate) most: u64,
    /// At the beginning and at the end of the stretch in which nobody ended it: middle values of each.
    pub(crate) flat: Option<(u64, u64)>,
    pub(crate) wrong: Option<String>,
}

impl Memory {
    pub(crate) fn note(&mut self, name: &str, at: Duration, kib: u64) {
        self.0.entry(name.to_owned()).or_default().push((at, kib));
    }

    /// Judges what was seen, with the stretch in which nobody ended a connector.
    pub(crate) fn judge(&self, calm: &Range<Duration>) -> Vec<Seen> {
        let length = calm.end.saturating_sub(calm.start);
        let long = length >= 2 * WARM;
        // The beginning is that of a warm connector; a short stretch has none.
        let early = if long { calm.start + WARM } else { calm.start }..;
        let early = early.start..early.start + length / 8;
        let late = calm.end - length / 8..calm.end;
        let middle = |samples: &[(Duration, u64)], during: &Range<Duration>| {
            let mut all: Vec<u64> = samples.iter().filter(|(at, _)| during.contains(at)).map(|(_, kib)| *kib).collect();
            all.sort_unstable();
            all.get(all.len() / 2).copied()
        };
        let judge = |(name, samples): (&String, &Vec<(Duration, u64)>)| {
            let most = samples.iter().map(|(_, kib)| *kib).max().unwrap_or_default();
            let flat = middle(samples, &early).zip(middle(samples, &late));
            let rises = flat.filter(|(early, late)| long && *late > early + early * ROOM.0 / 100 + ROOM.1);
            let wrong = match rises {
                Some((early, late)) => Some(format!("memory of {name} rises from {early} to {late} KiB")),
                None => (most > MOST).then(|| format!("memory of {name}: {most} KiB, more than {MOST}")),
            };
            Seen { name: name.clone(), most, flat, wrong }
        };
        self.0.iter().map(judge).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3600;

    fn rising(seconds: u64, from: u64, each_minute: u64) -> Vec<Seen> {
        let mut memory = Memory::default();
        for at in (0..seconds).step_by(5) {
            memory.note("gc-1", Duration::from_secs(at), from + each_minute * at / 60);
        }
        let third = Duration::from_secs(seconds / 3);
        memory.judge(&(third..2 * third))
    }

    #[test]
    fn a_leak_is_seen_in_an_hour_and_flat_is_flat() {
        assert_eq!(rising(HOUR, 30_000, 0)[0].wrong, None);
        assert_eq!(rising(HOUR, 30_000, 100)[0].wrong, None, "1.3 MB in the stretch: an allocator does that");
        let leaks = rising(HOUR, 30_000, 1500);
        assert!(leaks[0].wrong.as_ref().unwrap().starts_with("memory of gc-1 rises from "), "{leaks:?}");
    }

    #[test]
    fn a_short_run_is_judged_by_its_most_only() {
        assert_eq!(rising(120, 30_000, 15_000)[0].wrong, None);
        assert!(rising(120, MOST + 1, 0)[0].wrong.is_some());
    }

    #[test]
    fn a_process_says_what_is_resident() {
        assert!(resident(std::process::id()).unwrap() > 100);
        assert_eq!(resident(u32::MAX), None);
    }
}
