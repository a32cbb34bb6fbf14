//! A client with agents, as an application is one: it sends commands to the queue of requests and reads the answers.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::task::JoinSet;
use topoc_compiler::emit::Access;
use topoc_openwire::{AckMode, Connection, Destination, Outgoing, Requester, Status};
use topoc_stage::Stage;

/// A request of which nothing is heard so long is sent again: another one, since each is acted on at most once.
const WITHIN: Duration = Duration::from_secs(2);
/// So much longer an answer is waited for: one says that the request was of no use any more.
const LATER: Duration = Duration::from_secs(1);
/// A client that waits to be answered again asks so often.
const EVERY: Duration = Duration::from_millis(50);

/// A client.
pub(crate) struct Desk {
    pub(crate) name: String,
    connection: Connection,
    requester: Arc<Requester>,
    agents: Range<usize>,
}

/// An answer.
#[derive(Debug)]
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
        Self { name: name.to_owned(), connection, requester: Arc::new(requester), agents }
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

    /// Waits until a question is answered that is asked from now on: a new one every so often, and none waits for another. How long
    /// that is after `since`.
    pub(crate) async fn first_answer(&self, since: Instant) -> Duration {
        let mut asked = JoinSet::new();
        let mut asks = tokio::time::interval(EVERY);
        loop {
            tokio::select! {
                _ = asks.tick() => {
                    let (requester, agent) = (Arc::clone(&self.requester), self.agents.start);
                    asked.spawn(async move { ask(&requester, agent, "GetState", "").await });
                }
                Some(Ok(Some(answer))) = asked.join_next(), if !asked.is_empty() => {
                    if answer.event != "Error" {
                        return since.elapsed();
                    }
                }
            }
        }
    }

    async fn ask(&self, agent: usize, command: &str, body: &str) -> Option<Answer> {
        ask(&self.requester, agent, command, body).await
    }
}

async fn ask(requester: &Requester, agent: usize, command: &str, body: &str) -> Option<Answer> {
    let request = Outgoing::text(body).message_type(format!("{command}#{agent}")).time_to_live(WITHIN);
    let answer = requester.request(request, WITHIN + LATER).await.ok()?;
    let event: Value = serde_json::from_str(&answer.text().unwrap()?).unwrap();
    Some(Answer {
        connector: event["connector"].as_str().map(str::to_owned),
        event: event["event"].as_str().unwrap().to_owned(),
        data: event["data"].clone(),
    })
}
