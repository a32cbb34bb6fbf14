//! Writing over a file of the user's by a rename, so that it is whole, old or new, whatever happens.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Write};
use std::path::Path;

/// Puts content in a file's place. The mode of a file that is there is kept, and a link still leads to it.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let there = fs::metadata(path).ok();
    let path = if there.is_some() { fs::canonicalize(path)? } else { path.to_owned() };
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or(OsStr::new("file")));
    // One name for ever: what an interrupted run leaves, the next one takes away.
    name.push(".topoc-new");
    let beside = path.with_file_name(name);
    let write = || {
        if fs::symlink_metadata(&beside).is_ok() {
            fs::remove_file(&beside)?;
        }
        let mut file = fs::OpenOptions::new().write(true).create_new(true).open(&beside)?;
        if let Some(there) = &there {
            file.set_permissions(there.permissions())?;
        }
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, &path)
    };
    write().inspect_err(|_| drop(fs::remove_file(&beside)))
}
