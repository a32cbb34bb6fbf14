//! `runtime/THIRD-PARTY.txt`, which goes wherever a connector's program goes: what is in the program besides our own code, under
//! which licences, with their texts.
//!
//! `TOPOC_UPDATE=1 cargo test -p topoc-snapshots --test third_party` writes it anew after a dependency has changed.
#![expect(clippy::unwrap_used, reason = "a test helper that cannot go on fails the test")]

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The only platform that connectors are built for, as in `deny.toml`.
const TARGET: &str = "x86_64-unknown-linux-gnu";
/// What names of files with notices begin with.
const NOTICES: &[&str] = &["licen", "copying", "copyright", "notice", "unlicen"];
const RULE: &str = "================================================================================";
const HEAD: &str = "\
What is in the program of a connector besides topoc's own code, which is licensed under MIT OR Apache-2.0: packages of
crates.io, and the standard library of Rust (https://github.com/rust-lang/rust, MIT OR Apache-2.0, with parts of the LLVM
project under Apache-2.0 WITH LLVM-exception). Where a package offers several licences, any one of them can be chosen.
";

/// A package in the program.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Package {
    name: String,
    version: String,
    licence: String,
    folder: PathBuf,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The packages of others that are linked into the program, by name and version.
fn packages() -> BTreeSet<Package> {
    let edges = "normal,no-proc-macro";
    let linked = cargo(&[
        "tree",
        "--locked",
        "-p",
        "topoc-connector",
        "--target",
        TARGET,
        "-e",
        edges,
        "--prefix",
        "none",
        "-f",
        "{p}",
    ]);
    let metadata = cargo(&["metadata", "--locked", "--format-version", "1", "--filter-platform", TARGET]);
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    let known: BTreeMap<(&str, &str), &Value> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| ((package["name"].as_str().unwrap(), package["version"].as_str().unwrap()), package))
        .collect();
    let of = |line: &str| {
        let (name, rest) = line.split_once(" v")?;
        let version = rest.split(' ').next()?;
        let package = known[&(name, version)];
        // Our own have no registry.
        package["source"].as_str()?;
        let licence = package["license"].as_str().unwrap_or("see its text").to_owned();
        let folder = Path::new(package["manifest_path"].as_str()?).parent()?.to_owned();
        Some(Package { name: name.to_owned(), version: version.to_owned(), licence, folder })
    };
    linked.lines().filter_map(of).collect()
}

/// The files with notices in a package, at any depth: code of others has its own folder.
fn notices(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().to_string_lossy().to_lowercase();
        if entry.file_type().unwrap().is_dir() {
            found.extend(notices(&entry.path()));
        } else if NOTICES.iter().any(|start| name.starts_with(start)) && !name.ends_with(".rs") {
            found.insert(entry.path());
        }
    }
    found
}

/// A text without what editors differ in.
fn plain(text: &str) -> String {
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim_matches('\n').to_owned()
}

fn generated() -> String {
    let packages = packages();
    let mut texts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut out = HEAD.to_owned();
    out += "\nPackages\n\n";
    for package in &packages {
        let Package { name, version, licence, folder } = package;
        let notices = notices(folder);
        let silent = if notices.is_empty() { " (the package has no text of it)" } else { "" };
        out += &format!("  {name} {version}: {licence}{silent}\n");
        for notice in notices {
            let text = plain(&String::from_utf8_lossy(&fs::read(notice).unwrap()));
            texts.entry(text).or_default().insert(format!("{name} {version}"));
        }
    }
    let mut texts: Vec<(String, BTreeSet<String>)> = texts.into_iter().collect();
    texts.sort_by(|(_, a), (_, b)| a.cmp(b));
    for (text, packages) in texts {
        let packages: Vec<String> = packages.into_iter().collect();
        out += &format!("\n{RULE}\n{}\n{RULE}\n\n{text}\n", packages.join(", "));
    }
    out
}

#[test]
fn what_goes_with_a_program_is_what_is_in_it() {
    let path = root().join("runtime/THIRD-PARTY.txt");
    let generated = generated();
    if std::env::var_os("TOPOC_UPDATE").is_some() {
        fs::write(&path, &generated).unwrap();
    }
    assert!(
        fs::read_to_string(path).unwrap() == generated,
        "runtime/THIRD-PARTY.txt is not of these dependencies: run \
         `TOPOC_UPDATE=1 cargo test -p topoc-snapshots --test third_party`"
    );
}

#[test]
fn every_package_has_a_licence_and_most_a_text() {
    let packages = packages();
    assert!(packages.iter().any(|package| package.name == "serde_json"));
    assert!(!packages.iter().any(|package| package.name.starts_with("topoc")));
    let silent: Vec<_> = packages.iter().filter(|package| notices(&package.folder).is_empty()).collect();
    assert!(silent.len() * 10 <= packages.len(), "{:?}", silent.iter().map(|one| &one.name).collect::<Vec<_>>());
}
