//! A Cisco Finesse cluster for those who have none: REST, XMPP, agents, calls, and everything that can break.
//!
//! [`Simulator::start`] runs one in this process. [`cluster`] is the contact centre itself, as a value without sockets.

mod certificates;
pub mod cluster;
pub mod commands;
mod control;
mod cors;
pub mod forms;
mod http;
mod hub;
mod listen;
mod rest;
pub mod scenario;
mod xmpp;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use certificates::Authority;
use cluster::{Cluster, Config, Health, Service};
pub use cors::Cors;
use hub::Hub;
use listen::{Door, serve};
use xmpp::{bosh, stream, web};

/// Why a simulator does not start.
#[derive(Debug)]
pub struct SimError(String);

impl fmt::Display for SimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SimError {}

/// How a simulator is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// The contact centre. Its ports are set by the start.
    pub config: Config,
    /// The first port; without one the system chooses them.
    pub port_base: Option<u16>,
    /// How much quicker simulated time goes than ours.
    pub speed: f64,
    /// Where the certificate of the authority is written; without a place, to a temporary file that ends with the simulator.
    pub ca: Option<PathBuf>,
    /// Pages of which origins browsers let use REST and BOSH.
    pub cors: Cors,
}

impl Options {
    /// So many agents on so many nodes, all else as by default.
    #[must_use]
    pub fn new(agents: usize, nodes: usize) -> Self {
        let hosts: Vec<String> = (1..=nodes).map(|node| format!("finesse{node}.localhost")).collect();
        let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
        Self { config: Config::new(agents, &hosts), port_base: None, speed: 1.0, ca: None, cors: Cors::All }
    }
}

/// Ports of one node, in this order behind its first.
const PORTS: [&str; 5] = ["rest", "http", "tls", "starttls", "web"];

/// A simulator that runs. It ends when it is dropped.
pub struct Simulator {
    hub: Arc<Hub>,
    announcement: Arc<Value>,
    tasks: JoinSet<()>,
    _folder: Option<tempfile::TempDir>,
}

impl Simulator {
    /// Opens every port, makes certificates, and begins. Needs a runtime of tokio with time and sockets.
    ///
    /// # Errors
    /// [`SimError`] when a port cannot be had, or the certificate cannot be written.
    pub async fn start(options: Options) -> Result<Self, SimError> {
        let Options { mut config, port_base, speed, ca, cors } = options;
        let authority = Authority::new().map_err(|error| SimError(format!("no certificates: {error}")))?;
        let (path, folder) = written(&authority, ca)?;
        let mut ports = port_base.map(|base| base..=u16::MAX);
        let mut listeners = Vec::new();
        for _ in &config.hosts {
            let mut node = Vec::new();
            for _ in PORTS {
                node.push(listener(&mut ports).await?);
            }
            listeners.push(node);
        }
        let control = listener(&mut ports).await?;
        let numbers: Vec<Vec<u16>> = listeners.iter().map(|node| node.iter().map(port).collect()).collect();
        config.ports = numbers.iter().map(|node| [node[0], node[4], node[2]]).collect();
        let announcement = Arc::new(announcement(&config, &numbers, port(&control), &path));
        let hosts = config.hosts.clone();
        let hub = Hub::new(|now| Cluster::new(config, now), speed, cors);
        let mut tasks = JoinSet::new();
        for (node, listeners) in listeners.into_iter().enumerate() {
            let tls = authority.node(&hosts[node]).map_err(|error| SimError(format!("no certificate: {error}")))?;
            serve_node(&mut tasks, &hub, node, listeners, &tls);
        }
        let (of, told) = (Arc::clone(&hub), Arc::clone(&announcement));
        // Nothing breaks the control API.
        let (always, health) = watch::channel(Health::Up);
        let up = health.clone();
        let serving = serve(control, health, move |stream| {
            control::connection(Arc::clone(&of), Arc::clone(&told), stream, up.clone())
        });
        tasks.spawn(async move {
            serving.await;
            drop(always);
        });
        let of = Arc::clone(&hub);
        tasks.spawn(async move { of.tick().await });
        Ok(Self { hub, announcement, tasks, _folder: folder })
    }

    /// Where everything is: what the program prints on its first line.
    #[must_use]
    pub fn announcement(&self) -> &Value {
        &self.announcement
    }

    /// Carries out a command of the control API.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence.
    pub fn command(&self, name: &str, fields: &Map<String, Value>) -> Result<Value, String> {
        self.hub.with(|cluster, now| commands::run(cluster, now, name, fields))
    }

    /// What the control API gives as the state, with everybody in it.
    #[must_use]
    pub fn state(&self) -> Value {
        self.hub.with(|cluster, now| commands::state(cluster, now, true))
    }

    /// What the control API gives as the journal: the requests that were accepted behind this number.
    #[must_use]
    pub fn journal(&self, behind: u64) -> Vec<cluster::Entry> {
        self.hub.with(|cluster, _| cluster.journal(behind).cloned().collect())
    }

    /// Carries out the steps of a scenario, each at its time after now, and then does nothing for ever.
    pub async fn play(&self, steps: Vec<scenario::Step>) {
        let began = tokio::time::Instant::now();
        for step in steps {
            tokio::time::sleep_until(began + self.hub.real(step.at)).await;
            match self.command(&step.command, &step.fields) {
                Ok(_) => tracing::info!(command = step.command, "the scenario goes on"),
                Err(error) => tracing::warn!(command = step.command, "the scenario: {error}"),
            }
        }
        std::future::pending::<()>().await;
    }

    /// Ends every connection and closes every port.
    pub async fn stop(mut self) {
        self.hub.shut();
        self.tasks.shutdown().await;
    }
}

/// Sessions of BOSH and WebSocket are tasks of their own, which end by this.
impl Drop for Simulator {
    fn drop(&mut self) {
        self.hub.shut();
    }
}

fn serve_node(
    tasks: &mut JoinSet<()>,
    hub: &Arc<Hub>,
    node: usize,
    listeners: Vec<TcpListener>,
    tls: &Arc<tokio_rustls::rustls::ServerConfig>,
) {
    let https = listeners.first().map_or(0, port);
    for (listener, name) in listeners.into_iter().zip(PORTS) {
        let service = if matches!(name, "rest" | "http") { Service::Tomcat } else { Service::Notification };
        let health = hub.health(node, service);
        let door = Door { hub: Arc::clone(hub), node, tls: Arc::clone(tls), health: health.clone() };
        match name {
            "rest" => tasks.spawn(serve(listener, health, move |stream| rest::connection(door.clone(), stream))),
            "http" => tasks.spawn(serve(listener, health, move |stream| rest::redirect(door.clone(), https, stream))),
            "tls" => tasks.spawn(serve(listener, health, move |stream| stream::direct(door.clone(), stream))),
            "starttls" => tasks.spawn(serve(listener, health, move |stream| stream::starttls(door.clone(), stream))),
            _ => {
                let sessions = bosh::Sessions::new(node);
                let open = move |stream| web::connection(door.clone(), Arc::clone(&sessions), stream);
                tasks.spawn(serve(listener, health, open))
            }
        };
    }
}

async fn listener(ports: &mut Option<std::ops::RangeInclusive<u16>>) -> Result<TcpListener, SimError> {
    let port = match ports {
        None => 0,
        Some(ports) => {
            ports.next().ok_or_else(|| SimError("there are no ports behind 65535: begin lower".to_owned()))?
        }
    };
    listen::bind(port).await.map_err(|error| SimError(format!("cannot listen on 127.0.0.1:{port}: {error}")))
}

fn port(listener: &TcpListener) -> u16 {
    listener.local_addr().map_or(0, |address| address.port())
}

fn written(authority: &Authority, ca: Option<PathBuf>) -> Result<(PathBuf, Option<tempfile::TempDir>), SimError> {
    let (path, folder) = match ca {
        Some(path) => (path, None),
        None => {
            let folder = tempfile::Builder::new().prefix("finesse-sim-").tempdir();
            let folder = folder.map_err(|error| SimError(format!("no temporary folder: {error}")))?;
            (folder.path().join("ca.pem"), Some(folder))
        }
    };
    std::fs::write(&path, authority.pem())
        .map_err(|error| SimError(format!("cannot write `{}`: {error}", path.display())))?;
    Ok((path, folder))
}

fn announcement(config: &Config, ports: &[Vec<u16>], control: u16, ca: &std::path::Path) -> Value {
    let nodes: Vec<Value> = config
        .hosts
        .iter()
        .zip(ports)
        .map(|(host, ports)| {
            json!({
                "host": host,
                "rest": format!("https://localhost:{}", ports[0]),
                "http": format!("http://localhost:{}", ports[1]),
                "xmpp": {
                    "tls": format!("localhost:{}", ports[2]),
                    "starttls": format!("localhost:{}", ports[3]),
                    "ws": format!("wss://localhost:{}/ws", ports[4]),
                    "bosh": format!("https://localhost:{}/http-bind", ports[4]),
                },
            })
        })
        .collect();
    json!({
        "nodes": nodes,
        "control": format!("http://localhost:{control}"),
        "ca": ca,
        "agents": {"first": "1001", "count": config.agents, "firstExtension": "2001", "password": config.password},
        "supervisors": {"first": "sup1", "count": config.agents.div_ceil(config.team_size.max(1))},
    })
}
