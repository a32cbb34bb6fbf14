//! TOPO0205 wrong-priority-across-bridge: with nothing failed, another connector gets the requests than was meant to.

use super::{Check, Context, FixKind, Level, Rule, bridges};
use crate::diagnostic::{Diagnostic, Edit, Loc, Report, Safety};
use crate::dialling::shuffles;
use crate::dispatch::{Candidate, Consumer, Course, Situation};
use crate::model::{BrokerId, Client, Connector, ConnectorId, Deployment, DeploymentId, Mode, Model, SettingsExt};
use crate::network::{Edge, node, node_name, seat};
use std::collections::{BTreeSet, HashMap, HashSet};

pub(super) static RULE: Rule = Rule {
    code: "TOPO0205",
    name: "wrong-priority-across-bridge",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "with nothing failed, another connector gets the requests than was meant to",
    page: include_str!("wrong_priority_across_bridge.md"),
    check: Check::Model(check),
};

const DECREASE: &str = "decreaseNetworkConsumerPriority";
const BASE: &str = "consumerPriorityBase";

/// Where requests come in.
#[derive(Clone, Copy)]
struct Entry<'a> {
    at: BrokerId,
    client: Option<&'a Client>,
}

/// Requests that do not go where they were meant to.
struct Astray<'a> {
    entry: Entry<'a>,
    deployment: &'a Deployment,
    /// Those of the deployment that should get them.
    meant: Vec<ConnectorId>,
    /// The first of the courses that end at somebody else.
    course: Course,
    by: ConnectorId,
    /// Every course ends at somebody else.
    all: bool,
}

fn check(context: &Context<'_>, report: &mut Report) {
    if context.model.incomplete || context.network.edges().is_empty() {
        return;
    }
    let mut said = HashSet::new();
    let situation = Situation::whole(context.model, context.network);
    for astray in astray(context, &situation) {
        if let Some((_, diagnostic)) = found(context, &situation, &astray).filter(|(at, _)| said.insert(*at)) {
            report.add(diagnostic);
        }
    }
}

fn astray<'a>(context: &Context<'a>, situation: &Situation<'_>) -> Vec<Astray<'a>> {
    let model = context.model;
    let judged: Vec<bool> = model.deployments.iter().map(|deployment| is_judged(model, deployment)).collect();
    let homes = homes(model);
    let seated = seated(model);
    // Brokers between which requests come and go are near to the same.
    let groups = context.network.groups();
    let mut near: HashMap<BrokerId, BTreeSet<DeploymentId>> = HashMap::new();
    let mut courses: HashMap<(BrokerId, &str), Vec<Course>> = HashMap::new();
    let mut astray = Vec::new();
    for entry in entries(model) {
        let group = groups.get(&entry.at).copied().unwrap_or(entry.at);
        let near = near.entry(group).or_insert_with(|| near_to(context, &homes, entry.at));
        for id in near.iter().filter(|id| judged.get(id.index()).copied().unwrap_or(false)) {
            let Some(deployment) = model.deployments.get(id.index()) else { continue };
            // Where requests enter is known of active-active alone, unless clients say so.
            if entry.client.is_none() && deployment.mode != Mode::ActiveActive {
                continue;
            }
            let meant = meant(&seated, deployment, (entry.at, *id));
            let queue = deployment.requests.as_str();
            if !meant.iter().any(|connector| situation.hears(entry.at, queue, *connector)) {
                continue;
            }
            let courses = courses.entry((entry.at, queue)).or_insert_with(|| situation.follow(entry.at, queue));
            astray.extend(judge(model, entry, deployment, meant, courses));
        }
    }
    astray
}

fn judge<'a>(
    model: &Model,
    entry: Entry<'a>,
    deployment: &'a Deployment,
    meant: Vec<ConnectorId>,
    courses: &[Course],
) -> Option<Astray<'a>> {
    let local = is_at(model, &meant, entry.at);
    // Two at one broker are a matter of their own priorities, not of a bridge.
    let wrong =
        |course: &&Course| course.handler.is_some_and(|by| !meant.contains(&by)) && !(local && course.way.is_empty());
    let course = courses.iter().find(wrong)?.clone();
    let all = courses.iter().all(|course| wrong(&course));
    let by = course.handler?;
    Some(Astray { entry, deployment, meant, course, by, all })
}

/// Each client at its first broker. Without any client: each connector's own site, which is what active-active is for.
fn entries(model: &Model) -> Vec<Entry<'_>> {
    if model.clients.is_empty() {
        let seats: BTreeSet<BrokerId> =
            model.connectors.iter().filter_map(|connector| seat(model, connector)).collect();
        return seats.into_iter().map(|at| Entry { at, client: None }).collect();
    }
    let clients = model.clients.iter().filter(|client| !client.dialer.damaged && !shuffles(&client.dialer));
    let entries = clients.filter_map(|client| {
        let at = node(model, client.dialer.brokers.first()?.broker);
        Some(Entry { at, client: Some(client) })
    });
    entries.collect()
}

/// Whether priorities alone decide within a deployment, and its own are in order: other faults have their own rules.
fn is_judged(model: &Model, deployment: &Deployment) -> bool {
    let members: Vec<&Connector> = members(model, deployment).map(|(_, connector)| connector).collect();
    let plain = |connector: &&Connector| {
        let dialer = &connector.dialer;
        let exclusive = connector.exclusive.as_ref().is_some_and(|set| set.value);
        let settled = !dialer.damaged && (!shuffles(dialer) || dialer.brokers.len() == 1);
        settled && !exclusive && connector.selector.is_none() && i8::try_from(connector.effective_priority()).is_ok()
    };
    let in_order = match (deployment.mode, members.split_first()) {
        (Mode::Simplex, _) | (_, None) => false,
        (Mode::ActiveActive, _) => true,
        (Mode::ActivePassive, Some((primary, others))) => {
            others.iter().all(|other| other.effective_priority() < primary.effective_priority())
        }
    };
    in_order && !deployment.damaged && members.iter().all(plain)
}

fn members<'a>(
    model: &'a Model,
    deployment: &'a Deployment,
) -> impl Iterator<Item = (ConnectorId, &'a Connector)> + use<'a> {
    deployment.connectors.iter().map(|set| (set.value, model.connector(set.value)))
}

/// The connectors of each deployment that are at home at a broker.
type Seated = HashMap<(BrokerId, DeploymentId), Vec<ConnectorId>>;

fn seated(model: &Model) -> Seated {
    let mut seated = Seated::new();
    for (id, deployment) in (0..).map(DeploymentId).zip(&model.deployments) {
        for (connector, at) in members(model, deployment).filter_map(|(id, found)| Some((id, seat(model, found)?))) {
            seated.entry((at, id)).or_default().push(connector);
        }
    }
    seated
}

/// Who should get a request that enters at a broker: active-active those at home there, active-passive the primary.
fn meant(seated: &Seated, deployment: &Deployment, at: (BrokerId, DeploymentId)) -> Vec<ConnectorId> {
    match deployment.mode {
        Mode::ActiveActive => seated.get(&at).cloned().unwrap_or_default(),
        _ => deployment.connectors.first().map(|first| first.value).into_iter().collect(),
    }
}

fn is_at(model: &Model, connectors: &[ConnectorId], at: BrokerId) -> bool {
    connectors.iter().any(|id| seat(model, model.connector(*id)) == Some(at))
}

/// The deployments with a connector at home at each broker.
fn homes(model: &Model) -> HashMap<BrokerId, BTreeSet<DeploymentId>> {
    let mut homes: HashMap<BrokerId, BTreeSet<DeploymentId>> = HashMap::new();
    for connector in &model.connectors {
        if let Some((broker, (deployment, _))) = seat(model, connector).zip(connector.deployment) {
            homes.entry(broker).or_default().insert(deployment);
        }
    }
    homes
}

/// The deployments with a connector that a request entering at a broker may come to.
fn near_to(
    context: &Context<'_>,
    homes: &HashMap<BrokerId, BTreeSet<DeploymentId>>,
    at: BrokerId,
) -> BTreeSet<DeploymentId> {
    let reached = context.network.ways_over(at, |_| true).reached();
    reached.into_iter().chain([at]).filter_map(|broker| homes.get(&broker)).flatten().copied().collect()
}

fn found(context: &Context<'_>, situation: &Situation<'_>, astray: &Astray<'_>) -> Option<(Loc, Diagnostic)> {
    match astray.course.way.first() {
        Some(edge) if is_at(context.model, &astray.meant, astray.entry.at) => {
            Some(beaten_at_home(context, situation, astray, *edge))
        }
        _ => beaten_on_the_way(context, astray, astray.entry.client?).into(),
    }
}

/// The connector is where the request enters, and one behind a bridge comes before it.
fn beaten_at_home(
    context: &Context<'_>,
    situation: &Situation<'_>,
    astray: &Astray<'_>,
    edge: Edge,
) -> (Loc, Diagnostic) {
    let model = context.model;
    let some = if astray.all { "" } else { "some " };
    let (by, own) = (name(model, astray.by), name_of_first(model, &astray.meant));
    let at = node_name(model, astray.entry.at);
    let message = format!("{some}requests that enter at `{at}` go across a bridge to `{by}`, not to `{own}`");
    let bridge = bridges::of(context, edge.bridge);
    let setting = |real| bridge.and_then(|bridge| bridge.settings.find(real));
    let candidates = situation.candidates(astray.entry.at, &astray.deployment.requests, &[]);
    let across = priority(&candidates, |consumer| consumer == Consumer::Bridge(edge));
    let here = priority(&candidates, |consumer| astray.meant.iter().any(|id| consumer == Consumer::Connector(*id)));
    let label = format!("counts {across} at `{at}`, where `{own}` has {here}");
    let lowers = bridge.is_none_or(crate::model::Bridge::decreases_priority);
    match (setting(DECREASE).filter(|_| !lowers), setting(BASE)) {
        (Some(decrease), _) => {
            let diagnostic = Diagnostic::new(&RULE, decrease.value_at, message)
                .here(format!("so `{by}` {label}"))
                .help(format!(
                    "write `{} = true`, or leave it out: a bridge then comes after everybody local",
                    decrease.name
                ))
                .fix("let local connectors come first", Safety::Unsafe, decrease.value_at, "true");
            (decrease.value_at, diagnostic)
        }
        (None, Some(base)) => {
            let diagnostic = Diagnostic::new(&RULE, base.value_at, message)
                .here(format!("so `{by}` {label}"))
                .help(format!("leave `{}` out: -5 comes after everybody local", base.name));
            (base.value_at, diagnostic)
        }
        (None, None) => {
            let written = astray.meant.iter().find_map(|id| model.connector(*id).priority.as_ref());
            let place = written.map_or_else(|| bridge.map_or(astray.deployment.at, |bridge| bridge.at), |set| set.at);
            let diagnostic = Diagnostic::new(&RULE, place, message)
                .here(format!("a bridge {label}"))
                .help(format!("give `{own}` a priority above {across}; from 0 to 127 is usual"));
            (place, diagnostic)
        }
    }
}

/// The primary is behind a bridge, and somebody else comes first at the client's broker or at one on the way.
fn beaten_on_the_way(context: &Context<'_>, astray: &Astray<'_>, client: &Client) -> (Loc, Diagnostic) {
    let model = context.model;
    let some = if astray.all { "" } else { "some " };
    let (by, primary) = (name(model, astray.by), name_of_first(model, &astray.meant));
    let home = astray.meant.first().and_then(|id| seat(model, model.connector(*id)));
    let home_name = home.map_or("", |home| node_name(model, home));
    let here = match astray.course.way.first() {
        None => format!("at `{}`, `{by}` comes before the bridge to `{primary}`", node_name(model, astray.entry.at)),
        Some(edge) => {
            format!("the bridge to `{}` comes no later than the way to `{primary}`", node_name(model, edge.to))
        }
    };
    let client_name = &client.dialer.name.value;
    let message = format!("{some}requests of `{client_name}` go to `{by}`, not to the primary `{primary}`");
    let first = client.dialer.brokers.first();
    let place = first.map_or(client.dialer.at, |endpoint| endpoint.at);
    let diagnostic = Diagnostic::new(&RULE, place, message)
        .here(here)
        .also(model.connector(astray.by).dialer.at, "gets the requests")
        .also_at(astray.meant.first().map(|id| model.connector(*id).dialer.at), "is the primary");
    let listed = client.dialer.brokers.iter().find(|endpoint| Some(node(model, endpoint.broker)) == home);
    let diagnostic = match (first, listed) {
        (Some(first), Some(listed)) => diagnostic
            .help(format!("list `{home_name}`, the primary's broker, first"))
            .fix_all(format!("list `{home_name}` first"), Safety::Unsafe, swap(context, first.at, listed.at)),
        _ => {
            diagnostic.help(format!("list `{home_name}`, the primary's broker, first in `brokers` of `{client_name}`"))
        }
    };
    (place, diagnostic)
}

fn swap(context: &Context<'_>, one: Loc, other: Loc) -> Vec<Edit> {
    let text = |at| context.sources.text(at).to_owned();
    vec![Edit { at: one, text: text(other).into() }, Edit { at: other, text: text(one).into() }]
}

fn priority(candidates: &[Candidate], is_it: impl Fn(Consumer) -> bool) -> String {
    match candidates.iter().find(|candidate| is_it(candidate.consumer)) {
        Some(candidate) if candidate.least == candidate.most => candidate.most.to_string(),
        Some(candidate) => format!("{} to {}", candidate.least, candidate.most),
        None => "nothing".to_owned(),
    }
}

fn name(model: &Model, id: ConnectorId) -> &str {
    &model.connector(id).dialer.name.value
}

fn name_of_first<'a>(model: &'a Model, ids: &[ConnectorId]) -> &'a str {
    ids.first().map_or("", |id| name(model, *id))
}
