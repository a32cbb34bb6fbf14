//! Runs commands in folders of their own, without a process.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test file takes what it needs")]
#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not there")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use tempfile::NamedTempFile;
use topoc::run;
use topoc::terminal::{Io, Out, Screen};
use topoc_plan::slot::Slot;

/// What a run did.
pub struct Ran {
    pub code: u8,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// What it returns, and parts of what it says; a stream without parts is empty.
    #[track_caller]
    pub fn expect(self, code: u8, stdout: &[&str], stderr: &[&str]) -> Self {
        let both = format!("exit {}\n--- stdout\n{}--- stderr\n{}", self.code, self.stdout, self.stderr);
        assert_eq!(self.code, code, "{both}");
        for (part, whole) in
            stdout.iter().map(|part| (part, &self.stdout)).chain(stderr.iter().map(|part| (part, &self.stderr)))
        {
            assert!(whole.contains(part), "no {part:?} in\n{both}");
        }
        assert_eq!(stdout.is_empty(), self.stdout.is_empty(), "stdout\n{both}");
        assert_eq!(stderr.is_empty(), self.stderr.is_empty(), "stderr\n{both}");
        self
    }
}

/// A pipe that shows everything but colours.
pub fn plain() -> Screen {
    Screen { terminal: false, colour: false, unicode: true, width: 100 }
}

/// The smallest program that a plan can be put into.
pub static TEMPLATE: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let path = folder.join("template");
    let mut file = NamedTempFile::new_in(folder).unwrap();
    file.write_all(&Slot::empty().bytes()).unwrap();
    // Other tests may be reading what they put there themselves: a file is replaced as a whole.
    file.persist(&path).unwrap();
    path
});

/// Runs a command.
pub fn topoc_with(folder: &Path, arguments: &[&str], stdin: &[u8], screen: Screen) -> Ran {
    let (mut stdout, mut stderr, mut stdin) = (Vec::new(), Vec::new(), stdin);
    let code = run(
        std::iter::once("topoc").chain(arguments.iter().copied()).map(Into::into),
        &mut Io {
            stdin: &mut stdin,
            stdout: Out::new(&mut stdout),
            stderr: Out::new(&mut stderr),
            out: screen,
            err: screen,
            folder: folder.to_owned(),
            templates: vec![TEMPLATE.clone()],
        },
    );
    Ran { code, stdout: String::from_utf8(stdout).unwrap(), stderr: String::from_utf8(stderr).unwrap() }
}

/// Runs a command with nothing on stdin, into pipes.
pub fn topoc(folder: &Path, arguments: &[&str]) -> Ran {
    topoc_with(folder, arguments, b"", plain())
}

/// A topology without findings.
pub const SOUND: &str = "topology t { activemq = \"6.2\" }\nsite east {\n  broker amq-1 {\n    host = \"amq-1\"\n    listen openwire { port = 61616; host = \"127.0.0.1\"; maximum-connections = 9 }\n    users { user gc { password = secret(\"env:GC_PASSWORD\") } }\n  }\n}\n";

/// A folder with files.
pub fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}
