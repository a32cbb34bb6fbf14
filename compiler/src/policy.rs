//! Living with findings: which rule counts for how much where, and what is allowed, why and until when. Pure: the text of
//! `topoc.toml` and the day are arguments. `check`, `build` and editors all judge by [`judge`].

mod allow;
pub mod baseline;
mod day;
mod glob;
mod levels;
mod settings;

pub use day::Day;
pub use settings::Settings;

use crate::Analysis;
use crate::diagnostic::{self, Diagnostic};
use crate::sources::{Sources, join};
use rustc_hash::FxHashMap;
use settings::Override;
use std::sync::Arc;
use topoc_dsl::FileId;

/// By what findings are judged. The default is what holds where there is no `topoc.toml`.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// The project's settings, where it has some.
    pub project: Option<Project>,
    /// The day on which somebody asks; without one no `allow` expires.
    pub today: Option<Day>,
}

/// A `topoc.toml` and what it says.
#[derive(Debug, Clone)]
pub struct Project {
    /// The file, named as sources are named.
    pub path: String,
    /// Its text.
    pub text: Arc<str>,
    /// The absolute path of its folder, with `/`.
    pub folder: String,
    /// The absolute path of the folder that relative paths of sources start from, with `/`.
    pub base: String,
    /// What it says: [`Settings::read`] of the text.
    pub settings: Settings,
}

impl Project {
    /// A source's path as `topoc.toml` names it: from its own folder, where it is below it.
    #[must_use]
    pub fn seen(&self, path: &str) -> String {
        let full = join(&self.base, path);
        let folder = self.folder.trim_end_matches('/');
        full.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')).map_or(full.clone(), str::to_owned)
    }
}

/// The analysis with its findings as the project judges them: levels are those of `topoc.toml`, what is off or allowed is
/// gone, and what is wrong with `topoc.toml` or an `allow` is a finding of its own.
#[must_use]
pub fn judge(mut analysis: Analysis, policy: &Policy) -> Analysis {
    let mut added = allow::judge(&mut analysis, policy.today);
    if let Some(project) = &policy.project {
        let file = analysis.sources.add_settings(project.path.clone(), project.text.clone());
        level(project, &analysis.sources, &mut analysis.diagnostics);
        level(project, &analysis.sources, &mut added);
        added.extend(project.settings.findings(file));
    }
    if !added.is_empty() {
        analysis.diagnostics.append(&mut added);
        diagnostic::sort(&mut analysis.diagnostics);
    }
    analysis
}

/// Gives every finding its level, and drops those that are off.
fn level(project: &Project, sources: &Sources, diagnostics: &mut Vec<Diagnostic>) {
    let settings = &project.settings;
    if !settings.strict && settings.rules.is_empty() && settings.overrides.is_empty() {
        return;
    }
    let mut overrides: FxHashMap<FileId, Vec<&Override>> = FxHashMap::default();
    diagnostics.retain_mut(|finding| {
        let file = finding.primary().file;
        let own = overrides.entry(file).or_insert_with(|| {
            let path = sources.file(file).map(|source| project.seen(&source.path)).unwrap_or_default();
            settings.overrides.iter().filter(|other| other.is_for(&path)).collect()
        });
        let chosen = own.iter().rev().find_map(|own| own.rules.of(finding.rule));
        match chosen.or_else(|| settings.rules.of(finding.rule)) {
            Some(choice) => choice.level.inspect(|level| finding.severity = *level).is_some(),
            None => {
                let as_usual = finding.severity == finding.rule.level.severity();
                finding.severity =
                    if settings.strict && as_usual { finding.rule.level.strict() } else { finding.severity };
                true
            }
        }
    });
}
