//! A whole contact centre at work: two brokers, two connectors' programs, a simulated pair of Finesse servers, two clients. Every agent goes through the whole course of `course.toml` by requests to the queue, in each part of it, and
//! every answer and every event is the one that the course says, in order, none missing and none twice.
//!
//! 100 agents; with `TOPOC_LONG=1` 500.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not there")]

mod course;
mod desk;
mod group;
#[path = "../harness/mod.rs"]
mod harness;
mod shown;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use course::{Course, FORMS, Used};
use desk::Desk;
use group::Group;
use topoc_core::command::COMMANDS;
use topoc_stage::{Stage, Topology};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Agents of both clients together: groups of four, two of each client.
fn agents() -> usize {
    if std::env::var_os("TOPOC_LONG").is_some() { 500 } else { 100 }
}

/// How long agents work after a call, by the simulator's clock: longer than the test, so that they end it themselves.
const WRAP_UP: u64 = 3_600_000;

fn stage(agents: usize) -> Stage {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/active-active/main.topo");
    let template = PathBuf::from(env!("CARGO_BIN_EXE_topoc-connector"));
    Stage::with(&Topology::of(std::fs::read_to_string(example).unwrap()), "6.3.1", &template, |nodes| {
        let mut options = topoc_finesse_sim::Options::new(agents, nodes);
        options.config.wrap_up = Some(WRAP_UP);
        options
    })
}

/// What clients log is seen where the test fails: a connection that is lost explains much.
fn log() {
    let clients = Targets::new().with_target("topoc_openwire", LevelFilter::DEBUG);
    let written = tracing_subscriber::fmt::layer().with_ansi(false).with_test_writer().with_filter(clients);
    tracing_subscriber::registry().with(written).init();
}

#[test]
fn agents_are_told_all_that_happens_and_nothing_else() {
    log();
    let count = agents();
    let (course, stage, began) = (Course::read(), stage(count), Instant::now());
    let desks = [("desktop-1", "site-1.gc-1"), ("desktop-2", "site-2.gc-2")];
    let agents = |desk: usize| (0..count).filter(move |index| index % 2 == desk).map(|index| 1001 + index);
    let (used, told) = stage.runtime.block_on(async {
        let mut open = Vec::new();
        for (index, (name, connector)) in desks.into_iter().enumerate() {
            open.push(Arc::new(Desk::open(name, connector, &stage.access(name), agents(index)).await));
        }
        let groups = (0..count / 4).map(|index| Group::new(index, [&open[0], &open[1]]));
        group::run_all(Arc::new(course), groups).await
    });
    let whole = COMMANDS.iter().flat_map(|row| FORMS.map(|form| (row.name, form))).collect::<Used>();
    assert_eq!(used, whole, "each command in each form");
    println!("{count} agents were told {told} answers and events in {:?}", began.elapsed());
}
