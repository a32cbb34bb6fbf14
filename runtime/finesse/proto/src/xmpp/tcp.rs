//! XMPP over TCP (RFC 6120): one long document, whose parts are stanzas. It comes in pieces that end anywhere.

use super::{LIMITS, Piece, ns};
use crate::xml::{self, Element, Limits, XmlError};

/// The end of a stream.
pub const CLOSING: &str = "</stream:stream>";

/// The beginning of a stream to a domain.
#[must_use]
pub fn opening(domain: &str) -> String {
    let (to, client, stream) = (quick_xml::escape::escape(domain), ns::CLIENT, ns::STREAM);
    format!(
        "<?xml version='1.0'?><stream:stream to=\"{to}\" version=\"1.0\" xmlns=\"{client}\" xmlns:stream=\"{stream}\">"
    )
}

/// A stanza as it stands inside of a stream.
#[must_use]
pub fn stanza(element: &Element) -> String {
    element.to_string_within(ns::CLIENT)
}

/// Where the scanner is. It knows just enough of XML to see where an element ends; `xml` reads what it has cut out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// Between tags.
    Text,
    /// Behind `<`.
    Markup,
    /// In a start tag: the quote that an attribute's value is in, and whether the last character was a slash.
    Start { quote: Option<u8>, slash: bool },
    /// In an end tag.
    End,
    /// Behind `<!`, with so many characters of `[CDATA[`.
    Bang(usize),
    /// In a CDATA section, behind so many brackets.
    Data(u8),
    /// In the declaration before the stream; whether the last character was a question mark.
    Declaration(bool),
}

/// What the stream is at.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stream {
    /// Nothing has come.
    New,
    /// The declaration has.
    Declared,
    /// Its header has: the name of its tag, and the namespaces that it declares.
    Open(String, Vec<(String, String)>),
    /// It has ended.
    Over,
    /// It cannot be read.
    Broken(XmlError),
}

/// Cuts a stream into its parts. It keeps no more than one unfinished part, and looks at every byte once, however the bytes come.
///
/// Comments, instructions and document types are refused, as RFC 6120 (11.1) has it.
#[derive(Clone, Debug)]
pub struct Splitter {
    limits: Limits,
    stream: Stream,
    at: At,
    depth: usize,
    kept: Vec<u8>,
}

/// What is kept of the room for a stanza until the next one: most are smaller, and there are thousands of sessions.
const ROOM: usize = 1 << 10;

const CDATA: &[u8] = b"[CDATA[";

impl Default for Splitter {
    fn default() -> Self {
        Self::new(LIMITS)
    }
}

impl Splitter {
    /// One for a new stream; the limits are those of one stanza.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, stream: Stream::New, at: At::Text, depth: 0, kept: Vec::new() }
    }

    /// How many bytes it holds of a part that has not come whole.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.kept.len()
    }

    /// Takes bytes off the front until a part of the stream is whole. `None`: all are taken, and more are needed.
    ///
    /// # Errors
    ///
    /// [`XmlError`]; the same again from then on.
    pub fn next(&mut self, bytes: &mut &[u8]) -> Result<Option<Piece>, XmlError> {
        if let Stream::Broken(error) = &self.stream {
            return Err(error.clone());
        }
        while let Some((byte, rest)) = bytes.split_first() {
            *bytes = rest;
            match self.take(*byte) {
                Ok(None) => {}
                Ok(piece) => return Ok(piece),
                Err(error) => {
                    self.stream = Stream::Broken(error.clone());
                    self.kept = Vec::new();
                    return Err(error);
                }
            }
        }
        Ok(None)
    }

    fn take(&mut self, byte: u8) -> Result<Option<Piece>, XmlError> {
        if self.depth == 0 && self.at == At::Text && byte != b'<' {
            // Between stanzas there is space at most: some servers send it as a sign of life.
            return if is_space(byte) { Ok(None) } else { Err(self.malformed("text stands between stanzas")) };
        }
        if self.stream == Stream::Over {
            return Err(self.malformed("something stands behind the end of the stream"));
        }
        if self.kept.len() == self.limits.bytes {
            return Err(XmlError::TooMuch("bytes"));
        }
        self.kept.push(byte);
        match (self.at, byte) {
            (At::Text, b'<') => self.at = At::Markup,
            (At::Text, _) => {}
            (At::Markup, _) => self.at = self.markup(byte)?,
            (At::Start { quote: None, slash }, b'>') => return self.start_tag(slash),
            (At::Start { .. } | At::End, b'<') => return Err(self.malformed("`<` inside of a tag")),
            (At::Start { quote: None, .. }, b'"' | b'\'') => self.at = At::Start { quote: Some(byte), slash: false },
            (At::Start { quote: None, .. }, _) => self.at = At::Start { quote: None, slash: byte == b'/' },
            (At::Start { quote: Some(quote), .. }, _) if byte == quote => {
                self.at = At::Start { quote: None, slash: false };
            }
            (At::Start { .. }, _) => {}
            (At::End, b'>') => return self.end_tag(),
            (At::End, _) => {}
            (At::Bang(count), _) if byte == CDATA[count] => {
                self.at = if count + 1 == CDATA.len() { At::Data(0) } else { At::Bang(count + 1) };
            }
            (At::Bang(_), _) => return Err(XmlError::Forbidden("a comment or a document type")),
            (At::Data(_), b']') if self.at == At::Data(0) => self.at = At::Data(1),
            (At::Data(_), b']') => self.at = At::Data(2),
            (At::Data(2), b'>') => self.at = At::Text,
            (At::Data(_), _) => self.at = At::Data(0),
            (At::Declaration(true), b'>') => self.declaration()?,
            (At::Declaration(_), _) => self.at = At::Declaration(byte == b'?'),
        }
        Ok(None)
    }

    /// What begins behind `<`.
    fn markup(&self, byte: u8) -> Result<At, XmlError> {
        match byte {
            b'/' => Ok(At::End),
            b'!' if self.depth > 0 => Ok(At::Bang(0)),
            b'!' => Err(XmlError::Forbidden("a comment or a document type")),
            b'?' if self.stream == Stream::New => Ok(At::Declaration(false)),
            b'?' => Err(XmlError::Forbidden("an instruction")),
            b'<' | b'>' | b'"' | b'\'' => Err(self.malformed("no name behind `<`")),
            _ if is_space(byte) => Err(self.malformed("no name behind `<`")),
            _ => Ok(At::Start { quote: None, slash: false }),
        }
    }

    fn declaration(&mut self) -> Result<(), XmlError> {
        if !self.kept.starts_with(b"<?xml ") {
            return Err(XmlError::Forbidden("an instruction"));
        }
        (self.stream, self.at) = (Stream::Declared, At::Text);
        self.kept.clear();
        Ok(())
    }

    fn start_tag(&mut self, empty: bool) -> Result<Option<Piece>, XmlError> {
        self.at = At::Text;
        if !matches!(self.stream, Stream::Open(..)) {
            return self.header().map(Some);
        }
        if !empty {
            self.depth += 1;
            if self.depth > self.limits.depth {
                return Err(XmlError::TooMuch("elements inside one another"));
            }
            return Ok(None);
        }
        if self.depth == 0 { self.stanza().map(Some) } else { Ok(None) }
    }

    fn end_tag(&mut self) -> Result<Option<Piece>, XmlError> {
        self.at = At::Text;
        match self.depth {
            0 => self.end().map(Some),
            1 => {
                self.depth = 0;
                self.stanza().map(Some)
            }
            _ => {
                self.depth -= 1;
                Ok(None)
            }
        }
    }

    fn header(&mut self) -> Result<Piece, XmlError> {
        let (header, scope) = xml::read_open(text(&self.kept)?, self.limits)?;
        if !header.is("stream", ns::STREAM) {
            return Err(self.malformed("it is no stream of XMPP"));
        }
        let name = self.kept[1..].split(|byte| is_space(*byte) || *byte == b'>').next().unwrap_or_default();
        self.stream = Stream::Open(String::from_utf8_lossy(name).into_owned(), scope);
        self.forget();
        Ok(Piece::Opened(header))
    }

    fn stanza(&mut self) -> Result<Piece, XmlError> {
        let Stream::Open(_, scope) = &self.stream else { return Err(self.malformed("a stanza without a stream")) };
        let scope: Vec<xml::Scope<'_>> = scope.iter().map(|(prefix, name)| (prefix.as_str(), name.as_str())).collect();
        let stanza = xml::read_within(text(&self.kept)?, &scope, self.limits)?;
        self.forget();
        Ok(Piece::Stanza(stanza))
    }

    fn end(&mut self) -> Result<Piece, XmlError> {
        let Stream::Open(name, _) = &self.stream else { return Err(self.malformed("the end of no stream")) };
        if text(&self.kept)?[2..].trim_end_matches('>').trim_end() != name {
            return Err(self.malformed("the end of something else than the stream"));
        }
        self.stream = Stream::Over;
        self.forget();
        Ok(Piece::Closed)
    }

    fn forget(&mut self) {
        self.kept.clear();
        self.kept.shrink_to(ROOM);
    }

    fn malformed(&self, reason: &str) -> XmlError {
        XmlError::Malformed { at: self.kept.len(), reason: reason.to_owned() }
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn text(bytes: &[u8]) -> Result<&str, XmlError> {
    std::str::from_utf8(bytes)
        .map_err(|error| XmlError::Malformed { at: error.valid_up_to(), reason: "it is not UTF-8".to_owned() })
}
