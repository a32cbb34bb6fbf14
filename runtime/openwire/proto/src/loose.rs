//! OpenWire's loose encoding: how each kind of field is read and written (`BaseDataStreamMarshaller`, version 12).

use bytes::{Buf, Bytes};

use crate::modified_utf8;
use crate::structure::Nested;
use crate::{DecodeError, EncodeError};

/// Structures in structures. The deepest that a broker sends is a dispatch with its message, its id and its producer.
const MAX_DEPTH: u8 = 32;

/// A field of a command.
pub(crate) trait Loose: Sized {
    /// Takes it off the input.
    fn read(input: &mut Reader) -> Result<Self, DecodeError>;
    /// Appends it to the output.
    fn write(&self, output: &mut Writer);
}

/// What is left of a frame.
#[derive(Debug)]
pub(crate) struct Reader {
    left: Bytes,
    depth: u8,
}

impl Reader {
    pub(crate) fn new(bytes: Bytes) -> Self {
        Self { left: bytes, depth: 0 }
    }

    pub(crate) fn left(&self) -> usize {
        self.left.len()
    }

    /// Takes bytes that must be there; they stay where they are in memory.
    pub(crate) fn take(&mut self, what: &'static str, count: usize) -> Result<Bytes, DecodeError> {
        self.need(what, count)?;
        Ok(self.left.split_to(count))
    }

    /// A count of things that have at least one byte each: no more than there are bytes left.
    pub(crate) fn count(&mut self, what: &'static str, count: i64) -> Result<usize, DecodeError> {
        let count = usize::try_from(count).map_err(|_| DecodeError::NegativeLength(what))?;
        self.need(what, count)?;
        Ok(count)
    }

    /// A text of so many bytes.
    pub(crate) fn text(&mut self, length: usize) -> Result<String, DecodeError> {
        modified_utf8::decode(&self.take("a text", length)?)
    }

    /// Reads something that may hold others of its kind.
    pub(crate) fn deeper<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        if self.depth == MAX_DEPTH {
            return Err(DecodeError::TooDeep);
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn need(&self, what: &'static str, count: usize) -> Result<(), DecodeError> {
        let left = self.left.len();
        if count <= left {
            return Ok(());
        }
        Err(DecodeError::Truncated { what, needed: count as u64, left: left as u64 })
    }
}

/// A frame as it grows. The first thing that has no room is kept, and said at the end.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    pub(crate) out: Vec<u8>,
    error: Option<EncodeError>,
}

impl Writer {
    pub(crate) fn finish(self) -> Result<Vec<u8>, EncodeError> {
        self.error.map_or(Ok(self.out), Err)
    }

    pub(crate) fn fail(&mut self, error: EncodeError) {
        self.error.get_or_insert(error);
    }

    /// Two bytes of length, then the text: `DataOutput.writeUTF`.
    pub(crate) fn text(&mut self, text: &str) {
        let bytes = modified_utf8::len(text);
        match u16::try_from(bytes) {
            Ok(length) => self.out.extend(length.to_be_bytes()),
            Err(_) => return self.fail(EncodeError::TextTooLong(bytes)),
        }
        modified_utf8::encode(text, &mut self.out);
    }

    /// A length in four bytes.
    pub(crate) fn length(&mut self, length: usize) {
        match i32::try_from(length) {
            Ok(length) => length.write(self),
            Err(_) => self.fail(EncodeError::TooMany(length)),
        }
    }
}

macro_rules! integers {
    ($($type:ident $get:ident $bytes:literal)*) => {$(
        impl Loose for $type {
            fn read(input: &mut Reader) -> Result<Self, DecodeError> {
                input.need(stringify!($type), $bytes)?;
                Ok(input.left.$get())
            }

            fn write(&self, output: &mut Writer) {
                output.out.extend(self.to_be_bytes());
            }
        }
    )*};
}

integers! {
    u8 get_u8 1
    i8 get_i8 1
    u16 get_u16 2
    i16 get_i16 2
    i32 get_i32 4
    i64 get_i64 8
    f32 get_f32 4
    f64 get_f64 8
}

impl Loose for bool {
    fn read(input: &mut Reader) -> Result<Self, DecodeError> {
        Ok(u8::read(input)? != 0)
    }

    fn write(&self, output: &mut Writer) {
        output.out.push(u8::from(*self));
    }
}

/// Whether it is there, then two bytes of length, then modified UTF-8.
impl Loose for Option<String> {
    fn read(input: &mut Reader) -> Result<Self, DecodeError> {
        if !bool::read(input)? {
            return Ok(None);
        }
        let length = u16::read(input)?;
        input.text(length.into()).map(Some)
    }

    fn write(&self, output: &mut Writer) {
        self.is_some().write(output);
        if let Some(text) = self {
            output.text(text);
        }
    }
}

/// Whether they are there, then four bytes of length.
impl Loose for Option<Bytes> {
    fn read(input: &mut Reader) -> Result<Self, DecodeError> {
        if !bool::read(input)? {
            return Ok(None);
        }
        let length = i32::read(input)?;
        let length = input.count("a run of bytes", length.into())?;
        input.take("a run of bytes", length).map(Some)
    }

    fn write(&self, output: &mut Writer) {
        self.is_some().write(output);
        if let Some(bytes) = self {
            output.length(bytes.len());
            output.out.extend_from_slice(bytes);
        }
    }
}

/// Whether it is there, then its type, then its fields. Without a cache, cached and nested structures look the same.
impl<T: Nested> Loose for Option<T> {
    fn read(input: &mut Reader) -> Result<Self, DecodeError> {
        if !bool::read(input)? {
            return Ok(None);
        }
        let id = u8::read(input)?;
        input.deeper(|input| T::read_fields(id, input)).map(Some)
    }

    fn write(&self, output: &mut Writer) {
        self.is_some().write(output);
        if let Some(nested) = self {
            nested.type_id().write(output);
            nested.write_fields(output);
        }
    }
}

/// Whether it is there, then two bytes of count, then so many structures, each of which may be absent.
impl<T: Nested> Loose for Option<Vec<Option<T>>> {
    fn read(input: &mut Reader) -> Result<Self, DecodeError> {
        if !bool::read(input)? {
            return Ok(None);
        }
        let count = i16::read(input)?;
        let count = input.count("an array", count.into())?;
        // Grows as elements are read: a count alone allocates nothing.
        let mut elements = Vec::new();
        for _ in 0..count {
            elements.push(Loose::read(input)?);
        }
        Ok(Some(elements))
    }

    fn write(&self, output: &mut Writer) {
        self.is_some().write(output);
        let Some(elements) = self else { return };
        match i16::try_from(elements.len()) {
            Ok(count) => count.write(output),
            Err(_) => return output.fail(EncodeError::TooMany(elements.len())),
        }
        for element in elements {
            element.write(output);
        }
    }
}
