//! The snippets for CI servers work: each `topoc` command in them is run, on a sound topology and on a broken one.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not there")]

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use topoc::terminal::{Io, Out, Screen};
use topoc_plan::slot::Slot;

const SNIPPETS: &[&str] = &["github.yml", "gitlab.yml", "Jenkinsfile"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn snippet(name: &str) -> String {
    fs::read_to_string(root().join("docs/ci").join(name)).unwrap()
}

/// A command of a snippet, and the file that its report goes to.
#[derive(Debug, PartialEq, Eq)]
struct Command {
    words: Vec<String>,
    report: Option<String>,
}

/// `run: topoc ...`, `- topoc ...` and `sh 'topoc ...'`.
fn commands(snippet: &str) -> Vec<Command> {
    let command = |line: &str| {
        let line = line.trim();
        let start = ["run: ", "- ", "- run: ", "sh '"].iter().find_map(|start| line.strip_prefix(start))?;
        let text = start.strip_prefix("topoc ")?.trim_end_matches('\'');
        let (words, report) = text.split_once(" > ").map_or((text, None), |(words, report)| (words, Some(report)));
        Some(Command { words: words.split(' ').map(Into::into).collect(), report: report.map(Into::into) })
    };
    snippet.lines().filter_map(command).collect()
}

/// Runs a command in a folder, as a shell would, and returns its exit code and what it wrote to stdout.
fn run(command: &Command, folder: &Path) -> (u8, String) {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let screen = Screen { terminal: false, colour: false, unicode: true, width: 100 };
    let template = tempfile::NamedTempFile::new().unwrap();
    fs::write(template.path(), Slot::empty().bytes()).unwrap();
    let mut io = Io {
        stdin: &mut std::io::empty(),
        stdout: Out::new(&mut stdout),
        stderr: Out::new(&mut stderr),
        out: screen,
        err: screen,
        folder: folder.to_owned(),
        templates: vec![template.path().to_owned()],
    };
    let words = std::iter::once("topoc").chain(command.words.iter().map(String::as_str));
    let code = topoc::run(words.map(OsString::from), &mut io);
    assert!(code != 2, "{command:?}: {}", String::from_utf8_lossy(&stderr));
    let text = String::from_utf8(stdout).unwrap();
    if let Some(report) = &command.report {
        fs::write(folder.join(report), &text).unwrap();
    }
    (code, text)
}

fn project(example: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read(root().join("examples").join(example).join("main.topo")).unwrap();
    fs::write(folder.path().join("main.topo"), text).unwrap();
    folder
}

/// The report files that a snippet hands to its server.
fn handed_over(snippet: &str) -> Vec<String> {
    let file = |line: &str| {
        let line = line.trim();
        let name = ["sarif_file: ", "junit: ", "junit '"].iter().find_map(|start| line.strip_prefix(start))?;
        Some(name.trim_end_matches('\'').to_owned())
    };
    snippet.lines().filter_map(file).collect()
}

fn well_formed(path: &Path) {
    let text = fs::read_to_string(path).unwrap();
    if path.extension().is_some_and(|extension| extension == "xml") {
        let document = roxmltree::Document::parse(&text).unwrap();
        assert_eq!(document.root_element().tag_name().name(), "testsuites");
    } else {
        let report: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(report["version"], "2.1.0");
    }
}

#[test]
fn a_sound_topology_passes_every_command_and_is_built() {
    for name in SNIPPETS {
        let (text, folder) = (snippet(name), project("active-active"));
        let commands = commands(&text);
        assert!(commands.len() >= 3, "{name}: {commands:?}");
        for command in &commands {
            assert_eq!(run(command, folder.path()).0, 0, "{name}: {command:?}");
        }
        assert!(folder.path().join("dist/manifest.json").exists(), "{name} builds nothing into dist");
    }
}

#[test]
fn a_broken_topology_fails_and_leaves_the_reports_that_the_server_reads() {
    for name in SNIPPETS {
        let (text, folder) = (snippet(name), project("broken"));
        let commands = commands(&text);
        for command in commands.iter().filter(|command| command.words[0] != "fmt") {
            let (code, said) = run(command, folder.path());
            assert_eq!(code, 1, "{name}: {command:?}");
            assert!(command.words[0] != "check" || said.contains("TOPO0101"), "{name}: {command:?}: {said}");
        }
        let reports = handed_over(&text);
        assert!(!reports.is_empty(), "{name} hands no report over");
        reports.iter().for_each(|report| well_formed(&folder.path().join(report)));
        assert!(!folder.path().join("dist").exists(), "{name} builds from errors");
    }
}

#[test]
fn a_warning_is_enough_to_fail_the_change() {
    for name in SNIPPETS {
        let folder = project("active-passive-literal");
        let codes: Vec<u8> = commands(&snippet(name)).iter().map(|command| run(command, folder.path()).0).collect();
        assert!(codes.contains(&1), "{name}: {codes:?}");
    }
}

#[test]
fn what_is_no_command_is_not_run() {
    let found =
        commands("run: topoc check --format sarif > a.sarif\n# topoc build\nsh 'topoc fmt --check'\nsh 'rm -r x'\n");
    let words: Vec<String> = found.iter().map(|command| command.words.join(" ")).collect();
    assert_eq!(words, ["check --format sarif", "fmt --check"]);
    assert_eq!(found[0].report.as_deref(), Some("a.sarif"));
}
