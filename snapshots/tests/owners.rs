//! No snapshot without a test that writes it: one that lost its owner would look reviewed and prove nothing.

#![expect(clippy::unwrap_used, reason = "a test helper that cannot go on fails the test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use topoc_compiler::rules::RULES;

/// Names without `.snap`.
type Names = BTreeSet<String>;

/// A folder of snapshots, and what its test writes into it.
type Owner = (&'static str, fn() -> Names);

const OWNERS: &[Owner] = &[
    ("examples", || folders("../examples")),
    ("protocol", || {
        let drawn = [
            "connector-events",
            "connector-request-drawing",
            "failover-table",
            "failover-drawing",
            "finesse-cluster-drawing",
            "finesse-session-drawing",
            "xmpp-table",
            "xmpp-drawing",
        ];
        drawn.map(str::to_owned).into()
    }),
    ("reports", || ["github", "junit", "sarif", "secrets"].map(str::to_owned).into()),
    ("rules", || RULES.iter().map(|rule| rule.name.to_owned()).collect()),
    ("units", || ["operated"].map(str::to_owned).into()),
    ("slips", || {
        include_str!("../data/slips.toml").parse::<toml::Table>().unwrap().into_iter().map(|row| row.0).collect()
    }),
];

#[test]
fn every_snapshot_has_an_owner() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        let folder = path.file_name().unwrap().to_string_lossy().into_owned();
        let present = snapshots(&path);
        let owned = OWNERS.iter().find(|(name, _)| *name == folder).map(|(_, names)| names()).unwrap_or_default();
        let stale: Vec<&String> = present.difference(&owned).collect();
        assert!(stale.is_empty(), "no test writes these of {folder}: {stale:?}");
    }
}

/// The names of the folders in a folder.
fn folders(path: &str) -> Names {
    let entries = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap().map(|entry| entry.unwrap());
    entries.filter(|entry| entry.path().is_dir()).map(|entry| entry.file_name().into_string().unwrap()).collect()
}

/// The snapshots in a folder, by their paths below it.
fn snapshots(folder: &Path) -> Names {
    let mut names = Names::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            names.extend(snapshots(&path).into_iter().map(|inner| format!("{name}/{inner}")));
        }
        names.extend(name.strip_suffix(".snap").map(str::to_owned));
    }
    names
}
