//! `topoc completions`: a script that teaches a shell topoc's arguments.

use crate::CLEAN;
use crate::args::{self, CompletionsArgs};
use crate::failure::Failure;
use crate::terminal::Io;
use std::io::Write;

pub(super) fn run(args: &CompletionsArgs, io: &mut Io<'_>) -> Result<u8, Failure> {
    // Into memory first: clap_complete panics where it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut args::command(), "topoc", &mut script);
    io.stdout.write_all(&script)?;
    Ok(CLEAN)
}
