//! TOPO0219 queue-not-bridged: a bridge that keeps back requests or replies that have to cross it.

use super::crossing::{carries, homes};
use super::{Check, Context, FixKind, Level, Rule, bridges};
use crate::destination::{self, means_queue};
use crate::diagnostic::{Diagnostic, Edit, Loc, Report, Safety};
use crate::dispatch::{REPLIES, replies_of};
use crate::model::{Bridge, BrokerId, Client, Connector, DeploymentId, SettingsExt};
use crate::network::{Edge, Ways, node, node_name};
use std::collections::{BTreeMap, BTreeSet, HashMap};
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
    deployment: DeploymentId,
    connector: &'a Connector,
}

struct Search<'c, 'a> {
    context: &'c Context<'a>,
    homes: HashMap<BrokerId, Vec<Home<'a>>>,
    /// The deployments whose connectors list a broker.
    listed: HashMap<BrokerId, BTreeSet<DeploymentId>>,
    /// Ways over all bridges, whatever they carry.
    ways: HashMap<BrokerId, Ways>,
    /// Ways over those that carry a queue.
    open: HashMap<(BrokerId, &'a str), Ways>,
    kept: BTreeMap<Loc, Kept<'a>>,
}

impl<'c, 'a> Search<'c, 'a> {
    fn of(context: &'c Context<'a>) -> Self {
        let mut homes_at: HashMap<BrokerId, Vec<Home<'a>>> = HashMap::new();
        let mut listed: HashMap<BrokerId, BTreeSet<DeploymentId>> = HashMap::new();
        for connector in context.model.connectors.iter().filter(|connector| !connector.dialer.damaged) {
            let Some((deployment, _)) = connector.deployment else { continue };
            for home in homes(context.model, connector) {
                homes_at.entry(home).or_default().push(Home { deployment, connector });
            }
            for endpoint in &connector.dialer.brokers {
                listed.entry(node(context.model, endpoint.broker)).or_default().insert(deployment);
            }
        }
        let (ways, open, kept) = (HashMap::new(), HashMap::new(), BTreeMap::new());
        Self { context, homes: homes_at, listed, ways, open, kept }
    }

    fn client(&mut self, client: &'a Client) {
        let model = self.context.model;
        let brokers: BTreeSet<BrokerId> =
            client.dialer.brokers.iter().map(|endpoint| node(model, endpoint.broker)).collect();
        let near: BTreeSet<DeploymentId> =
            brokers.iter().filter_map(|broker| self.listed.get(broker)).flatten().copied().collect();
        for from in brokers {
            let asked = if near.is_empty() { self.heard(from) } else { near.clone() };
            let homes: Vec<(BrokerId, Home<'a>)> =
                self.reached(from).into_iter().filter(|(_, home)| asked.contains(&home.deployment)).collect();
            for (to, home) in homes {
                self.requests(client, from, to, home);
                self.replies(client, from, to, home);
            }
        }
    }

    /// The connectors behind bridges, whatever those carry; the nearest first.
    fn reached(&mut self, from: BrokerId) -> Vec<(BrokerId, Home<'a>)> {
        let ways = ways_from(self.context, &mut self.ways, from);
        let mut reached: Vec<(usize, BrokerId)> = ways
            .reached()
            .into_iter()
            .filter(|to| self.homes.contains_key(to))
            .map(|to| (ways.to(to).map_or(0, |way| way.len()), to))
            .collect();
        reached.sort_unstable();
        let homes = reached
            .into_iter()
            .flat_map(|(_, to)| self.homes.get(&to).into_iter().flatten().map(move |home| (to, *home)));
        homes.collect()
    }

    /// For a client that shares no broker with a connector: the deployments that it reaches, else the nearest one.
    fn heard(&mut self, from: BrokerId) -> BTreeSet<DeploymentId> {
        let reached = self.reached(from);
        let open: BTreeSet<DeploymentId> = reached
            .iter()
            .filter(|(to, home)| self.is_open(from, *to, *home))
            .map(|(_, home)| home.deployment)
            .collect();
        match (open.is_empty(), reached.first()) {
            (true, Some((_, nearest))) => BTreeSet::from([nearest.deployment]),
            _ => open,
        }
    }

    fn queue(&self, deployment: DeploymentId) -> &'a str {
        let found = self.context.model.deployments.get(deployment.index());
        found.map_or("", |deployment| deployment.requests.as_str())
    }

    fn is_open(&mut self, from: BrokerId, to: BrokerId, home: Home<'a>) -> bool {
        let (context, queue) = (self.context, self.queue(home.deployment));
        let open = || context.network.ways_over(from, |edge| carries(context.model, *edge, queue));
        self.open.entry((from, queue)).or_insert_with(open).reaches(to)
    }

    fn requests(&mut self, client: &'a Client, from: BrokerId, to: BrokerId, home: Home<'a>) {
        if !self.is_open(from, to, home) {
            let way = ways_from(self.context, &mut self.ways, from).to(to).unwrap_or_default();
            let queue = self.queue(home.deployment);
            self.blame(&way, queue, false, (client, from), (home.connector, to));
        }
    }

    fn replies(&mut self, client: &'a Client, from: BrokerId, to: BrokerId, home: Home<'a>) {
        let context = self.context;
        // Where no bridge leads back at all, no-return-path says so.
        let back = ways_from(context, &mut self.ways, to).to(from);
        let Some(way) = back.filter(|_| client.temporary_replies.is_none()) else { return };
        let queue = replies_of(client);
        let open = |edge: &Edge| carries(context.model, *edge, &queue);
        if !way.iter().all(open) && !context.network.ways_over(to, open).reaches(from) {
            self.blame(&way, &queue, true, (client, from), (home.connector, to));
        }
    }

    fn blame(
        &mut self,
        way: &[Edge],
        queue: &str,
        reply: bool,
        (client, from): (&'a Client, BrokerId),
        (connector, to): (&'a Connector, BrokerId),
    ) {
        for edge in way.iter().filter(|edge| !carries(self.context.model, **edge, queue)) {
            let Some(bridge) = bridges::of(self.context, edge.bridge) else { continue };
            let excluded = bridge.excluded.iter().find(|(_, text)| means_queue(text, queue));
            // A static bridge that is told of nothing has a rule of its own.
            let Some((at, text)) = excluded.or_else(|| list(bridge).last()) else { continue };
            let kept = self.kept.entry(*at).or_insert_with(|| Kept {
                bridge,
                excluded: excluded.map(|_| text.as_str()),
                missing: BTreeSet::new(),
                queue: queue.to_owned(),
                reply,
                client: &client.dialer.name.value,
                from,
                connector: &connector.dialer.name.value,
                to,
            });
            let usual = reply && queue.starts_with(REPLIES);
            kept.missing.insert(if usual { format!("{REPLIES}>") } else { queue.to_owned() });
        }
    }
}

/// The list of what alone may cross a bridge, or is all that does.
fn list(bridge: &Bridge) -> &[(Loc, String)] {
    if bridge.settings.bool("staticBridge") == Some(true) { &bridge.fixed } else { &bridge.dynamic }
}

fn ways_from<'w>(context: &Context<'_>, known: &'w mut HashMap<BrokerId, Ways>, from: BrokerId) -> &'w Ways {
    known.entry(from).or_insert_with(|| context.network.ways_over(from, |_| true))
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
    Some(Edit { at: Loc { file: entry.file, span: Span::new(start, end) }, text: String::new() })
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
    entry.starts_with('"').then_some(Edit { at: last, text })
}
