//! The `topoc` command: files, terminal and process control. The only crate with IO on the compiler's side.

mod args;
mod baseline;
mod command;
mod diff;
mod failure;
pub mod files;
mod fix;
mod load;
pub mod lsp;
mod project;
mod render;
mod replace;
pub mod store;
pub mod template;
pub mod terminal;
#[cfg(target_os = "linux")]
mod up;

use failure::Failure;
use std::ffi::OsString;
use std::io::Write;
use terminal::{Io, Paint};

/// The command did what it was asked and there is nothing to report.
pub const CLEAN: u8 = 0;
/// There are findings at or above the level, or something differs.
pub const FINDINGS: u8 = 1;
/// Wrong usage, or something could not be read or written.
pub const FAILED: u8 = 2;

/// Runs `topoc`, the program's name included in `arguments`, and returns the exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>, io: &mut Io<'_>) -> u8 {
    let outcome = match args::parse(arguments, io) {
        Ok(args) => command::run(&args, io),
        Err(error) => usage(&error, io),
    };
    let outcome = outcome.and_then(|code| Ok(io.stdout.flush().map(|()| code)?));
    outcome.unwrap_or_else(|failure| {
        // Where stderr cannot be written either, the exit code is all that is left to say.
        let _ = failure.write(Paint(io.err.colour), &mut io.stderr);
        FAILED
    })
}

/// What clap has to say: help and version on stdout, a mistake on stderr.
fn usage(error: &clap::Error, io: &mut Io<'_>) -> Result<u8, Failure> {
    let text = error.render();
    let (screen, out) = if error.use_stderr() { (io.err, &mut io.stderr) } else { (io.out, &mut io.stdout) };
    let text = if screen.colour { text.ansi().to_string() } else { text.to_string() };
    out.write_all(text.as_bytes())?;
    Ok(if error.use_stderr() { FAILED } else { CLEAN })
}
