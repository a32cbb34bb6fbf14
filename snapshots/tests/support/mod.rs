//! Runs `topoc` in this process, as somebody does who looks at a window of 100 columns without colours.

use std::path::Path;
use topoc::terminal::{Io, Out, Screen};
use topoc_plan::slot::Slot;

/// What a run gave.
pub(crate) struct Output {
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
    /// The exit code.
    pub(crate) code: u8,
}

/// Runs `topoc` with these arguments in a folder.
pub(crate) fn topoc(arguments: &[&str], folder: &Path) -> Output {
    let screen = Screen { terminal: false, colour: false, unicode: true, width: 100 };
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let template = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(template.path(), Slot::empty().bytes()).expect("a program that plans can be put into");
    let mut io = Io {
        stdin: &mut std::io::empty(),
        stdout: Out::new(&mut stdout),
        stderr: Out::new(&mut stderr),
        out: screen,
        err: screen,
        folder: folder.to_owned(),
        templates: vec![template.path().to_owned()],
    };
    let code = topoc::run(std::iter::once("topoc").chain(arguments.iter().copied()).map(Into::into), &mut io);
    let text = |bytes| String::from_utf8(bytes).expect("topoc writes UTF-8");
    Output { stdout: text(stdout), stderr: text(stderr), code }
}
