//! File URIs to paths and back. Clients differ in what they escape, so paths are what is compared.

use std::path::{Path, PathBuf};

/// The path of a `file:` URI.
pub(super) fn path(uri: &str) -> Option<PathBuf> {
    let rest = uri.strip_prefix("file://")?;
    let rest = &rest[rest.find('/')?..];
    let mut bytes = Vec::with_capacity(rest.len());
    let mut from = rest.as_bytes();
    while let Some((&first, after)) = from.split_first() {
        let escaped = after.get(..2).filter(|_| first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        match escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                from = &after[2..];
            }
            None => {
                bytes.push(first);
                from = after;
            }
        }
    }
    Some(crate::load::normal(Path::new(&String::from_utf8(bytes).ok()?)))
}

/// The `file:` URI of a path.
pub(super) fn of(path: &Path) -> String {
    let mut uri = String::from("file://");
    for &byte in path.to_string_lossy().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => uri.push(char::from(byte)),
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_escape_or_not_is_the_same_path() {
        for uri in ["file:///a%20b/%C3%A4.topo", "file:///a b/ä.topo", "file:///a%20b/./x/../ä.topo"] {
            assert_eq!(path(uri).as_deref(), Some(Path::new("/a b/ä.topo")), "{uri}");
        }
        assert_eq!(path("untitled:Untitled-1"), None);
        assert_eq!(path(&of(Path::new("/a b/100%/ä.topo"))).as_deref(), Some(Path::new("/a b/100%/ä.topo")));
    }
}
