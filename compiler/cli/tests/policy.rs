//! `topoc.toml` and `allow` comments as commands follow them.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not there")]

mod common;

use common::{SOUND, project, topoc};
use std::fs;
use topoc::{CLEAN, FAILED, FINDINGS};

/// One error that can be judged away, and one warning.
fn leaky() -> String {
    let connector = "  connector gc-1 { brokers = [amq-1]; user = \"gc\"; password = \"secret\" }\n}\n";
    SOUND.strip_suffix("}\n").unwrap().to_owned() + connector
}

#[test]
fn the_nearest_settings_hold_unless_others_are_named() {
    let off = "[rules]\nliteral-password = \"off\"\n";
    let files = [
        ("topoc.toml", off),
        ("a/main.topo", &leaky()),
        ("b/topoc.toml", ""),
        ("b/main.topo", &leaky()),
        ("b/c/main.topo", &leaky()),
    ];
    let folder = project(&files);
    let at = folder.path();
    for (arguments, code) in [
        (&["check", "a"][..], CLEAN),
        (&["check", "a/main.topo"], CLEAN),
        (&["check", "b"], FINDINGS),
        (&["check", "b/c"], FINDINGS),
        (&["check", "b", "--config", "topoc.toml"], CLEAN),
        (&["check", "a", "--config", "b/topoc.toml"], FINDINGS),
        (&["check", "a", "--no-config"], FINDINGS),
    ] {
        assert_eq!(topoc(at, arguments).code, code, "{arguments:?}");
    }
    assert_eq!(topoc(&at.join("a"), &["check"]).code, CLEAN);
    assert_eq!(topoc(&at.join("b/c"), &["check"]).code, FINDINGS);
    let absolute = at.join("a/main.topo").display().to_string();
    assert_eq!(topoc(at, &["check", &absolute]).code, CLEAN);
    topoc(at, &["check", "a", "--config", "no.toml"]).expect(FAILED, &[], &["there is no file `no.toml`", "--config"]);
    topoc(at, &["check", "a", "--config", "topoc.toml", "--no-config"]).expect(FAILED, &[], &["cannot be used with"]);
    fs::write(at.join("b/topoc.toml"), b"\xff").unwrap();
    topoc(at, &["check", "b"]).expect(FAILED, &[], &["`b/topoc.toml` is not UTF-8"]);
}

#[test]
fn what_is_wrong_with_the_settings_is_shown_in_them() {
    let folder = project(&[("topoc.toml", "profil = \"strict\"\n"), ("a/main.topo", SOUND)]);
    topoc(folder.path(), &["check", "a"]).expect(FINDINGS, &["[topoc.toml:1:1]", "did you mean `profile`?"], &[]);
    topoc(&folder.path().join("a"), &["check"]).expect(FINDINGS, &["[../topoc.toml:1:1]"], &[]);
    let build = topoc(folder.path(), &["build", "a", "--out", "dist"]);
    build.expect(FINDINGS, &[], &["[topoc.toml:1:1]", "nothing was written"]);
}

#[test]
fn check_and_build_judge_alike() {
    let folder = project(&[("main.topo", &leaky())]);
    let at = folder.path();
    let build = ["build", "--out", "dist"];
    topoc(at, &build).expect(FINDINGS, &[], &["literal-password", "nothing was written"]);
    fs::write(at.join("topoc.toml"), "[rules]\nliteral-password = \"warning\"\n").unwrap();
    topoc(at, &["check"]).expect(CLEAN, &["2 warnings in 2 files"], &[]);
    topoc(at, &build).expect(CLEAN, &["files written"], &["2 warnings in 2 files"]);
    // The settings decide nothing of what is written.
    assert!(!fs::read_to_string(at.join("dist/manifest.json")).unwrap().contains("topoc.toml"));
    fs::write(at.join("topoc.toml"), "").unwrap();
    let allowed = leaky()
        .replace("  connector", "  // topoc: allow(literal-password) until=2027-01-31 reason=\"a lab\"\n  connector");
    fs::write(at.join("main.topo"), allowed).unwrap();
    topoc(at, &["check", "--today", "2027-01-31"]).expect(CLEAN, &["1 warning"], &[]);
    assert_eq!(topoc(at, &["build", "--out", "dist", "--today", "2027-01-31"]).code, CLEAN);
    topoc(at, &["check", "--today", "2027-02-01"]).expect(FINDINGS, &["2 errors", "expired-allow"], &[]);
    assert_eq!(topoc(at, &["build", "--out", "dist", "--today", "2027-02-01"]).code, FINDINGS);
    topoc(at, &["check", "--today", "31.1.2027"]).expect(FAILED, &[], &["2027-01-31"]);
}

#[test]
fn the_day_is_that_of_the_machine() {
    let with = |until: &str| {
        leaky().replace(
            "  connector",
            &format!("  // topoc: allow(literal-password) until={until} reason=\"a lab\"\n  connector"),
        )
    };
    for (until, code) in [("2020-01-01", FINDINGS), ("9999-12-31", CLEAN)] {
        assert_eq!(topoc(project(&[("main.topo", &with(until))]).path(), &["check"]).code, code, "{until}");
    }
}

#[test]
fn the_settings_say_what_is_meant_and_what_fails() {
    let settings =
        "targets = [\"east\", \"west/main.topo\"]\n[check]\nfail-level = \"warning\"\n[build]\nout = \"dist\"\n";
    let shared = "site shared { broker amq-9 { host = \"amq-9\"; listen openwire { port = 61616 } } }\n";
    let importing = format!("import \"../shared.topo\"\n{SOUND}");
    let files = [
        ("topoc.toml", settings),
        ("east/main.topo", &importing),
        ("west/main.topo", &importing),
        ("shared.topo", shared),
    ];
    let folder = project(&files);
    let at = folder.path();
    topoc(at, &["check"]).expect(CLEAN, &["in 4 files"], &[]);
    topoc(&at.join("east"), &["check"]).expect(CLEAN, &["in 4 files"], &[]);
    topoc(at, &["check", "east"]).expect(CLEAN, &["in 3 files"], &[]);
    topoc(at, &["build"]).expect(FAILED, &[], &["several targets: `east/main.topo`, `west/main.topo`"]);
    topoc(at, &["build", "east"]).expect(CLEAN, &["files written, 0 unchanged in dist"], &[]);
    assert!(at.join("dist/manifest.json").exists());
    // What is wrong with a file of both is said once, and an `allow` there counts where any of them needs it.
    fs::write(at.join("shared.topo"), shared.replace("host", "hst")).unwrap();
    topoc(at, &["check"]).expect(FINDINGS, &["1 error in 4 files"], &[]);
    let allow = "// topoc: allow(connector-in-no-deployment) reason=\"none in the west\"\n";
    let connector = "site extra { connector gc-9 { brokers = [amq-9, amq-1] } }\n";
    fs::write(at.join("shared.topo"), format!("{shared}{allow}{connector}")).unwrap();
    let deployed = format!("{importing}deployment d simplex {{ connectors = [gc-9] }}\n");
    fs::write(at.join("east/main.topo"), deployed).unwrap();
    topoc(at, &["check", "west"]).expect(CLEAN, &["3 notes in 3 files"], &[]);
    topoc(at, &["check", "east"]).expect(FINDINGS, &["unused-allow"], &[]);
    topoc(at, &["check"]).expect(CLEAN, &["notes in 4 files"], &[]);
    fs::write(at.join("topoc.toml"), "targets = [\"nord\"]").unwrap();
    topoc(at, &["check"]).expect(FAILED, &[], &["nord"]);
}

#[test]
fn human_reports_count_what_is_below_the_level() {
    let settings = "[rules]\nconnector-in-no-deployment = \"note\"\nliteral-password = \"warning\"\n";
    let folder = project(&[("main.topo", &leaky()), ("topoc.toml", settings)]);
    let at = folder.path();
    let has = |arguments: &[&str]| {
        let ran = topoc(at, &[&["check"], arguments].concat());
        (ran.stdout.contains("TOPO0701 literal"), ran.stdout.contains("TOPO0407 conn"), ran.stdout)
    };
    let (warning, note, text) = has(&[]);
    assert!(warning && !note, "{text}");
    assert!(text.ends_with("1 warning, 1 note in 2 files; `topoc explain TOPO0701` says more\n1 note: `topoc check --show note` lists it\n"), "{text}");
    for (arguments, expected) in [
        (&["--show", "note"][..], (true, true)),
        (&["--show", "error"], (false, false)),
        // What makes it fail is shown.
        (&["--fail-level", "note"], (true, true)),
        (&["--fail-level", "note", "--show", "warning"], (true, false)),
    ] {
        let (warning, note, text) = has(arguments);
        assert_eq!((warning, note), expected, "{arguments:?}\n{text}");
    }
    let (.., text) = has(&["--show", "error"]);
    assert!(text.contains("1 warning, 1 note: `topoc check --show note` lists them\n"), "{text}");
    for format in ["short", "json"] {
        let ran = topoc(at, &["check", "--show", "error", "--format", format]);
        assert!(ran.stdout.contains("TOPO0407") && ran.stdout.contains("TOPO0701"), "{format}");
    }
    topoc(at, &["build", "--out", "dist"]).expect(CLEAN, &["written"], &["TOPO0701 literal"]);
}

#[test]
fn the_settings_of_the_readme_are_understood() {
    let readme = include_str!("../../../README.md");
    let (_, settings) = readme.split_once("```toml\n").unwrap();
    let (settings, _) = settings.split_once("```").unwrap();
    let west = SOUND.replace("east", "west");
    let folder = project(&[("topoc.toml", settings), ("east/main.topo", SOUND), ("west/main.topo", &west)]);
    topoc(folder.path(), &["check"]).expect(CLEAN, &["no findings in 3 files"], &[]);
}

#[test]
fn this_folder_can_be_a_target() {
    let folder = project(&[("topoc.toml", "targets = [\".\"]\n[build]\nout = \"dist\"\n"), ("main.topo", SOUND)]);
    let run = |arguments: &[&str]| {
        std::process::Command::new(env!("CARGO_BIN_EXE_topoc")).current_dir(folder.path()).args(arguments).status()
    };
    assert_eq!(run(&["check"]).unwrap().code(), Some(0));
    assert_eq!(run(&["build"]).unwrap().code(), Some(0));
    assert!(folder.path().join("dist/manifest.json").exists());
}

/// Notes that nobody is shown are counted without being kept: the count is that of those who keep them.
#[test]
fn notes_are_counted_as_they_are_listed() {
    let text = SOUND.replace("; host = \"127.0.0.1\"; maximum-connections = 9", "");
    let folder = project(&[("main.topo", &text)]);
    let at = folder.path();
    topoc(at, &["check"]).expect(CLEAN, &["2 notes in 1 file\n2 notes: `topoc check --show note` lists them"], &[]);
    topoc(at, &["check", "--show", "note"]).expect(
        CLEAN,
        &["plain-text-listener", "no-connection-limit", "2 notes in 1 file"],
        &[],
    );
    topoc(at, &["check", "--format", "json"]).expect(CLEAN, &["\"notes\":2"], &[]);
    topoc(at, &["check", "--fail-level", "note"]).expect(FINDINGS, &["2 notes in 1 file"], &[]);
    // An allow has to know what it is for, and settings may say more of a note.
    let allow = "    // topoc: allow(plain-text-listener) reason=\"a lab\"\n    listen";
    fs::write(at.join("main.topo"), text.replace("    listen", allow)).unwrap();
    topoc(at, &["check"]).expect(CLEAN, &["1 note in 1 file"], &[]);
    fs::write(at.join("main.topo"), &text).unwrap();
    fs::write(at.join("topoc.toml"), "profile = \"strict\"\n").unwrap();
    topoc(at, &["check"]).expect(CLEAN, &["2 warnings in 2 files"], &[]);
}
