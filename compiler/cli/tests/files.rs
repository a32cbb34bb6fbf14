//! Reading sources: what is too large, no file at all or without an end is refused, and never waited for.
use std::fs::{self, File};
use std::path::Path;

use topoc::files::{ReadError, ReadProblem, SOURCE_LIMIT, read_source};

fn check_refused(path: &Path, limit: u64, reason: &str) -> ReadError {
    let error = read_source(path, limit).expect_err(reason);
    let message = format!("{error}; {}", error.help());
    assert!(message.contains(reason), "{message}");
    assert!(message.contains(&path.display().to_string()), "{message}");
    error
}

#[test]
fn a_file_is_read_byte_by_byte() {
    let folder = tempfile::tempdir().unwrap();
    for content in [&b""[..], b"a", b"\xEF\xBB\xBFa\r\n\0\xFF"] {
        let path = folder.path().join("a.topo");
        fs::write(&path, content).unwrap();
        assert_eq!(read_source(&path, SOURCE_LIMIT).unwrap(), content);
    }
}

#[test]
fn the_limit_itself_is_allowed_and_one_more_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.topo");
    fs::write(&path, [b'x'; 101]).unwrap();
    assert_eq!(read_source(&path, 101).unwrap().len(), 101);
    check_refused(&path, 100, "is too large: 101 bytes, and the limit is 100 bytes; split it");
}

#[test]
fn thirty_one_mib_are_read_and_thirty_three_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.topo");
    let file = File::create(&path).unwrap();
    file.set_len(31 * 1024 * 1024).unwrap();
    assert_eq!(read_source(&path, SOURCE_LIMIT).unwrap().len(), 31 * 1024 * 1024);
    file.set_len(33 * 1024 * 1024).unwrap();
    check_refused(&path, SOURCE_LIMIT, "is too large: 33 MiB, and the limit is 32 MiB");
    file.set_len(SOURCE_LIMIT + 1).unwrap();
    check_refused(&path, SOURCE_LIMIT, "is too large: 33554433 bytes, and the limit is 32 MiB");
    // Refused by its size alone: nobody could read this much.
    file.set_len(1 << 42).unwrap();
    check_refused(&path, SOURCE_LIMIT, "is too large");
}

#[test]
fn a_missing_file_and_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    check_refused(&folder.path().join("a.topo"), SOURCE_LIMIT, "there is no file");
    check_refused(folder.path(), SOURCE_LIMIT, "is a folder, not a file");
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn devices_pipes_and_sockets_are_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let link = folder.path().join("link");
        symlink("/dev/zero", &link).unwrap();
        for path in [Path::new("/dev/zero"), Path::new("/dev/null"), &pipe, &socket, &link] {
            let error = check_refused(path, SOURCE_LIMIT, "not a regular file");
            assert!(matches!(error.problem, ReadProblem::Special));
        }
    }

    #[test]
    fn links_are_followed_and_broken_ones_missing() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.topo"), "a").unwrap();
        symlink("a.topo", folder.path().join("good")).unwrap();
        symlink("nothing", folder.path().join("broken")).unwrap();
        symlink("round", folder.path().join("round")).unwrap();
        assert_eq!(read_source(&folder.path().join("good"), 10).unwrap(), b"a");
        check_refused(&folder.path().join("broken"), 10, "there is no file");
        check_refused(&folder.path().join("round"), 10, "cannot read");
    }

    #[test]
    fn a_file_that_tells_no_size_is_bounded_while_it_is_read() {
        // proc(5): files there have size 0. This one has some hundred bytes.
        let path = Path::new("/proc/self/status");
        if cfg!(target_os = "linux") {
            assert!(!read_source(path, SOURCE_LIMIT).unwrap().is_empty());
            check_refused(path, 10, "is too large: more than 10 bytes");
        }
    }

    #[test]
    fn a_file_that_may_not_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.topo");
        fs::write(&path, "a").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
        // The superuser may read everything, so there the case cannot be had.
        if File::open(&path).is_err() {
            check_refused(&path, SOURCE_LIMIT, "may not be read by this user; make the file");
        }
    }
}
