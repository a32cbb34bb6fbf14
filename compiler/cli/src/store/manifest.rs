//! `manifest.json`: every input and every artifact with its hash. How a build knows which files are topoc's.
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use super::paths;
use super::{Build, Input};

/// The version of the manifest's format.
const VERSION: u32 = 1;

/// A SHA-256, shown as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The hash of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The first 16 hexadecimal digits.
    pub(super) fn short(self) -> String {
        let mut all = self.to_string();
        all.truncate(16);
        all
    }

    fn parse(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let [high, low] = pair else { return None };
            *byte = hex_value(*high)? << 4 | hex_value(*low)?;
        }
        Some(Self(bytes))
    }
}

fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl From<Sha256> for Digest {
    fn from(hash: Sha256) -> Self {
        Self(hash.finalize().into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = String::with_capacity(64);
        for byte in self.0 {
            text.push(char::from(DIGITS[usize::from(byte >> 4)]));
            text.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
        f.pad(&text)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("a sha256 is not 64 lower-case hexadecimal digits"))
    }
}

/// One artifact, as the manifest and the journal remember it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) path: String,
    pub(super) sha256: Digest,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) site: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) executable: bool,
}

impl Row {
    /// Whether a build of `site` (of everything, when `None`) has anything to do with this row.
    pub(super) fn concerns(&self, site: Option<&str>) -> bool {
        site.is_none() || self.site.as_deref() == site
    }
}

#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    topoc: &'a str,
    inputs: Vec<InputRow<'a>>,
    artifacts: Vec<&'a Row>,
}

#[derive(Serialize)]
struct InputRow<'a> {
    path: &'a str,
    sha256: Digest,
}

/// The bytes of the manifest: pretty, everything sorted, nothing that changes from run to run.
pub(super) fn render(build: &Build<'_>, rows: &BTreeMap<&str, &Row>) -> Vec<u8> {
    let mut inputs: Vec<&Input> = build.inputs.iter().collect();
    inputs.sort();
    inputs.dedup();
    let written = Written {
        version: VERSION,
        topoc: build.topoc,
        inputs: inputs.iter().map(|input| InputRow { path: &input.path, sha256: input.sha256 }).collect(),
        artifacts: rows.values().copied().collect(),
    };
    let mut bytes = serde_json::to_vec_pretty(&written).expect("strings and numbers always have a JSON form");
    bytes.push(b'\n');
    bytes
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

#[derive(Deserialize)]
struct Read {
    artifacts: Vec<Row>,
}

/// The artifacts of an earlier build, by path.
///
/// A manifest decides what is removed, so one with a path that topoc would never write is no manifest of topoc's.
pub(super) fn parse(bytes: &[u8]) -> Result<BTreeMap<String, Row>, String> {
    const NOT_OURS: &str = "is not a manifest that topoc wrote";
    let Version { version } = serde_json::from_slice(bytes).map_err(|error| format!("{NOT_OURS}: {error}"))?;
    if version != VERSION {
        return Err(format!("has version {version}, and this topoc reads version {VERSION} only"));
    }
    let Read { artifacts } = serde_json::from_slice(bytes).map_err(|error| format!("{NOT_OURS}: {error}"))?;
    for row in &artifacts {
        paths::check(&row.path).map_err(|fault| format!("{NOT_OURS}: the path {:?} {fault}", row.path))?;
    }
    Ok(artifacts.into_iter().map(|row| (row.path.clone(), row)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_of_abc_as_in_the_standard() {
        // FIPS 180-2, appendix B.1.
        let text = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Digest::of(b"abc").to_string(), text);
        assert_eq!(Digest::parse(text), Some(Digest::of(b"abc")));
        assert_eq!(Digest::parse(&text.to_uppercase()), None);
        assert_eq!(Digest::parse(&text[1..]), None);
    }

    #[test]
    fn manifests_that_are_refused() {
        let row =
            |path: &str| format!(r#"{{"version":1,"artifacts":[{{"path":"{path}","sha256":"{}"}}]}}"#, Digest::of(b""));
        assert!(parse(row("a/b").as_bytes()).is_ok());
        let cases = [
            (row("../../etc/passwd"), "`..`"),
            (row("/etc/passwd"), "absolute"),
            (String::new(), "not a manifest"),
            (r#"{"name":"a web app"}"#.into(), "not a manifest"),
            (r#"{"version":1}"#.into(), "not a manifest"),
            (r#"{"version":2,"artifacts":[]}"#.into(), "version 2"),
            (r#"{"version":1,"artifacts":[{"path":"a","sha256":"12"}]}"#.into(), "not 64"),
        ];
        for (text, reason) in cases {
            let problem = parse(text.as_bytes()).expect_err(&text);
            assert!(problem.contains(reason), "{text}: {problem}");
        }
    }
}
