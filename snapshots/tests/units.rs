//! Units of systemd: how they read, and that systemd takes them as they are.
#![expect(clippy::unwrap_used, reason = "a test helper that cannot go on fails the test")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::topoc;

/// The worst exposure level that is accepted, in tenths: what systemd calls "OK" ends at 4.9.
const EXPOSURE: u32 = 15;

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/operated")
}

fn built() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (example, out) = (example(), folder.path().to_str().unwrap().to_owned());
    let arguments = ["build", example.to_str().unwrap(), "--out", &out, "--target", "systemd"];
    let output = topoc(&arguments, folder.path());
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(output.stdout.contains("files written"), "{}", output.stdout);
    folder
}

/// What is beside each connector's properties: path and text.
fn units(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for connector in ["site-1/gc-1", "site-2/gc-2"] {
        let name = connector.split('/').next_back().unwrap();
        for ending in ["env.example", "service"] {
            let path = format!("{connector}/{name}.{ending}");
            found.push((path.clone(), fs::read_to_string(folder.join(path)).unwrap()));
        }
    }
    found
}

#[test]
fn units_are_what_their_snapshot_says() {
    let text: String =
        units(built().path()).iter().map(|(path, text)| format!("===== {path} =====\n{text}\n")).collect();
    insta::with_settings!({ snapshot_path => "../units", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("operated", text);
    });
}

/// A unit in a folder of its own, with a program that is there, as `systemd-analyze` wants it.
fn installed(folder: &Path, unit: &str, program: &str) -> PathBuf {
    let path = folder.join("gc.service");
    let text: Vec<String> = unit
        .lines()
        .map(|line| match line.strip_prefix("ExecStart=") {
            Some(command) => format!("ExecStart={program} {}", command.split_once(' ').unwrap().1),
            None => line.to_owned(),
        })
        .collect();
    fs::write(&path, text.join("\n") + "\n").unwrap();
    path
}

/// Exit code and all that is said.
fn systemd_analyze(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new("systemd-analyze")
        .args(arguments)
        .output()
        .expect("`systemd-analyze` is there: install the Debian package systemd");
    (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

#[test]
fn systemd_takes_every_unit_without_a_word() {
    let (built, folder) = (built(), tempfile::tempdir().unwrap());
    for (path, unit) in units(built.path()).iter().filter(|(path, _)| path.ends_with(".service")) {
        let installed = installed(folder.path(), unit, "/bin/true");
        let verified = systemd_analyze(&["verify", "--man=no", installed.to_str().unwrap()]);
        assert_eq!(verified, (Some(0), String::new()), "{path}");
        // It does say something where something is wrong.
        fs::write(&installed, unit.replace("ProtectClock", "ProtectsClock")).unwrap();
        assert!(systemd_analyze(&["verify", "--man=no", installed.to_str().unwrap()]).1.contains("ProtectsClock"));
    }
}

#[test]
fn a_unit_may_do_hardly_anything() {
    let (built, folder) = (built(), tempfile::tempdir().unwrap());
    for (path, unit) in units(built.path()).iter().filter(|(path, _)| path.ends_with(".service")) {
        let installed = installed(folder.path(), unit, "/bin/true");
        let threshold = format!("--threshold={EXPOSURE}");
        let (code, said) =
            systemd_analyze(&["security", "--offline=true", "--no-pager", &threshold, installed.to_str().unwrap()]);
        assert_eq!(code, Some(0), "{path}: {said}");
    }
}

#[test]
fn no_unit_holds_a_secret_and_every_build_gives_the_same() {
    let (one, two) = (built(), built());
    assert_eq!(units(one.path()), units(two.path()));
    for (path, text) in units(one.path()).iter().filter(|(path, _)| path.ends_with(".env.example")) {
        let assignments: Vec<&str> = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
        assert!(!assignments.is_empty() && assignments.iter().all(|line| line.ends_with('=')), "{path}: {text}");
    }
}
