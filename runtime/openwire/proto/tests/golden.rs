//! Frames that ActiveMQ's own marshaller wrote, byte for byte (5.17.2: loose, without cache and stack traces).

#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not as it should be")]

use topoc_openwire_proto::body::Body;
use topoc_openwire_proto::command::{
    Command, ConnectionControl, ConnectionInfo, ConsumerInfo, DestinationInfo, ExceptionResponse, KeepAliveInfo,
    MessageAck, MessagePull, ProducerInfo, RemoveInfo, Response, SessionInfo, ShutdownInfo, Throwable, TransactionInfo,
    WireFormatInfo,
};
use topoc_openwire_proto::destination::{Destination, TempQueue};
use topoc_openwire_proto::frame;
use topoc_openwire_proto::id::{ConnectionId, ConsumerId, LocalTransactionId, MessageId, ProducerId, SessionId};
use topoc_openwire_proto::message::{Headers, Message};
use topoc_openwire_proto::primitive::Map;

fn connection() -> Option<ConnectionId> {
    Some(ConnectionId::new("ID:c"))
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn consumer() -> Option<ConsumerId> {
    Some(ConsumerId { connection_id: text("ID:c"), session_id: 1, value: 1 })
}

fn producer() -> Option<ProducerId> {
    Some(ProducerId { connection_id: text("ID:c"), value: 1, session_id: 1 })
}

fn message_id() -> Option<MessageId> {
    Some(MessageId { producer_id: producer(), producer_sequence_id: 1, ..MessageId::default() })
}

fn queue() -> Option<Destination> {
    Some(Destination::queue("q"))
}

fn temp_queue() -> Option<Destination> {
    Some(TempQueue { physical_name: text("ID:c:1") }.into())
}

fn text_message() -> Message {
    let mut message = Message {
        headers: Headers {
            command_id: 5,
            producer_id: producer(),
            destination: queue(),
            message_id: message_id(),
            persistent: true,
            priority: 4,
            reply_to: temp_queue(),
            timestamp: 1,
            ..Headers::default()
        },
        ..Message::default()
    };
    message.set_body(&Body::Text(text("hi"))).unwrap();
    message.set_properties(&Map::default().with("k", "v")).unwrap();
    message
}

/// What is meant, and how ActiveMQ writes it.
fn frames() -> Vec<(Command, &'static str)> {
    let response_required = true;
    vec![
        (
            WireFormatInfo {
                version: 12,
                properties: Map::default()
                    .with("CacheEnabled", false)
                    .with("TightEncodingEnabled", false)
                    .with("MaxInactivityDuration", 30_000_i64),
            }
            .into(),
            "0000005e014163746976654d510000000c010000004c00000003000c4361636865456e61626c6564010000145469676874456e636f64696e67456e61626c6564010000154d6178496e61637469766974794475726174696f6e060000000000007530",
        ),
        (
            ConnectionInfo {
                command_id: 1,
                response_required,
                connection_id: connection(),
                client_id: text("cl"),
                password: text("p"),
                user_name: text("u"),
                client_master: true,
                fault_tolerant: true,
                ..ConnectionInfo::default()
            }
            .into(),
            "00000023030000000101017801000449443a63010002636c010001700100017500000001010000",
        ),
        (
            SessionInfo {
                command_id: 2,
                session_id: Some(SessionId { connection_id: text("ID:c"), value: 1 }),
                ..SessionInfo::default()
            }
            .into(),
            "00000017040000000200017901000449443a630000000000000001",
        ),
        (
            ConsumerInfo {
                command_id: 3,
                response_required,
                consumer_id: consumer(),
                destination: queue(),
                prefetch_size: 10,
                priority: 127,
                ..ConsumerInfo::default()
            }
            .into(),
            "0000003c050000000301017a01000449443a6300000000000000010000000000000001000164010001710000000a00000000000000000000007f000000000000",
        ),
        (
            ProducerInfo { command_id: 4, producer_id: producer(), destination: queue(), ..ProducerInfo::default() }
                .into(),
            "0000002b060000000400017b01000449443a6300000000000000010000000000000001016401000171000000000000",
        ),
        (
            Command::from(Box::new(text_message())),
            "000000b81c0000000500017b01000449443a63000000000000000100000000000000010164010001710000016e00017b01000449443a6300000000000000010000000000000001000000000000000100000000000000000000000000000001000000000000000004016601000649443a633a310000000000000001000100000006000000026869010000000b0000000100016b0900017600000000000000000000000000000000000000000000000000000000000000000000000000",
        ),
        (
            MessageAck {
                command_id: 6,
                destination: queue(),
                consumer_id: consumer(),
                ack_type: MessageAck::STANDARD,
                last_message_id: message_id(),
                message_count: 1,
                ..MessageAck::default()
            }
            .into(),
            "0000005916000000060001640100017100017a01000449443a63000000000000000100000000000000010200016e00017b01000449443a6300000000000000010000000000000001000000000000000100000000000000000000000100",
        ),
        (
            RemoveInfo {
                command_id: 7,
                object_id: connection().map(Into::into),
                last_delivered_sequence_id: -2,
                ..RemoveInfo::default()
            }
            .into(),
            "000000170c0000000700017801000449443a63fffffffffffffffe",
        ),
        (KeepAliveInfo::default().into(), "000000060a0000000000"),
        (ShutdownInfo::default().into(), "000000060b0000000000"),
        (Response { correlation_id: 1, ..Response::default() }.into(), "0000000a1e000000000000000001"),
        (
            ConnectionControl {
                fault_tolerant: true,
                connected_brokers: text(""),
                reconnect_to: text(""),
                ..ConnectionControl::default()
            }
            .into(),
            "0000001312000000000000000100000100000100000000",
        ),
        (
            ConnectionControl {
                connected_brokers: text("tcp://a:1,tcp://b:2"),
                reconnect_to: text(""),
                rebalance_connection: true,
                ..ConnectionControl::default()
            }
            .into(),
            "0000002612000000000000000000000100137463703a2f2f613a312c7463703a2f2f623a320100000100",
        ),
        (
            DestinationInfo {
                command_id: 8,
                connection_id: connection(),
                destination: temp_queue(),
                operation_type: DestinationInfo::ADD,
                ..DestinationInfo::default()
            }
            .into(),
            "00000024080000000800017801000449443a63016601000649443a633a3100000000000000000000",
        ),
        (
            ExceptionResponse {
                correlation_id: 1,
                exception: Some(Throwable { class: text("java.lang.SecurityException"), message: text("no") }),
                ..ExceptionResponse::default()
            }
            .into(),
            "0000002e1f0000000000000000010101001b6a6176612e6c616e672e5365637572697479457863657074696f6e0100026e6f",
        ),
        (
            TransactionInfo {
                connection_id: connection(),
                transaction_id: Some(LocalTransactionId { value: 1, connection_id: connection() }.into()),
                r#type: TransactionInfo::BEGIN,
                ..TransactionInfo::default()
            }
            .into(),
            "00000023070000000000017801000449443a63016f0000000000000001017801000449443a6300",
        ),
        (
            MessagePull { consumer_id: consumer(), destination: queue(), timeout: 1000, ..MessagePull::default() }
                .into(),
            "0000002f140000000000017a01000449443a630000000000000001000000000000000101640100017100000000000003e80000",
        ),
    ]
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn commands_are_written_as_activemq_writes_them() {
    for (command, golden) in frames() {
        assert_eq!(hex(&frame::encode(&command).unwrap()), golden, "{command:?}");
    }
}

#[test]
fn what_activemq_writes_is_read() {
    let mut decoder = frame::Decoder::new(1 << 20);
    for (command, golden) in frames() {
        decoder.feed(&bytes(golden));
        assert_eq!(decoder.next(), Ok(Some(command)));
    }
    assert_eq!(decoder.next(), Ok(None));
}

#[test]
fn frames_arrive_in_any_pieces() {
    let all: Vec<u8> = frames().iter().flat_map(|(_, golden)| bytes(golden)).collect();
    for size in [1, 3, 7, 100] {
        let mut decoder = frame::Decoder::new(1 << 20);
        let mut read = Vec::new();
        for piece in all.chunks(size) {
            decoder.feed(piece);
            while let Some(command) = decoder.next().unwrap() {
                read.push(command);
            }
        }
        let meant: Vec<Command> = frames().into_iter().map(|(command, _)| command).collect();
        assert_eq!(read, meant, "in pieces of {size}");
    }
}
