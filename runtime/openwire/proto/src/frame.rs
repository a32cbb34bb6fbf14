//! Frames: four bytes of length, one of type, then the fields.

use bytes::{Buf, Bytes, BytesMut};

use crate::command::Command;
use crate::loose::{Loose, Reader, Writer};
use crate::structure::Nested;
use crate::{DecodeError, EncodeError};

/// Bytes of the length.
const PREFIX: usize = 4;

/// A command with its length.
///
/// # Errors
/// When a text or an array has no room in its field.
pub fn encode(command: &Command) -> Result<Vec<u8>, EncodeError> {
    let mut output = Writer::default();
    output.out.extend([0; PREFIX]);
    command.type_id().write(&mut output);
    command.write_fields(&mut output);
    let mut frame = output.finish()?;
    let length = u32::try_from(frame.len() - PREFIX).map_err(|_| EncodeError::TooMany(frame.len()))?;
    frame[..PREFIX].copy_from_slice(&length.to_be_bytes());
    Ok(frame)
}

/// The command of one frame, without its length. None for a frame that holds Java's `null`.
///
/// # Errors
/// What is wrong with the bytes.
pub fn decode(frame: Bytes) -> Result<Option<Command>, DecodeError> {
    let mut input = Reader::new(frame);
    let id = u8::read(&mut input)?;
    let command = if id == 0 { None } else { Some(Command::read_fields(id, &mut input)?) };
    match input.left() {
        0 => Ok(command),
        left => Err(DecodeError::TrailingBytes(left)),
    }
}

/// Cuts what arrives into frames. After an error the connection is lost: nothing says where the next frame begins.
#[derive(Debug)]
pub struct Decoder {
    buffer: BytesMut,
    limit: u64,
}

impl Decoder {
    /// One that refuses frames of more than `limit` bytes.
    #[must_use]
    pub fn new(limit: u64) -> Self {
        Self { buffer: BytesMut::new(), limit }
    }

    /// Another limit, once both sides have said theirs.
    pub fn set_limit(&mut self, limit: u64) {
        self.limit = limit;
    }

    /// Takes what has arrived.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Where a socket can put what arrives without a copy. It never grows for a length that a peer only claims.
    pub fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// The next command, when its frame is whole.
    ///
    /// # Errors
    /// What is wrong with the bytes.
    #[expect(clippy::should_implement_trait, reason = "none now is not the end, as it is of an iterator")]
    pub fn next(&mut self) -> Result<Option<Command>, DecodeError> {
        loop {
            let Some(prefix) = self.buffer.first_chunk::<PREFIX>() else { return Ok(None) };
            let size = u32::from_be_bytes(*prefix);
            if u64::from(size) > self.limit {
                return Err(DecodeError::FrameTooLong { size: size.into(), limit: self.limit });
            }
            let whole = PREFIX + size as usize;
            if self.buffer.len() < whole {
                return Ok(None);
            }
            let mut frame = self.buffer.split_to(whole);
            frame.advance(PREFIX);
            if let Some(command) = decode(frame.freeze())? {
                return Ok(Some(command));
            }
        }
    }
}
