//! Values without a schema: the properties and maps of messages (`MarshallingSupport`).

use bytes::Bytes;

use crate::loose::{Loose, Reader, Writer};
use crate::{DecodeError, EncodeError, modified_utf8};

/// From this many UTF-16 units on, a text has a length of four bytes (`Short.MAX_VALUE / 4`).
const BIG_TEXT: usize = 8191;

/// A value of a property or of a map.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Java's `null`.
    Null,
    /// True or false.
    Bool(bool),
    /// Eight bits.
    Byte(i8),
    /// One UTF-16 unit, which may be half of a character.
    Char(u16),
    /// 16 bits.
    Short(i16),
    /// 32 bits.
    Int(i32),
    /// 64 bits.
    Long(i64),
    /// Floating, 64 bits.
    Double(f64),
    /// Floating, 32 bits.
    Float(f32),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Bytes),
    /// Names and values.
    Map(Map),
    /// Values.
    List(Vec<Value>),
}

/// Names and values, in the order in which they were written. A name that comes twice counts as it stands last, as in Java.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Map(Vec<(String, Value)>);

impl Map {
    /// The value of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Gives a name a value, in place of the one that it had.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        let name = name.into();
        self.0.retain(|(known, _)| *known != name);
        self.0.push((name, value.into()));
    }

    /// The same, for building in one expression.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.insert(name, value);
        self
    }

    /// Names and values in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads a map that is all there is.
    ///
    /// # Errors
    /// What is wrong with the bytes.
    pub fn decode(bytes: &Bytes) -> Result<Self, DecodeError> {
        let mut input = Reader::new(bytes.clone());
        let map = Self::read(&mut input)?;
        match input.left() {
            0 => Ok(map),
            left => Err(DecodeError::TrailingBytes(left)),
        }
    }

    /// The bytes that [`Map::decode`] reads.
    ///
    /// # Errors
    /// When a name is longer than 65,535 bytes.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let mut output = Writer::default();
        self.write(&mut output);
        output.finish()
    }
}

impl<N: Into<String>, V: Into<Value>> FromIterator<(N, V)> for Map {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(entries: I) -> Self {
        entries.into_iter().fold(Self::default(), |map, (name, value)| map.with(name, value))
    }
}

macro_rules! values {
    ($($type:ty => $variant:ident)*) => {$(
        impl From<$type> for Value {
            fn from(from: $type) -> Self {
                Self::$variant(from.into())
            }
        }
    )*};
}

values! {
    bool => Bool
    i8 => Byte
    i16 => Short
    i32 => Int
    i64 => Long
    f32 => Float
    f64 => Double
    &str => Text
    String => Text
    Bytes => Bytes
    Map => Map
    Vec<Value> => List
}

/// Four bytes of count, -1 for none at all, then names and values.
impl Loose for Map {
    fn read(input: &mut Reader) -> Result<Self, DecodeError> {
        let count = i32::read(input)?;
        if count == -1 {
            return Ok(Self::default());
        }
        let count = input.count("a map", count.into())?;
        input.deeper(|input| {
            let mut map = Vec::new();
            for _ in 0..count {
                let length = u16::read(input)?;
                map.push((input.text(length.into())?, Value::read(input)?));
            }
            Ok(Self(map))
        })
    }

    fn write(&self, output: &mut Writer) {
        output.length(self.0.len());
        for (name, value) in &self.0 {
            output.text(name);
            value.write(output);
        }
    }
}

/// One byte of kind, then the value.
impl Loose for Value {
    fn read(input: &mut Reader) -> Result<Self, DecodeError> {
        Ok(match u8::read(input)? {
            0 => Self::Null,
            1 => Self::Bool(Loose::read(input)?),
            2 => Self::Byte(Loose::read(input)?),
            3 => Self::Char(Loose::read(input)?),
            4 => Self::Short(Loose::read(input)?),
            5 => Self::Int(Loose::read(input)?),
            6 => Self::Long(Loose::read(input)?),
            7 => Self::Double(Loose::read(input)?),
            8 => Self::Float(Loose::read(input)?),
            9 => {
                let length = u16::read(input)?;
                Self::Text(input.text(length.into())?)
            }
            10 => {
                let length = i32::read(input)?;
                let length = input.count("a run of bytes", length.into())?;
                Self::Bytes(input.take("a run of bytes", length)?)
            }
            11 => Self::Map(Map::read(input)?),
            12 => list(input)?,
            13 => long_text(input)?.map_or(Self::Null, Self::Text),
            id => return Err(DecodeError::UnknownType { what: "a value", id }),
        })
    }

    fn write(&self, output: &mut Writer) {
        match self {
            Self::Null => output.out.push(0),
            Self::Bool(value) => kind(1, value, output),
            Self::Byte(value) => kind(2, value, output),
            Self::Char(value) => kind(3, value, output),
            Self::Short(value) => kind(4, value, output),
            Self::Int(value) => kind(5, value, output),
            Self::Long(value) => kind(6, value, output),
            Self::Double(value) => kind(7, value, output),
            Self::Float(value) => kind(8, value, output),
            Self::Text(text) if text.encode_utf16().count() < BIG_TEXT => {
                output.out.push(9);
                output.text(text);
            }
            Self::Text(text) => {
                output.out.push(13);
                write_long_text(text, output);
            }
            Self::Bytes(bytes) => {
                output.out.push(10);
                output.length(bytes.len());
                output.out.extend_from_slice(bytes);
            }
            Self::Map(map) => kind(11, map, output),
            Self::List(values) => {
                output.out.push(12);
                output.length(values.len());
                values.iter().for_each(|value| value.write(output));
            }
        }
    }
}

fn kind(id: u8, value: &impl Loose, output: &mut Writer) {
    output.out.push(id);
    value.write(output);
}

fn list(input: &mut Reader) -> Result<Value, DecodeError> {
    let count = i32::read(input)?;
    let count = input.count("a list", count.into())?;
    input.deeper(|input| {
        let mut values = Vec::new();
        for _ in 0..count {
            values.push(Value::read(input)?);
        }
        Ok(Value::List(values))
    })
}

/// Four bytes of length, -1 for none, then modified UTF-8: long values, and the body of a text message.
pub(crate) fn long_text(input: &mut Reader) -> Result<Option<String>, DecodeError> {
    match i32::read(input)? {
        -1 => Ok(None),
        length => {
            let length = input.count("a text", length.into())?;
            input.text(length).map(Some)
        }
    }
}

/// What [`long_text`] reads.
pub(crate) fn write_long_text(text: &str, output: &mut Writer) {
    output.length(modified_utf8::len(text));
    modified_utf8::encode(text, &mut output.out);
}
