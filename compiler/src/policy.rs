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
    /// A `topoc.toml` that sources call `path`, in a folder, beside sources whose paths start from `base`; both folders
    /// absolute, with `/`.
    #[must_use]
    pub fn read(path: impl Into<String>, text: &str, folder: impl Into<String>, base: impl Into<String>) -> Self {
        let settings = Settings::read(text);
        Self { path: path.into(), text: text.into(), folder: folder.into(), base: base.into(), settings }
    }

    /// A source's path as `topoc.toml` names it: from its own folder, where it is below it.
    #[must_use]
    pub fn seen(&self, path: &str) -> String {
        let full = join(&self.base, path);
        let folder = self.folder.trim_end_matches('/');
        full.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')).map_or(full.clone(), str::to_owned)
    }
}

/// Whether any file has a comment that allows something.
pub(crate) fn has_allows(sources: &Sources) -> bool {
    sources.files.iter().any(|file| file.text.contains(allow::MARK))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Loc, Severity};
    use crate::rules::{Check, FixKind, Level, Rule};
    use std::collections::HashMap;

    static HYGIENE: Rule = Rule {
        code: "TOPO0199",
        name: "hygiene",
        level: Level::Hygiene,
        since: "0",
        fix: FixKind::None,
        summary: "",
        page: "",
        check: Check::Judging,
    };

    fn severities(settings: &str) -> Vec<Severity> {
        let files = HashMap::from([("main.topo".to_owned(), "topology t { activemq = \"6.2\" }\n".to_owned())]);
        let mut analysis = crate::analyze("main.topo", &[], &files);
        let as_ever = Diagnostic::new(&HYGIENE, Loc::default(), "as ever");
        analysis.diagnostics = vec![as_ever.clone(), as_ever.level(Severity::Error)];
        let project = Project::read("topoc.toml", settings, "/", "/");
        let judged = judge(analysis, &Policy { project: Some(project), today: None });
        judged.diagnostics.iter().map(|finding| finding.severity).collect()
    }

    #[test]
    fn hygiene_is_a_warning_under_the_strict_profile_unless_its_area_is_something_else() {
        use Severity::{Error, Note, Warning};
        for (settings, expected) in [
            ("", &[Note, Error][..]),
            ("profile = \"standard\"", &[Note, Error]),
            ("profile = \"strict\"", &[Warning, Error]),
            ("profile = \"strict\"\n[rules]\nlisteners = \"note\"", &[Note, Note]),
            ("profile = \"strict\"\n[rules]\nlisteners = \"off\"", &[]),
        ] {
            assert_eq!(severities(settings), expected, "{settings}");
        }
    }

    #[test]
    fn sources_are_seen_from_the_settings() {
        let seen = |folder: &str, base: &str, path: &str| {
            let (folder, base) = (folder.to_owned(), base.to_owned());
            let settings = Settings::default();
            Project { path: String::new(), text: "".into(), folder, base, settings }.seen(path)
        };
        for (folder, base, path, expected) in [
            ("/p", "/p", "lab/a.topo", "lab/a.topo"),
            ("/p", "/p/lab", "a.topo", "lab/a.topo"),
            ("/p", "/p/lab", "../b.topo", "b.topo"),
            ("/p", "/", "p/lab/a.topo", "lab/a.topo"),
            ("/p", "/q", "/p/lab/a.topo", "lab/a.topo"),
            ("/p", "/q", "a.topo", "/q/a.topo"),
            ("/p", "/pp", "a.topo", "/pp/a.topo"),
            ("/", "/p", "a.topo", "p/a.topo"),
        ] {
            assert_eq!(seen(folder, base, path), expected, "{path} in {base} from {folder}");
        }
    }
}
