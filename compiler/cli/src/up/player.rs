//! A client of the topology, played: it signs an agent in over its brokers, and asks for their state again and again.

use super::stage::Player;
use serde::Deserialize;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use topoc_openwire::{AckMode, Config, Connection, Delivery, Destination, Error, Outgoing, Requester, Session, Status};

/// How long an answer is waited for, and how long a request lives.
const WITHIN: Duration = Duration::from_secs(10);
/// Between one request and the next.
const PAUSE: Duration = Duration::from_millis(500);
/// Every so many requests the agent becomes ready, or not ready.
const CHANGES: u64 = 10;

/// An agent of the simulator.
#[derive(Debug, Clone)]
pub(super) struct Agent {
    pub(super) id: String,
    pub(super) extension: String,
    pub(super) password: String,
}

/// What a player has seen.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Seen {
    /// The address that the client is connected to.
    pub(super) at: Option<String>,
    /// The connector that answered last.
    pub(super) by: Option<String>,
    /// How long that took.
    pub(super) took: Duration,
    /// The agent's state.
    pub(super) state: Option<String>,
    pub(super) answered: u64,
    pub(super) unanswered: u64,
    /// What went wrong last, until something goes right.
    pub(super) trouble: Option<String>,
}

/// The part of an event that is shown.
#[derive(Deserialize)]
struct Event {
    event: String,
    connector: Option<String>,
    #[serde(default)]
    data: Data,
}

#[derive(Deserialize, Default)]
struct Data {
    state: Option<String>,
    outcome: Option<String>,
    code: Option<String>,
    message: Option<String>,
}

/// Plays until it is aborted; without an agent it only connects.
pub(super) async fn play(player: Player, agent: Option<Agent>, seen: watch::Sender<Seen>) {
    loop {
        let Err(error) = play_once(&player, agent.as_ref(), &seen).await else { continue };
        seen.send_modify(|seen| seen.trouble = Some(error.to_string()));
        sleep(PAUSE).await;
    }
}

/// Until the connection is over.
async fn play_once(player: &Player, agent: Option<&Agent>, seen: &watch::Sender<Seen>) -> Result<(), Error> {
    let connection = connect(player).await?;
    seen.send_modify(|seen| seen.trouble = None);
    // Who has nobody to ask is there, and that is all.
    let Some(agent) = agent else {
        follow(&connection, seen).await;
        return Ok(());
    };
    let session = connection.session(AckMode::Auto).await?;
    let requester = requester(&session, player).await?;
    let mut play = Play { agent, name: &player.name, requester, seen, count: 0 };
    tokio::select! {
        error = play.run() => Err(error),
        () = follow(&connection, seen) => Ok(()),
    }
}

async fn connect(player: &Player) -> Result<Connection, Error> {
    let mut config = Config::new(&player.access.uri)?;
    if let (Some(user), Some(password)) = (&player.user, &player.password) {
        config = config.user(user, password);
    }
    config.connect().await
}

/// Replies to a queue of the client's own outlive a lost connection.
async fn requester(session: &Session, player: &Player) -> Result<Requester, Error> {
    let queue = player.access.requests.first().map_or("GC.REQUESTS", String::as_str);
    let replies = Destination::queue(format!("TOPOC.UP.{}", player.name));
    session.requester_with(&Destination::queue(queue), &replies).await
}

/// Tells which broker the client is at, until the connection is over.
async fn follow(connection: &Connection, seen: &watch::Sender<Seen>) {
    let mut status = connection.watch();
    loop {
        let at = match &*status.borrow_and_update() {
            Status::Connected(place) => Some(place.broker.clone().unwrap_or_else(|| place.address.clone())),
            Status::Over(_) => return,
            Status::Connecting | Status::Interrupted(_) => None,
        };
        seen.send_if_modified(|seen| {
            let differs = seen.at != at;
            seen.at = at;
            differs
        });
        if status.changed().await.is_err() {
            return;
        }
    }
}

struct Play<'a> {
    agent: &'a Agent,
    name: &'a str,
    requester: Requester,
    seen: &'a watch::Sender<Seen>,
    count: u64,
}

impl Play<'_> {
    /// Until the connection is over.
    async fn run(&mut self) -> Error {
        loop {
            let Err(error) = self.next().await else { continue };
            if !matches!(error, Error::TimedOut(..)) {
                return error;
            }
            self.seen.send_modify(|seen| {
                seen.unanswered += 1;
                seen.trouble = Some(format!("no answer within {} s", WITHIN.as_secs()));
            });
        }
    }

    async fn next(&mut self) -> Result<(), Error> {
        let state = self.seen.borrow().state.clone();
        let Agent { id, extension, password } = self.agent;
        let (command, body) = match state.as_deref() {
            None => ("Connect", format!("TOPOC.UP.EVENTS.{},{password}", self.name)),
            Some("LOGOUT") => ("Login", format!("{password},{extension}")),
            Some(state) if self.count % CHANGES == CHANGES - 1 => {
                (if state == "READY" { "MakeNotReady" } else { "MakeReady" }, String::new())
            }
            Some(_) => ("GetState", String::new()),
        };
        self.count += 1;
        let began = Instant::now();
        let outgoing = Outgoing::text(body).message_type(format!("{command}#{id}")).time_to_live(WITHIN);
        let answer = self.requester.request(outgoing, WITHIN).await?;
        self.take(command, &answer, began.elapsed())?;
        sleep(PAUSE).await;
        Ok(())
    }

    fn take(&self, command: &str, answer: &Delivery, took: Duration) -> Result<(), Error> {
        let text = answer.text()?.unwrap_or_default();
        let event: Option<Event> = serde_json::from_str(&text).ok();
        self.seen.send_modify(|seen| {
            seen.answered += 1;
            seen.took = took;
            let Some(event) = event else {
                seen.trouble = Some(format!("the answer to {command} cannot be read"));
                return;
            };
            seen.by = event.connector.or(seen.by.take());
            seen.trouble = trouble(command, &event.event, &event.data);
            match event.event.as_str() {
                "AgentState" => seen.state = event.data.state,
                // What the agent is doing then is asked next.
                "ConnectStatus" | "Outcome" => seen.state = Some("CONNECTED".to_owned()),
                // A connector that has taken over knows who is connected only if its peers told it.
                "Error" if event.data.code.as_deref() == Some("NOT_CONNECTED") => seen.state = None,
                _ => {}
            }
        });
        Ok(())
    }
}

fn trouble(command: &str, event: &str, data: &Data) -> Option<String> {
    let bad = event == "Error" || data.outcome.as_deref() == Some("outcome-unknown");
    let says = data.message.as_deref().or(data.code.as_deref()).unwrap_or("its outcome is not known");
    bad.then(|| format!("{command}: {says}"))
}
