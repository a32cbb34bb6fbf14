//! How XML is spelled: a small element tree and a writer that gives the same well-formed bytes for the same tree.

use std::borrow::Cow;
use std::collections::BTreeMap;

use quick_xml::escape::partial_escape;
use quick_xml::events::attributes::Attribute;

/// Spaces per level of elements.
const INDENT: usize = 2;
/// Spaces before an attribute that has a line of its own, counted from its element.
const ATTRIBUTE_INDENT: usize = 4;
/// The longest start tag, in characters with its indentation, that stays on one line.
const LONGEST_TAG: usize = 110;
/// What stands for a character that XML 1.0 cannot carry.
const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;

/// An element and everything in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct XmlElement {
    /// The name, with its prefix if it has one (whoever uses a prefix declares it). Characters that no name can have are
    /// written as `_`.
    pub name: String,
    /// Name and value, unescaped; written sorted by name.
    pub attributes: BTreeMap<String, String>,
    /// What is inside, in the order it is written.
    pub children: Vec<XmlNode>,
}

/// One thing inside an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum XmlNode {
    /// An element.
    Element(XmlElement),
    /// Text, unescaped. An element with text is written without added line breaks, which would become part of the text.
    Text(String),
    /// A comment, any text; `--` is written as `- -`.
    Comment(String),
    /// Markup that is written as it is. Whoever makes one has checked that it is well-formed.
    Raw(String),
}

/// A document: what stands before the root element, and the root element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct XmlDocument {
    /// Comments before the root element, each on lines of its own.
    pub comments: Vec<String>,
    /// The root element.
    pub root: XmlElement,
}

/// Whether `markup` can be put into an element as it is: elements closed, entities known, no declaration.
///
/// # Errors
/// What is wrong, as the end of a sentence.
pub fn check_fragment(markup: &str) -> Result<(), String> {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(markup);
    reader.config_mut().check_comments = true;
    let mut depth = 0usize;
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(start) => {
                attributes(&start)?;
                depth += 1;
            }
            Event::Empty(empty) => attributes(&empty)?,
            Event::End(_) => depth = depth.saturating_sub(1),
            Event::GeneralRef(reference) => entity(&reference)?,
            Event::Decl(_) | Event::DocType(_) | Event::PI(_) => {
                return Err("declarations and processing instructions cannot stand inside an element".to_owned());
            }
            Event::Eof if depth > 0 => return Err("an element is never closed".to_owned()),
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

/// The outermost elements of XML that is well-formed: each one's name without prefix, and where its tag begins.
#[must_use]
pub fn outermost(markup: &str) -> Vec<(String, usize)> {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(markup);
    let (mut depth, mut found) = (0usize, Vec::new());
    loop {
        let at = usize::try_from(reader.buffer_position()).unwrap_or(0);
        let (name, opens) = match reader.read_event() {
            Ok(Event::Start(start)) => (start.local_name().as_ref().to_owned(), true),
            Ok(Event::Empty(empty)) => (empty.local_name().as_ref().to_owned(), false),
            Ok(Event::End(_)) => {
                depth = depth.saturating_sub(1);
                continue;
            }
            Ok(Event::Eof) | Err(_) => return found,
            Ok(_) => continue,
        };
        if depth == 0 {
            found.push((name, at));
        }
        depth += usize::from(opens);
    }
}

fn attributes(start: &quick_xml::events::BytesStart<'_>) -> Result<(), String> {
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let value = &attribute.value;
        if value.contains('<') {
            return Err("a `<` stands inside an attribute".to_owned());
        }
        quick_xml::escape::unescape(value).map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn entity(reference: &quick_xml::events::BytesRef<'_>) -> Result<(), String> {
    let name: &str = reference;
    let known = name.starts_with('#') || matches!(name, "amp" | "lt" | "gt" | "quot" | "apos");
    if known { Ok(()) } else { Err(format!("there is no entity `&{name};`")) }
}

impl XmlElement {
    /// An element without attributes and children.
    pub fn new(name: impl Into<String>) -> Self {
        XmlElement { name: name.into(), ..XmlElement::default() }
    }

    /// Sets an attribute; a second value for one name replaces the first.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) -> &mut Self {
        self.attributes.insert(name.into(), value.into());
        self
    }

    /// The same element with an attribute more.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.set(name, value);
        self
    }

    /// Adds an element, text (`&str` or `String`) or another node after the children there are.
    pub fn push(&mut self, child: impl Into<XmlNode>) -> &mut Self {
        self.children.push(child.into());
        self
    }

    /// The same element with a child more.
    #[must_use]
    pub fn with_child(mut self, child: impl Into<XmlNode>) -> Self {
        self.push(child);
        self
    }
}

impl XmlDocument {
    /// The whole file: declaration, comments, root element, line feed at the end.
    pub fn write(&self) -> String {
        let mut out = Writer { text: String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n") };
        for comment in &self.comments {
            out.comment(comment, 0);
            out.text.push('\n');
        }
        out.element(&self.root, 0, Layout::Lines);
        out.text.push('\n');
        out.text
    }
}

/// Whether XML 1.0 can carry the character at all, escaped or not (XML 1.0, production 2, Char). The writer puts U+FFFD in
/// the place of others; a rule that wants to refuse them asks here first.
pub fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}

/// Whether the text can be the name of an element or attribute (XML 1.0, production 5, Name, and at most one colon, with
/// something on both sides).
pub fn is_xml_name(name: &str) -> bool {
    let part = |part: &str| {
        let mut chars = part.chars();
        chars.next().is_some_and(is_name_start) && chars.all(is_name_char)
    };
    match name.split_once(':') {
        Some((prefix, local)) => part(prefix) && part(local),
        None => part(name),
    }
}

/// Whether children stand on lines of their own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    Lines,
    /// Inside text every blank counts, so nothing is added.
    Verbatim,
}

struct Writer {
    text: String,
}

impl Writer {
    /// `depth` counts the elements around it; the first line is already indented.
    fn element(&mut self, element: &XmlElement, depth: usize, around: Layout) {
        let name = safe_name(&element.name);
        self.start_tag(&name, element, depth, around);
        if element.children.is_empty() {
            self.text.push_str("/>");
            return;
        }
        self.text.push('>');
        let has_text = element.children.iter().any(|child| matches!(child, XmlNode::Text(_)));
        let layout = if has_text { Layout::Verbatim } else { around };
        for child in &element.children {
            self.break_line(depth + 1, layout);
            self.node(child, depth + 1, layout);
        }
        self.break_line(depth, layout);
        self.text.push_str("</");
        self.text.push_str(&name);
        self.text.push('>');
    }

    fn node(&mut self, node: &XmlNode, depth: usize, layout: Layout) {
        match node {
            XmlNode::Element(element) => self.element(element, depth, layout),
            XmlNode::Text(text) => self.text.push_str(&partial_escape(carriable(text))),
            XmlNode::Comment(text) => self.comment(text, depth),
            XmlNode::Raw(markup) => self.text.push_str(&carriable(&markup.replace("\r\n", "\n"))),
        }
    }

    /// `<name a="1" b="2"`, on one line if it fits there with the longest end it may get (`/>`).
    fn start_tag(&mut self, name: &str, element: &XmlElement, depth: usize, around: Layout) {
        // Keyed again by the name as written, because two names may be spelled alike once they are made safe.
        let attributes: BTreeMap<_, _> =
            element.attributes.iter().map(|(name, value)| (safe_name(name), value)).collect();
        let attributes: Vec<String> = attributes.iter().map(|(name, value)| attribute(name, value)).collect();
        let one_line = depth * INDENT + 1 + width(name) + attributes.iter().map(|a| 1 + width(a)).sum::<usize>() + 2;
        let wrapped = one_line > LONGEST_TAG && around == Layout::Lines && attributes.len() > 1;
        self.text.push('<');
        self.text.push_str(name);
        for attribute in attributes {
            match wrapped {
                true => self.new_line(depth * INDENT + ATTRIBUTE_INDENT),
                false => self.text.push(' '),
            }
            self.text.push_str(&attribute);
        }
    }

    /// A comment of several lines is aligned below its first character.
    fn comment(&mut self, text: &str, depth: usize) {
        self.text.push_str("<!-- ");
        for (index, line) in text.lines().enumerate() {
            let line = comment_line(line);
            if index > 0 {
                self.new_line(if line.is_empty() { 0 } else { depth * INDENT + "<!-- ".len() });
            }
            self.text.push_str(&line);
        }
        self.text.push_str(" -->");
    }

    fn break_line(&mut self, depth: usize, layout: Layout) {
        if layout == Layout::Lines {
            self.new_line(depth * INDENT);
        }
    }

    fn new_line(&mut self, indent: usize) {
        self.text.push('\n');
        self.text.extend(std::iter::repeat_n(' ', indent));
    }
}

/// `name="value"`, escaped by quick-xml: also line feeds and tabs, which a parser would read as blanks.
fn attribute(name: &str, value: &str) -> String {
    let value = carriable(value);
    let escaped = Attribute::from(("", value.as_ref())).value;
    format!("{name}=\"{escaped}\"")
}

/// One line of a comment. The first pass leaves at most two hyphens together (`---` becomes `- --`), the second none.
fn comment_line(line: &str) -> String {
    carriable(line).replace('\r', " ").trim_end().replace("--", "- -").replace("--", "- -")
}

/// The text with U+FFFD for what XML cannot carry.
fn carriable(text: &str) -> Cow<'_, str> {
    match text.chars().all(is_xml_char) {
        true => Cow::Borrowed(text),
        false => text.chars().map(|c| if is_xml_char(c) { c } else { REPLACEMENT }).collect::<String>().into(),
    }
}

/// The name itself if it is one, else the nearest that is.
fn safe_name(name: &str) -> Cow<'_, str> {
    if is_xml_name(name) {
        return Cow::Borrowed(name);
    }
    let mut safe: String = name.chars().map(|c| if is_name_char(c) { c } else { '_' }).collect();
    if !safe.starts_with(is_name_start) {
        safe.insert(0, '_');
    }
    Cow::Owned(safe)
}

fn is_name_start(c: char) -> bool {
    matches!(c,
        'A'..='Z' | 'a'..='z' | '_' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}'
        | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}' | '\u{200D}' | '\u{2070}'..='\u{218F}'
        | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}'
        | '\u{10000}'..='\u{EFFFF}')
}

fn is_name_char(c: char) -> bool {
    is_name_start(c) || matches!(c, '0'..='9' | '-' | '.' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}' | '\u{2040}')
}

fn width(text: &str) -> usize {
    text.chars().count()
}

impl From<XmlElement> for XmlNode {
    fn from(element: XmlElement) -> Self {
        XmlNode::Element(element)
    }
}

impl From<String> for XmlNode {
    fn from(text: String) -> Self {
        XmlNode::Text(text)
    }
}

impl From<&str> for XmlNode {
    fn from(text: &str) -> Self {
        XmlNode::Text(text.to_owned())
    }
}

#[cfg(test)]
mod tests;
