//! Which topology an open file belongs to, and what is found in it. Unsaved buffers come before the disk.

use super::findings::{self, Findings};
use super::text::{Encoding, Text};
use crate::files::{SOURCE_LIMIT, read_source};
use crate::load;
use crate::project::{SETTINGS, judging, today, typed};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use topoc_compiler::policy::{self, Policy};
use topoc_compiler::sources::{FileError, Files, Sources};
use topoc_compiler::{Analysis, Notes};

/// How many folders upwards a `main.topo` is looked for where no workspace folder ends the search.
const MOST_FOLDERS: usize = 8;

/// A file that the client has open.
#[derive(Debug)]
pub(super) struct Document {
    /// As the client calls it.
    pub(super) uri: String,
    pub(super) version: i32,
    pub(super) text: Text,
    /// It has a path on the disk, as unsaved new files have not.
    pub(super) on_disk: bool,
}

/// The open files by their paths.
pub(super) type Documents = BTreeMap<PathBuf, Document>;

/// What is analysed: a file that others are seen from, and an overlay over it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    pub(super) path: PathBuf,
    pub(super) overlay: Option<PathBuf>,
}

/// A topology as it was last looked at.
#[derive(Debug)]
pub(super) struct Project {
    pub(super) analysis: Analysis,
    /// The path of each of its files.
    pub(super) paths: Vec<PathBuf>,
    /// What is found in each of its files, also in those with nothing to report.
    pub(super) found: BTreeMap<PathBuf, Arc<Findings>>,
}

impl Project {
    /// The one place where the server obtains what is found in a topology. What is still true of `before` is used again.
    pub(super) fn look(entry: &Entry, documents: &Documents, encoding: Encoding, before: Option<Analysis>) -> Self {
        let folder = entry.path.parent().unwrap_or(Path::new("/"));
        let on_disk = documents.get(&entry.path).is_none_or(|document| document.on_disk);
        let buffers = Buffers { folder, documents, on_disk };
        let overlays: Vec<String> = entry.overlay.iter().map(|path| name(path, folder)).collect();
        let before = before.map(sources).unwrap_or_default();
        let name = name(&entry.path, folder);
        let analysis = topoc_compiler::analyze_again(before, &name, &overlays, &buffers, Notes::Kept);
        let policy = Policy { project: buffers.settings(), today: Some(today()) };
        let analysis = policy::judge(analysis, &policy);
        let paths: Vec<PathBuf> = analysis.sources.files.iter().map(|file| buffers.path(&file.path)).collect();
        let mut project = Self { analysis, paths, found: BTreeMap::new() };
        let found = findings::by_file(&project, documents, encoding);
        for (path, found) in project.paths.iter().zip(found) {
            project.found.insert(path.clone(), Arc::new(found));
        }
        project
    }

    pub(super) fn file(&self, path: &Path) -> Option<topoc_dsl::FileId> {
        let index = self.paths.iter().position(|other| other == path)?;
        Some(topoc_dsl::FileId(u32::try_from(index).ok()?))
    }

    /// Whether a change of `path` may change what is found.
    pub(super) fn depends_on(&self, path: &Path) -> bool {
        self.analysis.sources.missing || self.file(path).is_some()
    }
}

/// The texts and trees of an earlier look. The rest is taken apart on the side: an answer does not wait for that.
fn sources(mut before: Analysis) -> Sources {
    let sources = std::mem::take(&mut before.sources);
    rayon::spawn(move || drop(before));
    sources
}

/// The path as seen from the folder of the entry, as the command line names files.
fn name(path: &Path, folder: &Path) -> String {
    path.strip_prefix(folder).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

/// Unsaved buffers first, then the disk.
struct Buffers<'a> {
    folder: &'a Path,
    documents: &'a Documents,
    on_disk: bool,
}

impl Buffers<'_> {
    fn path(&self, name: &str) -> PathBuf {
        load::normal(&self.folder.join(name))
    }
}

impl Buffers<'_> {
    /// The nearest `topoc.toml`, as far as it can be read.
    fn settings(&self) -> Option<policy::Project> {
        let files = self.folder.ancestors().map(|folder| folder.join(SETTINGS));
        let (file, text) =
            files.filter(|_| self.on_disk).find_map(|file| Some((file.clone(), self.settings_at(&file)?)))?;
        Some(judging(&file, &typed(&file, self.folder), &text, self.folder))
    }

    fn settings_at(&self, file: &Path) -> Option<String> {
        match self.documents.get(file) {
            Some(document) => Some(document.text.text().to_string()),
            None => String::from_utf8(read_source(file, SOURCE_LIMIT).ok()?).ok(),
        }
    }
}

impl Files for Buffers<'_> {
    fn read(&self, name: &str) -> Result<Vec<u8>, FileError> {
        let path = self.path(name);
        match self.documents.get(&path) {
            Some(document) => Ok(document.text.text().as_bytes().to_vec()),
            None if self.on_disk => read_source(&path, SOURCE_LIMIT).map_err(|error| load::said(&error.problem)),
            None => Err(FileError::NotFound),
        }
    }
}

/// The `main.topo` files that may import `path`, the nearest first.
pub(super) fn mains(path: &Path, roots: &[PathBuf], documents: &Documents) -> Vec<PathBuf> {
    let root = roots.iter().filter(|root| path.starts_with(root)).max_by_key(|root| root.components().count());
    let folders = path.ancestors().skip(1).take(if root.is_some() { usize::MAX } else { MOST_FOLDERS });
    let inside = folders.take_while(|folder| root.is_none_or(|root| folder.starts_with(root)));
    let mains = inside.map(|folder| folder.join("main").with_extension(load::EXTENSION));
    mains.filter(|main| main != path && (documents.contains_key(main) || main.is_file())).collect()
}

/// Whether a text is an overlay: it has an `override` at the top, as the compiler reads it.
pub(super) fn is_overlay(text: &str) -> bool {
    let overrides = |tree: topoc_dsl::syntax::Tree| {
        tree.statements.iter().any(|statement| statement.head.span.of(text) == OVERRIDE)
    };
    // Parsing is only worth it where the word is there at all.
    text.contains(OVERRIDE) && overrides(topoc_dsl::parse(text))
}

/// How the statements of an overlay begin.
const OVERRIDE: &str = "override";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overlay_is_what_overrides_something_at_the_top() {
        for (text, expected) in [
            ("override broker b { }", true),
            ("\u{feff}override broker b { }", true),
            ("let a = 1\n\t override\tbroker b { }", true),
            ("let a = 1; override broker b { }", true),
            ("override broker b {", true),
            ("// override broker b { }\n", false),
            ("/*\noverride broker b { }\n*/", false),
            ("site a {\noverride broker b { }\n}", false),
            ("let a = \"\"\"\noverride broker b { }\n\"\"\"", false),
            ("overrides = 1", false),
            ("", false),
        ] {
            assert_eq!(is_overlay(text), expected, "{text}");
        }
    }
}
