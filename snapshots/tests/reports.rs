//! What CI is told: every format is valid by its own schema, says the same as the others, and survives hostile names.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not there")]

mod support;

use boon::{Compiler, SchemaIndex, Schemas};
use roxmltree::Document;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use support::topoc;
use uppsala::XsdValidator;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")
}

fn examples() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = root().read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    assert!(folders.len() >= 10);
    folders
}

/// A topology whose names are made to break out of whatever they are put into.
const HOSTILE: &str = "topology t { activemq = \"6.2\" }
site s {
  broker a { host = \"a\"; listen openwire { port = 61616 }; colour = \"%0A::error::]]>\\u{1b}[2J<&\\\"'\" }
  broker b { host = \"b\"; listen openwire { port = \"]]><!-- ü😀 --> \\u{7}\" } }
}
";

/// A folder with that topology, under a name of the same kind.
fn hostile() -> (tempfile::TempDir, &'static str) {
    let folder = tempfile::tempdir().unwrap();
    let name = "a,b:c %41 <&ü>.topo";
    std::fs::write(folder.path().join(name), HOSTILE).unwrap();
    (folder, name)
}

fn report(format: &str, folder: &Path, path: &str) -> String {
    let output = topoc(&["check", path, "--format", format], folder);
    assert!(output.code <= 1, "{}", output.stderr);
    output.stdout
}

/// The reports of all examples and of the hostile topology.
fn reports(format: &str) -> Vec<String> {
    let (folder, name) = hostile();
    let mut reports: Vec<String> = examples().iter().map(|example| report(format, example, ".")).collect();
    reports.push(report(format, folder.path(), name));
    reports
}

fn snapshot(name: &str, text: &str) {
    insta::with_settings!({ snapshot_path => "../reports", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, text);
    });
}

static SARIF: LazyLock<(Schemas, SchemaIndex)> = LazyLock::new(|| {
    let schema: Value = serde_json::from_str(include_str!("../data/sarif-schema-2.1.0.json")).unwrap();
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.add_resource("urn:sarif", schema).unwrap();
    let index = compiler.compile("urn:sarif", &mut schemas).unwrap();
    (schemas, index)
});

#[test]
fn sarif_is_valid_by_its_schema() {
    let (schemas, index) = &*SARIF;
    for text in reports("sarif") {
        let log: Value = serde_json::from_str(&text).unwrap();
        if let Err(error) = schemas.validate(&log, *index) {
            panic!("{error:#}\n{text}");
        }
    }
    let broken: Value = serde_json::from_str(&reports("sarif")[0].replace("\"results\"", "\"outcomes\"")).unwrap();
    assert!(schemas.validate(&broken, *index).is_err(), "the schema refuses what is not SARIF");
}

#[test]
fn sarif_says_what_json_says() {
    for example in examples() {
        let log: Value = serde_json::from_str(&report("sarif", &example, ".")).unwrap();
        let json: Value = serde_json::from_str(&report("json", &example, ".")).unwrap();
        let run = &log["runs"][0];
        let (results, findings) = (run["results"].as_array().unwrap(), json["diagnostics"].as_array().unwrap());
        assert_eq!(results.len(), findings.len());
        for (result, finding) in results.iter().zip(findings) {
            let rule = &run["tool"]["driver"]["rules"][usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
            assert_eq!((&rule["id"], &result["ruleId"]), (&finding["code"], &finding["code"]));
            assert_eq!(rule["name"], finding["name"]);
            assert!(rule["help"]["markdown"].as_str().unwrap().contains("## Why it is bad"));
            assert_eq!(result["level"], finding["severity"]);
            let place = &result["locations"][0]["physicalLocation"];
            assert_eq!(place["artifactLocation"]["uri"], finding["file"]);
            let (region, range) = (&place["region"], &finding["range"]);
            assert_eq!(region["startLine"], range["start"]["line"]);
            assert_eq!(region["startColumn"], range["start"]["column"]);
            assert_eq!(region["endLine"], range["end"]["line"]);
            assert_eq!(region["endColumn"], range["end"]["column"]);
            let fixes = finding["fixes"].as_array().unwrap();
            assert_eq!(result["fixes"].as_array().map_or(0, Vec::len), fixes.len());
            let labels = finding["labels"].as_array().unwrap().len();
            assert_eq!(result["relatedLocations"].as_array().map_or(0, Vec::len), labels - 1);
        }
    }
}

/// Fingerprints of a report.
fn fingerprints(text: &str) -> Vec<String> {
    let log: Value = serde_json::from_str(text).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    results.iter().map(|result| result["partialFingerprints"]["topoc/v1"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn fingerprints_of_sarif_survive_moved_lines_and_are_all_different() {
    let text = std::fs::read_to_string(root().join("broken/main.topo")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let check = |text: &str| {
        std::fs::write(folder.path().join("main.topo"), text).unwrap();
        fingerprints(&report("sarif", folder.path(), "."))
    };
    let before = check(&text);
    let moved = check(&format!("{}{text}", "// a line\n".repeat(100)));
    assert_eq!(before, moved);
    let mut different = before.clone();
    different.sort();
    different.dedup();
    assert_eq!(different.len(), before.len());
}

#[test]
fn junit_is_valid_by_both_schemas() {
    let schemas = ["data/junit-ant.xsd", "data/junit-jenkins.xsd"].map(|path| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        let text = std::fs::read_to_string(&path).unwrap();
        let schema = uppsala::parse(&text).unwrap();
        (path, XsdValidator::from_schema(&schema).unwrap())
    });
    for text in reports("junit") {
        let document = uppsala::parse(&text).unwrap();
        for (path, schema) in &schemas {
            let errors = schema.validate(&document);
            assert!(errors.is_empty(), "{}: {errors:?}\n{text}", path.display());
        }
    }
}

#[test]
fn junit_fails_what_the_level_fails() {
    let example = root().join("broken");
    for (level, wanted) in [("error", "error:"), ("note", "")] {
        let text = topoc(&["check", "--format", "junit", "--fail-level", level], &example).stdout;
        let document = Document::parse(&text).unwrap();
        let messages = |tag: &str| {
            let nodes = document.descendants().filter(|node| node.has_tag_name(tag));
            nodes.map(|node| node.attribute("message").unwrap().to_owned()).collect::<Vec<_>>()
        };
        let (failed, skipped) = (messages("failure"), messages("skipped"));
        assert!(failed.iter().all(|message| message.starts_with(wanted)), "{failed:?}");
        assert_eq!(skipped.is_empty(), level == "note", "{skipped:?}");
        let suite = document.descendants().find(|node| node.has_tag_name("testsuite")).unwrap();
        let count = |name: &str| suite.attribute(name).unwrap().parse::<usize>().unwrap();
        assert_eq!(count("failures"), failed.len());
        assert_eq!(count("tests"), failed.len() + skipped.len());
    }
}

#[test]
fn a_clean_run_has_a_case_that_passes() {
    let text = report("junit", &root().join("active-active"), ".");
    let document = Document::parse(&text).unwrap();
    let cases: Vec<_> = document.descendants().filter(|node| node.has_tag_name("testcase")).collect();
    assert!(!cases.is_empty() && cases.iter().all(|case| !case.children().any(|node| node.has_tag_name("failure"))));
}

#[test]
fn annotations_are_one_line_each_and_nothing_else() {
    let (folder, name) = hostile();
    let text = report("github", folder.path(), name);
    let json: Value = serde_json::from_str(&report("json", folder.path(), name)).unwrap();
    assert_eq!(text.lines().count(), json["diagnostics"].as_array().unwrap().len());
    for line in text.lines() {
        let rest = ["::error ", "::warning ", "::notice "].iter().find_map(|command| line.strip_prefix(command));
        let (properties, message) = rest.unwrap().split_once("::").unwrap();
        assert!(properties.starts_with("file=a%2Cb%3Ac %2541 <&ü>.topo,line="), "{line}");
        assert!(!message.is_empty() && !line.contains('\u{1b}'), "{line}");
        let names: Vec<&str> = properties.split(',').map(|pair| pair.split_once('=').unwrap().0).collect();
        assert!(names.iter().all(|name| ["file", "line", "endLine", "col", "endColumn", "title"].contains(name)));
    }
}

/// The moment of the check, which is the only thing that changes from run to run.
fn timeless(text: &str) -> String {
    let (before, rest) = text.split_once("timestamp=\"").unwrap();
    let (_, after) = rest.split_once('"').unwrap();
    format!("{before}timestamp=\"2026-11-23T00:00:00\"{after}")
}

#[test]
fn the_broken_example_is_reported_as_its_snapshots_say() {
    let example = root().join("broken");
    snapshot("github", &report("github", &example, "."));
    snapshot("junit", &timeless(&report("junit", &example, ".")));
    let mut log: Value = serde_json::from_str(&report("sarif", &example, ".")).unwrap();
    for rule in log["runs"][0]["tool"]["driver"]["rules"].as_array_mut().unwrap() {
        // Pages have snapshots of their own.
        rule["help"]["markdown"] = "the rule's page".into();
    }
    snapshot("sarif", &serde_json::to_string_pretty(&log).unwrap());
}

/// Every way to write `hunter2` into a topology: read and not read, found by the rule and beside what is found.
const SECRETS: &str = r#"topology t { activemq = "6.2" }
let far = "hunter2-far"
site s {
  broker a {
    host = "a"
    listen openwire { port = 61616 }
    users {
      user bridge { password = "hunter2-user" }
      user gc { password = "hunter2-ünïcode"; groups = [1] }
    }
    store jdbc { url = "jdbc:mysql://amq:hunter2-url@db/amq"; driver = "x" }
    raw-xml """<bean password="hunter2-xml"/>"""
  }
  broker b { host = "b"; listen openwire { port = 61616 }; users { user far { password = $far } } }
  connector gc {
    brokers = [a]
    user = "gc"; password = hunter2-word
    uri = "failover:(tcp://gc:hunter2-uri@a:61616"
    property "DB_PASSWORD" = "hunter2-property"
  }
}
bridge a -> b {
  user = "bridge"; password = "hunter2-user"; remote-user-name = "far"; remote-password = secret("hunter2-remote")
}
"#;

#[test]
fn a_password_is_hidden_in_the_text_around_a_finding() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("main.topo"), SECRETS).unwrap();
    let seen = report("human", folder.path(), ".");
    assert!(!seen.contains("hunter2"), "{seen}");
    for format in ["short", "json", "sarif", "github", "junit"] {
        assert!(!report(format, folder.path(), ".").contains("hunter2"), "{format}");
    }
    snapshot("secrets", &seen);
}

#[test]
fn where_nothing_could_be_checked_stdout_stays_empty() {
    let folder = tempfile::tempdir().unwrap();
    for format in ["human", "short", "json", "sarif", "github", "junit"] {
        for arguments in [&["missing.topo"][..], &["."], &[".", "--no-such-option"]] {
            let arguments = [&["check", "--format", format][..], arguments].concat();
            let output = topoc(&arguments, folder.path());
            assert_eq!((output.code, output.stdout.as_str()), (2, ""), "{arguments:?}");
            assert!(output.stderr.starts_with("error:"), "{}", output.stderr);
        }
    }
}

#[test]
fn exit_codes_are_the_same_in_every_format() {
    for format in ["human", "short", "json", "sarif", "github", "junit"] {
        for (example, level, code) in [
            ("active-active", "note", None),
            ("active-active", "error", Some(0)),
            ("broken", "error", Some(1)),
            ("active-passive-literal", "error", Some(0)),
            ("active-passive-literal", "warning", Some(1)),
        ] {
            let output = topoc(&["check", "--format", format, "--fail-level", level], &root().join(example));
            let human = topoc(&["check", "--fail-level", level], &root().join(example));
            assert_eq!(output.code, code.unwrap_or(human.code), "{example} {format} {level}");
        }
    }
}
