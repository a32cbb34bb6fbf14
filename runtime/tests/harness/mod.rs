//! What tests of the connector share: a broker, a simulated contact centre, the program with a plan in it, and a client.

#![allow(dead_code, reason = "each file of tests uses what it needs")]
#![allow(clippy::unwrap_used, reason = "a helper of a test may panic as the test itself may")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;
use topoc_finesse_sim::Simulator;
use topoc_lab::{Broker, PATIENCE, Plain, ports, release};
use topoc_openwire::{AckMode, Connection, Consumer, Delivery, Destination, Outgoing, Producer, Session};
use topoc_plan::{
    Address, Admin, Brokers, Listed, LogFormat, Login, Node, Notifications, Options, Plan, Requests, Secret, Tls,
    encode, slot,
};

/// The queue of requests.
pub(crate) const REQUESTS: &str = "GC.REQUESTS";
/// The password of all agents of the simulator, which nothing else is spelled like (see `runtime/lab/unmistakable-secrets`).
pub(crate) const PASSWORD: &str = "Zx9-unmistakable";
/// The password of the connector at the brokers.
pub(crate) const MOON: &str = "Rw5-unforgettable";

/// An empty folder of this file of tests.
pub(crate) fn folder(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("connector-{}-{name}", env!("CARGO_CRATE_NAME")));
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    dir
}

/// A broker that knows the user `gc`, in a folder; at a port of its own if there is none given.
pub(crate) fn broker(dir: &Path, port: u16) -> Broker {
    let plain = Plain::new("amq-1").tcp(port).user("gc", MOON).persistent();
    let broker = plain.start(&release("6.3.1").unwrap(), dir).unwrap();
    broker.wait_started(PATIENCE).unwrap();
    broker
}

pub(crate) fn port() -> u16 {
    ports(1).unwrap()[0]
}

/// Two nodes whose names can be resolved, and which the certificates are for.
pub(crate) async fn centre(agents: usize) -> Simulator {
    let mut options = topoc_finesse_sim::Options::new(agents, 2);
    options.config.hosts = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    PASSWORD.clone_into(&mut options.config.password);
    Simulator::start(options).await.unwrap()
}

/// Lets both nodes answer later, by so many milliseconds.
pub(crate) fn slow(sim: &Simulator, ms: u64) {
    for node in [1, 2] {
        drop(sim.command("slow", json!({"node": node, "ms": ms}).as_object().unwrap()).unwrap());
    }
}

/// A connector's plan for brokers on loopback and the simulator.
pub(crate) fn plan(ports: &[u16], sim: &Simulator) -> Plan {
    let address = |port: &u16| {
        let options = Options::from([("wireFormat.maxInactivityDuration".to_owned(), "10000".to_owned())]);
        Address { scheme: "tcp".to_owned(), host: "127.0.0.1".to_owned(), port: *port, options }
    };
    let failover = Options::from([
        ("randomize".to_owned(), "false".to_owned()),
        ("maxReconnectDelay".to_owned(), "500".to_owned()),
        ("timeout".to_owned(), "10000".to_owned()),
    ]);
    let announced = sim.announcement();
    let node = |node: &Value| Node {
        host: node["host"].as_str().unwrap().to_owned(),
        rest_port: behind_colon(&node["rest"]),
        notifications: Notifications::Tcp,
        notifications_port: behind_colon(&node["xmpp"]["tls"]),
    };
    Plan {
        topology: "contact-centre".to_owned(),
        site: "site-1".to_owned(),
        connector: "gc-1".to_owned(),
        deployment: None,
        brokers: Brokers::Listed(Listed { addresses: ports.iter().map(address).collect(), failover: Some(failover) }),
        login: Login { user: Some("gc".to_owned()), password: Some(Secret::Env("GC_PASSWORD".to_owned())) },
        tls: Tls { finesse_roots: Some(announced["ca"].as_str().unwrap().to_owned()), ..Tls::default() },
        requests: Requests {
            queue: REQUESTS.to_owned(),
            priority: 127,
            prefetch: None,
            exclusive: false,
            selector: None,
        },
        finesse: announced["nodes"].as_array().unwrap().iter().map(node).collect(),
        product: topoc_plan::Product::Ucce,
        limits: topoc_plan::Limits::default(),
        admin: None::<Admin>,
        log: LogFormat::Human,
        properties: Vec::new(),
    }
}

fn behind_colon(address: &Value) -> u16 {
    address.as_str().unwrap().rsplit_once(':').unwrap().1.parse().unwrap()
}

/// The program with these bytes in the place of the plan.
pub(crate) fn program(dir: &Path, plan: &[u8]) -> PathBuf {
    let template = fs::read(env!("CARGO_BIN_EXE_topoc-connector")).unwrap();
    let path = dir.join("gc-1");
    fs::write(&path, slot::embed(&template, plan).unwrap()).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn file(dir: &Path, name: &str) -> fs::File {
    fs::File::options().create(true).append(true).open(dir.join(name)).unwrap()
}

/// A connector that runs. It is killed when this is dropped.
pub(crate) struct Running {
    child: Child,
    dir: PathBuf,
}

impl Running {
    /// Starts the program with a plan in a folder.
    pub(crate) fn start(dir: &Path, plan: &Plan) -> Self {
        Self::start_program(&program(dir, &encode(plan)), dir)
    }

    pub(crate) fn start_program(program: &Path, dir: &Path) -> Self {
        Self::start_with(program, dir, "info,topoc_connector=trace")
    }

    fn start_with(program: &Path, dir: &Path, log: &str) -> Self {
        Self::spawn(program, dir, log, file(dir, "stderr"))
    }

    fn spawn(program: &Path, dir: &Path, log: &str, stderr: impl Into<Stdio>) -> Self {
        let mut command = Command::new(program);
        command.arg("run").env("GC_PASSWORD", MOON).env("TOPOC_LOG", log);
        let child = command.stdin(Stdio::null()).stdout(file(dir, "stdout")).stderr(stderr).spawn().unwrap();
        Self { child, dir: dir.to_owned() }
    }

    /// Starts the program with its log on its way to somebody else: this has none then.
    pub(crate) fn start_to(program: &Path, dir: &Path, stderr: impl Into<Stdio>) -> Self {
        Self::spawn(program, dir, "info,topoc_connector=trace", stderr)
    }

    /// Starts the program with a plan in a folder, with its usual log.
    pub(crate) fn start_quiet(dir: &Path, plan: &Plan) -> Self {
        Self::start_with(&program(dir, &encode(plan)), dir, "info")
    }

    /// What is in memory of it, in KB.
    pub(crate) fn resident(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.dir.join("stderr")).unwrap()
    }

    pub(crate) fn terminate(&self) {
        let process = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until it has ended.
    pub(crate) async fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "the connector does not end: {}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A client of the connector, with a topic of its own.
pub(crate) struct Client {
    pub(crate) connection: Connection,
    pub(crate) session: Session,
    producer: Producer,
    events: Consumer,
    replies: Consumer,
    pub(crate) home: Destination,
    reply_to: Destination,
    next: AtomicU64,
    seen: Vec<Value>,
    schema: Arc<Schema>,
}

/// The schema of events.
pub(crate) struct Schema {
    schemas: boon::Schemas,
    index: boon::SchemaIndex,
}

impl Schema {
    pub(crate) fn new() -> Self {
        let mut schemas = boon::Schemas::new();
        let mut compiler = boon::Compiler::new();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/event-1.schema.json");
        let index = compiler.compile(path.to_str().unwrap(), &mut schemas).unwrap();
        Self { schemas, index }
    }

    pub(crate) fn check(&self, event: &Value) {
        let result = self.schemas.validate(event, self.index);
        assert!(result.is_ok(), "{event:#}: {}", result.unwrap_err());
    }
}

impl Client {
    pub(crate) async fn connect(port: u16, name: &str) -> Self {
        Self::dial(&format!("failover:(tcp://127.0.0.1:{port})?maxReconnectDelay=200"), name).await
    }

    pub(crate) async fn dial(uri: &str, name: &str) -> Self {
        let config = topoc_openwire::Config::new(uri).unwrap().user("gc", MOON);
        let connection = config.connect().await.unwrap();
        let session = connection.session(AckMode::Auto).await.unwrap();
        let (home, reply_to) = (Destination::topic(name), Destination::queue(format!("{name}.REPLIES")));
        let events = session.consumer(&home).open().await.unwrap();
        let replies = session.consumer(&reply_to).open().await.unwrap();
        let producer = session.producer(&Destination::queue(REQUESTS)).await.unwrap();
        let (next, seen, schema) = (AtomicU64::new(1), Vec::new(), Arc::new(Schema::new()));
        Self { connection, session, producer, events, replies, home, reply_to, next, seen, schema }
    }

    /// Sends a request, and returns its correlation.
    pub(crate) async fn send(&self, kind: &str, body: impl Into<Outgoing>) -> String {
        let correlation = format!("c-{}", self.next.fetch_add(1, Ordering::Relaxed));
        let outgoing = body.into().message_type(kind).correlation_id(&correlation).reply_to(self.reply_to.clone());
        self.producer.send(outgoing).await.unwrap();
        correlation
    }

    /// Sends as it is, without anything of its own.
    pub(crate) async fn send_bare(&self, outgoing: Outgoing) {
        self.producer.send(outgoing).await.unwrap();
    }

    /// Sends a request and waits for its answer.
    pub(crate) async fn ask(&mut self, kind: &str, body: impl Into<Outgoing>) -> Value {
        let correlation = self.send(kind, body).await;
        let answer = self.reply().await;
        assert_eq!(answer["correlation"], json!(correlation), "{kind}: {answer}");
        answer
    }

    /// The next answer.
    pub(crate) async fn reply(&mut self) -> Value {
        let delivery = self.replies.receive_within(PATIENCE).await.unwrap();
        self.read(&delivery.expect("no answer came"))
    }

    /// Whether an answer is there within a moment.
    pub(crate) async fn reply_within(&mut self, limit: Duration) -> Option<Value> {
        let delivery = self.replies.receive_within(limit).await.unwrap()?;
        Some(self.read(&delivery))
    }

    fn read(&self, delivery: &Delivery) -> Value {
        let event: Value = serde_json::from_str(&delivery.text().unwrap().unwrap()).unwrap();
        self.schema.check(&event);
        assert_eq!(delivery.message_type(), event["event"].as_str(), "{event}");
        assert_eq!(delivery.correlation_id(), event["correlation"].as_str(), "{event}");
        event
    }

    /// Waits for an event that is so; those before it are passed over.
    pub(crate) async fn until(&mut self, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let limit = deadline.saturating_duration_since(Instant::now());
            let delivery = self.events.receive_within(limit).await.unwrap();
            let Some(delivery) = delivery else { panic!("waited in vain for {what}: {:#?}", self.seen) };
            let event = self.read(&delivery);
            self.seen.push(event.clone());
            if is_so(&event) {
                return event;
            }
        }
    }

    /// Waits until the agent is told to be in a state.
    pub(crate) async fn until_state(&mut self, state: &str) -> Value {
        self.until(state, |event| event["event"] == "AgentState" && event["data"]["state"] == state).await
    }

    /// Waits until the agent's part in a call is in a state, and returns the call.
    pub(crate) async fn until_call(&mut self, extension: &str, state: &str) -> Value {
        let is_so = |event: &Value| {
            let parties = event["data"]["dialog"]["participants"].as_array();
            parties.is_some_and(|parties| {
                parties.iter().any(|party| party["address"] == extension && party["state"] == state)
            })
        };
        self.until(&format!("{extension} {state}"), is_so).await["data"]["dialog"].clone()
    }

    /// Everything that was told so far.
    pub(crate) fn seen(&self) -> &[Value] {
        &self.seen
    }

    /// Connects an agent and signs them in.
    pub(crate) async fn sign_in(&mut self, agent: &str, extension: &str) {
        let (home, mark) = (self.home.name().to_owned(), self.seen.len());
        let answer = self.ask(&format!("Connect#{agent}"), text(&format!("{home},{PASSWORD}"))).await;
        assert_eq!(answer["event"], "ConnectStatus", "{answer}");
        let connected = |event: &Value| event["event"] == "ConnectStatus" && event["data"]["status"] == "CONNECTED";
        if answer["data"]["status"] != "CONNECTED" {
            self.until("CONNECTED", connected).await;
        }
        self.does(&format!("Login#{agent}"), text(&format!("{PASSWORD},{extension}"))).await;
        let is_not_ready = |event: &Value| {
            event["agent"] == agent && event["event"] == "AgentState" && event["data"]["state"] == "NOT_READY"
        };
        // Who was signed in is told to be so with the session.
        if !self.seen[mark..].iter().any(is_not_ready) {
            self.until("NOT_READY", is_not_ready).await;
        }
    }

    /// A request that Finesse accepts.
    pub(crate) async fn does(&mut self, kind: &str, body: impl Into<Outgoing>) {
        let answer = self.ask(kind, body).await;
        assert_eq!(answer["event"], "Outcome", "{kind}: {answer}");
        assert_eq!(answer["data"]["outcome"], "accepted", "{kind}: {answer}");
    }

    /// A request that is refused with this code.
    pub(crate) async fn fails(&mut self, kind: &str, body: impl Into<Outgoing>, code: &str) {
        let answer = self.ask(kind, body).await;
        assert_eq!(answer["event"], "Error", "{kind}: {answer}");
        assert_eq!(answer["data"]["code"], code, "{kind}: {answer}");
    }
}

/// A text.
pub(crate) fn text(text: &str) -> Outgoing {
    Outgoing::text(text)
}

/// Nothing.
pub(crate) fn empty() -> Outgoing {
    Outgoing::text("")
}

/// Runs a test that waits; not for ever.
pub(crate) fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(3 * PATIENCE, work).await.expect("the test hangs") })
}

/// Nothing that is a secret stands in what the connector has written.
pub(crate) fn tells_no_secret(dir: &Path) {
    let secrets = include_str!("../../lab/unmistakable-secrets");
    for name in ["stdout", "stderr"] {
        let told = fs::read_to_string(dir.join(name)).unwrap();
        for secret in secrets.lines().filter(|secret| !secret.is_empty()) {
            assert!(!told.contains(secret), "{name} tells `{secret}`");
        }
    }
}
