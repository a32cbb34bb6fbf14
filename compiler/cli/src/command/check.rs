//! `topoc check`: findings on stdout. What counts them stands on stderr where stdout is for programs.

use crate::args::{CheckArgs, Format, Level};
use crate::failure::Failure;
use crate::project::{Findings, Project};
use crate::render::{Summary, human, json, short};
use crate::terminal::{Io, Paint};
use crate::{CLEAN, FINDINGS, load};
use std::io::Write;
use std::mem::ManuallyDrop;
use topoc_compiler::diagnostic::Severity;

pub(super) fn run(args: &CheckArgs, io: &mut Io<'_>) -> Result<u8, Failure> {
    let project = Project::of(&args.project, &io.folder)?;
    let folder = io.folder.clone();
    let findings = project.findings(&mut load::Disk::new(&folder), &args.project.overlays)?;
    // Never dropped: the process ends with this command, and giving a million small values back one by one takes time.
    report(args, &project, &ManuallyDrop::new(findings), io)
}

/// Writes what was found, and says what that makes of the exit code.
fn report(args: &CheckArgs, project: &Project, findings: &Findings, io: &mut Io<'_>) -> Result<u8, Failure> {
    let Findings { sources, diagnostics, .. } = findings;
    let summary = Summary::of(diagnostics, sources.files.len());
    let level = fail_level(args, project);
    match args.format {
        Format::Human => {
            let least = args.show.map_or(level.min(Severity::Warning), Level::severity);
            let choice = human::Choice { least, max: args.max };
            let hidden = human::write(sources, diagnostics, choice, io.out, &mut io.stdout)?;
            let more = human::more(diagnostics);
            writeln!(io.stdout, "{}{more}", summary.line(Paint(io.out.colour)))?;
            if let Some(unshown) = human::unshown(diagnostics, least) {
                writeln!(io.stdout, "{unshown}")?;
            }
            human::write_hidden(hidden, io)?;
        }
        Format::Short => {
            short::write(sources, diagnostics, &mut io.stdout)?;
            io.stdout.flush()?;
            writeln!(io.stderr, "{}", summary.line(Paint(io.err.colour)))?;
        }
        Format::Json => json::write(sources, diagnostics, summary, &mut io.stdout)?,
    }
    Ok(if diagnostics.iter().any(|diagnostic| diagnostic.severity >= level) { FINDINGS } else { CLEAN })
}

/// What is asked for, else what the project has, else errors only.
fn fail_level(args: &CheckArgs, project: &Project) -> Severity {
    let set = project.settings().and_then(|settings| settings.fail_level);
    args.fail_level.map(Level::severity).or(set).unwrap_or(Severity::Error)
}
