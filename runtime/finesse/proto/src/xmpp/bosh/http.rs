//! As much of HTTP/1.1 (RFC 9112) as BOSH needs: a request that is posted, and its answer, whose length is said or which comes in
//! chunks. It keeps nothing between two requests: there are thousands of sessions, with two connections each.

use super::{ANSWER, Body};

/// The longest head of an answer, trailers included.
const HEAD: usize = 8 << 10;

/// The longest line that says how long a chunk is.
const CHUNK_LINE: usize = 256;

/// What to send. `authority` is host and port, and `path` begins with a slash.
#[must_use]
pub fn request(authority: &str, path: &str, body: &Body) -> String {
    let (body, length) = (&body.0, body.0.len());
    format!(
        "POST {path} HTTP/1.1\r\nHost: {authority}\r\nContent-Type: text/xml; charset=utf-8\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status of HTTP.
    pub status: u16,
    /// What it says.
    pub text: String,
    /// Whether another request may be sent over the same connection.
    pub is_reusable: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// The lines up to the first empty one.
    Head,
    /// So many bytes of the body, then nothing.
    Body(usize),
    /// The line that says how long the next chunk is.
    ChunkLine,
    /// So many bytes of a chunk.
    Chunk(usize),
    /// The end of the line behind a chunk.
    ChunkEnd,
    /// The lines behind the last chunk.
    Trailers,
}

/// Reads one answer.
#[derive(Clone, Debug)]
pub struct Reader {
    part: Part,
    /// The head, or a line of something else.
    lines: Vec<u8>,
    status: u16,
    is_reusable: bool,
    body: Vec<u8>,
}

impl Default for Reader {
    fn default() -> Self {
        Self::new()
    }
}

impl Reader {
    /// Begins.
    #[must_use]
    pub const fn new() -> Self {
        Self { part: Part::Head, lines: Vec::new(), status: 0, is_reusable: true, body: Vec::new() }
    }

    /// Takes bytes off the front: the answer, once it is whole. What is left then is none of it.
    ///
    /// # Errors
    ///
    /// Why it cannot be read.
    pub fn next(&mut self, bytes: &mut &[u8]) -> Result<Option<Answer>, String> {
        while self.part != Part::Body(0) {
            match self.part {
                Part::Body(left) => {
                    self.part = Part::Body(left - self.take(left, bytes)?);
                    if bytes.is_empty() && self.part != Part::Body(0) {
                        return Ok(None);
                    }
                }
                Part::Chunk(left) => match left - self.take(left, bytes)? {
                    0 => self.part = Part::ChunkEnd,
                    left => {
                        self.part = Part::Chunk(left);
                        return Ok(None);
                    }
                },
                Part::Head | Part::ChunkLine | Part::ChunkEnd | Part::Trailers => {
                    let Some((byte, rest)) = bytes.split_first() else { return Ok(None) };
                    *bytes = rest;
                    self.lines.push(*byte);
                    self.line()?;
                }
            }
        }
        let text =
            String::from_utf8(std::mem::take(&mut self.body)).map_err(|_| "its answer is not UTF-8".to_owned())?;
        Ok(Some(Answer { status: self.status, text, is_reusable: self.is_reusable }))
    }

    /// Takes so much of the body, as far as it is there.
    fn take(&mut self, wanted: usize, bytes: &mut &[u8]) -> Result<usize, String> {
        let (taken, rest) = bytes.split_at(wanted.min(bytes.len()));
        if self.body.len() + taken.len() > ANSWER.bytes {
            return Err("its answer is too long".to_owned());
        }
        self.body.extend_from_slice(taken);
        *bytes = rest;
        Ok(taken.len())
    }

    /// Looks at what has come of a line, or of the head.
    fn line(&mut self) -> Result<(), String> {
        let longest = if matches!(self.part, Part::ChunkLine | Part::ChunkEnd) { CHUNK_LINE } else { HEAD };
        if self.lines.len() > longest {
            return Err("its answer has lines without end".to_owned());
        }
        let is_over = match self.part {
            Part::Head => self.lines.ends_with(b"\r\n\r\n") || self.lines.ends_with(b"\n\n"),
            Part::Trailers => {
                matches!(self.lines.as_slice(), b"\n" | b"\r\n")
                    || self.lines.ends_with(b"\n\r\n")
                    || self.lines.ends_with(b"\n\n")
            }
            _ => self.lines.ends_with(b"\n"),
        };
        if !is_over {
            return Ok(());
        }
        let lines = std::mem::take(&mut self.lines);
        let text = std::str::from_utf8(&lines).map_err(|_| "its answer is not HTTP".to_owned())?;
        self.part = match self.part {
            Part::Head => self.head(text)?,
            Part::ChunkLine => chunk(text)?,
            Part::ChunkEnd if text.trim_end_matches(['\r', '\n']).is_empty() => Part::ChunkLine,
            Part::ChunkEnd => return Err("its answer has a chunk that is longer than it says".to_owned()),
            _ => Part::Body(0),
        };
        Ok(())
    }

    /// What comes behind a head.
    fn head(&mut self, text: &str) -> Result<Part, String> {
        let mut lines = text.lines();
        let first = lines.next().unwrap_or_default();
        let mut words = first.splitn(3, ' ');
        let version = words.next().filter(|version| matches!(*version, "HTTP/1.0" | "HTTP/1.1"));
        let status = words.next().filter(|status| status.len() == 3).and_then(|status| status.parse().ok());
        let (Some(version), Some(status)) = (version, status) else {
            let first: String = first.chars().take(80).collect();
            return Err(format!("its answer is not HTTP: `{}`", first.escape_debug()));
        };
        self.status = status;
        self.is_reusable = version == "HTTP/1.1";
        let (mut length, mut is_chunked) = (None, false);
        for line in lines.filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':').ok_or("a line of its answer's head has no name")?;
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => {
                    let said = number(value, 10).ok_or("its answer has no length that can be read")?;
                    // RFC 9112, 6.3: where they differ nobody knows where the next answer begins.
                    if length.replace(said).is_some_and(|before| before != said) {
                        return Err("its answer has two lengths".to_owned());
                    }
                }
                "transfer-encoding" if value.eq_ignore_ascii_case("chunked") && !is_chunked => is_chunked = true,
                "transfer-encoding" => return Err("its answer is encoded in a way that nobody asked for".to_owned()),
                "connection" if value.split(',').any(|word| word.trim().eq_ignore_ascii_case("close")) => {
                    self.is_reusable = false;
                }
                // A name that ends with a space, or a line that continues the one before (RFC 9112, 5.1 and 5.2).
                name if !name.bytes().all(|byte| byte.is_ascii_graphic()) => {
                    return Err("a line of its answer's head cannot be read".to_owned());
                }
                _ => {}
            }
        }
        if is_chunked && length.is_some() {
            self.is_reusable = false;
        }
        match status {
            // It says that the answer is to come.
            100..=199 if status != 101 => Ok(Part::Head),
            204 | 304 => Ok(Part::Body(0)),
            _ if is_chunked => Ok(Part::ChunkLine),
            _ => length.map(Part::Body).ok_or_else(|| "its answer does not say how long it is".to_owned()),
        }
    }
}

/// What a line before a chunk announces. What stands behind the length has no meaning for us.
fn chunk(line: &str) -> Result<Part, String> {
    let length = line.split(';').next().unwrap_or_default().trim();
    match number(length, 16) {
        Some(0) => Ok(Part::Trailers),
        Some(length) => Ok(Part::Chunk(length)),
        None => Err("its answer has a chunk without a length".to_owned()),
    }
}

/// A number without a sign.
fn number(digits: &str, radix: u32) -> Option<usize> {
    let is_plain = digits.chars().all(|digit| digit.is_digit(radix));
    if is_plain { usize::from_str_radix(digits, radix).ok() } else { None }
}
