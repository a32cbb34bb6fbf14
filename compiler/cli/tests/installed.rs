//! topoc as it is installed, with the program of connectors: what it builds runs, also after `strip` and `objcopy`.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not there")]
#![cfg(target_os = "linux")]

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;
use topoc_plan::slot;
use topoc_plan::{Plan, decode};

/// A fresh prefix that `install` has filled.
static PREFIX: LazyLock<PathBuf> = LazyLock::new(|| {
    let prefix = Path::new(env!("CARGO_TARGET_TMPDIR")).join("prefix");
    let _ = fs::remove_dir_all(&prefix);
    let output = run(Command::new(root().join("install")).args(["--profile", "dev"]).arg(&prefix));
    assert!(output.status.success(), "{}", text(&output));
    prefix
});

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn run(command: &mut Command) -> Output {
    command.env_remove("TOPOC_TEMPLATE").output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8([&output.stdout[..], &output.stderr[..]].concat()).unwrap()
}

fn topoc(arguments: &[&OsStr]) -> Output {
    run(Command::new(PREFIX.join("bin/topoc")).args(arguments))
}

/// The example in a folder of its own, built.
fn built() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let example = root().join("examples/operated");
    let (build, systemd) = ("build".as_ref(), "--target=systemd".as_ref());
    let output = topoc(&[build, example.as_os_str(), "--out".as_ref(), folder.path().as_os_str(), systemd]);
    assert!(output.status.success(), "{}", text(&output));
    folder
}

const PROGRAM: &str = "site-1/gc-1/gc-1";

/// The plan that a program prints, which is the one that is in its file.
fn told(program: &Path) -> Plan {
    let output = run(Command::new(program).arg("plan"));
    assert!(output.status.success(), "{}", text(&output));
    let plan: Plan = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(decode(slot::read(&fs::read(program).unwrap()).unwrap()), Ok(plan.clone()));
    plan
}

#[test]
fn what_is_installed_builds_programs_that_tell_their_plan() {
    let folder = built();
    for (site, connector) in [("site-1", "gc-1"), ("site-2", "gc-2")] {
        let plan = told(&folder.path().join(site).join(connector).join(connector));
        assert_eq!((&*plan.site, &*plan.connector), (site, connector));
        assert_eq!(plan.deployment.unwrap().sync_keys.len(), 1);
    }
    let again = built();
    assert!(fs::read(folder.path().join(PROGRAM)).unwrap() == fs::read(again.path().join(PROGRAM)).unwrap());
}

#[test]
fn a_program_keeps_its_plan_through_the_tools_of_those_who_package_it() {
    let folder = built();
    let program = folder.path().join(PROGRAM);
    let plan = told(&program);
    let notes = folder.path().join("notes");
    fs::write(&notes, "packaged by somebody").unwrap();
    let section = format!("--add-section=.notes={}", notes.display());
    for (tool, arguments) in [
        ("strip", vec!["--strip-all"]),
        ("objcopy", vec![section.as_str()]),
        ("objcopy", vec!["--remove-section=.comment"]),
        ("strip", vec!["--strip-all"]),
    ] {
        let output = run(Command::new(tool).args(&arguments).arg(&program));
        assert!(output.status.success(), "{tool} {arguments:?}: {}", text(&output));
        assert_eq!(told(&program), plan, "{tool} {arguments:?}");
    }
}

#[test]
fn a_program_that_has_a_plan_is_no_template() {
    let folder = built();
    let (program, out) = (folder.path().join(PROGRAM), folder.path().join("again"));
    let example = root().join("examples/simplex");
    let arguments: [&OsStr; 6] = [
        "build".as_ref(),
        example.as_os_str(),
        "--out".as_ref(),
        out.as_os_str(),
        "--template".as_ref(),
        program.as_os_str(),
    ];
    let output = topoc(&arguments);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).contains("it has a plan already"), "{}", text(&output));
    assert!(!out.exists());
}

/// What a service manager shall not start again, in the unit that is built beside the program.
fn in_vain(folder: &Path) -> Vec<i32> {
    let unit = fs::read_to_string(folder.join(format!("{PROGRAM}.service"))).unwrap();
    let codes = unit.lines().find_map(|line| line.strip_prefix("RestartPreventExitStatus=")).unwrap();
    codes.split(' ').map(|code| code.parse().unwrap()).collect()
}

#[test]
fn a_program_whose_plan_is_damaged_or_missing_says_so_and_is_not_started_again() {
    let folder = built();
    let program = folder.path().join(PROGRAM);
    let whole = fs::read(&program).unwrap();
    let at = whole.windows(8).rposition(|bytes| bytes == b"topoplan").unwrap();
    // The version, the length, the hash, and the JSON.
    for (place, word) in [(8, "version"), (12, "damaged"), (16, "damaged"), (200, "damaged")] {
        let mut damaged = whole.clone();
        damaged[at + place] ^= 0x10;
        fs::write(&program, damaged).unwrap();
        let output = run(Command::new(&program).arg("plan"));
        assert!(text(&output).contains(word), "{place}: {}", text(&output));
        assert!(in_vain(folder.path()).contains(&output.status.code().unwrap()), "{place}");
    }
    let template = run(Command::new(PREFIX.join("lib/topoc/topoc-connector")).arg("plan"));
    assert!(text(&template).contains("there is no plan"), "{}", text(&template));
    assert!(in_vain(folder.path()).contains(&template.status.code().unwrap()));
    let wrong = run(Command::new(PREFIX.join("lib/topoc/topoc-connector")).arg("--no-such-argument"));
    assert!(in_vain(folder.path()).contains(&wrong.status.code().unwrap()));
}
