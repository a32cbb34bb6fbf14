//! Baselines: what was there before is not reported, whatever moves, and what is new is.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not there")]

mod common;

use common::{SOUND, project, topoc};
use std::fs;
use std::path::Path;
use topoc::{CLEAN, FAILED, FINDINGS};

/// The example in which everything is wrong.
fn broken() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/broken/main.topo")).unwrap()
}

const CHECK: &[&str] = &["check", "--fail-level", "note", "--baseline", "topoc-baseline.json"];

#[test]
fn what_was_there_before_stays_hidden_whatever_moves() {
    let folder = project(&[("old/name/main.topo", &broken())]);
    let at = folder.path();
    topoc(at, &["check", "old/name"]).expect(FINDINGS, &["errors"], &[]);
    let wrote = topoc(at, &["check", "old/name", "--write-baseline", "--baseline", "topoc-baseline.json"]);
    let count = wrote.stdout.split_once(' ').unwrap().0.parse::<usize>().unwrap();
    assert!(count > 16, "{}", wrote.stdout);
    let clean = |file: &str| {
        let ran = topoc(at, &[CHECK, &[file]].concat());
        ran.expect(CLEAN, &["no findings"], &[&format!("{count} findings of `topoc-baseline.json` not shown")]);
    };
    clean("old/name/main.topo");
    // A hundred lines above everything that is found.
    let above = "// moved\n".repeat(100);
    let moved: String = broken().lines().map(|line| format!("{above}{line}\n")).collect();
    fs::write(at.join("old/name/main.topo"), &moved).unwrap();
    clean("old/name/main.topo");
    // Another layout, other line ends, another folder.
    fs::create_dir_all(at.join("new")).unwrap();
    fs::write(at.join("new/main.topo"), broken().replace("  ", "\t ").replace('\n', "\r\n")).unwrap();
    clean("new/main.topo");
}

#[test]
fn what_is_new_is_reported_and_what_is_fixed_is_said() {
    let folder = project(&[("main.topo", &broken())]);
    let at = folder.path();
    topoc(at, &["check", "--write-baseline"]).expect(CLEAN, &["findings in `topoc-baseline.json`"], &[]);
    // The same rule in the same file, in another block and in the same one.
    for (from, to) in [
        ("timeout  = 10s\n    timeout", "timeot = 10s\n    timeout"),
        ("priorty  = 127", "priorty  = 127; priorty = 1"),
    ] {
        assert!(broken().contains(from));
        fs::write(at.join("main.topo"), broken().replace(from, to)).unwrap();
        topoc(at, CHECK).expect(FINDINGS, &["TOPO0003 unknown-field"], &["not shown"]);
    }
    fs::write(at.join("main.topo"), broken().replace("priorty", "priority").replace("10sec", "10s")).unwrap();
    let ran = topoc(at, CHECK);
    ran.expect(
        CLEAN,
        &["no findings"],
        &["2 findings of `topoc-baseline.json` fixed: `--write-baseline` takes them out"],
    );
    topoc(at, &["check", "--write-baseline"]).expect(CLEAN, &["findings"], &[]);
    assert!(!topoc(at, CHECK).stderr.contains("fixed"));
    // Other formats hide the same.
    for format in ["short", "json"] {
        let ran = topoc(at, &[CHECK, &["--format", format]].concat());
        assert_eq!(ran.code, CLEAN);
        assert!(!ran.stdout.contains("TOPO0"), "{}", ran.stdout);
    }
    // A build takes no part in it: an error is an error.
    topoc(at, &["build", "--out", "dist"]).expect(FINDINGS, &[], &["nothing was written"]);
}

#[test]
fn a_baseline_is_named_in_the_settings_and_is_what_it_says() {
    let misspelt = SOUND.replace("  broker", "  brokr");
    let folder = project(&[
        ("east/main.topo", &misspelt),
        ("topoc.toml", "[check]\nbaseline = \"ci/known.json\"\n"),
        ("ci/x", ""),
    ]);
    let at = folder.path();
    let help = ["there is no baseline `ci/known.json`", "--write-baseline"];
    topoc(at, &["check", "east"]).expect(FAILED, &[], &help);
    topoc(&at.join("east"), &["check", "--write-baseline"]).expect(CLEAN, &["1 finding in `../ci/known.json`"], &[]);
    topoc(at, &["check", "east"]).expect(CLEAN, &["no findings"], &["1 finding of `ci/known.json` not shown"]);
    let text = fs::read_to_string(at.join("ci/known.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let entry =
        serde_json::json!({"rule": "TOPO0002", "file": "main.topo", "within": "site east > brokr amq-1", "count": 1});
    assert_eq!(json, serde_json::json!({"version": 1, "findings": [entry]}));
    for (text, reason) in [("{", "is no baseline"), ("{\"version\":2,\"findings\":[]}", "its version is 2")] {
        fs::write(at.join("ci/known.json"), text).unwrap();
        topoc(at, &["check", "east"]).expect(FAILED, &[], &[reason]);
    }
}
