//! A message as it travels: everything but its body is read at once, body and properties when they are asked for.

use bytes::Bytes;

use crate::command::Object;
use crate::destination::Destination;
use crate::id::{BrokerId, ConsumerId, MessageId, ProducerId, TransactionId};
use crate::loose::{Reader, Writer};
use crate::primitive::Map;
use crate::structure::{Nested, structures};
use crate::{DecodeError, EncodeError};

/// What a body is, which its type id says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MessageKind {
    /// None: headers and properties only.
    #[default]
    Plain,
    /// Bytes.
    Bytes,
    /// Names and values.
    Map,
    /// A serialised Java object, which is never opened here.
    Object,
    /// Values in an order.
    Stream,
    /// A text.
    Text,
    /// Something that lies elsewhere.
    Blob,
}

/// The type ids, which are next to each other (`CommandTypes`).
const KINDS: [(u8, MessageKind); 7] = [
    (23, MessageKind::Plain),
    (24, MessageKind::Bytes),
    (25, MessageKind::Map),
    (26, MessageKind::Object),
    (27, MessageKind::Stream),
    (28, MessageKind::Text),
    (29, MessageKind::Blob),
];

/// A message of any kind.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Message {
    /// What its body is.
    pub kind: MessageKind,
    /// What all kinds have.
    pub headers: Headers,
    /// What only [`MessageKind::Blob`] has.
    pub blob: Blob,
}

structures! {
    /// What every message has, in the order of the wire.
    Headers = 23 {
        /// Numbers commands of a connection.
        command_id: i32,
        /// Whether the receiver is to answer.
        response_required: bool,
        /// Who sent it.
        producer_id: Option<ProducerId>,
        /// Where it goes.
        destination: Option<Destination>,
        /// The transaction that it was sent in.
        transaction_id: Option<TransactionId>,
        /// Where it was sent, when the broker has moved it (to a dead letter queue).
        original_destination: Option<Destination>,
        /// Its id.
        message_id: Option<MessageId>,
        /// The transaction of the moved one.
        original_transaction_id: Option<TransactionId>,
        /// `JMSXGroupID`
        group_id: Option<String>,
        /// `JMSXGroupSeq`
        group_sequence: i32,
        /// `JMSCorrelationID`
        correlation_id: Option<String>,
        /// Whether it outlives a restart of the broker.
        persistent: bool,
        /// When it expires, in ms since 1970; 0 for never.
        expiration: i64,
        /// 0 to 9.
        priority: i8,
        /// `JMSReplyTo`
        reply_to: Option<Destination>,
        /// When it was sent, in ms since 1970.
        timestamp: i64,
        /// `JMSType`
        r#type: Option<String>,
        /// The body.
        content: Option<Bytes>,
        /// The properties, as a [`Map`].
        marshalled_properties: Option<Bytes>,
        /// What an advisory is about.
        data_structure: Option<Box<Object>>,
        /// The consumer that it is for.
        target_consumer_id: Option<ConsumerId>,
        /// Whether the body is deflated.
        compressed: bool,
        /// How often it was delivered before.
        redelivery_counter: i32,
        /// The brokers that it has passed.
        broker_path: Option<Vec<Option<BrokerId>>>,
        /// When the broker got it, in ms since 1970.
        arrival: i64,
        /// `JMSXUserID`
        user_id: Option<String>,
        /// Whether a bridge has forwarded it.
        received_by_bridge: bool,
        /// Whether it may be thrown away.
        droppable: bool,
        /// The brokers of a cluster that it was sent to.
        cluster: Option<Vec<Option<BrokerId>>>,
        /// When the broker took it in, in ms since 1970.
        broker_in_time: i64,
        /// When the broker gave it out, in ms since 1970.
        broker_out_time: i64,
        /// Whether its group has come to its consumer for the first time.
        first_of_group: bool,
    }
    /// Where the content of a blob message lies.
    Blob = 29 {
        /// The address.
        remote_blob_url: Option<String>,
        /// What it is.
        mime_type: Option<String>,
        /// Whether the broker removes it.
        deleted_by_broker: bool,
    }
}

impl Message {
    /// Reads the properties.
    ///
    /// # Errors
    /// What is wrong with their bytes.
    pub fn properties(&self) -> Result<Map, DecodeError> {
        self.headers.marshalled_properties.as_ref().map_or_else(|| Ok(Map::default()), Map::decode)
    }

    /// Writes the properties; none at all when there are none, as the Java client does.
    ///
    /// # Errors
    /// When a name is too long.
    pub fn set_properties(&mut self, properties: &Map) -> Result<(), EncodeError> {
        let bytes = if properties.is_empty() { None } else { Some(properties.encode()?.into()) };
        self.headers.marshalled_properties = bytes;
        Ok(())
    }
}

impl Nested for Message {
    fn type_id(&self) -> u8 {
        KINDS.iter().find(|(_, kind)| *kind == self.kind).map_or(23, |(id, _)| *id)
    }

    fn read_fields(id: u8, input: &mut Reader) -> Result<Self, DecodeError> {
        let kind = KINDS.iter().find(|(known, _)| *known == id).map(|(_, kind)| *kind);
        let kind = kind.ok_or(DecodeError::UnknownType { what: "a message", id })?;
        let headers = Headers::read_fields(Headers::LAYOUT.id, input)?;
        let blob = match kind {
            MessageKind::Blob => Blob::read_fields(id, input)?,
            _ => Blob::default(),
        };
        Ok(Self { kind, headers, blob })
    }

    fn write_fields(&self, output: &mut Writer) {
        self.headers.write_fields(output);
        if self.kind == MessageKind::Blob {
            self.blob.write_fields(output);
        }
    }
}
