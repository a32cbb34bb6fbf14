//! One situation each.

use std::time::Duration;

use topoc_core::connector::{Address, Connector, Event, GRACE, Limits, Message, Order, Phase, Proof, Ticket};
use topoc_core::event::{Link, Result as Came, Service, Told};
use topoc_core::recent::{Limits as Memory, Record};
use topoc_finesse_proto::api_error::ApiError;
use topoc_finesse_proto::dialog::{Action, Dialog, ParticipantState};
use topoc_finesse_proto::line::{Outcome, Why};
use topoc_finesse_proto::rest::{Answer, Command, Credentials};
use topoc_finesse_proto::secret::Secret;
use topoc_finesse_proto::session::{Change, Connection, End};
use topoc_finesse_proto::user::UserState;

use crate::support::{LIVE, dialog, message, secs, settings, talking, user};

const NOW: Duration = secs(1000);

fn new(limits: Limits) -> Connector {
    Connector::new(settings(limits), secs(900))
}

fn ask(connector: &mut Connector, message: Message) -> Vec<Order> {
    connector.handle(NOW, Event::Requested(Box::new(message)))
}

fn password(text: &str) -> Credentials {
    Credentials::Basic { user: "1001".to_owned(), password: Secret::new(text) }
}

fn change(connector: &mut Connector, change: Change) -> Vec<Order> {
    connector.handle(NOW, Event::Changed("1001".to_owned(), change))
}

/// One with agent 1001, who is ready at phone 2001 and in call 7, and whose client listens at `desk`.
fn connected() -> Connector {
    let mut connector = new(Limits::default());
    live(&mut connector, Some("desk"));
    connector
}

fn live(connector: &mut Connector, client: Option<&str>) {
    let client = client.map(|name| name.parse().unwrap());
    connector.handle(NOW, Event::Adopted { agent: "1001".to_owned(), credentials: Some(password("right")), client });
    change(connector, Change::Agent(Box::new(user(UserState::Ready, "2001", 1))));
    change(connector, Change::DialogAdded(Box::new(talking("7"))));
    change(connector, LIVE);
}

/// What is told, and to where.
fn told(orders: &[Order]) -> Vec<(String, &Told)> {
    let mut all = Vec::new();
    for order in orders {
        if let Order::Publish(to, event) = order {
            all.push((to.to_string(), &event.told));
        }
    }
    all
}

/// The code of the one error that is told.
fn code(orders: &[Order]) -> &str {
    match told(orders)[..] {
        [(_, Told::Error(error))] => &error.code,
        ref other => panic!("{other:?}"),
    }
}

fn outcome(orders: &[Order]) -> Came {
    match told(orders)[..] {
        [(_, Told::Outcome(outcome))] => outcome.outcome,
        ref other => panic!("{other:?}"),
    }
}

fn claimed(orders: &[Order]) -> Ticket {
    match orders {
        [Order::Record(ticket, Record::Claimed { .. })] => *ticket,
        other => panic!("{other:?}"),
    }
}

/// Claims and asks, and gives the ticket.
fn asked(connector: &mut Connector, message: Message) -> Ticket {
    let ticket = claimed(&ask(connector, message));
    assert!(matches!(connector.handle(NOW, Event::Recorded(ticket))[..], [Order::Ask { .. }]));
    ticket
}

#[test]
fn who_connects_proves_the_password_and_is_told_everything() {
    let mut connector = new(Limits::default());
    let orders = ask(&mut connector, message(1, "a", "Connect#1001", "desk,right"));
    assert_eq!(orders, [Order::Prove(1, "1001".to_owned(), password("right"))]);
    let orders = connector.handle(NOW, Event::Proved(1, Proof::Right));
    assert_eq!(orders[0], Order::Start("1001".to_owned(), password("right")));
    assert!(matches!(told(&orders)[..], [(_, Told::ConnectStatus(it))] if it.status == Link::Interrupted));
    assert_eq!(orders.last(), Some(&Order::Acknowledge(1)));
    live(&mut connector, Some("desk"));
    // A second client has the same password: it gets all that is known, the first one is told.
    let orders = ask(
        &mut connector,
        message(2, "b", "Connect#1001", r#"{"client_destination":"queue://two","password":"right"}"#),
    );
    let all = told(&orders);
    assert!(
        matches!(all[0], (ref to, Told::ConnectStatus(it)) if to == "desk" && it.reason.as_deref() == Some("TAKEN_OVER"))
    );
    assert!(all[1..].iter().all(|(to, _)| to == "queue://two"), "{all:?}");
    assert!(matches!(
        all[1..],
        [(_, Told::ConnectStatus(_)), (_, Told::AgentInfo(_)), (_, Told::AgentState(_)), (_, Told::DialogState(_))]
    ));
}

#[test]
fn a_stranger_gets_neither_the_events_nor_the_session() {
    let mut connector = connected();
    for (place, (kind, body)) in [("Connect#1001", "mine,wrong"), ("Login#1001", "wrong,6666")].into_iter().enumerate()
    {
        let orders = ask(&mut connector, message(1, &format!("id-{place}"), kind, body));
        let [Order::Prove(ticket, ..)] = orders[..] else { panic!("{orders:?}") };
        let orders = connector.handle(NOW, Event::Proved(ticket, Proof::Wrong));
        assert_eq!(code(&orders), "WRONG_PASSWORD");
        assert!(!orders.iter().any(|order| matches!(order, Order::Start(..) | Order::Leave(_) | Order::Ask { .. })));
    }
    let orders = change(&mut connector, Change::Agent(Box::new(user(UserState::NotReady, "2001", 2))));
    assert_eq!(told(&orders)[0].0, "desk");
}

#[test]
fn finesse_is_asked_when_the_claim_is_recorded_and_the_broker_forgets_last() {
    let mut connector = connected();
    let ticket = claimed(&ask(&mut connector, message(5, "a", "HoldCall#1001", "7")));
    let orders = connector.handle(NOW, Event::Recorded(ticket));
    let Order::Ask { ref command, .. } = orders[0] else { panic!("{orders:?}") };
    let wanted = Command::Act { dialog: "7".to_owned(), extension: "2001".to_owned(), action: Action::Hold };
    assert_eq!(*command, wanted);
    let orders = connector.handle(NOW, Event::Came(ticket, Outcome::Answer(Answer::Accepted)));
    assert!(matches!(orders[..], [Order::Share(Record::Answered { .. }), Order::Publish(..), Order::Acknowledge(5)]));
    let Order::Publish(_, ref event) = orders[1] else { unreachable!() };
    assert_eq!(
        (event.correlation.as_deref(), event.connector.as_deref(), event.epoch),
        (Some("a"), Some("gc-1"), Some(3))
    );
    assert!(event.sequence.is_some());
    // Finesse accepted it, and says later that it could not do it.
    let error = Box::new(ApiError { message: Some("CF_BAD".to_owned()), ..ApiError::default() });
    let request_id = Some(format!("topoc-3-{ticket}"));
    let orders = connector.handle(NOW, Event::Failed { agent: "1001".to_owned(), request_id, error });
    assert_eq!(code(&orders), "CF_BAD");
    assert!(matches!(orders[0], Order::Publish(_, ref event) if event.correlation.as_deref() == Some("a")));
}

#[test]
fn one_after_the_other_until_finesse_is_asked() {
    let mut connector = connected();
    let first = claimed(&ask(&mut connector, message(1, "a", "MakeNotReady#1001", "")));
    assert_eq!(ask(&mut connector, message(2, "b", "GetState#1001", "")), []);
    let orders = connector.handle(NOW, Event::Recorded(first));
    assert!(matches!(orders[..], [Order::Ask { ticket: 1, .. }, Order::Ask { ticket: 2, .. }]), "{orders:?}");
    // A question that is not answered says so; what changes something may have been done.
    let orders = connector.handle(NOW + secs(30) + GRACE, Event::Time);
    assert!(matches!(told(&orders)[..], [(_, Told::Outcome(_)), (_, Told::Error(_))]), "{orders:?}");
}

#[test]
fn what_finesse_does_not_allow_is_not_asked() {
    for (kind, body, expected) in [
        ("AnswerCall#1001", "7", "NOT_ALLOWED"),
        ("HoldCall#1001", "8", "UNKNOWN_DIALOG"),
        ("Transfer_sst#1001", "3001,7", "NOT_ALLOWED"),
        ("MakeReady#1002", "", "NOT_CONNECTED"),
        ("HoldCall#1001", "", "MISSING_DIALOG_ID"),
        ("Hold#1001", "7", "UNKNOWN_COMMAND"),
    ] {
        let mut connector = connected();
        let orders = ask(
            &mut connector,
            Message { reply_to: Some("temp-queue://ID:1".to_owned()), ..message(1, "a", kind, body) },
        );
        assert_eq!((code(&orders), orders.last()), (expected, Some(&Order::Acknowledge(1))), "{kind}");
        assert_eq!(told(&orders)[0].0, "temp-queue://ID:1");
    }
    let mut connector = connected();
    change(&mut connector, Change::Agent(Box::new(user(UserState::Logout, "", 2))));
    assert_eq!(code(&ask(&mut connector, message(1, "a", "MakeCall#1001", "3000"))), "NOT_SIGNED_IN");
}

#[test]
fn a_request_is_of_use_until_it_expires() {
    let mut connector = connected();
    let late = Message { expires: Some(NOW), ..message(1, "a", "MakeReady#1001", "") };
    assert_eq!(code(&ask(&mut connector, late)), "EXPIRED");
    let soon = Message { expires: Some(NOW + secs(1)), ..message(2, "b", "MakeReady#1001", "") };
    let ticket = claimed(&ask(&mut connector, soon));
    assert_eq!(connector.wakes_at(), Some(NOW + secs(1)));
    let orders = connector.handle(NOW + secs(1), Event::Recorded(ticket));
    assert!(!orders.iter().any(|order| matches!(order, Order::Ask { .. })));
    assert_eq!(code(&orders), "EXPIRED");
}

/// When all connectors are killed while one has asked Finesse for a call, the broker hands the request on over a bridge, as one that
/// nobody has had.
#[test]
fn what_came_over_a_bridge_and_is_older_than_what_is_known_is_in_doubt() {
    let ask_one_of = |sent, crossed| {
        let mut connector = new(Limits::default());
        let reply_to = Some("desk".to_owned());
        let call = Message { crossed, sent: Some(secs(sent)), reply_to, ..message(1, "a", "MakeCall#1001", "3000") };
        let orders = ask(&mut connector, call);
        (orders, connector.handle(NOW + Duration::from_secs(60), Event::Time))
    };
    // It knows what was from 900 s on, and clocks may be 5 s apart.
    let (at_once, later) = ask_one_of(905, true);
    assert_eq!((at_once.len(), outcome(&later)), (0, Came::OutcomeUnknown));
    for (sent, crossed) in [(906, true), (905, false)] {
        assert_eq!(code(&ask_one_of(sent, crossed).0), "NOT_CONNECTED");
    }
}

/// In a split the other connector takes a request and asks Finesse, and dies before it is heard again: its broker hands the request
/// on when the link is back, as one that nobody has had.
#[test]
fn what_lay_at_another_broker_is_in_doubt_while_another_connector_is_not_heard() {
    let ask_one_of = |sent: Duration, silent, crossed| {
        let mut connector = new(Limits::default());
        connector.handle(NOW, Event::Blind(silent));
        let reply_to = Some("desk".to_owned());
        let call = Message { crossed, sent: Some(sent), reply_to, ..message(1, "a", "MakeCall#1001", "3000") };
        let orders = ask(&mut connector, call);
        (orders, connector.handle(NOW + Duration::from_secs(60), Event::Time))
    };
    // What was taken over a bridge that broke comes back unmarked to where it came from, if it was sent before that.
    let silent = NOW - secs(20);
    for (sent, crossed) in [(NOW - secs(5), true), (silent + secs(5), false), (silent - secs(60), false)] {
        let (at_once, later) = ask_one_of(sent, Some(silent), crossed);
        assert_eq!((at_once.len(), outcome(&later)), (0, Came::OutcomeUnknown));
    }
    let later = silent + secs(6);
    for (sent, silent, crossed) in [
        (NOW - secs(4), Some(NOW), true),
        (NOW - secs(5), None, true),
        (later, Some(silent), false),
        (NOW - secs(4), Some(NOW), false),
    ] {
        assert_eq!(code(&ask_one_of(sent, silent, crossed).0), "NOT_CONNECTED");
    }
}

/// What a connector says of a request that another one had claimed.
fn in_doubt(kind: &str, body: &str, calls: Vec<Dialog>) -> (Connector, Vec<Order>) {
    let mut connector = new(Limits::default());
    connector.handle(NOW, Event::Peer(Record::Claimed { id: "a".to_owned(), at: NOW }));
    connector.handle(
        NOW,
        Event::Adopted { agent: "1001".to_owned(), credentials: Some(password("right")), client: "desk".parse().ok() },
    );
    let again = Message { redelivered: true, ..message(1, "a", kind, body) };
    assert_eq!(ask(&mut connector, again), [], "nothing is known of the agent yet");
    // It holds nobody up.
    change(&mut connector, Change::Agent(Box::new(user(UserState::Ready, "2001", 1))));
    for call in calls {
        change(&mut connector, Change::DialogAdded(Box::new(call)));
    }
    let orders = change(&mut connector, LIVE);
    assert!(!orders.iter().any(|order| matches!(order, Order::Ask { .. } | Order::Record(..))));
    let orders =
        orders.into_iter().filter(|order| !matches!(order, Order::Publish(_, event) if event.correlation.is_none()));
    (connector, orders.collect())
}

#[test]
fn of_a_request_in_doubt_finesse_shows_what_happened_or_nobody_knows() {
    let ringing = || dialog("7", "2001", ParticipantState::Alerting, &[Action::Answer]);
    let held = || dialog("7", "3000", ParticipantState::Held, &[Action::Retrieve]);
    for (kind, body, calls, expected) in [
        ("MakeReady#1001", "", vec![], Came::Accepted),
        ("MakeNotReady#1001", "", vec![], Came::OutcomeUnknown),
        ("Logout#1001", "", vec![], Came::OutcomeUnknown),
        ("HoldCall#1001", "7", vec![held()], Came::Accepted),
        ("HoldCall#1001", "7", vec![talking("7")], Came::OutcomeUnknown),
        ("RetrieveCall#1001", "7", vec![talking("7")], Came::Accepted),
        ("AnswerCall#1001", "7", vec![talking("7")], Came::Accepted),
        ("AnswerCall#1001", "7", vec![], Came::OutcomeUnknown),
        ("ReleaseCall#1001", "7", vec![], Came::Accepted),
        ("MakeCall#1001", "3000", vec![talking("7")], Came::Accepted),
        ("MakeCall#1001", "3001", vec![talking("7")], Came::OutcomeUnknown),
        ("TransferCall#1001", "2002,7", vec![], Came::OutcomeUnknown),
    ] {
        let (_, orders) = in_doubt(kind, body, calls);
        assert_eq!(outcome(&orders), expected, "{kind}");
    }
    let (mut connector, orders) = in_doubt("AnswerCall#1001", "7", vec![ringing()]);
    assert_eq!(orders, [], "the one that asked may still be at it");
    assert_eq!(code(&connector.handle(NOW + secs(30) + GRACE, Event::Time)), "NOT_DONE");
    let (mut connector, _) = in_doubt("AnswerCall#1001", "7", vec![ringing()]);
    let orders = change(&mut connector, Change::DialogChanged(Box::new(talking("7"))));
    assert!(matches!(told(&orders).last(), Some((_, Told::Outcome(it))) if it.outcome == Came::Accepted), "{orders:?}");
}

#[test]
fn what_was_answered_is_answered_alike() {
    let mut connector = connected();
    let ticket = asked(&mut connector, message(1, "a", "HoldCall#1001", "7"));
    let orders = connector.handle(NOW, Event::Came(ticket, Outcome::NotDone(Why::Late)));
    assert_eq!(code(&orders), "EXPIRED");
    // Also a no that came without a claim: it would be possible by now.
    assert_eq!(code(&ask(&mut connector, message(2, "b", "RetrieveCall#1001", "7"))), "NOT_ALLOWED");
    let held = dialog("7", "3000", ParticipantState::Held, &[Action::Retrieve]);
    change(&mut connector, Change::DialogChanged(Box::new(held)));
    for (id, kind, expected) in [("a", "HoldCall#1001", "EXPIRED"), ("b", "RetrieveCall#1001", "NOT_ALLOWED")] {
        let again = Message { redelivered: true, ..message(9, id, kind, "7") };
        assert_eq!(code(&ask(&mut connector, again)), expected);
    }
}

#[test]
fn the_connectors_own_queue_is_no_place_for_answers() {
    let mut connector = connected();
    let own = || Some("queue://requests".to_owned());
    let orders = ask(&mut connector, Message { reply_to: own(), ..message(1, "a", "GetState#1001", "") });
    assert_eq!((code(&orders), told(&orders)[0].0.as_str()), ("INVALID_REPLY_TO", "desk"));
    let orders = ask(
        &mut connector,
        Message { reply_to: Some("desk".to_owned()), ..message(2, "b", "Connect#1001", "queue://requests,right") },
    );
    assert_eq!(code(&orders), "INVALID_CLIENT_DESTINATION");
    for (kind, reply) in [("Hello#queue://requests", None), ("Hello#queue://requests", own()), ("Connect#1", own())] {
        let orders = ask(&mut connector, Message { reply_to: reply, ..message(3, "c", kind, "queue://requests,x") });
        assert_eq!(orders, [Order::Refuse(3)], "{kind}");
    }
    // A topic of that name is another thing.
    assert_eq!(told(&ask(&mut connector, message(4, "d", "Hello#requests", ""))).len(), 1);
}

#[test]
fn who_names_nobody_to_answer_goes_to_the_dead_letters() {
    let mut connector = connected();
    for (id, kind) in [("a", "MakeReady#1009"), ("b", "nonsense"), ("", "MakeReady#1001")] {
        assert_eq!(ask(&mut connector, message(1, id, kind, "")), [Order::Refuse(1)]);
    }
}

#[test]
fn a_greeting_is_answered_without_finesse() {
    let mut connector = new(Limits::default());
    connector.handle(NOW, Event::Serves(Service::InService));
    let orders = ask(&mut connector, message(1, "a", "Hello#desk", ""));
    assert!(matches!(told(&orders)[..], [(_, Told::SystemStatus(it))] if it.status == Service::InService));
}

#[test]
fn too_much_stays_at_the_broker_and_at_finesse() {
    let mut connector = new(Limits { requests: 4, requests_of_agent: 3, unsent: 6, ..Limits::default() });
    live(&mut connector, Some("desk"));
    (0..connector.unsent()).for_each(|_| drop(connector.handle(NOW, Event::Published(None))));
    let mut orders = Vec::new();
    for place in 0..4 {
        orders = ask(&mut connector, message(place, &format!("id-{place}"), "MakeReady#1001", ""));
    }
    assert_eq!(code(&orders), "BUSY");
    let orders = ask(&mut connector, message(4, "e", "Connect#1002", "two,right"));
    assert_eq!(orders.last(), Some(&Order::Pause));
    let orders = connector.handle(NOW + secs(30), Event::Time);
    assert_eq!((told(&orders).len(), connector.requests().count()), (4, 0));
    let mut orders = Vec::new();
    (0..connector.unsent()).for_each(|_| orders.extend(connector.handle(NOW, Event::Published(None))));
    assert_eq!(orders, [Order::Resume]);
    let mut holds = Vec::new();
    for since in 2..8 {
        holds = change(&mut connector, Change::Agent(Box::new(user(UserState::Ready, "2001", since))));
    }
    assert_eq!(holds[holds.len() - 2..], [Order::Hold, Order::Pause]);
    let mut orders = Vec::new();
    (0..6).for_each(|_| orders.extend(connector.handle(NOW, Event::Published(None))));
    assert_eq!(orders, [Order::Release, Order::Resume]);
}

#[test]
fn what_finesse_was_not_asked_for_is_let_go_with_the_broker() {
    let mut connector = connected();
    let ticket = asked(&mut connector, message(1, "a", "HoldCall#1001", "7"));
    claimed(&ask(&mut connector, message(2, "b", "MakeNotReady#1001", "")));
    ask(&mut connector, message(3, "c", "MakeReady#1001", ""));
    assert_eq!(connector.handle(NOW, Event::BrokerLost), []);
    assert_eq!(connector.requests().collect::<Vec<_>>(), [("a", Phase::Asked)]);
    // The other one was claimed, and may be anybody's; the third one was not.
    let again =
        |delivery, id, kind, body| Message { redelivered: true, sent: Some(NOW), ..message(delivery, id, kind, body) };
    assert_eq!(outcome(&ask(&mut connector, again(11, "b", "MakeNotReady#1001", ""))), Came::OutcomeUnknown);
    claimed(&ask(&mut connector, again(12, "c", "MakeReady#1001", "")));
    assert_eq!(ask(&mut connector, again(13, "a", "HoldCall#1001", "7")), []);
    let orders = connector.handle(NOW, Event::Came(ticket, Outcome::Answer(Answer::Accepted)));
    assert_eq!(orders.last(), Some(&Order::Acknowledge(13)), "the newest delivery is acknowledged");
}

#[test]
fn agents_are_counted_and_one_without_a_listener_makes_room() {
    let mut connector = new(Limits { agents: 1, ..Limits::default() });
    live(&mut connector, Some("desk"));
    let connect = |connector: &mut Connector, id: &str| {
        let orders = ask(connector, message(1, id, "Connect#1002", "two,right"));
        let [Order::Prove(ticket, ..)] = orders[..] else { panic!("{orders:?}") };
        connector.handle(NOW, Event::Proved(ticket, Proof::Right))
    };
    assert_eq!(code(&connect(&mut connector, "a")), "TOO_MANY_AGENTS");
    assert_eq!(connector.agents(), 1);
    ask(&mut connector, message(2, "b", "Disconnect#1001", ""));
    let orders = connect(&mut connector, "c");
    assert_eq!(orders[0], Order::Leave("1001".to_owned()));
    assert_eq!(connector.agents(), 1);
}

#[test]
fn who_finds_no_room_among_the_claims_goes_on_when_there_is_some() {
    let recent = Memory { requests: 1, ..Memory::default() };
    let mut connector = new(Limits { recent, ..Limits::default() });
    live(&mut connector, Some("desk"));
    let other =
        Event::Adopted { agent: "1002".to_owned(), credentials: Some(password("right")), client: "two".parse().ok() };
    connector.handle(NOW, other);
    connector.handle(NOW, Event::Changed("1002".to_owned(), LIVE));
    let ticket = asked(&mut connector, message(1, "a", "HoldCall#1001", "7"));
    assert_eq!(ask(&mut connector, message(2, "b", "MakeReady#1002", "")), []);
    let orders = connector.handle(NOW, Event::Came(ticket, Outcome::Answer(Answer::Accepted)));
    assert!(matches!(orders.last(), Some(Order::Record(_, Record::Claimed { id, .. })) if id == "b"), "{orders:?}");
}

#[test]
fn a_session_that_ends_is_told_and_takes_no_requests() {
    let mut connector = connected();
    let orders = change(&mut connector, Change::Connection(Connection::Ended(End::Taken)));
    assert!(matches!(told(&orders)[..], [(_, Told::ConnectStatus(it))] if it.status == Link::Ended));
    assert_eq!(code(&ask(&mut connector, message(1, "a", "MakeReady#1001", ""))), "NOT_CONNECTED");
    let orders = ask(&mut connector, message(2, "b", "Connect#1001", "desk,right"));
    assert!(matches!(orders[..], [Order::Prove(..)]), "{orders:?}");
}

#[test]
fn no_message_and_no_order_shows_a_password() {
    let mut connector = new(Limits::default());
    let connect = message(1, "a", "Connect#1001", "desk,hunter2");
    assert!(!format!("{connect:?}").contains("hunter2"));
    let orders = ask(&mut connector, connect);
    assert!(!format!("{orders:?} {connector:?}").contains("hunter2"));
    assert_eq!("queue://a".parse::<Address>().map(|address| address.to_string()).as_deref(), Ok("queue://a"));
}
