//! A topology in virtual time: clients and connectors with the machines that they have, brokers, bridges and a contact centre in memory.
//!
//! What is not the machines' own is taken as this. A process that is killed, and a link that is cut, refuse at once, as loopback does: a
//! machine that vanishes without a word is noticed by the inactivity monitor and by the time that dialling takes, which
//! `runtime/openwire/proto/tests/link.rs` tries. A bridge is there a second after both of its brokers are: the first delay of ActiveMQ's
//! discovery agent (`SimpleDiscoveryAgent.initialReconnectDelay`).

mod connectors;
mod faults;
mod sessions;
mod time;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use topoc_compiler::emit;
use topoc_compiler::model::ConnectorId;
use topoc_compiler::network::Edge;
use topoc_compiler::{Analysis, CheckedModel};
use topoc_connector::settings::Settings;
use topoc_core::connector::Ticket;
use topoc_core::deployment::Event;
use topoc_finesse_proto::cluster::Poll;
use topoc_finesse_proto::rest::Command as Rest;
use topoc_finesse_proto::session::{self, Ask};
use topoc_openwire_proto::command::Command;
use topoc_openwire_proto::destination::Destination;
use topoc_openwire_proto::failover::Attempt;
use topoc_openwire_proto::message::Message;

use crate::brokers::{Brokers, Place, Request};
use crate::centre::{Centre, Holder};
use crate::chance::Chance;
use crate::dialler::Dialler;
use crate::gc::{Gc, settings};

/// How long things take, in milliseconds from least to most: dialling until commands can be exchanged, a way between two processes, an
/// answer of Finesse, a notification session until it is open, a bridge.
const DIAL: (u64, u64) = (1, 20);
const WIRE: (u64, u64) = (1, 4);
const REST: (u64, u64) = (5, 60);
const SESSION: (u64, u64) = (20, 200);
const BRIDGE: (u64, u64) = (1000, 1200);
/// How often a client asks, and how long its question is of use.
const ASKS: Duration = Duration::from_millis(100);
const WITHIN: Duration = Duration::from_secs(2);
/// After how long without a session Finesse logs an agent out (Developer Guide 12.5(1), "Failure Scenarios").
const FORCED: Duration = Duration::from_secs(60);
/// How often the world is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// What is under way.
enum What {
    Dialled(Attempt, usize),
    Broken(Attempt),
    Inward(Place, Bytes),
    Outward(Place, Box<Command>),
    Take,
    Tell(Box<Event>),
    Looked(Ticket, String),
    Done(Ticket, String, Rest),
    Opens(String, u64, session::Attempt),
    Closes(String, u64, session::Attempt),
    Asked(String, u64, session::Request, Ask),
    Answered(String, u64, session::Request, Box<session::Answer>),
    Notified(String, Holder),
    Polled(Poll),
    Questions,
    Crossed(Edge, Request),
    Bridged(Edge),
    Forced(String, Duration),
}

struct Coming {
    /// For this start of that party; none for nobody's.
    of: Option<(usize, u64)>,
    what: What,
}

/// A client or a connector.
struct Party {
    name: String,
    site: String,
    uri: String,
    life: u64,
    dialler: Option<Dialler>,
    /// What a connector was built with.
    settings: Option<Settings>,
    gc: Option<Gc>,
    /// The agents of a client.
    agents: Vec<String>,
}

/// A question of a client.
pub(crate) struct Asked {
    pub(crate) client: usize,
    pub(crate) at: Duration,
    /// When it was answered, and with what.
    pub(crate) answer: Option<(Duration, Value)>,
    /// The brokers that it came by, and who took it last.
    pub(crate) way: Vec<String>,
    /// How often somebody took it.
    pub(crate) taken: u32,
}

pub(crate) struct World<'a> {
    pub(crate) now: Duration,
    chance: Chance,
    brokers: Brokers<'a>,
    parties: Vec<Party>,
    pub(crate) centre: Centre,
    /// By the moment, and what was ordered first is first.
    coming: BTreeMap<(Duration, u64), Coming>,
    numbers: u64,
    /// Nothing overtakes on a line: when the last thing arrives, inwards and outwards.
    last: BTreeMap<(Place, bool), Duration>,
    cuts: BTreeSet<(String, String)>,
    pub(crate) asked: Vec<Asked>,
    /// Clients ask all the time.
    asks: bool,
    requests: String,
    looked: Duration,
}

impl<'a> World<'a> {
    pub(crate) fn new(analysis: &'a Analysis, checked: CheckedModel<'_>, seed: u64, agents: usize) -> Self {
        let model = &analysis.model;
        let mut chance = Chance::new(seed);
        let accesses = emit::accesses(checked);
        let mut parties = Vec::new();
        let mut centre = Centre::default();
        for (client, access) in model.clients.iter().zip(&accesses) {
            let first = 1001 + parties.len() * agents;
            let own: Vec<String> = (first..first + agents).map(|agent| agent.to_string()).collect();
            own.iter().for_each(|agent| centre.add(agent, &format!("9{agent}")));
            let site = model.site(client.dialer.site).name.value.clone();
            parties.push(party(&client.dialer.name.value, &site, &access.uri, None, own));
        }
        let mut connectors = BTreeMap::new();
        for (plan, id) in emit::plans(checked).into_iter().zip(0..) {
            connectors.insert(parties.len(), ConnectorId(id));
            let (name, site, uri) = (plan.connector.clone(), plan.site.clone(), plan.brokers.to_string());
            parties.push(party(&name, &site, &uri, Some(settings(plan)), Vec::new()));
        }
        let brokers = Brokers::new(model, &analysis.network, connectors);
        let now = Duration::from_secs(1_700_000_000) + chance.within((0, 1000));
        let mut world = Self {
            now,
            chance,
            brokers,
            parties,
            centre,
            coming: BTreeMap::new(),
            numbers: 0,
            last: BTreeMap::new(),
            cuts: BTreeSet::new(),
            asked: Vec::new(),
            asks: false,
            requests: accesses[0].requests[0].clone(),
            looked: now,
        };
        world.build_bridges();
        (0..world.parties.len()).for_each(|party| world.start(party));
        world
    }

    // Clients.

    /// Every agent connects, signs in and is ready; from then on clients ask all the time what they are doing.
    pub(crate) fn begin(&mut self) {
        self.pass(Duration::from_secs(10));
        for command in ["Connect", "Login", "MakeReady"] {
            for client in 0..self.parties.len() {
                for agent in self.parties[client].agents.clone() {
                    let body = match command {
                        "Connect" => format!("EVENTS.{},secret", self.parties[client].name),
                        "Login" => format!("secret,9{agent}"),
                        _ => String::new(),
                    };
                    self.ask(client, command, &agent, &body);
                }
            }
            self.pass(Duration::from_secs(4));
        }
        for asked in &self.asked {
            let (_, answer) = asked.answer.as_ref().expect("an answer");
            assert_ne!(answer["event"], "Error", "{answer}");
        }
        self.asks = true;
        for client in self.clients() {
            self.come(Duration::ZERO, Some(client), What::Questions);
        }
    }

    pub(crate) fn clients(&self) -> Vec<usize> {
        (0..self.parties.len()).filter(|party| self.parties[*party].settings.is_none()).collect()
    }

    fn ask(&mut self, client: usize, command: &str, agent: &str, body: &str) {
        let number = self.asked.len();
        let (now, to) = (self.now, Destination::queue(&*self.requests));
        let replies = Destination::queue(format!("REPLIES.{}", self.parties[client].name));
        self.asked.push(Asked { client, at: now, answer: None, way: Vec::new(), taken: 0 });
        let Some(dialler) = &mut self.parties[client].dialler else { return };
        let mut message = dialler.message(to, body.as_bytes().to_vec());
        let millis = |at: Duration| i64::try_from(at.as_millis()).unwrap();
        message.headers.r#type = Some(format!("{command}#{agent}"));
        message.headers.correlation_id = Some(number.to_string());
        message.headers.reply_to = Some(replies);
        message.headers.timestamp = millis(now);
        message.headers.expiration = millis(now + WITHIN);
        let (_, want) = dialler.send(Box::new(message).into(), true);
        self.want(client, want);
    }

    fn questions(&mut self, client: usize) {
        if self.asks {
            let agents = &self.parties[client].agents;
            let agent = agents[self.asked.len() / 2 % agents.len()].clone();
            self.ask(client, "GetState", &agent, "");
            self.come(ASKS, Some(client), What::Questions);
        }
    }

    /// A reply has come.
    fn answered(&mut self, message: &Message) {
        let event: Value = serde_json::from_slice(message.headers.content.as_ref().unwrap()).unwrap();
        let number: usize = event["correlation"].as_str().unwrap().parse().unwrap();
        let now = self.now;
        self.asked[number].answer.get_or_insert((now, event));
    }

    fn come(&mut self, after: Duration, party: Option<usize>, what: What) {
        self.numbers += 1;
        let of = party.map(|party| (party, self.parties[party].life));
        self.coming.insert((self.now + after, self.numbers), Coming { of, what });
    }

    fn soon(&mut self, (least, most): (u64, u64), party: usize, what: What) {
        let takes = self.chance.within((least, most));
        self.come(takes, Some(party), what);
    }

    /// Over a line, in its order, after so many ways between processes.
    fn carry(&mut self, place: Place, is_inward: bool, ways: usize, what: What) {
        let takes: Duration = (0..ways).map(|_| self.chance.within(WIRE)).sum();
        let last = self.last.entry((place, is_inward)).or_default();
        *last = (self.now + takes).max(*last + Duration::from_nanos(1));
        let after = *last - self.now;
        self.come(after, Some(place.0), what);
    }

    /// The connectors that say that an agent is theirs.
    pub(crate) fn owners(&self, agent: &str) -> Vec<usize> {
        let owns = |party: &usize| self.parties[*party].gc.as_ref().is_some_and(|gc| gc.owns(agent));
        (0..self.parties.len()).filter(owns).collect()
    }

    /// Whether an agent has exactly one owner, who has the one session.
    pub(crate) fn is_owned(&self, agent: &str) -> bool {
        let holder = self.centre.0[agent].holder.map(|(party, ..)| party);
        matches!(self.owners(agent)[..], [owner] if holder == Some(owner))
    }

    /// How often priorities left it open who gets a request.
    pub(crate) const fn ties(&self) -> usize {
        self.brokers.ties
    }
}

fn party(name: &str, site: &str, uri: &str, settings: Option<Settings>, agents: Vec<String>) -> Party {
    let [name, site, uri] = [name, site, uri].map(str::to_owned);
    Party { name, site, uri, life: 0, dialler: None, settings, gc: None, agents }
}
