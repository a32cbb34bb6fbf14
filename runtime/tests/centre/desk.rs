//! A client with many agents: it sends requests, gives each its answer, and sorts what its topic brings by agents.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use topoc_compiler::emit::Access;
use topoc_lab::PATIENCE;
use topoc_openwire::{AckMode, Connection, Consumer, Delivery, Destination, Outgoing, Producer, Requester, Session};

use crate::harness::Schema;

/// Requests of a client that are on their way at once, so that they fit into a broker's buffer (`socketBufferSize`, 64 KiB). A broker
/// that is busy writing to a client reads nothing from it; where more is sent than the buffer holds, Linux 6.18 was seen to throw
/// away what both sides say, acknowledgements with it, so that the connection stands still until one side has waited 10 s.
const AT_ONCE: usize = 50;

/// What comes for one agent.
pub(crate) type Mail = UnboundedReceiver<Value>;

/// A client.
pub(crate) struct Desk {
    pub(crate) name: &'static str,
    /// Who answers it, and has its agents.
    pub(crate) connector: &'static str,
    /// Its topic.
    pub(crate) home: String,
    requester: Requester,
    turns: Semaphore,
    producer: Producer,
    mail: Mutex<HashMap<String, Mail>>,
    next: AtomicU64,
    schema: Schema,
    open: (Connection, Session),
}

impl Desk {
    pub(crate) async fn open(
        name: &'static str,
        connector: &'static str,
        access: &Access,
        agents: impl Iterator<Item = usize>,
    ) -> Self {
        let connection = Connection::open(&access.uri).await.unwrap();
        let session = connection.session(AckMode::Auto).await.unwrap();
        let requests = Destination::queue(&*access.requests[0]);
        let replies = Destination::queue(format!("GC.REPLY.{name}"));
        let requester = session.requester_with(&requests, &replies).await.unwrap();
        let producer = session.producer(&requests).await.unwrap();
        let home = format!("EVENTS.{name}");
        let events = session.consumer(&Destination::topic(&*home)).open().await.unwrap();
        let (boxes, mail): (HashMap<_, _>, HashMap<_, _>) = agents
            .map(|agent| {
                let (to, from) = unbounded_channel();
                ((agent.to_string(), to), (agent.to_string(), from))
            })
            .unzip();
        tokio::spawn(sort(events, boxes));
        let (next, schema, mail) = (AtomicU64::new(1), Schema::new(), Mutex::new(mail));
        let turns = Semaphore::new(AT_ONCE);
        Self { name, connector, home, requester, turns, producer, mail, next, schema, open: (connection, session) }
    }

    /// What comes for an agent of its own.
    pub(crate) fn mail(&self, agent: &str) -> Mail {
        self.mail.lock().unwrap().remove(agent).unwrap()
    }

    /// Sends a request and gives its answer, which names the request and the connector and is as the schema says.
    pub(crate) async fn ask(&self, request: Outgoing) -> Value {
        let id = format!("{}-{}", self.name, self.next.fetch_add(1, Ordering::Relaxed));
        let turn = self.turns.acquire().await.unwrap();
        let answer = self.requester.request(request.correlation_id(&*id), PATIENCE).await.unwrap();
        drop(turn);
        let answer = read(&answer);
        self.check(&answer);
        assert_eq!((answer["correlation"].as_str(), &answer["sequence"]), (Some(&*id), &Value::Null), "{answer}");
        answer
    }

    /// Sends a request that names no place for its answer. Gives its message id.
    pub(crate) async fn send(&self, request: Outgoing) -> String {
        self.producer.send(request).await.unwrap().to_string()
    }

    /// That this is what the connector of this client says.
    pub(crate) fn check(&self, told: &Value) {
        self.schema.check(told);
        let (connection, _) = &self.open;
        let at = (connection.status(), connection.losses());
        assert_eq!(told["connector"], self.connector, "{told}, of a client that is {at:?}");
    }
}

/// What a message tells. Its type is the event's name, its correlation that of the event.
fn read(delivery: &Delivery) -> Value {
    let event: Value = serde_json::from_str(&delivery.text().unwrap().unwrap()).unwrap();
    assert_eq!(delivery.message_type(), event["event"].as_str(), "{event}");
    assert_eq!(delivery.correlation_id(), event["correlation"].as_str(), "{event}");
    event
}

/// Gives each agent what is told of them. Ends with the connection; who waits then learns it.
async fn sort(mut events: Consumer, boxes: HashMap<String, UnboundedSender<Value>>) {
    while let Ok(delivery) = events.receive().await {
        let event = read(&delivery);
        let agent = event["agent"].as_str().and_then(|agent| boxes.get(agent));
        agent.unwrap_or_else(|| panic!("told on the topic of another client: {event}")).send(event).ok();
    }
}

/// The next that comes for an agent.
pub(crate) async fn next(mail: &mut Mail, within: Duration) -> Option<Value> {
    tokio::time::timeout(within, mail.recv()).await.ok().map(|event| event.expect("the client's topic has ended"))
}
