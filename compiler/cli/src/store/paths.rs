//! Which artifact paths may be used, which names are topoc's own, and which paths cannot stand side by side.
use std::collections::HashMap;
use std::fmt;

use super::Artifact;
use super::error::StoreError;
use super::manifest::Digest;

/// Says what topoc wrote; written last.
pub(super) const MANIFEST: &str = "manifest.json";
/// Says what a running build is about to write; gone when it is done.
pub(super) const JOURNAL: &str = ".topoc-build";
/// Locked by a running build.
pub(super) const LOCK: &str = ".topoc.lock";
/// What every name begins with that topoc uses beside artifacts.
const OWN_PREFIX: &str = ".topoc";
/// Linux NAME_MAX (limits.h), and the same on macOS and NTFS, where it counts characters.
const LONGEST_PART: usize = 255;

/// Why a path cannot be an artifact's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathFault {
    /// It has no characters.
    Empty,
    /// It begins with `/`.
    Absolute,
    /// It has an empty part: `//`, or `/` at its end.
    EmptyPart,
    /// A part is `.` or `..`, which may lead out of the folder.
    Dots,
    /// A part ends with a dot or a space, which Windows drops.
    TrailingDotOrSpace,
    /// It has a `\` or a `:`, which lead elsewhere on Windows.
    ForbiddenCharacter,
    /// It has a NUL, a line break or another control character.
    ControlCharacter,
    /// A part has more than 255 bytes.
    TooLong,
    /// `manifest.json` itself, or a part that begins with `.topoc`.
    Reserved,
}

impl fmt::Display for PathFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "is empty",
            Self::Absolute => "is absolute: it must stay inside the output folder",
            Self::EmptyPart => "has an empty part",
            Self::Dots => "has a part `.` or `..`: it must stay inside the output folder",
            Self::TrailingDotOrSpace => "has a part that ends with a dot or a space",
            Self::ForbiddenCharacter => "has a `\\` or a `:`",
            Self::ControlCharacter => "has a control character",
            Self::TooLong => "has a part of more than 255 bytes",
            Self::Reserved => "has a name that topoc keeps for itself",
        })
    }
}

pub(super) fn check(path: &str) -> Result<(), PathFault> {
    if path.is_empty() {
        return Err(PathFault::Empty);
    }
    if path.starts_with('/') {
        return Err(PathFault::Absolute);
    }
    if path.chars().any(char::is_control) {
        return Err(PathFault::ControlCharacter);
    }
    if path.contains(['\\', ':']) {
        return Err(PathFault::ForbiddenCharacter);
    }
    if path.eq_ignore_ascii_case(MANIFEST) {
        return Err(PathFault::Reserved);
    }
    path.split('/').try_for_each(check_part)
}

fn check_part(part: &str) -> Result<(), PathFault> {
    match part {
        "" => Err(PathFault::EmptyPart),
        "." | ".." => Err(PathFault::Dots),
        _ if part.ends_with(['.', ' ']) => Err(PathFault::TrailingDotOrSpace),
        _ if part.len() > LONGEST_PART => Err(PathFault::TooLong),
        _ if part.get(..OWN_PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(OWN_PREFIX)) => {
            Err(PathFault::Reserved)
        }
        _ => Ok(()),
    }
}

/// Every artifact path is usable, and all can stand side by side.
pub(super) fn check_artifacts(artifacts: &[Artifact]) -> Result<(), StoreError> {
    for Artifact { path, .. } in artifacts {
        check(path).map_err(|fault| StoreError::BadPath { path: path.clone(), fault })?;
    }
    check_together(artifacts.iter().map(|artifact| artifact.path.as_str()))
}

/// No two paths are the same, and none is a folder on the way to another, upper and lower case taken as the same.
pub(super) fn check_together<'a>(all: impl Iterator<Item = &'a str>) -> Result<(), StoreError> {
    let collision = |first: &str, second: &str| StoreError::Collision { first: first.into(), second: second.into() };
    let mut places: HashMap<String, &str> = HashMap::new();
    for path in all {
        if let Some(other) = places.insert(fold(path), path) {
            return Err(collision(other, path));
        }
    }
    for (folded, path) in &places {
        if let Some(other) = above(folded).find_map(|folder| places.get(folder)) {
            return Err(collision(other, path));
        }
    }
    Ok(())
}

/// A path as a file system sees it that takes upper and lower case as the same.
pub(super) fn fold(path: &str) -> String {
    path.to_lowercase()
}

/// The folder a path is in; empty for the output folder itself.
pub(super) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The folders on the way to a path, the innermost first, without the output folder.
pub(super) fn above(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(parent(path)), |folder| Some(parent(folder))).take_while(|folder| !folder.is_empty())
}

/// Where a file is written before it is renamed to `path`: beside it, under a name that follows from the path, so that a
/// later build finds it, and that is no longer than the system allows.
pub(super) fn temporary(path: &str) -> String {
    let name = format!("{OWN_PREFIX}-{}", Digest::of(path.as_bytes()).short());
    match parent(path) {
        "" => name,
        folder => format!("{folder}/{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usable_paths() {
        for path in ["a", "site-1/amq-1/activemq.xml", "a/manifest.json", "..a/b..c", "ü/ß", ".hidden", "a b"] {
            assert_eq!(check(path), Ok(()), "{path:?}");
        }
        assert_eq!(check(&"n".repeat(255)), Ok(()));
    }

    #[test]
    fn unusable_paths() {
        let long = "n".repeat(256);
        let cases = [
            ("", PathFault::Empty),
            ("/etc/passwd", PathFault::Absolute),
            ("//server/share", PathFault::Absolute),
            ("a//b", PathFault::EmptyPart),
            ("a/", PathFault::EmptyPart),
            ("..", PathFault::Dots),
            ("../a", PathFault::Dots),
            ("a/../../b", PathFault::Dots),
            ("a/./b", PathFault::Dots),
            ("a/.../b", PathFault::TrailingDotOrSpace),
            ("a /b", PathFault::TrailingDotOrSpace),
            ("a\\..\\b", PathFault::ForbiddenCharacter),
            ("C:/a", PathFault::ForbiddenCharacter),
            ("a/b:stream", PathFault::ForbiddenCharacter),
            ("a\0b", PathFault::ControlCharacter),
            ("a\nb", PathFault::ControlCharacter),
            ("a/\u{85}", PathFault::ControlCharacter),
            (&long, PathFault::TooLong),
            ("manifest.json", PathFault::Reserved),
            ("Manifest.JSON", PathFault::Reserved),
            (".topoc.lock", PathFault::Reserved),
            (".topoc-build", PathFault::Reserved),
            ("a/.TOPOC-x/b", PathFault::Reserved),
        ];
        for (path, fault) in cases {
            assert_eq!(check(path), Err(fault), "{path:?}");
        }
    }

    #[test]
    fn paths_that_can_and_cannot_stand_together() {
        let cases: [(&[&str], bool); 7] = [
            (&["a", "b", "c/a"], true),
            (&["a", "a.b", "a-b/c"], true),
            (&["Site/a", "site/b"], true),
            (&["a", "a"], false),
            (&["site/a", "Site/A"], false),
            (&["a", "a.b", "a/b"], false),
            (&["x/Y/z", "X/y"], false),
        ];
        for (paths, fine) in cases {
            assert_eq!(check_together(paths.iter().copied()).is_ok(), fine, "{paths:?}");
        }
    }

    #[test]
    fn temporary_files_are_beside_their_place_and_differ() {
        assert_eq!(parent(&temporary("a/b/c")), "a/b");
        assert!(!temporary("c").contains('/'));
        assert_ne!(temporary("a/b"), temporary("a/c"));
        assert_eq!(check(&temporary("a/b")), Err(PathFault::Reserved));
        assert!(temporary(&"n".repeat(255)).len() <= 255);
    }
}
