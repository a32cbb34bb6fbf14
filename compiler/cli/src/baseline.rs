//! Baselines as files: findings that were there before, so that only new ones fail. Version 1 of the format: fields are
//! added, never renamed or removed.

use crate::failure::Failure;
use crate::files::{ReadProblem, SOURCE_LIMIT, read_source};
use crate::project::{Findings, Project};
use crate::replace::replace;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use topoc_compiler::policy::baseline::{Baseline, Fingerprint, Hidden};

/// Where a baseline is written when no other place is said.
const DEFAULT: &str = "topoc-baseline.json";
/// The format's version.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct File {
    version: u32,
    findings: Vec<Entry>,
}

/// Findings of one rule at one thing.
#[derive(Serialize, Deserialize)]
struct Entry {
    rule: String,
    file: String,
    within: String,
    count: usize,
}

/// The baseline that is named, or that of the settings.
pub(crate) fn path(named: Option<&Path>, project: &Project) -> Option<PathBuf> {
    let set = project.settings().and_then(|settings| settings.baseline.as_ref()).map(|path| project.path(path));
    named.map(Path::to_owned).or(set)
}

/// Writes down all that is found now; where to.
pub(crate) fn write(
    path: Option<PathBuf>,
    project: &Project,
    findings: &Findings,
    folder: &Path,
) -> Result<PathBuf, Failure> {
    let path = path.unwrap_or_else(|| project.path(DEFAULT));
    let Baseline(counts) = Baseline::of(&findings.sources, &findings.diagnostics);
    let entry = |(print, count): (Fingerprint, usize)| {
        let Fingerprint { rule, file, within } = print;
        Entry { rule, file, within, count }
    };
    let file = File { version: VERSION, findings: counts.into_iter().map(entry).collect() };
    let mut text = serde_json::to_string_pretty(&file).map_err(std::io::Error::from)?;
    text.push('\n');
    replace(&folder.join(&path), text.as_bytes()).map_err(|error| Failure::system("write", &path, &error))?;
    Ok(path)
}

/// Takes away what a baseline has.
pub(crate) fn hide(path: &Path, findings: &mut Findings, folder: &Path) -> Result<Hidden, Failure> {
    let baseline = read(path, folder)?;
    Ok(baseline.hide(&findings.sources, &mut findings.diagnostics))
}

fn read(path: &Path, folder: &Path) -> Result<Baseline, Failure> {
    let shown = path.display();
    let bytes = read_source(&folder.join(path), SOURCE_LIMIT).map_err(|error| match error.problem {
        ReadProblem::Missing => Failure::new(format!("there is no baseline `{shown}`"))
            .help("write down what is found now with `topoc check --write-baseline`"),
        _ => error.into(),
    })?;
    let help = "write it anew with `topoc check --write-baseline`, or with the topoc that wrote it";
    let unreadable = |why: String| Failure::new(format!("`{shown}` is no baseline: {why}")).help(help);
    let file: File = serde_json::from_slice(&bytes).map_err(|error| unreadable(error.to_string()))?;
    if file.version != VERSION {
        return Err(unreadable(format!("its version is {}, and this topoc reads {VERSION}", file.version)));
    }
    let mut baseline = Baseline::default();
    for Entry { rule, file, within, count } in file.findings {
        let known = baseline.0.entry(Fingerprint { rule, file, within }).or_default();
        *known = known.saturating_add(count);
    }
    Ok(baseline)
}

/// What a baseline did, for those who look on.
pub(crate) fn said(path: &Path, Hidden { hidden, fixed }: Hidden) -> Option<String> {
    let path = path.display();
    let hidden = (hidden > 0).then(|| format!("{} of `{path}` not shown", crate::render::counted(hidden, "finding")));
    let them = if fixed == 1 { "it" } else { "them" };
    let fixed = (fixed > 0).then(|| {
        format!("{} of `{path}` fixed: `--write-baseline` takes {them} out", crate::render::counted(fixed, "finding"))
    });
    let lines: Vec<String> = hidden.into_iter().chain(fixed).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}
