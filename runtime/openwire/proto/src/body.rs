//! What a message says: bodies of every kind, written plain and read compressed too (`org.apache.activemq.command.ActiveMQ*Message`).

use std::io::Read;

use bytes::Bytes;
use flate2::read::ZlibDecoder;

use crate::loose::{Loose, Reader, Writer};
use crate::message::{Message, MessageKind};
use crate::primitive::{self, Map, Value};
use crate::{DecodeError, EncodeError};

/// What a message says.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// Nothing: headers and properties only.
    None,
    /// A text, which Java allows to be absent.
    Text(Option<String>),
    /// Bytes.
    Bytes(Bytes),
    /// Names and values.
    Map(Map),
    /// Values in an order.
    Stream(Vec<Value>),
    /// A serialised Java object, as it came.
    Object(Bytes),
    /// It lies elsewhere: see [`Message::blob`].
    Blob,
}

impl Message {
    /// Reads the body. A compressed one may become at most `limit` bytes long.
    ///
    /// # Errors
    /// What is wrong with its bytes; [`DecodeError::BodyTooLong`] beyond the limit.
    pub fn body(&self, limit: u64) -> Result<Body, DecodeError> {
        let content = self.content(limit)?;
        let mut input = Reader::new(content.clone().unwrap_or_default());
        let body = match self.kind {
            MessageKind::Plain => return Ok(Body::None),
            MessageKind::Blob => return Ok(Body::Blob),
            MessageKind::Bytes => return Ok(Body::Bytes(content.unwrap_or_default())),
            MessageKind::Object => return Ok(Body::Object(content.unwrap_or_default())),
            MessageKind::Text if content.is_none() => return Ok(Body::Text(None)),
            MessageKind::Map if content.is_none() => return Ok(Body::Map(Map::default())),
            MessageKind::Text => Body::Text(primitive::long_text(&mut input)?),
            MessageKind::Map => Body::Map(Map::read(&mut input)?),
            MessageKind::Stream => {
                let mut values = Vec::new();
                while input.left() > 0 {
                    values.push(Value::read(&mut input)?);
                }
                Body::Stream(values)
            }
        };
        match input.left() {
            0 => Ok(body),
            left => Err(DecodeError::TrailingBytes(left)),
        }
    }

    /// Makes this the body, uncompressed.
    ///
    /// # Errors
    /// When a name in a map is too long; the message is then as before.
    pub fn set_body(&mut self, body: &Body) -> Result<(), EncodeError> {
        let mut output = Writer::default();
        let kind = match body {
            Body::None => MessageKind::Plain,
            Body::Blob => MessageKind::Blob,
            Body::Text(text) => {
                if let Some(text) = text {
                    primitive::write_long_text(text, &mut output);
                }
                MessageKind::Text
            }
            Body::Bytes(bytes) => {
                output.out.extend_from_slice(bytes);
                MessageKind::Bytes
            }
            Body::Object(bytes) => {
                output.out.extend_from_slice(bytes);
                MessageKind::Object
            }
            Body::Map(map) => {
                map.write(&mut output);
                MessageKind::Map
            }
            Body::Stream(values) => {
                values.iter().for_each(|value| value.write(&mut output));
                MessageKind::Stream
            }
        };
        let content = output.finish()?;
        let empty = matches!(body, Body::None | Body::Blob | Body::Text(None));
        self.headers.content = if empty { None } else { Some(content.into()) };
        self.headers.compressed = false;
        self.kind = kind;
        Ok(())
    }

    /// The body's bytes, inflated.
    fn content(&self, limit: u64) -> Result<Option<Bytes>, DecodeError> {
        let Some(content) = self.headers.content.clone().filter(|_| self.headers.compressed) else {
            return Ok(self.headers.content.clone());
        };
        if self.kind != MessageKind::Bytes {
            return inflate(&content, limit).map(Some);
        }
        // Only bytes say beforehand how long they will be, and are that long: of an empty message Java deflates its buffer with
        // all the zeros in it (ActiveMQBytesMessage.doCompress, decompress; 5.18.3).
        let mut input = Reader::new(content);
        let length = i32::read(&mut input)?;
        let length = u64::try_from(length).map_err(|_| DecodeError::NegativeLength("a body"))?;
        if length > limit {
            return Err(DecodeError::BodyTooLong(limit));
        }
        let left = input.left();
        Ok(Some(inflate_at_most(&input.take("a body", left)?, length)?.into()))
    }
}

fn inflate(deflated: &[u8], limit: u64) -> Result<Bytes, DecodeError> {
    // One byte more than allowed tells the two cases apart.
    let inflated = inflate_at_most(deflated, limit.saturating_add(1))?;
    if inflated.len() as u64 > limit { Err(DecodeError::BodyTooLong(limit)) } else { Ok(inflated.into()) }
}

fn inflate_at_most(deflated: &[u8], limit: u64) -> Result<Vec<u8>, DecodeError> {
    let mut inflated = Vec::new();
    let read = ZlibDecoder::new(deflated).take(limit).read_to_end(&mut inflated);
    read.map_err(|_| DecodeError::BadCompression)?;
    Ok(inflated)
}
