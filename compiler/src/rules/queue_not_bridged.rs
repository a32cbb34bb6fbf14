//! TOPO0219 queue-not-bridged: a bridge that keeps back requests or replies that have to cross it.

use super::crossing::{carries, homes};
use super::{Check, Context, FixKind, Level, Rule, bridges};
use crate::destination::{self, means_queue};
use crate::diagnostic::{Diagnostic, Edit, Loc, Report, Safety};
use crate::dispatch::{REPLIES, replies_of};
use crate::model::{Bridge, BrokerId, Client, Connector, DeploymentId};
use crate::network::{Edge, Ways, node, node_name};
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use topoc_dsl::Span;
use topoc_dsl::syntax::quote;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0219",
    name: "queue-not-bridged",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "a bridge that keeps back requests or replies that have to cross it",
    page: include_str!("queue_not_bridged.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    let choosy = |bridge: &Bridge| !bridge.excluded.is_empty() || !list(bridge).is_empty();
    if context.model.incomplete || !context.model.bridges.iter().any(choosy) {
        return;
    }
    let mut search = Search::of(context);
    for client in context.model.clients.iter().filter(|client| !client.dialer.damaged) {
        search.client(client);
    }
    for (at, kept) in &search.kept {
        report.add(found(context, *at, kept));
    }
}

/// What keeps a queue back, and whose messages those are.
struct Kept<'a> {
    bridge: &'a Bridge,
    /// The entry of `excluded`; none where the queue is missing in the list of what may cross.
    excluded: Option<&'a str>,
    /// What would have to be in the list.
    missing: BTreeSet<String>,
    queue: String,
    reply: bool,
    client: &'a str,
    from: BrokerId,
    connector: &'a str,
    to: BrokerId,
}

/// A connector at a broker where it is at home.
#[derive(Clone, Copy)]
struct Home<'a> {
    to: BrokerId,
    deployment: DeploymentId,
    connector: &'a Connector,
}

/// The next bridge of the shortest way to one broker, for every broker that has such a way. Looked for from the connector's
/// end: many clients ask, few connectors answer.
type Toward = HashMap<BrokerId, Edge>;

struct Search<'c, 'a> {
    context: &'c Context<'a>,
    homes: BTreeMap<DeploymentId, Vec<Home<'a>>>,
    /// The deployments whose connectors list a broker.
    listed: HashMap<BrokerId, BTreeSet<DeploymentId>>,
    arriving: HashMap<BrokerId, Vec<Edge>>,
    /// Over all bridges, whatever they carry.
    toward: HashMap<BrokerId, Toward>,
    /// Over those that carry a queue.
    open: HashMap<(BrokerId, &'a str), Toward>,
    back: HashMap<BrokerId, Ways>,
    /// The connectors that a broker reaches over all bridges, the nearest first; made when somebody asks.
    reached: Option<HashMap<BrokerId, Vec<Home<'a>>>>,
    kept: BTreeMap<Loc, Kept<'a>>,
}

impl<'c, 'a> Search<'c, 'a> {
    fn of(context: &'c Context<'a>) -> Self {
        let mut search = Search {
            context,
            homes: BTreeMap::new(),
            listed: HashMap::new(),
            arriving: HashMap::new(),
            toward: HashMap::new(),
            open: HashMap::new(),
            back: HashMap::new(),
            reached: None,
            kept: BTreeMap::new(),
        };
        for connector in context.model.connectors.iter().filter(|connector| !connector.dialer.damaged) {
            let Some((deployment, _)) = connector.deployment else { continue };
            let homes = homes(context.model, connector).map(|to| Home { to, deployment, connector });
            search.homes.entry(deployment).or_default().extend(homes);
            for endpoint in &connector.dialer.brokers {
                search.listed.entry(node(context.model, endpoint.broker)).or_default().insert(deployment);
            }
        }
        for edge in context.network.edges() {
            search.arriving.entry(edge.to).or_default().push(*edge);
        }
        search
    }

    fn client(&mut self, client: &'a Client) {
        let model = self.context.model;
        let brokers: BTreeSet<BrokerId> =
            client.dialer.brokers.iter().map(|endpoint| node(model, endpoint.broker)).collect();
        let near: BTreeSet<DeploymentId> =
            brokers.iter().filter_map(|broker| self.listed.get(broker)).flatten().copied().collect();
        for from in brokers {
            let asked = if near.is_empty() { self.heard(from) } else { near.clone() };
            let homes = asked.iter().filter_map(|deployment| self.homes.get(deployment)).flatten();
            let homes: Vec<Home<'a>> = homes.filter(|home| home.to != from).copied().collect();
            for home in homes {
                self.requests(client, from, home);
                self.replies(client, from, home);
            }
        }
    }

    /// For a client that shares no broker with a connector: the deployments that it reaches, else the nearest one.
    fn heard(&mut self, from: BrokerId) -> BTreeSet<DeploymentId> {
        let reached = self.reached_by(from);
        let open = reached.iter().filter(|home| self.is_open(from, **home));
        let open: BTreeSet<DeploymentId> = open.map(|home| home.deployment).collect();
        match (open.is_empty(), reached.first()) {
            (true, Some(nearest)) => BTreeSet::from([nearest.deployment]),
            _ => open,
        }
    }

    fn reached_by(&mut self, from: BrokerId) -> Vec<Home<'a>> {
        if self.reached.is_none() {
            let mut reached: HashMap<BrokerId, Vec<(usize, Home<'a>)>> = HashMap::new();
            for home in self.homes.values().flatten() {
                let toward = toward(&self.arriving, home.to, |_| true);
                for broker in toward.keys() {
                    reached.entry(*broker).or_default().push((way(&toward, *broker).len(), *home));
                }
            }
            let nearest_first = |(broker, mut homes): (BrokerId, Vec<(usize, Home<'a>)>)| {
                homes.sort_by_key(|(length, home)| (*length, home.to));
                (broker, homes.into_iter().map(|(_, home)| home).collect())
            };
            self.reached = Some(reached.into_iter().map(nearest_first).collect());
        }
        self.reached.as_ref().and_then(|reached| reached.get(&from)).cloned().unwrap_or_default()
    }

    fn queue(&self, deployment: DeploymentId) -> &'a str {
        let found = self.context.model.deployments.get(deployment.index());
        found.map_or("", |deployment| deployment.requests.as_str())
    }

    fn is_open(&mut self, from: BrokerId, home: Home<'a>) -> bool {
        let (model, queue) = (self.context.model, self.queue(home.deployment));
        let open = || toward(&self.arriving, home.to, |edge| carries(model, *edge, queue));
        self.open.entry((home.to, queue)).or_insert_with(open).contains_key(&from)
    }

    fn requests(&mut self, client: &'a Client, from: BrokerId, home: Home<'a>) {
        if !self.is_open(from, home) {
            let all = || toward(&self.arriving, home.to, |_| true);
            let way = way(self.toward.entry(home.to).or_insert_with(all), from);
            self.blame(&way, self.queue(home.deployment), false, (client, from), home);
        }
    }

    fn replies(&mut self, client: &'a Client, from: BrokerId, home: Home<'a>) {
        let context = self.context;
        let back = self.back.entry(home.to).or_insert_with(|| context.network.ways_over(home.to, |_| true));
        // Where no bridge leads back at all, no-return-path says so.
        let Some(way) = back.to(from).filter(|_| client.temporary_replies.is_none()) else { return };
        let queue = replies_of(client);
        let open = |edge: &Edge| carries(context.model, *edge, &queue);
        let shut: Vec<Edge> = way.into_iter().filter(|edge| !open(edge)).collect();
        // What has been found for one client is not looked for again for the next.
        let news = shut.iter().any(|edge| !self.is_known(*edge, &queue));
        if news && !context.network.ways_over(home.to, open).reaches(from) {
            self.blame(&shut, &queue, true, (client, from), home);
        }
    }

    fn is_known(&self, edge: Edge, queue: &str) -> bool {
        let at = bridges::of(self.context, edge.bridge).and_then(|bridge| keeper(bridge, queue)).map(|(at, _)| *at);
        at.and_then(|at| self.kept.get(&at))
            .is_some_and(|kept| kept.excluded.is_some() || kept.missing.contains(&to_add(queue, true)))
    }

    fn blame(
        &mut self,
        way: &[Edge],
        queue: &str,
        reply: bool,
        (client, from): (&'a Client, BrokerId),
        Home { connector, to, .. }: Home<'a>,
    ) {
        for edge in way.iter().filter(|edge| !carries(self.context.model, **edge, queue)) {
            let Some(bridge) = bridges::of(self.context, edge.bridge) else { continue };
            // A static bridge that is told of nothing has a rule of its own.
            let Some((at, excluded)) = keeper(bridge, queue) else { continue };
            let kept = self.kept.entry(*at).or_insert_with(|| Kept {
                bridge,
                excluded,
                missing: BTreeSet::new(),
                queue: queue.to_owned(),
                reply,
                client: &client.dialer.name.value,
                from,
                connector: &connector.dialer.name.value,
                to,
            });
            kept.missing.insert(to_add(queue, reply));
        }
    }
}

/// Where it is written that a bridge keeps a queue back: the entry of `excluded`, or the last of what may cross.
fn keeper<'b>(bridge: &'b Bridge, queue: &str) -> Option<(&'b Loc, Option<&'b str>)> {
    let excluded = bridge.excluded.iter().find(|(_, text)| means_queue(text, queue));
    let excluded = excluded.map(|(at, text)| (at, Some(text.as_str())));
    excluded.or_else(|| list(bridge).last().map(|(at, _)| (at, None)))
}

/// What a list has to have for a queue: one pattern for the replies of all clients.
fn to_add(queue: &str, reply: bool) -> String {
    if reply && queue.starts_with(REPLIES) { format!("{REPLIES}>") } else { queue.to_owned() }
}

/// The shortest ways to a broker over bridges that are open.
fn toward(arriving: &HashMap<BrokerId, Vec<Edge>>, to: BrokerId, open: impl Fn(&Edge) -> bool) -> Toward {
    let mut toward = Toward::new();
    let mut queue = VecDeque::from([to]);
    while let Some(at) = queue.pop_front() {
        for edge in arriving.get(&at).into_iter().flatten().filter(|edge| edge.from != to && open(edge)) {
            if let Entry::Vacant(entry) = toward.entry(edge.from) {
                entry.insert(*edge);
                queue.push_back(edge.from);
            }
        }
    }
    toward
}

/// The bridges from a broker on, in order; none where there is no way.
fn way(toward: &Toward, from: BrokerId) -> Vec<Edge> {
    std::iter::successors(toward.get(&from), |edge| toward.get(&edge.to)).copied().collect()
}

/// The list of what alone may cross a bridge, or is all that does.
fn list(bridge: &Bridge) -> &[(Loc, String)] {
    if bridge.is_static() { &bridge.fixed } else { &bridge.dynamic }
}

fn found(context: &Context<'_>, at: Loc, kept: &Kept<'_>) -> Diagnostic {
    let name = |broker| node_name(context.model, broker);
    let title = bridges::title(context.model, kept.bridge);
    let (near, far) = (name(kept.from), name(kept.to));
    let who = match kept.reply {
        false => format!("requests of `{}` at `{near}` to `{}` at `{far}`", kept.client, kept.connector),
        true => format!("replies of `{}` at `{far}` to `{}` at `{near}`", kept.connector, kept.client),
    };
    let diagnostic = Diagnostic::new(&RULE, at, format!("bridge `{title}` keeps back {who}"));
    let queue = &kept.queue;
    if let Some(entry) = kept.excluded {
        let diagnostic = diagnostic
            .here(format!("`{queue}` never crosses"))
            .help(format!("take it out of `excluded`, or write a pattern that does not mean `{queue}`"));
        // A pattern may be there for other queues as well.
        let edit = removal(context, at).filter(|_| destination::read(entry).1 == queue);
        return match edit {
            Some(edit) => diagnostic.fix_all("let it cross", Safety::Unsafe, vec![edit]),
            None => diagnostic,
        };
    }
    let names: Vec<String> = kept.missing.iter().map(|name| format!("`\"{name}\"`")).collect();
    let diagnostic = diagnostic
        .here(format!("`{queue}` is not in this list"))
        .help(format!("add {} to the list", names.join(" and ")));
    match additions(context, at, kept) {
        Some(edit) => diagnostic.fix_all("let it cross", Safety::Unsafe, vec![edit]),
        None => diagnostic,
    }
}

/// Takes an entry out of a list, with the comma that parts it from the next or from the one before.
fn removal(context: &Context<'_>, entry: Loc) -> Option<Edit> {
    let text = &context.sources.file(entry.file)?.text;
    let (start, end) = (entry.span.start as usize, entry.span.end as usize);
    let (before, behind) = (text.get(..start)?.trim_end(), text.get(end..)?.trim_start());
    let (start, end) = match (behind.strip_prefix(','), before.strip_suffix(',')) {
        (Some(next), _) => (start, text.len() - next.trim_start().len()),
        (None, Some(last)) => (last.len(), end),
        (None, None) if before.ends_with('[') => (start, end),
        (None, None) => return None,
    };
    Some(Edit { at: Loc { file: entry.file, span: Span::new(start, end) }, text: String::new().into() })
}

/// Adds what is missing behind the last entry of a list, or makes a list of a single text.
fn additions(context: &Context<'_>, last: Loc, kept: &Kept<'_>) -> Option<Edit> {
    let entry = context.sources.text(last);
    let before = context.sources.file(last.file)?.text.get(..last.span.start as usize)?.trim_end();
    let prefix = if entry.contains("://") { "queue://" } else { "" };
    let added: String = kept.missing.iter().map(|name| format!(", {}", quote(&format!("{prefix}{name}")))).collect();
    let text = match before.ends_with(['[', ',']) {
        true => format!("{entry}{added}"),
        false => format!("[{entry}{added}]"),
    };
    entry.starts_with('"').then_some(Edit { at: last, text: text.into() })
}
