//! The client in Java that the guide shows, as it stands there: with two releases of ActiveMQ's own client library, each at a site of
//! its own, with what `topoc build` writes for it. It knows nothing but that file, agents and a password.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not there")]

#[path = "../harness/mod.rs"]
mod harness;
#[path = "../centre/shown.rs"]
mod shown;

use std::path::{Path, PathBuf};
use std::process::Command;

use harness::Schema;
use serde_json::Value;
use shown::{Names, shown};
use topoc_lab::{output, release};
use topoc_stage::{Stage, Topology};

/// What stands in the guide.
const CLIENT: &str = include_str!("../../../docs/java/CentreClient.java");
/// What it is answered, in order: the request, and the answer as `shown` writes it. What it waits for it judges itself.
const ANSWERS: &str = include_str!("answers.txt");
/// How long agents work after a call, by the simulator's clock: longer than the test, so that they end it themselves.
const WRAP_UP: u64 = 3_600_000;

/// The three agents of a client, from this one on.
struct Trio {
    first: usize,
    calls: Vec<String>,
}

impl Trio {
    /// `A` for the first agent, by the number of their phone or their id.
    fn letter(&self, number: &str, from: usize) -> Option<&'static str> {
        let place = number.parse::<usize>().ok()?.checked_sub(from)?;
        ["A", "B", "C"].get(place).copied()
    }

    /// `ID:EXTENSION` of each.
    fn arguments(&self) -> impl Iterator<Item = String> {
        (self.first..self.first + 3).map(|agent| format!("{agent}:{}", agent + 1000))
    }

    /// `MakeReady#A: Outcome MakeReady accepted`.
    fn answer(&mut self, line: &Value) -> String {
        let (command, subject) = line["of"].as_str().unwrap().split_once('#').unwrap();
        let subject = self.letter(subject, self.first).unwrap_or(subject);
        format!("{command}#{subject}: {}", shown(&line["told"], self))
    }
}

impl Names for Trio {
    fn phone(&self, number: &str) -> String {
        self.letter(number, self.first + 1000).unwrap_or(number).to_owned()
    }

    fn call(&mut self, id: &str) -> String {
        let known = self.calls.iter().position(|call| call == id).unwrap_or_else(|| {
            self.calls.push(id.to_owned());
            self.calls.len() - 1
        });
        format!("call-{}", known + 1)
    }
}

/// Runs the client with a release's libraries as a user does, and gives the lines that it prints.
fn run(stage: &Stage, release_name: &str, properties: &str, trio: &Trio) -> Vec<Value> {
    let libraries = release(release_name).unwrap().home().join("lib/*");
    let source = stage.loopback.dir().join(release_name).join("CentreClient.java");
    std::fs::create_dir_all(source.parent().unwrap()).unwrap();
    let text =
        if release_name.starts_with('5') { CLIENT.to_owned() } else { CLIENT.replace("javax.jms", "jakarta.jms") };
    std::fs::write(&source, text).unwrap();
    let mut java = Command::new("java");
    java.arg("-cp").arg(libraries).arg(source).arg(stage.loopback.dir().join(properties)).args(trio.arguments());
    java.env("AGENT_PASSWORD", Stage::PASSWORD);
    let ended = output(java).unwrap();
    let (said, errors) = (String::from_utf8(ended.stdout).unwrap(), String::from_utf8(ended.stderr).unwrap());
    assert!(ended.status.success(), "{release_name}: {said}\n{errors}");
    said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_client_of_the_guide_is_told_what_the_guide_says() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/active-active/main.topo");
    let template = PathBuf::from(env!("CARGO_BIN_EXE_topoc-connector"));
    let stage = Stage::with(&Topology::of(std::fs::read_to_string(example).unwrap()), "6.3.1", &template, |nodes| {
        let mut options = topoc_finesse_sim::Options::new(6, nodes);
        options.config.wrap_up = Some(WRAP_UP);
        options
    });
    let schema = Schema::new();
    for (client, release_name, first) in [("site-1/desktop-1", "5.18.3", 1001), ("site-2/desktop-2", "6.3.1", 1004)] {
        let mut trio = Trio { first, calls: Vec::new() };
        let lines = run(&stage, release_name, &format!("{client}/client.properties"), &trio);
        lines.iter().for_each(|line| schema.check(&line["told"]));
        let (answers, events): (Vec<_>, Vec<_>) = lines.iter().partition(|line| line["kind"] == "answer");
        let answers: Vec<String> = answers.into_iter().map(|line| trio.answer(line)).collect();
        let name = client.split('/').next_back().unwrap();
        assert_eq!(answers.join("\n") + "\n", ANSWERS.replace("DESKTOP", name), "{release_name}");
        for agent in first..first + 3 {
            let agent = agent.to_string();
            let of_agent = events.iter().filter(|line| line["of"] == *agent);
            let numbers: Vec<u64> = of_agent.map(|line| line["told"]["sequence"].as_u64().unwrap()).collect();
            assert!((1..).zip(&numbers).all(|(number, told)| number == *told), "{agent}: {numbers:?}");
            assert!(!numbers.is_empty());
        }
    }
    let state = stage.simulator.state();
    let agents = state["agents"].as_array().unwrap().iter().filter(|agent| agent["supervisor"] != true);
    assert!(agents.clone().count() == 6 && agents.clone().all(|agent| agent["state"] == "LOGOUT"), "{state:#}");
}
