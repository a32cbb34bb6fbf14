//! What topoc prints and writes as JSON is what its published schemas say, and they refuse what is not.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not there")]

mod support;

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn examples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut all: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    all.retain(|path| path.is_dir());
    all.sort();
    all
}

/// Runs topoc and returns its exit code and stdout.
fn topoc(words: &[&str]) -> (u8, String) {
    let output = support::topoc(words, Path::new(""));
    assert!(output.code < 2, "{}", output.stderr);
    (output.code, output.stdout)
}

/// A schema as topoc prints it.
struct Schema {
    text: Value,
    known: Schemas,
    index: SchemaIndex,
}

fn schema(what: &str) -> Schema {
    let (code, text) = topoc(&["explain", "--schema", what]);
    assert_eq!(code, 0);
    let text: Value = serde_json::from_str(&text).unwrap();
    let (mut known, mut compiler) = (Schemas::new(), Compiler::new());
    let id = format!("urn:topoc:schema:{what}:1");
    assert_eq!(text["$id"], id.as_str());
    compiler.add_resource(&id, text.clone()).unwrap();
    let index = compiler.compile(&id, &mut known).unwrap();
    Schema { text, known, index }
}

impl Schema {
    fn fault(&self, document: &Value) -> Option<String> {
        self.known.validate(document, self.index).err().map(|error| format!("{error:#}"))
    }

    /// Every name of a property that the schema describes.
    fn described(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        properties(&self.text, &mut names);
        names
    }
}

fn properties(schema: &Value, names: &mut BTreeSet<String>) {
    let Some(object) = schema.as_object() else {
        return schema.as_array().into_iter().flatten().for_each(|one| properties(one, names));
    };
    for (key, value) in object {
        if key == "properties" {
            names.extend(value.as_object().unwrap().keys().cloned());
        }
        properties(value, names);
    }
}

fn keys(document: &Value, names: &mut BTreeSet<String>) {
    match document {
        Value::Array(all) => all.iter().for_each(|one| keys(one, names)),
        Value::Object(object) => {
            names.extend(object.keys().cloned());
            object.values().for_each(|one| keys(one, names));
        }
        _ => {}
    }
}

fn undescribed(schema: &Schema, document: &Value) -> Vec<String> {
    let mut names = BTreeSet::new();
    keys(document, &mut names);
    names.difference(&schema.described()).cloned().collect()
}

fn check(example: &Path) -> Value {
    let (_, text) = topoc(&["check", "--format", "json", example.to_str().unwrap()]);
    serde_json::from_str(&text).unwrap()
}

fn manifest(example: &Path) -> Option<Value> {
    let out = tempfile::tempdir().unwrap();
    let (code, _) = topoc(&["build", example.to_str().unwrap(), "--out", out.path().to_str().unwrap()]);
    let bytes = fs::read(out.path().join("manifest.json")).ok();
    assert_eq!(bytes.is_some(), code == 0, "{}", example.display());
    bytes.map(|bytes| serde_json::from_slice(&bytes).unwrap())
}

fn baseline(example: &Path) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("baseline.json");
    let (code, _) =
        topoc(&["check", example.to_str().unwrap(), "--write-baseline", "--baseline", file.to_str().unwrap()]);
    assert_eq!(code, 0, "{}", example.display());
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}

#[test]
fn every_published_schema_is_the_one_that_topoc_prints() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas");
    let mut published = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        let what = name.strip_suffix("-1.schema.json").unwrap().to_owned();
        let (_, printed) = topoc(&["explain", "--schema", &what]);
        assert_eq!(printed, fs::read_to_string(entry.path()).unwrap(), "{name}");
        published.insert(what);
    }
    assert_eq!(published, ["admin", "baseline", "check", "event", "manifest"].map(str::to_owned).into());
}

#[test]
fn reports_of_all_examples_are_what_the_schema_says() {
    let (schema, mut findings) = (schema("check"), 0);
    for example in examples() {
        let report = check(&example);
        findings += report["diagnostics"].as_array().unwrap().len();
        assert_eq!(schema.fault(&report), None, "{}", example.display());
        assert_eq!(undescribed(&schema, &report), [""; 0], "{}", example.display());
    }
    assert!(findings > 16, "only {findings} findings were looked at");
}

#[test]
fn manifests_of_all_examples_are_what_the_schema_says() {
    let (schema, mut built) = (schema("manifest"), 0);
    for manifest in examples().iter().filter_map(|example| manifest(example)) {
        built += 1;
        assert_eq!(schema.fault(&manifest), None, "{manifest}");
        assert_eq!(undescribed(&schema, &manifest), [""; 0]);
    }
    assert!(built >= 9, "only {built} manifests were looked at");
}

#[test]
fn baselines_of_all_examples_are_what_the_schema_says() {
    let (schema, mut findings) = (schema("baseline"), 0);
    for example in examples() {
        let baseline = baseline(&example);
        findings += baseline["findings"].as_array().unwrap().len();
        assert_eq!(schema.fault(&baseline), None, "{}", example.display());
        assert_eq!(undescribed(&schema, &baseline), [""; 0], "{}", example.display());
    }
    assert!(findings > 16, "only {findings} findings were looked at");
}

/// Changes one place of a document.
fn with(document: &Value, place: &str, value: Value) -> Value {
    let mut changed = document.clone();
    *changed.pointer_mut(place).unwrap() = value;
    changed
}

fn without(document: &Value, place: &str, name: &str) -> Value {
    let mut changed = document.clone();
    changed.pointer_mut(place).unwrap().as_object_mut().unwrap().remove(name).unwrap();
    changed
}

#[test]
fn reports_that_are_wrong_are_refused() {
    let schema = schema("check");
    let broken = examples().into_iter().find(|path| path.ends_with("broken")).unwrap();
    let report = check(&broken);
    assert_eq!(schema.fault(&report), None);
    for (place, value) in [
        ("/version", json!(2)),
        ("/summary/errors", json!(-1)),
        ("/diagnostics/0/code", json!("TOPO1")),
        ("/diagnostics/0/severity", json!("fatal")),
        ("/diagnostics/0/message", json!("")),
        ("/diagnostics/0/labels", json!([])),
        ("/diagnostics/0/range/start/line", json!(0)),
        ("/diagnostics/0/range/end/offset", json!("7")),
        ("/diagnostics/0/help", json!(7)),
        ("/diagnostics", json!({})),
    ] {
        assert!(schema.fault(&with(&report, place, value.clone())).is_some(), "{place} = {value}");
    }
    for (place, name) in
        [("", "summary"), ("/summary", "files"), ("/diagnostics/0", "url"), ("/diagnostics/0/range", "end")]
    {
        assert!(schema.fault(&without(&report, place, name)).is_some(), "{place} without {name}");
    }
    let fixable = report["diagnostics"].as_array().unwrap().iter().position(|one| one["fixes"][0].is_object()).unwrap();
    let safety = format!("/diagnostics/{fixable}/fixes/0/safety");
    assert!(schema.fault(&with(&report, &safety, json!("perhaps"))).is_some());
}

#[test]
fn manifests_that_are_wrong_are_refused() {
    let schema = schema("manifest");
    let manifest = manifest(&examples()[0]).unwrap();
    for (place, value) in [
        ("/version", json!("1")),
        ("/topoc", json!("")),
        ("/inputs", json!([])),
        ("/inputs/0/sha256", json!("abc")),
        ("/artifacts/0/path", json!("/etc/passwd")),
        ("/artifacts/0/site", json!(null)),
    ] {
        assert!(schema.fault(&with(&manifest, place, value.clone())).is_some(), "{place} = {value}");
    }
    assert!(schema.fault(&without(&manifest, "", "artifacts")).is_some());
    assert!(schema.fault(&without(&manifest, "/artifacts/0", "sha256")).is_some());
    let twice = manifest["artifacts"][0].clone();
    assert!(schema.fault(&with(&manifest, "/artifacts", json!([twice, twice]))).is_some());
}

#[test]
fn baselines_that_are_wrong_are_refused() {
    let schema = schema("baseline");
    let broken = examples().into_iter().find(|path| path.ends_with("broken")).unwrap();
    let baseline = baseline(&broken);
    assert_eq!(schema.fault(&baseline), None);
    for (place, value) in [
        ("/version", json!(2)),
        ("/findings", json!({})),
        ("/findings/0/rule", json!("failover-on-listener")),
        ("/findings/0/file", json!("east/main.topo")),
        ("/findings/0/within", json!(null)),
        ("/findings/0/count", json!(0)),
    ] {
        assert!(schema.fault(&with(&baseline, place, value.clone())).is_some(), "{place} = {value}");
    }
    for name in ["rule", "file", "within", "count"] {
        assert!(schema.fault(&without(&baseline, "/findings/0", name)).is_some(), "without {name}");
    }
    assert!(schema.fault(&without(&baseline, "", "findings")).is_some());
    let twice = baseline["findings"][0].clone();
    assert!(schema.fault(&with(&baseline, "/findings", json!([twice, twice]))).is_some());
}
