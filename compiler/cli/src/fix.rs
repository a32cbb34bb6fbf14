//! `check --fix`: applies the edits that findings offer until there are none left, in memory first.
//!
//! Only files of the project are changed: those below its folder and the overlays that were named. No file is left with more
//! syntax errors than it had; a fix that would do that is passed over.

use crate::diff;
use crate::failure::Failure;
use crate::load::Disk;
use crate::project::{Findings, Project};
use crate::replace::replace;
use crate::terminal::Io;
use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use topoc_compiler::Notes;
use topoc_compiler::diagnostic::{Diagnostic, Edit, Safety, Severity};
use topoc_compiler::policy::Settings;
use topoc_compiler::sources::Sources;
use topoc_dsl::FileId;

/// Fixes make room for others: a field that is known now may be set twice. What is not done after so many rounds never is.
const ROUNDS: usize = 30;

/// What is to be mended, and what was.
pub(crate) struct Fixing<'a> {
    /// Files as they are, with those that were changed.
    pub(crate) disk: Disk<'a>,
    /// How many fixes were applied.
    pub(crate) applied: usize,
    overlays: &'a [PathBuf],
    safety: Safety,
    least: Severity,
    /// Texts before and after, by the name of the file.
    changes: BTreeMap<String, (String, String)>,
    /// Fixes that would do harm: rule and message.
    refused: HashSet<(&'static str, String)>,
}

/// Edits that belong together, by file.
type Edits<'d> = Vec<(FileId, &'d Edit)>;

impl<'a> Fixing<'a> {
    /// Nothing is fixed yet. `safety` is the least that a fix must have; findings below `least`, which nobody is shown, stay.
    pub(crate) fn new(folder: &'a Path, overlays: &'a [PathBuf], safety: Safety, least: Severity) -> Self {
        let (changes, refused) = (BTreeMap::new(), HashSet::new());
        Self { disk: Disk::new(folder), applied: 0, overlays, safety, least, changes, refused }
    }

    /// Applies fixes until there are none, and gives what is found then. `hide` takes away what is not to be looked at.
    pub(crate) fn run(
        &mut self,
        project: &mut Project,
        hide: &dyn Fn(&mut Findings) -> Result<(), Failure>,
    ) -> Result<Findings, Failure> {
        let mut seen = HashSet::new();
        for _ in 0..ROUNDS {
            let mut findings = project.findings(&mut self.disk, self.overlays, Notes::Kept)?;
            hide(&mut findings)?;
            let texts: Vec<String> = findings.sources.files.iter().map(|file| file.text.to_string()).collect();
            // Fixes that undo each other would go on for ever.
            if !seen.insert(texts) || !self.round(project, &findings)? {
                return Ok(findings);
            }
        }
        let mut findings = project.findings(&mut self.disk, self.overlays, Notes::Kept)?;
        hide(&mut findings)?;
        Ok(findings)
    }

    /// Applies what does not overlap; whether anything was.
    fn round(&mut self, project: &mut Project, findings: &Findings) -> Result<bool, Failure> {
        let Findings { sources, diagnostics, .. } = findings;
        let own = self.own_files(project, sources);
        let mut chosen: Vec<(&Diagnostic, Edits<'_>)> = Vec::new();
        for finding in diagnostics.iter().filter(|finding| finding.severity >= self.least) {
            let fix = finding.fixes.iter().find(|fix| fix.safety <= self.safety);
            let Some(fix) = fix.filter(|_| !self.refused.contains(&key(finding))) else { continue };
            let edits: Edits<'_> = fix.edits.iter().map(|edit| (edit.at.file, edit)).collect();
            let inside = edits.iter().all(|(file, _)| own.contains(file));
            let free = |(_, edit): &(FileId, &Edit)| {
                !chosen.iter().flat_map(|(_, edits)| edits).any(|(_, other)| meet(edit, other))
            };
            if inside && !edits.is_empty() && edits.iter().all(free) {
                chosen.push((finding, edits));
            }
        }
        if !self.apply(project, sources, &chosen) {
            // One of them does harm: the harmless ones, one by one, each on the same text as the others.
            let harmless =
                |(finding, edits): &(&Diagnostic, Edits<'_>)| match worse(sources, &new_texts(sources, edits)) {
                    true => !self.refused.insert(key(finding)),
                    false => true,
                };
            chosen.retain(harmless);
            if !self.apply(project, sources, &chosen) {
                chosen.truncate(1);
                self.apply(project, sources, &chosen);
            }
        }
        self.applied += chosen.len();
        Ok(!chosen.is_empty())
    }

    /// Puts the new texts in place, unless a file would parse worse.
    fn apply(&mut self, project: &mut Project, sources: &Sources, chosen: &[(&Diagnostic, Edits<'_>)]) -> bool {
        let edits: Edits<'_> = chosen.iter().flat_map(|(_, edits)| edits.iter().copied()).collect();
        let texts = new_texts(sources, &edits);
        if worse(sources, &texts) {
            return false;
        }
        for (id, text) in texts {
            let Some(source) = sources.file(id) else { continue };
            if let Some(own) = project.policy.project.as_mut().filter(|own| own.path == source.path) {
                own.settings = Settings::read(&text);
                own.text = text.as_str().into();
            }
            self.disk.put(&source.path, &text);
            let old = source.text.to_string();
            self.changes.entry(source.path.clone()).or_insert_with(|| (old, String::new())).1 = text;
        }
        true
    }

    /// The files that may be changed.
    fn own_files(&self, project: &Project, sources: &Sources) -> HashSet<FileId> {
        let real = |path: PathBuf| {
            fs::canonicalize(if path.as_os_str().is_empty() { Path::new(".").into() } else { path }).ok()
        };
        let root = real(self.disk.folder().join(&project.folder));
        let named: Vec<PathBuf> = self.overlays.iter().filter_map(|path| real(self.disk.folder().join(path))).collect();
        let is_own = |path: &str| {
            let file = real(self.disk.path(path));
            file.zip(root.as_ref()).is_some_and(|(file, root)| file.starts_with(root) || named.contains(&file))
        };
        (0..).zip(&sources.files).filter(|(_, file)| is_own(&file.path)).map(|(id, _)| FileId(id)).collect()
    }

    /// How many files were changed.
    pub(crate) fn files(&self) -> usize {
        self.changed().count()
    }

    fn changed(&self) -> impl Iterator<Item = (&String, &String, &String)> {
        self.changes.iter().map(|(name, (old, new))| (name, old, new)).filter(|(_, old, new)| old != new)
    }

    /// Shows what would change.
    pub(crate) fn show(&self, io: &mut Io<'_>) -> Result<(), Failure> {
        for (name, old, new) in self.changed() {
            diff::write(name, old, new, usize::MAX, io)?;
        }
        Ok(())
    }

    /// Writes what has changed, unless somebody else has changed it too.
    pub(crate) fn write(&self) -> Result<(), Failure> {
        for (name, old, _) in self.changed() {
            let now =
                fs::read(self.disk.path(name)).map_err(|error| Failure::system("read", Path::new(name), &error))?;
            if now != old.as_bytes() {
                return Err(Failure::new(format!(
                    "`{name}` was changed while it was being mended; nothing was written"
                ))
                .help("save it, and run the command again"));
            }
        }
        for (name, _, new) in self.changed() {
            let written = replace(&self.disk.path(name), new.as_bytes());
            written.map_err(|error| Failure::system("write", Path::new(name), &error))?;
        }
        Ok(())
    }
}

fn key(finding: &Diagnostic) -> (&'static str, String) {
    (finding.rule.code, finding.message.clone())
}

/// Whether two edits cannot both be made: they share a byte, or it is not said which comes first.
fn meet(one: &Edit, other: &Edit) -> bool {
    let (a, b) = (one.at.span, other.at.span);
    let touch = (a.is_empty() || b.is_empty()) && a.start <= b.end && b.start <= a.end;
    one.at.file == other.at.file && (touch || (a.start < b.end && b.start < a.end))
}

fn new_texts(sources: &Sources, edits: &[(FileId, &Edit)]) -> BTreeMap<FileId, String> {
    let mut by_file: BTreeMap<FileId, Vec<&Edit>> = BTreeMap::new();
    for (file, edit) in edits {
        by_file.entry(*file).or_default().push(edit);
    }
    let text = |(id, edits): (FileId, Vec<&Edit>)| Some((id, edited(&sources.file(id)?.text, edits)));
    by_file.into_iter().filter_map(text).collect()
}

/// The text with some places replaced, and no other byte changed.
fn edited(text: &str, mut edits: Vec<&Edit>) -> String {
    edits.sort_by_key(|edit| edit.at);
    let returns = text.matches("\r\n").count() * 2 > text.matches('\n').count();
    let (mut new, mut at) = (String::with_capacity(text.len()), 0);
    for edit in edits {
        let (start, end) = (edit.at.span.start as usize, edit.at.span.end as usize);
        new.push_str(text.get(at..start).unwrap_or(""));
        let own =
            if returns { edit.text.replace("\r\n", "\n").replace('\n', "\r\n") } else { edit.text.clone().into() };
        new.push_str(&own);
        at = end;
    }
    new + text.get(at..).unwrap_or("")
}

/// Whether a text has more syntax errors than the file has.
fn worse(sources: &Sources, texts: &BTreeMap<FileId, String>) -> bool {
    texts.iter().any(|(id, text)| match sources.file(*id) {
        Some(source) if sources.settings == Some(*id) => {
            Settings::read(text).syntax_errors() > Settings::read(&source.text).syntax_errors()
        }
        Some(source) => topoc_dsl::parse(text).errors.len() > source.tree.errors.len(),
        None => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use topoc_compiler::diagnostic::Loc;
    use topoc_dsl::Span;

    fn edit(start: usize, end: usize, text: &'static str) -> Edit {
        Edit { at: Loc { file: FileId(0), span: Span::new(start, end) }, text: text.into() }
    }

    #[test]
    fn edits_that_share_a_place_are_not_both_made() {
        for (one, other, expected) in [
            ((0, 3), (3, 5), false),
            ((0, 3), (2, 5), true),
            ((0, 3), (0, 3), true),
            ((3, 3), (3, 3), true),
            ((3, 3), (0, 3), true),
            ((3, 3), (4, 4), false),
        ] {
            let (one, other) = (edit(one.0, one.1, ""), edit(other.0, other.1, ""));
            assert_eq!((meet(&one, &other), meet(&other, &one)), (expected, expected), "{one:?} {other:?}");
        }
    }

    #[test]
    fn line_ends_are_those_of_the_file() {
        let insert = edit(3, 3, "x\ny");
        assert_eq!(edited("a\r\nb\r\nc\n", vec![&insert]), "a\r\nx\r\nyb\r\nc\n");
        assert_eq!(edited("a\r\nb\nc\n", vec![&insert]), "a\r\nx\nyb\nc\n");
    }
}
