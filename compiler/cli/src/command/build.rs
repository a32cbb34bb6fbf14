//! `topoc build`: a sound topology into the files of its sites.

use crate::args::{BuildArgs, Target};
use crate::failure::Failure;
use crate::project::Project;
use crate::render::{Summary, counted, human, some};
use crate::store::{self, Artifact, Build, Bytes, Difference, DifferenceKind, Digest, Input, RealDisk, Report};
use crate::template::{THIRD_PARTY, Template};
use crate::terminal::{Io, Paint};
use crate::{CLEAN, FINDINGS, load};
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use std::io::Write;
use std::path::{Path, PathBuf};
use topoc_compiler::diagnostic::{Diagnostic, Severity};
use topoc_compiler::model::Model;
use topoc_compiler::sources::{Source, Sources};
use topoc_compiler::suggest::suggest;
use topoc_compiler::{Analysis, Notes, emit};
use topoc_plan::Plan;

/// A human shown more than this reads none of it, and somebody who builds has not asked for notes.
const SHOWN: human::Choice = human::Choice { least: Severity::Warning, max: 50 };

/// What one can do without the program of connectors.
const INSTEAD: &str = "; or leave programs out with `--no-binaries`";

pub(super) fn run(args: &BuildArgs, io: &mut Io<'_>) -> Result<u8, Failure> {
    let project = Project::of(&args.project, &io.folder)?;
    let out = out(args, &project)?;
    let folder = io.folder.clone();
    let target = only(&project.targets)?;
    let analysis = project.analyze(target, &mut load::Disk::new(&folder), &args.project.overlays, Notes::Counted)?;
    report(&analysis, io)?;
    let Some(model) = analysis.checked() else {
        writeln!(io.stderr, "nothing was written")?;
        return Ok(FINDINGS);
    };
    if let Some(site) = &args.site {
        known_site(site, model.model())?;
    }
    let mut artifacts: Vec<Artifact> = emit::artifacts(model).into_iter().map(artifact).collect();
    let plans = emit::plans(model);
    if !args.no_binaries {
        artifacts.extend(programs(args, &plans, io)?);
    }
    if args.target == Target::Systemd {
        artifacts.extend(emit::systemd(&plans).into_iter().map(artifact));
    }
    let build = Build {
        out: &io.folder.join(&out),
        artifacts: &artifacts,
        inputs: &inputs(&analysis.sources),
        topoc: env!("CARGO_PKG_VERSION"),
        site: args.site.as_deref(),
    };
    if args.check { compare(&build, &out, io) } else { write(&build, &out, io) }
}

/// The folder that is named, or that of the settings.
fn out(args: &BuildArgs, project: &Project) -> Result<PathBuf, Failure> {
    let set = project.settings().and_then(|settings| settings.out.as_ref()).map(|out| project.path(out));
    args.out.clone().or(set).ok_or_else(|| {
        Failure::new("it is not said where to write to")
            .help("name a folder: `topoc build --out dist`, or `out = \"dist\"` below `[build]` in `topoc.toml`")
    })
}

/// Two topologies in one folder would take each other's files away.
pub(super) fn only(targets: &[PathBuf]) -> Result<&Path, Failure> {
    match targets {
        [only] => Ok(only),
        several => {
            let names = some(several.iter().map(|path| path.display()));
            Err(Failure::new(format!("`topoc.toml` has several targets: {names}"))
                .help("name the one to build, and a folder of its own with `--out`"))
        }
    }
}

/// What stands in the way of a build or may hurt after it. Notes are for `check`.
pub(super) fn report(analysis: &Analysis, io: &mut Io<'_>) -> Result<(), Failure> {
    let sources = &analysis.sources;
    // Settings and allows keep notes.
    let worth = analysis.diagnostics.iter().filter(|diagnostic| diagnostic.severity > Severity::Note);
    let diagnostics: &[Diagnostic] = &worth.cloned().collect::<Vec<_>>();
    if diagnostics.is_empty() {
        return Ok(());
    }
    let hidden = human::write(sources, diagnostics, SHOWN, io.err, &mut io.stderr)?;
    human::write_hidden(hidden, io)?;
    let summary = Summary::of(diagnostics, sources.files.len()).line(Paint(io.err.colour));
    writeln!(io.stderr, "{summary}{}", human::more(diagnostics, SHOWN.least))?;
    Ok(())
}

fn known_site(site: &str, model: &Model) -> Result<(), Failure> {
    let sites = || model.sites.iter().map(|site| site.name.value.as_str());
    if sites().any(|known| known == site) {
        return Ok(());
    }
    let failure = Failure::new(format!("there is no site `{site}`"));
    Err(match suggest(site, sites()) {
        Some(near) => failure.help(format!("did you mean `--site {near}`?")),
        None => failure.help(format!("the sites are {}", some(sites()))),
    })
}

fn artifact(from: emit::Artifact) -> Artifact {
    Artifact {
        path: from.path,
        bytes: Bytes::Whole(from.bytes),
        site: Some(from.site).filter(|site| !site.is_empty()),
        executable: false,
    }
}

/// The program of every connector that is wanted, and what must go with it.
fn programs(args: &BuildArgs, plans: &[Plan], io: &Io<'_>) -> Result<Vec<Artifact>, Failure> {
    let wanted = |plan: &&Plan| args.site.as_ref().is_none_or(|site| *site == plan.site);
    let plans: Vec<&Plan> = plans.iter().filter(wanted).collect();
    if plans.is_empty() {
        return Ok(Vec::new());
    }
    let template = Template::find(args.template.as_ref(), &io.templates, &io.folder, INSTEAD)?;
    let notices = Bytes::shared(THIRD_PARTY.as_bytes());
    let of = |plan: &&Plan| {
        let program = artifact_of(plan, &plan.connector, template.with(plan)?, true);
        Ok([program, artifact_of(plan, "THIRD-PARTY.txt", notices.clone(), false)])
    };
    // All are made before the first error is picked, so that it is the same one on every run.
    let programs: Vec<Result<[Artifact; 2], Failure>> = plans.par_iter().map(of).collect();
    let programs: Vec<[Artifact; 2]> = programs.into_iter().collect::<Result<_, _>>()?;
    Ok(programs.into_iter().flatten().collect())
}

/// A file of a connector.
fn artifact_of(plan: &Plan, file: &str, bytes: Bytes, executable: bool) -> Artifact {
    let Plan { site, connector, .. } = plan;
    Artifact { path: format!("{site}/{connector}/{file}"), bytes, site: Some(site.clone()), executable }
}

/// The sources as the manifest names them: seen from the folder of the entry, so that it is the same on every machine.
fn inputs(sources: &Sources) -> Vec<Input> {
    let project = sources.files.first().and_then(|entry| entry.path.rsplit_once('/')).map_or("", |(folder, _)| folder);
    let input =
        |file: &Source| Input { path: seen_from(project, &file.path), sha256: Digest::of(file.text.as_bytes()) };
    sources.topology().map(input).collect()
}

/// `path` relative to `folder`, both of which are normal. A path of another root is named by its file alone.
fn seen_from(folder: &str, path: &str) -> String {
    let parts = |path: &str| path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let (from, to) = (parts(folder), parts(path));
    let same = from.iter().zip(&to).take_while(|(from, to)| from == to).count();
    let up = from.len() - same;
    if folder.starts_with('/') != path.starts_with('/') || from.iter().skip(same).any(|part| part == "..") {
        return to.last().cloned().unwrap_or_default();
    }
    let mut seen = vec!["..".to_owned(); up];
    seen.extend(to.into_iter().skip(same));
    seen.join("/")
}

fn write(build: &Build<'_>, out: &Path, io: &mut Io<'_>) -> Result<u8, Failure> {
    let mut bar = None;
    let result = store::write(build, &RealDisk, &mut |done, all| progress(&mut bar, done, all, io.err.terminal));
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    let Report { written, unchanged, removed } = result?;
    let mut said = format!("{} written, {unchanged} unchanged", counted(written, "file"));
    if removed > 0 {
        said += &format!(", {removed} removed");
    }
    writeln!(io.stdout, "{said} in {}", out.display())?;
    Ok(CLEAN)
}

/// A bar for builds that take long enough to be looked at.
fn progress(bar: &mut Option<ProgressBar>, done: usize, all: usize, terminal: bool) {
    const LONG: usize = 500;
    if !terminal || all < LONG {
        return;
    }
    let bar = bar.get_or_insert_with(|| {
        let style = ProgressStyle::with_template("{msg} {bar:40} {pos}/{len} {eta}");
        ProgressBar::new(all as u64)
            .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
            .with_message("writing")
    });
    bar.set_position(done as u64);
}

fn compare(build: &Build<'_>, out: &Path, io: &mut Io<'_>) -> Result<u8, Failure> {
    let differences = store::compare(build, &RealDisk)?;
    for Difference { path, kind } in &differences {
        writeln!(io.stdout, "{} {path}", word(*kind))?;
    }
    io.stdout.flush()?;
    if differences.is_empty() {
        writeln!(io.stderr, "{} is as build would write it", out.display())?;
        return Ok(CLEAN);
    }
    let count = counted(differences.len(), "difference");
    writeln!(io.stderr, "{count} in {}; `topoc build` without --check would settle them", out.display())?;
    Ok(FINDINGS)
}

/// In one column.
fn word(kind: DifferenceKind) -> &'static str {
    match kind {
        DifferenceKind::Missing => "missing ",
        DifferenceKind::Differs => "differs ",
        DifferenceKind::Foreign => "foreign ",
        DifferenceKind::Unwanted => "unwanted",
        DifferenceKind::Leftover => "leftover",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_named_from_the_folder_of_the_entry() {
        for (folder, path, expected) in [
            ("", "main.topo", "main.topo"),
            ("demo", "demo/main.topo", "main.topo"),
            ("demo", "demo/sites/east.topo", "sites/east.topo"),
            ("demo", "overlays/test.topo", "../overlays/test.topo"),
            ("a/b", "a/c.topo", "../c.topo"),
            ("/srv/demo", "/srv/demo/main.topo", "main.topo"),
            ("/srv/demo", "/srv/test.topo", "../test.topo"),
            ("demo", "/etc/test.topo", "test.topo"),
            ("../demo", "../demo/main.topo", "main.topo"),
            ("../demo", "x.topo", "x.topo"),
        ] {
            assert_eq!(seen_from(folder, path), expected, "{path} from {folder}");
        }
    }
}
