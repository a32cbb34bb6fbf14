//! What people read of a soak: how it goes, and what came of it.
#![expect(clippy::print_stdout, reason = "a report is printed")]

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::time::Duration;

use crate::faults::Fault;
use crate::ledger::{Happened, Ledger, Verdict};
use crate::memory;
use crate::owners::Seen;

/// So much of each kind of what is wrong is told one by one.
const TOLD: usize = 10;

/// What came of it.
pub(crate) struct Report {
    pub(crate) seed: u64,
    pub(crate) length: Duration,
    /// By their names.
    pub(crate) faults: BTreeMap<&'static str, usize>,
    pub(crate) verdict: Verdict,
    pub(crate) seen: Seen,
    pub(crate) memory: Vec<memory::Seen>,
    pub(crate) events: u64,
    pub(crate) skipped: u64,
    pub(crate) wrong: Vec<String>,
}

/// How many faults there were of each kind.
pub(crate) fn count(faults: &[Happened]) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    faults.iter().for_each(|fault| *counts.entry(fault.name).or_default() += 1);
    counts
}

fn clock(time: Duration) -> String {
    format!("{:3}:{:02}", time.as_secs() / 60, time.as_secs() % 60)
}

/// A fault begins.
pub(crate) fn say_fault(at: Duration, fault: &Fault) {
    let targets = fault.targets.join(", ");
    println!("{}  {}: {targets}, {:.1} s", clock(at), fault.row.name, fault.lasts.as_secs_f64());
}

/// How it goes.
pub(crate) fn say_progress(now: Duration, ledger: &Ledger, longest: Duration) {
    println!(
        "{}  -- since the start: {} faults, {} requests, {} on their way; longest without an owner {:.1} s",
        clock(now),
        ledger.faults.len(),
        ledger.requests.len(),
        ledger.waiting(),
        longest.as_secs_f64()
    );
}

/// Where logs are.
pub(crate) fn say_logs(folder: &Path, kept: io::Result<()>) {
    match kept {
        Ok(()) => println!("logs of brokers and connectors are in {}", folder.display()),
        Err(error) => println!("the logs could not be kept in {}: {error}", folder.display()),
    }
}

fn line(name: &str, value: impl std::fmt::Display) {
    println!("{name:<48}{value}");
}

fn table<K: std::fmt::Display>(name: &str, rows: &BTreeMap<K, usize>) {
    line(name, rows.values().sum::<usize>());
    for (key, count) in rows {
        line(&format!("  {key}"), count);
    }
}

/// Sentences by what stands in front of their first colon.
fn by_kind(wrong: &[String]) -> BTreeMap<&str, Vec<&str>> {
    let mut kinds: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for one in wrong {
        kinds.entry(one.split(':').next().unwrap_or_default()).or_default().push(one);
    }
    kinds
}

impl Report {
    /// Prints it, and says whether nothing is wrong.
    pub(crate) fn print(&self) -> bool {
        let Self { verdict, seen, .. } = self;
        println!();
        line("seed", self.seed);
        line("length", clock(self.length).trim());
        table("faults", &self.faults);
        table("requests", &verdict.asked);
        line("  accepted by a broker", verdict.accepted);
        line("  nobody knows whether one has it", verdict.failed);
        line("not sent, as too many were on their way", self.skipped);
        table("first answers", &verdict.answers);
        line("more answers to the same requests", verdict.again);
        line("asked again of Finesse, where it does no harm", verdict.repeated);
        line("events besides", self.events);
        let seconds = |time: Duration| format!("{:.3} s", time.as_secs_f64());
        let [median, most, longest] = verdict.took.map(seconds);
        line("time to the answer: median, 99 %, longest", format!("{median}, {most}, {longest}"));
        table("outcome-unknown, by the fault it met", &verdict.unknown);
        line("share of all answers that met a fault", format!("{:.1} %", verdict.met));
        line("looks at owners", seen.looks);
        line("nobody could own an agent for", seconds(seen.impossible));
        let gap = |gaps: &crate::owners::Gaps| {
            let of = gaps
                .longest
                .map_or(String::new(), |(_, until, agent)| format!(", agent {agent} until {}", clock(until).trim()));
            format!("{}{of}", seconds(gaps.longest()))
        };
        line("longest without an owner", gap(&seen.owners));
        line("longest without a live session", gap(&seen.sessions));
        for one in &self.memory {
            let flat =
                one.flat.map_or(String::new(), |(early, late)| format!("; while it lived, {early} and later {late}"));
            line(&format!("memory of {}, KiB", one.name), format!("at most {}{flat}", one.most));
        }
        line("wrong", self.wrong.len());
        for (kind, all) in by_kind(&self.wrong) {
            all.iter().take(TOLD).for_each(|wrong| println!("  {wrong}"));
            if all.len() > TOLD {
                println!("  and {} more: {kind}", all.len() - TOLD);
            }
        }
        self.wrong.is_empty()
    }
}
