//! What goes to the broker, in the order in which the machine ordered it. Nothing waits here that the machine has not counted.

use std::collections::VecDeque;
use std::future::pending;
use std::pin::Pin;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use topoc_core::connector::{Address, Ticket};
use topoc_core::destination::Destination as Named;
use topoc_core::event::{Event, Told};
use topoc_openwire::{AckMode, Connection, Delivery, Destination, Error, Outgoing, Producer, Session};
use topoc_openwire_proto::destination::{TempQueue, TempTopic};
use tracing::{debug, info, warn};

use crate::driver::Heard;

/// Something for the broker.
#[derive(Debug)]
pub(crate) enum Parcel {
    /// Send this; when the broker has accepted it the request that it answers is acknowledged.
    Publish(Address, Box<Event>, Option<Delivery>),
    /// Send this to the other connectors; where there is a ticket, tell when the broker has accepted it.
    Send(Option<Ticket>, Vec<u8>),
    /// The request is dealt with.
    Acknowledge(Delivery),
    /// Nobody can be answered.
    Refuse(Delivery),
}

/// Why a request is among the dead letters.
const NOBODY: &str = "the request names nobody who could be answered: set `JMSReplyTo`, or send `Connect` first";

/// An event or an answer on its way to a client, and the request that it answers.
#[derive(Debug)]
struct Letter {
    to: Destination,
    event: Box<Event>,
    answered: Option<Delivery>,
}

/// So many letters go together at most.
const TOGETHER: usize = 256;
/// A broker that has no room for a letter answers when it has: others do not wait for that longer than this.
const WAITS: Duration = Duration::from_secs(2);

/// What sends to a broker.
///
/// **Letters to queues that wait go together.** A broker writes each persistent message for a queue to its disk before it looks at the
/// next one of the same connection (`TransportConnection`, `Queue.doMessageSend`), so that letters one by one are as slow as disks
/// are. While one is on its way the next ones wait, and then go in one transaction, for which the broker waits once.
///
/// **Letters to topics and temporary queues go at once**, each by itself: they are written to no disk, and in a transaction a broker
/// that has no room for one would read nothing more of the connection. To each destination letters go in their order.
///
/// **What other connectors are to know does not wait.** It is not persistent, and a claim stands between a request and Finesse.
#[derive(Debug)]
pub(crate) struct Outbox {
    alone: Producer,
    transacted: Session,
    together: Producer,
    topic: Option<Destination>,
    tell: mpsc::Sender<Heard>,
}

type Flight<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

impl Outbox {
    /// One over a connection, in whose session the requests are consumed.
    pub(crate) async fn open(
        connection: &Connection,
        session: &Session,
        topic: Option<String>,
        tell: mpsc::Sender<Heard>,
    ) -> Result<Self, Error> {
        let transacted = connection.session(AckMode::Transacted).await?;
        Ok(Self {
            alone: session.any_producer().await?,
            together: transacted.any_producer().await?,
            transacted,
            topic: topic.map(Destination::topic),
            tell,
        })
    }

    /// Sends what comes, and tells what the broker has accepted. Ends with the last sender of parcels, when all is sent.
    pub(crate) async fn run(self, mut parcels: mpsc::UnboundedReceiver<Parcel>) {
        let (mut waiting, mut flight, mut open) = (VecDeque::new(), None, true);
        while open || flight.is_some() || !waiting.is_empty() {
            if flight.is_none() && !waiting.is_empty() {
                let letters = waiting.drain(..waiting.len().min(TOGETHER)).collect();
                flight = Some(Box::pin(self.post(letters)) as Flight<'_>);
            }
            tokio::select! {
                parcel = parcels.recv(), if open => match parcel {
                    Some(parcel) => waiting.extend(self.take(parcel).await),
                    None => open = false,
                },
                () = landed(&mut flight) => flight = None,
            }
        }
    }

    /// Deals with a parcel, unless it is a letter that may have to wait.
    async fn take(&self, parcel: Parcel) -> Option<Letter> {
        match parcel {
            Parcel::Publish(to, event, answered) => {
                let letter = Letter { to: destination(&to), event, answered };
                if matches!(to, Address::Named(Named::Queue(_))) {
                    return Some(letter);
                }
                drop(self.send(letter).await);
            }
            Parcel::Send(ticket, bytes) => {
                if let Some(topic) = &self.topic {
                    share(&self.alone, topic, ticket, bytes, &self.tell).await;
                }
            }
            Parcel::Acknowledge(delivery) => acknowledge(&delivery).await,
            Parcel::Refuse(delivery) => {
                warn!(request = %id(&delivery), "a request names nobody who could be answered: it goes to the dead letters");
                said(&delivery, delivery.refuse(NOBODY).await);
            }
        }
        None
    }

    /// Sends letters to queues, and waits until the broker has them.
    async fn post(&self, letters: Vec<Letter>) {
        if let Some(accepted) = self.commit(&letters).await {
            for (letter, accepted) in letters.into_iter().zip(accepted) {
                posted(letter, accepted, &self.tell).await;
            }
            return;
        }
        let mut sent = Vec::with_capacity(letters.len());
        for letter in letters {
            sent.push(self.send(letter).await);
        }
        let all = async {
            for one in sent {
                let _ = one.await;
            }
        };
        // Whoever is still waited for is dealt with beside.
        let _ = timeout(WAITS, all).await;
    }

    /// Sends letters in one transaction: none of them is answered by itself, or the broker would write each to its disk by itself.
    /// None where the transaction is not committed as far as anybody knows, as when the broker refuses one of them ("Transaction
    /// marked rollback only"): they are to be sent one by one then. Where the connection was lost, a client may get one twice.
    async fn commit(&self, letters: &[Letter]) -> Option<Vec<Result<(), Error>>> {
        if letters.len() < 2 {
            return None;
        }
        let mut accepted = Vec::with_capacity(letters.len());
        for letter in letters {
            accepted.push(self.together.send_to(&letter.to, outgoing(&letter.event)).await.map(drop));
        }
        match self.transacted.commit().await {
            Ok(()) => {
                debug!(letters = letters.len(), "events and answers went together");
                Some(accepted)
            }
            Err(error) => {
                info!(%error, letters = letters.len(), "events and answers are sent again, one by one");
                None
            }
        }
    }

    /// Puts a letter on its way, and sees to the rest in a task, which ends when the broker has it.
    async fn send(&self, letter: Letter) -> JoinHandle<()> {
        let sending = self.alone.hand_over(&letter.to, outgoing(&letter.event)).await;
        let tell = self.tell.clone();
        tokio::spawn(async move {
            let accepted = match sending {
                Ok(sending) => sending.accepted().await.map(drop),
                Err(error) => Err(error),
            };
            posted(letter, accepted, &tell).await;
        })
    }
}

/// The broker has a letter, or will never have it.
async fn posted(letter: Letter, accepted: Result<(), Error>, tell: &mpsc::Sender<Heard>) {
    if let Err(error) = accepted {
        warn!(destination = %letter.to, %error, "a broker does not take an event or an answer");
        // Only what a broker has refused will never be taken. What else fails ends with the connection.
        if !matches!(error, Error::Refused(_) | Error::TimedOut(..) | Error::Encode(_)) {
            return;
        }
    }
    if let Some(delivery) = letter.answered {
        acknowledge(&delivery).await;
    }
    // Nobody listens any more at the end.
    let _ = tell.send(Heard::Published(letter.event.agent)).await;
}

/// When all of a flight is dealt with; never where there is none.
async fn landed(flight: &mut Option<Flight<'_>>) {
    match flight {
        Some(flight) => flight.await,
        None => pending().await,
    }
}

/// Puts something for the other connectors on its way.
async fn share(
    producer: &Producer,
    topic: &Destination,
    ticket: Option<Ticket>,
    bytes: Vec<u8>,
    tell: &mpsc::Sender<Heard>,
) {
    let sending = producer.hand_over(topic, Outgoing::bytes(bytes).persistent(false)).await;
    let tell = tell.clone();
    tokio::spawn(async move {
        let accepted = match sending {
            Ok(sending) => sending.accepted().await,
            Err(error) => Err(error),
        };
        match (accepted, ticket) {
            (Ok(_), Some(ticket)) => drop(tell.send(Heard::Accepted(ticket)).await),
            (Ok(_), None) => {}
            (Err(error), _) => warn!(%error, "a broker does not take what other connectors are to know"),
        }
    });
}

async fn acknowledge(delivery: &Delivery) {
    said(delivery, delivery.acknowledge().await);
}

fn said(delivery: &Delivery, result: Result<(), Error>) {
    if let Err(error) = result {
        debug!(request = %id(delivery), %error, "a request is not acknowledged, and comes again");
    }
}

fn id(delivery: &Delivery) -> String {
    delivery.id().map(ToString::to_string).unwrap_or_default()
}

fn outgoing(event: &Event) -> Outgoing {
    let outgoing = Outgoing::text(event.to_json()).message_type(name(&event.told));
    match &event.correlation {
        Some(correlation) => outgoing.correlation_id(correlation),
        None => outgoing,
    }
}

/// The event's name, as its JSON has it.
const fn name(told: &Told) -> &'static str {
    match told {
        Told::SystemStatus(_) => "SystemStatus",
        Told::ConnectStatus(_) => "ConnectStatus",
        Told::AgentInfo(_) => "AgentInfo",
        Told::AgentState(_) => "AgentState",
        Told::DialogState(_) => "DialogState",
        Told::InboundCall(_) => "InboundCall",
        Told::ConsultCall(_) => "ConsultCall",
        Told::TransferCall(_) => "TransferCall",
        Told::ConferenceCall(_) => "ConferenceCall",
        Told::ReasonCodes(_) => "ReasonCodes",
        Told::Error(_) => "Error",
        Told::Outcome(_) => "Outcome",
    }
}

fn destination(address: &Address) -> Destination {
    let name = |name: &String| Some(name.clone());
    match address {
        Address::Named(Named::Topic(name)) => Destination::topic(name),
        Address::Named(Named::Queue(name)) => Destination::queue(name),
        Address::TemporaryQueue(queue) => TempQueue { physical_name: name(queue) }.into(),
        Address::TemporaryTopic(topic) => TempTopic { physical_name: name(topic) }.into(),
    }
}
