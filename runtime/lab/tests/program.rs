//! What programs print under tests is kept and searched for the secrets of the list, by the library and by the script alike.

#![expect(clippy::unwrap_used, reason = "a helper of a test may panic as the test itself may")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::Command;

use topoc_lab::{PATIENCE, Program, output, secrets_in};

const SECRET: &str = "Mh4-moonlit";

/// A shell that does this with the secret at hand, as `$SECRET` and in Base64 within more as `$BASIC`.
fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]).env("SECRET", SECRET).env("BASIC", "MTAwMTpNaDQtbW9vbmxpdA==");
    command
}

/// What is said when a program ends that does this; nothing where it has kept the secret.
fn said_at_the_end(script: &str, lines: usize) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let mut program = Program::start(shell(script), folder.path()).unwrap();
    for _ in 0..lines {
        program.line(PATIENCE).unwrap();
    }
    program.wait_exit(PATIENCE).unwrap();
    // What was printed is found though its folder is gone.
    drop(folder);
    let end = catch_unwind(AssertUnwindSafe(|| drop(program)));
    end.err().map(|said| *said.downcast::<String>().unwrap())
}

#[test]
fn a_program_that_prints_a_secret_fails_its_test() {
    for script in ["echo $SECRET", "echo $SECRET >&2", "echo x; echo Basic $BASIC >&2", "printf %s $SECRET"] {
        let said = said_at_the_end(script, 0).unwrap_or_else(|| panic!("nobody noticed `{script}`"));
        assert!(said.contains("sh printed secrets") && said.contains("(number, line): [("), "{said}");
        assert!(!said.contains(SECRET), "and it is not said again: {said}");
        let ran = catch_unwind(|| output(shell(script)));
        assert!(ran.is_err(), "{script}");
    }
}

#[test]
fn what_a_test_has_taken_may_have_one_and_nothing_else() {
    assert_eq!(said_at_the_end("echo hello; echo mistake >&2", 0), None);
    assert_eq!(said_at_the_end("echo $SECRET", 1), None, "the line was for the test");
    assert!(said_at_the_end("echo $SECRET; echo $SECRET", 1).unwrap().contains("[("));
    assert!(said_at_the_end("echo $SECRET; echo $SECRET >&2", 1).unwrap().contains("[("));
}

#[test]
fn a_test_that_fails_already_fails_once() {
    let folder = tempfile::tempdir().unwrap();
    let failed = catch_unwind(AssertUnwindSafe(|| {
        let program = Program::start(shell("echo $SECRET"), folder.path()).unwrap();
        program.wait_exit(PATIENCE).unwrap();
        panic!("for a reason of its own (this message belongs here)");
    }));
    assert!(failed.unwrap_err().downcast::<&str>().unwrap().starts_with("for a reason"));
}

#[test]
fn a_program_is_told_and_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(shell("cat >&2; exit 3"), folder.path()).unwrap();
    program.close_stdin();
    assert_eq!(program.wait_exit(PATIENCE).unwrap().code(), Some(3));
    let mut program = Program::start(
        shell("trap 'echo bye >&2; exit 0' TERM; echo one; echo two; while :; do sleep 0.01; done"),
        folder.path(),
    )
    .unwrap();
    assert_eq!(program.line(PATIENCE).unwrap(), "one");
    assert_eq!(program.line(PATIENCE).unwrap(), "two");
    assert_eq!(program.terminate(PATIENCE).unwrap().code(), Some(0));
    assert_eq!(program.errors().unwrap(), "bye\n");
}

#[test]
fn the_script_finds_what_the_library_finds() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("no-secret");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("said");
    for text in [
        "nothing\n",
        "",
        "one\nMh4-moonlit",
        "Basic MTAwMTpNaDQtbW9vbmxpdA==\n",
        "\u{1b}[31mAE1oNC1tb29ubGl0\n",
        "x\ny\nxxTWg0LW1vb25saXQx Sd6-sunlit",
        "Mh4-moonli Mh4-MOONLIT",
    ] {
        std::fs::write(&file, text).unwrap();
        let run = Command::new(&script).arg(&file).output().unwrap();
        let expected: String = secrets_in(text)
            .iter()
            .map(|(number, line)| format!("secret {number} of the list is in {}, line {line}\n", file.display()))
            .collect();
        assert_eq!(String::from_utf8_lossy(&run.stdout), expected, "{text:?} {run:?}");
        assert_eq!(run.status.success(), expected.is_empty());
    }
}
