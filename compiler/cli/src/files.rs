//! Reading source files: bounded, and never waiting for a device or pipe.
use std::fmt;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// The largest source file that topoc reads, in bytes: 32 MiB. A topology of 10,000 brokers has about 5 MB.
pub const SOURCE_LIMIT: u64 = 32 * 1024 * 1024;

/// Reads a whole source file of at most `limit` bytes, most often [`SOURCE_LIMIT`]. Links are followed.
///
/// # Errors
/// A file that is missing, not readable, too large (this is seen before anything is read, and again while reading,
/// since a file may grow and some tell no size), or no regular file: devices and pipes could have no end.
pub fn read_source(path: &Path, limit: u64) -> Result<Vec<u8>, ReadError> {
    let fail = |problem| ReadError { path: path.to_owned(), problem };
    let system = |error: io::Error| {
        fail(match error.kind() {
            ErrorKind::NotFound => ReadProblem::Missing,
            ErrorKind::PermissionDenied => ReadProblem::NotAllowed,
            _ => ReadProblem::System(error),
        })
    };
    // Looked at before it is opened: opening a pipe waits for somebody to write into it.
    check(&fs::metadata(path).map_err(system)?, limit).map_err(fail)?;
    let file = File::open(path).map_err(system)?;
    // And again, in case another file has taken its place.
    let metadata = file.metadata().map_err(system)?;
    check(&metadata, limit).map_err(fail)?;

    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default() + 1);
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(system)?;
    if bytes.len() as u64 > limit {
        return Err(fail(ReadProblem::TooLarge { size: None, limit }));
    }
    Ok(bytes)
}

fn check(metadata: &fs::Metadata, limit: u64) -> Result<(), ReadProblem> {
    if metadata.is_dir() {
        Err(ReadProblem::Folder)
    } else if !metadata.is_file() {
        Err(ReadProblem::Special)
    } else if metadata.len() > limit {
        Err(ReadProblem::TooLarge { size: Some(metadata.len()), limit })
    } else {
        Ok(())
    }
}

/// Why a source file was not read. `Display` says what happened, [`ReadError::help`] what to do.
#[derive(Debug)]
pub struct ReadError {
    /// The file, as the caller named it.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: ReadProblem,
}

/// What kept a source file from being read.
#[derive(Debug)]
pub enum ReadProblem {
    /// Nothing is there, or a link leads nowhere.
    Missing,
    /// This user may not read it.
    NotAllowed,
    /// It is a folder.
    Folder,
    /// It is a device, pipe or socket.
    Special,
    /// It has more bytes than the limit.
    TooLarge {
        /// Its size in bytes, where it tells it.
        size: Option<u64>,
        /// The limit in bytes.
        limit: u64,
    },
    /// Another error of the system.
    System(io::Error),
}

impl ReadError {
    /// What the user can do about it.
    #[must_use]
    pub fn help(&self) -> String {
        match &self.problem {
            ReadProblem::Missing => "check the spelling and the folder".into(),
            ReadProblem::NotAllowed => "make the file and its folders readable for this user".into(),
            ReadProblem::Folder => "name a `.topo` file in it".into(),
            ReadProblem::Special => "write the topology to a file and name that".into(),
            ReadProblem::TooLarge { .. } => "split it into several files and `import` them".into(),
            ReadProblem::System(_) => "put right what the system complains of".into(),
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.problem {
            ReadProblem::Missing => write!(f, "there is no file `{path}`"),
            ReadProblem::NotAllowed => write!(f, "`{path}` may not be read by this user"),
            ReadProblem::Folder => write!(f, "`{path}` is a folder, not a file"),
            ReadProblem::Special => write!(f, "`{path}` is a device, pipe or socket, not a regular file"),
            ReadProblem::TooLarge { size, limit } => {
                write!(f, "`{path}` is too large: {}, and the limit is {}", Size(*size, *limit), bytes(*limit))
            }
            ReadProblem::System(error) => write!(f, "cannot read `{path}`: {error}"),
        }
    }
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.problem {
            ReadProblem::System(error) => Some(error),
            _ => None,
        }
    }
}

/// The size of a file that is over a limit.
struct Size(Option<u64>, u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(size) => f.write_str(&bytes(size)),
            None => write!(f, "more than {}", bytes(self.1)),
        }
    }
}

/// A number of bytes; in MiB when that is exact, so that no file of 32 MiB and a byte seems to have 32 MiB.
fn bytes(count: u64) -> String {
    const MIB: u64 = 1024 * 1024;
    if count >= MIB && count.is_multiple_of(MIB) { format!("{} MiB", count / MIB) } else { format!("{count} bytes") }
}
