//! `topoc check`: findings on stdout. What counts them stands on stderr where stdout is for programs.

mod watch;

use crate::args::{CheckArgs, Format, Level};
use crate::failure::Failure;
use crate::fix::Fixing;
use crate::project::{Findings, Project};
use crate::render::{Summary, counted, github, human, json, junit, sarif, short};
use crate::terminal::{Io, Paint};
use crate::{CLEAN, FINDINGS, baseline, load};
use std::io::Write;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use topoc_compiler::Notes;
use topoc_compiler::diagnostic::{Safety, Severity};
use topoc_compiler::policy::baseline::Hidden;

pub(super) fn run(args: &CheckArgs, io: &mut Io<'_>) -> Result<u8, Failure> {
    if args.watch {
        return watch::run(args, io);
    }
    let folder = io.folder.clone();
    let mut project = Project::of(&args.project, &folder)?;
    let baseline = Known::of(args, &project, &folder);
    if args.fix {
        return mend(args, &mut project, &baseline, io);
    }
    let notes = notes(args, &project, &baseline);
    let mut findings = project.findings(&mut load::Disk::new(&folder), &args.project.overlays, notes)?;
    if args.write_baseline {
        return write_baseline(baseline.path, &project, &findings, io);
    }
    let hidden = baseline.hide(&mut findings)?;
    // Never dropped: the process ends with this command, and giving a million small values back one by one takes time.
    let code = report(args, &project, &ManuallyDrop::new(findings), io)?;
    baseline.say(hidden, io)?;
    Ok(code)
}

/// Checks once and reports. Whatever comes of it, `disk` knows which files were asked for.
fn once(args: &CheckArgs, disk: &mut load::Disk<'_>, io: &mut Io<'_>) -> Result<u8, Failure> {
    let folder = io.folder.clone();
    let project = Project::of(&args.project, &folder)?;
    let baseline = Known::of(args, &project, &folder);
    disk.watch(baseline.path.as_deref());
    let mut findings = project.findings(disk, &args.project.overlays, notes(args, &project, &baseline))?;
    let hidden = baseline.hide(&mut findings)?;
    let code = report(args, &project, &findings, io)?;
    baseline.say(hidden, io)?;
    Ok(code)
}

/// The baseline, if there is to be one.
struct Known<'a> {
    path: Option<PathBuf>,
    folder: &'a Path,
}

impl<'a> Known<'a> {
    fn of(args: &CheckArgs, project: &Project, folder: &'a Path) -> Self {
        Self { path: baseline::path(args.baseline.as_deref(), project), folder }
    }

    fn hide(&self, findings: &mut Findings) -> Result<Hidden, Failure> {
        let hide = |path| baseline::hide(path, findings, self.folder);
        self.path.as_deref().map_or(Ok(Hidden::default()), hide)
    }

    fn say(&self, hidden: Hidden, io: &mut Io<'_>) -> Result<(), Failure> {
        if let Some(said) = self.path.as_deref().and_then(|path| baseline::said(path, hidden)) {
            io.stdout.flush()?;
            writeln!(io.stderr, "{said}")?;
        }
        Ok(())
    }
}

/// Mends what can be mended and reports what is left, or shows what would be changed.
fn mend(args: &CheckArgs, project: &mut Project, baseline: &Known<'_>, io: &mut Io<'_>) -> Result<u8, Failure> {
    let safety = if args.unsafe_too { Safety::Unsafe } else { Safety::Safe };
    let mut fixing = Fixing::new(baseline.folder, &args.project.overlays, safety, least(args, project));
    let findings = fixing.run(project, &|findings| baseline.hide(findings).map(drop))?;
    let (fixes, files) = (counted(fixing.applied, "fix"), counted(fixing.files(), "file"));
    if args.dry_run {
        fixing.show(io)?;
        io.stdout.flush()?;
        writeln!(io.stderr, "{fixes} in {files}; `topoc check --fix` without --dry-run would write them")?;
        return Ok(if fixing.files() > 0 { FINDINGS } else { CLEAN });
    }
    fixing.write()?;
    let code = report(args, project, &findings, io)?;
    io.stdout.flush()?;
    writeln!(io.stderr, "{fixes} in {files}")?;
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
    let summary = Summary::of(diagnostics, sources.files.len()).with_notes(findings.counted);
    let level = fail_level(args, project);
    match args.format {
        Format::Human => {
            let least = least(args, project);
            let choice = human::Choice { least, max: args.max };
            let hidden = human::write(sources, diagnostics, choice, io.out, &mut io.stdout)?;
            let more = human::more(diagnostics, least);
            writeln!(io.stdout, "{}{more}", summary.line(Paint(io.out.colour)))?;
            if let Some(unshown) = human::unshown(diagnostics, findings.counted, least) {
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
        Format::Sarif => sarif::write(sources, diagnostics, &mut io.stdout)?,
        Format::Github => github::write(sources, diagnostics, &mut io.stdout)?,
        Format::Junit => junit::write(sources, diagnostics, level, SystemTime::now(), &mut io.stdout)?,
    }
    Ok(if diagnostics.iter().any(|diagnostic| diagnostic.severity >= level) { FINDINGS } else { CLEAN })
}

/// Only for people who are not shown them, notes are just counted. A baseline has some too.
fn notes(args: &CheckArgs, project: &Project, baseline: &Known<'_>) -> Notes {
    let unshown = args.format == Format::Human && least(args, project) > Severity::Note;
    if unshown && baseline.path.is_none() && !args.write_baseline { Notes::Counted } else { Notes::Kept }
}

/// The least that a person is shown: what is asked for, else warnings, and whatever makes it fail.
fn least(args: &CheckArgs, project: &Project) -> Severity {
    args.show.map_or(fail_level(args, project).min(Severity::Warning), Level::severity)
}

/// What is asked for, else what the project has, else errors only.
fn fail_level(args: &CheckArgs, project: &Project) -> Severity {
    let set = project.settings().and_then(|settings| settings.fail_level);
    args.fail_level.map(Level::severity).or(set).unwrap_or(Severity::Error)
}
