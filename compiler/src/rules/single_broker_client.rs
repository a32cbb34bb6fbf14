//! TOPO0309 single-broker-client: one broker to connect to where there are several.

use super::{Check, Context, FixKind, Level, Rule, dialled};
use crate::addresses::Addresses;
use crate::diagnostic::{Diagnostic, Edit, Loc, Report, Safety};
use crate::dialling::{self, Dialling};
use crate::model::{Broker, BrokerId, Mode, Model, Remote, SiteId};
use crate::network::node;
use std::collections::{HashMap, HashSet};
use topoc_dsl::Span;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0309",
    name: "single-broker-client",
    level: Level::Warning,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "a client or connector with one broker although another could serve it",
    page: include_str!("single_broker_client.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    if context.model.incomplete {
        return;
    }
    let diallings: Vec<&Dialling<'_>> = dialled::settled(context).collect();
    let network = Requests::of(context, &diallings, context.addresses);
    let mut seen = HashSet::new();
    for &dialling in &diallings {
        let Some(broker) = only_broker(context.model, dialling) else { continue };
        let Some(other) = network.other(context.model, dialling, broker) else { continue };
        let at = place(dialling);
        if seen.insert(at) {
            report.add(found(context, dialling, broker, other, at));
        }
    }
}

/// The one broker that this one knows of: neither a pair, nor one that tells of others.
fn only_broker(model: &Model, dialling: &Dialling<'_>) -> Option<BrokerId> {
    let first = dialling.addresses.first()?;
    let broker = first.broker?;
    let all_there = dialling.addresses.iter().all(|address| address.broker == Some(broker));
    let told =
        first.listener.and_then(|place| model.broker(broker).listeners.get(place)).is_some_and(dialling::pushes_list)
            && dialling.flag("updateURIsSupported").unwrap_or(true);
    (all_there && !told && !is_simplex(model, dialling)).then_some(broker)
}

fn is_simplex(model: &Model, dialling: &Dialling<'_>) -> bool {
    let deployment = dialling.connector.and_then(|connector| connector.deployment);
    deployment.is_some_and(|(id, _)| model.deployments.get(id.index()).is_some_and(|found| found.mode == Mode::Simplex))
}

/// Where requests can come from and go to, bridges and lists of brokers taken together.
struct Requests {
    /// Which network each broker is in: brokers that bridges or somebody's list join.
    network: Vec<usize>,
    /// From here requests reach a connector.
    served: HashSet<BrokerId>,
    /// Here requests arrive.
    asked: HashSet<BrokerId>,
    /// Networks all of whose connectors are of simplex deployments.
    simplex: HashSet<usize>,
    /// Networks with connectors.
    connectors: HashSet<usize>,
    /// Networks with clients.
    clients: HashSet<usize>,
    by_site: HashMap<SiteId, Vec<BrokerId>>,
    by_network: HashMap<usize, Vec<BrokerId>>,
}

impl Requests {
    fn of(context: &Context<'_>, diallings: &[&Dialling<'_>], addresses: &Addresses) -> Self {
        let model = context.model;
        let network = networks(context, diallings, addresses);
        let nodes = |connectors: bool| {
            let these = diallings.iter().filter(move |dialling| dialling.connector.is_some() == connectors);
            these.flat_map(|dialling| brokers(model, dialling)).collect::<Vec<_>>()
        };
        let (from, to) = (nodes(false), nodes(true));
        let of = |brokers: &[BrokerId]| brokers.iter().map(|broker| network[broker.index()]).collect::<HashSet<_>>();
        let redundant: HashSet<usize> = diallings
            .iter()
            .filter(|dialling| dialling.connector.is_some() && !is_simplex(model, dialling))
            .flat_map(|dialling| brokers(model, dialling))
            .map(|broker| network[broker.index()])
            .collect();
        let connectors = of(&to);
        let (mut by_site, mut by_network) = (HashMap::<_, Vec<_>>::new(), HashMap::<_, Vec<_>>::new());
        for (index, broker) in model.brokers.iter().enumerate() {
            let id = BrokerId(u32::try_from(index).unwrap_or(u32::MAX));
            by_site.entry(broker.site).or_default().push(id);
            by_network.entry(network[index]).or_default().push(id);
        }
        Self {
            by_site,
            by_network,
            served: reached(context, &to, false),
            asked: reached(context, &from, true),
            simplex: connectors.difference(&redundant).copied().collect(),
            connectors,
            clients: of(&from),
            network,
        }
    }

    /// Another broker that could do for the one it has: the other member of its pair, else one of its own site, else any.
    fn other(&self, model: &Model, dialling: &Dialling<'_>, broker: BrokerId) -> Option<BrokerId> {
        let here = node(model, broker);
        let network = self.network[here.index()];
        if dialling.connector.is_none() && self.simplex.contains(&network) {
            return None;
        }
        let fits = |other: &BrokerId| {
            let there = node(model, *other);
            let useful = match dialling.connector {
                Some(_) => self.asked.contains(&there) || !self.clients.contains(&network),
                None => self.served.contains(&there) || !self.connectors.contains(&network),
            };
            let usable = dialling::usable_listener(model, *other, None).is_some();
            *other != broker && usable && self.network[there.index()] == network && (there == here || useful)
        };
        let pair = model.broker(broker).pair.map(|pair| model.pair(pair));
        let members = pair.into_iter().flat_map(|pair| [pair.master.value, pair.slave.value]);
        let site = self.by_site.get(&dialling.dialer.site).into_iter().flatten().copied();
        let all = self.by_network.get(&network).into_iter().flatten().copied();
        members.chain(site).chain(all).find(fits)
    }
}

fn brokers(model: &Model, dialling: &Dialling<'_>) -> Vec<BrokerId> {
    dialling.addresses.iter().filter_map(|address| address.broker).map(|broker| node(model, broker)).collect()
}

/// Every broker that messages from (or, backwards, to) one of these can reach.
fn reached(context: &Context<'_>, from: &[BrokerId], forwards: bool) -> HashSet<BrokerId> {
    let mut next: HashMap<BrokerId, Vec<BrokerId>> = HashMap::new();
    for edge in context.network.edges() {
        let (near, far) = if forwards { (edge.from, edge.to) } else { (edge.to, edge.from) };
        next.entry(near).or_default().push(far);
    }
    let mut reached: HashSet<BrokerId> = from.iter().copied().collect();
    let mut todo: Vec<BrokerId> = from.to_vec();
    while let Some(at) = todo.pop() {
        let neighbours = next.get(&at).into_iter().flatten();
        todo.extend(neighbours.filter(|far| reached.insert(**far)));
    }
    reached
}

/// Gives brokers that hang together one number: those of a bridge, and those of one list.
fn networks(context: &Context<'_>, diallings: &[&Dialling<'_>], addresses: &Addresses) -> Vec<usize> {
    let model = context.model;
    let mut groups: Vec<usize> = (0..model.brokers.len()).collect();
    for dialling in diallings {
        join(&mut groups, &brokers(model, dialling));
    }
    for pair in &model.pairs {
        join(&mut groups, &[pair.master.value, pair.slave.value]);
    }
    for bridge in &model.bridges {
        if let Remote::Broker(far) = &bridge.to {
            join(&mut groups, &[node(model, bridge.from.broker), node(model, far.broker)]);
        }
    }
    for (bridge, raw, uri) in dialled::bridge_lists(context) {
        let members = uri.addresses();
        let dialled = members.iter().filter_map(|member| dialling::dialled(member, &raw.text.value, addresses));
        let mut ends: Vec<BrokerId> = dialled.filter_map(|address| address.broker).collect();
        ends.push(bridge.from.broker);
        join(&mut groups, &ends);
    }
    (0..groups.len()).map(|index| root(&mut groups, index)).collect()
}

fn join(groups: &mut [usize], brokers: &[BrokerId]) {
    for two in brokers.windows(2) {
        let (a, b) = (root(groups, two[0].index()), root(groups, two[1].index()));
        groups[a.max(b)] = a.min(b);
    }
}

/// The number of a group. Shortens the way on the way, so that long chains stay cheap.
fn root(groups: &mut [usize], mut index: usize) -> usize {
    while groups[index] != index {
        groups[index] = groups[groups[index]];
        index = groups[index];
    }
    index
}

/// Where the only broker is named.
fn place(dialling: &Dialling<'_>) -> Loc {
    dialling.dialer.raw.as_ref().map_or(dialling.dialer.brokers_at, |raw| raw.text.at)
}

fn found(context: &Context<'_>, dialling: &Dialling<'_>, broker: BrokerId, other: BrokerId, at: Loc) -> Diagnostic {
    let model = context.model;
    let (only, second) = (model.broker(broker), model.broker(other));
    let message = format!("{} knows broker `{}` and no other", dialling.who(), only.name.value);
    let diagnostic = Diagnostic::new(&RULE, at, message)
        .here(format!("nothing is left when `{}` is down", only.name.value))
        .also(second.at, "this one could serve it as well");
    if dialling.dialer.raw.is_some() {
        return diagnostic.help(format!("add the address of `{}` to the list", second.name.value));
    }
    let pair = only.pair.filter(|_| only.pair == second.pair).map(|pair| model.pair(pair).name.value.clone());
    let (help, fix) = match pair {
        Some(pair) => (format!("write `brokers = [{pair}]`, which is both"), whole(context, dialling, &pair)),
        None => {
            let second = second.pair.map_or_else(|| name(model, second), |pair| model.pair(pair).name.value.clone());
            let written = dialling.dialer.brokers.first().map_or("", |endpoint| context.sources.text(endpoint.at));
            (format!("write `brokers = [{written}, {second}]`"), add(context, dialling, &second))
        }
    };
    let diagnostic = diagnostic.help(help);
    match fix {
        Some(edit) => diagnostic.fix_all("add the second broker", Safety::Unsafe, vec![edit]),
        None => diagnostic,
    }
}

/// The bare name where it is the only one, else with its site.
fn name(model: &Model, broker: &Broker) -> String {
    let same = model.brokers.iter().filter(|other| other.name.value == broker.name.value).count();
    match same {
        1 => broker.name.value.clone(),
        _ => format!("{}.{}", model.site(broker.site).name.value, broker.name.value),
    }
}

/// Another name behind the last of the list, or a list around the only one.
fn add(context: &Context<'_>, dialling: &Dialling<'_>, name: &str) -> Option<Edit> {
    let list = dialling.dialer.brokers_at;
    let last = dialling.dialer.brokers.last()?.at;
    if last == list {
        let only = context.sources.text(list);
        return Some(Edit { at: list, text: format!("[{only}, {name}]").into() });
    }
    let inside = last.file == list.file && list.span.start <= last.span.start && last.span.end <= list.span.end;
    let at = Loc { span: Span::at(last.span.end as usize), ..last };
    inside.then(|| Edit { at, text: format!(", {name}").into() })
}

/// Another list instead of the one that is written.
fn whole(context: &Context<'_>, dialling: &Dialling<'_>, name: &str) -> Option<Edit> {
    let list = dialling.dialer.brokers_at;
    let is_list = context.sources.text(list).starts_with('[');
    let is_name = dialling.dialer.brokers.last().is_some_and(|only| only.at == list);
    (is_list || is_name).then(|| Edit { at: list, text: format!("[{name}]").into() })
}
