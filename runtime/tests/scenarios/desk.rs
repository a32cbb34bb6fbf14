//! A client with agents, as an application is one: it sends commands to the queue of requests and reads the answers.

use std::ops::Range;
use std::time::{Duration, Instant};

use serde_json::Value;
use topoc_compiler::emit::Access;
use topoc_openwire::{AckMode, Connection, Destination, Outgoing, Requester, Status};
use topoc_stage::Stage;

/// A request of which nothing is heard so long is sent again: another one, since each is acted on at most once.
const WITHIN: Duration = Duration::from_secs(2);

/// A client.
pub(crate) struct Desk {
    pub(crate) name: String,
    connection: Connection,
    requester: Requester,
    agents: Range<usize>,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) connector: Option<String>,
    pub(crate) event: String,
    pub(crate) data: Value,
}

impl Desk {
    pub(crate) async fn open(name: &str, access: &Access, agents: Range<usize>) -> Self {
        let connection = Connection::open(&access.uri).await.unwrap();
        let session = connection.session(AckMode::Auto).await.unwrap();
        let replies = Destination::queue(format!("REPLIES.{name}"));
        let requester = session.requester_with(&Destination::queue(&*access.requests[0]), &replies).await.unwrap();
        Self { name: name.to_owned(), connection, requester, agents }
    }

    /// The broker that it is at.
    pub(crate) fn broker(&self) -> Option<String> {
        match self.connection.status() {
            Status::Connected(place) => place.broker,
            _ => None,
        }
    }

    /// Connects each agent, signs them in and makes them ready.
    pub(crate) async fn begin(&self, patience: Duration) {
        let password = Stage::PASSWORD;
        for agent in self.agents.clone() {
            let extension = agent + 1000;
            self.until(agent, "Connect", &format!("EVENTS.{},{password}", self.name), "ConnectStatus", patience).await;
            self.until(agent, "Login", &format!("{password},{extension}"), "Outcome", patience).await;
            self.until(agent, "MakeReady", "", "Outcome", patience).await;
        }
    }

    /// Asks until the answer is this event.
    async fn until(&self, agent: usize, command: &str, body: &str, event: &str, patience: Duration) {
        let until = Instant::now() + patience;
        loop {
            let answer = self.ask(agent, command, body).await;
            let said = answer.map(|answer| (answer.event, answer.data));
            if said.as_ref().is_some_and(|(said, _)| said == event) {
                return;
            }
            assert!(Instant::now() < until, "{}: {command}#{agent} was answered {said:?}", self.name);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// What the first agent is doing.
    pub(crate) async fn ask_state(&self) -> Option<Answer> {
        self.ask(self.agents.start, "GetState", "").await
    }

    async fn ask(&self, agent: usize, command: &str, body: &str) -> Option<Answer> {
        let request = Outgoing::text(body).message_type(format!("{command}#{agent}")).time_to_live(WITHIN);
        let answer = self.requester.request(request, WITHIN).await.ok()?;
        let event: Value = serde_json::from_str(&answer.text().unwrap()?).unwrap();
        Some(Answer {
            connector: event["connector"].as_str().map(str::to_owned),
            event: event["event"].as_str().unwrap().to_owned(),
            data: event["data"].clone(),
        })
    }
}
