//! Everything that a connector goes by: its plan, as properties change it, with every secret and certificate read. All that is wrong
//! is found before any socket is opened.

mod files;
mod problem;
mod secrets;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use topoc_core::connector::Limits;
use topoc_finesse::client;
use topoc_finesse_proto::cluster::{self, Deployment};
use topoc_finesse_proto::xmpp::options::Transport;
use topoc_openwire::Config;
use topoc_plan::{Node, Notifications, Plan, Product};
use topoc_tls::TlsConfig;
use topoc_tls::tokio_rustls::rustls::ClientConfig;

pub use files::{Outside, System};
pub use problem::Problem;

/// The largest body that is inflated, in bytes: requests are far smaller, and what is larger is answered as too long.
const LARGEST_BODY: u64 = 1024 * 1024;
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
        let plan = files::settled(plan, properties, outside)?;
        let mut problems = Vec::new();
        let password = plan.login.password.as_ref();
        let password = password.and_then(|place| secrets::read("the password for the brokers", place, outside, &mut problems));
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
        let limits = limits(&plan);
        let nodes = plan.finesse.iter().map(node).collect();
        match finesse_tls {
            Some(finesse_tls) if problems.is_empty() => Ok(Self { plan, broker, nodes, finesse_tls, limits }),
            _ => Err(problems),
        }
    }

    /// The name of the connector among those of its deployment: names are unique at a site only.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}.{}", self.plan.site, self.plan.connector)
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
