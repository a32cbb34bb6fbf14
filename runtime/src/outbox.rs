//! What goes to the broker, in the order in which the machine ordered it. Nothing waits here that the machine has not counted.

use tokio::sync::mpsc;
use topoc_core::connector::{Address, Ticket};
use topoc_core::destination::Destination as Named;
use topoc_core::event::{Event, Told};
use topoc_openwire::{Delivery, Destination, Error, Outgoing, Producer};
use topoc_openwire_proto::destination::{TempQueue, TempTopic};
use tracing::{debug, warn};

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

/// Sends what comes, and tells what the broker has accepted. Ends with the last sender of parcels.
pub(crate) async fn run(
    producer: Producer,
    topic: Option<String>,
    mut parcels: mpsc::UnboundedReceiver<Parcel>,
    tell: mpsc::Sender<Heard>,
) {
    let topic = topic.map(Destination::topic);
    while let Some(parcel) = parcels.recv().await {
        match parcel {
            Parcel::Publish(to, event, answered) => publish(&producer, &to, &event, answered, &tell).await,
            Parcel::Send(ticket, bytes) => {
                if let Some(topic) = &topic {
                    share(&producer, topic, ticket, bytes, &tell).await;
                }
            }
            Parcel::Acknowledge(delivery) => acknowledge(&delivery).await,
            Parcel::Refuse(delivery) => {
                warn!(request = %id(&delivery), "a request names nobody who could be answered: it goes to the dead letters");
                said(&delivery, delivery.refuse(NOBODY).await);
            }
        }
    }
}

/// Puts a message on its way, and sees to the rest beside: others need not wait for the broker's answer.
async fn publish(
    producer: &Producer,
    to: &Address,
    event: &Event,
    answered: Option<Delivery>,
    tell: &mpsc::Sender<Heard>,
) {
    let destination = destination(to);
    let sending = producer.hand_over(&destination, outgoing(event)).await;
    let tell = tell.clone();
    tokio::spawn(async move {
        let accepted = match sending {
            Ok(sending) => sending.accepted().await,
            Err(error) => Err(error),
        };
        if let Err(error) = accepted {
            warn!(%destination, %error, "a broker does not take an event or an answer");
            // Only what a broker has refused will never be taken. What else fails ends with the connection.
            if !matches!(error, Error::Refused(_) | Error::TimedOut(..) | Error::Encode(_)) {
                return;
            }
        }
        if let Some(delivery) = answered {
            acknowledge(&delivery).await;
        }
        // Nobody listens any more at the end.
        let _ = tell.send(Heard::Published).await;
    });
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
