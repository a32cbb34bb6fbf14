//! Keeps two builds out of one folder: a lock file that the system unlocks when its process ends, however it ends.
use std::fs::{self, File, TryLockError};
use std::path::Path;

use super::error::StoreError;
use super::folder::Folder;
use super::paths;

/// Held while a build works in the folder.
pub(super) struct Lock {
    file: File,
}

impl Lock {
    pub(super) fn take(folder: &Folder<'_>) -> Result<Self, StoreError> {
        // Each round is lost only to a build that ended just now and took its lock file away.
        const ROUNDS: usize = 16;
        let path = folder.full(paths::LOCK);
        for _ in 0..ROUNDS {
            let file = match folder.disk.open_lock(&path) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                result => result.map_err(|source| folder.error("open the lock", paths::LOCK, source))?,
            };
            match file.try_lock() {
                Ok(()) if is_still_at(&file, &path) => return Ok(Self { file }),
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => break,
                Err(TryLockError::Error(source)) => return Err(folder.error("lock", paths::LOCK, source)),
            }
        }
        Err(StoreError::Busy { out: folder.root.to_owned() })
    }

    /// Takes the lock file away, so that the folder holds nothing but the build. Failing to is harmless: an unlocked
    /// lock file stops nobody, and the next build takes it away.
    pub(super) fn release(self, folder: &Folder<'_>) {
        if cfg!(unix) {
            let _ = folder.remove(paths::LOCK);
        }
        let _ = self.file.unlock();
    }
}

/// Whether the locked file is the one that others would open now. Without this, a lock on a file that was just taken
/// away would let two builds in. It also sees through a link that was put there in between.
#[cfg(unix)]
fn is_still_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(mine), Ok(there)) => there.is_file() && (mine.dev(), mine.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

/// Elsewhere the lock file stays in the folder for good.
#[cfg(not(unix))]
fn is_still_at(_: &File, path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|there| there.is_file())
}
