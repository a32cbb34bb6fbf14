//! Messages of every kind, as a test writes them and as a Java client saw them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A message to be sent: persistent, of priority 4, for ever and without headers unless told otherwise.
///
/// ```
/// # use topoc_lab::{Body, Draft, Value};
/// let urgent = Draft { priority: 9, ..Draft::text("hello") }.with("attempt", Value::Int(1));
/// assert_eq!(urgent.body, Body::Text(Some("hello".to_owned())));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Draft {
    /// What it says.
    pub body: Body,
    /// Properties: every kind of value but bytes; maps and lists are ActiveMQ's own addition.
    pub properties: BTreeMap<String, Value>,
    /// JMSDeliveryMode.
    pub persistent: bool,
    /// JMSPriority, 0 to 9.
    pub priority: u8,
    /// For how many milliseconds it is worth delivering; 0: for ever.
    pub time_to_live_ms: u64,
    /// JMSCorrelationID.
    pub correlation: Option<String>,
    /// JMSReplyTo: the name of a queue, or another destination such as `topic://T`.
    pub reply_to: Option<String>,
    /// JMSType.
    pub kind: Option<String>,
    /// JMSXGroupID.
    pub group: Option<String>,
    /// JMSXGroupSeq, if there is a group.
    pub group_sequence: i32,
}

impl Draft {
    /// A message with this body.
    #[must_use]
    pub fn of(body: Body) -> Self {
        Self {
            body,
            properties: BTreeMap::new(),
            persistent: true,
            priority: 4,
            time_to_live_ms: 0,
            correlation: None,
            reply_to: None,
            kind: None,
            group: None,
            group_sequence: 0,
        }
    }

    /// A text message.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::of(Body::Text(Some(text.to_owned())))
    }

    /// The same with a property.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.properties.insert(name.to_owned(), value);
        self
    }
}

/// A message as a Java consumer saw it.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[non_exhaustive]
pub struct Message {
    /// The text; none if it was no text message.
    pub text: Option<String>,
    /// JMSCorrelationID.
    pub correlation: Option<String>,
    /// JMSRedelivered.
    pub redelivered: bool,
    /// The ids of the brokers it passed before the consumer's own; empty when it was sent to the consumer's broker.
    pub path: Vec<String>,
    /// JMSMessageID.
    pub id: String,
    /// JMSDestination, such as `queue://GC.REQUESTS`.
    pub destination: String,
    /// JMSReplyTo, such as `queue://R` or `temp-queue://ID:...`.
    pub reply_to: Option<String>,
    /// JMSType.
    pub kind: Option<String>,
    /// JMSDeliveryMode.
    pub persistent: bool,
    /// JMSPriority.
    pub priority: u8,
    /// JMSTimestamp: when it was sent, by the sender's clock; milliseconds since 1970.
    pub timestamp_ms: i64,
    /// JMSExpiration: milliseconds since 1970; 0: never.
    pub expiration_ms: i64,
    /// JMSXGroupID.
    pub group: Option<String>,
    /// JMSXGroupSeq.
    pub group_sequence: i32,
    /// JMSXDeliveryCount: 1 for a message that comes for the first time.
    pub deliveries: u32,
    /// Whether its body travelled compressed.
    pub compressed: bool,
    /// JMSXUserID.
    pub user: Option<String>,
    /// Properties with the types that they travelled with; those above are not among them.
    pub properties: BTreeMap<String, Value>,
    /// What it says.
    pub body: Body,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Body {
    /// Nothing: a message of headers and properties.
    None,
    /// A text, which may be absent.
    Text(Option<String>),
    /// Bytes.
    Bytes(#[serde(with = "hex")] Vec<u8>),
    /// Names and values.
    Map(BTreeMap<String, Value>),
    /// Values in an order.
    Stream(Vec<Value>),
    /// A serialised Java object, as its bytes; as they travelled, if compressed.
    Object(#[serde(with = "hex")] Vec<u8>),
}

/// A value with one of the types of ActiveMQ's properties and maps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Value {
    /// Java's `null`.
    Null,
    /// `boolean`.
    Bool(bool),
    /// `byte`.
    Byte(i8),
    /// `char`: one UTF-16 unit.
    Char(u16),
    /// `short`.
    Short(i16),
    /// `int`.
    Int(i32),
    /// `long`.
    Long(i64),
    /// `float`.
    Float(#[serde(with = "float")] f32),
    /// `double`.
    Double(#[serde(with = "double")] f64),
    /// `String`.
    Text(String),
    /// `byte[]`, in maps and streams.
    Bytes(#[serde(with = "hex")] Vec<u8>),
    /// `Map`.
    Map(BTreeMap<String, Value>),
    /// `List`.
    List(Vec<Value>),
}

mod hex {
    use std::fmt::Write;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        let digits = bytes.iter().fold(String::new(), |mut digits, byte| {
            write!(digits, "{byte:02x}").expect("a string can be written to");
            digits
        });
        serializer.serialize_str(&digits)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let digits = String::deserialize(deserializer)?;
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap_or_default(), 16);
        digits.as_bytes().chunks(2).map(byte).collect::<Result<_, _>>().map_err(D::Error::custom)
    }
}

// By their bits as Java's `int` and `long`: JSON has no word for NaN and the infinities.
mod float {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(number: &f32, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i32(number.to_bits().cast_signed())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f32, D::Error> {
        i32::deserialize(deserializer).map(|bits| f32::from_bits(bits.cast_unsigned()))
    }
}

mod double {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(number.to_bits().cast_signed())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        i64::deserialize(deserializer).map(|bits| f64::from_bits(bits.cast_unsigned()))
    }
}
