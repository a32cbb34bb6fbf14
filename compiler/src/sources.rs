//! The files of one topology: read through a trait, decoded, parsed, and every import followed.

use crate::diagnostic::{Diagnostic, Loc, Report};
use crate::rules;
use line_index::LineIndex;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use topoc_dsl::syntax::{ArgumentKind, Statement, Tree, decode};
use topoc_dsl::{FileId, Span};

/// Files over this many bytes are refused before they are read: design 5, "Bad input".
pub const MAX_FILE_BYTES: u64 = 32 * 1024 * 1024;

/// Where the text comes from: a disk, an editor's buffers, a test's map.
pub trait Files: Sync {
    /// The bytes of the file at `path`, which is as the user wrote it or joined from an import.
    ///
    /// # Errors
    /// Why it cannot be had.
    fn read(&self, path: &str) -> Result<Vec<u8>, FileError>;
}

/// Why a file cannot be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileError {
    /// There is none.
    NotFound,
    /// It has more than [`MAX_FILE_BYTES`]; how many.
    TooLarge(u64),
    /// Anything else, in words.
    Other(String),
}

impl Files for HashMap<String, String> {
    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        self.get(path).map(|text| text.clone().into_bytes()).ok_or(FileError::NotFound)
    }
}

/// One file: its text, its tree, and where its lines begin.
#[derive(Debug)]
pub struct Source {
    /// As the user wrote it or joined from an import, with `/`.
    pub path: String,
    /// The text, with a byte order mark if it had one.
    pub text: Arc<str>,
    /// What was parsed.
    pub tree: Tree,
    /// Read through `--overlay`: may hold `override` statements and nothing else but lets and imports.
    pub overlay: bool,
    lines: OnceLock<LineIndex>,
}

/// A line and a column, both from 1, columns in Unicode scalars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// From 1.
    pub line: u32,
    /// From 1, in Unicode scalars.
    pub column: u32,
}

impl Source {
    /// A file and its tree.
    #[must_use]
    pub fn new(path: String, text: Arc<str>, tree: Tree, overlay: bool) -> Self {
        Self { path, text, tree, overlay, lines: OnceLock::new() }
    }

    /// Where a byte is. Offsets past the end are the end.
    #[must_use]
    pub fn position(&self, offset: u32) -> Position {
        let lines = self.lines.get_or_init(|| LineIndex::new(&self.text));
        let offset = offset.min(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
        let at = lines.line_col(offset.into());
        let start = (offset - at.col) as usize;
        let before = self.text.get(start..offset as usize).unwrap_or("");
        let columns = before.trim_start_matches('\u{feff}').chars().count();
        Position { line: at.line + 1, column: u32::try_from(columns).unwrap_or(u32::MAX - 1) + 1 }
    }

    /// The text of a range.
    #[must_use]
    pub fn slice(&self, span: Span) -> &str {
        span.of(&self.text)
    }
}

/// Every file of a topology. [`FileId`] is the index.
#[derive(Debug, Default)]
pub struct Sources {
    /// The entry first, then overlays, then imports as they were found.
    pub files: Vec<Source>,
    /// Some file could not be had: what it declares is not there.
    pub missing: bool,
    /// `topoc.toml`, where there is one: in the list for the places of findings, and no topology.
    pub settings: Option<FileId>,
    /// Where secrets stand that are to be shown to nobody, as far as their places say what they are.
    pub secrets: Vec<Loc>,
}

impl Sources {
    /// A file by its id.
    #[must_use]
    pub fn file(&self, id: FileId) -> Option<&Source> {
        self.files.get(id.0 as usize)
    }

    /// The files of the topology, without settings.
    pub fn topology(&self) -> impl Iterator<Item = &Source> {
        let settings = self.settings.map(|id| id.0 as usize);
        self.files.iter().enumerate().filter(move |(id, _)| Some(*id) != settings).map(|(_, file)| file)
    }

    /// Adds `topoc.toml`.
    pub(crate) fn add_settings(&mut self, path: String, text: Arc<str>) -> FileId {
        let id = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        self.files.push(Source::new(path, text, Tree::default(), false));
        self.settings = Some(id);
        id
    }

    /// The text at a place.
    #[must_use]
    pub fn text(&self, at: Loc) -> &str {
        self.file(at.file).map_or("", |file| file.slice(at.span))
    }
}

/// Reads `entry` and `overlays` and follows every import.
#[must_use]
pub fn load(entry: &str, overlays: &[String], files: &dyn Files, report: &mut Report) -> Sources {
    load_again(Sources::default(), entry, overlays, files, report)
}

/// As [`load`], after `before` was read: of texts that were there already only what has changed is parsed.
#[must_use]
pub fn load_again(
    before: Sources,
    entry: &str,
    overlays: &[String],
    files: &dyn Files,
    report: &mut Report,
) -> Sources {
    let before = before.files.into_iter().map(|source| (source.path.clone(), source)).collect();
    let mut loader = Loader { files, before, sources: Sources::default(), ids: HashMap::new(), report };
    loader.open(entry, false);
    for overlay in overlays {
        loader.open(overlay, true);
    }
    let mut next = 0;
    let mut edges = Vec::new();
    while next < loader.sources.files.len() {
        edges.extend(loader.follow(next));
        next += 1;
    }
    let sources = loader.sources;
    rules::import_cycle::report(&sources, &edges, report);
    sources
}

/// An import: which file, which one it names, where.
#[derive(Debug, Clone, Copy)]
pub struct Import {
    /// The file with the statement.
    pub from: FileId,
    /// The file it names.
    pub to: FileId,
    /// The statement.
    pub at: Loc,
}

struct Loader<'a> {
    files: &'a dyn Files,
    /// What the files were before, by their path.
    before: HashMap<String, Source>,
    sources: Sources,
    /// Files that were read, or that cannot be, by their normal path.
    ids: HashMap<String, Option<FileId>>,
    report: &'a mut Report,
}

impl Loader<'_> {
    /// Reads a file that was named on the command line: what cannot be read is said at its own first byte.
    fn open(&mut self, path: &str, overlay: bool) {
        let path = normal(path);
        if let Err(fault) = self.read(&path, overlay) {
            let file = self.push(path.clone(), "".into(), Tree::default(), overlay);
            let at = Loc { file, span: Span::default() };
            self.report.add(fault.diagnostic(at, &path, false));
            self.sources.missing = true;
        }
    }

    fn follow(&mut self, index: usize) -> Vec<Import> {
        let Some(source) = self.sources.files.get(index) else { return Vec::new() };
        let from = FileId(u32::try_from(index).unwrap_or(u32::MAX));
        let overlay = source.overlay;
        let folder = source.path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        let imports: Vec<(Loc, String)> = source
            .tree
            .statements
            .iter()
            .filter_map(|statement| import(statement, &source.text))
            .map(|(span, path)| (Loc { file: from, span }, join(&folder, &path)))
            .collect();
        imports.into_iter().filter_map(|(at, path)| self.import(from, at, &path, overlay)).collect()
    }

    fn import(&mut self, from: FileId, at: Loc, path: &str, overlay: bool) -> Option<Import> {
        let to = match self.ids.get(path) {
            Some(known) => (*known)?,
            None => match self.read(path, overlay) {
                Ok(id) => id,
                Err(fault) => {
                    self.report.add(fault.diagnostic(at, path, true));
                    self.sources.missing = true;
                    self.ids.insert(path.to_owned(), None);
                    return None;
                }
            },
        };
        Some(Import { from, to, at })
    }

    fn read(&mut self, path: &str, overlay: bool) -> Result<FileId, Fault> {
        let bytes = self.files.read(path).map_err(Fault::File)?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(Fault::File(FileError::TooLarge(bytes.len() as u64)));
        }
        let text: Arc<str> = match String::from_utf8(bytes) {
            Ok(text) => text.into(),
            Err(error) => return Err(Fault::encoding(error.as_bytes(), error.utf8_error().valid_up_to())),
        };
        let tree = match self.before.remove(path) {
            // What is said of a statement depends on whether it stands in an overlay.
            Some(before) if before.overlay == overlay => topoc_dsl::parse_again(&text, &before.text, before.tree),
            _ => topoc_dsl::parse(&text),
        };
        let id = self.push(path.to_owned(), text, tree, overlay);
        Ok(id)
    }

    fn push(&mut self, path: String, text: Arc<str>, tree: Tree, overlay: bool) -> FileId {
        let id = FileId(u32::try_from(self.sources.files.len()).unwrap_or(u32::MAX));
        self.ids.insert(path.clone(), Some(id));
        self.sources.files.push(Source::new(path, text, tree, overlay));
        id
    }
}

/// Why a file is not in the set.
enum Fault {
    File(FileError),
    Encoding { offset: usize, byte: u8, line: usize },
}

impl Fault {
    fn encoding(bytes: &[u8], offset: usize) -> Self {
        let line = 1 + bytes.iter().take(offset).filter(|&&byte| byte == b'\n').count();
        Fault::Encoding { offset, byte: bytes.get(offset).copied().unwrap_or(0), line }
    }

    fn diagnostic(self, at: Loc, path: &str, imported: bool) -> Diagnostic {
        match self {
            Fault::File(FileError::TooLarge(bytes)) => rules::file_too_large::found(at, path, bytes),
            Fault::File(error) => rules::import_not_found::found(at, path, &error, imported),
            Fault::Encoding { offset, byte, line } => rules::bad_encoding::found(at, path, offset, byte, line),
        }
    }
}

/// The path of an `import "path"` statement and the place of the text.
#[must_use]
pub fn import(statement: &Statement, text: &str) -> Option<(Span, String)> {
    let [argument] = statement.arguments.as_slice() else { return None };
    let is_import = statement.head.span.of(text) == "import" && argument.kind == ArgumentKind::Text;
    let path = is_import.then(|| decode(argument.span.of(text)).ok())??;
    Some((argument.span, path.into_owned()))
}

/// `path` as seen from `folder`.
pub(crate) fn join(folder: &str, path: &str) -> String {
    if folder.is_empty() || path.starts_with('/') { normal(path) } else { normal(&format!("{folder}/{path}")) }
}

/// Without `.` segments and with `..` resolved where that is possible in the text.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." => {}
            "" if !parts.is_empty() => {}
            ".." if parts.last().is_some_and(|last| !matches!(*last, ".." | "")) => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_seen_from_the_importing_file() {
        for (folder, path, joined) in [
            ("", "east.topo", "east.topo"),
            ("sites", "east.topo", "sites/east.topo"),
            ("sites/a", "../b/./c.topo", "sites/b/c.topo"),
            ("a", "../../x.topo", "../x.topo"),
            ("/srv", "x.topo", "/srv/x.topo"),
            ("a", "/abs/x.topo", "/abs/x.topo"),
        ] {
            assert_eq!(join(folder, path), joined);
        }
    }

    #[test]
    fn columns_count_characters_and_not_the_byte_order_mark() {
        let text = "\u{feff}aé x\nb";
        let source = Source::new("f".into(), text.into(), Tree::default(), false);
        let x = u32::try_from(text.find('x').unwrap()).unwrap();
        assert_eq!(source.position(x), Position { line: 1, column: 4 });
        assert_eq!(source.position(999), Position { line: 2, column: 2 });
    }
}
