//! Cuts a stream of bytes into the stanzas of an XMPP stream, without believing in its length.

/// Bytes that one stanza may have.
const STANZA: usize = 64 * 1024;

/// A piece of a stream.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// The start tag of the stream.
    Open(String),
    /// A whole element inside it.
    Stanza(String),
    /// The end tag of the stream.
    Close,
}

/// A stream as far as it has come.
#[derive(Debug, Default)]
pub(crate) struct Splitter {
    buffer: Vec<u8>,
    /// How much of the buffer has been looked at.
    seen: usize,
    depth: usize,
    /// Where the tag that is being read began.
    tag: Option<usize>,
    quote: Option<u8>,
    /// Where the stanza that is being read began.
    stanza: usize,
}

impl Splitter {
    /// Takes what came. The error is the condition of the stream's error.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<Vec<Piece>, &'static str> {
        self.buffer.extend_from_slice(bytes);
        let mut pieces = Vec::new();
        while self.seen < self.buffer.len() {
            let at = self.seen;
            self.seen += 1;
            if let Some(piece) = self.look(at)? {
                pieces.push(piece);
                self.buffer.drain(..self.seen);
                self.seen = 0;
            }
        }
        if self.depth <= 1 && self.tag.is_none() {
            self.buffer.clear();
            self.seen = 0;
        }
        if self.buffer.len() > STANZA { Err("policy-violation") } else { Ok(pieces) }
    }

    fn look(&mut self, at: usize) -> Result<Option<Piece>, &'static str> {
        let byte = self.buffer[at];
        let Some(begin) = self.tag else {
            if byte == b'<' {
                self.tag = Some(at);
                if self.depth == 1 {
                    self.stanza = at;
                }
            } else if self.depth <= 1 && !byte.is_ascii_whitespace() {
                return Err("not-well-formed");
            }
            return Ok(None);
        };
        let is_data = self.buffer[begin..=at].starts_with(b"<![CDATA[");
        if is_data {
            if byte == b'>' && self.buffer[begin..=at].ends_with(b"]]>") {
                self.tag = None;
            }
            return Ok(None);
        }
        match self.quote {
            Some(quote) if quote == byte => self.quote = None,
            Some(_) => {}
            None if byte == b'"' || byte == b'\'' => self.quote = Some(byte),
            None if byte == b'>' => return self.end_of_tag(begin, at),
            None => {}
        }
        Ok(None)
    }

    fn end_of_tag(&mut self, begin: usize, at: usize) -> Result<Option<Piece>, &'static str> {
        self.tag = None;
        let tag = &self.buffer[begin..=at];
        if tag.starts_with(b"<?xml ") && self.depth == 0 {
            self.buffer.drain(..=at);
            self.seen = 0;
            return Ok(None);
        }
        // RFC 6120, section 11.1: no comments, no instructions, no document types.
        if tag.starts_with(b"<?") || tag.starts_with(b"<!") {
            return Err("restricted-xml");
        }
        if tag.starts_with(b"</") {
            self.depth = self.depth.checked_sub(1).ok_or("not-well-formed")?;
            return match self.depth {
                0 => Ok(Some(Piece::Close)),
                1 => self.text(self.stanza, at).map(|text| Some(Piece::Stanza(text))),
                _ => Ok(None),
            };
        }
        if tag.ends_with(b"/>") {
            return match self.depth {
                0 => Err("not-well-formed"),
                1 => self.text(self.stanza, at).map(|text| Some(Piece::Stanza(text))),
                _ => Ok(None),
            };
        }
        self.depth += 1;
        if self.depth == 1 { self.text(begin, at).map(|text| Some(Piece::Open(text))) } else { Ok(None) }
    }

    fn text(&self, from: usize, to: usize) -> Result<String, &'static str> {
        String::from_utf8(self.buffer[from..=to].to_vec()).map_err(|_| "not-well-formed")
    }
}

#[cfg(test)]
mod tests {
    use super::{Piece, STANZA, Splitter};

    const TEXT: &str = "<?xml version='1.0'?>\n<stream:stream to='a>b' xmlns='jabber:client'> \n<iq a=\"</iq>\"><b/><c>&lt;<![CDATA[</c>]]></c></iq> <presence/></stream:stream>";

    fn pieces() -> Vec<Piece> {
        vec![
            Piece::Open("<stream:stream to='a>b' xmlns='jabber:client'>".to_owned()),
            Piece::Stanza("<iq a=\"</iq>\"><b/><c>&lt;<![CDATA[</c>]]></c></iq>".to_owned()),
            Piece::Stanza("<presence/>".to_owned()),
            Piece::Close,
        ]
    }

    #[test]
    fn a_stream_is_cut_the_same_way_however_its_bytes_come() {
        for size in 1..TEXT.len() {
            let mut splitter = Splitter::default();
            let found: Vec<Piece> =
                TEXT.as_bytes().chunks(size).flat_map(|chunk| splitter.push(chunk).unwrap()).collect();
            assert_eq!(found, pieces(), "in pieces of {size}");
        }
    }

    #[test]
    fn what_has_no_place_in_a_stream_is_refused() {
        for (text, condition) in [
            ("hello", "not-well-formed"),
            ("<a/>", "not-well-formed"),
            ("<a><!-- c --></a>", "restricted-xml"),
            ("<a><?x y?></a>", "restricted-xml"),
            ("<!DOCTYPE a><a>", "restricted-xml"),
            ("<a>text</a>", "not-well-formed"),
        ] {
            assert_eq!(Splitter::default().push(text.as_bytes()), Err(condition), "{text}");
        }
    }

    #[test]
    fn a_stanza_that_does_not_end_is_not_kept() {
        let mut splitter = Splitter::default();
        splitter.push(b"<a>").unwrap();
        assert!(splitter.push(&vec![b' '; 2 * STANZA]).unwrap().is_empty(), "space between stanzas is nothing");
        assert!(splitter.push(b"<b>").is_ok());
        assert_eq!(splitter.push(&vec![b'x'; STANZA]), Err("policy-violation"));
    }
}
