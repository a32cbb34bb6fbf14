//! What operators are told: the status that the admin interface shows, filled in by the loop.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use topoc_core::connector::Message;
use topoc_core::deployment::Deployment;
use topoc_core::event::Event;
use topoc_finesse::client::Status as FinesseStatus;
use topoc_openwire::{Connection, Status as BrokerStatus};

use crate::admin::{
    self, Agent, Broker, Finesse, Identity, Life, NO_COMMAND, Outcome, Peer, Place, Question, Server, Stage, Status,
};
use crate::clock;
use crate::finesse::Agents;
use crate::settings::Settings;

/// How old what operators see may be.
const EVERY: Duration = Duration::from_millis(500);

/// The status, and what it is counted by.
#[derive(Debug)]
pub(crate) struct Report {
    status: watch::Sender<Status>,
    name: String,
    hosts: Vec<String>,
    /// When each request came that is not answered, and its command.
    received: HashMap<u64, (Instant, String)>,
    looked: Option<Instant>,
}

impl Report {
    /// One of a connector that has just been started.
    pub(crate) fn new(settings: &Settings, epoch: u64) -> (Self, watch::Receiver<Status>) {
        let plan = &settings.plan;
        let identity = Identity {
            topology: plan.topology.clone(),
            site: plan.site.clone(),
            connector: plan.connector.clone(),
            deployment: plan.deployment.as_ref().map(|deployment| deployment.name.clone()).unwrap_or_default(),
            plan: topoc_plan::digest(plan),
            epoch,
        };
        let limits = &settings.limits;
        let limits = admin::Limits {
            requests: limits.requests,
            agents: limits.agents,
            unsent: limits.unsent,
            recent: limits.recent.requests,
        };
        let (status, seen) = watch::channel(Status { identity, limits, ..Status::default() });
        let hosts = settings.nodes.iter().map(|node| node.host.clone()).collect();
        (Self { status, name: settings.name(), hosts, received: HashMap::new(), looked: None }, seen)
    }

    pub(crate) fn stage(&mut self, stage: Stage) {
        self.status.send_modify(|status| {
            // Who ends does not begin again.
            if status.stage != Stage::Draining {
                status.stage = stage;
            }
        });
        self.looked = None;
    }

    /// A request has come.
    pub(crate) fn delivered(&mut self, message: &Message) {
        let command = message.jms_type.as_deref().and_then(|text| text.split('#').next()).unwrap_or(NO_COMMAND).trim();
        // Longer ones are no commands.
        let command = command.get(..command.len().min(64)).unwrap_or(NO_COMMAND).to_owned();
        self.received.insert(message.delivery, (Instant::now(), command));
        if message.redelivered {
            self.status.send_modify(|status| status.requests.redelivered += 1);
        }
    }

    /// A request is answered.
    pub(crate) fn answered(&mut self, delivery: u64, event: &Event) {
        self.count(delivery, Outcome::of(&event.told));
    }

    /// Nobody could be answered.
    pub(crate) fn refused(&mut self, delivery: u64) {
        self.count(delivery, Outcome::DeadLetter);
    }

    fn count(&mut self, delivery: u64, outcome: Outcome) {
        let Some((since, command)) = self.received.remove(&delivery) else { return };
        self.status.send_modify(|status| status.requests.answered(&command, outcome, since.elapsed().as_secs_f64()));
    }

    /// Whatever was delivered comes again.
    pub(crate) fn lost(&mut self) {
        self.received.clear();
        self.looked = None;
    }

    pub(crate) fn flow(&self, paused: bool) {
        self.status.send_modify(|status| {
            status.pauses += u64::from(paused && !status.paused);
            status.paused = paused;
        });
    }

    pub(crate) fn held(&self, held: bool) {
        self.status.send_modify(|status| status.held = held);
    }

    pub(crate) fn sent(&self) {
        self.status.send_modify(|status| status.sent += 1);
    }

    /// Looks at everything that is not counted one by one, as often as it is worth it.
    pub(crate) fn look(
        &mut self,
        machine: &Deployment,
        connection: &Connection,
        finesse: &watch::Receiver<FinesseStatus>,
        agents: &Agents,
    ) {
        if self.looked.is_some_and(|looked| looked.elapsed() < EVERY) {
            return;
        }
        self.looked = Some(Instant::now());
        let (broker, servers) = (broker(connection), self.servers(&finesse.borrow()));
        let mut sessions = BTreeMap::new();
        for (_, shown) in agents.behind(None) {
            *sessions.entry(shown.session).or_default() += 1;
        }
        let own = agents.behind(None).count();
        self.status.send_modify(|status| {
            let moved = status.finesse.used.is_some() && servers.used.is_some() && status.finesse.used != servers.used;
            let switches = status.finesse.switches + u64::from(moved);
            let used = servers.used.or(status.finesse.used);
            status.finesse = Finesse { switches, used, ..servers };
            status.broker = broker;
            status.sessions = sessions;
            status.requests.in_hand = machine.connector().requests().count();
            status.unsent = machine.connector().unsent();
            status.recent = machine.connector().recent().len();
            status.known = machine.sync().map_or(own, |sync| sync.table().len());
            status.peers = machine.sync().map(peers).unwrap_or_default();
            status.dropped = machine
                .sync()
                .map(|sync| sync.dropped().iter().map(|(reason, count)| (reason.word(), *count)).collect())
                .unwrap_or_default();
        });
    }

    fn servers(&self, status: &FinesseStatus) -> Finesse {
        let server = |(host, judgement): (&String, _)| Server { host: host.clone(), judgement };
        let servers = self.hosts.iter().zip(status.judgements.iter().copied()).map(server).collect();
        Finesse { servers, used: status.used.map(|used| used.0), switches: 0 }
    }

    /// Tells of agents who asks.
    pub(crate) fn answer(&self, question: Question, agents: &Agents) {
        let Question { after, limit, answer } = question;
        let agent = |(id, shown): (&str, &crate::finesse::Shown)| Agent {
            id: id.to_owned(),
            owner: Some(self.name.clone()),
            session: shown.session,
            state: shown.state.as_ref().map(ToString::to_string),
            server: shown.server.and_then(|server| self.hosts.get(server.0).cloned()),
            requests: 0,
        };
        // Who asked may have gone.
        let _ = answer.send(agents.behind(after.as_deref()).take(limit).map(agent).collect());
    }
}

fn peers(sync: &topoc_core::sync::Sync) -> Vec<Peer> {
    let life = |alive| if alive { Life::Alive } else { Life::Dead };
    sync.peers(clock::now()).map(|peer| Peer { name: peer.name, life: life(peer.alive) }).collect()
}

fn broker(connection: &Connection) -> Broker {
    let losses = connection.losses();
    match connection.status() {
        BrokerStatus::Connected(place) => {
            let connected = Some(Place::new(&place.address, place.broker.as_deref()));
            Broker { connected, trouble: None, losses }
        }
        BrokerStatus::Connecting => Broker { connected: None, trouble: Some("not connected yet".to_owned()), losses },
        BrokerStatus::Interrupted(error) => Broker { connected: None, trouble: Some(error.to_string()), losses },
        BrokerStatus::Over(why) => Broker { connected: None, trouble: Some(why), losses },
    }
}
