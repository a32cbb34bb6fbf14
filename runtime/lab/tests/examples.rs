//! Every example on real brokers: its files are valid, its brokers start, its bridges come up and its requests arrive.

#![expect(clippy::unwrap_used, reason = "a helper of a test may panic as the test itself may")]
#![expect(clippy::print_stdout, reason = "a failed test shows which example it was at, and how long the others took")]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::Path;
use std::process::Command;

use std::time::{Duration, Instant};

use topoc_compiler::dialling::shuffles;
use topoc_compiler::model::{BrokerId, Client, Model, Remote};
use topoc_compiler::network::{Edge, duplex, node};
use topoc_compiler::{Analysis, emit};
use topoc_lab::{Broker, Java, Mark, PATIENCE, Schema, schema, until};
use topoc_stage::{Loopback, Room, Topology};
use uppsala::XsdValidator;

/// An example with what its own text says of it.
struct Example {
    name: &'static str,
    /// The queue that requests go to.
    requests: &'static str,
    /// A user of every broker, and the variable that holds the password.
    user: Option<(&'static str, &'static str)>,
    /// The pairs of brokers between which requests go, both ways, and over how many bridges. A pair is its master.
    ways: &'static [(&'static str, &'static str, usize)],
}

const fn example(name: &'static str, ways: &'static [(&'static str, &'static str, usize)]) -> Example {
    Example { name, requests: "GC.REQUESTS", user: None, ways }
}

const RING: &[(&str, &str, usize)] = &[("amq-n", "amq-e", 1), ("amq-e", "amq-w", 1), ("amq-w", "amq-n", 1)];

const STARTED: &[Example] = &[
    example("simplex", &[]),
    example("active-passive", &[("amq-1", "amq-2", 1)]),
    example("active-passive-literal", &[("amq-1", "amq-2", 1)]),
    example("active-active", &[("amq-1", "amq-2", 1)]),
    example("hub-and-spoke", &[("spoke-1a", "hub-a", 1), ("spoke-2a", "hub-a", 1), ("spoke-1a", "spoke-2a", 2)]),
    example("dynamic-failover", &[("A1", "B1", 1), ("A1", "B2", 1), ("B1", "B2", 1)]),
    Example { requests: "ORDERS.TEST", user: Some(("bridge", "BRIDGE_PASSWORD")), ..example("brokers-only", RING) },
    example("three-sites", RING),
    Example { user: Some(("gc", "GC_PASSWORD")), ..example("operated", &[("amq-1", "amq-2", 1)]) },
];

/// The namespace of ActiveMQ's elements.
const CORE: &str = "http://activemq.apache.org/schema/core";

/// How long a message takes between brokers that are up, with time to spare.
const ONE_MESSAGE: Duration = Duration::from_secs(5);

/// Validated, never started: its packets would leave the machine.
const MULTICAST: &str = "multicast-discovery";

/// An example with its brokers running. A pair goes by the name of its master in the topology, whoever holds its lock.
struct Running<'e> {
    example: &'e Example,
    loopback: Loopback,
    java: Java,
    brokers: BTreeMap<String, Broker>,
    /// Slaves that have taken over, by the name of the master.
    taken_over: BTreeMap<String, String>,
    since: Instant,
    _room: Room,
}

/// A way of requests: whoever consumes at one broker gets what was sent at the other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Way {
    from: String,
    to: String,
    hops: usize,
}

/// The files of an example.
fn read(name: &str) -> Topology {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name);
    let mut files = HashMap::new();
    read_folder(&root, &root, &mut files);
    Topology::from(files)
}

fn read_folder(root: &Path, folder: &Path, files: &mut HashMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_folder(root, &path, files);
        } else if path.extension().is_some_and(|extension| extension == "topo") {
            let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            files.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
}

impl<'e> Running<'e> {
    /// Starts every broker, slaves last, and waits until all are up and every bridge is established.
    fn start(example: &'e Example, release: &str) -> Self {
        let loopback = Loopback::of(&read(example.name), release);
        let room = Room::take(loopback.analysis.model.brokers.len());
        let java = Java::start(loopback.dir()).unwrap();
        let (brokers, taken_over) = (BTreeMap::new(), BTreeMap::new());
        let mut running = Self { example, loopback, java, brokers, taken_over, since: Instant::now(), _room: room };
        let (masters, slaves) = running.masters_and_slaves();
        running.launch(&masters);
        for master in &masters {
            running.brokers[master].wait_started(PATIENCE).unwrap();
        }
        running.launch(&slaves);
        for slave in &slaves {
            running.brokers[slave].wait_log("slave mode", PATIENCE).unwrap();
        }
        for (owner, far) in running.bridges() {
            running.broker(&owner).wait_log(&running.established(&far), PATIENCE).unwrap();
        }
        running
    }

    fn launch(&mut self, names: &[String]) {
        for name in names {
            self.brokers.insert(name.clone(), self.loopback.start(name));
        }
    }

    fn masters_and_slaves(&self) -> (Vec<String>, Vec<String>) {
        let model = &self.loopback.analysis.model;
        let (masters, slaves): (Vec<BrokerId>, Vec<BrokerId>) = ids(model).partition(|id| node(model, *id) == *id);
        let names = |ids: Vec<BrokerId>| ids.into_iter().map(|id| model.broker(id).name.value.clone()).collect();
        (names(masters), names(slaves))
    }

    /// The broker that is at work under this name.
    fn active<'n>(&'n self, name: &'n str) -> &'n str {
        self.taken_over.get(name).map_or(name, String::as_str)
    }

    fn broker(&self, name: &str) -> &Broker {
        &self.brokers[self.active(name)]
    }

    /// Who logs a bridge to whom: the owner, and the far end of a duplex one.
    fn bridges(&self) -> Vec<(String, String)> {
        let model = &self.loopback.analysis.model;
        let name = |id: BrokerId| model.broker(node(model, id)).name.value.clone();
        let mut logged = Vec::new();
        for bridge in &model.bridges {
            let Remote::Broker(far) = &bridge.to else { panic!("{} is found by discovery", bridge.name.value) };
            let (near, far) = (name(bridge.from.broker), name(far.broker));
            if duplex(bridge) {
                logged.push((far.clone(), near.clone()));
            }
            logged.push((near, far));
        }
        logged
    }

    fn established(&self, far: &str) -> String {
        format!("({}) has been established", self.loopback.broker(self.active(far)).broker_name.value)
    }

    /// Kills a master and waits until its slave has its place in every bridge.
    fn fail_over(&mut self, master: &str, slave: &str) {
        let marks: BTreeMap<String, Mark> =
            self.brokers.iter().map(|(name, broker)| (name.clone(), broker.mark().unwrap())).collect();
        self.brokers.remove(master).unwrap().kill();
        self.taken_over.insert(master.to_owned(), slave.to_owned());
        self.brokers[slave].wait_started(PATIENCE).unwrap();
        for (owner, far) in self.bridges().iter().filter(|(owner, far)| owner == master || far == master) {
            let mark = marks[self.active(owner)];
            self.broker(owner).wait_log_since(mark, &self.established(far), PATIENCE).unwrap();
        }
    }

    /// Every way that bridges and their TTLs allow, and from each broker to itself.
    fn ways(&self) -> BTreeSet<Way> {
        let (model, network) = (&self.loopback.analysis.model, &self.loopback.analysis.network);
        let allows = |way: &[Edge]| {
            way.iter().enumerate().all(|(place, edge)| {
                let bridge = &model.bridges[edge.bridge.index()];
                let lets = |ttl: Option<i64>, hops: usize| ttl.is_none_or(|ttl| ttl >= i64::try_from(hops).unwrap());
                lets(bridge.message_ttl(network), place + 1) && lets(bridge.consumer_ttl(network), way.len() - place)
            })
        };
        let name = |id: BrokerId| model.broker(id).name.value.clone();
        let nodes: BTreeSet<BrokerId> = ids(model).map(|id| node(model, id)).collect();
        let ends = nodes.iter().flat_map(|from| nodes.iter().map(move |to| (*from, *to)));
        let ways = ends.filter_map(|(from, to)| Some((from, to, network.way(from, to)?)));
        ways.filter(|(_, _, way)| allows(way))
            .map(|(from, to, way)| Way { from: name(from), to: name(to), hops: way.len() })
            .collect()
    }

    /// Where a client finds a broker, whichever member of its pair is master.
    fn uri(&self, broker: &str) -> String {
        let model = &self.loopback.analysis.model;
        let address = |id: BrokerId| self.loopback.address(&model.broker(id).name.value);
        let login =
            self.example.user.map(|(user, variable)| login(user, &Loopback::secret(variable))).unwrap_or_default();
        match self.loopback.broker(broker).pair.map(|pair| model.pair(pair)) {
            Some(pair) => {
                let (master, slave) = (address(pair.master.value), address(pair.slave.value));
                format!("failover:({master},{slave})?randomize=false&{login}")
            }
            // Without failover a client stays where it is, also when brokers push lists.
            None => format!("{}?{login}", self.loopback.address(broker)),
        }
    }

    /// Where one who sends at this broker connects: as the file of a client says that goes there first, if there is one.
    fn sender_uri(&self, broker: &str) -> String {
        let model = &self.loopback.analysis.model;
        let goes_there = |client: &&Client| {
            let first = node(model, client.dialer.brokers[0].broker);
            model.broker(first).name.value == broker && !shuffles(&client.dialer)
        };
        let Some(client) = model.clients.iter().find(goes_there) else { return self.uri(broker) };
        let properties = self.client_properties(client);
        assert_eq!(properties.get("requestQueue").map(String::as_str), Some(self.example.requests));
        properties["brokerUrl"].clone()
    }

    fn client_properties(&self, client: &Client) -> BTreeMap<String, String> {
        let site = &self.loopback.analysis.model.site(client.dialer.site).name.value;
        let folder = self.loopback.dir().join(site).join(&client.dialer.name.value);
        self.java.load_properties(&folder.join("client.properties")).unwrap()
    }

    /// Every way works: one consumer at a time, a request from each broker that reaches it.
    fn requests_arrive(&self) {
        let all = self.ways();
        for to in all.iter().map(|way| &way.to).collect::<BTreeSet<_>>() {
            let ways: Vec<&Way> = all.iter().filter(|way| way.to == *to).collect();
            let receiver = self.java.receiver(&self.uri(to), self.example.requests).unwrap();
            receiver.wait_ready(PATIENCE).unwrap();
            for way in &ways {
                self.java.send(&self.sender_uri(&way.from), self.example.requests, &[&way.from], PATIENCE).unwrap();
            }
            let messages = receiver.wait_messages(ways.len(), PATIENCE).unwrap();
            let mut arrived: Vec<(&str, usize)> =
                messages.iter().map(|message| (message.text.as_deref().unwrap(), message.path.len())).collect();
            arrived.sort_unstable();
            let expected: Vec<(&str, usize)> = ways.iter().map(|way| (way.from.as_str(), way.hops)).collect();
            assert_eq!(arrived, expected, "what came to {to}: who sent it, and over how many bridges");
            receiver.close(PATIENCE).unwrap();
            self.wait_no_demand();
        }
    }

    /// Waits until no bridge forwards for a consumer that is gone: what it forwards then has lost a hop for nothing.
    fn wait_no_demand(&self) {
        for broker in self.brokers.values() {
            broker.wait_for("forget the consumer", PATIENCE, |log| demands(log).is_empty()).unwrap();
        }
    }
}

/// The subscriptions that the bridges of a broker hold for consumers elsewhere, by its log at level debug.
fn demands(log: &str) -> BTreeSet<&str> {
    let mut open = BTreeSet::new();
    for line in log.lines() {
        if let Some(id) = between(line, " new demand subscription: DemandSub{", ",remotes") {
            open.insert(id);
        } else if let Some(id) = between(line, " removed DemandSub{", ",remotes") {
            open.remove(id);
        }
    }
    // The first of each bridge is for advisories, and stays.
    open.retain(|id| !id.ends_with(":1:1:1"));
    open
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    Some(text.split_once(before)?.1.split_once(after)?.0)
}

fn ids(model: &Model) -> impl Iterator<Item = BrokerId> {
    (0..u32::try_from(model.brokers.len()).unwrap()).map(BrokerId)
}

/// The part of a client's URI that logs it in. The client decodes the whole before it looks for `&`, then each part.
fn login(user: &str, password: &str) -> String {
    let encoded = |text: &str| match text {
        "&" => "%2526".to_owned(),
        text => text.bytes().map(|byte| format!("%{byte:02X}")).collect(),
    };
    let encoded = |text: &str| text.chars().map(|c| encoded(c.encode_utf8(&mut [0; 4]))).collect::<String>();
    format!("jms.userName={}&jms.password={}", encoded(user), encoded(password))
}

/// The ways of an example as its table says: both directions, and from each broker to itself.
fn written_ways(example: &Example, brokers: impl Iterator<Item = String>) -> BTreeSet<Way> {
    let way = |from: &str, to: &str, hops| Way { from: from.to_owned(), to: to.to_owned(), hops };
    let there_and_back = |&(a, b, hops): &(&str, &str, usize)| [way(a, b, hops), way(b, a, hops)];
    let own = brokers.map(|name| way(&name, &name, 0));
    example.ways.iter().flat_map(there_and_back).chain(own).collect()
}

fn every_example(release: &str) {
    for example in STARTED {
        let mut running = Running::start(example, release);
        println!("{} on {release}: {:?} until all bridges were up", example.name, running.since.elapsed());
        let (masters, _) = running.masters_and_slaves();
        assert_eq!(running.ways(), written_ways(example, masters.into_iter()), "{}", example.name);
        running.requests_arrive();
        match example.name {
            "hub-and-spoke" => slaves_take_over(&mut running),
            "dynamic-failover" => a_client_follows_the_list(&mut running),
            "brokers-only" => users_are_known(&running),
            _ => {}
        }
        println!("{} on {release}: {:?} in all", example.name, running.since.elapsed());
    }
}

/// The hub's slave, then a spoke's: every bridge and every way is there again.
fn slaves_take_over(running: &mut Running<'_>) {
    for (master, slave) in [("hub-a", "hub-b"), ("spoke-1a", "spoke-1b")] {
        running.fail_over(master, slave);
        running.requests_arrive();
    }
}

/// A client that was given one broker goes on at another when that dies: the brokers have told it of each other.
fn a_client_follows_the_list(running: &mut Running<'_>) {
    let client = &running.loopback.analysis.model.clients[0];
    let uri = running.client_properties(client)["brokerUrl"].clone();
    let consumer = running.java.receiver(&uri, "ORDERS").unwrap();
    consumer.wait_ready(PATIENCE).unwrap();
    running.brokers.remove("A1").unwrap().kill();
    // The brokers that are left share their clients out anew, and one that has just come is moved on at once. A message that was on
    // its way to where it was stays there, as ActiveMQ takes none back to a broker that it has passed; the next one arrives.
    let text = until("what is sent after the death of A1 arrives", || {
        running.java.send(&running.uri("B2"), "ORDERS", &["after A1"], PATIENCE).unwrap();
        consumer.wait_messages(1, ONE_MESSAGE).ok()?.remove(0).text
    });
    assert_eq!(text, "after A1");
}

/// Users log in with the secrets of the environment, and with nothing else.
fn users_are_known(running: &Running<'_>) {
    let at = |broker: &str, login: &str| {
        let uri = format!("{}?{login}", running.loopback.address(broker));
        running.java.send(&uri, "LOCAL.TEST", &["hello"], PATIENCE)
    };
    at("amq-n", &login("orders", &Loopback::secret("ORDERS_PASSWORD"))).unwrap();
    for (broker, who) in [
        ("amq-n", login("orders", "${ORDERS_PASSWORD}")),
        ("amq-n", login("orders", &Loopback::secret("BRIDGE_PASSWORD"))),
        ("amq-e", login("orders", &Loopback::secret("ORDERS_PASSWORD"))),
        ("amq-w", String::new()),
    ] {
        let refused = at(broker, &who).unwrap_err().to_string();
        assert!(refused.contains("SecurityException"), "{broker} {who}: {refused}");
    }
}

/// How many requests are with a consumer that dies.
const UNDER_WAY: usize = 300;

/// Requests that a broker got from another for a consumer that then dies go on to the consumer at a third.
fn requests_follow_their_consumer(release: &str) {
    let example = STARTED.iter().find(|example| example.name == "three-sites").unwrap();
    let running = Running::start(example, release);
    let folder = running.loopback.dir().join("doomed");
    fs::create_dir(&folder).unwrap();
    let doomed = Java::start(&folder).unwrap();
    let receiver = doomed.receiver(&running.uri("amq-e"), example.requests).unwrap();
    receiver.wait_ready(PATIENCE).unwrap();
    let send = |texts: &[&str]| running.java.send(&running.uri("amq-n"), example.requests, texts, PATIENCE).unwrap();
    send(&["first"]);
    receiver.wait_messages(1, PATIENCE).unwrap();

    // From here on it takes requests and acknowledges none.
    let stopped = Command::new("kill").args(["-STOP", &doomed.pid().to_string()]).status().unwrap();
    assert!(stopped.success());
    let texts: Vec<String> = (0..UNDER_WAY).map(|number| number.to_string()).collect();
    send(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    doomed.kill();
    let receiver = running.java.receiver(&running.uri("amq-w"), example.requests).unwrap();
    let messages = until(&format!("no request is left at amq-e, on {release}"), || {
        let messages = receiver.messages();
        let arrived: BTreeSet<&str> = messages.iter().filter_map(|message| message.text.as_deref()).collect();
        texts.iter().all(|text| arrived.contains(text.as_str())).then_some(messages)
    });
    let moved = messages.iter().filter(|message| message.path.len() == 2).count();
    println!("{moved} of {UNDER_WAY} on {release} went by amq-e");
    assert!(moved > 0, "none was at amq-e when its consumer died, on {release}");
}

#[test]
fn requests_follow_a_consumer_round_a_ring() {
    ["5.15.16", "6.3.1"].iter().for_each(|release| requests_follow_their_consumer(release));
}

#[test]
fn every_example_works_on_5_15_16() {
    every_example("5.15.16");
}

#[test]
fn every_example_works_on_5_18_3() {
    every_example("5.18.3");
}

#[test]
fn every_example_works_on_6_3_1() {
    every_example("6.3.1");
}

/// Every release that a file may be written for here, and the examples that have an element which it does not know.
const TARGETED: &[(&str, &[&str])] = &[
    // `locker` and `publishedAddressPolicy` are newer.
    ("5.6.0", &["brokers-only", "dynamic-failover", MULTICAST]),
    ("5.15.16", &[]),
    ("5.17.6", &[]),
    ("5.18.3", &[]),
    ("6.3.1", &[]),
];

#[test]
fn every_activemq_xml_is_valid_for_every_release() {
    for (release, cannot) in TARGETED {
        let schema = schema(release).unwrap();
        let second = SecondOpinion::by(&schema);
        let examples = STARTED.iter().map(|example| example.name).chain([MULTICAST]);
        for name in examples {
            let topology = read(name);
            if cannot.contains(&name) {
                let diagnostics = topology.analyze(&topology.on_release(release)).diagnostics;
                let said = diagnostics.iter().any(|diagnostic| diagnostic.rule.name == "attribute-too-new");
                assert!(said, "{name} on {release}: {diagnostics:#?}");
                continue;
            }
            check_files(&topology.compile(&topology.on_release(release)), &schema, &second);
        }
    }
}

fn check_files(analysis: &Analysis, schema: &Schema, second: &SecondOpinion) {
    let dir = tempfile::tempdir().unwrap();
    let artifacts = emit::artifacts(analysis.checked().unwrap());
    let files: Vec<_> = artifacts.iter().filter(|artifact| artifact.path.ends_with("activemq.xml")).collect();
    assert_eq!(files.len(), analysis.model.brokers.len());
    for artifact in files {
        let file = dir.path().join("activemq.xml");
        fs::write(&file, &artifact.bytes).unwrap();
        schema.validate(&file).unwrap_or_else(|error| panic!("{}: {error}", artifact.path));
        let complaints = second.complaints(std::str::from_utf8(&artifact.bytes).unwrap());
        assert_eq!(complaints, Vec::<String>::new(), "{} against {schema:?}", artifact.path);
    }
}

#[test]
fn both_validators_refuse_what_a_release_does_not_know() {
    let topology = Topology::of(
        "topology t { activemq = \"6.3.1\" }\nsite s { broker a {\n host = \"a\"; listen openwire { port = 1; auto-start = false }\n} }",
    );
    let analysis = topology.compile("");
    let artifacts = emit::artifacts(analysis.checked().unwrap());
    let xml = std::str::from_utf8(&artifacts[0].bytes).unwrap();
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("activemq.xml"), xml).unwrap();
    for (release, known) in [("5.18.3", false), ("6.3.1", true)] {
        let schema = schema(release).unwrap();
        assert_eq!(schema.validate(&dir.path().join("activemq.xml")).is_ok(), known, "xmllint, {release}");
        assert_eq!(SecondOpinion::by(&schema).complaints(xml).is_empty(), known, "uppsala, {release}");
    }
}

/// What no name should have and some have all the same.
const HOSTILE: &[&str] = &[
    "a & b",
    "&amp;",
    "<tag attribute='x'>",
    "quo\"te",
    "]]>",
    "<![CDATA[x]]>",
    "--> <!-- x",
    "ünïcödé",
    "漢字",
    "😀",
    "back\\slash",
    "#hash",
];

#[test]
fn hostile_names_mean_themselves() {
    let quoted = |name: &str| format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""));
    let queues: String = HOSTILE
        .iter()
        .map(|name| format!("queue {} {{ all-consumers-exclusive-by-default = true }}\n", quoted(name)))
        .collect();
    let users: String = HOSTILE
        .iter()
        .map(|name| format!("user {} {{ password = secret(\"env:HOSTILE\") }}\n", quoted(name)))
        .collect();
    let excluded: Vec<String> = HOSTILE.iter().map(|name| quoted(&format!("queue://{name}"))).collect();
    let all = quoted(&HOSTILE.join(" "));
    // A connector cuts these apart, so topoc refuses them there.
    let reply_queue = HOSTILE.concat().replace([' ', '#'], "");
    let reply = quoted(&reply_queue);
    let text = format!(
        "topology t {{ activemq = \"6.3.1\" }}
site s {{
  broker a {{
    host = \"a\"; broker-name = {all}
    listen openwire {{ port = 61616 }}
    store memory {{}}
    {queues}
    users {{
      {users}
    }}
  }}
  broker b {{ host = \"b\"; listen openwire {{ port = 61616 }}; store memory {{}} }}
  client c {{ brokers = [a]; client-id = \"c\"; reply-queue = {reply} }}
}}
bridge a -> b {{ name = {all}; user = {}; password = secret(\"env:HOSTILE\"); excluded = [{}] }}
",
        quoted(HOSTILE[0]),
        excluded.join(", ")
    );
    let loopback = Loopback::of(&Topology::of(text), "6.3.1");
    let java = Java::start(loopback.dir()).unwrap();

    let xml = fs::read_to_string(loopback.xml("a")).unwrap();
    let document = roxmltree::Document::parse(&xml).unwrap();
    let read = |element: &str, attribute: &str| -> Vec<String> {
        let all = document.descendants().filter(|node| node.has_tag_name((CORE, element)));
        let value = |node: roxmltree::Node<'_, '_>| node.attribute(attribute).unwrap().to_owned();
        // A `#` in front refers to a bean; ActiveMQ reads two as one.
        all.map(value).map(|text| text.strip_prefix('#').map(str::to_owned).unwrap_or(text)).collect()
    };
    let sorted = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    let whole = vec![HOSTILE.join(" ")];
    assert_eq!(BTreeSet::from_iter(read("policyEntry", "queue")), sorted(HOSTILE));
    assert_eq!(read("authenticationUser", "username"), HOSTILE);
    assert_eq!(read("queue", "physicalName"), HOSTILE);
    assert_eq!(read("broker", "brokerName"), whole);
    assert_eq!(read("networkConnector", "name"), whole);
    assert_eq!(read("networkConnector", "userName"), [HOSTILE[0]]);
    let properties = java.load_properties(&loopback.dir().join("s/c/client.properties")).unwrap();
    assert_eq!(properties["replyQueue"], reply_queue);

    let _room = Room::take(1);
    let broker = loopback.start("a");
    broker.wait_started(PATIENCE).unwrap();
    for name in HOSTILE {
        let uri = format!("{}?{}", loopback.address("a"), login(name, &Loopback::secret("HOSTILE")));
        assert_eq!(shares(&java, &uri, name), [0, 4], "{name}: one consumer has it for itself");
    }
    let uri = format!("{}?{}", loopback.address("a"), login(HOSTILE[0], &Loopback::secret("HOSTILE")));
    assert_eq!(shares(&java, &uri, "plain"), [2, 2], "a queue without a policy");
}

/// How many of four messages each of two consumers gets, in order of size.
fn shares(java: &Java, uri: &str, queue: &str) -> [usize; 2] {
    let receivers = [(); 2].map(|()| {
        let receiver = java.receiver(uri, queue).unwrap();
        receiver.wait_ready(PATIENCE).unwrap();
        receiver
    });
    java.send(uri, queue, &["1", "2", "3", "4"], PATIENCE).unwrap();
    until(&format!("all messages of {queue} have come"), || {
        let mut shares = [0, 1].map(|index: usize| receivers[index].messages().len());
        shares.sort_unstable();
        (shares[0] + shares[1] == 4).then_some(shares)
    })
}

/// A validator in pure Rust, which knows the element `broker` only: Spring's schema is none of ActiveMQ's.
struct SecondOpinion(XsdValidator);

impl SecondOpinion {
    fn by(schema: &Schema) -> Self {
        let file = schema.activemq();
        let text = fs::read_to_string(&file).unwrap();
        Self(XsdValidator::from_schema_with_base_path(&uppsala::parse(&text).unwrap(), Some(&file)).unwrap())
    }

    fn complaints(&self, xml: &str) -> Vec<String> {
        let document = roxmltree::Document::parse(xml).unwrap();
        let broker = document.descendants().find(|node| node.has_tag_name((CORE, "broker"))).unwrap();
        let document = uppsala::parse(&xml[broker.range()]).unwrap();
        self.0.validate(&document).into_iter().map(|error| error.to_string()).collect()
    }
}
