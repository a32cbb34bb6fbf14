//! `topoc check`: findings on stdout. What counts them stands on stderr where stdout is for programs.

use crate::args::{CheckArgs, Format};
use crate::failure::Failure;
use crate::render::{Summary, github, human, json, junit, sarif, short};
use crate::terminal::{Io, Paint};
use crate::{CLEAN, FINDINGS, load};
use std::io::Write;
use std::mem::ManuallyDrop;
use std::time::SystemTime;
use topoc_compiler::Analysis;

pub(super) fn run(args: &CheckArgs, io: &mut Io<'_>) -> Result<u8, Failure> {
    // Never dropped: the process ends with this command, and giving a million small values back one by one takes time.
    let analysis = ManuallyDrop::new(load::analyze(&args.project, &io.folder)?);
    let Analysis { sources, diagnostics, .. } = &*analysis;
    let summary = Summary::of(diagnostics, sources.files.len());
    let level = args.fail_level.severity();
    match args.format {
        Format::Human => {
            let hidden = human::write(sources, diagnostics, args.max, io.out, &mut io.stdout)?;
            let more = human::more(diagnostics);
            writeln!(io.stdout, "{}{more}", summary.line(Paint(io.out.colour)))?;
            human::write_hidden(hidden, io)?;
        }
        Format::Short => {
            short::write(sources, diagnostics, &mut io.stdout)?;
            io.stdout.flush()?;
            writeln!(io.stderr, "{}", summary.line(Paint(io.err.colour)))?;
        }
        Format::Json => json::write(sources, diagnostics, summary, &mut io.stdout)?,
        Format::Sarif => sarif::write(sources, diagnostics, &mut io.stdout)?,
        Format::Github => github::write(sources, diagnostics, &mut io.stdout)?,
        Format::Junit => junit::write(sources, diagnostics, level, SystemTime::now(), &mut io.stdout)?,
    }
    Ok(if diagnostics.iter().any(|diagnostic| diagnostic.severity >= level) { FINDINGS } else { CLEAN })
}
