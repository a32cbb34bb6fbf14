//! What every verb says and returns: exit codes, streams, formats, and what it does to files.

mod common;

use common::{SOUND, plain, project, topoc, topoc_with};
use std::fs;
use topoc::terminal::Screen;
use topoc::{CLEAN, FAILED, FINDINGS};

fn misspelt() -> String {
    SOUND.replace("  broker", "  brokr")
}

#[test]
fn usage() {
    let folder = project(&[]);
    let at = folder.path();
    topoc(at, &["--version"]).expect(CLEAN, &["topoc 0"], &[]);
    topoc(at, &["--help"]).expect(CLEAN, &["topoc check", "Usage"], &[]);
    topoc(at, &[]).expect(FAILED, &[], &["Usage"]);
    topoc(at, &["chek"]).expect(FAILED, &[], &["check"]);
    topoc(at, &["check", "--format", "xml"]).expect(FAILED, &[], &["human, short, json"]);
    topoc(project(&[("main.topo", SOUND)]).path(), &["build"]).expect(FAILED, &[], &["--out"]);
    topoc(at, &["explain"]).expect(FAILED, &[], &["--all"]);
    for verb in ["check", "build", "fmt", "explain", "new", "completions", "man"] {
        topoc(at, &[verb, "--help"]).expect(CLEAN, &["Example", "  topoc "], &[]);
    }
}

#[test]
fn colours_only_where_they_are_wanted() {
    let folder = project(&[("main.topo", &misspelt())]);
    let on = Screen { colour: true, ..plain() };
    for (screen, arguments, expected) in [
        (plain(), &["check"][..], false),
        (on, &["check"], true),
        (on, &["check", "--color", "never"], false),
        (plain(), &["--color=always", "check"], true),
        (plain(), &["check", "--help"], false),
        (plain(), &["check", "--help", "--color", "always"], true),
        (on, &["check", "--format", "json"], false),
        (plain(), &["explain", "TOPO0101"], false),
        (on, &["explain", "TOPO0101"], true),
    ] {
        let ran = topoc_with(folder.path(), arguments, b"", screen);
        assert_eq!(ran.stdout.contains('\x1b'), expected, "{arguments:?}\n{}", ran.stdout);
    }
}

#[test]
fn check_finds_the_topology_or_says_what_was_tried() {
    let bad = misspelt();
    let folder = project(&[("a/only.topo", SOUND), ("b/x.topo", SOUND), ("b/y.topo", SOUND), ("c/readme.md", "")]);
    let at = folder.path();
    topoc(at, &["check", "a"]).expect(CLEAN, &["no findings in 1 file"], &[]);
    topoc(at, &["check", "a/only.topo"]).expect(CLEAN, &["no findings in 1 file"], &[]);
    topoc(at, &["check", "b"]).expect(FAILED, &[], &["`b/x.topo`, `b/y.topo`"]);
    topoc(at, &["check", "c"]).expect(FAILED, &[], &["no `.topo` file in `c`"]);
    topoc(at, &["check"]).expect(FAILED, &[], &["no `.topo` file in this folder"]);
    topoc(at, &["check", "d"]).expect(FAILED, &[], &["there is no file `d`"]);
    topoc(at, &["check", "a", "--overlay", "o.topo"]).expect(FAILED, &[], &["there is no file `o.topo`"]);
    fs::write(at.join("b/main.topo"), bad).unwrap();
    topoc(at, &["check", "b"]).expect(FINDINGS, &["[b/main.topo:3:3]"], &[]);
    fs::create_dir(at.join("d.topo")).unwrap();
    topoc(at, &["check", "d.topo"]).expect(FAILED, &[], &["no `.topo` file in `d.topo`"]);
}

#[test]
fn a_file_that_is_no_text_is_a_finding() {
    let folder = project(&[("main.topo", "")]);
    fs::write(folder.path().join("main.topo"), b"topology t \xff { }").unwrap();
    topoc(folder.path(), &["check"]).expect(FINDINGS, &["bad-encoding"], &[]);
    fs::File::create(folder.path().join("main.topo")).unwrap().set_len(33 * 1024 * 1024).unwrap();
    topoc(folder.path(), &["check"]).expect(FINDINGS, &["file-too-large"], &[]);
}

#[test]
fn the_level_decides_the_exit_code() {
    let warns = SOUND.replace("port = 61616", "uri = \"tcp://0.0.0.0:61616?noSuchOption=1\"");
    let folder = project(&[("bad.topo", &misspelt()), ("warns.topo", &warns), ("sound.topo", SOUND)]);
    for (file, level, code) in [
        ("bad.topo", "error", FINDINGS),
        ("bad.topo", "note", FINDINGS),
        ("warns.topo", "error", CLEAN),
        ("warns.topo", "warning", FINDINGS),
        ("warns.topo", "note", FINDINGS),
        ("sound.topo", "warning", CLEAN),
        ("sound.topo", "note", CLEAN),
    ] {
        let ran = topoc(folder.path(), &["check", file, "--fail-level", level]);
        assert_eq!(ran.code, code, "{file} {level}\n{}", ran.stdout);
    }
}

#[test]
fn short_is_one_finding_a_line_and_counts_elsewhere() {
    let folder = project(&[("main.topo", &misspelt())]);
    let ran = topoc(folder.path(), &["check", "--format", "short"]);
    let ran = ran.expect(FINDINGS, &["main.topo:3:3: error[TOPO0002] unknown-block: "], &["1 error in 1 file"]);
    assert!(ran.stdout.ends_with("(did you mean `broker`?)\n"), "{}", ran.stdout);
    assert_eq!(ran.stdout.lines().count(), 1);
}

#[test]
fn json_has_the_fields_that_it_promises() {
    let folder = project(&[("main.topo", &misspelt().replace("site", "/* ü */ site").replace('\n', "\r\n"))]);
    let ran =
        topoc(folder.path(), &["check", "--format", "json"]).expect(FINDINGS, &["{\"version\":1,\"summary\":"], &[]);
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(json["summary"], serde_json::json!({"errors": 1, "warnings": 0, "notes": 0, "files": 1}));
    let start = serde_json::json!({"line": 3, "column": 3, "offset": 57});
    let end = serde_json::json!({"line": 3, "column": 8, "offset": 62});
    let range = serde_json::json!({"start": start, "end": end});
    let expected = serde_json::json!([{
        "code": "TOPO0002", "name": "unknown-block", "severity": "error",
        "message": "there is no block `brokr` in a site",
        "file": "main.topo", "range": range,
        "labels": [{"message": "unknown", "file": "main.topo", "range": range}],
        "help": "did you mean `broker`?", "url": "urn:topoc:rule:unknown-block",
        "fixes": [{"title": "write `broker`", "safety": "safe", "edits": [
            {"file": "main.topo", "range": range, "text": "broker"}]}],
    }]);
    assert_eq!(json["diagnostics"], expected);
    assert!(ran.stdout.ends_with("}\n"));
    topoc(folder.path(), &["check", "--format", "json", "--color", "always"]).expect(FINDINGS, &["{\"version\""], &[]);
}

#[test]
fn the_human_format_is_capped_and_the_others_are_not() {
    let many: String = (0..60).map(|n| format!("  fild-{n} = 1\n")).collect();
    let folder = project(&[("main.topo", &SOUND.replace("site east {\n", &format!("site east {{\n{many}")))]);
    let at = folder.path();
    let count = |text: &str| text.matches("TOPO0003").count();
    let ran = topoc(at, &["check"]).expect(FINDINGS, &["60 errors"], &["10 more", "--max 0"]);
    assert_eq!(count(&ran.stdout), 51, "one more in the summary");
    let ran = topoc(at, &["check", "--max", "0"]).expect(FINDINGS, &["60 errors"], &[]);
    assert_eq!(count(&ran.stdout), 61);
    assert_eq!(count(&topoc(at, &["check", "--format", "short"]).stdout), 60);
    assert_eq!(count(&topoc(at, &["check", "--format", "json"]).stdout), 60);
}

#[test]
fn both_places_are_shown_when_they_are_in_two_files() {
    let east = "site east { }\n";
    let folder =
        project(&[("demo/main.topo", &format!("import \"sites/east.topo\"\n{SOUND}")), ("demo/sites/east.topo", east)]);
    let ran = topoc(folder.path(), &["check", "demo"]);
    ran.expect(FINDINGS, &["[demo/main.topo:3:6]", "[demo/sites/east.topo:1:6]", "duplicate-name"], &[]);
}

#[test]
fn hostile_layouts_are_drawn_all_the_same() {
    let long = "x".repeat(100_000);
    for text in [
        "".to_owned(),
        "\n\n\n".to_owned(),
        "\u{feff}site".to_owned(),
        "site s {\r\n  brokr a { }\r\n".to_owned(),
        "site s { brokr b {".to_owned(),
        format!("site s {{ {long} = 1 }}"),
        format!("site s {{ a = \"{long}\"; brokr b {{ }} }} // {long}"),
        format!("site s {{ {} }}", "brokr ü { }; ".repeat(500)),
        "\u{0}\u{1}site \u{7f}\u{85} \u{202e}\n\t\tsite\r\r".to_owned(),
        "topology t {".repeat(1000),
    ] {
        for format in ["human", "short", "json"] {
            let folder = project(&[("main.topo", &text)]);
            let ran = topoc(folder.path(), &["check", "--max", "0", "--format", format]);
            let start: String = text.chars().take(40).collect();
            assert_eq!(ran.code, FINDINGS, "{start:?}\n{}", ran.stderr);
            assert!(!ran.stdout.contains("Failed to read"), "{start:?}\n{}", ran.stdout);
        }
    }
}

#[test]
fn what_a_terminal_would_obey_is_not_shown() {
    let evil = "\u{1b}]0;x\u{7}\u{202e}";
    let folder = project(&[("main.topo", &SOUND.replace("host = \"amq-1\"", &format!("hst = \"{evil}\" // {evil}")))]);
    for format in ["human", "short", "json"] {
        let ran = topoc(folder.path(), &["check", "--format", format]);
        assert_eq!(ran.code, FINDINGS);
        assert!(!ran.stdout.contains(['\u{1b}', '\u{7}']), "{format}: {:?}", ran.stdout);
    }
}

#[test]
fn build_writes_compares_and_refuses() {
    let folder = project(&[("main.topo", SOUND), ("bad.topo", &misspelt())]);
    let at = folder.path();
    topoc(at, &["build", "bad.topo", "--out", "dist"]).expect(FINDINGS, &[], &["unknown-block", "nothing was written"]);
    assert!(!at.join("dist").exists());
    let build = ["build", "main.topo", "--out", "dist"];
    let with = |more: &[&str]| topoc(at, &[&build, more].concat());
    with(&["--check"]).expect(FINDINGS, &["missing  east/amq-1/activemq.xml"], &["2 differences in dist"]);
    with(&["--site", "eats"]).expect(FAILED, &[], &["no site `eats`", "--site east"]);
    assert!(!at.join("dist").exists());
    with(&[]).expect(CLEAN, &["1 file written, 0 unchanged in dist"], &[]);
    with(&["--site", "east"]).expect(CLEAN, &["0 files written, 1 unchanged in dist"], &[]);
    with(&["--check"]).expect(CLEAN, &[], &["dist is as build would write it"]);
    fs::write(at.join("dist/east/amq-1/activemq.xml"), "edited").unwrap();
    with(&["--check"]).expect(FINDINGS, &["differs  east/amq-1/activemq.xml"], &["1 difference"]);
    with(&[]).expect(CLEAN, &["1 file written"], &[]);
    fs::write(at.join("main.topo"), SOUND.replace("amq-1 {", "amq-2 {")).unwrap();
    with(&["--check"]).expect(FINDINGS, &["unwanted east/amq-1/activemq.xml", "missing  east/amq-2"], &["difference"]);
    with(&[]).expect(CLEAN, &["1 file written, 0 unchanged, 1 removed in dist"], &[]);
    assert!(!at.join("dist/east/amq-1").exists());
    fs::write(at.join("file"), "").unwrap();
    topoc(at, &["build", "main.topo", "--out", "file"]).expect(FAILED, &[], &["file", "help:"]);
}

#[test]
fn build_says_warnings_and_writes_all_the_same() {
    let warns = SOUND.replace("port = 61616", "uri = \"tcp://0.0.0.0:61616?noSuchOption=1\"");
    let folder = project(&[("main.topo", &warns)]);
    topoc(folder.path(), &["build", "--out", "dist"]).expect(CLEAN, &["1 file written"], &["warning:", "1 warning"]);
}

#[test]
fn the_manifest_names_no_folder_of_this_machine() {
    let overlay = "override broker amq-1 { host = \"127.0.0.1\" }\n";
    let folder = project(&[("demo/main.topo", SOUND), ("overlays/test.topo", overlay)]);
    let main = folder.path().join("demo/main.topo").display().to_string();
    let overlay = folder.path().join("overlays/test.topo").display().to_string();
    for path in [["demo", "overlays/test.topo"], [&main, &overlay]] {
        let ran = topoc(folder.path(), &["build", path[0], "--overlay", path[1], "--out", "dist"]);
        assert_eq!(ran.code, CLEAN, "{}", ran.stderr);
        let manifest = fs::read_to_string(folder.path().join("dist/manifest.json")).unwrap();
        assert!(manifest.contains("\"path\": \"main.topo\""), "{manifest}");
        assert!(manifest.contains("\"path\": \"../overlays/test.topo\""), "{manifest}");
    }
}

const LOOSE: &str = "topology t {activemq=\"6.2\"}\n";
const NEAT: &str = "topology t { activemq = \"6.2\" }\n";

#[test]
fn fmt_writes_in_place_what_is_not_neat() {
    let folder = project(&[
        ("a.topo", LOOSE),
        ("sub/b.topo", LOOSE),
        (".git/c.topo", LOOSE),
        ("d.txt", LOOSE),
        ("e.topo", NEAT),
    ]);
    let at = folder.path();
    let read = |path: &str| fs::read_to_string(at.join(path)).unwrap();
    let diff = ["a.topo\n", "sub/b.topo\n", "-topology t {activemq=\"6.2\"}\n+topology t { activemq = \"6.2\" }\n"];
    topoc(at, &["fmt", "--check"]).expect(FINDINGS, &diff, &["2 files would be formatted, 1 unchanged"]);
    assert_eq!(read("a.topo"), LOOSE);
    topoc(at, &["fmt"]).expect(CLEAN, &["a.topo\nsub/b.topo\n"], &["2 files formatted, 1 unchanged"]);
    for (path, text) in [("a.topo", NEAT), ("sub/b.topo", NEAT), (".git/c.topo", LOOSE), ("d.txt", LOOSE)] {
        assert_eq!(read(path), text, "{path}");
    }
    topoc(at, &["fmt", "--check", "a.topo"]).expect(CLEAN, &[], &["0 files would be formatted, 1 unchanged"]);
    let left: Vec<_> = fs::read_dir(at).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 5, "{left:?}");
}

#[test]
fn fmt_leaves_broken_files_alone_and_does_the_rest() {
    let folder = project(&[("a.topo", "site {{ = \n"), ("b.topo", LOOSE)]);
    topoc(folder.path(), &["fmt"]).expect(FAILED, &["b.topo\n"], &["syntax-error", "`a.topo` was left as it is"]);
    assert_eq!(fs::read_to_string(folder.path().join("a.topo")).unwrap(), "site {{ = \n");
    fs::write(folder.path().join("a.topo"), b"\xff").unwrap();
    topoc(folder.path(), &["fmt"]).expect(FAILED, &[], &["not UTF-8"]);
    topoc(folder.path(), &["fmt", "nope.topo"]).expect(FAILED, &[], &["there is no file `nope.topo`"]);
    topoc(project(&[]).path(), &["fmt"]).expect(FAILED, &[], &["no `.topo` file"]);
}

#[test]
fn fmt_reads_stdin() {
    let folder = project(&[]);
    let fmt = |arguments: &[&str], text: &str| topoc_with(folder.path(), arguments, text.as_bytes(), plain());
    assert_eq!(fmt(&["fmt", "-"], LOOSE).expect(CLEAN, &[NEAT], &[]).stdout, NEAT);
    fmt(&["fmt", "-", "--check"], LOOSE).expect(FINDINGS, &["-topology"], &[]);
    fmt(&["fmt", "-", "--check"], NEAT).expect(CLEAN, &[], &[]);
    fmt(&["fmt", "-"], "site {").expect(FAILED, &[], &["stdin:1:"]);
    fmt(&["fmt", "-", "a.topo"], NEAT).expect(FAILED, &[], &["stands alone"]);
}

#[test]
#[cfg(unix)]
fn fmt_keeps_modes_and_links() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = project(&[("real/a.topo", LOOSE)]);
    let real = folder.path().join("real/a.topo");
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    symlink("real/a.topo", folder.path().join("link.topo")).unwrap();
    topoc(folder.path(), &["fmt", "link.topo"]).expect(CLEAN, &["link.topo\n"], &["1 file formatted"]);
    assert!(fs::symlink_metadata(folder.path().join("link.topo")).unwrap().is_symlink());
    assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(fs::read_to_string(&real).unwrap(), NEAT);
}

#[test]
fn explain_knows_every_rule_and_field() {
    let folder = project(&[]);
    let at = folder.path();
    topoc(at, &["explain", "TOPO0101"]).expect(CLEAN, &["failover-on-listener", "## Why", "```topo fail"], &[]);
    topoc(at, &["explain", "topo0101"]).expect(CLEAN, &["failover-on-listener"], &[]);
    topoc(at, &["explain", "failover-on-listener"]).expect(CLEAN, &["TOPO0101"], &[]);
    topoc(at, &["explain", "failover-on-listner"]).expect(
        FAILED,
        &[],
        &["did you mean `topoc explain failover-on-listener`"],
    );
    topoc(at, &["explain", "xyzzy"]).expect(FAILED, &[], &["no rule `xyzzy`", "--all"]);
    topoc(at, &["explain", "--fields", "brokr"]).expect(FAILED, &[], &["--fields broker"]);
    let all = topoc(at, &["explain", "--all"]).expect(CLEAN, &["TOPO0001"], &[]);
    for rule in topoc_compiler::rules::RULES {
        assert!(all.stdout.contains(&format!("{}  {} ", rule.code, rule.name)), "{}", rule.name);
    }
    let all = topoc(at, &["explain", "--fields"]).expect(CLEAN, &["broker: "], &[]);
    for block in topoc_compiler::language::BLOCKS {
        for name in topoc_compiler::language::fields(block.kind).keys() {
            assert!(all.stdout.contains(&format!("\n  {name} ")), "{name}");
        }
    }
}

#[test]
fn what_new_starts_is_sound_neat_and_builds() {
    for kind in ["simplex", "active-passive", "active-active", "hub-spoke"] {
        let folder = project(&[]);
        let ran = topoc(folder.path(), &["new", kind, "sub/demo"]);
        ran.expect(CLEAN, &["cd sub/demo", "topoc check", "topoc build --out dist"], &[]);
        let demo = folder.path().join("sub/demo");
        topoc(&demo, &["check", "--fail-level", "warning"]).expect(CLEAN, &["notes in 1 file"], &[]);
        topoc(&demo, &["fmt", "--check"]).expect(CLEAN, &[], &["1 unchanged"]);
        topoc(&demo, &["build", "--out", "dist"]).expect(CLEAN, &["files written"], &[]);
        assert_eq!(fs::read_to_string(demo.join(".gitignore")).unwrap(), "dist/\n");
        assert!(fs::read_to_string(demo.join("README.md")).unwrap().contains("topoc check"));
    }
}

#[test]
fn new_takes_no_folder_that_is_somebodys() {
    let folder = project(&[("full/a", "mine"), ("file", "mine")]);
    fs::create_dir(folder.path().join("empty")).unwrap();
    let new = |name: &str| topoc(folder.path(), &["new", "simplex", name]);
    new("full").expect(FAILED, &[], &["`full` is not empty"]);
    new("file").expect(FAILED, &[], &["`file` is not a folder"]);
    new("empty").expect(CLEAN, &["Started `empty`"], &[]);
    new("with space").expect(CLEAN, &["cd 'with space'"], &[]);
    assert_eq!(fs::read_dir(folder.path().join("full")).unwrap().count(), 1);
    topoc(folder.path(), &["new", "ring", "x"]).expect(FAILED, &[], &["hub-spoke"]);
}

#[test]
fn shells_and_man_are_told_of_every_verb() {
    let folder = project(&[]);
    let at = folder.path();
    for (shell, sign) in [
        ("bash", "complete -F _topoc"),
        ("zsh", "#compdef topoc"),
        ("fish", "complete -c topoc"),
        ("powershell", "Register-ArgumentCompleter"),
        ("elvish", "edit:completion"),
    ] {
        topoc(at, &["completions", shell]).expect(CLEAN, &[sign, "check", "explain", "fail-level"], &[]);
    }
    topoc(at, &["completions", "basic"]).expect(FAILED, &[], &["bash"]);
    topoc(at, &["man"]).expect(CLEAN, &[".TH topoc 1", "topoc\\-check(1)"], &[]);
    topoc(at, &["man", "share/man1"]).expect(CLEAN, &["10 pages in share/man1"], &[]);
    let pages: Vec<_> = fs::read_dir(at.join("share/man1")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(pages.len(), 10, "{pages:?}");
    let check = fs::read_to_string(at.join("share/man1/topoc-check.1")).unwrap();
    assert!(check.contains(".TH topoc-check 1") && check.contains("\\-\\-fail\\-level"), "{check}");
    fs::write(at.join("file"), "").unwrap();
    topoc(at, &["man", "file/man1"]).expect(FAILED, &[], &["cannot create `file/man1`"]);
}
