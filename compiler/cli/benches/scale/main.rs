//! How long `check` and `build` take on large topologies, beside `xmllint --schema` on the same facts, in the same run.
//!
//! `cargo bench -p topoc` prints ratios and figures; `cargo bench -p topoc -- --gate` counts instructions only and fails when
//! there are more than `budget.toml` allows. Needs xmllint (Debian: libxml2-utils) and valgrind.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and stops at the first thing that fails"
)]

mod generate;
mod measure;

use measure::{Run, median};
use std::path::{Path, PathBuf};

const TOPOC: &str = env!("CARGO_BIN_EXE_topoc");
/// Pairs of runs: each runs both rivals, one after the other, so that a busy moment hits both.
const ROUNDS: usize = 9;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let folder = tempfile::tempdir().unwrap();
    if arguments.iter().any(|argument| argument == "--gate") {
        return gate(folder.path());
    }
    check(folder.path(), 1000);
    check(folder.path(), 10_000);
    build(folder.path(), 10_000);
    gate(folder.path());
}

/// Writes the inputs of one size and gives their paths: topology, XML, schema.
fn inputs(folder: &Path, size: usize) -> [PathBuf; 3] {
    let paths = ["topo", "xml", "xsd"].map(|ending| folder.join(format!("{size}.{ending}")));
    let [topology, xml, schema] = &paths;
    std::fs::write(topology, generate::topology(size)).unwrap();
    std::fs::write(xml, generate::xml(size)).unwrap();
    std::fs::write(schema, generate::schema()).unwrap();
    paths
}

fn check(folder: &Path, size: usize) {
    let [topology, xml, schema] = inputs(folder, size);
    let bytes = std::fs::metadata(&topology).unwrap().len();
    let check = ["check".as_ref(), topology.as_os_str()];
    let validate = ["--noout".as_ref(), "--schema".as_ref(), schema.as_os_str(), xml.as_os_str()];
    let mut ours = Vec::new();
    let mut rival = Vec::new();
    for _ in 0..ROUNDS {
        ours.push(Run::of(TOPOC, &check));
        rival.push(Run::of("xmllint", &validate));
    }
    let (ours_wall, rival_wall) = (median(&ours), median(&rival));
    println!("check, {size} brokers and {size} connectors ({bytes} bytes), median of {ROUNDS}:");
    println!("  topoc    {ours_wall:7.1} ms  {:6.1} MB", measure::megabytes(TOPOC, &check));
    println!("  xmllint  {rival_wall:7.1} ms  {:6.1} MB", measure::megabytes("xmllint", &validate));
    println!(
        "  ratio    {:7.2}     wall time, topoc to xmllint (best pair {:.2})",
        ours_wall / rival_wall,
        best(&ours, &rival)
    );
}

/// The lowest ratio of a pair: what a quiet moment of the machine showed.
fn best(ours: &[Run], rival: &[Run]) -> f64 {
    ours.iter().zip(rival).map(|(ours, rival)| ours.wall() / rival.wall()).fold(f64::INFINITY, f64::min)
}

fn build(folder: &Path, size: usize) {
    let [topology, ..] = inputs(folder, size);
    let mut builds = Vec::new();
    let mut checks = Vec::new();
    let mut writes = Vec::new();
    for round in 0..3 {
        let out = folder.join(format!("dist-{round}"));
        checks.push(Run::of(TOPOC, &["check".as_ref(), topology.as_os_str()]));
        let build =
            ["build".as_ref(), topology.as_os_str(), "--no-binaries".as_ref(), "--out".as_ref(), out.as_os_str()];
        builds.push(Run::of(TOPOC, &build));
        writes.push(measure::copy(&out, &folder.join(format!("copy-{round}"))));
    }
    let (build, check) = (median(&builds), median(&checks));
    writes.sort_by(f64::total_cmp);
    let write = writes[writes.len() / 2];
    println!("build, {size} brokers and {size} connectors, median of 3:");
    println!("  build    {build:7.1} ms");
    println!("  check    {check:7.1} ms");
    println!("  writing  {write:7.1} ms  the same files in a plain loop");
    println!("  ratio    {:7.2}     build to 3 x check + writing (at most 1)", build / (3.0 * check + write));
}

/// Instructions of a check on one thread: the same on a busy machine as on a quiet one.
fn gate(folder: &Path) {
    let budget: toml::Table = include_str!("budget.toml").parse().unwrap();
    let mut counted = Vec::new();
    let mut over = Vec::new();
    for size in [200, 2000] {
        let [topology, ..] = inputs(folder, size);
        let count = measure::instructions(TOPOC, &["check".as_ref(), topology.as_os_str()]);
        let limit = budget[&format!("check-{size}")].as_integer().unwrap();
        println!("check, {size}: {:.1} million instructions (budget {:.1})", count as f64 / 1e6, limit as f64 / 1e6);
        if count > limit {
            over.push(size);
        }
        counted.push(count);
    }
    for (name, text) in generate::bad() {
        let path = folder.join(format!("{name}.topo"));
        std::fs::write(&path, text).unwrap();
        let count = measure::instructions(TOPOC, &["check".as_ref(), path.as_os_str()]);
        let limit = budget["bad-input"].as_integer().unwrap();
        println!("check, {name}: {:.1} million instructions (budget {:.1})", count as f64 / 1e6, limit as f64 / 1e6);
        assert!(count <= limit, "refusing `{name}` takes more than the budget of instructions");
    }
    for (name, text) in generate::networks() {
        let path = folder.join(format!("{name}.topo"));
        std::fs::write(&path, text).unwrap();
        let count = measure::instructions(TOPOC, &["check".as_ref(), path.as_os_str()]);
        let limit = budget[name].as_integer().unwrap();
        println!("check, {name}: {:.1} million instructions (budget {:.1})", count as f64 / 1e6, limit as f64 / 1e6);
        assert!(count <= limit, "looking at `{name}` takes more than the budget of instructions");
    }
    let growth = counted[1] as f64 / counted[0] as f64;
    println!("ten times the input costs {growth:.1} times the instructions (at most 12)");
    assert!(growth <= 12.0, "check grows faster than its input");
    assert!(over.is_empty(), "over the budget of instructions for {over:?}; see benches/scale/budget.toml");
}
