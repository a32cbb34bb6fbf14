//! What is of one system only is asked for on that system only: `topoc` is to be built elsewhere, too, where no test of ours runs.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not there")]

use std::fs;
use std::path::{Path, PathBuf};

/// What is there on Linux alone, or on systems like it.
const OF_ONE_SYSTEM: [&str; 8] =
    ["std::os::", "rustix", "tokio", "topoc_openwire", "fastrand", "SIGHUP", "/proc/", "crate::up"];
/// These are compiled on Linux alone: `lib.rs` and `command.rs` say so, which is looked at below.
const LINUX: [&str; 4] = ["up.rs", "up/", "command/up.rs", "command/guard.rs"];
/// How many lines above it a condition may stand.
const NEAR: usize = 3;

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Lines that need one system and do not say so.
fn unconditional(text: &str) -> Vec<usize> {
    let lines: Vec<&str> = text.lines().collect();
    let is_comment = |line: &str| line.trim_start().starts_with("//");
    let needs = |line: &str| !is_comment(line) && OF_ONE_SYSTEM.iter().any(|word| line.contains(word));
    let is_said = |at: usize| lines[at.saturating_sub(NEAR)..=at].iter().any(|line| line.contains("#[cfg"));
    (0..lines.len()).filter(|at| needs(lines[*at]) && !is_said(*at)).map(|at| at + 1).collect()
}

#[test]
fn what_is_of_one_system_has_a_condition() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    sources(&root, &mut all);
    let mut linux = 0;
    for path in all {
        let name = path.strip_prefix(&root).unwrap().to_str().unwrap();
        let lines = unconditional(&fs::read_to_string(&path).unwrap());
        if LINUX.iter().any(|one| name == *one || one.ends_with('/') && name.starts_with(one)) {
            linux += usize::from(!lines.is_empty());
        } else {
            assert!(lines.is_empty(), "{name} needs a system in lines {lines:?}");
        }
    }
    assert!(linux >= 4, "the search finds something");
    assert_eq!(unconditional("#[cfg(unix)]\nfn a() {\n    std::os::unix::x()\n}\n\nuse rustix::y;\n"), [6]);
}

#[test]
fn modules_and_crates_of_up_are_for_linux() {
    let file = |name: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap();
    assert!(file("src/lib.rs").contains("#[cfg(target_os = \"linux\")]\nmod up;\n"));
    assert!(file("src/command.rs").contains("#[cfg(target_os = \"linux\")]\nmod guard;\n"));
    assert!(file("src/command.rs").contains("#[cfg_attr(not(target_os = \"linux\"), path = "));
    let manifest = file("Cargo.toml");
    let (everywhere, linux) = manifest.split_once("[target.'cfg(target_os = \"linux\")'.dependencies]").unwrap();
    let (linux, _) = linux.split_once("\n[").unwrap();
    for name in ["rustix", "tokio", "topoc-openwire", "fastrand"] {
        assert!(linux.contains(name) && !everywhere.contains(&format!("\n{name}")), "{name}");
    }
}
