//! Which elements and attributes ActiveMQ's broker XML has, in which release, and which of them are for users to write.
//!
//! The tables are made at build time from `data/activemq-schema.json` (the XML schemas of 23 releases) and
//! `data/activemq-exact.json` (the bean setters of every release in between), of which the second wins.

mod users;

use std::fmt;

use crate::release::Release;

pub use users::{NOT_FOR_USERS, NotForUsers, not_for_users, user_attributes};

include!(concat!(env!("OUT_DIR"), "/schema_tables.rs"));

/// One element of the broker XML, such as `transportConnector`.
#[derive(Debug, PartialEq, Eq)]
pub struct Element {
    /// The name in the XML.
    pub name: &'static str,
    /// The Java class that it makes a bean of.
    pub class: &'static str,
    /// The releases that have the element.
    pub presence: Presence,
    /// Its attributes, sorted by name.
    pub attributes: &'static [Attribute],
    /// The elements directly inside it, sorted by name.
    pub children: &'static [Child],
}

/// One attribute of an element.
#[derive(Debug, PartialEq, Eq)]
pub struct Attribute {
    /// The name in the XML.
    pub name: &'static str,
    /// What the newest schema takes as its value.
    pub ty: AttrType,
    /// What older schemas took instead, when that differs.
    pub was: &'static [AttrType],
    /// The releases that have the attribute, given that they have the element.
    pub presence: Presence,
}

/// One property element of an element, such as `transportConnectors` in `broker`.
#[derive(Debug, PartialEq, Eq)]
pub struct Child {
    /// The name in the XML.
    pub name: &'static str,
    /// The elements that may stand in it, sorted; empty when the schema lets anything in, and often then only a bean.
    pub elements: &'static [&'static str],
    /// The releases that have the child, given that they have the element.
    pub presence: Presence,
}

/// What an attribute takes, as its XML schema says. A `${placeholder}` is possible in `Text` only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AttrType {
    /// `true` or `false`.
    Boolean,
    /// 16 bits, signed.
    Short,
    /// A whole number; Java reads 32 bits, signed.
    Integer,
    /// 64 bits, signed.
    Long,
    /// 32-bit floating point.
    Float,
    /// 64-bit floating point.
    Double,
    /// Any text. What Java makes of it may be narrower: a URI, a size such as `64 mb`, a boolean with an editor of its own.
    Text,
    /// The Spring bean's id.
    Id,
}

/// In which releases something exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presence {
    /// The first release with it; `None`: all from the oldest schema on.
    pub since: Option<Release>,
    /// The first release that no longer has it; `None`: it is still there.
    pub gone: Option<Release>,
    /// Spans `[from, until)` between those two that lack it: fixes reach older lines after younger ones were made.
    pub absent: &'static [(Release, Release)],
}

/// Whether one release has it, and if not, which one does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    /// It is there.
    Present,
    /// It came later.
    NotYet {
        /// The first release with it.
        since: Release,
    },
    /// It was removed.
    Gone {
        /// The first release without it.
        since: Release,
    },
    /// An older line has it and a younger one has it, this one does not.
    Hole {
        /// The first release with it, in an older line; `None`: the oldest schema has it.
        since: Option<Release>,
        /// The first release of the span without it.
        from: Release,
        /// The first release after the span, which has it again.
        until: Release,
    },
}

/// The element of that name, in any release.
pub fn element(name: &str) -> Option<&'static Element> {
    by_name(ELEMENTS, |element| element.name, name)
}

/// Every element of any release, sorted by name.
pub fn elements() -> &'static [Element] {
    ELEMENTS
}

/// The releases whose XML schemas were read, oldest first.
pub fn sampled_releases() -> &'static [Release] {
    SAMPLED
}

impl Element {
    /// The attribute of that name, in any release.
    pub fn attribute(&self, name: &str) -> Option<&'static Attribute> {
        by_name(self.attributes, |attribute| attribute.name, name)
    }

    /// The child of that name, in any release.
    pub fn child(&self, name: &str) -> Option<&'static Child> {
        by_name(self.children, |child| child.name, name)
    }
}

impl Presence {
    /// Whether `release` has it. A release older than the oldest schema is judged by that, one newer than the newest of
    /// its line by the newest.
    pub fn in_release(&self, release: Release) -> Availability {
        let release = release.in_schema();
        if let Some(since) = self.since.filter(|&since| release < since) {
            return Availability::NotYet { since };
        }
        if let Some(since) = self.gone.filter(|&gone| release >= gone) {
            return Availability::Gone { since };
        }
        match self.absent.iter().find(|(from, until)| (*from..*until).contains(&release)) {
            Some(&(from, until)) => Availability::Hole { since: self.since, from, until },
            None => Availability::Present,
        }
    }
}

impl Availability {
    /// Whether it is there.
    pub fn is_present(self) -> bool {
        self == Availability::Present
    }
}

/// Ends a sentence that begins with the name: "`autoStart` needs 5.19.0 or 6.2.0".
impl fmt::Display for Availability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Availability::Present => write!(f, "is there"),
            Availability::NotYet { since } => write!(f, "needs {since}"),
            Availability::Gone { since } => write!(f, "was removed in {since}"),
            Availability::Hole { since: Some(since), from, until } if since < from => {
                write!(f, "needs {since} or {until}")
            }
            Availability::Hole { until, .. } => write!(f, "needs {until}"),
        }
    }
}

fn by_name<T>(sorted: &'static [T], name_of: impl Fn(&'static T) -> &'static str, name: &str) -> Option<&'static T> {
    let index = sorted.binary_search_by(|item| name_of(item).cmp(name)).ok()?;
    sorted.get(index)
}

#[cfg(test)]
mod tests;
