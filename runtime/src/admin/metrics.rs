//! Metrics: one table that `/metrics`, the guide, the dashboard's and the alerts' tests read; and the text that Prometheus takes.
//!
//! The text is the exposition format 0.0.4, which every Prometheus and every agent of others reads.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use super::process::Process;
use super::ready::REASONS;
use super::status::{DROPPED, JUDGEMENTS, Life, Outcome, Session, Stage, Status};
use crate::logs::Missing;

/// What an answer with metrics is.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What a metric does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only rises while the process lives.
    Counter,
    /// It rises and falls.
    Gauge,
    /// It counts how long things took, in ranges.
    Histogram,
}

impl Kind {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// All that metrics are made from.
#[derive(Debug)]
pub struct Scene<'a> {
    /// How the connector is doing.
    pub status: &'a Status,
    /// What it takes of the machine.
    pub process: &'a Process,
    /// How long ago its loop turned.
    pub beat: Duration,
    /// Whether that is too long.
    pub still: bool,
    /// Lines that are not in its log.
    pub missing: Missing,
}

/// A metric.
#[derive(Debug)]
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub kind: Kind,
    /// What it means.
    pub help: &'static str,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    samples: fn(&Scene<'_>, &mut Samples<'_>),
}

/// Where the values of a metric go.
#[derive(Debug)]
struct Samples<'a> {
    row: &'a Row,
    text: &'a mut String,
    /// Whether its head is written.
    begun: bool,
}

impl Samples<'_> {
    /// A value, with a word for each label.
    fn add(&mut self, labels: &[&str], value: f64) {
        let pairs: Vec<_> = self.row.labels.iter().copied().zip(labels.iter().copied()).collect();
        debug_assert_eq!((pairs.len(), labels.len()), (self.row.labels.len(), pairs.len()), "{}", self.row.name);
        self.line("", &pairs, value);
    }

    fn line(&mut self, suffix: &str, labels: &[(&str, &str)], value: f64) {
        if !self.begun {
            let Row { name, kind, help, .. } = self.row;
            let help = help.replace('\\', "\\\\").replace('\n', "\\n");
            let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {}", kind.word());
            self.begun = true;
        }
        let _ = write!(self.text, "{}{suffix}", self.row.name);
        for (place, (label, word)) in labels.iter().enumerate() {
            let word = word.replace('\\', "\\\\").replace('\n', "\\n").replace('"', "\\\"");
            let _ = write!(self.text, "{}{label}=\"{word}\"", if place == 0 { '{' } else { ',' });
        }
        let end = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.text, "{end} {}", number(value));
    }
}

fn number(value: f64) -> String {
    if value == f64::INFINITY { "+Inf".to_owned() } else { value.to_string() }
}

fn flag(is: bool) -> f64 {
    f64::from(u8::from(is))
}

/// Counts are far below 2^53, up to where every whole number is exact.
fn count(of: usize) -> f64 {
    of as f64
}

/// The same of one that only rises.
fn total(of: u64) -> f64 {
    of as f64
}

/// The text of all metrics.
#[must_use]
pub fn text(scene: &Scene<'_>) -> String {
    let mut text = String::with_capacity(16 * 1024);
    for row in METRICS {
        let mut samples = Samples { row, text: &mut text, begun: false };
        (row.samples)(scene, &mut samples);
    }
    text
}

macro_rules! metrics {
    ($( $name:literal $kind:ident [$($label:literal),*] $help:literal, |$scene:pat_param, $samples:ident| $does:expr; )*) => {
        /// All metrics.
        pub const METRICS: &[Row] = &[$( Row {
            name: $name,
            kind: Kind::$kind,
            help: $help,
            labels: &[$($label),*],
            samples: |$scene, $samples| $does,
        } ),*];
    };
}

metrics! {
    "topoc_connector_info" Gauge ["topology", "site", "connector", "deployment", "plan", "version"]
        "Which connector this is: always 1.",
        |scene, to| {
            let is = &scene.status.identity;
            let version = env!("CARGO_PKG_VERSION");
            to.add(&[&is.topology, &is.site, &is.connector, &is.deployment, &is.plan, version], 1.0);
        };
    "topoc_connector_epoch" Gauge []
        "The connector's epoch: it rises with each start.",
        |scene, to| to.add(&[], total(scene.status.identity.epoch));
    "topoc_connector_ready" Gauge []
        "1 while the connector is ready for requests, as /ready says.",
        |scene, to| to.add(&[], flag(scene.status.unready(scene.still).is_empty()));
    "topoc_connector_unready" Gauge ["reason"]
        "1 for each reason for which the connector is not ready, 0 for the others.",
        |scene, to| {
            let unready = scene.status.unready(scene.still);
            for row in &REASONS {
                to.add(&[row.word], flag(unready.iter().any(|one| one.reason == row.reason)));
            }
        };
    "topoc_connector_draining" Gauge []
        "1 while the connector ends what it has in hand, because it was told to end.",
        |scene, to| to.add(&[], flag(scene.status.stage == Stage::Draining));
    "topoc_connector_loop_age_seconds" Gauge []
        "How long ago the connector's loop turned; it turns at least once a second.",
        |scene, to| to.add(&[], scene.beat.as_secs_f64());

    "topoc_connector_requests_total" Counter ["command", "outcome"]
        "Requests of clients that are answered, or are in the broker's dead letters, by command (`none` is no command that there is) and outcome.",
        |scene, to| {
            let answered = &scene.status.requests.answered;
            let mut commands: Vec<_> = answered.keys().map(|(command, _)| *command).collect();
            commands.dedup();
            // With each command all outcomes, so that the first of one is seen to rise from 0.
            for command in commands {
                for outcome in Outcome::ALL {
                    let times = answered.get(&(command, outcome)).copied().unwrap_or_default();
                    to.add(&[command, outcome.word()], total(times));
                }
            }
        };
    "topoc_connector_requests_redelivered_total" Counter []
        "Requests that the broker had delivered before, here or to another connector.",
        |scene, to| to.add(&[], total(scene.status.requests.redelivered));
    "topoc_connector_requests_in_hand" Gauge []
        "Requests that are not answered yet.",
        |scene, to| to.add(&[], count(scene.status.requests.in_hand));
    "topoc_connector_request_seconds" Histogram []
        "How long answers took, from the delivery of the request to the order to send the answer.",
        |scene, to| {
            let took = &scene.status.requests.seconds;
            for (bound, times) in took.cumulative() {
                to.line("_bucket", &[("le", &number(bound))], total(times));
            }
            to.line("_sum", &[], took.sum());
            to.line("_count", &[], total(took.count()));
        };
    "topoc_connector_recent_requests" Gauge []
        "Requests that are remembered, so that none is done twice.",
        |scene, to| to.add(&[], count(scene.status.recent));

    "topoc_connector_sent_total" Counter []
        "Events and answers that a broker has accepted.",
        |scene, to| to.add(&[], total(scene.status.sent));
    "topoc_connector_unsent" Gauge []
        "Events and answers that no broker has accepted yet.",
        |scene, to| to.add(&[], count(scene.status.unsent));
    "topoc_connector_paused" Gauge []
        "1 while the connector takes no requests, because too much is in hand: they stay at the broker.",
        |scene, to| to.add(&[], flag(scene.status.paused));
    "topoc_connector_pauses_total" Counter []
        "How often the connector began to take no requests.",
        |scene, to| to.add(&[], total(scene.status.pauses));
    "topoc_connector_held" Gauge []
        "1 while the connector takes nothing that Finesse tells, because too much is unsent.",
        |scene, to| to.add(&[], flag(scene.status.held));
    "topoc_connector_limit" Gauge ["of"]
        "How much there may be: requests in hand, agents, unsent events and answers, recent requests.",
        |scene, to| {
            let limits = &scene.status.limits;
            let all = [("requests", limits.requests), ("agents", limits.agents), ("unsent", limits.unsent), ("recent", limits.recent)];
            for (of, most) in all.into_iter().filter(|(_, most)| *most > 0) {
                to.add(&[of], count(most));
            }
        };

    "topoc_connector_agents" Gauge ["session"]
        "Agents that this connector looks after, by what there is of their session: live, interrupted, ended (taken over by a desktop, or the password is wrong), none.",
        |scene, to| for session in Session::ALL {
            to.add(&[session.word()], count(scene.status.sessions.get(&session).copied().unwrap_or_default()));
        };
    "topoc_connector_agents_known" Gauge []
        "Agents that are known in the deployment, whichever connector looks after them.",
        |scene, to| to.add(&[], count(scene.status.known));

    "topoc_connector_broker_connected" Gauge []
        "1 while the connector is connected to a broker.",
        |scene, to| to.add(&[], flag(scene.status.broker.connected.is_some()));
    "topoc_connector_broker_info" Gauge ["address", "broker"]
        "The broker that the connector is connected to: always 1, absent without one.",
        |scene, to| if let Some(place) = &scene.status.broker.connected {
            to.add(&[&place.address, &place.broker], 1.0);
        };
    "topoc_connector_broker_losses_total" Counter []
        "How often a connection to a broker was lost.",
        |scene, to| to.add(&[], total(scene.status.broker.losses));

    "topoc_connector_finesse_server" Gauge ["server", "judgement"]
        "1 for what each Finesse server is judged to be, 0 for what it is not.",
        |scene, to| for server in &scene.status.finesse.servers {
            for (judgement, word) in JUDGEMENTS {
                to.add(&[&server.host, word], flag(server.judgement == *judgement));
            }
        };
    "topoc_connector_finesse_used" Gauge ["server"]
        "1 for the Finesse server that agents use, 0 for the others.",
        |scene, to| for (place, server) in scene.status.finesse.servers.iter().enumerate() {
            to.add(&[&server.host], flag(scene.status.finesse.used == Some(place)));
        };
    "topoc_connector_finesse_usable" Gauge []
        "1 while agents can work: a Finesse server is in use and in service.",
        |scene, to| to.add(&[], flag(scene.status.finesse.is_usable()));
    "topoc_connector_finesse_switches_total" Counter []
        "How often agents went to another Finesse server.",
        |scene, to| to.add(&[], total(scene.status.finesse.switches));

    "topoc_connector_peer" Gauge ["peer", "life"]
        "1 for how each other connector of the deployment is heard, 0 for how it is not: alive, dead.",
        |scene, to| for peer in &scene.status.peers {
            for life in Life::ALL {
                to.add(&[&peer.name, life.word()], flag(peer.life == life));
            }
        };
    "topoc_connector_sync_dropped_total" Counter ["reason"]
        "What was told in the name of other connectors and not believed, by reason.",
        |scene, to| {
            let Status { peers, dropped, .. } = scene.status;
            // Each from 0 on where there is another connector, so that the first of a kind is seen to rise.
            let usual = DROPPED.iter().filter(|_| !peers.is_empty()).map(|reason| (reason.word(), 0));
            let all: BTreeMap<_, _> = usual.chain(dropped.iter().map(|(reason, times)| (*reason, *times))).collect();
            for (reason, times) in all {
                to.add(&[reason], total(times));
            }
        };

    "topoc_connector_log_left_out_total" Counter []
        "Lines that the log left out, because too many of their kind came.",
        |scene, to| to.add(&[], total(scene.missing.left_out));
    "topoc_connector_log_lost_total" Counter []
        "Lines of the log that were lost, because whoever reads it did not take them in time.",
        |scene, to| to.add(&[], total(scene.missing.lost));
    "process_resident_memory_bytes" Gauge []
        "Memory of the process in RAM.",
        |scene, to| scene.process.resident.into_iter().for_each(|bytes| to.add(&[], total(bytes)));
    "process_open_fds" Gauge []
        "Open files and sockets of the process.",
        |scene, to| scene.process.open_files.into_iter().for_each(|files| to.add(&[], total(files)));
    "process_max_fds" Gauge []
        "How many files and sockets the process may open.",
        |scene, to| scene.process.most_files.into_iter().for_each(|files| to.add(&[], total(files)));
    "process_threads" Gauge []
        "Threads of the process.",
        |scene, to| scene.process.threads.into_iter().for_each(|threads| to.add(&[], total(threads)));
    "process_cpu_seconds_total" Counter []
        "Time of processors that the process took.",
        |scene, to| scene.process.cpu.into_iter().for_each(|seconds| to.add(&[], seconds));
    "process_start_time_seconds" Gauge []
        "When the process was started, since the Unix epoch.",
        |scene, to| scene.process.started.into_iter().for_each(|at| to.add(&[], at));
}
