//! From a path on the command line to a topology: which file is meant, and how the compiler reads it and its imports.

use crate::args::ProjectArgs;
use crate::failure::Failure;
use crate::files::{ReadError, ReadProblem, SOURCE_LIMIT, read_source};
use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::Mutex;
use topoc_compiler::Analysis;
use topoc_compiler::sources::{FileError, Files};

/// The extension of topology files.
pub(crate) const EXTENSION: &str = "topo";

/// Reads and checks the topology that the arguments name, relative to `folder`.
pub(crate) fn analyze(project: &ProjectArgs, folder: &Path) -> Result<Analysis, Failure> {
    let entry = entry(&project.path, folder)?;
    let mut disk = Disk::new(folder);
    let overlays: Vec<String> = project.overlays.iter().map(|path| disk.name(path)).collect();
    let entry = disk.name(&entry);
    let analysis = topoc_compiler::analyze(&entry, &overlays, &disk);
    match disk.refused(analysis.sources.files.iter().take(1 + overlays.len()).map(|file| file.path.as_str())) {
        Some(error) => Err(error.into()),
        None => Ok(analysis),
    }
}

/// The file that PATH means: itself, or in a folder `main.topo` or else the only topology there is.
fn entry(path: &Path, folder: &Path) -> Result<PathBuf, Failure> {
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
struct Disk<'a> {
    folder: &'a Path,
    /// Real paths of files and folders whose names are no UTF-8, by the text that stands for them.
    odd: HashMap<String, PathBuf>,
    /// Why files could not be read.
    refusals: Mutex<HashMap<String, ReadError>>,
}

impl<'a> Disk<'a> {
    fn new(folder: &'a Path) -> Self {
        Self { folder, odd: HashMap::new(), refusals: Mutex::new(HashMap::new()) }
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
    fn path(&self, name: &str) -> PathBuf {
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
    fn refused<'n>(self, names: impl Iterator<Item = &'n str>) -> Option<ReadError> {
        let mut refusals = self.refusals.into_inner().unwrap_or_default();
        let error = names.into_iter().find_map(|name| refusals.remove(name).map(|error| (name, error)));
        error.map(|(name, error)| ReadError { path: name.into(), ..error })
    }
}

impl Files for Disk<'_> {
    fn read(&self, name: &str) -> Result<Vec<u8>, FileError> {
        read_source(&self.path(name), SOURCE_LIMIT).map_err(|error| {
            let said = said(&error.problem);
            if let (false, Ok(mut refusals)) = (matches!(said, FileError::TooLarge(_)), self.refusals.lock()) {
                refusals.insert(name.to_owned(), error);
            }
            said
        })
    }
}

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

fn text(path: &Path) -> String {
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
        let project = ProjectArgs { path: odd.into(), overlays: Vec::new() };
        let analysis = analyze(&project, root.path()).unwrap();
        let paths: Vec<&str> = analysis.sources.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["od\u{fffd}d/main.topo", "od\u{fffd}d/sites/east.topo", "up.topo"]);
    }
}
