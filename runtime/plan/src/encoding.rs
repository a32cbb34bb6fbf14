//! A plan as bytes, and what is wrong with bytes that are none.
//!
//! | bytes | what |
//! | --- | --- |
//! | 8 | `topoplan` |
//! | 4 | the version of the format, little-endian |
//! | 4 | the length of the JSON, little-endian |
//! | 32 | SHA-256 of all of that and of the JSON |
//! | | the JSON |

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::{Plan, version_1};

/// The version of the format that is written. What is read is in `READERS`.
///
/// Whoever changes a type of a plan keeps the old one as it was, adds a reader that makes a [`Plan`] of it, and counts this
/// up: a connector understands the plans of the version before its own. `tests/golden/` has one of each version.
pub const VERSION: u32 = 2;

const MAGIC: &[u8; 8] = b"topoplan";
const HASH: usize = 32;
const HEADER: usize = MAGIC.len() + 4 + 4 + HASH;

type Reader = fn(&[u8]) -> Result<Plan, serde_json::Error>;

/// What can be read.
const READERS: &[(u32, Reader)] = &[
    (1, |json| serde_json::from_slice::<version_1::Plan>(json).map(Plan::from)),
    (2, |json| serde_json::from_slice(json)),
];

/// The oldest and the newest version that can be read.
pub(crate) const KNOWN: (u32, u32) = {
    let mut known = (VERSION, VERSION);
    let mut at = 0;
    while at < READERS.len() {
        let version = READERS[at].0;
        known = (if version < known.0 { version } else { known.0 }, if version > known.1 { version } else { known.1 });
        at += 1;
    }
    known
};

/// Why bytes are no plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanError {
    /// There is none: nothing but zeros.
    None,
    /// They begin with something else.
    NotAPlan,
    /// A plan in a version of the format that is not known.
    OtherVersion {
        /// Its version.
        found: u32,
        /// The oldest and the newest version that are known.
        known: (u32, u32),
    },
    /// They end too early.
    Truncated {
        /// How many bytes there ought to be.
        wanted: usize,
        /// How many there are.
        found: usize,
    },
    /// They are not what was written: a bit is wrong somewhere.
    Damaged,
    /// Whole, but not what this version of the format has: the line and column of the JSON, from 1.
    Unreadable {
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
}

/// Never repeats what is in the plan.
impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("there is no plan"),
            Self::NotAPlan => f.write_str("what is in the place of the plan is none"),
            Self::OtherVersion { found, known: (oldest, newest) } if oldest == newest => {
                write!(f, "the plan has version {found} of the format, and only version {newest} is understood")
            }
            Self::OtherVersion { found, known: (oldest, newest) } => {
                write!(f, "the plan has version {found} of the format, and only {oldest} to {newest} are understood")
            }
            Self::Truncated { wanted, found } => {
                write!(f, "the plan is cut off: {found} bytes of {wanted}")
            }
            Self::Damaged => f.write_str("the plan is damaged: its hash is another"),
            Self::Unreadable { line, column } => {
                write!(f, "the plan cannot be read at line {line}, column {column} of its JSON")
            }
        }
    }
}

impl std::error::Error for PlanError {}

/// The bytes of a plan: the same for the same plan.
#[must_use]
pub fn encode(plan: &Plan) -> Vec<u8> {
    let json = serde_json::to_vec(plan).expect("texts, numbers and lists always have a JSON form");
    framed(VERSION, &json)
}

fn framed(version: u32, json: &[u8]) -> Vec<u8> {
    let length = u32::try_from(json.len()).expect("a topology is read from less than 4 GiB");
    let mut bytes = Vec::with_capacity(HEADER + json.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&version.to_le_bytes());
    bytes.extend_from_slice(&length.to_le_bytes());
    let hash = hash(&bytes, json);
    bytes.extend_from_slice(&hash);
    bytes.extend_from_slice(json);
    bytes
}

fn hash(head: &[u8], json: &[u8]) -> [u8; HASH] {
    Sha256::new().chain_update(head).chain_update(json).finalize().into()
}

/// The hash that a plan carries, as 64 hexadecimal digits.
#[must_use]
pub fn digest(plan: &Plan) -> String {
    let bytes = encode(plan);
    bytes[HEADER - HASH..HEADER].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads a plan. Whatever follows it is not looked at.
///
/// # Errors
/// Why the bytes are none.
pub fn decode(bytes: &[u8]) -> Result<Plan, PlanError> {
    decode_with(READERS, bytes)
}

/// The version of the format that these bytes say they have; none where they do not begin as a plan does.
pub(crate) fn version(bytes: &[u8]) -> Option<u32> {
    let version = bytes.strip_prefix(MAGIC)?.first_chunk()?;
    Some(u32::from_le_bytes(*version))
}

/// Whether these bytes begin as a plan does, whole or not.
pub(crate) fn is_begun(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

fn decode_with(readers: &[(u32, Reader)], bytes: &[u8]) -> Result<Plan, PlanError> {
    if bytes.iter().all(|byte| *byte == 0) {
        return Err(PlanError::None);
    }
    let magic = &bytes[..bytes.len().min(MAGIC.len())];
    if !MAGIC.starts_with(magic) {
        return Err(PlanError::NotAPlan);
    }
    let (head, rest) =
        bytes.split_at_checked(HEADER).ok_or(PlanError::Truncated { wanted: HEADER, found: bytes.len() })?;
    let (head, told) = head.split_at(HEADER - HASH);
    let number = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let (version, length) = (number(MAGIC.len()), number(MAGIC.len() + 4));
    let Some((_, read)) = readers.iter().find(|(known, _)| *known == version) else {
        let versions = || readers.iter().map(|(known, _)| *known);
        let known = (versions().min().unwrap_or(0), versions().max().unwrap_or(0));
        return Err(PlanError::OtherVersion { found: version, known });
    };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let wanted = length.saturating_add(HEADER);
    let json = rest.get(..length).ok_or(PlanError::Truncated { wanted, found: bytes.len() })?;
    if hash(head, json) != told {
        return Err(PlanError::Damaged);
    }
    read(json).map_err(|error| PlanError::Unreadable { line: error.line(), column: error.column() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Brokers, Limits, LogFormat, Login, Product, Requests, Tls};

    fn plan(connector: &str) -> Plan {
        Plan {
            topology: "t".into(),
            site: "s".into(),
            connector: connector.into(),
            deployment: None,
            brokers: Brokers::Uri("tcp://a:1".into()),
            login: Login::default(),
            tls: Tls::default(),
            requests: Requests { queue: "Q".into(), priority: 0, prefetch: None, exclusive: false, selector: None },
            finesse: Vec::new(),
            product: Product::Ucce,
            limits: Limits::default(),
            admin: None,
            log: LogFormat::Human,
            properties: Vec::new(),
        }
    }

    #[test]
    fn the_newest_reader_is_the_one_of_what_is_written() {
        assert_eq!(READERS.iter().map(|(version, _)| *version).max(), Some(VERSION));
        assert!(READERS.len() == 1 || READERS.iter().any(|(version, _)| *version == VERSION - 1));
    }

    /// A format as it may be in the next version, which has the connector's name alone.
    #[test]
    fn a_plan_of_the_version_before_is_understood_and_one_of_the_version_after_is_not() {
        let next: Reader = |json| serde_json::from_slice::<String>(json).map(|name| plan(&name));
        let newest = *READERS.iter().max_by_key(|(version, _)| *version).unwrap();
        let both = [newest, (VERSION + 1, next)];
        let (old, new) = (framed(VERSION, &serde_json::to_vec(&plan("a")).unwrap()), framed(VERSION + 1, b"\"b\""));
        assert_eq!(decode_with(&both, &old), Ok(plan("a")));
        assert_eq!(decode_with(&both, &new), Ok(plan("b")));
        let error = decode(&new).unwrap_err();
        assert_eq!(error, PlanError::OtherVersion { found: VERSION + 1, known: (VERSION - 1, VERSION) });
        assert_eq!(error.to_string(), "the plan has version 3 of the format, and only 1 to 2 are understood");
        let error = decode_with(&[newest], &framed(VERSION - 1, b"")).unwrap_err();
        assert_eq!(error.to_string(), "the plan has version 1 of the format, and only version 2 is understood");
    }

    #[test]
    fn a_whole_plan_with_something_unknown_is_refused_without_repeating_it() {
        let json = String::from_utf8(serde_json::to_vec(&plan("a")).unwrap()).unwrap();
        let json = json.replacen('{', "{\"hunter2\":1,", 1);
        let error = decode(&framed(VERSION, json.as_bytes())).unwrap_err();
        assert!(matches!(error, PlanError::Unreadable { line: 1, .. }), "{error:?}");
        assert!(!error.to_string().contains("hunter2"));
    }
}
