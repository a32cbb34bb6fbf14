//! What only the real program can show: its exit codes, a reader that goes away, and names that are no text.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not there")]

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

fn topoc(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_topoc"));
    command.current_dir(folder).env_remove("CLICOLOR_FORCE");
    command
}

/// More output than a pipe holds (64 KiB, pipe(7)).
fn many_findings(folder: &Path) {
    let fields: String = (0..2000).map(|n| format!("  no-such-field-{n} = 1\n")).collect();
    std::fs::write(folder.join("main.topo"), format!("topology t {{ activemq = \"6.2\" }}\nsite s {{\n{fields}}}\n"))
        .unwrap();
}

#[test]
fn a_reader_that_goes_away_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    many_findings(folder.path());
    for format in ["human", "short", "json"] {
        let mut child = topoc(folder.path())
            .args(["check", "--max", "0", "--format", format])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdout.take().unwrap().read_exact(&mut [0; 10]).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{format}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!stderr.contains("panicked") && !stderr.contains("pipe"), "{format}: {stderr}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_said() {
    let folder = tempfile::tempdir().unwrap();
    many_findings(folder.path());
    let full = std::fs::File::create("/dev/full").unwrap();
    let output = topoc(folder.path()).arg("check").stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("the report cannot be written"));
}

#[test]
#[cfg(target_os = "linux")]
fn names_that_are_no_text_work() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let odd = std::ffi::OsStr::from_bytes(b"d\xe9mo");
    let status = |arguments: &[&std::ffi::OsStr]| topoc(folder.path()).args(arguments).output().unwrap().status.code();
    assert_eq!(status(&["new".as_ref(), "simplex".as_ref(), odd]), Some(0));
    assert_eq!(status(&["check".as_ref(), odd]), Some(0));
    assert_eq!(status(&["fmt".as_ref(), odd, "--check".as_ref()]), Some(0));
    assert_eq!(status(&["build".as_ref(), odd, "--out".as_ref(), odd, "--no-binaries".as_ref()]), Some(0));
    assert!(folder.path().join(odd).join("manifest.json").exists());
}
