//! A whole topology with its connectors, and what can happen to it: the events of scenarios.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use rustix::process::Signal;
use serde_json::Value;
use tokio::runtime::Runtime;
use topoc_compiler::emit::{self, Access};
use topoc_compiler::model::{Model, Remote};
use topoc_compiler::network::duplex;
use topoc_finesse_sim::{Options, Simulator};
use topoc_lab::{Broker, Link, PATIENCE, ports};
use topoc_plan::Plan;

use crate::connector::signal;
use crate::{Connector, Loopback, Room, Surroundings, Topology};

/// The way from one site to a listener at another one.
#[derive(Debug)]
struct Way {
    from: String,
    to: String,
    link: Link,
}

/// A topology that runs.
pub struct Stage {
    /// What was compiled, and where it is.
    pub loopback: Loopback,
    /// What runs Finesse, and may run clients.
    pub runtime: Runtime,
    /// The simulated Finesse.
    pub simulator: Simulator,
    ways: Vec<Way>,
    brokers: BTreeMap<String, Broker>,
    connectors: BTreeMap<String, Connector>,
    plans: BTreeMap<String, (Plan, PathBuf)>,
    admin: BTreeMap<String, u16>,
    _room: Room,
}

impl Stage {
    /// The password of all of the simulator's agents: one of `runtime/lab/unmistakable-secrets`, so that what programs print can be
    /// searched for it.
    pub const PASSWORD: &'static str = "Tn8-simulated";

    /// Compiles a topology and starts all of it, with the connectors' programs made of a template. Brokers and bridges are up when
    /// it returns, connectors are on their way.
    #[must_use]
    pub fn start(topology: &Topology, release: &str, template: &Path, agents: usize) -> Self {
        Self::with(topology, release, template, |nodes| Options::new(agents, nodes))
    }

    /// The same, with a simulated Finesse of so many nodes as one likes it, but for its agents' password.
    #[must_use]
    pub fn with(topology: &Topology, release: &str, template: &Path, finesse: impl FnOnce(usize) -> Options) -> Self {
        let runtime = Runtime::new().unwrap();
        let plain = topology.compile("");
        let mut options = finesse(plain.model.finesse.len());
        Self::PASSWORD.clone_into(&mut options.config.password);
        let simulator = runtime.block_on(Simulator::start(options)).unwrap();
        let (mut ways, mut admin) = (Vec::new(), BTreeMap::new());
        let loopback = Loopback::with(topology, release, |model, listeners| {
            ways = self::ways(model, listeners);
            let free = ports(model.connectors.len()).unwrap();
            let names = model.connectors.iter().map(|connector| connector.dialer.name.value.clone());
            admin = names.zip(free.iter().copied()).collect();
            Surroundings {
                overlay: addresses(model, &ways),
                finesse: nodes(model, simulator.announcement()),
                finesse_roots: simulator.announcement()["ca"].as_str().map(str::to_owned),
                admin: free,
            }
        });
        let plans = emit::plans(loopback.analysis.checked().unwrap());
        let plans = plans.into_iter().map(|plan| {
            let program = Connector::make(template, &plan, &loopback.dir().join(&plan.site).join(&plan.connector));
            (plan.connector.clone(), (plan, program))
        });
        let (plans, room) = (plans.collect(), Room::take(loopback.analysis.model.brokers.len()));
        let (brokers, connectors) = (BTreeMap::new(), BTreeMap::new());
        let mut stage = Self { loopback, runtime, simulator, ways, brokers, connectors, plans, admin, _room: room };
        stage.start_all();
        stage
    }

    fn start_all(&mut self) {
        let names: Vec<String> =
            self.loopback.analysis.model.brokers.iter().map(|broker| broker.name.value.clone()).collect();
        for name in &names {
            let broker = self.start_broker(name);
            self.brokers.insert(name.clone(), broker);
        }
        for broker in self.brokers.values() {
            broker.wait_started(PATIENCE).unwrap();
        }
        let names: Vec<String> = self.plans.keys().cloned().collect();
        names.iter().for_each(|name| self.restore(name));
        self.wait_for_bridges();
    }

    /// Until every bridge between brokers that are up has been established once.
    fn wait_for_bridges(&self) {
        let model = &self.loopback.analysis.model;
        for bridge in &model.bridges {
            let Remote::Broker(far) = &bridge.to else { continue };
            let (near, far) = (model.broker(bridge.from.broker), model.broker(far.broker));
            let established = |name: &str| format!("({name}) has been established");
            let wait = |at: &str, of: &str| self.brokers[at].wait_log(&established(of), PATIENCE).map(drop).unwrap();
            wait(&near.name.value, &far.broker_name.value);
            if duplex(bridge) {
                wait(&far.name.value, &near.broker_name.value);
            }
        }
    }

    /// Kills a broker or a connector.
    pub fn fail(&mut self, name: &str) {
        match (self.brokers.remove(name), self.connectors.remove(name)) {
            (Some(broker), _) => broker.kill(),
            (_, Some(mut connector)) => connector.kill(),
            (None, None) => panic!("nothing of the name {name} runs"),
        }
    }

    /// Starts what was killed. A broker is up when it returns.
    pub fn restore(&mut self, name: &str) {
        self.begin(name);
        if let Some(broker) = self.brokers.get(name) {
            broker.wait_started(PATIENCE).unwrap();
        }
    }

    /// Starts what was killed, and does not wait until it is up.
    pub fn begin(&mut self, name: &str) {
        if let Some((plan, program)) = self.plans.get(name) {
            self.connectors.insert(name.to_owned(), Connector::start(program, plan));
        } else {
            let broker = self.start_broker(name);
            self.brokers.insert(name.to_owned(), broker);
        }
    }

    fn start_broker(&self, name: &str) -> Broker {
        // Not a line for each message that crosses a bridge: a stage may stand for hours.
        self.loopback.start_with(name, &["-Dorg.slf4j.simpleLogger.log.org.apache.activemq.network=info"])
    }

    /// Lets a broker or a connector stand still, with everything open that it has open.
    pub fn pause(&self, name: &str) {
        signal(self.pid(name), Signal::STOP);
    }

    /// Lets it go on.
    pub fn resume(&self, name: &str) {
        signal(self.pid(name), Signal::CONT);
    }

    /// Asks a connector to end, and does not wait for it: see [`Stage::has_ended`].
    pub fn ask_to_end(&self, connector: &str) {
        signal(self.pid(connector), Signal::TERM);
    }

    /// Whether a connector or a broker has ended that nobody killed. It counts as killed from then on.
    pub fn has_ended(&mut self, name: &str) -> bool {
        let broker = self.brokers.get(name).is_some_and(|broker| broker.has_exited().unwrap().is_some());
        let connector = self.connectors.get_mut(name).is_some_and(|connector| connector.exited().is_some());
        if broker {
            self.brokers.remove(name);
        }
        if connector {
            self.connectors.remove(name);
        }
        broker || connector
    }

    /// The process of a broker or a connector that runs.
    ///
    /// # Panics
    ///
    /// When nothing of this name runs.
    #[must_use]
    pub fn pid(&self, name: &str) -> u32 {
        match (self.brokers.get(name), self.connectors.get(name)) {
            (Some(broker), _) => broker.pid(),
            (_, Some(connector)) => connector.pid(),
            (None, None) => panic!("nothing of the name {name} runs"),
        }
    }

    /// Whether a broker or a connector has been started and not killed.
    #[must_use]
    pub fn runs(&self, name: &str) -> bool {
        self.brokers.contains_key(name) || self.connectors.contains_key(name)
    }

    /// Where everything prints: the logs of brokers and of connectors, by their names.
    #[must_use]
    pub fn logs(&self) -> Vec<(String, PathBuf)> {
        let brokers = self.loopback.analysis.model.brokers.iter().map(|broker| {
            let name = &broker.name.value;
            (name.clone(), self.loopback.xml(name).with_file_name("broker.log"))
        });
        let connectors = self.plans.iter().map(|(name, (_, program))| (name.clone(), Connector::log_beside(program)));
        brokers.chain(connectors).collect()
    }

    /// Resets and refuses whatever goes from one site to another, both ways.
    pub fn cut(&self, one: &str, other: &str) {
        self.between(one, other).for_each(Link::cut);
    }

    /// Lets whatever goes from one site to another vanish, both ways.
    pub fn black_hole(&self, one: &str, other: &str) {
        self.between(one, other).for_each(Link::black_hole);
    }

    /// Ends what was done to the ways between two sites.
    pub fn heal(&self, one: &str, other: &str) {
        self.between(one, other).for_each(Link::open);
    }

    fn between<'s>(&'s self, one: &'s str, other: &'s str) -> impl Iterator<Item = &'s Link> {
        let is_between = move |way: &&Way| [(one, other), (other, one)].contains(&(&way.from, &way.to));
        self.ways.iter().filter(is_between).map(|way| &way.link)
    }

    /// How a client reaches its brokers.
    #[must_use]
    pub fn access(&self, client: &str) -> Access {
        let checked = self.loopback.analysis.checked().unwrap();
        let mut all = checked.model().clients.iter().zip(emit::accesses(checked));
        let found = all.find(|(one, _)| one.dialer.name.value == client).map(|(_, access)| access);
        found.unwrap_or_else(|| panic!("no client {client}"))
    }

    /// What a connector has printed since it was started for the first time, or a broker that runs since it was started.
    #[must_use]
    pub fn log(&self, name: &str) -> Option<String> {
        match self.plans.get(name) {
            Some((_, program)) => std::fs::read_to_string(Connector::log_beside(program)).ok(),
            None => self.brokers.get(name)?.log().ok(),
        }
    }

    /// A connector that runs.
    #[must_use]
    pub fn connector(&self, name: &str) -> &Connector {
        &self.connectors[name]
    }

    /// A broker that runs.
    #[must_use]
    pub fn broker(&self, name: &str) -> &Broker {
        &self.brokers[name]
    }

    /// Where a connector's operators look.
    #[must_use]
    pub fn admin(&self, connector: &str) -> u16 {
        self.admin[connector]
    }
}

/// A link from each site to each listener at another one.
fn ways(model: &Model, listeners: &BTreeMap<String, u16>) -> Vec<Way> {
    let site = |id| model.site(id).name.value.clone();
    let mut ways = Vec::new();
    for broker in &model.brokers {
        for from in model.sites.iter().filter(|from| from.name.value != site(broker.site)) {
            let link = Link::to((Ipv4Addr::LOCALHOST, listeners[&broker.name.value])).unwrap();
            ways.push(Way { from: from.name.value.clone(), to: site(broker.site), link });
        }
    }
    ways
}

/// What has each site dial its own links, in the order of [`ways`].
fn addresses(model: &Model, ways: &[Way]) -> String {
    let (mut text, mut ways) = (String::new(), ways.iter());
    for broker in &model.brokers {
        let Some(listener) = broker.listeners.first() else { continue };
        write!(text, "override broker {} {{\n  listen {} {{ ", broker.name.value, listener.name.value).unwrap();
        for way in ways.by_ref().take(model.sites.len() - 1) {
            write!(text, "address from {} = \"127.0.0.1:{}\"; ", way.from, way.link.port()).unwrap();
        }
        text.push_str("}\n}\n");
    }
    text
}

/// The ports of the simulated nodes, as the topology's word for notifications wants them.
fn nodes(model: &Model, announcement: &Value) -> Vec<(u16, u16)> {
    let port = |address: &Value| {
        let address = address.as_str().unwrap();
        let host = address.split_once("://").map_or(address, |(_, rest)| rest);
        let port = host.split('/').next().unwrap().rsplit_once(':').unwrap().1;
        port.parse::<u16>().unwrap()
    };
    let nodes = model.finesse.iter().zip(announcement["nodes"].as_array().unwrap());
    let ports = nodes.map(|(node, said)| {
        let how = match node.xmpp.as_ref().map(|how| how.value.as_str()) {
            Some("websocket") => "ws",
            Some("bosh") => "bosh",
            _ => "tls",
        };
        (port(&said["rest"]), port(&said["xmpp"][how]))
    });
    ports.collect()
}
