//! This client beside ActiveMQ's own, same broker, same load, in turn: messages per second, processor time, memory.
//!
//!   cargo bench -p topoc-openwire                 all of it
//!   cargo bench -p topoc-openwire -- receive      what has this in its name
//!
//! Ratios are ours to Java's, the median of some pairs. What is to be reached: throughput at least 1.0, processor time per
//! message at most 0.5, memory at most 0.125.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark may stop, and prints what it measures")]

mod load;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use clap::Parser;
use topoc_lab::{self as lab, LoadReport, PATIENCE};
use topoc_openwire::{AckMode, Connection, Destination, Outgoing};

/// Pairs of runs for each figure.
const PAIRS: usize = 5;

struct Case {
    name: &'static str,
    verb: &'static str,
    persistent: bool,
    count: u64,
}

const CASES: [Case; 6] = [
    Case { name: "send", verb: "send", persistent: false, count: 50_000 },
    Case { name: "send, persistent", verb: "send", persistent: true, count: 5_000 },
    Case { name: "receive", verb: "receive", persistent: false, count: 50_000 },
    Case { name: "receive, persistent", verb: "receive", persistent: true, count: 20_000 },
    Case { name: "request and reply", verb: "request", persistent: false, count: 10_000 },
    Case { name: "request and reply, persistent", verb: "request", persistent: true, count: 3_000 },
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if arguments.first().is_some_and(|first| first == "load") {
        return load::run(&load::Arguments::parse_from(arguments));
    }
    let dir = tempfile::tempdir().unwrap();
    let port = lab::ports(1).unwrap()[0];
    let release = lab::release("6.3.1").unwrap();
    let broker = lab::Plain::new("alone").persistent().tcp(port).queues(">", &[("producerFlowControl", "false")]);
    let broker = broker.memory_limit("1gb").start(&release, dir.path()).unwrap();
    broker.wait_started(PATIENCE).unwrap();
    let bench = Bench { uri: format!("tcp://127.0.0.1:{port}"), dir: dir.path() };
    println!("1 KB text, ActiveMQ 6.3.1, median of {PAIRS} pairs");
    for (number, case) in CASES.iter().enumerate() {
        if arguments.iter().all(|wanted| case.name.contains(wanted.as_str())) {
            bench.case(number, case);
        }
    }
    if arguments.iter().all(|wanted| AFTER_KILL.contains(wanted.as_str())) {
        bench.after_kill();
    }
    broker.terminate(PATIENCE).unwrap();
}

const AFTER_KILL: &str = "first message after kill -9";

struct Bench<'a> {
    uri: String,
    dir: &'a Path,
}

impl Bench<'_> {
    fn case(&self, number: usize, case: &Case) {
        let mut pairs = Vec::new();
        for pair in 0..PAIRS {
            // Whoever is first in one pair is second in the next.
            let run = |ours: bool| self.run(case, ours, &format!("B{number}.{pair}.{ours}"));
            let (ours, java) = if pair % 2 == 0 {
                let ours = run(true);
                (ours, run(false))
            } else {
                let java = run(false);
                (run(true), java)
            };
            pairs.push((ours, java));
        }
        println!("{}", case.name);
        let per_second = |report: &LoadReport| report.messages as f64 / report.seconds;
        let cpu = |report: &LoadReport| report.cpu_seconds * 1e6 / report.messages as f64;
        let memory = |report: &LoadReport| report.peak_rss_kb as f64 / 1024.0;
        line("messages per second", &pairs, per_second, "at least 1.0");
        line("processor, us a message", &pairs, cpu, "at most 0.5");
        line("memory, MiB", &pairs, memory, "at most 0.125");
        if case.verb == "request" {
            let latency = |report: &LoadReport| report.latency_us.map_or(0.0, |latency| latency.median as f64);
            line("median answer, us", &pairs, latency, "");
        }
    }

    fn run(&self, case: &Case, ours: bool, queue: &str) -> LoadReport {
        let warmup = (case.count / 5).max(1000);
        let (count, warmup) = (case.count.to_string(), warmup.to_string());
        let all = (case.count + case.count.max(5000) / 5).to_string();
        let words = |verb: &'static str, count: &str, warmup: &str| {
            let mut words: Vec<String> = [verb, "--uri", &self.uri, "--queue", queue].map(str::to_owned).to_vec();
            words.extend(["--size", "1024", "--count", count, "--warmup", warmup].map(str::to_owned));
            words.extend(case.persistent.then(|| "--persistent".to_owned()));
            words
        };
        match case.verb {
            "receive" => {
                // What is received was sent before, by the same client in both cases.
                self.ours(&words("send", &all, "0")).report();
                self.either(ours, &words("receive", &count, &warmup))
            }
            "request" => {
                let mut echo = self.ours(&words("echo", &all, "0"));
                echo.wait_ready();
                let report = self.either(ours, &words("request", &count, &warmup));
                drop(echo);
                report
            }
            _ => {
                let report = self.either(ours, &words("send", &count, &warmup));
                self.ours(&words("receive", &all, "0")).report();
                report
            }
        }
    }

    /// Who answers requests loses its broker and goes to another, where a request waits: from the kill to the answer, as a
    /// third client sees it.
    fn after_kill(&self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut took = [Vec::new(), Vec::new()];
        for pair in 0..PAIRS {
            for ours in [pair % 2 == 0, pair % 2 != 0] {
                let queue = format!("K{pair}.{ours}");
                took[usize::from(ours)].push(runtime.block_on(self.killed(ours, &queue)));
            }
        }
        let ratios = took[1].iter().zip(&took[0]).map(|(ours, java)| ours / java).collect();
        println!("{AFTER_KILL}");
        let [java, ours] = took.map(middle);
        println!("  {:<24} {ours:>10.1}   java {java:>10.1}   ratio {:>6.3}   at most 1.0", "ms", middle(ratios));
    }

    /// Milliseconds.
    async fn killed(&self, ours: bool, queue: &str) -> f64 {
        let dir = tempfile::tempdir().unwrap();
        let port = lab::ports(1).unwrap()[0];
        let doomed = lab::Plain::new("doomed").tcp(port).start(&lab::release("6.3.1").unwrap(), dir.path()).unwrap();
        doomed.wait_started(PATIENCE).unwrap();
        let first = format!("tcp://127.0.0.1:{port}");
        let uri = format!("failover:({first},{})?randomize=false", self.uri);
        let words = ["echo", "--uri", &uri, "--queue", queue, "--count", "2", "--warmup", "0"];
        let mut echo = Echo::start(self, ours, &words);
        echo.wait_ready();
        // It answers at the broker that is about to go.
        ask(&first, queue, async || {}).await;
        let took = ask(&self.uri, queue, async || doomed.kill()).await;
        drop(echo);
        took
    }

    fn either(&self, ours: bool, words: &[String]) -> LoadReport {
        if ours {
            return self.ours(words).report();
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        lab::load(&words, self.dir, PATIENCE * 5).unwrap()
    }

    fn ours(&self, words: &[String]) -> Ours {
        let program = std::env::current_exe().unwrap();
        let mut child = Command::new(program).arg("load").args(words).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Ours { child, lines }
    }
}

/// Sends a request, does something, and waits for the answer: how long that took from there on, in milliseconds.
async fn ask(uri: &str, queue: &str, then: impl AsyncFnOnce()) -> f64 {
    let connection = Connection::open(uri).await.unwrap();
    let session = connection.session(AckMode::Auto).await.unwrap();
    // Java refuses to answer to a temporary queue until an advisory of the new broker has told of it.
    let replies = Destination::queue(format!("{queue}.REPLY"));
    let mut consumer = session.consumer(&replies).open().await.unwrap();
    let producer = session.producer(&Destination::queue(queue)).await.unwrap();
    producer.send(Outgoing::text("x").reply_to(replies).correlation_id("1")).await.unwrap();
    let since = Instant::now();
    then().await;
    let answer = consumer.receive_within(PATIENCE).await.unwrap();
    assert!(answer.is_some(), "no answer from {uri}");
    let took = since.elapsed().as_secs_f64() * 1000.0;
    drop((consumer, producer, session));
    connection.close().await.unwrap();
    took
}

/// Who answers, whichever client that is.
enum Echo {
    Ours(Ours),
    Java(lab::Load),
}

impl Echo {
    fn start(bench: &Bench<'_>, ours: bool, words: &[&str]) -> Self {
        if ours {
            let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
            return Self::Ours(bench.ours(&words));
        }
        Self::Java(lab::Load::start(words, bench.dir).unwrap())
    }

    fn wait_ready(&mut self) {
        match self {
            Self::Ours(ours) => ours.wait_ready(),
            Self::Java(java) => java.wait_ready(PATIENCE).unwrap(),
        }
    }
}

/// A load of this client.
struct Ours {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
}

impl Ours {
    fn line(&mut self) -> String {
        let mut line = String::new();
        assert_ne!(self.lines.read_line(&mut line).unwrap(), 0, "the load has ended early");
        line
    }

    fn wait_ready(&mut self) {
        self.line();
    }

    fn report(mut self) -> LoadReport {
        self.wait_ready();
        let report = serde_json::from_str(&self.line()).unwrap();
        assert!(self.child.wait().unwrap().success());
        report
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn line(what: &str, pairs: &[(LoadReport, LoadReport)], figure: impl Fn(&LoadReport) -> f64, wanted: &str) {
    let ours = middle(pairs.iter().map(|pair| figure(&pair.0)).collect());
    let java = middle(pairs.iter().map(|pair| figure(&pair.1)).collect());
    let ratio = middle(pairs.iter().map(|pair| figure(&pair.0) / figure(&pair.1)).collect());
    println!("  {what:<24} {ours:>10.1}   java {java:>10.1}   ratio {ratio:>6.3}   {wanted}");
}

fn middle(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
