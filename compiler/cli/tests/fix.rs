//! `check --fix`: what it mends, what it leaves, and that it changes no other byte.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not there")]

mod common;
#[path = "common/mistakes.rs"]
#[allow(dead_code, unreachable_pub, missing_docs, reason = "the scale benchmark takes the rest")]
mod mistakes;

use common::{SOUND, project, topoc};
use serde_json::Value;
use std::fs;
use std::path::Path;
use topoc::{CLEAN, FAILED, FINDINGS};

fn broken() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/broken/main.topo")).unwrap()
}

fn findings(folder: &Path) -> Vec<Value> {
    let ran = topoc(folder, &["check", "--format", "json"]);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    report["diagnostics"].as_array().unwrap().clone()
}

/// Place and new text of each edit of the first safe fix of each finding that overlaps no earlier one.
fn safe_edits(findings: &[Value]) -> Vec<(usize, usize, String)> {
    let mut chosen: Vec<(usize, usize, String)> = Vec::new();
    for finding in findings {
        let fix = finding["fixes"].as_array().unwrap().iter().find(|fix| fix["safety"] == "safe");
        let edits = fix.map(|fix| fix["edits"].as_array().unwrap().as_slice()).unwrap_or_default();
        let offset = |edit: &Value, end: &str| usize::try_from(edit["range"][end]["offset"].as_u64().unwrap()).unwrap();
        let edits: Vec<_> = edits
            .iter()
            .map(|edit| (offset(edit, "start"), offset(edit, "end"), edit["text"].as_str().unwrap().to_owned()))
            .collect();
        let apart = |a: &(usize, usize, String), b: &(usize, usize, String)| {
            let strict = a.0 == a.1 || b.0 == b.1;
            if strict { a.1 < b.0 || b.1 < a.0 } else { a.1 <= b.0 || b.1 <= a.0 }
        };
        if edits.iter().all(|edit| chosen.iter().all(|other| apart(edit, other))) {
            chosen.extend(edits);
        }
    }
    chosen
}

/// What the reported edits make of a file, applied by hand until there are none.
fn mended_by_hand(text: &str) -> String {
    let folder = project(&[("main.topo", text)]);
    let mut text = text.to_owned();
    for _ in 0..30 {
        let mut edits = safe_edits(&findings(folder.path()));
        if edits.is_empty() {
            break;
        }
        edits.sort();
        for (start, end, new) in edits.into_iter().rev() {
            text.replace_range(start..end, &new);
        }
        fs::write(folder.path().join("main.topo"), &text).unwrap();
    }
    text
}

#[test]
fn of_500_broken_topologies_only_the_edits_change_and_nothing_safe_is_left() {
    let mut mended = 0;
    for seed in 0..500 {
        let (text, kinds) = mistakes::topology(2, seed);
        let folder = project(&[("main.topo", &text)]);
        topoc(folder.path(), &["check", "--fix"]);
        let fixed = fs::read_to_string(folder.path().join("main.topo")).unwrap();
        assert_eq!(fixed, mended_by_hand(&text), "seed {seed}: {kinds:?}");
        // A brace too many is nobody's to take away but the author's.
        let errors = |text: &str| topoc_dsl::parse(text).errors.len();
        let most = if kinds.contains(&"brace-too-many") { errors(&text) } else { 0 };
        assert!(errors(&fixed) <= most, "seed {seed}: {kinds:?}\n{fixed}");
        let left = findings(folder.path());
        assert!(safe_edits(&left).is_empty(), "seed {seed}: {kinds:?}\n{left:?}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside the file");
        mended += usize::from(fixed != text);
    }
    assert!(mended > 100, "only {mended} had anything to mend");
}

#[test]
fn what_is_safe_is_mended_and_the_rest_reported() {
    let folder = project(&[("main.topo", &broken())]);
    let at = folder.path();
    let before = findings(at).len();
    let dry = topoc(at, &["check", "--fix", "--dry-run"]);
    let dry = dry.expect(FINDINGS, &["-  conector gc-0", "+  connector gc-0", "main.topo"], &["in 1 file", "--fix"]);
    assert_eq!(fs::read_to_string(at.join("main.topo")).unwrap(), broken(), "a dry run writes nothing");
    let ran = topoc(at, &["check", "--fix"]).expect(FINDINGS, &["errors"], &["fixes in 1 file"]);
    let fixed = fs::read_to_string(at.join("main.topo")).unwrap();
    assert_eq!(fixed, mended_by_hand(&broken()));
    assert!(fixed.contains("host = \"amq-1.example.com\" // a text") && fixed.contains("priority  = 127"), "{fixed}");
    assert!(findings(at).len() < before);
    assert!(dry.stderr.starts_with(ran.stderr.trim()), "{} {}", dry.stderr, ran.stderr);
    // Again, there is nothing to do.
    let again = topoc(at, &["check", "--fix"]);
    assert!(again.stderr.contains("0 fixes in 0 files"), "{}", again.stderr);
    assert_eq!(fs::read_to_string(at.join("main.topo")).unwrap(), fixed);
    topoc(at, &["check", "--fix", "--dry-run"]).expect(CLEAN, &[], &["0 fixes"]);
}

#[test]
fn what_may_change_who_gets_what_is_asked_for() {
    let text = "topology t { activemq = \"6.2\" }\nsite east {\n  broker amq-1 { host = \"amq-1\"; listen openwire { port = 61616 } }\n  \
        connector gc-1 { brokers = [amq-1, amq-2]; priority = 127 }\n}\nsite west {\n  broker amq-2 { host = \"amq-2\"; listen openwire { port = 61616 } }\n  \
        connector gc-2 { brokers = [amq-2, amq-1]; priority = 127 }\n}\nbridge amq-1 <-> amq-2\n\
        deployment d active-passive { connectors = [gc-1, gc-2] }\n";
    let folder = project(&[("main.topo", text)]);
    let read = || fs::read_to_string(folder.path().join("main.topo")).unwrap();
    topoc(folder.path(), &["check", "--fix"]).expect(CLEAN, &["equal-priorities"], &["0 fixes"]);
    assert_eq!(read(), text);
    topoc(folder.path(), &["check", "--fix", "--unsafe"]).expect(CLEAN, &["notes in 1 file"], &["1 fix in 1 file"]);
    assert_eq!(read(), text.replacen("priority = 127 }\n}\nbridge", "priority = 100 }\n}\nbridge", 1));
    topoc(folder.path(), &["check", "--unsafe"]).expect(FAILED, &[], &["--fix"]);
    topoc(folder.path(), &["check", "--dry-run"]).expect(FAILED, &[], &["--fix"]);
}

#[test]
fn only_files_of_the_project_are_changed() {
    let misspelt = "site s { brokr b { host = \"b\"; listen openwire { port = 61616 } } }\n";
    let importing = format!("import \"../other/up.topo\"\nimport \"down.topo\"\n{SOUND}");
    let up = misspelt.replace("site s", "site t").replace(" b {", " c {").replace("\"b\"", "\"c\"");
    let files = [("demo/main.topo", &*importing), ("demo/down.topo", misspelt), ("other/up.topo", &up)];
    let folder = project(&files);
    let at = folder.path();
    topoc(at, &["check", "demo", "--fix"]).expect(FINDINGS, &["other/up.topo"], &["1 fix in 1 file"]);
    assert_eq!(fs::read_to_string(at.join("other/up.topo")).unwrap(), files[2].1);
    assert_eq!(fs::read_to_string(at.join("demo/down.topo")).unwrap(), misspelt.replace("brokr", "broker"));
    // With settings above both, both are of the project; and so are the settings.
    fs::write(at.join("topoc.toml"), "[rules]\nequal-prorities = \"error\"\n").unwrap();
    topoc(at, &["check", "demo", "--fix"]).expect(CLEAN, &["notes in 4 files"], &["2 fixes in 2 files"]);
    assert_eq!(fs::read_to_string(at.join("topoc.toml")).unwrap(), "[rules]\nequal-priorities = \"error\"\n");
}

#[test]
#[cfg(unix)]
fn links_and_modes_stay_and_lead_nowhere_else() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let misspelt = SOUND.replace("  broker", "  brokr");
    let folder = project(&[("outside/real.topo", &misspelt), ("demo/own.topo", &misspelt)]);
    let at = folder.path();
    symlink("../outside/real.topo", at.join("demo/link.topo")).unwrap();
    fs::set_permissions(at.join("demo/own.topo"), fs::Permissions::from_mode(0o640)).unwrap();
    topoc(at, &["check", "demo/link.topo", "--fix"]).expect(FINDINGS, &["unknown-block"], &["0 fixes"]);
    topoc(at, &["check", "demo/own.topo", "--fix"]).expect(CLEAN, &["no findings"], &["1 fix"]);
    assert_eq!(fs::metadata(at.join("demo/own.topo")).unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn line_ends_stay() {
    let text = broken().replace('\n', "\r\n");
    let folder = project(&[("main.topo", &format!("\u{feff}{text}"))]);
    topoc(folder.path(), &["check", "--fix"]);
    let fixed = fs::read_to_string(folder.path().join("main.topo")).unwrap();
    assert_eq!(fixed, format!("\u{feff}{}", mended_by_hand(&broken()).replace('\n', "\r\n")));
}

#[test]
fn an_unused_allow_is_taken_out_with_its_line() {
    let allow = "  // topoc: allow(literal-password) reason=\"a lab\"\n  broker";
    let folder = project(&[("main.topo", &SOUND.replace("  broker", allow))]);
    topoc(folder.path(), &["check", "--fix"]).expect(CLEAN, &["no findings"], &["1 fix in 1 file"]);
    assert_eq!(fs::read_to_string(folder.path().join("main.topo")).unwrap(), SOUND);
}
