//! The connection to a broker: the queue that requests come from, and what a delivery says.

use topoc_core::connector::Message;
use topoc_openwire::{AckMode, Body, Config, Connection, Consumer, Delivery, Destination, Error, Session};
use topoc_plan::Requests;

use crate::clock;

/// What stands for a body that is no text: the machine answers that it is none.
const NO_TEXT: &[u8] = &[0xff];

/// A connection with what requests are taken and answered by.
#[derive(Debug)]
pub(crate) struct Broker {
    pub(crate) connection: Connection,
    pub(crate) session: Session,
    pub(crate) consumer: Consumer,
    /// What other connectors tell; none where there are none, or no key.
    pub(crate) sync: Option<Consumer>,
    /// The topic on which they tell it.
    topic: Option<String>,
}

/// What other connectors tell is small and quick to deal with: so much of it may be on its way.
const SYNC_PREFETCH: u32 = 1000;

impl Broker {
    /// Connects, which waits until a broker is there, and begins to take requests.
    pub(crate) async fn open(config: Config, requests: &Requests, topic: Option<&str>) -> Result<Self, Error> {
        // What waits is bounded by the machine, and an expired request is answered, too.
        let connection = config.wait_for_brokers().keep_expired().connect().await?;
        let session = connection.session(AckMode::Individual).await?;
        // First what others tell: it says which requests were taken before.
        let sync = match topic {
            Some(topic) => Some(listen(&connection, topic).await?),
            None => None,
        };
        let consumer = consume(&session, requests).await?;
        Ok(Self { connection, session, consumer, sync, topic: topic.map(str::to_owned) })
    }

    /// Subscribes once more to what other connectors tell. What the former subscription has still got is in the consumer given back.
    pub(crate) async fn listen_anew(&mut self) -> Result<Option<Consumer>, Error> {
        let Some(topic) = &self.topic else { return Ok(None) };
        let consumer = listen(&self.connection, topic).await?;
        Ok(self.sync.replace(consumer))
    }
}

/// Listens to what other connectors tell.
async fn listen(connection: &Connection, topic: &str) -> Result<Consumer, Error> {
    let others = connection.session(AckMode::Auto).await?;
    others.consumer(&Destination::topic(topic)).no_local(true).prefetch(SYNC_PREFETCH).open().await
}

/// Takes requests as the plan says.
pub(crate) async fn consume(session: &Session, requests: &Requests) -> Result<Consumer, Error> {
    let queue = Destination::queue(&requests.queue);
    let consumer = session.consumer(&queue).priority(requests.priority).exclusive(requests.exclusive);
    let consumer = match requests.prefetch {
        Some(prefetch) => consumer.prefetch(prefetch.into()),
        None => consumer,
    };
    match &requests.selector {
        Some(selector) => consumer.selector(selector).open().await,
        None => consumer.open().await,
    }
}

/// What the machine is told of a delivery, which is acknowledged by this number.
pub(crate) fn message(number: u64, delivery: &Delivery) -> Message {
    let headers = &delivery.message().headers;
    Message {
        delivery: number,
        id: delivery.id().map(ToString::to_string).unwrap_or_default(),
        jms_type: delivery.message_type().map(str::to_owned),
        body: body(delivery),
        correlation: delivery.correlation_id().map(str::to_owned),
        reply_to: delivery.reply_to().map(ToString::to_string),
        redelivered: delivery.redeliveries() > 0,
        crossed: headers.broker_path.as_ref().is_some_and(|path| !path.is_empty()),
        sent: clock::of_milliseconds(headers.timestamp),
        expires: clock::of_milliseconds(headers.expiration),
    }
}

/// The bytes of a message of another connector; none of any other message.
pub(crate) fn bytes(delivery: &Delivery) -> Vec<u8> {
    match delivery.body() {
        Ok(Body::Bytes(bytes)) => bytes.to_vec(),
        _ => Vec::new(),
    }
}

fn body(delivery: &Delivery) -> Vec<u8> {
    match delivery.body() {
        Ok(Body::Text(text)) => text.unwrap_or_default().into_bytes(),
        Ok(Body::Bytes(bytes)) => bytes.to_vec(),
        Ok(Body::None) => Vec::new(),
        Ok(Body::Map(_) | Body::Stream(_) | Body::Object(_) | Body::Blob) | Err(_) => NO_TEXT.to_vec(),
    }
}
