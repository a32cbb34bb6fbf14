//! Every operation on files that the store makes, as a trait, so that tests can let any one of them fail.
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

/// What is at a path; links are not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// A regular file.
    File {
        /// Its size in bytes.
        len: u64,
        /// Whether its owner may run it; always false where the system has no such bit.
        executable: bool,
    },
    /// A folder.
    Folder,
    /// A symbolic link, whatever it leads to.
    Link,
    /// A device, pipe or socket.
    Other,
}

/// The operations on files. Errors are the system's own; callers add the path. All may be called from many threads.
#[expect(clippy::missing_errors_doc, reason = "every method returns the system's error, as the trait says")]
pub trait Disk: Sync {
    /// What is at `path`; `None` when nothing is.
    fn look(&self, path: &Path) -> io::Result<Option<Found>>;
    /// Whether `path`, links followed, is a folder. Something else than a folder is an error.
    fn is_folder(&self, path: &Path) -> io::Result<bool>;
    /// All bytes of a file.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;
    /// The names in a folder that are UTF-8, and `None` for each that is not.
    fn list(&self, path: &Path) -> io::Result<Vec<Option<String>>>;
    /// Creates one folder.
    fn create_folder(&self, path: &Path) -> io::Result<()>;
    /// Creates a folder and all above it; links are followed.
    fn create_folders(&self, path: &Path) -> io::Result<()>;
    /// Creates a file that does not exist yet (mode 0644, or 0755 when executable) and writes all of it. `durable`: back
    /// only when the bytes survive a power loss.
    fn write_new(&self, path: &Path, bytes: &[u8], executable: bool, durable: bool) -> io::Result<()>;
    /// Renames a file, replacing what file is there, in one step.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file, or a link itself.
    fn remove_file(&self, path: &Path) -> io::Result<()>;
    /// Removes an empty folder.
    fn remove_folder(&self, path: &Path) -> io::Result<()>;
    /// Opens the lock file, creating it when missing. Does not lock it, and changes nothing in it.
    fn open_lock(&self, path: &Path) -> io::Result<File>;
}

/// The machine's own files.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn look(&self, path: &Path) -> io::Result<Option<Found>> {
        let metadata = match fs::symlink_metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let kind = metadata.file_type();
        Ok(Some(if kind.is_file() {
            Found::File { len: metadata.len(), executable: is_executable(&metadata) }
        } else if kind.is_dir() {
            Found::Folder
        } else if kind.is_symlink() {
            Found::Link
        } else {
            Found::Other
        }))
    }

    fn is_folder(&self, path: &Path) -> io::Result<bool> {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => Ok(true),
            Ok(_) => Err(ErrorKind::NotADirectory.into()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        fs::read(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Option<String>>> {
        fs::read_dir(path)?.map(|entry| Ok(entry?.file_name().into_string().ok())).collect()
    }

    fn create_folder(&self, path: &Path) -> io::Result<()> {
        fs::create_dir(path)
    }

    fn create_folders(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    fn write_new(&self, path: &Path, bytes: &[u8], executable: bool, durable: bool) -> io::Result<()> {
        // `create_new` fails on whatever is there, a link included, so nothing is ever written elsewhere.
        let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
        set_mode(&file, executable)?;
        file.write_all(bytes)?;
        if durable { file.sync_all() } else { Ok(()) }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir(path)
    }

    fn open_lock(&self, path: &Path) -> io::Result<File> {
        match OpenOptions::new().write(true).create_new(true).open(path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            result => return result,
        }
        if !fs::symlink_metadata(path)?.is_file() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "it is not a regular file"));
        }
        OpenOptions::new().write(true).open(path)
    }
}

#[cfg(unix)]
fn is_executable(metadata: &fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o100 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &fs::Metadata) -> bool {
    false
}

/// Set after creation, because the mode given at creation is cut by the umask, and the same build shall give the same
/// modes everywhere.
#[cfg(unix)]
fn set_mode(file: &File, executable: bool) -> io::Result<()> {
    let mode = if executable { 0o755 } else { 0o644 };
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_: &File, _: bool) -> io::Result<()> {
    Ok(())
}
