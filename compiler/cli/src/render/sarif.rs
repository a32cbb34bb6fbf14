//! SARIF 2.1.0 (OASIS), which code hosts and review tools read.

use super::place::{Range, place};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::io::{self, Write};
use topoc_compiler::diagnostic::{Diagnostic, Edit, Fix, Label, Loc};
use topoc_compiler::policy::baseline::Fingerprint;
use topoc_compiler::rules::Rule;
use topoc_compiler::sources::Sources;

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// What relative paths are relative to: where topoc was started, in CI the root of the checkout.
const ROOT: &str = "%SRCROOT%";
/// Names the way in which fingerprints are made, so that another way can be told apart.
const FINGERPRINT: &str = "topoc/v1";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'a str,
    version: &'a str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Tool<'a>,
    invocations: [Invocation; 1],
    original_uri_base_ids: BTreeMap<&'a str, Described<'a>>,
    column_kind: &'a str,
    results: Vec<Outcome<'a>>,
}

#[derive(Serialize)]
struct Tool<'a> {
    driver: Driver<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver<'a> {
    name: &'a str,
    version: &'a str,
    semantic_version: &'a str,
    rules: Vec<Descriptor<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor<'a> {
    id: &'a str,
    name: &'a str,
    short_description: Text<'a>,
    full_description: Text<'a>,
    help: Help<'a>,
    default_configuration: Configuration<'a>,
    properties: BTreeMap<&'a str, &'a str>,
}

#[derive(Serialize)]
struct Help<'a> {
    text: String,
    markdown: &'a str,
}

#[derive(Serialize)]
struct Configuration<'a> {
    level: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
}

#[derive(Serialize)]
struct Described<'a> {
    description: Text<'a>,
}

#[derive(Serialize)]
struct Text<'a> {
    text: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome<'a> {
    rule_id: &'a str,
    rule_index: usize,
    level: &'a str,
    message: Said,
    locations: [Location<'a>; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location<'a>>,
    partial_fingerprints: BTreeMap<&'a str, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fixes: Vec<Repair<'a>>,
}

#[derive(Serialize)]
struct Said {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<usize>,
    physical_location: Physical,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Text<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Artifact,
    region: Region,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Artifact {
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_base_id: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    start_column: u32,
    end_line: u32,
    end_column: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Repair<'a> {
    description: Text<'a>,
    artifact_changes: Vec<Change<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Change<'a> {
    artifact_location: Artifact,
    replacements: Vec<Replacement<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Replacement<'a> {
    deleted_region: Region,
    inserted_content: Text<'a>,
}

/// Writes the log and a line's end.
pub(crate) fn write(sources: &Sources, diagnostics: &[Diagnostic], out: &mut impl Write) -> io::Result<()> {
    let rules = rules(diagnostics);
    let mut fingerprints = Fingerprints::default();
    let results = diagnostics.iter().map(|found| outcome(sources, found, &rules, &mut fingerprints)).collect();
    let version = env!("CARGO_PKG_VERSION");
    let driver = Driver {
        name: "topoc",
        version,
        semantic_version: version,
        rules: rules.iter().map(|rule| descriptor(rule)).collect(),
    };
    let root = Described { description: Text { text: "the folder in which topoc was started" } };
    let run = Run {
        tool: Tool { driver },
        invocations: [Invocation { execution_successful: true }],
        original_uri_base_ids: BTreeMap::from([(ROOT, root)]),
        column_kind: "unicodeCodePoints",
        results,
    };
    serde_json::to_writer(&mut *out, &Log { schema: SCHEMA, version: "2.1.0", runs: [run] })?;
    out.write_all(b"\n")
}

/// The rules that found something, by code: `ruleIndex` is the place in this list.
fn rules(diagnostics: &[Diagnostic]) -> Vec<&'static Rule> {
    let rules: BTreeMap<&str, &'static Rule> = diagnostics.iter().map(|found| (found.rule.code, found.rule)).collect();
    rules.into_values().collect()
}

fn descriptor(rule: &'static Rule) -> Descriptor<'static> {
    Descriptor {
        id: rule.code,
        name: rule.name,
        short_description: Text { text: rule.summary },
        full_description: Text { text: rule.summary },
        help: Help { text: format!("{}; `topoc explain {}` says more", rule.summary, rule.code), markdown: rule.page },
        default_configuration: Configuration { level: rule.level.severity().word() },
        properties: BTreeMap::from([("fix", rule.fix.word()), ("since", rule.since)]),
    }
}

fn outcome<'a>(
    sources: &Sources,
    found: &'a Diagnostic,
    rules: &[&Rule],
    fingerprints: &mut Fingerprints,
) -> Outcome<'a> {
    let help = found.help.as_ref().map_or_else(String::new, |help| format!("\n{help}"));
    let related = found.labels.iter().enumerate().skip(1).map(|(id, label)| location(sources, label, Some(id)));
    Outcome {
        rule_id: found.rule.code,
        rule_index: rules.iter().position(|rule| rule.code == found.rule.code).unwrap_or_default(),
        level: found.severity.word(),
        message: Said { text: format!("{}{help}", found.message) },
        locations: [Location { id: None, physical_location: physical(sources, found.primary()), message: None }],
        related_locations: related.collect(),
        partial_fingerprints: BTreeMap::from([(FINGERPRINT, fingerprints.of(sources, found))]),
        fixes: found.fixes.iter().map(|fix| repair(sources, fix)).collect(),
    }
}

fn location<'a>(sources: &Sources, label: &'a Label, id: Option<usize>) -> Location<'a> {
    Location { id, physical_location: physical(sources, label.at), message: Some(Text { text: &label.message }) }
}

fn physical(sources: &Sources, at: Loc) -> Physical {
    let (path, range) = place(sources, at);
    Physical { artifact_location: artifact(path), region: region(range) }
}

fn region(range: Range) -> Region {
    Region {
        start_line: range.start.line,
        start_column: range.start.column,
        end_line: range.end.line,
        end_column: range.end.column,
    }
}

/// A path as a URI (RFC 3986): one from the root of the disk by itself, another relative to [`ROOT`].
fn artifact(path: &str) -> Artifact {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(char::from(byte)),
            // Writing to a string cannot fail.
            byte => drop(write!(uri, "%{byte:02X}")),
        }
    }
    if path.starts_with('/') {
        Artifact { uri: format!("file://{uri}"), uri_base_id: None }
    } else {
        Artifact { uri, uri_base_id: Some(ROOT) }
    }
}

fn repair<'a>(sources: &Sources, fix: &'a Fix) -> Repair<'a> {
    let mut changes: Vec<(Loc, Change<'a>)> = Vec::new();
    for edit in &fix.edits {
        let replacement = replacement(sources, edit);
        match changes.iter_mut().find(|(at, _)| at.file == edit.at.file) {
            Some((_, change)) => change.replacements.push(replacement),
            None => {
                let artifact_location = artifact(place(sources, edit.at).0);
                changes.push((edit.at, Change { artifact_location, replacements: vec![replacement] }));
            }
        }
    }
    let artifact_changes = changes.into_iter().map(|(_, change)| change).collect();
    Repair { description: Text { text: &fix.title }, artifact_changes }
}

fn replacement<'a>(sources: &Sources, edit: &'a Edit) -> Replacement<'a> {
    let (_, range) = place(sources, edit.at);
    Replacement { deleted_region: region(range), inserted_content: Text { text: &edit.text } }
}

/// Tells findings apart as baselines do, and those of one kind by which one each is.
#[derive(Default)]
struct Fingerprints {
    seen: HashMap<String, usize>,
}

impl Fingerprints {
    fn of(&mut self, sources: &Sources, found: &Diagnostic) -> String {
        let Fingerprint { rule, file, within } = Fingerprint::of(sources, found);
        let digest = Sha256::digest(format!("{rule}\n{file}\n{within}"));
        let hash: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        let which = self.seen.entry(hash.clone()).or_default();
        *which += 1;
        format!("{hash}:{which}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_uris() {
        for (path, uri, relative) in [
            ("main.topo", "main.topo", true),
            ("a b/ü%.topo", "a%20b/%C3%BC%25.topo", true),
            ("/srv/main.topo", "file:///srv/main.topo", false),
        ] {
            let artifact = artifact(path);
            assert_eq!((artifact.uri.as_str(), artifact.uri_base_id.is_some()), (uri, relative));
        }
    }
}
