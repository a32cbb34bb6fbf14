//! Messages as a program makes them and gets them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use topoc_openwire_proto::command::MessageAck;
use topoc_openwire_proto::message::Message;

use crate::consumer::Held;
use crate::engine::Ask;
use crate::session;
use crate::{AckMode, Body, Destination, Error, Map, MessageId, Value};

/// A message that is to be sent. Persistent, of priority 4, without end, unless told otherwise, as in JMS.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    pub(crate) body: Body,
    pub(crate) properties: Map,
    pub(crate) correlation_id: Option<String>,
    pub(crate) reply_to: Option<Destination>,
    pub(crate) r#type: Option<String>,
    pub(crate) group: Option<(String, i32)>,
    pub(crate) persistent: bool,
    pub(crate) priority: i8,
    pub(crate) time_to_live: Option<Duration>,
}

impl Outgoing {
    /// One with this body.
    #[must_use]
    pub fn new(body: Body) -> Self {
        Self {
            body,
            properties: Map::default(),
            correlation_id: None,
            reply_to: None,
            r#type: None,
            group: None,
            persistent: true,
            priority: 4,
            time_to_live: None,
        }
    }

    /// A text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(Body::Text(Some(text.into())))
    }

    /// Bytes.
    #[must_use]
    pub fn bytes(bytes: impl Into<Bytes>) -> Self {
        Self::new(Body::Bytes(bytes.into()))
    }

    /// Names and values.
    #[must_use]
    pub fn map(map: Map) -> Self {
        Self::new(Body::Map(map))
    }

    /// A property, which selectors can ask for.
    #[must_use]
    pub fn property(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.properties.insert(name, value);
        self
    }

    /// `JMSCorrelationID`: what it is an answer to, or what its answer is to have.
    #[must_use]
    pub fn correlation_id(mut self, id: impl Into<String>) -> Self {
        self.correlation_id = Some(id.into());
        self
    }

    /// `JMSReplyTo`: where the answer goes.
    #[must_use]
    pub fn reply_to(mut self, destination: Destination) -> Self {
        self.reply_to = Some(destination);
        self
    }

    /// `JMSType`: what kind of message it is.
    #[must_use]
    pub fn message_type(mut self, name: impl Into<String>) -> Self {
        self.r#type = Some(name.into());
        self
    }

    /// `JMSXGroupID` and `JMSXGroupSeq`: messages of a group go to one consumer, in their order.
    #[must_use]
    pub fn group(mut self, id: impl Into<String>, sequence: i32) -> Self {
        self.group = Some((id.into(), sequence));
        self
    }

    /// Whether the broker keeps it on disk. Who sends it waits for that then.
    #[must_use]
    pub fn persistent(mut self, persistent: bool) -> Self {
        self.persistent = persistent;
        self
    }

    /// 0 to 9, which only queues with `prioritizedMessages` look at.
    #[must_use]
    pub fn priority(mut self, priority: u8) -> Self {
        self.priority = i8::try_from(priority.min(9)).unwrap_or(9);
        self
    }

    /// How long it is worth anything.
    #[must_use]
    pub fn time_to_live(mut self, time: Duration) -> Self {
        self.time_to_live = Some(time);
        self
    }
}

/// A message that was received.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub(crate) message: Arc<Message>,
    pub(crate) redeliveries: i32,
    pub(crate) held: Arc<Held>,
    pub(crate) session: Arc<session::Shared>,
    pub(crate) losses: u64,
}

impl Delivery {
    /// The body, inflated if it was compressed.
    ///
    /// # Errors
    /// [`Error::Decode`] when its bytes are damaged, or more than `Config::largest_body`.
    pub fn body(&self) -> Result<Body, Error> {
        Ok(self.message.body(self.session.connection.largest_body)?)
    }

    /// The text, if it is a text message with one.
    ///
    /// # Errors
    /// As [`Delivery::body`].
    pub fn text(&self) -> Result<Option<String>, Error> {
        Ok(match self.body()? {
            Body::Text(text) => text,
            _ => None,
        })
    }

    /// The properties.
    ///
    /// # Errors
    /// [`Error::Decode`] when their bytes are damaged.
    pub fn properties(&self) -> Result<Map, Error> {
        Ok(self.message.properties()?)
    }

    /// `JMSMessageID`
    #[must_use]
    pub fn id(&self) -> Option<&MessageId> {
        self.message.headers.message_id.as_ref()
    }

    /// `JMSDestination`
    #[must_use]
    pub fn destination(&self) -> Option<&Destination> {
        self.message.headers.destination.as_ref()
    }

    /// `JMSCorrelationID`
    #[must_use]
    pub fn correlation_id(&self) -> Option<&str> {
        self.message.headers.correlation_id.as_deref()
    }

    /// `JMSReplyTo`
    #[must_use]
    pub fn reply_to(&self) -> Option<&Destination> {
        self.message.headers.reply_to.as_ref()
    }

    /// `JMSType`
    #[must_use]
    pub fn message_type(&self) -> Option<&str> {
        self.message.headers.r#type.as_deref()
    }

    /// How often it was delivered before. More than none: somebody may have dealt with it already.
    #[must_use]
    pub fn redeliveries(&self) -> i32 {
        self.redeliveries
    }

    /// Everything else that the message has.
    #[must_use]
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// Says that the message is dealt with: this one alone in [`AckMode::Individual`]; all that the session has got in
    /// [`AckMode::Client`]; in the other modes there is nothing to say.
    ///
    /// # Errors
    /// [`Error::WillComeAgain`] when it came over a connection that is lost.
    pub async fn acknowledge(&self) -> Result<(), Error> {
        match self.session.mode {
            AckMode::Auto | AckMode::Transacted => Ok(()),
            AckMode::Client => self.session.acknowledge().await,
            AckMode::Individual => {
                // Who loses patience here must not lose the acknowledgement.
                let room = self.session.connection.handle.reserve().await?;
                if let Some(ack) = self.acknowledge_one()? {
                    room.send(Ask::SendOver(self.losses, ack.into()));
                }
                Ok(())
            }
        }
    }

    /// Says that nobody can deal with the message, and why: the broker puts it with its dead letters. In [`AckMode::Individual`]
    /// alone.
    ///
    /// # Errors
    /// As [`Delivery::acknowledge`]; [`Error::Misuse`] in another mode.
    pub async fn refuse(&self, why: &str) -> Result<(), Error> {
        if self.session.mode != AckMode::Individual {
            return Err(Error::Misuse("one message can be refused in `AckMode::Individual` only"));
        }
        let room = self.session.connection.handle.reserve().await?;
        if self.losses != self.session.connection.handle.losses() {
            return Err(Error::WillComeAgain(1));
        }
        if let Some(ack) = self.id().and_then(|id| self.held.refuse_one(id, why)) {
            room.send(Ask::SendOver(self.losses, ack.into()));
        }
        Ok(())
    }

    fn acknowledge_one(&self) -> Result<Option<MessageAck>, Error> {
        if self.losses != self.session.connection.handle.losses() {
            return Err(Error::WillComeAgain(1));
        }
        Ok(self.id().and_then(|id| self.held.acknowledge_one(id)))
    }
}
