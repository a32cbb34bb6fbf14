//! Writes the URIs that topoc makes; what it writes, [`super::parse`] reads back as the same value.

use std::fmt;

use super::parse::placeholder_end;

/// One broker's address. Scheme and host are written as they are: the caller has checked them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Like `tcp`; empty when `host` is a placeholder for a whole URI.
    pub scheme: String,
    /// A host name or an address; brackets are put around an IPv6 address that has none.
    pub host: String,
    /// A number, or a placeholder.
    pub port: Option<String>,
    /// Names and values before encoding, in the order to be written.
    pub options: Vec<(String, String)>,
}

/// A scheme with a list of URIs, always written in parentheses. Without members it writes what cannot be parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Composite {
    /// Like `failover`.
    pub scheme: String,
    /// The list, in the order to be written.
    pub members: Vec<Target>,
    /// Names and values before encoding, in the order to be written.
    pub options: Vec<(String, String)>,
}

/// Anything that can be a member of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// One address.
    Address(Address),
    /// A list within the list.
    Composite(Composite),
}

impl Address {
    /// An address without options.
    #[must_use]
    pub fn new(scheme: impl Into<String>, host: impl Into<String>, port: u16) -> Self {
        Self { scheme: scheme.into(), host: host.into(), port: Some(port.to_string()), options: Vec::new() }
    }

    /// The same with one more option at the end.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "numbers and flags read better than references to them")]
    pub fn option(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        self.options.push((name.into(), value.to_string()));
        self
    }
}

impl Composite {
    /// A list without members and options as yet.
    #[must_use]
    pub fn new(scheme: impl Into<String>) -> Self {
        Self { scheme: scheme.into(), members: Vec::new(), options: Vec::new() }
    }

    /// The same with one more member at the end.
    #[must_use]
    pub fn member(mut self, member: impl Into<Target>) -> Self {
        self.members.push(member.into());
        self
    }

    /// The same with more members at the end.
    #[must_use]
    pub fn members<T: Into<Target>>(mut self, members: impl IntoIterator<Item = T>) -> Self {
        self.members.extend(members.into_iter().map(Into::into));
        self
    }

    /// The same with one more option at the end.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "numbers and flags read better than references to them")]
    pub fn option(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        self.options.push((name.into(), value.to_string()));
        self
    }
}

impl From<Address> for Target {
    fn from(address: Address) -> Self {
        Self::Address(address)
    }
}

impl From<Composite> for Target {
    fn from(composite: Composite) -> Self {
        Self::Composite(composite)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_address(f, self, Place::Outermost)
    }
}

impl fmt::Display for Composite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_composite(f, self, Place::Outermost)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_target(f, self, Place::Outermost)
    }
}

/// Inside a list a comma would end the member, so there it is encoded.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Outermost,
    InList,
}

fn write_target(f: &mut fmt::Formatter<'_>, target: &Target, place: Place) -> fmt::Result {
    match target {
        Target::Address(address) => write_address(f, address, place),
        Target::Composite(composite) => write_composite(f, composite, place),
    }
}

fn write_address(f: &mut fmt::Formatter<'_>, address: &Address, place: Place) -> fmt::Result {
    let bare_ipv6 = address.host.contains(':') && !address.host.starts_with(['[', '$']);
    if !address.scheme.is_empty() {
        write!(f, "{}://", address.scheme)?;
    }
    if bare_ipv6 {
        write!(f, "[{}]", address.host)?;
    } else {
        f.write_str(&address.host)?;
    }
    if let Some(port) = &address.port {
        write!(f, ":{port}")?;
    }
    // ActiveMQ decodes an address's options twice (`URI.getQuery`, then `URISupport.parseQuery`).
    write_options(f, &address.options, place, "%25")
}

fn write_composite(f: &mut fmt::Formatter<'_>, composite: &Composite, place: Place) -> fmt::Result {
    write!(f, "{}:(", composite.scheme)?;
    for (index, member) in composite.members.iter().enumerate() {
        f.write_str(if index == 0 { "" } else { "," })?;
        write_target(f, member, Place::InList)?;
    }
    f.write_str(")")?;
    write_options(f, &composite.options, place, "%")
}

fn write_options(f: &mut fmt::Formatter<'_>, options: &[(String, String)], place: Place, escape: &str) -> fmt::Result {
    for (index, (name, value)) in options.iter().enumerate() {
        f.write_str(if index == 0 { "?" } else { "&" })?;
        write_encoded(f, name, place, escape)?;
        f.write_str("=")?;
        write_encoded(f, value, place, escape)?;
    }
    Ok(())
}

/// Writes placeholders as they are, and every character encoded that would end the value or that a URI may not hold.
fn write_encoded(f: &mut fmt::Formatter<'_>, text: &str, place: Place, escape: &str) -> fmt::Result {
    let mut skip_to = 0;
    for (at, char) in text.char_indices() {
        if at < skip_to {
            continue;
        }
        if let Some(end) = placeholder_end(text.as_bytes(), at) {
            f.write_str(&text[at..end])?;
            skip_to = end;
        } else if is_plain(char) || (char == ',' && place == Place::Outermost) {
            write!(f, "{char}")?;
        } else {
            let mut buffer = [0; 4];
            for byte in char.encode_utf8(&mut buffer).bytes() {
                write!(f, "{escape}{byte:02X}")?;
            }
        }
    }
    Ok(())
}

fn is_plain(char: char) -> bool {
    char.is_ascii_alphanumeric() || "-._~!*'$:/@;[]".contains(char)
}
