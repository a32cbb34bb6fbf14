//! Who asks for what: so many requests a second at times that are set before, whatever becomes of the earlier ones.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fastrand::Rng;
use serde_json::{Value, json};
use topoc_compiler::emit::Access;
use topoc_openwire::{AckMode, Connection, Destination, Error, Outgoing, Producer};
use topoc_stage::Stage;

use crate::ledger::{Answer, Ledger, Said, Sending, TIME_TO_LIVE, What};

/// From one change of an agent to the next, so that most requests are questions, as those of desktops are.
const BETWEEN_CHANGES: Duration = Duration::from_millis(1500);
/// Who was not answered for so long goes on with something else.
const PATIENCE: Duration = Duration::from_secs(90);
/// Nothing comes of connecting twice.
const PATIENCE_TO_CONNECT: Duration = Duration::from_secs(10);
/// Requests of so many seconds may be on their way: longer than a fault lasts. What is more than that is not sent, so that a machine
/// that cannot keep up is not taken for a topology that loses requests.
const ON_THEIR_WAY: u32 = 30;
/// From one look whether requests are due to the next.
const TICK: Duration = Duration::from_millis(5);

/// What an agent's client knows and does.
#[derive(Debug)]
struct Agent {
    id: u32,
    connected: bool,
    signed_in: bool,
    /// The calls that there are, as far as somebody has looked since the last change.
    dialogs: Option<Vec<u64>>,
    /// The request whose answer decides what is next, and until when it is waited for.
    waits: Option<(u64, Duration)>,
    changed: Duration,
    round: usize,
}

/// What requests of an agent go through while nothing else is to be done: no two beside each other ask for the same.
const ROUND: [fn(u64) -> What; 6] =
    [What::Call, |_| What::NotReady(16), |_| What::Ready, What::Call, |_| What::NotReady(17), |_| What::NotReady(18)];

impl Agent {
    fn new(id: u32, round: usize) -> Self {
        let changed = Duration::ZERO;
        Self { id, connected: false, signed_in: false, dialogs: None, waits: None, changed, round }
    }

    /// What is asked for next; whether its answer is waited for.
    fn next(&mut self, now: Duration, chance: &mut Rng) -> (Box<dyn FnOnce(u64) -> What>, bool) {
        if self.waits.is_some_and(|(_, until)| until < now) {
            (self.waits, self.dialogs) = (None, None);
        }
        if self.waits.is_some() {
            let what = if chance.u8(..4) == 0 { What::Dialogs } else { What::State };
            return (Box::new(move |_| what), false);
        }
        if !self.connected {
            return (Box::new(|_| What::Connect), true);
        }
        if !self.signed_in {
            return (Box::new(|_| What::Login), true);
        }
        match &self.dialogs {
            None => (Box::new(|_| What::Dialogs), true),
            Some(_) if now.saturating_sub(self.changed) < BETWEEN_CHANGES => (Box::new(|_| What::State), false),
            Some(dialogs) => {
                self.changed = now;
                if let Some(call) = dialogs.first().copied() {
                    return (Box::new(move |_| What::Release(call)), true);
                }
                self.round += 1;
                (Box::new(ROUND[self.round % ROUND.len()]), true)
            }
        }
    }

    /// Learns from an answer.
    fn learn(&mut self, number: u64, what: What, event: &Value) {
        let code = event["data"]["code"].as_str().filter(|_| event["event"] == "Error");
        match code {
            // That is mended before anything else, as the guide for clients has it.
            Some("NOT_CONNECTED") if self.connected => (self.connected, self.waits) = (false, None),
            Some("NOT_SIGNED_IN") => self.signed_in = false,
            _ => {}
        }
        if event["event"] == "AgentState" && event["data"]["state"] == "LOGOUT" {
            self.signed_in = false;
        }
        if self.waits.is_none_or(|(waits, _)| waits != number) {
            return;
        }
        (self.waits, self.dialogs) = (None, None);
        match (what, code) {
            (What::Connect, None) => self.connected = true,
            (What::Login, None) => self.signed_in = true,
            (What::Dialogs, None) => {
                let all = event["data"]["dialogs"].as_array().into_iter().flatten();
                self.dialogs = Some(all.filter_map(|one| one["id"].as_str()?.parse().ok()).collect());
            }
            _ => {}
        }
    }
}

/// What all clients have in common.
#[derive(Debug)]
pub(crate) struct Office {
    began: Instant,
    inside: Mutex<Inside>,
}

#[derive(Debug)]
struct Inside {
    ledger: Ledger,
    agents: Vec<Agent>,
    chance: Rng,
    open: bool,
    events: u64,
    /// So many may be on their way, and so many were not sent because there were.
    most: usize,
    skipped: u64,
}

/// The first agent's id.
pub(crate) const FIRST: u32 = 1001;

impl Office {
    pub(crate) fn new(seed: u64, agents: u32, rate: u32) -> Arc<Self> {
        let agents = (0..agents).map(|index| Agent::new(FIRST + index, index as usize)).collect();
        let (ledger, chance) = (Ledger::default(), Rng::with_seed(seed));
        let inside = Mutex::new(Inside {
            ledger,
            agents,
            chance,
            open: true,
            events: 0,
            most: (rate * ON_THEIR_WAY) as usize,
            skipped: 0,
        });
        Arc::new(Self { began: Instant::now(), inside })
    }

    /// How long it has been there: what times are measured by.
    pub(crate) fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads or writes in the ledger.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut Ledger) -> T) -> T {
        act(&mut self.inside().ledger)
    }

    /// Asks for nothing more.
    pub(crate) fn close(&self) {
        self.inside().open = false;
    }

    /// Events that came unasked.
    pub(crate) fn events(&self) -> u64 {
        self.inside().events
    }

    /// Requests that were due and not sent, because too many were on their way.
    pub(crate) fn skipped(&self) -> u64 {
        self.inside().skipped
    }

    /// Agents that are connected and have signed in, as their clients know.
    pub(crate) fn at_work(&self) -> usize {
        self.inside().agents.iter().filter(|agent| agent.connected && agent.signed_in).count()
    }

    /// Whether requests are sent.
    fn is_open(&self) -> bool {
        self.inside().open
    }

    /// The next request, unless too many are on their way: its number, whose client sends it, and what it is.
    fn next(&self, turn: u64) -> Option<(u64, usize, u32, What)> {
        let now = self.now();
        let mut inside = self.inside();
        let Inside { ledger, agents, chance, most, skipped, .. } = &mut *inside;
        let index = usize::try_from(turn).ok()? % agents.len();
        if ledger.waiting() >= *most {
            *skipped += 1;
            return None;
        }
        let agent = agents.get_mut(index)?;
        let (what, waits) = agent.next(now, chance);
        let number = ledger.ask(agent.id, what, now);
        let what = ledger.request(number)?.what;
        if waits {
            let patience = if what == What::Connect { PATIENCE_TO_CONNECT } else { PATIENCE };
            agent.waits = Some((number, now + patience));
        }
        Some((number, index, agent.id, what))
    }

    fn sent(&self, number: u64, sent: bool) {
        self.inside().ledger.sent(number, if sent { Sending::Accepted } else { Sending::Failed });
    }

    fn answered(&self, correlation: Option<&str>, text: &str) {
        let now = self.now();
        let mut inside = self.inside();
        let Inside { ledger, agents, .. } = &mut *inside;
        let number = correlation.and_then(number);
        let event: Value = serde_json::from_str(text).unwrap_or_default();
        let answer = Answer { at: now, said: said(&event) };
        let Some((number, what, agent)) = number.and_then(|number| ledger.answer(number, answer)) else {
            ledger.strange.push(format!("an answer to nothing that was asked: {correlation:?}: {text}"));
            return;
        };
        if let Some(agent) = agents.iter_mut().find(|one| one.id == agent) {
            agent.learn(number, what, &event);
        }
    }
}

/// Where a broker puts what has expired (`SharedDeadLetterStrategy`).
const DEAD_LETTERS: &str = "ActiveMQ.DLQ";
/// After so long without another one there are no more.
const NO_MORE: Duration = Duration::from_secs(3);

/// What correlation ids begin with.
const PREFIX: &str = "soak-";

fn said(event: &Value) -> Said {
    let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    match (event["event"].as_str(), event["data"]["outcome"].as_str()) {
        (Some("Outcome"), Some("accepted")) => Said::Accepted,
        (Some("Outcome"), _) => Said::Unknown,
        (Some("Error"), _) => Said::Error(text(&event["data"]["code"])),
        _ => Said::Event(text(&event["event"])),
    }
}

/// A client with its connection.
pub(crate) struct Desk {
    name: String,
    producer: Producer,
    requests: Destination,
    replies: Destination,
    _connection: Connection,
}

impl Desk {
    /// Connects, and takes answers and events from then on.
    pub(crate) async fn open(name: &str, access: &Access, office: &Arc<Office>) -> Result<Arc<Self>, Error> {
        let connection = Connection::open(&access.uri).await?;
        let session = connection.session(AckMode::Auto).await?;
        let replies = Destination::queue(format!("GC.REPLY.{name}"));
        let mut answers = session.consumer(&replies).open().await?;
        let of = Arc::clone(office);
        tokio::spawn(async move {
            while let Ok(delivery) = answers.receive().await {
                let text = delivery.text().ok().flatten().unwrap_or_default();
                of.answered(delivery.correlation_id(), &text);
            }
        });
        let others = connection.session(AckMode::Auto).await?;
        let mut events = others.consumer(&Destination::queue(format!("GC.REPLY.{name}.EVENTS"))).open().await?;
        let of = Arc::clone(office);
        tokio::spawn(async move {
            while events.receive().await.is_ok() {
                of.inside().events += 1;
            }
        });
        let requests = Destination::queue(access.requests.first().map_or("", String::as_str));
        let producer = session.producer(&requests).await?;
        Ok(Arc::new(Self { name: name.to_owned(), producer, requests, replies, _connection: connection }))
    }

    async fn send(&self, number: u64, agent: u32, what: What) -> Result<(), Error> {
        let message = self.message(number, agent, what);
        self.producer.hand_over(&self.requests, message).await?.accepted().await?;
        Ok(())
    }

    fn enclosed(command: &str, fields: &serde_json::Map<String, Value>) -> Outgoing {
        Outgoing::bytes(json!({"data": {"type": command, "body": fields}}).to_string().into_bytes())
    }

    /// A request in one of the three forms that there are. One with a password is a bytes message: brokers write texts into their logs
    /// when a bridge breaks (`DemandForwardingBridgeSupport`, seen with 6.3.1).
    fn message(&self, number: u64, agent: u32, what: What) -> Outgoing {
        let fields: Vec<(&str, String)> = match what {
            What::State | What::Dialogs | What::Ready => Vec::new(),
            What::Connect => {
                vec![
                    ("client_destination", format!("queue://GC.REPLY.{}.EVENTS", self.name)),
                    ("password", Stage::PASSWORD.to_owned()),
                ]
            }
            What::Login => vec![("password", Stage::PASSWORD.to_owned()), ("extension", (agent + 1000).to_string())],
            What::NotReady(reason) => vec![("reason", reason.to_string())],
            What::Call(number) => vec![("number", number_to_call(number))],
            What::Release(call) => vec![("dialog_id", call.to_string())],
        };
        let commas = fields.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(",");
        let by_name: serde_json::Map<String, Value> =
            fields.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let command = format!("{}#{agent}", what.name());
        let has_password = matches!(what, What::Connect | What::Login);
        let outgoing = match number % 3 {
            _ if has_password => Self::enclosed(&command, &by_name),
            0 => Outgoing::text(commas).message_type(command),
            1 => Outgoing::text(Value::from(by_name).to_string()).message_type(command),
            _ => Self::enclosed(&command, &by_name),
        };
        let outgoing = outgoing.correlation_id(format!("{PREFIX}{number}")).reply_to(self.replies.clone());
        outgoing.time_to_live(TIME_TO_LIVE)
    }
}

/// Takes the dead letters of a broker, and notes which requests are among them.
pub(crate) async fn take_dead_letters(office: &Office, broker: &str) -> Result<(), Error> {
    let connection = Connection::open(broker).await?;
    let session = connection.session(AckMode::Auto).await?;
    let mut letters = session.consumer(&Destination::queue(DEAD_LETTERS)).open().await?;
    while let Some(letter) = letters.receive_within(NO_MORE).await? {
        let is_request = letter.reply_to().is_some();
        if let Some(number) = letter.correlation_id().filter(|_| is_request).and_then(number) {
            office.inside().ledger.died(number);
        }
    }
    Ok(())
}

/// The number of a request, by its correlation id.
fn number(correlation: &str) -> Option<u64> {
    correlation.strip_prefix(PREFIX)?.parse().ok()
}

/// The number that nobody but this request calls.
pub(crate) fn number_to_call(number: u64) -> String {
    format!("9{number:09}")
}

/// Sends so many requests a second until the office is closed. Agents take turns, and the desks share them.
pub(crate) async fn run(office: Arc<Office>, desks: Vec<Arc<Desk>>, rate: u32) {
    let began = tokio::time::Instant::now();
    let mut sent = 0;
    loop {
        let due = began.elapsed().as_micros() * u128::from(rate) / 1_000_000;
        while u128::from(sent) < due {
            if !office.is_open() {
                return;
            }
            let next = office.next(sent);
            sent += 1;
            let Some((number, agent, id, what)) = next else { continue };
            let (office, desk) = (Arc::clone(&office), Arc::clone(&desks[agent % desks.len()]));
            tokio::spawn(async move { office.sent(number, desk.send(number, id, what).await.is_ok()) });
        }
        tokio::time::sleep(TICK).await;
    }
}
