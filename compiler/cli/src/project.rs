//! Which topologies are meant and by what they are judged: PATH, the nearest `topoc.toml`, the day.

use crate::args::ProjectArgs;
use crate::failure::Failure;
use crate::files::{ReadError, ReadProblem, SOURCE_LIMIT, read_source};
use crate::load;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use topoc_compiler::diagnostic::{self, Diagnostic};
use topoc_compiler::policy::{self, Day, Policy, Settings};
use topoc_compiler::sources::Sources;
use topoc_compiler::{Analysis, Notes};
use topoc_dsl::FileId;

/// The file with a project's settings.
pub(crate) const SETTINGS: &str = "topoc.toml";

/// What a command works on.
#[derive(Debug)]
pub(crate) struct Project {
    /// The topologies, as the user would type them.
    pub(crate) targets: Vec<PathBuf>,
    /// By what they are judged.
    pub(crate) policy: Policy,
    /// The folder of `topoc.toml`, or else of the first topology: as the user would type it.
    pub(crate) folder: PathBuf,
}

/// Everything found in the topologies of a project.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// Every file that was read, once.
    pub(crate) sources: Sources,
    /// By file and place.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Notes that are not among them.
    pub(crate) counted: usize,
    /// What they were taken from.
    _rest: Vec<Analysis>,
}

impl Project {
    /// Finds the topologies and the settings, relative to `folder`.
    pub(crate) fn of(args: &ProjectArgs, folder: &Path) -> Result<Self, Failure> {
        let start = match &args.path {
            Some(path) => parent(&load::entry(path, folder)?),
            None => PathBuf::new(),
        };
        let project = settings(args, &start, folder)?;
        let targets = match (&args.path, &project) {
            (Some(path), _) => vec![load::entry(path, folder)?],
            (None, Some(found)) if !found.settings.targets.is_empty() => {
                let own = parent(Path::new(&found.path));
                let target = |target: &String| load::entry(&here(load::normal(&own.join(target))), folder);
                found.settings.targets.iter().map(target).collect::<Result<_, _>>()?
            }
            (None, _) => vec![load::entry(Path::new("."), folder)?],
        };
        let own = project.as_ref().map(|project| parent(Path::new(&project.path)));
        let folder = own.unwrap_or_else(|| targets.first().map(|target| parent(target)).unwrap_or_default());
        let today = Some(args.today.unwrap_or_else(today));
        Ok(Self { targets, policy: Policy { project, today }, folder })
    }

    /// What `topoc.toml` says.
    pub(crate) fn settings(&self) -> Option<&Settings> {
        self.policy.project.as_ref().map(|project| &project.settings)
    }

    /// A path that stands in `topoc.toml`, as the user would type it.
    pub(crate) fn path(&self, written: &str) -> PathBuf {
        load::normal(&self.folder.join(written))
    }

    /// Reads one topology and judges what is found.
    pub(crate) fn analyze(
        &self,
        target: &Path,
        files: &mut load::Disk<'_>,
        overlays: &[PathBuf],
        notes: Notes,
    ) -> Result<Analysis, Failure> {
        // Settings may say more of a note.
        let notes = if self.policy.project.is_some() { Notes::Kept } else { notes };
        Ok(policy::judge(load::analyze(target, overlays, notes, files)?, &self.policy))
    }

    /// Reads every topology and judges what is found.
    pub(crate) fn findings(
        &self,
        files: &mut load::Disk<'_>,
        overlays: &[PathBuf],
        notes: Notes,
    ) -> Result<Findings, Failure> {
        let mut analyses = Vec::new();
        for target in &self.targets {
            analyses.push(self.analyze(target, files, overlays, notes)?);
        }
        Ok(Findings::of(analyses))
    }
}

impl Findings {
    fn of(mut analyses: Vec<Analysis>) -> Self {
        let mut all = Self::default();
        // How many of the topologies have a file.
        let mut shares: Vec<usize> = Vec::new();
        for analysis in &mut analyses {
            all.counted += analysis.counted;
            let sources = std::mem::take(&mut analysis.sources);
            let ids = all.take(sources, &mut shares);
            let mut diagnostics = std::mem::take(&mut analysis.diagnostics);
            renumber(&mut diagnostics, &ids);
            all.diagnostics.append(&mut diagnostics);
        }
        if analyses.len() > 1 {
            keep_unused_everywhere(&mut all.diagnostics, &shares);
            diagnostic::sort(&mut all.diagnostics);
        }
        all._rest = analyses;
        all
    }

    /// Takes files in; the new id of each.
    fn take(&mut self, sources: Sources, shares: &mut Vec<usize>) -> Vec<FileId> {
        if self.sources.files.is_empty() {
            self.sources = sources;
            shares.resize(self.sources.files.len(), 1);
            return (0..).map(FileId).take(self.sources.files.len()).collect();
        }
        let mut ids = Vec::new();
        for file in sources.files {
            let known = self.sources.files.iter().position(|known| known.path == file.path);
            let id = known.unwrap_or(self.sources.files.len());
            if known.is_none() {
                self.sources.files.push(file);
                shares.push(0);
            }
            if let Some(share) = shares.get_mut(id) {
                *share += 1;
            }
            ids.push(FileId(u32::try_from(id).unwrap_or(u32::MAX)));
        }
        ids
    }
}

fn renumber(diagnostics: &mut [Diagnostic], ids: &[FileId]) {
    for finding in diagnostics {
        let edits = finding.fixes.iter_mut().flat_map(|fix| &mut fix.edits).map(|edit| &mut edit.at);
        for at in finding.labels.iter_mut().map(|label| &mut label.at).chain(edits) {
            at.file = ids.get(at.file.0 as usize).copied().unwrap_or(at.file);
        }
    }
}

/// An `allow` in a file of several topologies is unused where none of them needs it.
fn keep_unused_everywhere(diagnostics: &mut Vec<Diagnostic>, shares: &[usize]) {
    let mut counts: HashMap<_, usize> = HashMap::new();
    for finding in diagnostics.iter().filter(|finding| finding.rule.name == "unused-allow") {
        *counts.entry((finding.primary(), finding.message.clone())).or_default() += 1;
    }
    diagnostics.retain(|finding| {
        let share = shares.get(finding.primary().file.0 as usize).copied().unwrap_or(1);
        counts.get(&(finding.primary(), finding.message.clone())).is_none_or(|count| *count >= share)
            || finding.rule.name != "unused-allow"
    });
}

/// A folder that has no name of its own is this one.
fn here(path: PathBuf) -> PathBuf {
    if path.as_os_str().is_empty() { PathBuf::from(".") } else { path }
}

/// The settings that are named, or those of the nearest folder upwards from `start`.
fn settings(args: &ProjectArgs, start: &Path, folder: &Path) -> Result<Option<policy::Project>, Failure> {
    let base = absolute(folder)?;
    let file = match &args.config {
        Some(named) => absolute(&folder.join(named))?,
        None if args.no_config => return Ok(None),
        None => match candidates(start, folder)?.into_iter().find(|file| file.is_file()) {
            Some(file) => file,
            None => return Ok(None),
        },
    };
    let path = args.config.clone().unwrap_or_else(|| typed(&file, &load::normal(&base)));
    let bytes = read_source(&file, SOURCE_LIMIT).map_err(|error| ReadError { path: path.clone(), ..error });
    let bytes = bytes.map_err(|error| match error.problem {
        ReadProblem::Missing => Failure::from(error).help("name a `topoc.toml` that is there, or leave `--config` out"),
        _ => error.into(),
    })?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::new(format!("`{}` is not UTF-8", path.display())).help("save the file as UTF-8"))?;
    Ok(Some(judging(&file, &path, &text, &base)))
}

/// A `topoc.toml` at the absolute path `file`, which sources whose paths start from `base` call `path`.
pub(crate) fn judging(file: &Path, path: &Path, text: &str, base: &Path) -> policy::Project {
    let name = |path: &Path| load::text(&load::normal(path));
    policy::Project::read(name(path), text, name(&parent(file)), name(base))
}

/// Where settings may be, the nearest first.
fn candidates(start: &Path, folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let from = load::normal(&absolute(&folder.join(start))?);
    Ok(from.ancestors().map(|folder| folder.join(SETTINGS)).collect())
}

/// Every file that decides which topologies are meant and how they are judged, there or not.
pub(crate) fn deciding(args: &ProjectArgs, folder: &Path) -> Vec<PathBuf> {
    let named = args.path.clone().unwrap_or_default();
    let start = if folder.join(&named).is_dir() { named.clone() } else { parent(&named) };
    let mut files = match &args.config {
        Some(config) => vec![folder.join(config)],
        None => candidates(&start, folder).unwrap_or_default(),
    };
    files.extend([folder.join(&named), folder.join(start).join("main").with_extension(load::EXTENSION)]);
    files
}

/// Absolute, without asking whether anything is there.
fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    std::path::absolute(path).map_err(|error| Failure::system("find", path, &error))
}

/// A file as somebody in the folder `base` would type it.
pub(crate) fn typed(file: &Path, base: &Path) -> PathBuf {
    if let Ok(below) = file.strip_prefix(base) {
        return below.to_owned();
    }
    match base.strip_prefix(parent(file)) {
        Ok(up) => up.components().map(|_| "..").chain([SETTINGS]).collect(),
        Err(_) => file.to_owned(),
    }
}

fn parent(path: &Path) -> PathBuf {
    path.parent().map(Path::to_owned).unwrap_or_default()
}

/// The day in UTC.
pub(crate) fn today() -> Day {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Day::since_1970(since.as_secs() / 86_400)
}
