//! The only writer of artifacts: puts a build into its folder so that every file is whole, old or new, at any moment.
//!
//! What holds:
//!
//! - **Process killed, disk full, permission denied at any point**: each file is wholly old or wholly new, and the next
//!   build repairs the rest, leftovers included. Files are written beside their place and renamed; a journal
//!   (`.topoc-build`) says beforehand what will be written, the manifest says at the end what was.
//! - **Power loss**: the journal and the manifest are synced to the disk, artifacts are not (20,000 syncs cost minutes on
//!   a plain disk). An artifact may come back empty; the next build sees that, because it compares contents and not
//!   hashes, and `build --check` reports it.
//! - **Files topoc did not write** are neither overwritten nor removed. What topoc wrote it may overwrite and remove,
//!   also when somebody has edited it since.
//! - **Links**: no artifact is read, written or removed through a symbolic link inside the folder. The folder itself may
//!   be a link. This guards against leftovers and mistakes, not against somebody who swaps folders during the build.
//! - **Two builds into one folder**: the second is refused at once.
use std::path::Path;

use rayon::prelude::*;

mod bytes;
mod disk;
mod error;
mod folder;
mod journal;
mod lock;
mod manifest;
mod paths;
mod plan;

pub use bytes::Bytes;
pub use disk::{Disk, Found, RealDisk};
pub use error::StoreError;
pub use manifest::Digest;
pub use paths::PathFault;

use folder::Folder;
use lock::Lock;
use plan::{Plan, Removal, State, Wanted};

/// A file that a build makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// Where it goes, relative to the output folder, parts separated by `/`.
    pub path: String,
    /// All of its content.
    pub bytes: Bytes,
    /// The site whose file this is; none for a file of the whole topology.
    pub site: Option<String>,
    /// Whether it is a program: mode 0755 instead of 0644 on Unix.
    pub executable: bool,
}

/// A source file that a build was made from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Input {
    /// As the manifest shall show it: relative to the project, parts separated by `/`.
    pub path: String,
    /// The hash of its bytes.
    pub sha256: Digest,
}

/// Everything that decides what the folder shall hold.
#[derive(Clone, Copy, Debug)]
pub struct Build<'a> {
    /// The output folder; created when missing.
    pub out: &'a Path,
    /// All artifacts of the topology, in any order; with `site`, those of other sites may be present and are ignored.
    pub artifacts: &'a [Artifact],
    /// All sources, in any order.
    pub inputs: &'a [Input],
    /// The version of topoc, for the manifest.
    pub topoc: &'a str,
    /// Only this site's files are written and removed. The caller has checked that the site exists.
    pub site: Option<&'a str>,
}

/// What a build did, in files; the manifest is not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// New or changed.
    pub written: usize,
    /// Already as wanted; their modification time is kept.
    pub unchanged: usize,
    /// Once written by topoc and no longer wanted.
    pub removed: usize,
}

/// One way in which the folder is not what a build would leave.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// Relative to the output folder.
    pub path: String,
    /// What is wrong with it.
    pub kind: DifferenceKind,
}

/// What is wrong with a file of the output folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DifferenceKind {
    /// Build would write it anew.
    Missing,
    /// Build would write other bytes, or another executable bit.
    Differs,
    /// Not from topoc and not what topoc wants there: build would refuse.
    Foreign,
    /// Topoc wrote it once and wants it no longer: build would remove it.
    Unwanted,
    /// Left by an interrupted build: build would remove it.
    Leftover,
}

/// Puts the artifacts and `manifest.json` into the folder.
///
/// `progress` is called on this thread with (files written, files to write), first with 0 and last with all of them.
///
/// # Errors
/// A refusal ([`StoreError::wrote_nothing`] is true) leaves every file as it was. After an error in the middle every file is whole,
/// old or new, and the next build repairs the rest.
pub fn write(build: &Build<'_>, disk: &dyn Disk, progress: &mut dyn FnMut(usize, usize)) -> Result<Report, StoreError> {
    paths::check_artifacts(build.artifacts)?;
    let folder = Folder::new(build.out, disk);
    folder.create()?;
    let lock = Lock::take(&folder)?;
    let result = write_locked(build, &folder, progress);
    lock.release(&folder);
    result
}

/// How the folder differs from what [`write()`] would leave, sorted by path. Writes nothing and takes no lock, so while a
/// build is running it reports that build's unfinished work.
///
/// # Errors
/// What makes [`write()`] refuse, other than foreign files, and files that cannot be read.
pub fn compare(build: &Build<'_>, disk: &dyn Disk) -> Result<Vec<Difference>, StoreError> {
    paths::check_artifacts(build.artifacts)?;
    let plan = Plan::make(build, &Folder::new(build.out, disk))?;
    let mut differences: Vec<Difference> = plan
        .wanted
        .iter()
        .map(|wanted| (wanted.artifact.path.as_str(), wanted.state))
        .chain([(paths::MANIFEST, plan.manifest_state)])
        .filter_map(|(path, state)| Some(Difference { path: path.to_owned(), kind: state.difference()? }))
        .collect();
    let unwanted = plan.first.files.iter().chain(&plan.last.files);
    differences.extend(unwanted.map(|path| Difference { path: path.clone(), kind: DifferenceKind::Unwanted }));
    differences
        .extend(plan.leftovers.iter().map(|path| Difference { path: path.clone(), kind: DifferenceKind::Leftover }));
    differences.sort();
    Ok(differences)
}

impl State {
    fn difference(self) -> Option<DifferenceKind> {
        match self {
            Self::Same => None,
            Self::Missing => Some(DifferenceKind::Missing),
            Self::Differs => Some(DifferenceKind::Differs),
            Self::Foreign => Some(DifferenceKind::Foreign),
        }
    }
}

/// The order of the steps is what makes a kill harmless: the journal before the first file, the manifest after the
/// last, the journal away only when the manifest knows everything.
fn write_locked(
    build: &Build<'_>,
    folder: &Folder<'_>,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Report, StoreError> {
    let plan = Plan::make(build, folder)?;
    plan.refuse_foreign(folder)?;
    let changed: Vec<&Wanted<'_>> = plan.wanted.iter().filter(|wanted| wanted.state != State::Same).collect();

    plan.leftovers.iter().filter(|path| *path != paths::JOURNAL).try_for_each(|path| folder.remove(path))?;
    if !changed.is_empty() {
        folder.put(paths::JOURNAL, &plan.journal_during(&changed), false, true)?;
    }
    remove(folder, &plan.first)?;
    write_files(folder, &changed, progress)?;
    remove(folder, &plan.last)?;
    if plan.manifest_state != State::Same {
        folder.put(paths::MANIFEST, &plan.manifest, false, true)?;
    }
    match plan.journal_after() {
        Some(bytes) => folder.put(paths::JOURNAL, &bytes, false, true)?,
        None if plan.had_journal || !changed.is_empty() => folder.remove(paths::JOURNAL)?,
        None => {}
    }
    Ok(Report {
        written: changed.len(),
        unchanged: plan.wanted.len() - changed.len(),
        removed: plan.first.files.len() + plan.last.files.len(),
    })
}

fn write_files(
    folder: &Folder<'_>,
    changed: &[&Wanted<'_>],
    progress: &mut dyn FnMut(usize, usize),
) -> Result<(), StoreError> {
    // Small enough for a lively progress bar, large enough that threads seldom wait for each other.
    const BATCH: usize = 64;
    progress(0, changed.len());
    for (batch, files) in changed.chunks(BATCH).enumerate() {
        files.par_iter().try_for_each(|wanted| {
            if wanted.folder_missing {
                folder.create_below(paths::parent(&wanted.artifact.path))?;
            }
            folder.put(&wanted.artifact.path, &wanted.artifact.bytes.get(), wanted.artifact.executable, false)
        })?;
        progress(batch * BATCH + files.len(), changed.len());
    }
    Ok(())
}

fn remove(folder: &Folder<'_>, removal: &Removal) -> Result<(), StoreError> {
    removal.files.par_iter().try_for_each(|path| folder.remove(path))?;
    removal.folders.iter().try_for_each(|path| folder.remove_if_empty(path))
}
