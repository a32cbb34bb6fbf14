//! `topoc check`: findings on stdout. What counts them stands on stderr where stdout is for programs.

use crate::args::{CheckArgs, Format, Level};
use crate::failure::Failure;
use crate::project::{Findings, Project};
use crate::render::{Summary, counted, human, json, short};
use crate::terminal::{Io, Paint};
use crate::{CLEAN, FINDINGS, baseline, load};
use std::io::Write;
use std::mem::ManuallyDrop;
use std::path::PathBuf;
use topoc_compiler::diagnostic::Severity;

pub(super) fn run(args: &CheckArgs, io: &mut Io<'_>) -> Result<u8, Failure> {
    let project = Project::of(&args.project, &io.folder)?;
    let folder = io.folder.clone();
    let mut findings = project.findings(&mut load::Disk::new(&folder), &args.project.overlays)?;
    let baseline = baseline::path(args.baseline.as_deref(), &project);
    if args.write_baseline {
        return write_baseline(baseline, &project, &findings, io);
    }
    let hidden = baseline.as_deref().map(|path| baseline::hide(path, &mut findings, &folder)).transpose()?;
    // Never dropped: the process ends with this command, and giving a million small values back one by one takes time.
    let code = report(args, &project, &ManuallyDrop::new(findings), io)?;
    if let Some(said) = baseline.zip(hidden).and_then(|(path, hidden)| baseline::said(&path, hidden)) {
        io.stdout.flush()?;
        writeln!(io.stderr, "{said}")?;
    }
    Ok(code)
}

fn write_baseline(
    path: Option<PathBuf>,
    project: &Project,
    findings: &Findings,
    io: &mut Io<'_>,
) -> Result<u8, Failure> {
    let path = baseline::write(path, project, findings, &io.folder)?;
    let count = counted(findings.diagnostics.len(), "finding");
    writeln!(io.stdout, "{count} in `{}`; `topoc check --baseline {0}` reports only what is new", path.display())?;
    Ok(CLEAN)
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
