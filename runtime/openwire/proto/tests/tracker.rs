//! What a new broker is told after a failover: case by case, and for any sequence of commands with losses anywhere.
//! `TOPOC_LONG=1` for more sequences.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not as it should be")]

mod support;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use support::Chance;
use topoc_openwire_proto::command::{
    Command, ConnectionInfo, ConsumerControl, ConsumerInfo, DestinationInfo, ExceptionResponse, IntegerResponse,
    MessageAck, MessageDispatch, MessagePull, ProducerInfo, RemoveInfo, RemoveSubscriptionInfo, RemovedId, Response,
    SessionInfo, ShutdownInfo, TransactionInfo,
};
use topoc_openwire_proto::destination::{Destination, TempQueue};
use topoc_openwire_proto::failover::Options;
use topoc_openwire_proto::frame;
use topoc_openwire_proto::id::{
    ConnectionId, ConsumerId, LocalTransactionId, ProducerId, SessionId, TransactionId, XATransactionId,
};
use topoc_openwire_proto::message::{Headers, Message};
use topoc_openwire_proto::tracker::{Restored, Tracker, WhileDown};

const CONNECTION: &str = "ID:c";

fn connection_id() -> Option<ConnectionId> {
    Some(ConnectionId::new(CONNECTION))
}

fn session_id(value: i64) -> SessionId {
    SessionId { connection_id: Some(CONNECTION.to_owned()), value }
}

fn consumer_id(session_id: i64, value: i64) -> ConsumerId {
    ConsumerId { connection_id: Some(CONNECTION.to_owned()), session_id, value }
}

fn producer_id(session_id: i64, value: i64) -> ProducerId {
    ProducerId { connection_id: Some(CONNECTION.to_owned()), value, session_id }
}

fn transaction_id(value: i64) -> TransactionId {
    LocalTransactionId { value, connection_id: connection_id() }.into()
}

fn connection() -> Command {
    ConnectionInfo { connection_id: connection_id(), ..ConnectionInfo::default() }.into()
}

fn session(value: i64) -> Command {
    SessionInfo { session_id: Some(session_id(value)), ..SessionInfo::default() }.into()
}

fn consumer(session: i64, value: i64, prefetch_size: i32) -> Command {
    let destination = Some(Destination::queue("q"));
    ConsumerInfo {
        consumer_id: Some(consumer_id(session, value)),
        destination,
        prefetch_size,
        ..ConsumerInfo::default()
    }
    .into()
}

fn producer(session: i64, value: i64) -> Command {
    ProducerInfo { producer_id: Some(producer_id(session, value)), ..ProducerInfo::default() }.into()
}

fn temporary(number: i64, operation_type: i8) -> Command {
    let physical_name = Some(format!("{CONNECTION}:{number}"));
    let destination = Some(TempQueue { physical_name }.into());
    DestinationInfo { connection_id: connection_id(), destination, operation_type, ..DestinationInfo::default() }.into()
}

fn step(transaction: TransactionId, r#type: i8) -> Command {
    let transaction_id = Some(transaction);
    TransactionInfo { connection_id: connection_id(), transaction_id, r#type, ..TransactionInfo::default() }.into()
}

fn message(producer: (i64, i64), transaction: Option<i64>) -> Command {
    let headers = Headers {
        producer_id: Some(producer_id(producer.0, producer.1)),
        destination: Some(Destination::queue("q")),
        transaction_id: transaction.map(transaction_id),
        ..Headers::default()
    };
    Box::new(Message { headers, ..Message::default() }).into()
}

fn pull(consumer: (i64, i64), timeout: i64) -> Command {
    let consumer_id = Some(consumer_id(consumer.0, consumer.1));
    MessagePull { consumer_id, destination: Some(Destination::queue("q")), timeout, ..MessagePull::default() }.into()
}

fn dispatch(consumer: (i64, i64)) -> Command {
    MessageDispatch { consumer_id: Some(consumer_id(consumer.0, consumer.1)), ..MessageDispatch::default() }.into()
}

fn remove(id: impl Into<RemovedId>) -> Command {
    RemoveInfo { object_id: Some(id.into()), ..RemoveInfo::default() }.into()
}

fn subscription() -> Command {
    RemoveSubscriptionInfo { connection_id: connection_id(), ..RemoveSubscriptionInfo::default() }.into()
}

fn done(correlation_id: i32) -> Command {
    Response { correlation_id, ..Response::default() }.into()
}

fn refused(correlation_id: i32) -> Command {
    ExceptionResponse { correlation_id, ..ExceptionResponse::default() }.into()
}

fn decoded(frame: &Bytes) -> Command {
    frame::decode(frame.slice(4..)).unwrap().unwrap()
}

/// A command in few words, with its number.
fn words(command: &Command) -> String {
    let number = command.number().unwrap().0;
    match command {
        Command::ConnectionControl(control) if control.fault_tolerant => "fault tolerant".to_owned(),
        Command::ConnectionInfo(info) => {
            format!("{number} connection{}", if info.failover_reconnect { " again" } else { "" })
        }
        Command::SessionInfo(info) => format!("{number} session {}", info.session_id.as_ref().unwrap().value),
        Command::ProducerInfo(info) => {
            let id = info.producer_id.as_ref().unwrap();
            format!("{number} producer {}:{}", id.session_id, id.value)
        }
        Command::ConsumerInfo(info) => {
            let id = info.consumer_id.as_ref().unwrap();
            format!("{number} consumer {}:{} prefetch {}", id.session_id, id.value, info.prefetch_size)
        }
        Command::DestinationInfo(info) => {
            let verb = if info.operation_type == DestinationInfo::ADD { "add" } else { "remove" };
            format!("{number} {verb} {}", info.destination.as_ref().unwrap())
        }
        Command::TransactionInfo(info) => {
            format!("{number} step {} of {}", info.r#type, info.transaction_id.as_ref().unwrap())
        }
        Command::Message(message) if message.headers.transaction_id.is_some() => format!("{number} message in it"),
        Command::Message(_) => format!("{number} message"),
        Command::MessagePull(_) => format!("{number} pull"),
        Command::RemoveInfo(info) => match info.object_id.as_ref().unwrap() {
            RemovedId::Producer(id) => format!("{number} end of producer {}:{}", id.session_id, id.value),
            other => format!("{number} end of {other:?}"),
        },
        Command::Response(response) => format!("done {}", response.correlation_id),
        Command::ExceptionResponse(response) => {
            let message = response.exception.as_ref().and_then(|exception| exception.message.clone());
            format!("{}: {}", response.correlation_id, message.unwrap_or_default())
        }
        other => format!("{number} {}", format!("{other:?}").split('(').next().unwrap()),
    }
}

/// A tracker that commands are sent through, numbered from 1.
struct Sender {
    tracker: Tracker,
    number: i32,
}

impl Sender {
    fn new(options: &[(&str, &str)]) -> Self {
        let options: Vec<_> = options.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Self { tracker: Tracker::new(&Options::read(&options).unwrap()), number: 0 }
    }

    /// Sends a command; its number.
    fn send(&mut self, command: Command) -> i32 {
        self.number(command, false).0
    }

    /// Sends a command that is to be answered; its number.
    fn ask(&mut self, command: Command) -> i32 {
        self.number(command, true).0
    }

    fn number(&mut self, mut command: Command, response_required: bool) -> (i32, bool) {
        self.number += 1;
        command.set_number(self.number, response_required);
        let frame = Bytes::from(frame::encode(&command).unwrap());
        (self.number, self.tracker.sent(&command, &frame))
    }

    fn restored(&mut self) -> (Vec<String>, Vec<String>) {
        let Restored { frames, answers } = self.tracker.restore();
        let frames = frames.iter().map(|frame| words(&decoded(frame))).collect();
        (frames, answers.iter().map(words).collect())
    }

    /// What is sent again, where nothing is answered.
    fn again(&mut self) -> Vec<String> {
        let (frames, answers) = self.restored();
        assert_eq!(answers, [""; 0]);
        frames
    }
}

/// A connection with a session.
fn begun(options: &[(&str, &str)]) -> Sender {
    let mut sender = Sender::new(options);
    sender.send(connection());
    sender.send(session(1));
    sender
}

const BEGUN: [&str; 3] = ["fault tolerant", "1 connection again", "2 session 1"];

fn begun_and<'a>(more: &[&'a str]) -> Vec<&'a str> {
    BEGUN.iter().chain(more).copied().collect()
}

#[test]
fn everything_is_restored_in_its_order() {
    let mut sender = Sender::new(&[]);
    sender.send(connection());
    sender.send(consumer(-1, 1, 1000));
    sender.send(session(1));
    sender.send(session(2));
    sender.send(step(transaction_id(9), TransactionInfo::BEGIN));
    sender.send(consumer(1, 1, 10));
    sender.send(consumer(2, 1, 0));
    sender.send(producer(2, 1));
    sender.send(producer(1, 2));
    sender.send(message((1, 2), Some(9)));
    sender.send(temporary(1, DestinationInfo::ADD));
    let asked = sender.ask(message((1, 2), None));
    let expected = [
        "fault tolerant",
        "1 connection again",
        "11 add temp-queue://ID:c:1",
        "2 consumer -1:1 prefetch 0",
        "3 session 1",
        "9 producer 1:2",
        "6 consumer 1:1 prefetch 0",
        "4 session 2",
        "8 producer 2:1",
        "7 consumer 2:1 prefetch 0",
        "5 step 0 of TX:ID:c:9",
        "10 message in it",
        "12 message",
    ];
    assert_eq!(sender.again(), expected);
    assert_eq!(sender.again(), expected, "and again, when that broker goes too");
    sender.tracker.received(&done(asked));
    assert_eq!(sender.again(), expected[..12]);
}

#[test]
fn the_first_frame_is_that_of_activemqs_own_client() {
    // ActiveMQ's marshaller (5.17.2): fault tolerant, with empty texts and not with none.
    let expected = "0000001312000000000000000100000100000100000000";
    let frame = &Sender::new(&[]).tracker.restore().frames[0];
    let hex: String = frame.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, expected);
}

#[test]
fn what_is_gone_stays_gone() {
    let mut sender = begun(&[]);
    sender.send(session(2));
    sender.send(consumer(1, 1, 10));
    sender.send(consumer(2, 1, 10));
    sender.send(producer(1, 1));
    sender.send(temporary(1, DestinationInfo::ADD));
    sender.send(remove(consumer_id(1, 1)));
    sender.send(remove(producer_id(1, 1)));
    sender.send(remove(session_id(2)));
    sender.send(temporary(1, DestinationInfo::REMOVE));
    assert_eq!(sender.again(), BEGUN);
    // A broker can end a consumer, too.
    sender.send(consumer(1, 2, 10));
    let control = |close| ConsumerControl { consumer_id: Some(consumer_id(1, 2)), close, ..ConsumerControl::default() };
    sender.tracker.received(&control(false).into());
    assert_eq!(sender.again().len(), BEGUN.len() + 1);
    sender.tracker.received(&control(true).into());
    assert_eq!(sender.again(), BEGUN);
    sender.send(remove(ConnectionId::new(CONNECTION)));
    assert_eq!(sender.again(), BEGUN[..1]);
}

#[test]
fn what_a_broker_refused_is_not_restored() {
    for (command, expected) in [
        (consumer(1, 1, 5), "3 consumer 1:1 prefetch 0"),
        (producer(1, 1), "3 producer 1:1"),
        (session(2), "3 session 2"),
    ] {
        let mut sender = begun(&[]);
        let number = sender.ask(command);
        assert_eq!(sender.again(), begun_and(&[expected]), "not yet answered");
        sender.tracker.received(&refused(number));
        assert_eq!(sender.again(), BEGUN);
    }
    let mut sender = begun(&[]);
    let number = sender.ask(temporary(1, DestinationInfo::ADD));
    sender.tracker.received(&refused(number));
    assert_eq!(sender.again(), BEGUN);
}

#[test]
fn what_was_asked_is_asked_again_until_it_is_answered() {
    let mut sender = begun(&[]);
    let first = sender.ask(message((1, 1), None));
    sender.send(message((1, 1), None));
    let last = sender.ask(subscription());
    assert_eq!(sender.again(), begun_and(&["3 message", "5 RemoveSubscriptionInfo"]));
    sender.tracker.received(&done(first));
    sender.tracker.received(&done(77));
    assert_eq!(sender.again(), begun_and(&["5 RemoveSubscriptionInfo"]));
    sender.tracker.received(&refused(last));
    assert_eq!(
        (sender.again(), sender.tracker.unanswered()),
        (begun_and(&[]).iter().map(ToString::to_string).collect(), 0)
    );
}

#[test]
fn a_destination_that_is_the_brokers_own_is_no_state() {
    let mut sender = begun(&[]);
    let permanent = |operation_type| -> Command {
        let destination = Some(Destination::queue("q"));
        DestinationInfo { destination, operation_type, ..DestinationInfo::default() }.into()
    };
    sender.send(permanent(DestinationInfo::ADD));
    assert_eq!(sender.again(), BEGUN);
    let asked = sender.ask(permanent(DestinationInfo::REMOVE));
    assert_eq!(sender.again(), begun_and(&["4 remove queue://q"]), "it is asked, and not taken as done");
    sender.tracker.received(&done(asked));
    assert_eq!(sender.again(), BEGUN);
    // A temporary one that is not this connection's is asked for, too.
    sender.ask(temporary(9, DestinationInfo::REMOVE));
    assert_eq!(sender.again(), begun_and(&["5 remove temp-queue://ID:c:9"]));
}

#[test]
fn who_sends_is_told_whether_to_care() {
    let mut sender = begun(&[]);
    for (command, asks, kept) in [
        (message((1, 1), None), false, false),
        (message((1, 1), None), true, true),
        (ShutdownInfo::default().into(), false, false),
        (MessageAck::default().into(), false, false),
        (MessageAck::default().into(), true, true),
        (consumer(1, 1, 1), false, true),
        (remove(consumer_id(1, 1)), false, true),
        (step(transaction_id(1), TransactionInfo::BEGIN), false, true),
        (message((1, 1), Some(1)), false, true),
        (message((1, 1), Some(2)), false, false),
        (pull((1, 1), 0), false, true),
    ] {
        let what = format!("{command:?}");
        assert_eq!(sender.number(command, asks).1, kept, "{what}");
    }
    assert!(begun(&[("trackMessages", "true")]).number(message((1, 1), None), false).1);
    // Of a session that is not known: whoever waits for the answer gets the broker's.
    assert!(!sender.number(consumer(7, 1, 1), false).1);
    assert!(sender.number(consumer(7, 1, 1), true).1);
}

#[test]
fn a_removal_that_nobody_answered_is_done() {
    let mut sender = begun(&[]);
    let asked = sender.ask(consumer(1, 1, 10));
    let removed = sender.ask(remove(consumer_id(1, 1)));
    sender.ask(temporary(1, DestinationInfo::ADD));
    let gone = sender.ask(temporary(1, DestinationInfo::REMOVE));
    let (frames, answers) = sender.restored();
    assert_eq!(frames, BEGUN);
    assert_eq!(answers, [asked, removed, gone - 1, gone].map(|number| format!("done {number}")));
    assert_eq!(sender.tracker.unanswered(), 0);
    assert_eq!(sender.again(), BEGUN, "answers are given once");
}

#[test]
fn a_commit_that_nobody_answered_is_in_doubt() {
    let mut sender = begun(&[]);
    sender.send(step(transaction_id(4), TransactionInfo::BEGIN));
    let message = sender.ask(message((1, 1), Some(4)));
    let commit = sender.ask(step(transaction_id(4), TransactionInfo::COMMIT_ONE_PHASE));
    let Restored { frames, answers } = sender.tracker.restore();
    assert_eq!(frames.len(), BEGUN.len(), "its work is not done twice");
    let text = "Transaction completion in doubt due to failover. Forcing rollback of TX:ID:c:4";
    assert_eq!(answers.iter().map(words).collect::<Vec<_>>(), [message, commit].map(|n| format!("{n}: {text}")));
    for answer in answers {
        let Command::ExceptionResponse(answer) = answer else { panic!("{answer:?}") };
        assert_eq!(answer.exception.unwrap().class.as_deref(), Some("javax.jms.TransactionRolledBackException"));
    }
    assert_eq!((sender.again(), sender.tracker.unanswered()), (BEGUN.map(str::to_owned).to_vec(), 0));
}

#[test]
fn a_transaction_is_kept_until_its_end_is_answered() {
    for (end, answer) in [
        (TransactionInfo::COMMIT_ONE_PHASE, done as fn(i32) -> Command),
        (TransactionInfo::COMMIT_ONE_PHASE, refused),
        (TransactionInfo::COMMIT_TWO_PHASE, done),
        (TransactionInfo::ROLLBACK, refused),
    ] {
        let mut sender = begun(&[]);
        sender.send(step(transaction_id(4), TransactionInfo::BEGIN));
        let number = sender.ask(step(transaction_id(4), end));
        sender.tracker.received(&answer(number));
        assert_eq!(sender.again(), BEGUN, "{end}");
    }
    let mut sender = begun(&[]);
    sender.send(step(transaction_id(4), TransactionInfo::BEGIN));
    sender.ask(step(transaction_id(4), TransactionInfo::ROLLBACK));
    let again = ["3 step 0 of TX:ID:c:4", "4 step 4 of TX:ID:c:4"];
    assert_eq!(sender.again(), begun_and(&again), "a rollback can be done again");
    sender.send(step(transaction_id(5), TransactionInfo::BEGIN));
    sender.send(step(transaction_id(5), TransactionInfo::ROLLBACK));
    assert_eq!(sender.again(), begun_and(&again), "nobody waits for the second one");
}

#[test]
fn a_branch_that_only_read_is_over_when_it_is_prepared() {
    let branch = |format_id| -> TransactionId {
        let id = Some(Bytes::from_static(&[1, 0xab]));
        XATransactionId { format_id, global_transaction_id: id.clone(), branch_qualifier: id }.into()
    };
    let mut sender = begun(&[]);
    let mut prepare = |format_id| {
        sender.send(step(branch(format_id), TransactionInfo::BEGIN));
        sender.send(step(branch(format_id), TransactionInfo::END));
        sender.ask(step(branch(format_id), TransactionInfo::PREPARE))
    };
    let (first, second, third) = (prepare(1), prepare(2), prepare(3));
    let number = |correlation_id, result| IntegerResponse { correlation_id, result, ..IntegerResponse::default() };
    sender.tracker.received(&number(first, 3).into());
    sender.tracker.received(&number(second, 0).into());
    let again = sender.again();
    assert_eq!(again.len(), BEGUN.len() + 6, "{again:?}");
    assert_eq!(again[5], format!("{second} step 1 of XID:[2,globalId=01ab,branchId=01ab]"));
    assert!(again[8].starts_with(&format!("{third} ")), "{again:?}");
}

#[test]
fn a_producer_that_ended_in_a_transaction_is_there_for_its_messages() {
    for (track, expected) in [
        ("true", &["4 producer 1:1", "3 step 0 of TX:ID:c:4", "5 message in it", "0 end of producer 1:1"][..]),
        ("false", &["3 step 0 of TX:ID:c:4", "5 message in it"]),
    ] {
        let mut sender = begun(&[("trackTransactionProducers", track)]);
        sender.send(step(transaction_id(4), TransactionInfo::BEGIN));
        sender.send(producer(1, 1));
        sender.send(message((1, 1), Some(4)));
        sender.send(remove(producer_id(1, 1)));
        assert_eq!(sender.again(), begun_and(expected));
        let end = sender.ask(step(transaction_id(4), TransactionInfo::COMMIT_ONE_PHASE));
        sender.tracker.received(&done(end));
        assert_eq!(sender.again(), BEGUN);
    }
    // One that has sent nothing in it is not needed, and neither is one whose session has gone.
    let mut sender = begun(&[]);
    sender.send(step(transaction_id(4), TransactionInfo::BEGIN));
    sender.send(producer(1, 1));
    sender.send(remove(producer_id(1, 1)));
    sender.send(session(2));
    sender.send(producer(2, 1));
    sender.send(message((2, 1), Some(4)));
    sender.send(remove(producer_id(2, 1)));
    sender.send(remove(session_id(2)));
    assert_eq!(sender.again(), begun_and(&["3 step 0 of TX:ID:c:4", "8 message in it"]));
}

#[test]
fn windows_open_again_once_the_client_is_ready() {
    let mut sender = begun(&[]);
    sender.send(consumer(1, 1, 10));
    sender.send(consumer(1, 2, 0));
    sender.send(consumer(1, 3, 5));
    assert_eq!(sender.tracker.resume(), [], "nothing was interrupted");
    assert_eq!(sender.again().len(), BEGUN.len() + 3);
    sender.send(consumer(1, 4, 7));
    sender.send(remove(consumer_id(1, 3)));
    let control = ConsumerControl {
        consumer_id: Some(consumer_id(1, 1)),
        destination: Some(Destination::queue("q")),
        prefetch: 10,
        ..ConsumerControl::default()
    };
    assert_eq!(sender.tracker.resume(), [control]);
    assert_eq!(sender.tracker.resume(), []);
}

#[test]
fn messages_that_nobody_answers_are_kept_as_far_as_there_is_room() {
    let frame = {
        let mut message = message((1, 1), None);
        message.set_number(1, false);
        frame::encode(&message).unwrap().len()
    };
    let room = |count: usize| (count * frame).to_string();
    let mut sender = begun(&[("trackMessages", "true"), ("maxCacheSize", &room(3))]);
    for _ in 0..5 {
        sender.send(message((1, 1), None));
        assert!(sender.tracker.cached() <= 3 * frame);
    }
    assert_eq!(sender.again(), begun_and(&["5 message", "6 message", "7 message"]));
    // One that is answered is in the broker's hands.
    let asked = sender.ask(message((1, 1), None));
    sender.tracker.received(&done(asked));
    assert_eq!(sender.again(), begun_and(&["5 message", "6 message", "7 message"]));

    let less = (frame - 1).to_string();
    let mut sender = begun(&[("trackMessages", "true"), ("maxCacheSize", &less)]);
    assert!(!sender.number(message((1, 1), None), false).1, "longer than all the room");
    assert_eq!((sender.again(), sender.tracker.cached()), (BEGUN.map(str::to_owned).to_vec(), 0));

    let mut sender = begun(&[]);
    sender.send(message((1, 1), None));
    assert_eq!(sender.tracker.cached(), 0, "unless they are tracked");
}

#[test]
fn a_consumer_has_one_pull_until_its_message_comes() {
    let mut sender = begun(&[]);
    sender.send(consumer(1, 1, 0));
    sender.send(consumer(1, 2, 0));
    for _ in 0..100 {
        sender.send(pull((1, 1), 0));
        sender.send(pull((1, 2), 0));
    }
    let consumers = ["3 consumer 1:1 prefetch 0", "4 consumer 1:2 prefetch 0"];
    let with = |more: &[&'static str]| begun_and(&[&consumers[..], more].concat());
    assert_eq!(sender.again(), with(&["203 pull", "204 pull"]));
    sender.tracker.received(&dispatch((1, 1)));
    assert_eq!(sender.again(), with(&["204 pull"]));
    sender.send(remove(consumer_id(1, 2)));
    assert_eq!(
        (sender.again(), sender.tracker.cached()),
        (begun_and(&consumers[..1]).iter().map(ToString::to_string).collect(), 0)
    );
    sender.send(pull((1, 1), 0));
    sender.send(session(2));
    sender.send(consumer(2, 1, 0));
    sender.send(pull((2, 1), 0));
    sender.send(remove(session_id(2)));
    assert_eq!(sender.again(), begun_and(&[consumers[0], "206 pull"]));
    // Who waits so long and no longer asks again.
    sender.send(pull((1, 1), 1000));
    assert_eq!(sender.again(), begun_and(&[consumers[0], "206 pull"]));
    // One that is to be answered goes once.
    sender.ask(pull((1, 1), 0));
    assert_eq!(sender.again(), begun_and(&[consumers[0], "212 pull"]));
    sender.tracker.received(&done(212));
    sender.send(remove(ConnectionId::new(CONNECTION)));
    assert_eq!((sender.again(), sender.tracker.cached()), (vec![BEGUN[0].to_owned()], 0));
}

#[test]
fn while_there_is_no_connection() {
    let numbered = |mut command: Command, asks| {
        command.set_number(9, asks);
        command
    };
    let answer = WhileDown::Answer(Response { correlation_id: 9, ..Response::default() });
    let mut sender = begun(&[]);
    sender.send(consumer(1, 1, 10));
    let empty = MessageDispatch {
        consumer_id: Some(consumer_id(1, 1)),
        destination: Some(Destination::queue("q")),
        ..MessageDispatch::default()
    };
    for (command, asks, expected) in [
        (ShutdownInfo::default().into(), false, WhileDown::Drop),
        (MessageAck::default().into(), false, WhileDown::Drop),
        (MessageAck::default().into(), true, answer.clone()),
        (pull((1, 1), 1000), false, WhileDown::Dispatch(empty.clone())),
        (pull((1, 1), -1), false, WhileDown::Dispatch(empty)),
        (pull((1, 1), 0), false, WhileDown::Wait),
        (message((1, 1), None), true, WhileDown::Wait),
        (consumer(1, 2, 1), true, WhileDown::Wait),
        (temporary(1, DestinationInfo::REMOVE), true, WhileDown::Wait),
        (step(transaction_id(1), TransactionInfo::COMMIT_ONE_PHASE), true, WhileDown::Wait),
    ] {
        let what = format!("{command:?}");
        assert_eq!(sender.tracker.while_down(&numbered(command, asks)), expected, "{what}");
    }
    assert_eq!(sender.again(), begun_and(&["3 consumer 1:1 prefetch 0"]));
    assert_eq!(sender.tracker.while_down(&numbered(remove(consumer_id(1, 1)), true)), answer);
    assert_eq!(sender.again(), BEGUN, "what is removed meanwhile is not restored");
    assert_eq!(sender.tracker.while_down(&numbered(remove(session_id(1)), false)), WhileDown::Drop);
    assert_eq!(sender.again(), BEGUN[..2]);
}

#[test]
fn no_password_gets_into_a_log() {
    let mut sender = Sender::new(&[]);
    sender.send(ConnectionInfo { password: Some("hunter2".to_owned()), ..ConnectionInfo::default() }.into());
    assert_eq!(sender.again().len(), 2);
    assert!(!format!("{:?}", sender.tracker).contains("hunter2"));
}

/// What a broker knows of a connection, and what a client means it to know.
#[derive(Debug, Clone, PartialEq, Default)]
struct State {
    connected: bool,
    sessions: BTreeSet<i64>,
    producers: BTreeSet<(i64, i64)>,
    consumers: BTreeMap<(i64, i64), i32>,
    temporary: BTreeSet<String>,
    /// The numbers of the messages in each.
    transactions: BTreeMap<i64, Vec<i32>>,
}

impl State {
    /// Does what a command says, and insists on its order.
    fn apply(&mut self, command: &Command) {
        match command {
            Command::ConnectionInfo(_) => assert!(!std::mem::replace(&mut self.connected, true), "connected twice"),
            Command::SessionInfo(info) => {
                assert!(self.connected && self.sessions.insert(info.session_id.as_ref().unwrap().value));
            }
            Command::ProducerInfo(info) => {
                let id = info.producer_id.as_ref().unwrap();
                assert!(self.sessions.contains(&id.session_id), "{command:?}");
                assert!(self.producers.insert((id.session_id, id.value)), "{command:?}");
            }
            Command::ConsumerInfo(info) => {
                let id = info.consumer_id.as_ref().unwrap();
                assert!(self.sessions.contains(&id.session_id), "{command:?}");
                assert_eq!(self.consumers.insert((id.session_id, id.value), info.prefetch_size), None);
            }
            Command::ConsumerControl(control) => {
                let id = control.consumer_id.as_ref().unwrap();
                *self.consumers.get_mut(&(id.session_id, id.value)).unwrap() = control.prefetch;
            }
            Command::DestinationInfo(info) => {
                let name = info.destination.as_ref().unwrap().name().to_owned();
                let _ = match info.operation_type {
                    DestinationInfo::ADD => self.temporary.insert(name),
                    _ => self.temporary.remove(&name),
                };
            }
            Command::RemoveInfo(info) => self.remove(info.object_id.as_ref().unwrap()),
            Command::TransactionInfo(info) => self.step(info),
            Command::Message(message) => self.message(&message.headers),
            _ => {}
        }
    }

    fn remove(&mut self, id: &RemovedId) {
        match id {
            RemovedId::Session(id) => {
                self.sessions.remove(&id.value);
                self.producers.retain(|(session, _)| *session != id.value);
                self.consumers.retain(|(session, _), _| *session != id.value);
            }
            RemovedId::Producer(id) => assert!(self.producers.remove(&(id.session_id, id.value)), "{id:?}"),
            RemovedId::Consumer(id) => _ = self.consumers.remove(&(id.session_id, id.value)),
            RemovedId::Connection(_) => *self = Self::default(),
        }
    }

    fn step(&mut self, info: &TransactionInfo) {
        let Some(TransactionId::Local(id)) = &info.transaction_id else { panic!("{info:?}") };
        if info.r#type == TransactionInfo::BEGIN {
            assert_eq!(self.transactions.insert(id.value, Vec::new()), None, "begun twice");
        } else {
            assert!(self.transactions.remove(&id.value).is_some(), "{info:?}");
        }
    }

    fn message(&mut self, headers: &Headers) {
        let producer = headers.producer_id.as_ref().unwrap();
        if let Some(TransactionId::Local(id)) = &headers.transaction_id {
            let there = self.producers.contains(&(producer.session_id, producer.value));
            assert!(there || !self.sessions.contains(&producer.session_id), "{producer:?} is not there");
            self.transactions.get_mut(&id.value).unwrap().push(headers.command_id);
        }
    }
}

/// A client, a line that can break, and the broker at its other end.
struct Room {
    chance: Chance,
    tracker: Tracker,
    /// What the client means the broker to know.
    meant: State,
    broker: State,
    /// Sent, and not yet at the broker.
    line: VecDeque<Command>,
    /// Answered, and not yet at the client.
    back: VecDeque<Command>,
    /// Sent to be answered, and not answered.
    asked: BTreeMap<i32, Command>,
    /// The transaction of each session.
    transactions: BTreeMap<i64, i64>,
    number: i32,
    next: i64,
    /// What has come about, so that nothing is thought tried that never was.
    seen: BTreeMap<&'static str, u32>,
}

impl Room {
    fn new(seed: u64) -> Self {
        let tracker = Tracker::new(&Options::default());
        let mut room = Self {
            chance: Chance(seed),
            tracker,
            meant: State::default(),
            broker: State::default(),
            line: VecDeque::new(),
            back: VecDeque::new(),
            asked: BTreeMap::new(),
            transactions: BTreeMap::new(),
            number: 0,
            next: 0,
            seen: BTreeMap::new(),
        };
        room.send(connection(), true);
        room
    }

    fn fresh(&mut self) -> i64 {
        self.next += 1;
        self.next
    }

    fn any<T: Copy>(&mut self, of: &[T]) -> Option<T> {
        if of.is_empty() { None } else { Some(of[self.chance.below(of.len())]) }
    }

    fn numbered(&mut self, mut command: Command, asks: bool) -> Command {
        self.number += 1;
        command.set_number(self.number, asks);
        command
    }

    fn send(&mut self, command: Command, asks: bool) {
        let command = self.numbered(command, asks);
        self.meant.apply(&command);
        let frame = Bytes::from(frame::encode(&command).unwrap());
        assert!(self.tracker.sent(&command, &frame) || !asks);
        if asks {
            self.asked.insert(self.number, command.clone());
        }
        self.line.push_back(command);
    }

    /// A command that a client could send as things are.
    fn command(&mut self) -> Option<Command> {
        let sessions: Vec<i64> = self.meant.sessions.iter().copied().collect();
        let producers: Vec<(i64, i64)> = self.meant.producers.iter().copied().collect();
        let consumers: Vec<(i64, i64)> = self.meant.consumers.keys().copied().collect();
        let session_of_any = self.any(&sessions);
        let value = self.fresh();
        Some(match self.chance.below(13) {
            0 => session(value),
            1 => producer(session_of_any?, value),
            2 => consumer(session_of_any?, value, [0, 1, 1000][self.chance.below(3)]),
            3 => temporary(value, DestinationInfo::ADD),
            4 => return self.removal(),
            5 => {
                let session = session_of_any.filter(|session| !self.transactions.contains_key(session))?;
                self.transactions.insert(session, value);
                step(transaction_id(value), TransactionInfo::BEGIN)
            }
            6 => {
                let session = session_of_any?;
                let transaction = self.transactions.remove(&session)?;
                let ends = [TransactionInfo::COMMIT_ONE_PHASE, TransactionInfo::ROLLBACK];
                step(transaction_id(transaction), ends[self.chance.below(2)])
            }
            7 => {
                let (session, value) = self.any(&consumers)?;
                MessageAck { consumer_id: Some(consumer_id(session, value)), ..MessageAck::default() }.into()
            }
            8 => subscription(),
            _ => {
                let producer = self.any(&producers)?;
                message(producer, self.transactions.get(&producer.0).copied())
            }
        })
    }

    fn removal(&mut self) -> Option<Command> {
        let sessions: Vec<i64> =
            self.meant.sessions.iter().copied().filter(|id| !self.transactions.contains_key(id)).collect();
        let producers: Vec<(i64, i64)> = self.meant.producers.iter().copied().collect();
        let consumers: Vec<(i64, i64)> = self.meant.consumers.keys().copied().collect();
        let temps: Vec<i64> =
            self.meant.temporary.iter().map(|name| name.rsplit(':').next().unwrap().parse().unwrap()).collect();
        Some(match self.chance.below(4) {
            0 => remove(session_id(self.any(&sessions)?)),
            1 => self.any(&producers).map(|(session, value)| remove(producer_id(session, value)))?,
            2 => self.any(&consumers).map(|(session, value)| remove(consumer_id(session, value)))?,
            _ => temporary(self.any(&temps)?, DestinationInfo::REMOVE),
        })
    }

    /// The broker takes what comes next, and now and then refuses a consumer or a temporary queue.
    fn take(&mut self) {
        let Some(command) = self.line.pop_front() else { return };
        let (number, asks) = command.number().unwrap();
        let refusable = matches!(&command, Command::ConsumerInfo(_))
            || matches!(&command, Command::DestinationInfo(info) if info.operation_type == DestinationInfo::ADD);
        if asks && refusable && self.chance.below(5) == 0 {
            self.back.push_back(refused(number));
            self.see("a refusal");
            return;
        }
        self.broker.apply(&command);
        if asks {
            self.back.push_back(done(number));
        }
    }

    /// The client takes what comes back.
    fn hear(&mut self) {
        let Some(answer) = self.back.pop_front() else { return };
        self.tracker.received(&answer);
        self.answered(&answer);
    }

    fn answered(&mut self, answer: &Command) {
        match answer {
            // What is restored is answered again, and nobody waits for that.
            Command::Response(answer) => _ = self.asked.remove(&answer.correlation_id),
            Command::ExceptionResponse(answer) => match self.asked.remove(&answer.correlation_id) {
                Some(Command::ConsumerInfo(info)) => self.meant.remove(&RemovedId::Consumer(info.consumer_id.unwrap())),
                Some(Command::DestinationInfo(info)) => {
                    self.meant.temporary.remove(info.destination.unwrap().name());
                }
                _ => {}
            },
            other => panic!("{other:?}"),
        }
    }

    /// The line breaks: what was on it is lost. The next broker may go in the middle of it, too.
    fn lose(&mut self) {
        self.line.clear();
        self.back.clear();
        for _ in 0..self.chance.below(4) {
            let Some(command) = self.removal().filter(|command| matches!(command, Command::RemoveInfo(_))) else {
                continue;
            };
            let command = self.numbered(command, true);
            self.meant.apply(&command);
            assert!(matches!(self.tracker.while_down(&command), WhileDown::Answer(_)));
        }
        loop {
            let Restored { frames, answers } = self.tracker.restore();
            let commands: Vec<Command> = frames.iter().map(decoded).collect();
            let numbers: Vec<i32> = commands.iter().filter_map(Command::number).map(|(number, _)| number).collect();
            self.check_answers(&numbers, &answers);
            self.note(&commands, &answers);
            answers.iter().for_each(|answer| self.answered(answer));
            if self.chance.below(4) == 0 {
                self.see("that broker goes too");
                continue;
            }
            self.broker = State::default();
            for command in &commands {
                self.broker.apply(command);
                if let Some((number, true)) = command.number() {
                    self.back.push_back(done(number));
                }
            }
            break;
        }
        for control in self.tracker.resume() {
            self.broker.apply(&control.into());
        }
        // Nothing is on its way now, and nobody but the client has changed anything.
        assert_eq!(self.broker, self.meant);
    }

    fn see(&mut self, what: &'static str) {
        *self.seen.entry(what).or_default() += 1;
    }

    fn note(&mut self, commands: &[Command], answers: &[Command]) {
        for command in commands {
            match command {
                Command::RemoveInfo(_) => self.see("a producer that ended in a transaction"),
                Command::Message(message) if message.headers.transaction_id.is_some() => self.see("a message in one"),
                Command::Message(_) => self.see("a message asked again"),
                Command::TransactionInfo(info) if info.r#type == TransactionInfo::ROLLBACK => self.see("a rollback"),
                Command::TransactionInfo(_) => self.see("an open transaction"),
                Command::DestinationInfo(_) => self.see("a temporary queue"),
                _ => {}
            }
        }
        for answer in answers {
            match answer {
                Command::ExceptionResponse(answer) => match &self.asked[&answer.correlation_id] {
                    Command::TransactionInfo(_) => self.see("a commit in doubt"),
                    _ => self.see("a message in doubt"),
                },
                _ => self.see("a removal that is done"),
            }
        }
    }

    /// Whoever waits is sent again or answered, and never both.
    fn check_answers(&self, numbers: &[i32], answers: &[Command]) {
        for (number, command) in &self.asked {
            let answer = answers.iter().filter(|answer| match answer {
                Command::Response(answer) => answer.correlation_id == *number,
                Command::ExceptionResponse(answer) => answer.correlation_id == *number,
                _ => false,
            });
            let sent = numbers.iter().filter(|sent| *sent == number).count();
            // A producer that has ended comes with each transaction that needs it.
            let sent = if matches!(command, Command::ProducerInfo(_)) { sent.min(1) } else { sent };
            assert_eq!(answer.count() + sent, 1, "{command:?}: sent again {sent} times");
        }
        for answer in answers {
            let (Command::Response(Response { correlation_id, .. })
            | Command::ExceptionResponse(ExceptionResponse { correlation_id, .. })) = answer
            else {
                panic!("{answer:?}")
            };
            let command = &self.asked[correlation_id];
            let in_doubt = match command {
                Command::TransactionInfo(_) => true,
                Command::Message(message) => message.headers.transaction_id.is_some(),
                _ => false,
            };
            assert_eq!(matches!(answer, Command::ExceptionResponse(_)), in_doubt, "{command:?}");
        }
    }
}

#[test]
fn a_new_broker_knows_what_the_client_means_it_to_know() {
    let rounds = if std::env::var_os("TOPOC_LONG").is_some() { 200_000 } else { 10_000 };
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    for seed in 1..=rounds {
        let mut room = Room::new(seed);
        for _ in 0..120 {
            match room.chance.below(20) {
                0 => room.lose(),
                1..=5 => room.take(),
                6..=10 => room.hear(),
                _ => {
                    if let Some(command) = room.command() {
                        let ends =
                            matches!(&command, Command::TransactionInfo(info) if info.r#type != TransactionInfo::BEGIN);
                        let asks = ends || room.chance.below(3) == 0;
                        room.send(command, asks);
                    }
                }
            }
        }
        // Everything ends, and nothing is kept.
        room.lose();
        for (_, transaction) in std::mem::take(&mut room.transactions) {
            room.send(step(transaction_id(transaction), TransactionInfo::ROLLBACK), true);
        }
        room.send(remove(ConnectionId::new(CONNECTION)), true);
        while !(room.line.is_empty() && room.back.is_empty()) {
            room.take();
            room.hear();
        }
        assert_eq!((room.asked.len(), room.tracker.unanswered()), (0, 0), "seed {seed}");
        let restored = room.tracker.restore();
        assert_eq!((restored.frames.len(), restored.answers.len()), (1, 0), "seed {seed}");
        for (what, count) in room.seen {
            *seen.entry(what).or_default() += count;
        }
    }
    assert_eq!(seen.len(), 11, "{seen:?}");
    assert!(seen.values().all(|count| *count >= 20), "{seen:?}");
}
