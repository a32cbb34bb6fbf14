//! Everything that a connector goes by: its plan, as properties change it, with every secret and certificate read. All that is wrong
//! is found before any socket is opened.

mod files;
mod problem;
mod secrets;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use topoc_core::connector::Limits;
use topoc_core::deployment::Others;
use topoc_core::sync;
use topoc_core::sync::seal::{Key, Keys};
use topoc_finesse::client;
use topoc_finesse_proto::cluster::{self, Deployment};
use topoc_finesse_proto::xmpp::options::Transport;
use topoc_openwire::Config;
use topoc_plan::{Node, Notifications, Plan, Product};
use topoc_tls::TlsConfig;
use topoc_tls::tokio_rustls::rustls::ClientConfig;
use topoc_tls::tokio_rustls::rustls::crypto::ring;

use crate::admin;

pub use files::settled;
pub use files::{Outside, System};
pub use problem::Problem;

/// The largest body that is inflated, in bytes: requests are far smaller, and what is larger is answered as too long.
const LARGEST_BODY: u64 = 1024 * 1024;
/// So many agents a second are handed over at the end: a server opens as many sessions in that time
/// (`sessions_per_second` of [`cluster::Settings`]).
const HANDED_OVER: usize = 200;
/// How long closing waits for the broker.
const CLOSING: Duration = Duration::from_secs(5);

/// What a connector goes by.
#[derive(Debug)]
pub struct Settings {
    /// The plan, as its own properties and those of a file have changed it.
    pub plan: Plan,
    /// Where brokers are, who one is there, and whom one believes.
    pub broker: Broker,
    /// The Finesse servers, in the order of preference.
    pub nodes: Vec<client::Node>,
    /// Whom one believes to be one.
    pub finesse_tls: Arc<ClientConfig>,
    /// How much is taken in hand.
    pub limits: Limits,
    /// Where operators look; none where nobody may.
    pub admin: Option<admin::Settings>,
    /// What connectors of the deployment seal what they tell each other with; none where there is no key.
    keys: Option<Keys>,
}

/// Who one is at the brokers, and whom one believes.
#[derive(Clone, Debug)]
pub struct Broker {
    /// The user's password.
    password: Option<secrets::Text>,
    user: Option<String>,
    tls: TlsConfig,
}

impl Broker {
    /// How one connects to this URI: as who the plan says.
    ///
    /// # Errors
    /// What cannot be used of the URI.
    pub fn config(&self, uri: &str) -> Result<Config, topoc_openwire::Error> {
        let config = Config::new(uri)?.tls(self.tls.clone()).largest_body(LARGEST_BODY).close_timeout(CLOSING);
        Ok(match (&self.user, &self.password) {
            (Some(user), password) => {
                config.user(user, password.as_ref().map(|text| text.expose().to_owned()).unwrap_or_default())
            }
            (None, _) => config,
        })
    }
}

impl Settings {
    /// Reads everything.
    ///
    /// # Errors
    /// All that is wrong, each with what to do.
    pub fn read(plan: Plan, properties: Option<&Path>, outside: &dyn Outside) -> Result<Self, Vec<Problem>> {
        let plan = settled(plan, properties, outside)?;
        let mut problems = Vec::new();
        let password = plan.login.password.as_ref();
        let password =
            password.and_then(|place| secrets::read("the password for the brokers", place, outside, &mut problems));
        let tls = files::broker_tls(&plan, outside, &mut problems);
        let broker = Broker { user: plan.login.user.clone(), password, tls };
        if let Err(error) = broker.config(&plan.brokers.to_string()) {
            problems.push(files::unusable_uri(&error));
        }
        if plan.finesse.is_empty() {
            let what = "the plan names no Finesse server".to_owned();
            problems.push(Problem::new(what, "write `finesse = [NAME]` in the connector's block, and build it anew"));
        }
        let finesse_tls = files::finesse_tls(&plan, outside, &mut problems);
        let admin = admin(&plan, outside, &mut problems);
        let keys = keys(&plan, outside, &mut problems);
        let limits = limits(&plan);
        let nodes = plan.finesse.iter().map(node).collect();
        match finesse_tls {
            Some(finesse_tls) if problems.is_empty() => {
                Ok(Self { plan, broker, nodes, finesse_tls, limits, admin, keys })
            }
            _ => Err(problems),
        }
    }

    /// The name of the connector among those of its deployment: names are unique at a site only.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}.{}", self.plan.site, self.plan.connector)
    }

    /// Who else there is, for a connector that starts at this moment, since the Unix epoch.
    ///
    /// # Errors
    /// If the machine has no chance to give.
    pub fn others(&self, now: Duration) -> Result<Others, Problem> {
        let Some(deployment) = self.plan.deployment.as_ref().filter(|one| one.connectors.len() > 1) else {
            return Ok(Others::Nobody);
        };
        let mode = match deployment.mode {
            topoc_plan::Mode::Simplex => return Ok(Others::Nobody),
            topoc_plan::Mode::ActivePassive => sync::Mode::ActivePassive,
            topoc_plan::Mode::ActiveActive => sync::Mode::ActiveActive,
        };
        let Some(keys) = self.keys.clone() else { return Ok(Others::Unheard) };
        Ok(Others::Heard(Box::new(sync::Settings {
            deployment: deployment.name.clone(),
            name: self.name(),
            epoch: u64::try_from(now.as_millis()).unwrap_or(u64::MAX),
            connectors: deployment.connectors.iter().map(|peer| format!("{}.{}", peer.site, peer.connector)).collect(),
            mode,
            priority: self.plan.requests.priority,
            keys,
            chance: chance()?,
            times: sync::Times::default(),
            agents: self.limits.agents.saturating_mul(deployment.connectors.len()),
            batch: HANDED_OVER,
        })))
    }

    /// How the Finesse servers are used.
    #[must_use]
    pub fn finesse_options(&self) -> client::Options {
        let deployment = match self.plan.product {
            Product::Ucce => Deployment::Ucce,
            Product::Uccx => Deployment::Uccx,
        };
        client::Options { cluster: cluster::Settings { deployment, ..Default::default() }, ..Default::default() }
    }
}

/// Bytes that nobody can foretell, of the provider of TLS.
fn chance<const N: usize>() -> Result<[u8; N], Problem> {
    let mut bytes = [0; N];
    let filled = ring::default_provider().secure_random.fill(&mut bytes);
    let help = "look why the system has no random numbers (`getrandom`)";
    filled.map(|()| bytes).map_err(|_| Problem::new("the system gives no chance".to_owned(), help))
}

fn keys(plan: &Plan, outside: &dyn Outside, problems: &mut Vec<Problem>) -> Option<Keys> {
    let places = &plan.deployment.as_ref()?.sync_keys;
    let mut read = places.iter().filter_map(|place| {
        let what = "the key of what connectors tell each other";
        let text = secrets::read(what, place, outside, problems)?;
        Key::read(text.expose())
            .map_err(|error| {
                let what = format!("what is in {} is not {what}", secrets::shown(place));
                problems.push(Problem::new(what, error.to_string()));
            })
            .ok()
    });
    let (first, other) = (read.next(), read.next());
    first.map(|first| Keys { first, other })
}

fn admin(plan: &Plan, outside: &dyn Outside, problems: &mut Vec<Problem>) -> Option<admin::Settings> {
    let told = plan.admin.as_ref()?;
    let token = match &told.token {
        Some(place) => {
            let text = secrets::read("the token of the admin interface", place, outside, problems)?;
            match admin::Token::new(text.expose()) {
                Ok(token) => Some(token),
                Err(error) => {
                    problems.push(Problem::new(error.to_string(), "put such a token where the plan says that it is"));
                    return None;
                }
            }
        }
        None => None,
    };
    let help = "change `admin` in the topology, and build the connector anew";
    let told = admin::Settings::new(&told.address.to_string(), token);
    told.map_err(|error| problems.push(Problem::new(error.to_string(), help))).ok()
}

/// What the plan says of limits, and the machine's own where it says nothing.
fn limits(plan: &Plan) -> Limits {
    let own = Limits::default();
    let told = |told: Option<u32>, own: usize| told.map_or(own, |number| usize::try_from(number).unwrap_or(usize::MAX));
    Limits {
        requests: told(plan.limits.requests, own.requests),
        requests_of_agent: told(plan.limits.requests_of_agent, own.requests_of_agent),
        agents: told(plan.limits.agents, own.agents),
        ..own
    }
}

/// A server as the client of Finesse is told of it. Paths as Cisco writes them (Cisco Finesse Developer Guide, "Connect to XMPP over
/// HTTP (BOSH/WebSocket)").
fn node(node: &Node) -> client::Node {
    let (transport, path) = match node.notifications {
        Notifications::Tcp => (Transport::DirectTls, "/"),
        Notifications::Websocket => (Transport::WebSocket { tls: true }, "/ws/"),
        Notifications::Bosh => (Transport::Bosh { tls: true }, "/http-bind/"),
    };
    client::Node {
        rest_port: node.rest_port,
        transport,
        xmpp_port: node.notifications_port,
        xmpp_path: path.to_owned(),
        ..client::Node::new(&node.host)
    }
}
