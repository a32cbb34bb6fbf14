//! Frames of WebSocket (RFC 6455, 5), on the client's side: text only, as XMPP has it.

use std::fmt;

/// A message of the peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A text, whole.
    Text(String),
    /// Wants its bytes back in a pong.
    Ping(Vec<u8>),
    /// The answer to a ping.
    Pong,
    /// The peer leaves, with this code (RFC 6455, 7.4).
    Close(Option<u16>),
}

/// Why frames are not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// A message is longer than it may be.
    TooLong,
    /// It breaks a rule: which.
    Broken(&'static str),
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("a WebSocket message is too long"),
            Self::Broken(what) => write!(f, "the WebSocket frames are wrong: {what}"),
        }
    }
}

impl std::error::Error for FrameError {}

/// What a frame is (RFC 6455, 5.2).
mod opcode {
    pub(super) const MORE: u8 = 0;
    pub(super) const TEXT: u8 = 1;
    pub(super) const CLOSE: u8 = 8;
    pub(super) const PING: u8 = 9;
    pub(super) const PONG: u8 = 10;
}

/// The longest that a frame of control may be (RFC 6455, 5.5).
const CONTROL: usize = 125;

/// A text as a frame. The mask is chance.
#[must_use]
pub fn text(text: &str, mask: [u8; 4]) -> Vec<u8> {
    frame(opcode::TEXT, text.as_bytes(), mask)
}

/// The answer to a ping with these bytes.
#[must_use]
pub fn pong(bytes: &[u8], mask: [u8; 4]) -> Vec<u8> {
    frame(opcode::PONG, bytes, mask)
}

/// The end, with the code for an ordinary one (RFC 6455, 7.4.1).
#[must_use]
pub fn close(mask: [u8; 4]) -> Vec<u8> {
    frame(opcode::CLOSE, &1000_u16.to_be_bytes(), mask)
}

fn frame(opcode: u8, payload: &[u8], mask: [u8; 4]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + 14);
    out.push(0x80 | opcode);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(length), _) if length < 126 => out.push(0x80 | length),
        (_, Ok(length)) => {
            out.push(0x80 | 126);
            out.extend(length.to_be_bytes());
        }
        _ => {
            out.push(0x80 | 127);
            out.extend((payload.len() as u64).to_be_bytes());
        }
    }
    out.extend(mask);
    out.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    out
}

/// The head of a frame that is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Head {
    is_last: bool,
    opcode: u8,
    /// Bytes of its payload that have not come.
    left: usize,
}

/// Reads frames that come in pieces which end anywhere. It keeps no more than the limit, however long a frame says it is.
#[derive(Clone, Debug)]
pub struct Decoder {
    limit: usize,
    head: Vec<u8>,
    frame: Option<Head>,
    /// Of the text so far, whose frames need not be one behind the other: those of control may come between.
    text: Vec<u8>,
    in_text: bool,
    control: Vec<u8>,
    failed: Option<FrameError>,
}

/// What is kept of the room for a message until the next one.
const ROOM: usize = 1 << 10;

impl Decoder {
    /// One for a connection; the limit is that of one message, in bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            head: Vec::new(),
            frame: None,
            text: Vec::new(),
            in_text: false,
            control: Vec::new(),
            failed: None,
        }
    }

    /// Takes bytes off the front until a message is whole. `None`: all are taken, and more are needed.
    ///
    /// # Errors
    ///
    /// [`FrameError`]; the same again from then on.
    pub fn next(&mut self, bytes: &mut &[u8]) -> Result<Option<Message>, FrameError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.step(bytes).inspect_err(|error| {
            self.failed = Some(*error);
            self.text = Vec::new();
        })
    }

    fn step(&mut self, bytes: &mut &[u8]) -> Result<Option<Message>, FrameError> {
        loop {
            let Some(mut head) = self.frame else {
                let Some((byte, rest)) = bytes.split_first() else { return Ok(None) };
                *bytes = rest;
                self.head.push(*byte);
                self.frame = self.read_head()?;
                continue;
            };
            let (now, rest) = bytes.split_at(head.left.min(bytes.len()));
            *bytes = rest;
            head.left -= now.len();
            let into = if head.opcode >= opcode::CLOSE { &mut self.control } else { &mut self.text };
            into.extend_from_slice(now);
            if head.left > 0 {
                self.frame = Some(head);
                return Ok(None);
            }
            self.frame = None;
            if let Some(message) = self.finish(head)? {
                return Ok(Some(message));
            }
        }
    }

    /// The head, once it has come whole.
    fn read_head(&mut self) -> Result<Option<Head>, FrameError> {
        let [first, second, length @ ..] = self.head.as_slice() else { return Ok(None) };
        if first & 0x70 != 0 {
            return Err(FrameError::Broken("an extension that was not agreed on"));
        }
        if second & 0x80 != 0 {
            return Err(FrameError::Broken("a server's frame is masked"));
        }
        let length = match (second & 0x7f, length.len()) {
            (126, 2) | (127, 8) => length.iter().fold(0_u64, |length, byte| length << 8 | u64::from(*byte)),
            (126 | 127, _) => return Ok(None),
            (length, _) => u64::from(length),
        };
        let left = usize::try_from(length).map_err(|_| FrameError::TooLong)?;
        let head = Head { is_last: first & 0x80 != 0, opcode: first & 0x0f, left };
        self.head.clear();
        match head.opcode {
            opcode::CLOSE | opcode::PING | opcode::PONG => {
                if left > CONTROL || !head.is_last {
                    return Err(FrameError::Broken("a frame of control is long or in parts"));
                }
                self.control.clear();
            }
            opcode::TEXT if self.in_text => return Err(FrameError::Broken("a text begins inside of another")),
            opcode::MORE if !self.in_text => return Err(FrameError::Broken("a text goes on that has not begun")),
            opcode::TEXT | opcode::MORE => {
                if left > self.limit - self.text.len() {
                    return Err(FrameError::TooLong);
                }
                self.in_text = true;
            }
            _ => return Err(FrameError::Broken("it is neither text nor control")),
        }
        Ok(Some(head))
    }

    fn finish(&mut self, head: Head) -> Result<Option<Message>, FrameError> {
        Ok(match head.opcode {
            opcode::PING => Some(Message::Ping(std::mem::take(&mut self.control))),
            opcode::PONG => Some(Message::Pong),
            opcode::CLOSE => {
                let code = self.control.first_chunk().map(|code| u16::from_be_bytes(*code));
                Some(Message::Close(code))
            }
            _ if !head.is_last => None,
            _ => {
                let text = std::str::from_utf8(&self.text).map_err(|_| FrameError::Broken("text that is not UTF-8"))?;
                let text = text.to_owned();
                self.in_text = false;
                self.text.clear();
                self.text.shrink_to(ROOM);
                Some(Message::Text(text))
            }
        })
    }
}
