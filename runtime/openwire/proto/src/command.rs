//! The commands of OpenWire 12: the table that encoding, decoding and the tests are made of.

use bytes::Bytes;

use crate::DecodeError;
use crate::destination::Destination;
use crate::id::{
    BrokerId, ConnectionId, ConsumerId, LocalTransactionId, MessageId, ProducerId, SessionId, TransactionId,
    XATransactionId,
};
use crate::loose::{Loose, Reader, Writer};
use crate::message::Message;
use crate::primitive::Map;
use crate::structure::{Nested, one_of, structures};

/// Declares commands: structures that begin with the number of the command and whether it is to be answered.
macro_rules! commands {
    ($(
        $(#[$meta:meta])*
        $name:ident = $id:literal {
            $( $(#[$field_meta:meta])* $field:ident: $type:ty, )*
        }
    )*) => {
        structures! {$(
            $(#[$meta])*
            $name = $id {
                /// Numbers commands of a connection.
                command_id: i32,
                /// Whether the receiver is to answer.
                response_required: bool,
                $( $(#[$field_meta])* $field: $type, )*
            }
        )*}
    };
}

commands! {
    /// What a broker says of itself, unasked, once a connection's format is settled.
    BrokerInfo = 2 {
        /// Its id.
        broker_id: Option<BrokerId>,
        /// Where it listens.
        broker_url: Option<String>,
        /// The brokers that it is bridged with.
        peer_broker_infos: Option<Vec<Option<BrokerInfo>>>,
        /// Its name.
        broker_name: Option<String>,
        /// Of the old way of replication.
        slave_broker: bool,
        /// Of the old way of replication.
        master_broker: bool,
        /// Of the old way of replication.
        fault_tolerant_configuration: bool,
        /// Whether a bridge asks for messages in both directions.
        duplex_connection: bool,
        /// Whether this is a bridge.
        network_connection: bool,
        /// The number of the connection at the broker.
        connection_id: i64,
        /// Where blobs go.
        broker_upload_url: Option<String>,
        /// The settings of a duplex bridge.
        network_properties: Option<String>,
    }
    /// A client that connects: who it is.
    ConnectionInfo = 3 {
        /// The connection.
        connection_id: Option<ConnectionId>,
        /// `clientID`
        client_id: Option<String>,
        /// The secret of the user.
        password: Option<String>,
        /// The user.
        user_name: Option<String>,
        /// The brokers that it came by.
        broker_path: Option<Vec<Option<BrokerId>>>,
        /// Of the old way of replication.
        broker_master_connector: bool,
        /// Whether the broker may send it `ConnectionControl`.
        manageable: bool,
        /// Whether it is a client's own connection, and no bridge's.
        client_master: bool,
        /// Whether it connects again when the broker has gone.
        fault_tolerant: bool,
        /// Whether it has been connected before.
        failover_reconnect: bool,
        /// Where the broker sees it.
        client_ip: Option<String>,
    }
    /// A session that begins.
    SessionInfo = 4 {
        /// The session.
        session_id: Option<SessionId>,
    }
    /// A consumer that begins.
    ConsumerInfo = 5 {
        /// The consumer.
        consumer_id: Option<ConsumerId>,
        /// Whether it only looks.
        browser: bool,
        /// What it wants messages of.
        destination: Option<Destination>,
        /// How many messages may be on their way to it.
        prefetch_size: i32,
        /// How many messages of a topic may wait for it; 0 for any number.
        maximum_pending_message_limit: i32,
        /// Whether the broker gives it messages from a thread of its own.
        dispatch_async: bool,
        /// Which messages it wants (JMS, message selectors).
        selector: Option<String>,
        /// The client of a durable subscription.
        client_id: Option<String>,
        /// The name of a durable subscription.
        subscription_name: Option<String>,
        /// Whether it wants none that its own connection has sent.
        no_local: bool,
        /// Whether it wants to be the only one.
        exclusive: bool,
        /// Whether it wants messages of a topic from before it came.
        retroactive: bool,
        /// Who is first: 127 to -128.
        priority: i8,
        /// The brokers that its wish came by.
        broker_path: Option<Vec<Option<BrokerId>>>,
        /// What a bridge keeps back.
        additional_predicate: Option<NetworkBridgeFilter>,
        /// Whether it stands for consumers behind a bridge.
        network_subscription: bool,
        /// Whether it acknowledges in bundles.
        optimized_acknowledge: bool,
        /// Whether each message is acknowledged by itself.
        no_range_acks: bool,
        /// The consumers that it stands for.
        network_consumer_path: Option<Vec<Option<ConsumerId>>>,
    }
    /// A producer that begins.
    ProducerInfo = 6 {
        /// The producer.
        producer_id: Option<ProducerId>,
        /// What it sends to; none for anything.
        destination: Option<Destination>,
        /// The brokers that it came by.
        broker_path: Option<Vec<Option<BrokerId>>>,
        /// Whether the broker gives messages on from a thread of its own.
        dispatch_async: bool,
        /// How many bytes may be on their way; 0 for any number.
        window_size: i32,
    }
    /// A step of a transaction.
    TransactionInfo = 7 {
        /// The connection.
        connection_id: Option<ConnectionId>,
        /// The transaction.
        transaction_id: Option<TransactionId>,
        /// The step: see [`TransactionInfo::BEGIN`] and the others.
        r#type: i8,
    }
    /// A destination that begins or ends.
    DestinationInfo = 8 {
        /// The connection.
        connection_id: Option<ConnectionId>,
        /// The destination.
        destination: Option<Destination>,
        /// [`DestinationInfo::ADD`] or [`DestinationInfo::REMOVE`].
        operation_type: i8,
        /// How long to wait for its consumers to go, in ms.
        timeout: i64,
        /// The brokers that this came by.
        broker_path: Option<Vec<Option<BrokerId>>>,
    }
    /// A durable subscription that ends.
    RemoveSubscriptionInfo = 9 {
        /// The connection.
        connection_id: Option<ConnectionId>,
        /// Its name.
        subscription_name: Option<String>,
        /// Its client.
        client_id: Option<String>,
    }
    /// A sign of life. One that is to be answered is sent back.
    KeepAliveInfo = 10 {}
    /// The connection ends in order.
    ShutdownInfo = 11 {}
    /// A connection, session, consumer or producer that ends.
    RemoveInfo = 12 {
        /// Which.
        object_id: Option<RemovedId>,
        /// The last message that a consumer has seen: -1 not known, -2 none.
        last_delivered_sequence_id: i64,
    }
    /// An order by name: `shutdown`.
    ControlCommand = 14 {
        /// The name.
        command: Option<String>,
    }
    /// Asks for everything to be written out.
    FlushCommand = 15 {}
    /// Something that went wrong at the broker without being asked for.
    ConnectionError = 16 {
        /// What.
        exception: Option<Throwable>,
        /// The connection.
        connection_id: Option<ConnectionId>,
    }
    /// Orders to a consumer, and a consumer's wish for another window.
    ConsumerControl = 17 {
        /// Its destination.
        destination: Option<Destination>,
        /// Whether it is to end.
        close: bool,
        /// The consumer.
        consumer_id: Option<ConsumerId>,
        /// How many messages may be on their way to it.
        prefetch: i32,
        /// Whether it is to give back what it has.
        flush: bool,
        /// Whether it is to go on.
        start: bool,
        /// Whether it is to wait.
        stop: bool,
    }
    /// What a broker wants of a connection: to go, to wait, or to know other brokers.
    ConnectionControl = 18 {
        /// Whether it is to end.
        close: bool,
        /// Whether the process is to end.
        exit: bool,
        /// Whether the broker can be relied on to come back.
        fault_tolerant: bool,
        /// Whether it is to go on.
        resume: bool,
        /// Whether it is to wait.
        suspend: bool,
        /// The brokers of the cluster, separated by commas.
        connected_brokers: Option<String>,
        /// Where to connect instead.
        reconnect_to: Option<String>,
        /// Whether clients are to spread over the cluster again.
        rebalance_connection: bool,
        /// Anything else.
        token: Option<Bytes>,
    }
    /// A window of a producer that opens again.
    ProducerAck = 19 {
        /// The producer.
        producer_id: Option<ProducerId>,
        /// How many bytes have been taken.
        size: i32,
    }
    /// A consumer without window that wants one message.
    MessagePull = 20 {
        /// The consumer.
        consumer_id: Option<ConsumerId>,
        /// Of this destination.
        destination: Option<Destination>,
        /// How long to wait, in ms: 0 for ever, -1 not at all.
        timeout: i64,
        /// Of this correlation.
        correlation_id: Option<String>,
        /// This one.
        message_id: Option<MessageId>,
    }
    /// A message for a consumer.
    MessageDispatch = 21 {
        /// The consumer.
        consumer_id: Option<ConsumerId>,
        /// Where it was sent.
        destination: Option<Destination>,
        /// The message; none at the end of browsing, and when a pull has waited in vain.
        message: Option<Box<Message>>,
        /// How often it was delivered before.
        redelivery_counter: i32,
    }
    /// Messages that a consumer has dealt with.
    MessageAck = 22 {
        /// Where they were sent.
        destination: Option<Destination>,
        /// The transaction that they are taken in.
        transaction_id: Option<TransactionId>,
        /// The consumer.
        consumer_id: Option<ConsumerId>,
        /// What is said of them: see [`MessageAck::STANDARD`] and the others.
        ack_type: i8,
        /// The first of them; none for one alone.
        first_message_id: Option<MessageId>,
        /// The last of them.
        last_message_id: Option<MessageId>,
        /// How many.
        message_count: i32,
        /// Why a message is poison.
        poison_cause: Option<Throwable>,
    }
    /// The answer to a command: done.
    Response = 30 {
        /// The number of the command.
        correlation_id: i32,
    }
    /// The answer to a command: refused.
    ExceptionResponse = 31 {
        /// The number of the command.
        correlation_id: i32,
        /// Why.
        exception: Option<Throwable>,
    }
    /// The answer to a command: a structure.
    DataResponse = 32 {
        /// The number of the command.
        correlation_id: i32,
        /// The structure.
        data: Option<Box<Object>>,
    }
    /// The answer to a command: several structures.
    DataArrayResponse = 33 {
        /// The number of the command.
        correlation_id: i32,
        /// The structures.
        data: Option<Vec<Option<Object>>>,
    }
    /// The answer to a command: a number.
    IntegerResponse = 34 {
        /// The number of the command.
        correlation_id: i32,
        /// The number.
        result: i32,
    }
    /// Commands that did not arrive (of UDP only).
    ReplayCommand = 65 {
        /// The first.
        first_nak_number: i32,
        /// The last.
        last_nak_number: i32,
    }
    /// Tells brokers of one another which message went to which consumer.
    MessageDispatchNotification = 90 {
        /// The consumer.
        consumer_id: Option<ConsumerId>,
        /// Where it was sent.
        destination: Option<Destination>,
        /// Which delivery.
        delivery_sequence_id: i64,
        /// The message.
        message_id: Option<MessageId>,
    }
    /// Durable subscriptions that a bridge is to know at once.
    BrokerSubscriptionInfo = 92 {
        /// The broker.
        broker_id: Option<BrokerId>,
        /// Its name.
        broker_name: Option<String>,
        /// The subscriptions.
        subscription_infos: Option<Vec<Option<ConsumerInfo>>>,
    }
}

structures! {
    /// A durable subscription that a broker knows.
    SubscriptionInfo = 55 {
        /// Its client.
        client_id: Option<String>,
        /// The topic.
        destination: Option<Destination>,
        /// Which messages it wants.
        selector: Option<String>,
        /// Its name.
        subscription_name: Option<String>,
        /// What was subscribed to, perhaps with wildcards.
        subscribed_destination: Option<Destination>,
        /// Whether it wants none that its own connection has sent.
        no_local: bool,
    }
    /// A part of a command (of UDP only).
    PartialCommand = 60 {
        /// The number of the command.
        command_id: i32,
        /// The part.
        data: Option<Bytes>,
    }
    /// The last part of a command (of UDP only).
    LastPartialCommand = 61 {
        /// The number of the command.
        command_id: i32,
        /// The part.
        data: Option<Bytes>,
    }
    /// What a bridge keeps back from a broker.
    NetworkBridgeFilter = 91 {
        /// The broker.
        network_broker_id: Option<BrokerId>,
        /// How many bridges a message may cross.
        message_ttl: i32,
        /// How many bridges a consumer may be known over.
        consumer_ttl: i32,
    }
}

/// The first frame of each side: which protocol it speaks, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct WireFormatInfo {
    /// The version of OpenWire.
    pub version: i32,
    /// What else is wished for, such as `MaxInactivityDuration` (ms).
    pub properties: Map,
}

/// What a Java exception says. Its class is a name only.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Throwable {
    /// Such as `java.lang.SecurityException`.
    pub class: Option<String>,
    /// What it says.
    pub message: Option<String>,
}

one_of! {
    /// What [`RemoveInfo`] is about.
    RemovedId {
        /// A connection.
        Connection(ConnectionId) = 120,
        /// A session.
        Session(SessionId) = 121,
        /// A consumer.
        Consumer(ConsumerId) = 122,
        /// A producer.
        Producer(ProducerId) = 123,
    }
}

one_of! {
    /// Any structure, where the protocol allows all.
    Object {
        /// A command.
        Command(Box<Command>) = 1..=12 | 14..=34 | 60 | 61 | 65 | 90 | 92,
        /// A durable subscription.
        Subscription(SubscriptionInfo) = 55,
        /// What a bridge keeps back.
        BridgeFilter(NetworkBridgeFilter) = 91,
        /// A destination.
        Destination(Destination) = 100..=103,
        /// A message's id.
        MessageId(MessageId) = 110,
        /// A transaction of one connection.
        LocalTransactionId(LocalTransactionId) = 111,
        /// A branch of a distributed transaction.
        XATransactionId(XATransactionId) = 112,
        /// A connection's id.
        ConnectionId(ConnectionId) = 120,
        /// A session's id.
        SessionId(SessionId) = 121,
        /// A consumer's id.
        ConsumerId(ConsumerId) = 122,
        /// A producer's id.
        ProducerId(ProducerId) = 123,
        /// A broker's id.
        BrokerId(BrokerId) = 124,
    }
}

/// Declares the enum of commands, its names being those of their structures, and what all of them have.
macro_rules! command {
    ($( $(#[$meta:meta])* $name:ident = $id:literal, )*) => {
        one_of! {
            /// What a frame holds.
            Command {
                /// Which protocol a side speaks.
                WireFormatInfo(WireFormatInfo) = 1,
                /// A message on its way to the broker.
                Message(Box<Message>) = 23..=29,
                /// A part of a command.
                PartialCommand(PartialCommand) = 60,
                /// The last part of a command.
                LastPartialCommand(LastPartialCommand) = 61,
                $( $(#[$meta])* $name($name) = $id, )*
            }
        }

        impl Command {
            /// Its number in the connection, and whether it is to be answered. Few commands have none.
            #[must_use]
            pub fn number(&self) -> Option<(i32, bool)> {
                match self {
                    $( Self::$name(command) => Some((command.command_id, command.response_required)), )*
                    Self::Message(message) => Some((message.headers.command_id, message.headers.response_required)),
                    Self::WireFormatInfo(_) | Self::PartialCommand(_) | Self::LastPartialCommand(_) => None,
                }
            }

            /// Numbers it, where it can have a number.
            pub fn set_number(&mut self, id: i32, response_required: bool) {
                match self {
                    $( Self::$name(command) => {
                        command.command_id = id;
                        command.response_required = response_required;
                    } )*
                    Self::Message(message) => {
                        message.headers.command_id = id;
                        message.headers.response_required = response_required;
                    }
                    Self::WireFormatInfo(_) | Self::PartialCommand(_) | Self::LastPartialCommand(_) => {}
                }
            }
        }

        /// Rows of the protocol's table: every command but messages and [`WireFormatInfo`].
        pub const LAYOUTS: &[crate::Layout] =
            &[$($name::LAYOUT,)* PartialCommand::LAYOUT, LastPartialCommand::LAYOUT, SubscriptionInfo::LAYOUT,
                NetworkBridgeFilter::LAYOUT];
    };
}

command! {
    /// What a broker says of itself.
    BrokerInfo = 2,
    /// A client that connects.
    ConnectionInfo = 3,
    /// A session that begins.
    SessionInfo = 4,
    /// A consumer that begins.
    ConsumerInfo = 5,
    /// A producer that begins.
    ProducerInfo = 6,
    /// A step of a transaction.
    TransactionInfo = 7,
    /// A destination that begins or ends.
    DestinationInfo = 8,
    /// A durable subscription that ends.
    RemoveSubscriptionInfo = 9,
    /// A sign of life.
    KeepAliveInfo = 10,
    /// The connection ends in order.
    ShutdownInfo = 11,
    /// Something that ends.
    RemoveInfo = 12,
    /// An order by name.
    ControlCommand = 14,
    /// Asks for everything to be written out.
    FlushCommand = 15,
    /// Something that went wrong unasked.
    ConnectionError = 16,
    /// Orders to a consumer.
    ConsumerControl = 17,
    /// What a broker wants of a connection.
    ConnectionControl = 18,
    /// A window of a producer that opens again.
    ProducerAck = 19,
    /// A wish for one message.
    MessagePull = 20,
    /// A message for a consumer.
    MessageDispatch = 21,
    /// Messages that are dealt with.
    MessageAck = 22,
    /// Done.
    Response = 30,
    /// Refused.
    ExceptionResponse = 31,
    /// A structure as answer.
    DataResponse = 32,
    /// Structures as answer.
    DataArrayResponse = 33,
    /// A number as answer.
    IntegerResponse = 34,
    /// Commands that did not arrive.
    ReplayCommand = 65,
    /// Which message went to which consumer.
    MessageDispatchNotification = 90,
    /// Durable subscriptions of a broker.
    BrokerSubscriptionInfo = 92,
}

impl TransactionInfo {
    /// It begins.
    pub const BEGIN: i8 = 0;
    /// It is prepared (two phases).
    pub const PREPARE: i8 = 1;
    /// It is committed in one phase.
    pub const COMMIT_ONE_PHASE: i8 = 2;
    /// It is committed after it was prepared.
    pub const COMMIT_TWO_PHASE: i8 = 3;
    /// It is rolled back.
    pub const ROLLBACK: i8 = 4;
    /// Which are prepared?
    pub const RECOVER: i8 = 5;
    /// A branch that was ended by itself is forgotten.
    pub const FORGET: i8 = 6;
    /// A branch ends its work.
    pub const END: i8 = 7;
}

impl MessageAck {
    /// They have arrived, and the window may move; they are not yet dealt with.
    pub const DELIVERED: i8 = 0;
    /// They cannot be dealt with: to the dead letter queue.
    pub const POISON: i8 = 1;
    /// All up to this one are dealt with.
    pub const STANDARD: i8 = 2;
    /// They were given to the application again.
    pub const REDELIVERED: i8 = 3;
    /// This one alone is dealt with.
    pub const INDIVIDUAL: i8 = 4;
    /// A durable subscriber's selector did not want them.
    pub const UNMATCHED: i8 = 5;
    /// They had expired when they arrived.
    pub const EXPIRED: i8 = 6;
}

impl DestinationInfo {
    /// It begins.
    pub const ADD: i8 = 0;
    /// It ends.
    pub const REMOVE: i8 = 1;
}

/// `ActiveMQ`, the version, then the properties as one run of bytes.
impl Nested for WireFormatInfo {
    fn type_id(&self) -> u8 {
        1
    }

    fn read_fields(_: u8, input: &mut Reader) -> Result<Self, DecodeError> {
        if input.take("a format", MAGIC.len())?.as_ref() != MAGIC {
            return Err(DecodeError::BadMagic);
        }
        let version = i32::read(input)?;
        let properties: Option<Bytes> = Loose::read(input)?;
        let properties = properties.as_ref().map_or_else(|| Ok(Map::default()), Map::decode)?;
        Ok(Self { version, properties })
    }

    fn write_fields(&self, output: &mut Writer) {
        output.out.extend_from_slice(MAGIC);
        self.version.write(output);
        match self.properties.encode() {
            Ok(properties) => Some(Bytes::from(properties)).write(output),
            Err(error) => output.fail(error),
        }
    }
}

const MAGIC: &[u8] = b"ActiveMQ";

/// Class and message: this side never asks for stack traces, so none come.
impl Loose for Option<Throwable> {
    fn read(input: &mut Reader) -> Result<Self, DecodeError> {
        if !bool::read(input)? {
            return Ok(None);
        }
        Ok(Some(Throwable { class: Loose::read(input)?, message: Loose::read(input)? }))
    }

    fn write(&self, output: &mut Writer) {
        self.is_some().write(output);
        if let Some(Throwable { class, message }) = self {
            class.write(output);
            message.write(output);
        }
    }
}
