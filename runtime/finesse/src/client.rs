//! One client of a Finesse cluster: it chooses the server, keeps a session for each agent, sends their requests, and tells what
//! has changed.
//!
//! [`topoc_finesse_proto`] decides: [`cluster`](topoc_finesse_proto::cluster) which server is in use,
//! [`session`](topoc_finesse_proto::session) what becomes of one agent, [`line`](topoc_finesse_proto::line) which request goes
//! when. Here is one task that asks the servers how they are, and one for each agent.
//!
//! ```no_run
//! use std::time::Duration;
//! use topoc_finesse::client::{Client, Login, Node, Options, Told};
//! use topoc_finesse_proto::rest::{Command, Credentials};
//! use topoc_finesse_proto::secret::Secret;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let tls = topoc_tls::TlsConfig::default().build()?;
//! let nodes = [Node::new("fin-a.example.test"), Node::new("fin-b.example.test")];
//! let client = Client::start(&nodes, &tls, Options::default());
//! let password = Secret::new("secret");
//! let login = Login::new("1001", Credentials::Basic { user: "1001".to_owned(), password });
//! let (agent, mut told) = client.agent(login)?;
//! let sign_in = Command::SignIn { agent: "1001".to_owned(), extension: "2001".to_owned(), mobile: None };
//! println!("{:?}", agent.ask(sign_in, None, Duration::from_secs(30)).await?);
//! while let Some(Told::Change(change)) = told.recv().await {
//!     println!("{change:?}");
//! }
//! # Ok(())
//! # }
//! ```

mod agent;
mod dice;
mod domain;
mod driver;
mod renewal;
mod watcher;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout_at};
use topoc_finesse_proto::cluster::{Judgement, NodeId, Settings, Turns, Who};
use topoc_finesse_proto::line::{LineOptions, Outcome, Trouble, Why};
use topoc_finesse_proto::rest::{Command, Credentials, NoId, Origin, Request};
use topoc_finesse_proto::xmpp::jid::JidError;
use topoc_finesse_proto::xmpp::options::{Options as SessionOptions, Transport};
use topoc_tls::tokio_rustls::rustls::ClientConfig;

pub use agent::{Agent, Login, Told};

use crate::{rest, xmpp};
use domain::Domain;
use watcher::{Confirmed, Orders, Signal};

/// How many signs of agents wait for the task that judges servers.
const SIGNS: usize = 1024;

/// A server of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its name: what is connected to, and what its certificate is for.
    pub host: String,
    /// Its XMPP domain, where that is not the one that its `SystemInfo` names (`xmppDomain`).
    pub domain: Option<String>,
    /// The port of REST.
    pub rest_port: u16,
    /// How its notification service is reached.
    pub transport: Transport,
    /// The port of its notification service.
    pub xmpp_port: u16,
    /// The path of its notification service, for WebSocket and BOSH.
    pub xmpp_path: String,
}

impl Node {
    /// A server with the ports of release 12.5 and later: REST at 8445, XMPP within TLS at 5223.
    #[must_use]
    pub fn new(host: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            domain: None,
            rest_port: topoc_finesse_proto::rest::DEFAULT_PORT,
            transport: Transport::DirectTls,
            xmpp_port: 5223,
            xmpp_path: "/".to_owned(),
        }
    }
}

/// What can be chosen of a client.
#[derive(Clone, Debug)]
pub struct Options {
    /// How servers are judged, and the product that they belong to.
    pub cluster: Settings,
    /// How connections for REST are used.
    pub rest: rest::Options,
    /// How each agent's line of requests behaves.
    pub line: LineOptions,
    /// How sessions behave. Their transport is that of the server.
    pub session: SessionOptions,
    /// How much that is told of an agent may wait to be taken. When it is full, the agent's notifications wait at the server.
    pub told: usize,
}

impl Default for Options {
    /// As each part has it; 64 things that are told.
    fn default() -> Self {
        Self {
            cluster: Settings::default(),
            rest: rest::Options::default(),
            line: LineOptions::default(),
            session: SessionOptions::new(Transport::DirectTls),
            told: 64,
        }
    }
}

/// What is known of the servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The server that agents use.
    pub used: Option<NodeId>,
    /// What each server is judged to be, in order of preference.
    pub judgements: Vec<Judgement>,
}

/// A client of one cluster. It ends when it and all its agents are dropped.
#[derive(Debug)]
pub struct Client {
    shared: Arc<Shared>,
}

/// A server, as the tasks of agents use it.
#[derive(Debug)]
struct Place {
    rest: rest::Server,
    xmpp: xmpp::Server,
    domain: Domain,
    transport: Transport,
}

/// What all agents share.
#[derive(Debug)]
struct Shared {
    places: Vec<Place>,
    options: Options,
    began: Instant,
    tell: mpsc::Sender<Signal>,
    orders: watch::Receiver<Orders>,
    confirmed: watch::Receiver<Confirmed>,
    status: watch::Receiver<Status>,
    /// Of those who have had no session yet.
    turns: Mutex<Turns>,
    next: AtomicU64,
}

impl Shared {
    /// When an agent may open their first session, who could now.
    fn turn(&self) -> Instant {
        // Nobody can panic half way with it.
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        self.began + turns.take(self.began.elapsed())
    }
}

impl Client {
    /// Begins to look after servers, in their order of preference. Must be called on a runtime of tokio.
    #[must_use]
    pub fn start(nodes: &[Node], tls: &Arc<ClientConfig>, options: Options) -> Self {
        let place = |node: &Node| Place {
            rest: rest::Server::new(
                Origin { tls: true, host: node.host.clone(), port: node.rest_port },
                Arc::clone(tls),
                options.rest,
            ),
            xmpp: xmpp::Server::new(&node.host, node.xmpp_port, Arc::clone(tls)).path(&node.xmpp_path),
            domain: Domain::of(node),
            transport: node.transport,
        };
        let places: Vec<Place> = nodes.iter().map(place).collect();
        let servers = places.iter().map(|place| (place.rest.clone(), place.domain.clone())).collect();
        let (tell, told) = mpsc::channel(SIGNS);
        let began = Instant::now();
        let (orders, confirmed, status) = watcher::start(servers, &options.cluster, began, Arc::clone(tls), told);
        let turns = Mutex::new(Turns::new(options.cluster.sessions_per_second));
        let next = AtomicU64::new(0);
        let shared = Shared { places, options, began, tell, orders, confirmed, status, turns, next };
        Self { shared: Arc::new(shared) }
    }

    /// What is known of the servers, now and whenever it changes.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<Status> {
        self.shared.status.clone()
    }

    /// Asks for something once with these credentials, beside any session: over a line of its own, at the server that is in use, or
    /// as soon as there is one. `request_id` as with [`Agent::ask`].
    ///
    /// # Errors
    ///
    /// [`NoId`] if the command has no id where it needs one: nothing is sent.
    pub async fn visit(
        &self,
        command: &Command,
        credentials: &Credentials,
        request_id: Option<String>,
        within: Duration,
    ) -> Result<Outcome, NoId> {
        let request = Request::new(command)?;
        let deadline = Instant::now() + within;
        let mut status = self.status();
        let used = match timeout_at(deadline, status.wait_for(|status| status.used.is_some())).await {
            Ok(Ok(status)) => status.used,
            _ => None,
        };
        let Some(place) = used.and_then(|node| self.shared.places.get(node.0)) else {
            return Ok(Outcome::NotDone(Why::Trouble(Trouble::Told)));
        };
        let (line, _notices) = rest::Agent::new(place.rest.clone(), credentials.header(), self.shared.options.line);
        Ok(line.ask(request, rest::Wish { deadline, request_id, recovery: false }).await)
    }

    /// Looks after an agent from now on: opens a session at the server in use, and tells what changes. Must be called on a runtime
    /// of tokio.
    ///
    /// # Errors
    ///
    /// [`JidError`] if the agent's id or the resource cannot be part of an XMPP address.
    pub fn agent(&self, login: Login) -> Result<(Agent, mpsc::Receiver<Told>), JidError> {
        let who = Who(self.shared.next.fetch_add(1, Ordering::Relaxed));
        driver::start(Arc::clone(&self.shared), who, login)
    }
}
