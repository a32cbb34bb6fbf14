//! XML as a small tree: read within limits, with namespaces resolved, and written again.

use std::fmt::{self, Write as _};

use quick_xml::Reader;
use quick_xml::escape::escape;
use quick_xml::events::{BytesStart, Event};

/// How much one document may hold. What is beyond is refused before it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the text.
    pub bytes: usize,
    /// Elements inside one another.
    pub depth: usize,
    /// Elements altogether.
    pub elements: usize,
    /// Attributes of one element.
    pub attributes: usize,
}

impl Default for Limits {
    /// A megabyte, 32 deep, 20,000 elements of 32 attributes: some hundred times what Finesse sends for one agent.
    fn default() -> Self {
        Self { bytes: 1 << 20, depth: 32, elements: 20_000, attributes: 32 }
    }
}

/// Why a text is no document that is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum XmlError {
    /// It breaks the rules of XML, at this byte.
    Malformed {
        /// Offset in bytes.
        at: usize,
        /// What is wrong.
        reason: String,
    },
    /// It holds more than it may: this limit.
    TooMuch(&'static str),
    /// It has a document type, or names an entity that XML itself does not know: neither is read.
    Forbidden(&'static str),
}

impl fmt::Display for XmlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { at, reason } => write!(f, "malformed XML at byte {at}: {reason}"),
            Self::TooMuch(limit) => write!(f, "the XML has too many {limit}"),
            Self::Forbidden(what) => write!(f, "the XML has {what}, which is not read"),
        }
    }
}

impl std::error::Error for XmlError {}

/// An element and everything in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// The name without its prefix.
    pub name: String,
    /// The namespace that the prefix, or its absence, stands for; empty if none.
    pub namespace: String,
    /// Name as it was written, with its prefix, and value, unescaped; without declarations of namespaces. In the order of the text.
    pub attributes: Vec<(String, String)>,
    /// What is inside, in the order of the text.
    pub children: Vec<Node>,
}

/// One thing inside an element. Comments and instructions are not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// An element.
    Element(Element),
    /// Text, unescaped: never empty, and never two in a row.
    Text(String),
}

/// A namespace in scope: the prefix (empty for the default) and its name.
pub type Scope<'a> = (&'a str, &'a str);

/// Reads a document: one element, with a declaration before it if it likes.
///
/// # Errors
///
/// [`XmlError`]; never panics.
pub fn read(text: &str, limits: Limits) -> Result<Element, XmlError> {
    read_within(text, &[], limits)
}

/// Reads an element that stands inside of something else, where these namespaces were declared.
///
/// # Errors
///
/// As [`read`].
pub fn read_within(text: &str, scope: &[Scope<'_>], limits: Limits) -> Result<Element, XmlError> {
    if text.len() > limits.bytes {
        return Err(XmlError::TooMuch("bytes"));
    }
    let mut builder = Builder::new(scope, limits);
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_comments = true;
    loop {
        let event = reader.read_event().map_err(|error| malformed(reader.error_position(), &error))?;
        let at = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        match event {
            Event::Start(start) => builder.open(&start, at)?,
            Event::Empty(start) => {
                builder.open(&start, at)?;
                builder.close();
            }
            Event::End(_) => builder.close(),
            Event::Text(text) => builder.text(&text, at)?,
            Event::CData(text) => builder.text(&text, at)?,
            Event::GeneralRef(reference) => {
                let text = match reference.resolve_char_ref() {
                    Ok(Some(character)) => character.to_string(),
                    Ok(None) => known_entity(&reference)?.to_owned(),
                    Err(error) => return Err(malformed(at as u64, &error)),
                };
                builder.text(&text, at)?;
            }
            Event::Comment(_) | Event::PI(_) | Event::Decl(_) => {}
            Event::DocType(_) => return Err(XmlError::Forbidden("a document type")),
            Event::Eof => return builder.finish(at),
        }
    }
}

/// Reads the start tag of an element whose end is far away, such as a stream, and the namespaces that it declares: what
/// [`read_within`] wants to know for everything inside.
///
/// # Errors
///
/// As [`read`].
pub fn read_open(text: &str, limits: Limits) -> Result<(Element, Vec<(String, String)>), XmlError> {
    if text.len() > limits.bytes {
        return Err(XmlError::TooMuch("bytes"));
    }
    let mut builder = Builder::new(&[], limits);
    let mut reader = Reader::from_str(text);
    loop {
        let event = reader.read_event().map_err(|error| malformed(reader.error_position(), &error))?;
        let at = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        match event {
            Event::Start(start) if builder.open.is_empty() => builder.open(&start, at)?,
            Event::Text(text) if builder.open.is_empty() => builder.text(&text, at)?,
            Event::Decl(_) if builder.open.is_empty() => {}
            Event::Eof => break,
            _ => return Err(malformed(at as u64, &"something else than one start tag")),
        }
    }
    let element = builder.open.pop().ok_or_else(|| malformed(0, &"no start tag"))?;
    Ok((element, builder.scope))
}

fn malformed(at: u64, error: &dyn fmt::Display) -> XmlError {
    XmlError::Malformed { at: usize::try_from(at).unwrap_or(usize::MAX), reason: error.to_string() }
}

fn known_entity(name: &str) -> Result<&'static str, XmlError> {
    quick_xml::escape::resolve_xml_entity(name).ok_or(XmlError::Forbidden("an entity of its own"))
}

/// The elements that are open, each with the namespaces that it declares.
struct Builder {
    limits: Limits,
    elements: usize,
    scope: Vec<(String, String)>,
    /// How much of `scope` was there before each open element.
    marks: Vec<usize>,
    open: Vec<Element>,
    root: Option<Element>,
}

impl Builder {
    fn new(scope: &[Scope<'_>], limits: Limits) -> Self {
        let scope = scope.iter().map(|(prefix, name)| ((*prefix).to_owned(), (*name).to_owned())).collect();
        Self { limits, elements: 0, scope, marks: Vec::new(), open: Vec::new(), root: None }
    }

    fn open(&mut self, start: &BytesStart<'_>, at: usize) -> Result<(), XmlError> {
        if self.root.is_some() {
            return Err(malformed(at as u64, &"something stands behind the document's element"));
        }
        self.elements += 1;
        if self.elements > self.limits.elements {
            return Err(XmlError::TooMuch("elements"));
        }
        if self.open.len() == self.limits.depth {
            return Err(XmlError::TooMuch("elements inside one another"));
        }
        self.marks.push(self.scope.len());
        let mut element = Element::default();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| malformed(at as u64, &error))?;
            let value = unescape(attribute.value.as_ref(), at)?;
            let name = attribute.key.0;
            qualified(name, at)?;
            if name == "xmlns" {
                self.scope.push((String::new(), value));
            } else if let Some(prefix) = name.strip_prefix("xmlns:") {
                self.scope.push((prefix.to_owned(), value));
            } else {
                element.attributes.push((name.to_owned(), value));
            }
            if element.attributes.len() + self.scope.len() - self.marks.last().unwrap_or(&0) > self.limits.attributes {
                return Err(XmlError::TooMuch("attributes"));
            }
        }
        let name = start.name();
        let (prefix, local) = qualified(name.0, at)?;
        element.name = local.to_owned();
        element.namespace = self.namespace(prefix, at)?;
        self.open.push(element);
        Ok(())
    }

    fn namespace(&self, prefix: &str, at: usize) -> Result<String, XmlError> {
        match self.scope.iter().rev().find(|(declared, _)| declared == prefix) {
            Some((_, name)) => Ok(name.clone()),
            None if prefix.is_empty() => Ok(String::new()),
            None => Err(malformed(at as u64, &format!("nobody declared the prefix `{prefix}`"))),
        }
    }

    fn close(&mut self) {
        self.scope.truncate(self.marks.pop().unwrap_or_default());
        let Some(element) = self.open.pop() else { return };
        match self.open.last_mut() {
            Some(parent) => parent.children.push(Node::Element(element)),
            None => self.root = Some(element),
        }
    }

    fn text(&mut self, text: &str, at: usize) -> Result<(), XmlError> {
        if let Some(character) = text.chars().find(|character| !is_xml(*character)) {
            return Err(malformed(
                at as u64,
                &format!("the character U+{:04X} has no place in XML", u32::from(character)),
            ));
        }
        let Some(element) = self.open.last_mut() else {
            let is_space = text.chars().all(|character| matches!(character, ' ' | '\t' | '\r' | '\n' | '\u{feff}'));
            return if is_space { Ok(()) } else { Err(malformed(at as u64, &"text stands outside of every element")) };
        };
        match element.children.last_mut() {
            Some(Node::Text(before)) => before.push_str(text),
            _ if text.is_empty() => {}
            _ => element.children.push(Node::Text(text.to_owned())),
        }
        Ok(())
    }

    fn finish(self, at: usize) -> Result<Element, XmlError> {
        if let Some(element) = self.open.last() {
            return Err(malformed(at as u64, &format!("`{}` is not closed", element.name)));
        }
        self.root.ok_or_else(|| malformed(at as u64, &"no element"))
    }
}

fn unescape(value: &str, at: usize) -> Result<String, XmlError> {
    let value = quick_xml::escape::unescape(value).map_err(|error| match error {
        quick_xml::escape::EscapeError::UnrecognizedEntity(..) => XmlError::Forbidden("an entity of its own"),
        error => malformed(at as u64, &error),
    })?;
    match value.chars().find(|character| !is_xml(*character)) {
        Some(character) => {
            Err(malformed(at as u64, &format!("the character U+{:04X} has no place in XML", u32::from(character))))
        }
        None => Ok(value.into_owned()),
    }
}

/// A name of an element or attribute: its prefix, if it has one, and the rest (Namespaces in XML 1.0, section 4, `QName`).
fn qualified(name: &str, at: usize) -> Result<(&str, &str), XmlError> {
    let (prefix, local) = name.split_once(':').map_or((None, name), |(prefix, local)| (Some(prefix), local));
    if is_name(local) && prefix.is_none_or(is_name) {
        Ok((prefix.unwrap_or_default(), local))
    } else {
        Err(malformed(at as u64, &format!("`{}` is no name", name.escape_default())))
    }
}

/// Whether this is a name without a colon (XML 1.0, section 2.3, `Name`).
fn is_name(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(begins_name) && characters.all(|c| begins_name(c) || continues_name(c))
}

const fn begins_name(character: char) -> bool {
    matches!(character,
        'a'..='z' | 'A'..='Z' | '_' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}'
        | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}' | '\u{200d}' | '\u{2070}'..='\u{218f}'
        | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}'
        | '\u{10000}'..='\u{effff}')
}

const fn continues_name(character: char) -> bool {
    matches!(character, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}' | '\u{2040}')
}

/// Whether XML 1.0 has this character at all (section 2.2, `Char`). Written as it is or as a reference makes no difference.
#[must_use]
pub const fn is_xml(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

impl Element {
    /// An empty element.
    #[must_use]
    pub fn new(name: impl Into<String>, namespace: impl Into<String>) -> Self {
        Self { name: name.into(), namespace: namespace.into(), ..Self::default() }
    }

    /// The same with an attribute more.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.attributes.push((name.into(), value.into()));
        self
    }

    /// The same with an element more inside.
    #[must_use]
    pub fn containing(mut self, child: Self) -> Self {
        self.children.push(Node::Element(child));
        self
    }

    /// The same with text more inside. Characters that XML does not have are written as U+FFFD.
    #[must_use]
    pub fn saying(mut self, text: impl Into<String>) -> Self {
        self.children.push(Node::Text(text.into()));
        self
    }

    /// Whether it is this element of this namespace.
    #[must_use]
    pub fn is(&self, name: &str, namespace: &str) -> bool {
        self.name == name && self.namespace == namespace
    }

    /// The value of an attribute, by its name as written.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The elements right inside.
    pub fn elements(&self) -> impl Iterator<Item = &Self> {
        self.children.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// The first element of this name right inside, of whatever namespace.
    #[must_use]
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.elements().find(|element| element.name == name)
    }

    /// The text right inside, in one piece.
    #[must_use]
    pub fn text(&self) -> String {
        let texts = self.children.iter().filter_map(|node| match node {
            Node::Text(text) => Some(text.as_str()),
            Node::Element(_) => None,
        });
        texts.collect()
    }

    /// The text of the first element of this name right inside, without space around it.
    #[must_use]
    pub fn child_text(&self, name: &str) -> Option<String> {
        self.child(name).map(|child| child.text().trim().to_owned())
    }

    fn write(&self, out: &mut String, around: &str) {
        // Writing to a string cannot fail.
        let _ = write!(out, "<{}", self.name);
        if self.namespace != around {
            let _ = write!(out, " xmlns=\"{}\"", escaped(&self.namespace));
        }
        for (name, value) in &self.attributes {
            let _ = write!(out, " {name}=\"{}\"", escaped(value));
        }
        if self.children.is_empty() {
            out.push_str("/>");
            return;
        }
        out.push('>');
        for node in &self.children {
            match node {
                Node::Element(element) => element.write(out, &self.namespace),
                Node::Text(text) => out.push_str(&escaped(text)),
            }
        }
        let _ = write!(out, "</{}>", self.name);
    }

    /// Its text where the default namespace is already this one, as in a stream of stanzas.
    #[must_use]
    pub fn to_string_within(&self, namespace: &str) -> String {
        let mut out = String::new();
        self.write(&mut out, namespace);
        out
    }
}

/// Its text on one line, without a declaration: each namespace is declared as the default where it begins.
impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_string_within(""))
    }
}

fn escaped(text: &str) -> String {
    let text: String = text.chars().map(|c| if is_xml(c) { c } else { char::REPLACEMENT_CHARACTER }).collect();
    // A carriage return that is written as it is would be read as a line feed (XML 1.0, 2.11), and tabs and line feeds of an
    // attribute as spaces (3.3.3).
    escape(&text).replace('\r', "&#13;").replace('\n', "&#10;").replace('\t', "&#9;")
}
