//! What is in the folder, against what is wanted there: decides every step of a build before the first one is taken.
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use rayon::prelude::*;

use super::disk::Found;
use super::error::StoreError;
use super::folder::Folder;
use super::journal::Journal;
use super::manifest::{self, Row};
use super::{Artifact, Build, paths};

/// How a wanted file is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Missing,
    Same,
    /// Topoc's own file with other content.
    Differs,
    /// Somebody else's file with other content.
    Foreign,
}

pub(super) struct Wanted<'a> {
    pub(super) artifact: &'a Artifact,
    pub(super) row: Row,
    pub(super) state: State,
    /// The folder it goes into must be created first.
    pub(super) folder_missing: bool,
}

#[derive(Default)]
pub(super) struct Removal {
    pub(super) files: Vec<String>,
    /// Folders to remove after the files, once they are empty; the deepest first.
    pub(super) folders: Vec<String>,
}

pub(super) struct Plan<'a> {
    /// Sorted by path.
    pub(super) wanted: Vec<Wanted<'a>>,
    /// What goes away before anything is written, because it stands where a wanted file or its folder goes.
    pub(super) first: Removal,
    /// What goes away when everything is written.
    pub(super) last: Removal,
    pub(super) manifest: Vec<u8>,
    pub(super) manifest_state: State,
    pub(super) had_journal: bool,
    /// What an interrupted build left beside artifacts, its journal included.
    pub(super) leftovers: Vec<String>,
    journal: Journal,
    site: Option<&'a str>,
}

impl<'a> Plan<'a> {
    /// The caller has checked the artifacts' paths. Changes nothing.
    pub(super) fn make(build: &Build<'a>, folder: &Folder<'_>) -> Result<Self, StoreError> {
        let rows = wanted_rows(build);
        let survey = Survey::make(build.site, &rows, folder)?;
        let obsolete = survey.obsolete(&rows)?;
        let wanted = survey.wanted(rows, &obsolete)?;

        let kept = survey.manifest.values().filter(|row| !row.concerns(build.site));
        let all: BTreeMap<&str, &Row> =
            kept.chain(wanted.iter().map(|wanted| &wanted.row)).map(|row| (row.path.as_str(), row)).collect();
        let manifest = manifest::render(build, &all);
        let manifest_state = match &survey.manifest_bytes {
            None => State::Missing,
            Some(bytes) if *bytes == manifest => State::Same,
            Some(_) => State::Differs,
        };
        let leftovers = survey.leftovers()?;
        let (first, last) = part(obsolete, survey.emptied(&wanted), &wanted);
        let Survey { journal, had_journal, site, .. } = survey;
        Ok(Self { wanted, first, last, manifest, manifest_state, had_journal, leftovers, journal, site })
    }

    /// Refuses to overwrite files that topoc did not write.
    pub(super) fn refuse_foreign(&self, folder: &Folder<'_>) -> Result<(), StoreError> {
        let foreign = self.wanted.iter().filter(|wanted| wanted.state == State::Foreign);
        let paths: Vec<_> = foreign.map(|wanted| folder.full(&wanted.artifact.path)).collect();
        if paths.is_empty() { Ok(()) } else { Err(StoreError::Foreign { paths }) }
    }

    /// The journal to write before the first file: what this build and interrupted ones before it write.
    pub(super) fn journal_during(&self, changed: &[&Wanted<'_>]) -> Vec<u8> {
        let mut rows = self.journal.rows.clone();
        rows.extend(changed.iter().map(|wanted| wanted.row.clone()));
        Journal::render(&rows)
    }

    /// The journal to leave at the end: what an interrupted build wrote for sites that this build does not touch.
    pub(super) fn journal_after(&self) -> Option<Vec<u8>> {
        let others = self.journal.rows.iter().filter(|row| !row.concerns(self.site));
        let rows: BTreeSet<Row> = others.cloned().collect();
        (!rows.is_empty()).then(|| Journal::render(&rows))
    }
}

/// Hashes the artifacts that the build shall write, and sorts them by path.
fn wanted_rows<'a>(build: &Build<'a>) -> Vec<(&'a Artifact, Row)> {
    let concerned = |artifact: &&Artifact| build.site.is_none() || artifact.site.as_deref() == build.site;
    let mut rows: Vec<_> = build
        .artifacts
        .par_iter()
        .filter(concerned)
        .map(|artifact| {
            let Artifact { path, bytes, site, executable } = artifact;
            let sha256 = bytes.digest();
            (artifact, Row { path: path.clone(), sha256, site: site.clone(), executable: *executable })
        })
        .collect();
    rows.par_sort_unstable_by(|(a, _), (b, _)| a.path.cmp(&b.path));
    rows
}

/// A path of the folder's tree, on the way to files.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Way {
    Open,
    Missing,
    /// Something that is no folder stands at this path.
    Blocked(String, Found),
}

/// What topoc remembers of the folder, and which of its folders can be walked.
struct Survey<'f, 'a> {
    folder: &'f Folder<'f>,
    site: Option<&'a str>,
    manifest: BTreeMap<String, Row>,
    manifest_bytes: Option<Vec<u8>>,
    journal: Journal,
    had_journal: bool,
    ways: HashMap<String, Way>,
}

impl<'f, 'a> Survey<'f, 'a> {
    fn make(site: Option<&'a str>, rows: &[(&Artifact, Row)], folder: &'f Folder<'f>) -> Result<Self, StoreError> {
        let root = if folder.exists()? { Way::Open } else { Way::Missing };
        let mut survey = Self {
            folder,
            site,
            manifest: BTreeMap::new(),
            manifest_bytes: None,
            journal: Journal::default(),
            had_journal: false,
            ways: HashMap::from([(String::new(), root.clone())]),
        };
        if root == Way::Open {
            survey.remember()?;
        }
        let kept = survey.manifest.values().filter(|row| !row.concerns(site));
        paths::check_together(kept.chain(rows.iter().map(|(_, row)| row)).map(|row| row.path.as_str()))?;
        survey.walk(rows)?;
        Ok(survey)
    }

    fn remember(&mut self) -> Result<(), StoreError> {
        self.manifest_bytes = self.folder.read_if_there(paths::MANIFEST)?;
        if let Some(bytes) = &self.manifest_bytes {
            let path = || self.folder.full(paths::MANIFEST);
            self.manifest = manifest::parse(bytes).map_err(|problem| StoreError::Manifest { path: path(), problem })?;
        }
        if let Some(journal) = Journal::load(self.folder)? {
            self.had_journal = true;
            self.journal = journal;
        }
        Ok(())
    }

    /// Looks at every folder on the way to a file, outer ones first, all of one depth at the same time.
    fn walk(&mut self, rows: &[(&Artifact, Row)]) -> Result<(), StoreError> {
        let listed = self.manifest.values().filter(|row| row.concerns(self.site));
        let all = rows.iter().map(|(_, row)| row).chain(listed).chain(&self.journal.rows);
        let mut levels: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
        let mut last = "";
        for row in all {
            // Neighbours mostly share their folder.
            if paths::parent(&row.path) == last {
                continue;
            }
            last = paths::parent(&row.path);
            for folder in paths::above(&row.path) {
                if !levels.entry(depth(folder)).or_default().insert(folder.to_owned()) {
                    break;
                }
            }
        }
        for level in levels.into_values() {
            let found: Vec<(String, Way)> = level
                .into_par_iter()
                .map(|path| self.look_at_folder(&path).map(|way| (path, way)))
                .collect::<Result<_, _>>()?;
            self.ways.extend(found);
        }
        Ok(())
    }

    fn look_at_folder(&self, path: &str) -> Result<Way, StoreError> {
        match self.way(paths::parent(path)) {
            Way::Open => Ok(match self.folder.look(path)? {
                None => Way::Missing,
                Some(Found::Folder) => Way::Open,
                Some(found) => Way::Blocked(path.to_owned(), found),
            }),
            closed => Ok(closed.clone()),
        }
    }

    fn way(&self, folder: &str) -> &Way {
        self.ways.get(folder).unwrap_or(&Way::Missing)
    }

    /// The files that are there, that topoc wrote, and that this build does not want; sorted.
    fn obsolete(&self, rows: &[(&Artifact, Row)]) -> Result<Vec<String>, StoreError> {
        let wanted: HashSet<&str> = rows.iter().map(|(_, row)| row.path.as_str()).collect();
        let remembered: BTreeSet<&str> = self
            .manifest
            .values()
            .chain(&self.journal.rows)
            .filter(|row| row.concerns(self.site) && !wanted.contains(row.path.as_str()))
            .map(|row| row.path.as_str())
            .collect();
        let found: Vec<Option<String>> = remembered
            .into_par_iter()
            .map(|path| Ok(self.is_ours(path)?.then(|| path.to_owned())))
            .collect::<Result<_, StoreError>>()?;
        Ok(found.into_iter().flatten().collect())
    }

    /// Whether a file is there and topoc wrote it. What somebody has put in its stead (a link, a folder) is not topoc's.
    fn is_ours(&self, path: &str) -> Result<bool, StoreError> {
        if *self.way(paths::parent(path)) != Way::Open {
            return Ok(false);
        }
        match self.folder.look(path)? {
            Some(Found::File { .. }) => {
                // Another site's row may name the path too, when an artifact has moved from one site to another.
                let listed = self.manifest.get(path).map(|row| row.concerns(self.site));
                match listed {
                    Some(ours) => Ok(ours),
                    None => Ok(self.journal.knows(path, &self.folder.read(path)?)),
                }
            }
            _ => Ok(false),
        }
    }

    fn wanted<'w>(&self, rows: Vec<(&'w Artifact, Row)>, obsolete: &[String]) -> Result<Vec<Wanted<'w>>, StoreError> {
        let going: HashSet<&str> = obsolete.iter().map(String::as_str).collect();
        let going_folded: HashSet<String> = obsolete.iter().map(|path| paths::fold(path)).collect();
        let look = |(artifact, row): (&'w Artifact, Row)| {
            let way = self.way(paths::parent(&row.path));
            let mut state = match way {
                Way::Missing => State::Missing,
                Way::Blocked(path, _) if going.contains(path.as_str()) => State::Missing,
                Way::Blocked(path, found) => {
                    return Err(StoreError::InTheWay { path: self.folder.full(path), found: *found });
                }
                Way::Open => self.state(artifact, &going)?,
            };
            // Where upper and lower case are the same, removing the old name removes this file.
            if state == State::Same && !going_folded.is_empty() && going_folded.contains(&paths::fold(&row.path)) {
                state = State::Differs;
            }
            Ok(Wanted { artifact, row, state, folder_missing: *way != Way::Open })
        };
        // All are looked at before the first error is picked, so that it is the same one on every run.
        let found: Vec<Result<Wanted<'w>, StoreError>> = rows.into_par_iter().map(look).collect();
        found.into_iter().collect()
    }

    fn state(&self, artifact: &Artifact, going: &HashSet<&str>) -> Result<State, StoreError> {
        let Artifact { path, bytes, executable, .. } = artifact;
        let in_the_way = |found| Err(StoreError::InTheWay { path: self.folder.full(path), found });
        let (len, runs) = match self.folder.look(path)? {
            None => return Ok(State::Missing),
            Some(Found::File { len, executable }) => (len, executable),
            Some(Found::Folder) if self.is_going(path, going)? => return Ok(State::Missing),
            Some(found) => return in_the_way(found),
        };
        let listed = self.manifest.get(path);
        if len != bytes.len() && (listed.is_some() || !self.journal.mentions(path)) {
            return Ok(if listed.is_some() { State::Differs } else { State::Foreign });
        }
        let there = self.folder.read(path)?;
        if !bytes.same_as(&there) {
            let ours = listed.is_some() || self.journal.knows(path, &there);
            return Ok(if ours { State::Differs } else { State::Foreign });
        }
        // A bit too many is only topoc's concern when topoc set it: some disks show every file as executable.
        let bit_lost = cfg!(unix) && *executable && !runs;
        let bit_left = runs && !*executable && listed.is_some_and(|row| row.executable);
        Ok(if bit_lost || bit_left { State::Differs } else { State::Same })
    }

    /// Whether a folder holds nothing but files that are about to be removed.
    fn is_going(&self, folder: &str, going: &HashSet<&str>) -> Result<bool, StoreError> {
        if !self.ways.contains_key(folder) {
            return Ok(false);
        }
        for name in self.folder.list(folder)? {
            let Some(name) = name else { return Ok(false) };
            let path = format!("{folder}/{name}");
            if !going.contains(path.as_str()) && !self.is_leftover(&path) && !self.is_going(&path, going)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn is_leftover(&self, path: &str) -> bool {
        self.journal.rows.iter().any(|row| paths::temporary(&row.path) == path)
    }

    /// Temporary files of an interrupted build, and its journal, as far as they are there; sorted.
    fn leftovers(&self) -> Result<Vec<String>, StoreError> {
        if *self.way("") != Way::Open {
            return Ok(Vec::new());
        }
        let written: BTreeSet<&str> = self.journal.rows.iter().map(|row| row.path.as_str()).collect();
        let open = written.into_iter().filter(|path| *self.way(paths::parent(path)) == Way::Open);
        let mut candidates: Vec<String> = open.chain([paths::MANIFEST, paths::JOURNAL]).map(paths::temporary).collect();
        candidates.push(paths::JOURNAL.to_owned());
        candidates.sort();
        let found: Vec<Option<String>> = candidates
            .into_par_iter()
            .map(|path| Ok(matches!(self.folder.look(&path)?, Some(Found::File { .. })).then_some(path)))
            .collect::<Result<_, StoreError>>()?;
        Ok(found.into_iter().flatten().collect())
    }

    /// Folders of files that topoc wrote and of no file that it wants; the deepest first.
    fn emptied(&self, wanted: &[Wanted<'_>]) -> Vec<String> {
        let remembered = self.manifest.values().chain(&self.journal.rows).filter(|row| row.concerns(self.site));
        let folders: BTreeSet<&str> = remembered
            .flat_map(|row| paths::above(&row.path))
            .filter(|folder| *self.way(folder) == Way::Open)
            .collect();
        let needed: HashSet<&str> = wanted.iter().flat_map(|wanted| paths::above(&wanted.row.path)).collect();
        let folded: HashSet<String> = if folders.iter().all(|folder| needed.contains(folder)) {
            HashSet::new()
        } else {
            needed.iter().map(|folder| paths::fold(folder)).collect()
        };
        let folders =
            folders.into_iter().filter(|folder| !needed.contains(folder) && !folded.contains(&paths::fold(folder)));
        let mut folders: Vec<String> = folders.map(str::to_owned).collect();
        folders.sort_by_key(|folder| std::cmp::Reverse(depth(folder)));
        folders
    }
}

fn depth(folder: &str) -> usize {
    folder.matches('/').count()
}

/// Parts what goes away: what stands where a wanted file or one of its folders will be, or below it, and the rest.
fn part(files: Vec<String>, folders: Vec<String>, wanted: &[Wanted<'_>]) -> (Removal, Removal) {
    if files.is_empty() && folders.is_empty() {
        return Default::default();
    }
    let new_files: HashSet<String> = wanted.iter().map(|wanted| paths::fold(&wanted.row.path)).collect();
    let new_folders: HashSet<&str> = new_files.iter().flat_map(|path| paths::above(path)).collect();
    let in_the_way = |path: &String| {
        let path = paths::fold(path);
        new_folders.contains(path.as_str())
            || new_files.contains(&path)
            || paths::above(&path).any(|folder| new_files.contains(folder))
    };
    let (first_files, last_files) = files.into_iter().partition(in_the_way);
    let (first_folders, last_folders) = folders.into_iter().partition(in_the_way);
    (Removal { files: first_files, folders: first_folders }, Removal { files: last_files, folders: last_folders })
}
