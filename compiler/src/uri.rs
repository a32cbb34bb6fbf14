//! ActiveMQ's URIs, read as ActiveMQ reads them with the place of every part, and written so that it reads them back.
//!
//! The rules are those of ActiveMQ's `URISupport.parseComposite` (5.6 to 6.3.1): a composite takes options only after
//! its closing parenthesis, so in `failover:a,b?x=y` the option belongs to `b`.

mod error;
mod parse;
mod write;

use std::ops::Range;

pub use error::{UriError, UriFault};
pub use write::{Address, Composite, Target};

/// How deep composites may be nested; ActiveMQ's own configurations use two or three.
pub const MAX_DEPTH: usize = 16;

/// A piece of the text that a URI was parsed from, as byte offsets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Part {
    /// Offset of the first byte.
    pub start: usize,
    /// Offset after the last byte.
    pub end: usize,
}

/// One URI: an address, or a scheme with a list of URIs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uri {
    /// The text before the first colon. Empty when the whole URI is a placeholder (`${hub.uri}`).
    pub scheme: Part,
    /// What stands after the scheme.
    pub kind: UriKind,
    /// The options after `?`, in the order they were written.
    pub options: Vec<UriOption>,
    /// The whole URI, options included.
    pub range: Range<usize>,
}

/// What stands after a scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UriKind {
    /// `//host:port/path`, or an opaque text (`zeroconf:_group.`), which is then the path.
    Address {
        /// The host, with the brackets of an IPv6 address; empty when there is none. User information is not part of it.
        host: Part,
        /// The port, when one is written.
        port: Option<Port>,
        /// From the first `/` after the authority, or the whole opaque text.
        path: Part,
    },
    /// `(a,b)` or `a,b`.
    Composite {
        /// The URIs of the list, at least one.
        members: Vec<Uri>,
        /// Whether the list stands in parentheses. Without them no option can belong to the composite.
        parenthesised: bool,
    },
}

/// A written port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// The number; `None` when a placeholder (`${PORT}`) stands for it.
    pub number: Option<u16>,
    /// Where it is written, without the colon.
    pub range: Range<usize>,
}

/// `key=value` behind a `?`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UriOption {
    /// The text before the first `=`, never empty.
    pub key: Part,
    /// The text after the first `=`; empty also when there is no `=`.
    pub value: Part,
    /// Key and value together.
    pub range: Range<usize>,
}

/// Parses `source`, which must be the URI and nothing else: ActiveMQ refuses blanks around it as well as inside.
///
/// Placeholders (`${NAME}`) are opaque: whatever they hold, they neither separate parts nor are they faults.
///
/// # Errors
///
/// The first fault that was found, with its place in `source`.
pub fn parse(source: &str) -> Result<Uri, UriError> {
    parse::check_characters(source)?;
    parse::uri(source, 0..source.len(), 0)
}

impl Part {
    /// The same piece as a range.
    #[must_use]
    pub fn range(self) -> Range<usize> {
        self.start..self.end
    }

    /// The piece of `source`, which must be the text that was parsed; of another text perhaps nothing.
    #[must_use]
    pub fn text(self, source: &str) -> &str {
        source.get(self.range()).unwrap_or_default()
    }

    /// Whether the piece has no text.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.start >= self.end
    }
}

impl From<Range<usize>> for Part {
    fn from(range: Range<usize>) -> Self {
        Self { start: range.start, end: range.end }
    }
}

impl UriOption {
    /// Whether the key begins with `amp;`, which is what remains of XML's `&amp;` in a file that is not XML.
    #[must_use]
    pub fn is_xml_escaped(&self, source: &str) -> bool {
        self.key.text(source).starts_with("amp;")
    }
}

impl Uri {
    /// The URIs of the list; empty for an address.
    #[must_use]
    pub fn members(&self) -> &[Uri] {
        match &self.kind {
            UriKind::Composite { members, .. } => members,
            UriKind::Address { .. } => &[],
        }
    }

    /// Every address in this URI, depth first, in the order written; of an address the address itself.
    #[must_use]
    pub fn addresses(&self) -> Vec<&Uri> {
        match &self.kind {
            UriKind::Address { .. } => vec![self],
            UriKind::Composite { members, .. } => members.iter().flat_map(Uri::addresses).collect(),
        }
    }

    /// The option that ActiveMQ would use for `key`: the last one of that name, not looking into members.
    ///
    /// The first letter of a name may be written large or small, since ActiveMQ looks for a setter method.
    /// A key left over from XML escaping is found by its whole name (`amp;randomize`).
    #[must_use]
    pub fn find_option(&self, source: &str, key: &str) -> Option<&UriOption> {
        self.options.iter().rev().find(|option| crate::options::same_name(&self.decoded(source, option.key), key))
    }

    /// Whether the URI is nothing but a placeholder (`${hub.uri}`), perhaps with options.
    #[must_use]
    pub fn is_placeholder(&self) -> bool {
        self.scheme.is_empty()
    }

    /// `host:port` as written, with the scheme's usual port where none is written; `None` without a host.
    ///
    /// The usual port (see [`crate::options::LISTENER_SCHEMES`]) is for comparing and showing: ActiveMQ itself has none,
    /// and a `tcp:` URI without a port fails there. Where no port is known either way, the host stands alone.
    #[must_use]
    pub fn authority(&self, source: &str) -> Option<String> {
        let UriKind::Address { host, port, .. } = &self.kind else { return None };
        if host.is_empty() {
            return None;
        }
        let host = host.text(source);
        let usual = || crate::options::default_port(self.scheme.text(source)).map(|number| number.to_string());
        let port = port.as_ref().map(|port| Part::from(port.range.clone()).text(source).to_owned()).or_else(usual);
        Some(port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
    }

    /// The text of a key or a value of this URI's own options after ActiveMQ's percent-decoding.
    #[must_use]
    pub fn decoded(&self, source: &str, part: Part) -> String {
        parse::decode(part.text(source), matches!(self.kind, UriKind::Address { .. }))
    }

    /// This URI as a value that can be written again. User information and the path are left out.
    #[must_use]
    pub fn to_target(&self, source: &str) -> Target {
        let scheme = self.scheme.text(source).to_owned();
        let options = self
            .options
            .iter()
            .map(|option| (self.decoded(source, option.key), self.decoded(source, option.value)))
            .collect();
        match &self.kind {
            UriKind::Address { host, port, .. } => Target::Address(Address {
                scheme,
                host: host.text(source).to_owned(),
                port: port.as_ref().map(|port| Part::from(port.range.clone()).text(source).to_owned()),
                options,
            }),
            UriKind::Composite { members, .. } => Target::Composite(Composite {
                scheme,
                members: members.iter().map(|member| member.to_target(source)).collect(),
                options,
            }),
        }
    }
}

#[cfg(test)]
mod tests;
