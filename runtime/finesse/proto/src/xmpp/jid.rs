//! Who somebody is in XMPP: `agent@domain/resource` (RFC 7622).

use std::fmt;

/// The longest part, in bytes (RFC 7622, 3).
const LONGEST: usize = 1023;

/// What a local part cannot hold as it is, and how it is written then (XEP-0106, 3).
const ESCAPES: [(char, &str); 10] = [
    (' ', "\\20"),
    ('"', "\\22"),
    ('&', "\\26"),
    ('\'', "\\27"),
    ('/', "\\2f"),
    (':', "\\3a"),
    ('<', "\\3c"),
    ('>', "\\3e"),
    ('@', "\\40"),
    ('\\', "\\5c"),
];

/// The resource that Cisco's own desktop takes; a second session with it throws the first one out.
const RESERVED: &str = "desktop";

/// Why somebody cannot be called so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JidError {
    part: &'static str,
    reason: &'static str,
}

impl fmt::Display for JidError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} of a JID {}", self.part, self.reason)
    }
}

impl std::error::Error for JidError {}

/// An agent's session at a server: always with a resource, since without one the server makes one up, and leftover subscriptions
/// of it stay for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jid {
    local: String,
    domain: String,
    resource: String,
}

impl Jid {
    /// The session of an agent, by their id (not their name). Characters that a local part cannot hold are escaped as XEP-0106
    /// says. Letters stay as they are: servers compare them without case.
    ///
    /// # Errors
    ///
    /// [`JidError`] where a part is empty, longer than 1023 bytes or has control characters; where the id begins or ends with a
    /// space; and for the resource `desktop`, which Cisco's desktop needs.
    pub fn of_agent(id: &str, domain: &str, resource: &str) -> Result<Self, JidError> {
        let local = escape(id);
        part("agent id", &local)?;
        part("domain", domain)?;
        part("resource", resource)?;
        if id.starts_with(' ') || id.ends_with(' ') {
            return Err(JidError { part: "agent id", reason: "begins or ends with a space" });
        }
        if domain.contains(['/', '@', ' ', '<', '>', '"', '\'', '&']) {
            return Err(JidError { part: "domain", reason: "has a character that no host's name has" });
        }
        if resource.eq_ignore_ascii_case(RESERVED) {
            return Err(JidError { part: "resource", reason: "cannot be `desktop`: Cisco's desktop is that" });
        }
        Ok(Self { local, domain: domain.to_owned(), resource: resource.to_owned() })
    }

    /// The agent's id as XMPP has it, which is also the name to authenticate with.
    #[must_use]
    pub fn local(&self) -> &str {
        &self.local
    }

    /// The XMPP domain.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Which of the agent's sessions.
    #[must_use]
    pub fn resource(&self) -> &str {
        &self.resource
    }
}

impl fmt::Display for Jid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}/{}", self.local, self.domain, self.resource)
    }
}

fn part(name: &'static str, text: &str) -> Result<(), JidError> {
    let reason = if text.is_empty() {
        "is empty"
    } else if text.len() > LONGEST {
        "is longer than 1023 bytes"
    } else if text.chars().any(char::is_control) {
        "has control characters"
    } else {
        return Ok(());
    };
    Err(JidError { part: name, reason })
}

/// A local part for a name. A backslash is escaped only where it would be read as an escape (XEP-0106, 4.2).
#[must_use]
pub fn escape(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for (at, character) in name.char_indices() {
        let is_literal = character == '\\' && !ESCAPES.iter().any(|(_, escape)| name[at..].starts_with(escape));
        match ESCAPES.iter().find(|(escaped, _)| *escaped == character && !is_literal) {
            Some((_, escape)) => out.push_str(escape),
            None => out.push(character),
        }
    }
    out
}

/// The name that a local part stands for.
#[must_use]
pub fn unescape(local: &str) -> String {
    let mut out = String::with_capacity(local.len());
    let mut rest = local;
    while let Some(first) = rest.chars().next() {
        match ESCAPES.iter().find(|(_, escape)| rest.starts_with(escape)) {
            Some((character, escape)) => {
                out.push(*character);
                rest = &rest[escape.len()..];
            }
            None => {
                out.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    out
}

/// A JID without its resource.
#[must_use]
pub fn bare(jid: &str) -> &str {
    jid.split_once('/').map_or(jid, |(bare, _)| bare)
}

/// Whether two JIDs are one, as far as can be told without their server: case counts in resources only.
#[must_use]
pub fn same(one: &str, other: &str) -> bool {
    bare(one).eq_ignore_ascii_case(bare(other)) && one[bare(one).len()..] == other[bare(other).len()..]
}
