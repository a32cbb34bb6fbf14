//! The output folder: file operations on relative paths, with errors that name the file.
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::disk::{Disk, Found};
use super::error::StoreError;
use super::paths;

#[derive(Clone, Copy)]
pub(super) struct Folder<'a> {
    pub(super) root: &'a Path,
    pub(super) disk: &'a dyn Disk,
}

impl<'a> Folder<'a> {
    pub(super) fn new(root: &'a Path, disk: &'a dyn Disk) -> Self {
        let root = if root.as_os_str().is_empty() { Path::new(".") } else { root };
        Self { root, disk }
    }

    pub(super) fn full(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    pub(super) fn exists(&self) -> Result<bool, StoreError> {
        self.disk.is_folder(self.root).map_err(|source| self.error("open the folder", "", source))
    }

    pub(super) fn create(&self) -> Result<(), StoreError> {
        self.disk.create_folders(self.root).map_err(|source| self.error("create the folder", "", source))
    }

    pub(super) fn look(&self, path: &str) -> Result<Option<Found>, StoreError> {
        self.disk.look(&self.full(path)).map_err(|source| self.error("look at", path, source))
    }

    pub(super) fn read(&self, path: &str) -> Result<Vec<u8>, StoreError> {
        self.disk.read(&self.full(path)).map_err(|source| self.error("read", path, source))
    }

    /// The bytes of a regular file; `None` when there is none. Anything else there is refused.
    pub(super) fn read_if_there(&self, path: &str) -> Result<Option<Vec<u8>>, StoreError> {
        match self.look(path)? {
            None => Ok(None),
            Some(Found::File { .. }) => self.read(path).map(Some),
            Some(found) => Err(StoreError::InTheWay { path: self.full(path), found }),
        }
    }

    pub(super) fn list(&self, path: &str) -> Result<Vec<Option<String>>, StoreError> {
        self.disk.list(&self.full(path)).map_err(|source| self.error("list", path, source))
    }

    /// Creates a folder below the root, and those between.
    pub(super) fn create_below(&self, path: &str) -> Result<(), StoreError> {
        match self.disk.create_folder(&self.full(path)) {
            Err(error) if error.kind() == ErrorKind::NotFound && !path.is_empty() => {
                self.create_below(paths::parent(path))?;
                self.create_below(path)
            }
            // Another thread was quicker; the plan has made sure that nothing else than a folder is there.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            result => result.map_err(|source| self.error("create the folder", path, source)),
        }
    }

    /// Writes a file beside its place and renames it, so that its place only ever holds a whole file.
    pub(super) fn put(&self, path: &str, bytes: &[u8], executable: bool, durable: bool) -> Result<(), StoreError> {
        let temporary = self.full(&paths::temporary(path));
        let result = self
            .write_over(&temporary, bytes, executable, durable)
            .and_then(|()| self.disk.rename(&temporary, &self.full(path)));
        result.map_err(|source| {
            // Gives the space back on a full disk. When this fails too, the next build does it.
            let _ = self.disk.remove_file(&temporary);
            self.error("write", path, source)
        })
    }

    fn write_over(&self, path: &Path, bytes: &[u8], executable: bool, durable: bool) -> io::Result<()> {
        match self.disk.write_new(path, bytes, executable, durable) {
            // The name is topoc's own: a leftover whose journal somebody has deleted.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                self.disk.remove_file(path)?;
                self.disk.write_new(path, bytes, executable, durable)
            }
            result => result,
        }
    }

    /// Removes a file; one that is gone already is fine.
    pub(super) fn remove(&self, path: &str) -> Result<(), StoreError> {
        match self.disk.remove_file(&self.full(path)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(self.error("remove", path, error)),
            _ => Ok(()),
        }
    }

    /// Removes a folder unless something is in it; one that is gone already is fine.
    pub(super) fn remove_if_empty(&self, path: &str) -> Result<(), StoreError> {
        match self.disk.remove_folder(&self.full(path)) {
            Ok(()) => Ok(()),
            // POSIX rmdir: a folder that is not empty is ENOTEMPTY or EEXIST.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists | ErrorKind::NotFound
                ) =>
            {
                Ok(())
            }
            Err(error) => Err(self.error("remove the folder", path, error)),
        }
    }

    pub(super) fn error(&self, action: &'static str, path: &str, source: io::Error) -> StoreError {
        let path = if path.is_empty() { self.root.to_owned() } else { self.full(path) };
        StoreError::Io { action, path, source }
    }
}
