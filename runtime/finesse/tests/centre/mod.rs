//! A simulated contact centre with a client of ours, and what that client has told of its agents.

#![allow(dead_code, reason = "each file of tests uses what it needs")]
#![allow(clippy::unwrap_used, reason = "a helper of a test may panic as the test itself may")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use topoc_finesse::client::{Agent, Client, Login, Node, Options, Told};
use topoc_finesse_proto::cluster::NodeId;
use topoc_finesse_proto::dialog::{Action, Dialog};
use topoc_finesse_proto::line::Outcome;
use topoc_finesse_proto::rest::{Answer, Command, Credentials};
use topoc_finesse_proto::secret::Secret;
use topoc_finesse_proto::session::{Change, Connection};
use topoc_finesse_proto::user::{User, UserState};
use topoc_finesse_proto::xmpp::options::Transport;
use topoc_finesse_sim::Simulator;
use topoc_tls::TlsConfig;
use topoc_tls::tokio_rustls::rustls::ClientConfig;

/// Longer than anything here takes on a machine that has other things to do.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What was told of an agent, and what should not have been.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) user: Option<User>,
    pub(crate) dialogs: BTreeMap<String, Dialog>,
    pub(crate) connection: Option<Connection>,
    pub(crate) told: Vec<String>,
    pub(crate) failed: Vec<String>,
    pub(crate) twice: Vec<String>,
    /// How often the agent was told to be in a state that Finesse forced on them: reason 255.
    pub(crate) forced: usize,
    /// How often each call was told to have begun and to be over.
    pub(crate) added: BTreeMap<String, usize>,
    pub(crate) removed: BTreeMap<String, usize>,
}

impl Seen {
    fn take(&mut self, told: Told) {
        self.told.push(format!("{told:?}"));
        match told {
            Told::Change(Change::Agent(user)) => {
                let plain = |user: &User| User { state_change_time: None, ..user.clone() };
                let same = self.user.as_ref().is_some_and(|known| plain(known) == plain(&user));
                self.must(!same, || format!("{:?}", user.state));
                self.forced += usize::from(user.reason_code.as_ref().is_some_and(|reason| reason.code == Some(255)));
                self.user = Some(*user);
            }
            Told::Change(Change::DialogAdded(dialog)) => {
                let id = dialog.id().unwrap().to_owned();
                let new = !self.dialogs.contains_key(&id);
                self.must(new, || format!("added {id}"));
                *self.added.entry(id.clone()).or_default() += 1;
                self.dialogs.insert(id, *dialog);
            }
            Told::Change(Change::DialogChanged(dialog)) => {
                let id = dialog.id().unwrap().to_owned();
                let differs = self.dialogs.get(&id).is_some_and(|known| *known != *dialog);
                self.must(differs, || format!("changed {id}"));
                self.dialogs.insert(id, *dialog);
            }
            Told::Change(Change::DialogRemoved(id)) => {
                let known = self.dialogs.remove(&id).is_some();
                self.must(known, || format!("removed {id}"));
                *self.removed.entry(id).or_default() += 1;
            }
            Told::Change(Change::Connection(connection)) => {
                let same = self.connection == Some(connection);
                self.must(!same, || format!("{connection:?}"));
                self.connection = Some(connection);
            }
            Told::Failed { error, .. } => self.failed.push(error.to_string()),
            Told::Warned(_) | Told::Renewed(_) => {}
        }
    }

    fn must(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.twice.push(what());
        }
    }

    pub(crate) fn state(&self) -> Option<UserState> {
        self.user.as_ref()?.state.clone()
    }
}

/// An agent with what was told of them.
pub(crate) struct Worker {
    pub(crate) id: String,
    pub(crate) extension: String,
    pub(crate) agent: Agent,
    seen: Arc<Mutex<Seen>>,
}

impl Worker {
    fn new(client: &Client, login: Login, extension: String) -> Self {
        let id = login.id.clone();
        let (agent, told) = client.agent(login).unwrap();
        let seen = Arc::new(Mutex::new(Seen::default()));
        tokio::spawn(collect(told, Arc::clone(&seen)));
        Self { id, extension, agent, seen }
    }

    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }

    pub(crate) async fn ask(&self, command: Command) -> Outcome {
        self.agent.ask(command, Some("r-1".to_owned()), PATIENCE).await.unwrap()
    }

    /// The request is accepted.
    pub(crate) async fn does(&self, command: Command) {
        assert_eq!(self.ask(command).await, Outcome::Answer(Answer::Accepted), "{}", self.id);
    }

    pub(crate) fn sign_in(&self) -> Command {
        Command::SignIn { agent: self.id.clone(), extension: self.extension.clone(), mobile: None }
    }

    pub(crate) fn change(&self, state: UserState, reason: Option<i64>) -> Command {
        Command::ChangeState { agent: self.id.clone(), state, reason }
    }

    pub(crate) fn act(&self, dialog: &str, action: Action) -> Command {
        Command::Act { dialog: dialog.to_owned(), extension: self.extension.clone(), action }
    }

    /// Waits until what was told is so.
    pub(crate) async fn until(&self, what: &str, mut is_so: impl FnMut(&Seen) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_so(&self.seen()) {
            assert!(Instant::now() < deadline, "agent {} waited in vain for {what}: {:?}", self.id, self.seen().told);
            sleep(Duration::from_millis(10)).await;
        }
    }

    pub(crate) async fn until_state(&self, state: UserState) {
        self.until(state.as_str(), |seen| seen.state().as_ref() == Some(&state)).await;
    }

    /// The one call, as it is for this agent.
    pub(crate) fn call(&self) -> Option<(String, String)> {
        let seen = self.seen();
        let (id, dialog) = seen.dialogs.first_key_value()?;
        let state = dialog.participant(&self.extension)?.state.as_ref()?;
        Some((id.clone(), state.as_str().to_owned()))
    }

    pub(crate) async fn until_call(&self, state: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some((id, is)) = self.call()
                && is == state
            {
                return id;
            }
            assert!(Instant::now() < deadline, "agent {}: no call is {state}: {:?}", self.id, self.seen().told);
            sleep(Duration::from_millis(10)).await;
        }
    }
}

async fn collect(mut told: mpsc::Receiver<Told>, seen: Arc<Mutex<Seen>>) {
    while let Some(told) = told.recv().await {
        seen.lock().unwrap().take(told);
    }
}

/// A contact centre and a client.
pub(crate) struct Centre {
    pub(crate) sim: Simulator,
    pub(crate) client: Client,
    pub(crate) workers: Vec<Arc<Worker>>,
}

/// The nodes of a simulator, as a client is told of them.
pub(crate) fn nodes(sim: &Simulator) -> Vec<Node> {
    nodes_over(sim, Transport::DirectTls)
}

/// The same, their notification services reached in this way.
pub(crate) fn nodes_over(sim: &Simulator, transport: Transport) -> Vec<Node> {
    let service = match transport {
        Transport::DirectTls => "tls",
        Transport::WebSocket { tls: true } => "ws",
        Transport::Bosh { tls: true } => "bosh",
        Transport::StartTls | Transport::Plain | Transport::WebSocket { .. } | Transport::Bosh { .. } => {
            panic!("the simulator has nothing for {transport:?}")
        }
    };
    let node = |node: &Value| {
        let (rest_port, _) = place(&node["rest"]);
        let (xmpp_port, xmpp_path) = place(&node["xmpp"][service]);
        // The domain is what the server says of itself, which is not its name here.
        Node { rest_port, transport, xmpp_port, xmpp_path, ..Node::new("localhost") }
    };
    sim.announcement()["nodes"].as_array().unwrap().iter().map(node).collect()
}

/// The port and the path of an address that the simulator announces.
fn place(address: &Value) -> (u16, String) {
    let (_, behind) = address.as_str().unwrap().rsplit_once(':').unwrap();
    let (port, path) = behind.split_once('/').unwrap_or((behind, ""));
    (port.parse().unwrap(), format!("/{path}"))
}

/// What believes the simulator's certificates.
pub(crate) fn tls(sim: &Simulator) -> Arc<ClientConfig> {
    let ca = sim.announcement()["ca"].as_str().unwrap();
    TlsConfig::default().roots_file(ca).unwrap().build().unwrap()
}

pub(crate) fn basic(id: &str, password: &str) -> Credentials {
    Credentials::Basic { user: id.to_owned(), password: Secret::new(password) }
}

impl Centre {
    pub(crate) async fn start(options: topoc_finesse_sim::Options, ours: Options) -> Self {
        Self::start_over(Transport::DirectTls, options, ours).await
    }

    pub(crate) async fn start_over(transport: Transport, options: topoc_finesse_sim::Options, ours: Options) -> Self {
        let sim = Simulator::start(options).await.unwrap();
        let client = Client::start(&nodes_over(&sim, transport), &tls(&sim), ours);
        Self { sim, client, workers: Vec::new() }
    }

    /// Agents of the client.
    pub(crate) fn hire(&mut self, count: usize) {
        let password = self.sim.announcement()["agents"]["password"].as_str().unwrap().to_owned();
        for at in self.workers.len()..self.workers.len() + count {
            let id = (1001 + at).to_string();
            let login = Login::new(&id, basic(&id, &password));
            self.workers.push(Arc::new(Worker::new(&self.client, login, (2001 + at).to_string())));
        }
    }

    /// All do something at the same time.
    pub(crate) async fn all<F, D>(&self, does: D)
    where
        D: Fn(Arc<Worker>) -> F,
        F: Future<Output = ()> + Send + 'static,
    {
        let mut all: JoinSet<()> = self.workers.iter().map(|worker| does(Arc::clone(worker))).collect();
        while let Some(done) = all.join_next().await {
            done.unwrap();
        }
    }

    pub(crate) fn command(&self, name: &str, fields: &Value) -> Value {
        self.sim.command(name, fields.as_object().unwrap()).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(crate) fn fault(&self, at: usize, service: &str, on: bool) {
        let fields = json!({"node": at + 1, "service": service});
        drop(self.command(if on { "break" } else { "restore" }, &fields));
    }

    /// Calls an agent from outside: the id of the call.
    pub(crate) fn call(&self, worker: &Worker) -> String {
        let told = self.command("call", &json!({"from": "0170", "to": worker.extension}));
        told["call"].as_str().unwrap().to_owned()
    }

    /// Those outside hang up.
    pub(crate) fn hang_up(&self, call: &str) {
        drop(self.command("hang-up", &json!({"call": call})));
    }

    pub(crate) fn silence(&self, at: usize, service: &str) {
        drop(self.command("break", &json!({"node": at + 1, "service": service, "how": "silent"})));
    }

    /// Signs all in and makes them ready; each gets a call from outside, and answers it.
    pub(crate) async fn all_talk(&self) {
        self.all(|worker| async move {
            worker.does(worker.sign_in()).await;
            worker.until_state(UserState::NotReady).await;
            worker.does(worker.change(UserState::Ready, None)).await;
            worker.until_state(UserState::Ready).await;
        })
        .await;
        for worker in &self.workers {
            self.call(worker);
        }
        self.all(|worker| async move {
            let call = worker.until_call("ALERTING").await;
            worker.does(worker.act(&call, Action::Answer)).await;
            worker.until_call("ACTIVE").await;
            worker.until_state(UserState::Talking).await;
        })
        .await;
    }

    /// Waits until all are at a server, and what was told of them is what the contact centre knows.
    pub(crate) async fn until_right(&self, at: usize) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let wrong = self.differences(at);
            if wrong.is_empty() {
                return;
            }
            assert!(Instant::now() < deadline, "{} differences: {:?}", wrong.len(), &wrong[..wrong.len().min(5)]);
            sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) fn differences(&self, at: usize) -> Vec<String> {
        let state = self.sim.state();
        let agents: BTreeMap<&str, &str> = state["agents"]
            .as_array()
            .unwrap()
            .iter()
            .map(|agent| (agent["agent"].as_str().unwrap(), agent["state"].as_str().unwrap()))
            .collect();
        let mut calls: BTreeMap<(&str, &str), &str> = BTreeMap::new();
        for call in state["calls"].as_array().unwrap() {
            for party in call["parties"].as_array().unwrap().iter().filter(|party| party["state"] != "DROPPED") {
                if let Some(agent) = party["agent"].as_str() {
                    calls.insert((agent, call["call"].as_str().unwrap()), party["state"].as_str().unwrap());
                }
            }
        }
        let mut wrong = Vec::new();
        for worker in &self.workers {
            let seen = worker.seen();
            if seen.connection != Some(Connection::Live(NodeId(at))) {
                wrong.push(format!("{}: {:?}", worker.id, seen.connection));
            }
            let is = seen.state().map(|state| state.as_str().to_owned());
            if is.as_deref() != agents.get(worker.id.as_str()).copied() {
                wrong.push(format!("{} is told to be {is:?} and is {:?}", worker.id, agents.get(worker.id.as_str())));
            }
            let state = |dialog: &Dialog| {
                dialog.participant(&worker.extension).and_then(|one| Some(one.state.as_ref()?.as_str().to_owned()))
            };
            let told: Vec<(&str, Option<String>)> =
                seen.dialogs.iter().map(|(id, dialog)| (id.as_str(), state(dialog))).collect();
            let are: Vec<(&str, Option<String>)> = calls
                .iter()
                .filter(|((agent, _), _)| *agent == worker.id)
                .map(|((_, call), state)| (*call, Some((*state).to_owned())))
                .collect();
            if told != are {
                wrong.push(format!("{} is told to be in {told:?} and is in {are:?}", worker.id));
            }
        }
        wrong
    }

    /// Nothing was told twice.
    pub(crate) fn sound(&self) {
        for worker in &self.workers {
            let seen = worker.seen();
            assert_eq!(seen.twice, Vec::<String>::new(), "agent {}: {:?}", worker.id, seen.told);
        }
    }
}
