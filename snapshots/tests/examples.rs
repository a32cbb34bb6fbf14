//! Every example is checked and built; what it gives is a snapshot, and the properties are those of the document.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not there")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use topoc_compiler::emit;
use topoc_compiler::sources::{FileError, Files};
use topoc_compiler::{Analysis, analyze};

struct Disk(PathBuf);

impl Files for Disk {
    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        std::fs::read(self.0.join(path)).map_err(|_| FileError::NotFound)
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")
}

fn examples() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn analysis(example: &str) -> Analysis {
    analyze("main.topo", &[], &Disk(root().join(example)))
}

fn findings(analysis: &Analysis) -> String {
    let line = |diagnostic: &topoc_compiler::diagnostic::Diagnostic| {
        let source = analysis.sources.file(diagnostic.primary().file).unwrap();
        let at = source.position(diagnostic.primary().span.start);
        let (level, code) = (diagnostic.severity.word(), diagnostic.rule.code);
        format!("{}:{}:{}: {level}[{code}] {}\n", source.path, at.line, at.column, diagnostic.message)
    };
    analysis.diagnostics.iter().map(line).collect()
}

fn snapshot(folder: &str, name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

#[test]
fn every_example_builds_what_its_snapshot_says() {
    for example in examples() {
        let analysis = analysis(&example);
        let mut text = findings(&analysis);
        if let Some(checked) = analysis.checked() {
            for artifact in emit::artifacts(checked) {
                text += &format!("\n===== {} =====\n{}", artifact.path, String::from_utf8(artifact.bytes).unwrap());
            }
        }
        snapshot("examples", &example, &text);
    }
}

#[test]
fn only_the_examples_that_are_about_it_have_findings() {
    for example in examples() {
        let analysis = analysis(&example);
        // Every small topology has notes: they are in its snapshot.
        let bad = analysis.diagnostics.iter().filter(|found| found.severity.word() != "note");
        let codes: Vec<&str> = bad.map(|found| found.rule.name).collect();
        match example.as_str() {
            "broken" => assert!(codes.len() >= 16, "{codes:?}"),
            "active-passive-literal" => assert_eq!(codes, ["literal-site-order"]),
            example => assert!(codes.is_empty(), "{example}: {codes:?}"),
        }
    }
}

/// Keys and values of an artifact, without comments.
fn properties(example: &str, path: &str) -> BTreeMap<String, String> {
    let analysis = analysis(example);
    let artifacts = emit::artifacts(analysis.checked().unwrap());
    let artifact = artifacts.into_iter().find(|artifact| artifact.path == path).unwrap();
    let text = String::from_utf8(artifact.bytes).unwrap();
    emit::write::properties::parse(&text).unwrap().into_iter().collect()
}

#[test]
fn connector_properties_are_the_documents_own() {
    let table = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("data/properties.toml")).unwrap();
    let table: toml::Table = table.parse().unwrap();
    let mut compared = 0;
    for (example, things) in &table {
        for (thing, expected) in things.as_table().unwrap() {
            let site = thing.replace("gc-", "site-");
            let connector = thing.replace("site-", "gc-");
            let written = properties(example, &format!("{site}/{connector}/connector.properties"));
            for (key, value) in expected.as_table().unwrap() {
                assert_eq!(written.get(key).map(String::as_str), value.as_str(), "{example} {connector} {key}");
                compared += 1;
            }
            let extra = written.keys().filter(|key| !expected.as_table().unwrap().contains_key(*key));
            let extra: Vec<&String> = extra.filter(|key| !key.starts_with("SERVER_ADDRESS_")).collect();
            assert!(extra.is_empty(), "{example} {connector}: keys without a place in the document: {extra:?}");
        }
    }
    assert_eq!(compared, 32, "every value of the table is compared");
}

#[test]
fn building_twice_gives_the_same_bytes() {
    for example in examples() {
        let (first, second) = (analysis(&example), analysis(&example));
        let Some(checked) = first.checked() else { continue };
        assert!(emit::artifacts(checked) == emit::artifacts(second.checked().unwrap()), "{example}");
    }
}
