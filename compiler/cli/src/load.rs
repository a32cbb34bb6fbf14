//! From a path on the command line to a topology: which file is meant, and how the compiler reads it and its imports.

use crate::failure::Failure;
use crate::files::{ReadError, ReadProblem, SOURCE_LIMIT, read_source};
use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::Mutex;
use std::time::SystemTime;
use topoc_compiler::sources::{FileError, Files};
use topoc_compiler::{Analysis, Notes};

/// The extension of topology files.
pub(crate) const EXTENSION: &str = "topo";

/// Reads and checks the topology whose file is `entry`.
pub(crate) fn analyze(
    entry: &Path,
    overlays: &[PathBuf],
    notes: Notes,
    disk: &mut Disk<'_>,
) -> Result<Analysis, Failure> {
    let overlays: Vec<String> = overlays.iter().map(|path| disk.name(path)).collect();
    let entry = disk.name(entry);
    let analysis = topoc_compiler::analyze_with(&entry, &overlays, &*disk, notes);
    match disk.refused(analysis.sources.files.iter().take(1 + overlays.len()).map(|file| file.path.as_str())) {
        Some(error) => Err(error.into()),
        None => Ok(analysis),
    }
}

/// The file that PATH means: itself, or in a folder `main.topo` or else the only topology there is.
pub(crate) fn entry(path: &Path, folder: &Path) -> Result<PathBuf, Failure> {
    if !folder.join(path).is_dir() {
        return Ok(path.to_owned());
    }
    let main = Path::new("main").with_extension(EXTENSION);
    if folder.join(path).join(&main).exists() {
        return Ok(below(path, &main));
    }
    let candidates = candidates(path, folder)?;
    match candidates.as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(Failure::new(format!("there is no `.topo` file in {}", shown(path)))
            .help("name a file, or start a project with `topoc new active-active DIR`")),
        several => {
            let names = crate::render::some(several.iter().map(|path| path.display()));
            Err(Failure::new(format!("{} has several topologies and no `main.topo`", shown(path)))
                .help(format!("name one: {names}")))
        }
    }
}

fn candidates(path: &Path, folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = fs::read_dir(folder.join(path)).map_err(|error| Failure::system("list", path, &error))?;
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| Some(PathBuf::from(entry.ok()?.file_name())))
        .filter(|name| name.extension() == Some(OsStr::new(EXTENSION)))
        .map(|name| below(path, &name))
        .filter(|path| folder.join(path).is_file())
        .collect();
    found.sort();
    Ok(found)
}

/// As the user would type it: without `./`.
pub(crate) fn below(folder: &Path, name: &Path) -> PathBuf {
    if folder == Path::new(".") { name.to_owned() } else { folder.join(name) }
}

fn shown(folder: &Path) -> String {
    if folder == Path::new(".") { "this folder".into() } else { format!("`{}`", folder.display()) }
}

/// The disk, for the compiler. It names files by text; a path that is no text is given one, and found again by it.
#[derive(Debug)]
pub(crate) struct Disk<'a> {
    folder: &'a Path,
    /// Real paths of files and folders whose names are no UTF-8, by the text that stands for them.
    odd: HashMap<String, PathBuf>,
    /// Texts that stand in for files.
    texts: HashMap<String, String>,
    /// Every file that was asked for, and what it looked like before.
    asked: Mutex<HashMap<PathBuf, Option<Stamp>>>,
    /// Why files could not be read.
    refusals: Mutex<HashMap<String, ReadError>>,
}

impl<'a> Disk<'a> {
    /// Paths are relative to `folder`.
    pub(crate) fn new(folder: &'a Path) -> Self {
        Self { folder, odd: HashMap::new(), texts: HashMap::new(), asked: Mutex::default(), refusals: Mutex::default() }
    }

    /// What paths are relative to.
    pub(crate) fn folder(&self) -> &'a Path {
        self.folder
    }

    /// Every file that was asked for, there or not, as it was just before.
    pub(crate) fn asked(self) -> HashMap<PathBuf, Option<Stamp>> {
        self.asked.into_inner().unwrap_or_default()
    }

    /// Takes a file for one that was asked for.
    pub(crate) fn watch(&self, path: Option<&Path>) {
        if let (Some(path), Ok(mut asked)) = (path.map(|path| self.folder.join(path)), self.asked.lock()) {
            let stamp = Stamp::of(&path);
            asked.insert(path, stamp);
        }
    }

    /// From now on a file has this text, whatever is on the disk.
    pub(crate) fn put(&mut self, name: &str, text: &str) {
        self.texts.insert(name.to_owned(), text.to_owned());
    }

    /// The text that stands for a path: with `/`, normal as the compiler's paths are.
    fn name(&mut self, path: &Path) -> String {
        let normal = normal(path);
        if normal.to_str().is_none() {
            self.odd.extend(normal.ancestors().map(|path| (text(path), path.to_owned())));
        }
        text(&normal)
    }

    /// The path that a text stands for.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        let cuts = std::iter::once(name.len()).chain(name.rmatch_indices('/').map(|(at, _)| at));
        for cut in cuts.filter(|_| !self.odd.is_empty()) {
            if let Some(real) = name.get(..cut).filter(|head| !head.is_empty()).and_then(|head| self.odd.get(head)) {
                let rest = name.get(cut + 1..).map_or_else(|| real.clone(), |rest| real.join(rest));
                return self.folder.join(rest);
            }
        }
        self.folder.join(name)
    }

    /// Why one of these files could not be had at all. One that is too large is a finding of the compiler's.
    fn refused<'n>(&mut self, names: impl Iterator<Item = &'n str>) -> Option<ReadError> {
        let mut refusals = std::mem::take(&mut self.refusals).into_inner().unwrap_or_default();
        let error = names.into_iter().find_map(|name| refusals.remove(name).map(|error| (name, error)));
        error.map(|(name, error)| ReadError { path: name.into(), ..error })
    }
}

impl Files for Disk<'_> {
    fn read(&self, name: &str) -> Result<Vec<u8>, FileError> {
        if let Some(text) = self.texts.get(name) {
            return Ok(text.clone().into_bytes());
        }
        let path = self.path(name);
        if let Ok(mut asked) = self.asked.lock() {
            asked.insert(path.clone(), Stamp::of(&path));
        }
        read_source(&path, SOURCE_LIMIT).map_err(|error| {
            let said = said(&error.problem);
            if let (false, Ok(mut refusals)) = (matches!(said, FileError::TooLarge(_)), self.refusals.lock()) {
                refusals.insert(name.to_owned(), error);
            }
            said
        })
    }
}

/// By what a changed file is known without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
    /// Which file it is: editors put a new one in an old one's place.
    number: u64,
}

impl Stamp {
    /// None where there is no file.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
        #[cfg(unix)]
        let number = std::os::unix::fs::MetadataExt::ino(&metadata);
        #[cfg(not(unix))]
        let number = 0;
        Some(Self { modified: metadata.modified().ok(), length: metadata.len(), number })
    }
}

/// What the compiler is told.
pub(crate) fn said(problem: &ReadProblem) -> FileError {
    match problem {
        ReadProblem::Missing => FileError::NotFound,
        ReadProblem::TooLarge { size, limit } => FileError::TooLarge(size.unwrap_or(limit + 1)),
        ReadProblem::NotAllowed => FileError::Other("this user may not read it".into()),
        ReadProblem::Folder => FileError::Other("it is a folder".into()),
        ReadProblem::Special => FileError::Other("it is a device, pipe or socket, not a regular file".into()),
        ReadProblem::System(error) => FileError::Other(error.to_string()),
    }
}

/// Without `.`, and with `..` resolved where that is possible in the text, as `import` paths are.
pub(crate) fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(normal.components().next_back(), Some(Component::Normal(_))) => {
                normal.pop();
            }
            part => normal.push(part),
        }
    }
    normal
}

/// A path as the compiler names it.
pub(crate) fn text(path: &Path) -> String {
    let text = path.to_string_lossy();
    if cfg!(windows) { text.replace('\\', "/") } else { text.into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_means_its_main_file_or_its_only_one() {
        for (files, expected) in [
            (&["main.topo", "other.topo"][..], Ok("main.topo")),
            (&["other.topo", "readme.md"], Ok("other.topo")),
            (&["a.topo", "b.topo"], Err("several topologies")),
            (&["readme.md"], Err("no `.topo` file")),
        ] {
            let folder = tempfile::tempdir().unwrap();
            for file in files {
                fs::write(folder.path().join(file), "").unwrap();
            }
            match (entry(Path::new("."), folder.path()), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, Path::new(expected)),
                (found, Err(reason)) => assert!(format!("{found:?}").contains(reason), "{found:?}"),
                (found, expected) => panic!("{files:?}: {found:?} and not {expected:?}"),
            }
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn files_whose_names_are_no_text_are_found_with_their_imports() {
        use std::os::unix::ffi::OsStrExt;
        let root = tempfile::tempdir().unwrap();
        let odd = Path::new(OsStr::from_bytes(b"od\xffd"));
        fs::create_dir_all(root.path().join(odd).join("sites")).unwrap();
        fs::write(root.path().join(odd).join("main.topo"), "import \"sites/east.topo\"\nimport \"../up.topo\"\n")
            .unwrap();
        fs::write(root.path().join(odd).join("sites/east.topo"), "site east { }\n").unwrap();
        fs::write(root.path().join("up.topo"), "site west { }\n").unwrap();
        let entry = entry(odd, root.path()).unwrap();
        let analysis = analyze(&entry, &[], Notes::Kept, &mut Disk::new(root.path())).unwrap();
        let paths: Vec<&str> = analysis.sources.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["od\u{fffd}d/main.topo", "od\u{fffd}d/sites/east.topo", "up.topo"]);
    }
}
