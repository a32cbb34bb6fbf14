//! A topology made ready for this machine: ports, secrets and files, and how each of its parts is started.

use super::process::Recipe;
use super::simulator::Simulated;
use super::tools::Tools;
use crate::failure::Failure;
use crate::template::Template;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use topoc_compiler::emit::{self, Access};
use topoc_compiler::loopback::{self, Machine};
use topoc_compiler::model::{Model, PairId};
use topoc_compiler::value::Secret;
use topoc_compiler::{Analysis, CheckedModel};
use topoc_plan::Plan;

/// What every secret of the topology is here. One for all, since what a broker and a connector call by different names, or keep in
/// a variable here and in a file there, may be one password. It lives as long as this run.
#[derive(Debug)]
pub(super) struct Secrets {
    value: String,
    /// The variables that hold it.
    variables: BTreeSet<String>,
    /// The file that holds it.
    file: PathBuf,
}

/// A broker or a connector.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) kind: Kind,
    pub(super) site: String,
    pub(super) recipe: Recipe,
    /// Where it can be reached once it is up.
    pub(super) port: u16,
    /// The pair that a broker is a member of: one of them waits for as long as the other one runs.
    pub(super) pair: Option<PairId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Broker,
    Connector,
}

impl Kind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Broker => "broker",
            Self::Connector => "connector",
        }
    }
}

/// A client of the topology, to be played.
#[derive(Debug, Clone)]
pub(super) struct Player {
    pub(super) site: String,
    pub(super) name: String,
    pub(super) access: Access,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
}

/// Ports that nobody had a moment ago.
#[derive(Debug)]
pub(super) struct Ports {
    pub(super) listeners: Vec<Vec<u16>>,
    pub(super) admin: Vec<u16>,
}

impl Ports {
    /// Finds one for each listener and each connector.
    pub(super) fn find(model: &Model) -> io::Result<Self> {
        // All are held until the last one is found, so that no two are the same.
        let mut held = Vec::new();
        let mut some = |count: usize| -> io::Result<Vec<u16>> {
            let listener = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
            let new: Vec<TcpListener> = (0..count).map(|_| listener()).collect::<io::Result<_>>()?;
            let ports = new.iter().map(|one| Ok(one.local_addr()?.port())).collect();
            held.extend(new);
            ports
        };
        let listeners = model.brokers.iter().map(|broker| some(broker.listeners.len())).collect::<io::Result<_>>()?;
        Ok(Self { listeners, admin: some(model.connectors.len())? })
    }
}

/// The overlay that puts the topology on this machine, with the release that is here.
pub(super) fn overlay(
    model: &Model,
    ports: &Ports,
    simulated: Option<&Simulated>,
    folder: &Path,
    tools: &Tools,
) -> String {
    let stores = folder.join("stores");
    let nodes = simulated.map_or(&[][..], |simulated| &simulated.nodes);
    let xmpp = |node: usize| model.finesse.get(node).and_then(|one| one.xmpp.as_ref()).map(|set| set.value.as_str());
    let finesse: Vec<(u16, u16)> =
        nodes.iter().enumerate().map(|(index, node)| (node.rest, node.xmpp(xmpp(index)))).collect();
    let machine = Machine {
        stores: &stores.to_string_lossy(),
        listeners: &ports.listeners,
        finesse: &finesse,
        finesse_roots: simulated.map(|simulated| simulated.ca.as_str()),
        admin: &ports.admin,
    };
    let topology = &model.topology.name;
    format!("override topology {topology} {{ activemq = \"{}\" }}\n", tools.activemq.release)
        + &loopback::overlay(model, &machine)
}

/// Writes every file below the folder, and says how each part is started. Brokers come first.
pub(super) fn parts(
    analysis: &Analysis,
    ports: &Ports,
    folder: &Path,
    tools: &Tools,
    template: Option<&Template>,
) -> Result<(Vec<Part>, Secrets), Failure> {
    let Some(checked) = analysis.checked() else {
        return Err(Failure::new("the topology cannot be run on one machine").help("see what was found above"));
    };
    let dist = folder.join("dist");
    let mut variables = BTreeSet::new();
    for artifact in emit::artifacts(checked) {
        let path = dist.join(&artifact.path);
        write(&path, &artifact.bytes)?;
        if path.extension().is_some_and(|extension| extension == "xml") {
            variables.extend(named(&String::from_utf8_lossy(&artifact.bytes)));
        }
    }
    let mut plans = emit::plans(checked);
    variables.extend(plans.iter().flat_map(variables_of));
    let secrets = Secrets { value: drawn(), variables, file: folder.join("secret") };
    secrets.write()?;
    let mut parts = brokers(checked, ports, &dist, tools, &secrets);
    for ((plan, port), template) in plans.iter_mut().zip(&ports.admin).zip(template.into_iter().cycle()) {
        settle(plan, &secrets);
        parts.push(connector(plan, *port, &dist, template, &secrets)?);
    }
    tell_apart(parts.iter_mut().map(|part| (part.site.as_str(), &mut part.recipe.name)));
    Ok((parts, secrets))
}

/// Has a connector find on this machine what the topology has elsewhere: files with secrets. Certificates for brokers it needs
/// none, as nothing here listens within TLS.
fn settle(plan: &mut Plan, secrets: &Secrets) {
    plan.tls.broker_roots = None;
    plan.tls.broker_identity = None;
    let password = plan.login.password.iter_mut();
    let token = plan.admin.iter_mut().flat_map(|admin| &mut admin.token);
    let sync = plan.deployment.iter_mut().flat_map(|deployment| &mut deployment.sync_keys);
    for secret in password.chain(token).chain(sync) {
        if let topoc_plan::Secret::File(path) = secret {
            *path = secrets.file.to_string_lossy().into_owned();
        }
    }
}

/// Names are unique at a site only: where two have the same, both are called by their sites, too.
fn tell_apart<'a>(named: impl IntoIterator<Item = (&'a str, &'a mut String)>) {
    let named: Vec<(&str, &mut String)> = named.into_iter().collect();
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for (_, name) in &named {
        *count.entry(name.to_string()).or_default() += 1;
    }
    for (site, name) in named {
        if count[name] > 1 {
            *name = format!("{site}.{name}");
        }
    }
}

fn brokers(checked: CheckedModel<'_>, ports: &Ports, dist: &Path, tools: &Tools, secrets: &Secrets) -> Vec<Part> {
    let model = checked.model();
    let brokers = model.brokers.iter().zip(&ports.listeners);
    let parts = brokers.map(|(broker, ports)| {
        let name = broker.name.value.clone();
        let site = model.site(broker.site).name.value.clone();
        let folder = dist.join(&site).join(&name);
        let recipe = Recipe {
            program: tools.java.clone(),
            arguments: tools.activemq.arguments(&folder.join("activemq.xml"), &folder),
            environment: environment(secrets),
            log: folder.join("output.log"),
            folder,
            name,
        };
        Part { kind: Kind::Broker, site, recipe, port: ports.first().copied().unwrap_or_default(), pair: broker.pair }
    });
    parts.collect()
}

fn connector(plan: &Plan, port: u16, dist: &Path, template: &Template, secrets: &Secrets) -> Result<Part, Failure> {
    let name = plan.connector.clone();
    let folder = dist.join(&plan.site).join(&name);
    let program = folder.join(&name);
    write(&program, &template.with(plan)?.get())?;
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755))
        .map_err(|error| Failure::system("make a program of", &program, &error))?;
    let (log, environment) = (folder.join("output.log"), environment(secrets));
    let recipe = Recipe { name, program, arguments: vec!["run".into()], environment, folder, log };
    Ok(Part { kind: Kind::Connector, site: plan.site.clone(), recipe, port, pair: None })
}

/// Java reads variables as the locale says; without one it knows ASCII only.
fn environment(secrets: &Secrets) -> Vec<(String, String)> {
    let locale = [("LC_ALL".to_owned(), "C.UTF-8".to_owned())];
    locale.into_iter().chain(secrets.variables.iter().map(|name| (name.clone(), secrets.value.clone()))).collect()
}

impl Secrets {
    /// Where those that are kept in files are: for nobody else.
    fn write(&self) -> Result<(), Failure> {
        let open = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.file);
        open.and_then(|mut file| file.write_all(self.value.as_bytes()))
            .map_err(|error| Failure::system("write", &self.file, &error))
    }

    /// What a password is here; none where it stands in the topology, which does not keep it.
    fn of(&self, password: &Secret) -> Option<String> {
        match password {
            Secret::Env(_) | Secret::File(_) => Some(self.value.clone()),
            Secret::Literal => None,
        }
    }
}

/// The clients, in the model's order.
pub(super) fn players(analysis: &Analysis, secrets: &Secrets) -> Vec<Player> {
    let Some(checked) = analysis.checked() else { return Vec::new() };
    let model = checked.model();
    let clients = model.clients.iter().zip(emit::accesses(checked));
    let player = |(client, access): (&topoc_compiler::model::Client, Access)| Player {
        site: model.site(client.dialer.site).name.value.clone(),
        name: client.dialer.name.value.clone(),
        access,
        user: client.dialer.user.as_ref().map(|user| user.value.clone()),
        password: client.dialer.password.as_ref().and_then(|password| secrets.of(&password.value)),
    };
    let mut players: Vec<Player> = clients.map(player).collect();
    tell_apart(players.iter_mut().map(|player| (player.site.as_str(), &mut player.name)));
    players
}

/// The variables that a broker's file names, other than those that are set for every broker.
fn named(text: &str) -> impl Iterator<Item = String> + '_ {
    let names = text.split("${").skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name);
    names.filter(|name| !name.contains('.')).map(str::to_owned)
}

fn variables_of(plan: &Plan) -> Vec<String> {
    let env = plan.secrets().filter_map(|(_, secret)| match secret {
        topoc_plan::Secret::Env(name) => Some(name.clone()),
        topoc_plan::Secret::File(_) => None,
    });
    env.collect()
}

/// 64 hexadecimal digits: long enough for a key, and fit for XML, URIs and bodies.
fn drawn() -> String {
    (0..4).map(|_| format!("{:016x}", fastrand::u64(..))).collect()
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let folder: PathBuf = path.parent().map(Path::to_owned).unwrap_or_default();
    fs::create_dir_all(&folder).map_err(|error| Failure::system("make", &folder, &error))?;
    fs::write(path, bytes).map_err(|error| Failure::system("write", path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_lab_sets_is_no_secret() {
        let text = "<a b=\"${activemq.data}\" c=\"${BRIDGE_PASSWORD}\" d=\"${X}\"/>";
        assert_eq!(named(text).collect::<Vec<_>>(), ["BRIDGE_PASSWORD", "X"]);
    }
}
