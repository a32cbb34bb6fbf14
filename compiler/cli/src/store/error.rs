//! Why a build could not be written, and what to do first.
use std::fmt;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

use super::disk::Found;
use super::paths::PathFault;

/// Why artifacts could not be written or compared. `Display` says what happened, [`StoreError::help`] what to do.
#[derive(Debug)]
pub enum StoreError {
    /// An artifact path that must not be used.
    BadPath {
        /// The path as given.
        path: String,
        /// What is wrong with it.
        fault: PathFault,
    },
    /// Two artifacts want one place, at least where upper and lower case are the same.
    Collision {
        /// One path.
        first: String,
        /// The other; equal to the first when two artifacts have the same path.
        second: String,
    },
    /// A link, folder, device or file is where topoc wants a file or a folder of its own.
    InTheWay {
        /// The thing in the way.
        path: PathBuf,
        /// What it is.
        found: Found,
    },
    /// Files that topoc did not write are where it wants to write others.
    Foreign {
        /// All of them, sorted; never empty.
        paths: Vec<PathBuf>,
    },
    /// `manifest.json` is not one that this topoc can read, so it cannot know which files are its own.
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Another build is working in the folder.
    Busy {
        /// The folder.
        out: PathBuf,
    },
    /// The system refused an operation.
    Io {
        /// What topoc wanted to do, as a verb.
        action: &'static str,
        /// The file or folder it wanted to do it to.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

impl StoreError {
    /// What the user can do about it.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::BadPath { .. } => "rename the site, broker, connector or client that gives this path its name".into(),
            Self::Collision { .. } => {
                "rename one of the two: names must differ in more than upper and lower case".into()
            }
            Self::InTheWay { found: Found::Link, path } => format!(
                "topoc writes through no link inside its output folder: move `{}` away, or choose another --out",
                path.display()
            ),
            Self::InTheWay { path, .. } => format!("move `{}` away, or choose another --out", path.display()),
            Self::Foreign { paths } => {
                let them = if paths.len() == 1 { "it" } else { "them" };
                format!("move {them} away, or choose another --out; nothing was written")
            }
            Self::Manifest { .. } => {
                "move this file away if it is not topoc's, or choose another --out; nothing was written".into()
            }
            Self::Busy { .. } => "wait until that build has ended, then build again".into(),
            Self::Io { source, path, .. } => io_help(source.kind(), path),
        }
    }

    /// Whether the build was refused before anything was written. Otherwise each file is whole, old or new, and
    /// building again repairs the rest.
    #[must_use]
    pub fn wrote_nothing(&self) -> bool {
        !matches!(self, Self::Io { .. })
    }
}

fn io_help(kind: ErrorKind, path: &std::path::Path) -> String {
    let first = match kind {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "free some space on that disk".into(),
        ErrorKind::PermissionDenied => {
            format!("make `{}` and its folder accessible to this user, or choose another --out", path.display())
        }
        ErrorKind::ReadOnlyFilesystem => "choose an --out on a disk that can be written to".into(),
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
            format!("choose an --out that is a folder; `{}` or something above it is not", path.display())
        }
        ErrorKind::Unsupported => "choose an --out on a file system that can lock files".into(),
        _ => "put right what the system complains of".to_owned(),
    };
    format!("{first}, then build again; every file there is whole")
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadPath { path, fault } => write!(f, "the artifact path {path:?} {fault}"),
            Self::Collision { first, second } if first == second => write!(f, "two artifacts have the path `{first}`"),
            Self::Collision { first, second } => {
                write!(f, "the artifacts `{first}` and `{second}` cannot both be written")
            }
            Self::InTheWay { path, found } => {
                write!(f, "`{}` is {}, which topoc did not put there", path.display(), name(*found))
            }
            Self::Foreign { paths } => {
                let first = paths.first().map(|path| path.display().to_string()).unwrap_or_default();
                match paths.len() {
                    0 | 1 => write!(f, "`{first}` exists and topoc did not write it"),
                    n => write!(f, "`{first}` and {} more files exist and topoc did not write them", n - 1),
                }
            }
            Self::Manifest { path, problem } => write!(f, "`{}` {problem}", path.display()),
            Self::Busy { out } => write!(f, "another topoc is building into `{}`", out.display()),
            Self::Io { action, path, source } => write!(f, "cannot {action} `{}`: {source}", path.display()),
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

fn name(found: Found) -> &'static str {
    match found {
        Found::File { .. } => "a file",
        Found::Folder => "a folder",
        Found::Link => "a symbolic link",
        Found::Other => "a device, pipe or socket",
    }
}
