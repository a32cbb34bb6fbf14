//! What Finesse could not do after all names the request, also where its notification overtakes its answer.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not there")]

use std::time::Duration;

use topoc_core::connector::{Connector, Event, Limits, Message, Order, Settings};
use topoc_core::event::Told;
use topoc_finesse_proto::api_error::ApiError;
use topoc_finesse_proto::cluster::NodeId;
use topoc_finesse_proto::line::Outcome;
use topoc_finesse_proto::rest::{Answer, Credentials};
use topoc_finesse_proto::secret::Secret;
use topoc_finesse_proto::session::{Change, Connection};
use topoc_finesse_proto::user::{User, UserState};

const NOW: Duration = Duration::from_secs(1000);

/// One with agent 1001, who is ready, and whose client listens at `desk`.
fn connected() -> Connector {
    let limits = Limits::default();
    let settings = Settings { name: "gc-1".to_owned(), epoch: 3, queue: "requests".to_owned(), limits };
    let mut connector = Connector::new(settings, NOW);
    let agent = || "1001".to_owned();
    let credentials = Some(Credentials::Basic { user: agent(), password: Secret::new("right") });
    let client = Some("desk".parse().unwrap());
    connector.handle(NOW, Event::Adopted { agent: agent(), credentials, client });
    let ready = User { login_id: Some(agent()), state: Some(UserState::Ready), ..User::default() };
    connector.handle(NOW, Event::Changed(agent(), Change::Agent(Box::new(ready))));
    connector.handle(NOW, Event::Changed(agent(), Change::Connection(Connection::Live(NodeId(0)))));
    connector
}

/// Asks Finesse to sign the agent out, and gives the ticket and the request's id there.
fn asked(connector: &mut Connector) -> (u64, String) {
    let message = Message {
        delivery: 1,
        id: "a".to_owned(),
        jms_type: Some("Logout#1001".to_owned()),
        body: Vec::new(),
        correlation: Some("mine".to_owned()),
        reply_to: None,
        redelivered: false,
        crossed: false,
        sent: None,
        expires: None,
    };
    let orders = connector.handle(NOW, Event::Requested(Box::new(message)));
    let [Order::Record(ticket, _)] = orders[..] else { panic!("{orders:?}") };
    let orders = connector.handle(NOW, Event::Recorded(ticket));
    let [Order::Ask { request_id, .. }] = &orders[..] else { panic!("{orders:?}") };
    (ticket, request_id.clone())
}

fn failed(connector: &mut Connector, agent: &str, request_id: &str) -> Option<String> {
    let error = Box::new(ApiError { message: Some("CF_INVALID_OBJECT_STATE".to_owned()), ..ApiError::default() });
    let (agent, request_id) = (agent.to_owned(), Some(request_id.to_owned()));
    let orders = connector.handle(NOW, Event::Failed { agent, request_id, error });
    let [Order::Publish(_, event)] = &orders[..] else { panic!("{orders:?}") };
    assert!(matches!(&event.told, Told::Error(error) if error.code == "CF_INVALID_OBJECT_STATE"), "{event:?}");
    event.correlation.clone()
}

fn accepted(connector: &mut Connector, ticket: u64) {
    connector.handle(NOW, Event::Came(ticket, Outcome::Answer(Answer::Accepted)));
}

#[test]
fn an_error_that_comes_behind_the_answer_names_the_request() {
    let mut connector = connected();
    let (ticket, request_id) = asked(&mut connector);
    accepted(&mut connector, ticket);
    assert_eq!(failed(&mut connector, "1001", &request_id).as_deref(), Some("mine"));
}

#[test]
fn an_error_that_overtakes_the_answer_names_the_request() {
    let mut connector = connected();
    let (ticket, request_id) = asked(&mut connector);
    assert_eq!(failed(&mut connector, "1001", &request_id).as_deref(), Some("mine"));
    accepted(&mut connector, ticket);
}

#[test]
fn an_error_of_something_else_names_none() {
    let mut connector = connected();
    let (_, request_id) = asked(&mut connector);
    assert_eq!(failed(&mut connector, "1001", &format!("{request_id}0")), None);
}
