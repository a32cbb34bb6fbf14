//! What the store promises: whole files at any moment, nobody's file lost, nothing outside its folder, the same bytes.
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tempfile::TempDir;
use topoc::store::{
    Artifact, Build, Bytes, Difference, DifferenceKind, Digest, Disk, Found, Input, RealDisk, Report, StoreError,
    compare, write,
};

/// A topology's artifacts in short: (path, content); a content that begins with `#!` is executable, and the first part
/// of a path with a `/` is its site.
type Files = [(&'static str, &'static str)];

fn artifacts(files: &Files) -> Vec<Artifact> {
    let artifact = |(path, content): &(&str, &str)| Artifact {
        path: (*path).to_owned(),
        bytes: Bytes::Whole(content.as_bytes().to_vec()),
        site: path.split_once('/').map(|(site, _)| site.to_owned()),
        executable: content.starts_with("#!"),
    };
    files.iter().map(artifact).collect()
}

fn inputs() -> Vec<Input> {
    vec![Input { path: "main.topo".into(), sha256: Digest::of(b"main") }]
}

fn build_on(disk: &dyn Disk, out: &Path, files: &Files, site: Option<&str>) -> Result<Report, StoreError> {
    let (artifacts, inputs) = (artifacts(files), inputs());
    let build = Build { out, artifacts: &artifacts, inputs: &inputs, topoc: "0.1.0", site };
    write(&build, disk, &mut |_, _| {})
}

fn build(out: &Path, files: &Files) -> Result<Report, StoreError> {
    build_on(&RealDisk, out, files, None)
}

fn differences(out: &Path, files: &Files, site: Option<&str>) -> Vec<(String, DifferenceKind)> {
    let (artifacts, inputs) = (artifacts(files), inputs());
    let build = Build { out, artifacts: &artifacts, inputs: &inputs, topoc: "0.1.0", site };
    let all = compare(&build, &RealDisk).expect("the folder can be compared");
    all.into_iter().map(|Difference { path, kind }| (path, kind)).collect()
}

fn report(written: usize, unchanged: usize, removed: usize) -> Report {
    Report { written, unchanged, removed }
}

/// A folder for one test.
fn scratch() -> TempDir {
    TempDir::new().expect("a folder for the test")
}

/// Everything below a folder: path to (mode, content); folders end with `/`.
fn tree(root: &Path) -> BTreeMap<String, (u32, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("folder can be listed") {
            let path = entry.expect("entry").path();
            let name = path.strip_prefix(root).expect("below the root").display().to_string();
            let metadata = fs::symlink_metadata(&path).expect("metadata");
            if metadata.is_dir() {
                found.insert(name + "/", (0, Vec::new()));
                open.push(path);
            } else {
                found.insert(name, (mode(&metadata), fs::read(&path).unwrap_or_default()));
            }
        }
    }
    found
}

#[cfg(unix)]
fn mode(metadata: &fs::Metadata) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o7777
}

#[cfg(not(unix))]
fn mode(_: &fs::Metadata) -> u32 {
    0
}

fn put(path: &Path, content: &str) {
    fs::create_dir_all(path.parent().expect("has a folder")).expect("folder");
    fs::write(path, content).expect("file");
}

/// Every kind of change between two builds, in one.
const OLD: &Files = &[
    ("summary.txt", "old summary"),
    ("east/amq-1/activemq.xml", "<broker one/>"),
    ("east/amq-2/activemq.xml", "<broker two/>"),
    ("east/gc-1/connector.properties", "same in both"),
    ("east/gc-1/gc-1", "#! old program"),
    ("east/gone/deep/er/client.properties", "no longer wanted"),
    ("east/gone/client.properties", "no longer wanted either"),
    ("west/file-to-folder", "a file"),
    ("west/folder-to-file/a/b", "in a folder"),
    ("west/plain-to-program", "plain"),
];
const NEW: &Files = &[
    ("summary.txt", "new summary, longer than the old one"),
    ("east/amq-1/activemq.xml", "<broker 1/>"),
    ("east/amq-2/activemq.xml", "<broker TWO/>"),
    ("east/gc-1/connector.properties", "same in both"),
    ("east/gc-1/gc-1", "#! new program"),
    ("east/fresh/of/east/activemq.xml", "<broker fresh/>"),
    ("west/file-to-folder/a/b", "now in a folder"),
    ("west/folder-to-file", "now a file"),
    ("west/plain-to-program", "#! now a program"),
];
const THIRD: &Files = &[
    ("east/amq-1/activemq.xml", "<broker third/>"),
    ("west/file-to-folder", "a file again"),
    ("west/third/activemq.xml", "<broker west/>"),
];

fn fresh(files: &Files) -> BTreeMap<String, (u32, Vec<u8>)> {
    let folder = scratch();
    build(folder.path(), files).expect("a fresh build");
    tree(folder.path())
}

// ---- what a build leaves ----

#[test]
fn a_fresh_build_holds_the_artifacts_and_a_manifest_only() {
    let folder = scratch();
    let out = folder.path().join("not/there/yet");
    assert_eq!(build(&out, NEW).unwrap(), report(9, 0, 0));
    let found = tree(&out);
    let files: Vec<&str> = found.keys().map(String::as_str).filter(|path| !path.ends_with('/')).collect();
    let mut wanted: Vec<&str> = NEW.iter().map(|(path, _)| *path).chain(["manifest.json"]).collect();
    wanted.sort_unstable();
    assert_eq!(files, wanted);
    for (path, content) in NEW {
        assert_eq!(found[*path].1, content.as_bytes(), "{path}");
    }
}

#[test]
fn the_manifest_is_sorted_and_tells_every_hash() {
    let folder = scratch();
    build(folder.path(), &[("west/gc", "#!x"), ("b.txt", "b"), ("east/a", "abc")]).unwrap();
    let expected = r##"{
  "version": 1,
  "topoc": "0.1.0",
  "inputs": [
    {
      "path": "main.topo",
      "sha256": "MAIN"
    }
  ],
  "artifacts": [
    {
      "path": "b.txt",
      "sha256": "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d"
    },
    {
      "path": "east/a",
      "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      "site": "east"
    },
    {
      "path": "west/gc",
      "sha256": "GC",
      "site": "west",
      "executable": true
    }
  ]
}
"##;
    let found = fs::read_to_string(folder.path().join("manifest.json")).unwrap();
    let expected = expected.replace("MAIN", &Digest::of(b"main").to_string());
    let expected = expected.replace("GC", &Digest::of(b"#!x").to_string());
    assert_eq!(found, expected);
}

#[test]
fn order_of_artifacts_and_inputs_changes_nothing() {
    let (one, two) = (scratch(), scratch());
    let mut artifacts = artifacts(NEW);
    let mut inputs = vec![
        Input { path: "b.topo".into(), sha256: Digest::of(b"b") },
        Input { path: "a.topo".into(), sha256: Digest::of(b"a") },
    ];
    for out in [one.path(), two.path()] {
        let build = Build { out, artifacts: &artifacts, inputs: &inputs, topoc: "0.1.0", site: None };
        write(&build, &RealDisk, &mut |_, _| {}).unwrap();
        artifacts.reverse();
        inputs.reverse();
    }
    assert_eq!(tree(one.path()), tree(two.path()));
}

#[test]
fn a_second_build_touches_nothing() {
    let folder = scratch();
    build(folder.path(), NEW).unwrap();
    let times = |root: &Path| -> Vec<_> {
        let paths = tree(root).into_keys();
        paths.map(|path| (fs::metadata(root.join(&path)).unwrap().modified().unwrap(), path)).collect()
    };
    let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    for path in tree(folder.path()).into_keys() {
        File::open(folder.path().join(path)).unwrap().set_modified(long_ago).unwrap();
    }
    let before = (tree(folder.path()), times(folder.path()));
    assert_eq!(build(folder.path(), NEW).unwrap(), report(0, 9, 0));
    assert_eq!((tree(folder.path()), times(folder.path())), before);
}

#[test]
fn unchanged_files_keep_their_time_when_others_change() {
    let folder = scratch();
    build(folder.path(), OLD).unwrap();
    let same = folder.path().join("east/gc-1/connector.properties");
    let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    File::open(&same).unwrap().set_modified(long_ago).unwrap();
    assert_eq!(build(folder.path(), NEW).unwrap(), report(8, 1, 4));
    assert_eq!(fs::metadata(&same).unwrap().modified().unwrap(), long_ago);
    assert_eq!(tree(folder.path()), fresh(NEW));
}

#[test]
fn an_edited_artifact_of_the_same_size_is_repaired() {
    let folder = scratch();
    build(folder.path(), NEW).unwrap();
    put(&folder.path().join("east/amq-1/activemq.xml"), "<broker 2/>");
    assert_eq!(build(folder.path(), NEW).unwrap(), report(1, 8, 0));
    assert_eq!(tree(folder.path()), fresh(NEW));
}

#[test]
fn progress_begins_with_nothing_and_ends_with_all() {
    let folder = scratch();
    let (artifacts, inputs) = (many(600, 0), inputs());
    let build = Build { out: folder.path(), artifacts: &artifacts, inputs: &inputs, topoc: "0", site: None };
    let mut seen = Vec::new();
    write(&build, &RealDisk, &mut |done, total| seen.push((done, total))).unwrap();
    assert_eq!((seen.first(), seen.last()), (Some(&(0, 600)), Some(&(600, 600))));
    assert!(seen.is_sorted());
}

#[cfg(unix)]
#[test]
fn modes_are_those_of_plain_files_and_programs() {
    let found = fresh(NEW);
    for (path, content) in NEW {
        let wanted = if content.starts_with("#!") { 0o755 } else { 0o644 };
        assert_eq!(found[*path].0, wanted, "{path}");
    }
    assert_eq!(found["manifest.json"].0, 0o644);
}

#[cfg(unix)]
#[test]
fn a_lost_executable_bit_is_restored() {
    use std::os::unix::fs::PermissionsExt;
    let folder = scratch();
    build(folder.path(), NEW).unwrap();
    let program = folder.path().join("east/gc-1/gc-1");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(differences(folder.path(), NEW, None), [("east/gc-1/gc-1".into(), DifferenceKind::Differs)]);
    assert_eq!(build(folder.path(), NEW).unwrap(), report(1, 8, 0));
    assert_eq!(mode(&fs::metadata(&program).unwrap()), 0o755);
    // A disk that shows every file as executable (a Windows disk, say) is not written again at every build.
    let plain = folder.path().join("summary.txt");
    fs::set_permissions(&plain, fs::Permissions::from_mode(0o777)).unwrap();
    assert_eq!(build(folder.path(), NEW).unwrap(), report(0, 9, 0));
}

// ---- whose files ----

#[test]
fn files_of_the_user_stay() {
    let folder = scratch();
    build(folder.path(), OLD).unwrap();
    for path in ["notes.txt", "east/gone/deep/notes.txt", "west/mine/notes.txt"] {
        put(&folder.path().join(path), "mine");
    }
    build(folder.path(), NEW).unwrap();
    let mut wanted = fresh(NEW);
    let mine = mode(&fs::metadata(folder.path().join("notes.txt")).unwrap());
    for path in ["notes.txt", "east/gone/deep/notes.txt", "west/mine/notes.txt"] {
        wanted.insert(path.into(), (mine, b"mine".to_vec()));
    }
    for path in ["east/gone/", "east/gone/deep/", "west/mine/"] {
        wanted.insert(path.into(), (0, Vec::new()));
    }
    assert_eq!(tree(folder.path()), wanted);
}

/// A build of `NEW` over `OLD` in a folder that `spoil` has changed is refused, and nothing changes.
fn check_refused(spoil: impl FnOnce(&Path), reason: &str) {
    let folder = scratch();
    build(folder.path(), OLD).expect("the older build");
    spoil(folder.path());
    let before = tree(folder.path());
    let error = build(folder.path(), NEW).expect_err(reason);
    assert!(error.wrote_nothing(), "{error}");
    let message = format!("{error}; {}", error.help());
    assert!(message.contains(reason), "{message}");
    assert_eq!(tree(folder.path()), before, "{message}");
}

#[test]
fn a_foreign_file_in_place_of_an_artifact_is_refused() {
    check_refused(
        |out| put(&out.join("east/fresh/of/east/activemq.xml"), "mine"),
        "activemq.xml` exists and topoc did not write it; move it away",
    );
}

#[test]
fn an_empty_foreign_file_is_refused_too() {
    check_refused(|out| put(&out.join("east/fresh/of/east/activemq.xml"), ""), "topoc did not write it");
}

#[test]
fn a_foreign_file_with_the_same_content_is_taken_over() {
    let folder = scratch();
    build(folder.path(), OLD).unwrap();
    put(&folder.path().join("east/fresh/of/east/activemq.xml"), "<broker fresh/>");
    assert_eq!(build(folder.path(), NEW).unwrap(), report(7, 2, 4));
    build(folder.path(), THIRD).unwrap();
    assert_eq!(tree(folder.path()), fresh(THIRD));
}

#[test]
fn a_foreign_file_in_place_of_a_folder_is_refused() {
    check_refused(|out| put(&out.join("east/fresh"), "mine"), "east/fresh` is a file");
}

#[test]
fn a_foreign_folder_in_place_of_an_artifact_is_refused() {
    check_refused(
        |out| {
            fs::remove_file(out.join("summary.txt")).unwrap();
            fs::create_dir(out.join("summary.txt")).unwrap();
        },
        "summary.txt` is a folder",
    );
}

#[test]
fn a_users_file_in_a_folder_that_shall_become_a_file_is_refused() {
    check_refused(|out| put(&out.join("west/folder-to-file/a/mine"), "mine"), "folder-to-file` is a folder");
}

#[test]
fn a_users_folder_in_a_folder_that_shall_become_a_file_is_refused() {
    check_refused(|out| fs::create_dir(out.join("west/folder-to-file/mine")).unwrap(), "folder-to-file` is a folder");
}

#[test]
fn somebody_elses_manifest_is_refused() {
    for text in ["", "{}", r#"{"name": "web app", "version": 3}"#, "\0\0\0"] {
        check_refused(|out| put(&out.join("manifest.json"), text), "move this file away");
    }
}

#[test]
fn a_manifest_cannot_make_topoc_remove_files_elsewhere() {
    let folder = scratch();
    let out = folder.path().join("dist");
    put(&folder.path().join("precious"), "mine");
    build(&out, OLD).unwrap();
    let manifest = fs::read_to_string(out.join("manifest.json")).unwrap();
    put(&out.join("manifest.json"), &manifest.replace("summary.txt", "../precious"));
    assert!(matches!(build(&out, NEW), Err(StoreError::Manifest { .. })));
    assert_eq!(fs::read_to_string(folder.path().join("precious")).unwrap(), "mine");
}

#[test]
fn a_journal_cannot_make_topoc_remove_files_elsewhere() {
    let folder = scratch();
    let out = folder.path().join("dist");
    put(&folder.path().join("precious"), "mine");
    let row = format!(r#"{{"rows":[{{"path":"../precious","sha256":"{}"}}]}}"#, Digest::of(b"mine"));
    put(&out.join(".topoc-build"), &row);
    build(&out, NEW).unwrap();
    assert_eq!(fs::read_to_string(folder.path().join("precious")).unwrap(), "mine");
    assert_eq!(tree(&out), fresh(NEW));
}

// ---- paths and links ----

#[test]
fn paths_that_lead_out_are_refused_before_anything_is_written() {
    for path in
        ["../escaped", "/tmp/escaped", "a/../../escaped", "a\\..\\..\\escaped", "C:/escaped", "a\0", ".topoc.lock"]
    {
        let folder = scratch();
        let out = folder.path().join("dist");
        let error = build(&out, &[("fine", "x"), (path, "y")]).expect_err(path);
        assert!(matches!(error, StoreError::BadPath { .. }), "{path}: {error}");
        assert!(!out.exists(), "{path}");
    }
}

#[test]
fn artifacts_that_cannot_stand_together_are_refused() {
    for second in ["site/amq", "Site/AMQ", "site/amq/below", "site"] {
        let folder = scratch();
        let error = build(folder.path(), &[("site/amq", "x"), (second, "y")]).expect_err(second);
        assert!(matches!(error, StoreError::Collision { .. }), "{second}: {error}");
        assert!(tree(folder.path()).is_empty(), "{second}");
    }
}

#[cfg(unix)]
mod links {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_linked_folder_inside_is_refused() {
        let elsewhere = scratch();
        check_refused(
            |out| symlink(elsewhere.path(), out.join("east/fresh")).unwrap(),
            "east/fresh` is a symbolic link",
        );
        assert!(tree(elsewhere.path()).is_empty());
    }

    #[test]
    fn a_link_in_place_of_an_artifact_is_refused() {
        let elsewhere = scratch();
        put(&elsewhere.path().join("precious"), "mine");
        check_refused(
            |out| {
                fs::remove_file(out.join("summary.txt")).unwrap();
                symlink(elsewhere.path().join("precious"), out.join("summary.txt")).unwrap();
            },
            "writes through no link",
        );
        assert_eq!(fs::read_to_string(elsewhere.path().join("precious")).unwrap(), "mine");
    }

    #[test]
    fn a_link_in_place_of_the_manifest_or_the_lock_is_refused() {
        let elsewhere = scratch();
        put(&elsewhere.path().join("precious"), "mine");
        for name in ["manifest.json", ".topoc.lock", ".topoc-build"] {
            for target in ["precious", "nothing-there"] {
                let folder = scratch();
                symlink(elsewhere.path().join(target), folder.path().join(name)).unwrap();
                build(folder.path(), NEW).expect_err(name);
                assert_eq!(tree(folder.path()).len(), 1, "{name}");
            }
        }
        assert_eq!(tree(elsewhere.path()).len(), 1);
        assert_eq!(fs::read_to_string(elsewhere.path().join("precious")).unwrap(), "mine");
    }

    #[test]
    fn nothing_is_removed_through_a_link() {
        let elsewhere = scratch();
        put(&elsewhere.path().join("client.properties"), "mine");
        let folder = scratch();
        build(folder.path(), OLD).unwrap();
        fs::remove_dir_all(folder.path().join("east/gone")).unwrap();
        symlink(elsewhere.path(), folder.path().join("east/gone")).unwrap();
        assert_eq!(build(folder.path(), NEW).unwrap(), report(8, 1, 2));
        assert_eq!(fs::read_to_string(elsewhere.path().join("client.properties")).unwrap(), "mine");
        assert!(folder.path().join("east/gone").is_symlink());
    }

    #[test]
    fn a_temporary_name_that_is_a_link_is_replaced_and_not_followed() {
        let elsewhere = scratch();
        put(&elsewhere.path().join("precious"), "mine");
        let folder = scratch();
        build(folder.path(), OLD).unwrap();
        // A disk that stops at the first rename shows what the temporary file is called.
        let disk = FaultyDisk::new(usize::MAX, Fault::Error(ErrorKind::StorageFull));
        build_on(&disk, folder.path(), NEW, None).unwrap();
        let temporary = disk.created.lock().unwrap().iter().find(|path| path.parent() != Some(folder.path())).cloned();
        let temporary = temporary.expect("something was written below the folder");
        symlink(elsewhere.path().join("precious"), &temporary).unwrap();
        build(folder.path(), OLD).unwrap();
        assert_eq!(fs::read_to_string(elsewhere.path().join("precious")).unwrap(), "mine");
        assert_eq!(tree(folder.path()), fresh(OLD));
    }

    #[test]
    fn the_output_folder_itself_may_be_a_link() {
        let folder = scratch();
        fs::create_dir(folder.path().join("real")).unwrap();
        symlink("real", folder.path().join("dist")).unwrap();
        build(&folder.path().join("dist"), NEW).unwrap();
        assert_eq!(tree(&folder.path().join("real")), fresh(NEW));
        assert_eq!(differences(&folder.path().join("dist"), NEW, None), []);
    }

    #[test]
    fn a_socket_in_place_of_an_artifact_is_refused() {
        check_refused(
            |out| {
                fs::remove_file(out.join("summary.txt")).unwrap();
                std::os::unix::net::UnixListener::bind(out.join("summary.txt")).unwrap();
            },
            "summary.txt` is a device, pipe or socket",
        );
    }
}

#[test]
fn an_out_that_is_a_file_is_an_error_that_says_so() {
    let folder = scratch();
    put(&folder.path().join("dist"), "mine");
    for out in ["dist", "dist/below"] {
        let error = build(&folder.path().join(out), NEW).expect_err(out);
        assert!(error.help().contains("an --out that is a folder"), "{out}: {error}: {}", error.help());
    }
    assert_eq!(fs::read_to_string(folder.path().join("dist")).unwrap(), "mine");
}

// ---- one site ----

#[test]
fn one_site_touches_no_other() {
    let folder = scratch();
    build(folder.path(), OLD).unwrap();
    let before = tree(folder.path());
    assert_eq!(build_on(&RealDisk, folder.path(), NEW, Some("east")).unwrap(), report(4, 1, 2));
    let (after, whole) = (tree(folder.path()), fresh(NEW));
    for (path, file) in &before {
        if path.starts_with("west/") || path == "summary.txt" {
            assert_eq!(after.get(path), Some(file), "{path}");
        }
    }
    let east = |tree: &BTreeMap<String, (u32, Vec<u8>)>| -> Vec<_> {
        tree.clone().into_iter().filter(|(path, _)| path.starts_with("east/")).collect()
    };
    assert_eq!(east(&after), east(&whole));
    let manifest = String::from_utf8(after["manifest.json"].1.clone()).unwrap();
    assert!(manifest.contains("west/folder-to-file/a/b") && manifest.contains("east/fresh"), "{manifest}");
    assert_eq!(differences(folder.path(), NEW, Some("east")), []);

    assert_eq!(build_on(&RealDisk, folder.path(), NEW, Some("west")).unwrap().removed, 2);
    build(folder.path(), NEW).unwrap();
    assert_eq!(tree(folder.path()), whole);
}

#[test]
fn one_site_does_not_take_a_file_that_belongs_to_another() {
    let folder = scratch();
    build(folder.path(), OLD).unwrap();
    let mut moved = artifacts(&[("west/plain-to-program", "from east")]);
    moved[0].site = Some("east".into());
    let before = tree(folder.path());
    let build = Build { out: folder.path(), artifacts: &moved, inputs: &[], topoc: "0.1.0", site: Some("east") };
    assert!(matches!(write(&build, &RealDisk, &mut |_, _| {}), Err(StoreError::Collision { .. })));
    assert_eq!(tree(folder.path()), before);
}

// ---- compare ----

#[test]
fn compare_names_every_difference_and_writes_nothing() {
    use DifferenceKind::{Differs, Foreign, Missing, Unwanted};
    let folder = scratch();
    build(folder.path(), OLD).unwrap();
    put(&folder.path().join("east/fresh/of/east/activemq.xml"), "mine");
    let before = tree(folder.path());
    let expected = [
        ("east/amq-1/activemq.xml", Differs),
        ("east/amq-2/activemq.xml", Differs),
        ("east/fresh/of/east/activemq.xml", Foreign),
        ("east/gc-1/gc-1", Differs),
        ("east/gone/client.properties", Unwanted),
        ("east/gone/deep/er/client.properties", Unwanted),
        ("manifest.json", Differs),
        ("summary.txt", Differs),
        ("west/file-to-folder", Unwanted),
        ("west/file-to-folder/a/b", Missing),
        ("west/folder-to-file", Missing),
        ("west/folder-to-file/a/b", Unwanted),
        ("west/plain-to-program", Differs),
    ];
    let expected: Vec<_> = expected.into_iter().map(|(path, kind)| (path.to_owned(), kind)).collect();
    assert_eq!(differences(folder.path(), NEW, None), expected);
    assert_eq!(differences(folder.path(), OLD, None), []);
    assert_eq!(tree(folder.path()), before);
}

#[test]
fn compare_with_no_folder_creates_none() {
    let folder = scratch();
    let out = folder.path().join("dist");
    let found = differences(&out, NEW, None);
    assert_eq!(found.len(), NEW.len() + 1);
    assert!(found.iter().all(|(_, kind)| *kind == DifferenceKind::Missing));
    assert!(!out.exists());
}

// ---- two builds at once ----

#[test]
fn a_second_build_at_once_is_refused_by_name() {
    let folder = scratch();
    let (artifacts, inputs) = (artifacts(NEW), inputs());
    let first = Build { out: folder.path(), artifacts: &artifacts, inputs: &inputs, topoc: "0.1.0", site: None };
    let mut tried = 0;
    write(&first, &RealDisk, &mut |_, _| {
        let before = tree(folder.path());
        let error = build(folder.path(), OLD).expect_err("the folder is in use");
        assert!(matches!(error, StoreError::Busy { .. }));
        assert!(error.to_string().contains(&folder.path().display().to_string()), "{error}");
        assert_eq!(tree(folder.path()), before);
        tried += 1;
    })
    .unwrap();
    assert!(tried >= 2);
    assert_eq!(tree(folder.path()), fresh(NEW));
}

#[cfg(unix)]
#[test]
fn a_lock_file_that_went_while_it_was_being_locked_does_not_count() {
    let folder = scratch();
    let disk = FaultyDisk::new(usize::MAX, Fault::Kill);
    disk.lock_goes_once.store(true, Ordering::SeqCst);
    let artifacts = artifacts(NEW);
    let first = Build { out: folder.path(), artifacts: &artifacts, inputs: &[], topoc: "0.1.0", site: None };
    write(&first, &disk, &mut |_, _| {
        assert!(matches!(build(folder.path(), OLD), Err(StoreError::Busy { .. })));
    })
    .unwrap();
}

#[test]
fn builds_from_many_threads_never_mix() {
    let folder = scratch();
    let busy = AtomicUsize::new(0);
    let versions = [OLD, NEW, THIRD];
    std::thread::scope(|scope| {
        for files in versions {
            let (out, busy) = (folder.path(), &busy);
            scope.spawn(move || {
                for _ in 0..60 {
                    match build(out, files) {
                        Ok(_) => {}
                        Err(StoreError::Busy { .. }) => {
                            busy.fetch_add(1, Ordering::Relaxed);
                        }
                        Err(error) => panic!("{error}"),
                    }
                }
            });
        }
    });
    assert!(busy.load(Ordering::Relaxed) > 0, "no two builds ever met");
    let found = tree(folder.path());
    assert!(versions.iter().any(|files| found == fresh(files)), "{:?}", found.keys());
}

// ---- a fault at every step ----

#[derive(Clone, Copy, Debug)]
enum Fault {
    /// The process ends: this step is done by half and nothing comes after it.
    Kill,
    /// This step fails and what it wrote by half is left; the next ones work.
    Error(ErrorKind),
}

/// The machine's own files, with a fault at one step.
struct FaultyDisk {
    steps: AtomicUsize,
    at: usize,
    fault: Fault,
    created: std::sync::Mutex<Vec<PathBuf>>,
    /// Another build ends between the opening of the lock file and its locking, and takes the file away.
    lock_goes_once: AtomicBool,
}

impl FaultyDisk {
    fn new(at: usize, fault: Fault) -> Self {
        Self {
            steps: AtomicUsize::new(0),
            at,
            fault,
            created: Default::default(),
            lock_goes_once: AtomicBool::new(false),
        }
    }

    /// `Ok` when the step may be done; the `bool` says that it is the step with the fault.
    fn step(&self) -> Result<(), (bool, io::Error)> {
        let step = self.steps.fetch_add(1, Ordering::SeqCst);
        match self.fault {
            Fault::Kill if step >= self.at => Err((step == self.at, io::Error::other("killed"))),
            Fault::Error(kind) if step == self.at => Err((true, kind.into())),
            _ => Ok(()),
        }
    }

    fn whole<T>(&self, run: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        self.step().map_err(|(_, error)| error)?;
        run()
    }
}

impl Disk for FaultyDisk {
    fn look(&self, path: &Path) -> io::Result<Option<Found>> {
        self.whole(|| RealDisk.look(path))
    }
    fn is_folder(&self, path: &Path) -> io::Result<bool> {
        self.whole(|| RealDisk.is_folder(path))
    }
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.whole(|| RealDisk.read(path))
    }
    fn list(&self, path: &Path) -> io::Result<Vec<Option<String>>> {
        self.whole(|| RealDisk.list(path))
    }
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        self.whole(|| RealDisk.create_folder(path))
    }
    fn create_folders(&self, path: &Path) -> io::Result<()> {
        self.whole(|| RealDisk.create_folders(path))
    }
    fn write_new(&self, path: &Path, bytes: &[u8], executable: bool, _durable: bool) -> io::Result<()> {
        // Never durable: the tests are about processes, and syncs take long.
        self.created.lock().expect("no panic while locked").push(path.to_owned());
        match self.step() {
            Ok(()) => RealDisk.write_new(path, bytes, executable, false),
            Err((here, error)) => {
                if here {
                    RealDisk.write_new(path, &bytes[..bytes.len() / 2], executable, false)?;
                }
                Err(error)
            }
        }
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.whole(|| RealDisk.rename(from, to))
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.whole(|| RealDisk.remove_file(path))
    }
    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        self.whole(|| RealDisk.remove_folder(path))
    }
    fn open_lock(&self, path: &Path) -> io::Result<File> {
        let file = self.whole(|| RealDisk.open_lock(path))?;
        if self.lock_goes_once.swap(false, Ordering::SeqCst) {
            fs::remove_file(path)?;
        }
        Ok(file)
    }
}

/// Builds on a disk with a fault, and says whether the fault was reached.
fn build_with_fault(out: &Path, files: &Files, site: Option<&str>, at: usize, fault: Fault) -> bool {
    let disk = FaultyDisk::new(at, fault);
    let result = build_on(&disk, out, files, site);
    let reached = disk.steps.load(Ordering::SeqCst) > at;
    // An error may go unreported only where nothing depends on it: when the lock file is taken away.
    assert!(reached || result.is_ok(), "{result:?}");
    reached
}

/// Every file is one of `versions`, whole; what all versions have at the same path is there; the user's file is as it was.
fn check_whole(out: &Path, versions: &[&Files], situation: &str) {
    let found = tree(out);
    for (path, (mode, content)) in &found {
        let name = path.rsplit('/').next().unwrap_or_default();
        if path.ends_with('/') || name.starts_with(".topoc") || path == "manifest.json" || path == "mine/notes" {
            continue;
        }
        let mut contents = versions.iter().flat_map(|files| files.iter()).filter(|(wanted, _)| wanted == path);
        let whole = contents.any(|(_, wanted)| {
            let runs = !cfg!(unix) || wanted.starts_with("#!") == (mode & 0o100 != 0);
            wanted.as_bytes() == content && runs
        });
        assert!(whole, "{situation}: {path} holds {:?}", String::from_utf8_lossy(content));
    }
    if let [first, rest @ ..] = versions {
        for (path, _) in *first {
            if rest.iter().all(|files| files.iter().any(|(other, _)| other == path)) {
                assert!(found.contains_key(*path), "{situation}: {path} is gone");
            }
        }
    }
    if let Some((_, manifest)) = found.get("manifest.json") {
        serde_json::from_slice::<serde_json::Value>(manifest).expect("the manifest is whole");
    }
    assert_eq!(found.get("mine/notes").map(|(_, content)| content.as_slice()), Some(&b"mine"[..]), "{situation}");
}

/// What is right in the folder when `files` are built and the user has a file there.
fn fresh_with_notes(files: &Files) -> BTreeMap<String, (u32, Vec<u8>)> {
    let folder = scratch();
    put(&folder.path().join("mine/notes"), "mine");
    build(folder.path(), files).expect("a fresh build");
    tree(folder.path())
}

fn folder_with(files: Option<&Files>) -> TempDir {
    let folder = scratch();
    put(&folder.path().join("mine/notes"), "mine");
    if let Some(files) = files {
        build_on(&FaultyDisk::new(usize::MAX, Fault::Kill), folder.path(), files, None).expect("the older build");
    }
    folder
}

/// A fault at each step of a build over an older one; then a normal build puts everything right.
fn check_each_step(before: Option<&'static Files>, files: &Files, fault: Fault) {
    let wanted = fresh_with_notes(files);
    let versions: Vec<&Files> = before.into_iter().chain([files]).collect();
    for at in 0.. {
        let folder = folder_with(before);
        let situation = format!("{fault:?} at step {at}");
        let reached = build_with_fault(folder.path(), files, None, at, fault);
        if before.is_some() {
            check_whole(folder.path(), &versions, &situation);
        }
        // `--check` sees whatever the fault has left, except a lock that nobody holds.
        let right = tree(folder.path()) == wanted || folder.path().join(".topoc.lock").exists();
        assert!(right || !differences(folder.path(), files, None).is_empty(), "{situation}");
        build(folder.path(), files).unwrap_or_else(|error| panic!("{situation}, then: {error}"));
        assert_eq!(tree(folder.path()), wanted, "{situation}");
        if !reached {
            assert!(at > 40, "only {at} steps: the disk is not used");
            return;
        }
    }
}

#[test]
fn killed_at_each_step_over_an_older_build() {
    check_each_step(Some(OLD), NEW, Fault::Kill);
}

#[test]
fn killed_at_each_step_of_the_way_back() {
    check_each_step(Some(NEW), OLD, Fault::Kill);
}

#[test]
fn killed_at_each_step_of_a_first_build() {
    check_each_step(None, NEW, Fault::Kill);
}

#[test]
fn disk_full_at_each_step() {
    check_each_step(Some(OLD), NEW, Fault::Error(ErrorKind::StorageFull));
    check_each_step(None, NEW, Fault::Error(ErrorKind::StorageFull));
}

#[test]
fn permission_denied_at_each_step() {
    check_each_step(Some(OLD), NEW, Fault::Error(ErrorKind::PermissionDenied));
}

/// Two builds of different topologies, both killed, then a third: nothing of the two is left.
fn check_two_kills(first_site: Option<&str>, second_site: Option<&str>, stride: usize) {
    let wanted = fresh_with_notes(THIRD);
    for first in (0..).step_by(stride) {
        let mut first_reached = true;
        for second in (0..).step_by(stride) {
            let folder = folder_with(Some(OLD));
            first_reached = build_with_fault(folder.path(), NEW, first_site, first, Fault::Kill);
            let second_reached = build_with_fault(folder.path(), THIRD, second_site, second, Fault::Kill);
            let situation = format!("killed at {first}, then at {second}");
            check_whole(folder.path(), &[OLD, NEW, THIRD], &situation);
            build(folder.path(), THIRD).unwrap_or_else(|error| panic!("{situation}, then: {error}"));
            assert_eq!(tree(folder.path()), wanted, "{situation}");
            if !second_reached {
                break;
            }
        }
        if !first_reached {
            return;
        }
    }
}

#[test]
fn killed_twice_in_a_row() {
    check_two_kills(None, None, 7);
}

#[test]
fn killed_then_one_site_killed() {
    check_two_kills(None, Some("east"), 7);
}

#[test]
fn one_site_killed_then_the_other_killed() {
    check_two_kills(Some("west"), Some("east"), 7);
}

#[test]
fn what_a_killed_build_left_is_the_users_again_once_edited() {
    let mut refused = 0;
    for at in 0.. {
        let folder = folder_with(Some(OLD));
        let reached = build_with_fault(folder.path(), NEW, None, at, Fault::Kill);
        let place = folder.path().join("east/fresh/of/east/activemq.xml");
        let manifest = fs::read_to_string(folder.path().join("manifest.json")).unwrap();
        if place.exists() && !manifest.contains("east/fresh") {
            put(&place, "edited by hand");
            let error = build(folder.path(), NEW).expect_err("not topoc's file");
            assert!(matches!(error, StoreError::Foreign { .. }), "{error}");
            assert_eq!(fs::read_to_string(&place).unwrap(), "edited by hand");
            refused += 1;
        }
        if !reached {
            break;
        }
    }
    assert!(refused > 0);
}

#[test]
fn a_file_that_a_power_loss_emptied_is_repaired() {
    for blank in ["", "\0\0\0\0"] {
        let mut repaired = 0;
        for at in 0.. {
            let folder = folder_with(Some(OLD));
            let reached = build_with_fault(folder.path(), NEW, None, at, Fault::Kill);
            for (path, _) in NEW {
                if folder.path().join(path).is_file() {
                    put(&folder.path().join(path), blank);
                    repaired += 1;
                }
            }
            if folder.path().join(".topoc-build").exists() || !reached {
                build(folder.path(), NEW).unwrap();
                assert_eq!(
                    tree(folder.path()).into_keys().collect::<BTreeSet<_>>(),
                    fresh_with_notes(NEW).into_keys().collect()
                );
                assert_eq!(differences(folder.path(), NEW, None), []);
            }
            if !reached {
                break;
            }
        }
        assert!(repaired > 0);
    }
}

// ---- real processes, really killed ----

/// Artifacts of a larger topology; every version has other content and some files of its own.
fn many(count: usize, version: usize) -> Vec<Artifact> {
    let artifact = |index: usize| {
        let own = if index.is_multiple_of(10) { format!("-{version}") } else { String::new() };
        Artifact {
            path: format!("site-{}/amq-{index}{own}/activemq.xml", index % 4),
            bytes: Bytes::Whole(
                format!("<broker version='{version}' index='{index}'/>\n").repeat(40 + index % 7).into_bytes(),
            ),
            site: Some(format!("site-{}", index % 4)),
            executable: false,
        }
    };
    (0..count).map(artifact).collect()
}

const CHILD: &str = "TOPOC_TEST_STORE_CHILD";
const CHILD_FILES: usize = 600;

/// Not a test by itself: the process that the next test starts, which builds one version and says how far it is.
#[test]
fn child_process() {
    let Ok(order) = std::env::var(CHILD) else { return };
    let (version, out) = order.split_once(' ').expect("a version and a folder");
    let artifacts = many(CHILD_FILES, version.parse().expect("a number"));
    let build = Build { out: Path::new(out), artifacts: &artifacts, inputs: &[], topoc: "0.1.0", site: None };
    write(&build, &RealDisk, &mut |done, _| println!("\nprogress {done}")).expect("the build ends or is killed");
}

/// A simple generator of numbers (Knuth, MMIX), so that a failing run can be repeated.
fn next(seed: &mut u64) -> usize {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) as usize
}

#[cfg(unix)]
#[test]
fn a_process_killed_at_random_leaves_whole_files() {
    let rounds = if std::env::var_os("TOPOC_LONG").is_some() { 300 } else { 20 };
    let folder = scratch();
    let out = folder.path();
    let mut seed = 3;
    let (mut built, mut interrupted) = (0, 0);
    for round in 1..=rounds {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["child_process", "--exact", "--nocapture"])
            .env(CHILD, format!("{round} {}", out.display()))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // Some ways into the build the process is killed, wherever it has got to in the meantime.
        let wait = next(&mut seed) % 11;
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let _ = lines.by_ref().filter(|line| line.starts_with("progress")).take(wait).count();
        for _ in 0..next(&mut seed) % 200_000 {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        interrupted += usize::from(out.join(".topoc-build").exists());

        let mut whole: BTreeMap<String, BTreeSet<Vec<u8>>> = BTreeMap::new();
        for version in built..=round {
            for Artifact { path, bytes, .. } in many(CHILD_FILES, version) {
                whole.entry(path).or_default().insert(bytes.get().into_owned());
            }
        }
        for (path, (_, content)) in tree(out) {
            let ours = path.ends_with('/') || path.contains(".topoc") || path == "manifest.json";
            assert!(ours || whole.get(&path).is_some_and(|wanted| wanted.contains(&content)), "round {round}: {path}");
        }
        // Not after every kill, so that kills pile up as well.
        if round % 3 == 0 || round == rounds {
            let artifacts = many(CHILD_FILES, round);
            let build = Build { out, artifacts: &artifacts, inputs: &[], topoc: "0.1.0", site: None };
            write(&build, &RealDisk, &mut |_, _| {}).unwrap();
            built = round;
            let clean = scratch();
            write(&Build { out: clean.path(), ..build }, &RealDisk, &mut |_, _| {}).unwrap();
            assert_eq!(tree(out), tree(clean.path()), "round {round}");
        }
    }
    assert!(interrupted > 0, "no build was killed in its middle");
}

#[cfg(unix)]
#[test]
fn the_lock_of_a_killed_process_stops_nobody() {
    let folder = scratch();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["child_process", "--exact", "--nocapture"])
        .env(CHILD, format!("1 {}", folder.path().display()))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.starts_with("progress")));
    let while_alive = build(folder.path(), NEW);
    child.kill().unwrap();
    child.wait().unwrap();
    // The child may have been quick; but it cannot have let another build in while it held the lock.
    assert!(matches!(while_alive, Err(StoreError::Busy { .. }) | Ok(_)), "{while_alive:?}");
    build(folder.path(), NEW).unwrap();
    assert_eq!(tree(folder.path()), fresh(NEW));
}

// ---- the machine's own refusals ----

#[cfg(unix)]
#[test]
fn a_name_that_the_system_refuses_is_an_error_with_its_path() {
    // Each part is short enough, all together are longer than Linux PATH_MAX (limits.h).
    let path: &'static str = Box::leak(vec!["n".repeat(200); 30].join("/").into_boxed_str());
    let folder = scratch();
    let error = build(folder.path(), &[(path, "x")]).expect_err("too long");
    assert!(matches!(error, StoreError::Io { .. }), "{error}");
    assert!(error.help().contains("build again"), "{}", error.help());
    build(folder.path(), NEW).unwrap();
    assert_eq!(tree(folder.path()), fresh(NEW));
}
