//! TOPO0207 cyclic-network: subscriptions that go round a cycle of brokers.

use super::{Check, Context, FixKind, Level, Rule, bridges};
use crate::diagnostic::{Diagnostic, Edit, Report, Safety};
use crate::model::{Bridge, BrokerId, SettingsExt};
use crate::network::{Network, node_name};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

pub(super) static RULE: Rule = Rule {
    code: "TOPO0207",
    name: "cyclic-network",
    level: Level::Warning,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "subscriptions that go round a cycle of brokers",
    page: include_str!("cyclic_network.md"),
    check: Check::Model(check),
};

const SUPPRESS: &str = "suppressDuplicateQueueSubscriptions";
/// More names than these tell nobody anything.
const SHOWN: usize = 4;

fn check(context: &Context<'_>, report: &mut Report) {
    let travels = |bridge: &Bridge| bridge.consumer_ttl(context.network).is_none_or(|ttl| ttl > 1);
    if context.model.incomplete || !context.model.bridges.iter().any(travels) {
        return;
    }
    for ring in rings(context.network) {
        let inside = context.network.edges().iter().filter(|edge| ring.links.contains(&link(edge.from, edge.to)));
        let ids: BTreeSet<_> = inside.map(|edge| edge.bridge).collect();
        let all: Vec<&Bridge> = ids.into_iter().filter_map(|id| bridges::of(context, id)).collect();
        let open = |bridge: &&Bridge| travels(bridge) && !bridge.settings.bool(SUPPRESS).unwrap_or(false);
        let open: Vec<&Bridge> = all.iter().copied().filter(open).collect();
        if let Some(first) = open.first() {
            report.add(found(context, &ring, first, &open));
        }
    }
}

fn found(context: &Context<'_>, ring: &Ring, first: &Bridge, open: &[&Bridge]) -> Diagnostic {
    let written = open.iter().find_map(|bridge| bridge.ttl_setting("consumerTTL").map(|setting| (*bridge, setting)));
    let (blamed, at) = written.map_or((first, first.at), |(bridge, setting)| (bridge, setting.value_at));
    let ttl = match blamed.consumer_ttl(context.network) {
        Some(ttl) => format!("cross {ttl} bridges"),
        None => "cross any number of bridges".to_owned(),
    };
    let names: Vec<String> =
        ring.brokers.iter().take(SHOWN).map(|broker| format!("`{}`", node_name(context.model, *broker))).collect();
    let more = ring.brokers.len().saturating_sub(SHOWN);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    let message = format!("subscriptions go round the cycle of {}{more}", names.join(", "));
    let mut diagnostic = Diagnostic::new(&RULE, at, message)
        .here(format!("subscriptions may {ttl}: a consumer is heard several ways"))
        .help(
            "write `suppress-duplicate-queue-subscriptions = true` on every bridge of the cycle, \
             or `consumer-ttl = 1` where every broker is bridged to every other",
        );
    for bridge in open.iter().filter(|bridge| bridge.at != at && bridge.at != blamed.at).take(SHOWN) {
        diagnostic = diagnostic.also(bridge.at, "part of the cycle");
    }
    let edits: Option<Vec<Edit>> = open.iter().map(|bridge| suppress(context, bridge)).collect();
    match edits {
        Some(mut edits) => {
            // A value in `defaults` is changed once.
            let mut seen = HashSet::new();
            edits.retain(|edit| edit.at.span.is_empty() || seen.insert(edit.at));
            diagnostic.fix_all("suppress duplicate subscriptions", Safety::Unsafe, edits)
        }
        None => diagnostic,
    }
}

fn suppress(context: &Context<'_>, bridge: &Bridge) -> Option<Edit> {
    match bridge.settings.find(SUPPRESS) {
        Some(setting) => Some(Edit { at: setting.value_at, text: "true".to_owned().into() }),
        None => bridges::add_field(context, bridge, "suppress-duplicate-queue-subscriptions = true"),
    }
}

/// Brokers of which each is on a cycle with the next, whatever the direction of the bridges between them.
struct Ring {
    brokers: BTreeSet<BrokerId>,
    links: HashSet<(BrokerId, BrokerId)>,
}

/// Two brokers that are bridged, lower id first.
fn link(one: BrokerId, other: BrokerId) -> (BrokerId, BrokerId) {
    (one.min(other), one.max(other))
}

/// The parts of the network that hold together without any one of their links. Two brokers bridged twice are one link.
fn rings(network: &Network) -> Vec<Ring> {
    let links: BTreeSet<(BrokerId, BrokerId)> = network.edges().iter().map(|edge| link(edge.from, edge.to)).collect();
    let single = single_ways(&neighbours(&links));
    let kept: BTreeSet<(BrokerId, BrokerId)> = links.difference(&single).copied().collect();
    let neighbours = neighbours(&kept);
    let mut rings = Vec::new();
    let mut seen = HashSet::new();
    for start in neighbours.keys() {
        let mut brokers = BTreeSet::new();
        let mut open = vec![*start];
        while let Some(at) = open.pop() {
            if seen.insert(at) {
                brokers.insert(at);
                open.extend(neighbours.get(&at).into_iter().flatten());
            }
        }
        if !brokers.is_empty() {
            let links = kept.iter().copied().filter(|(one, _)| brokers.contains(one)).collect();
            rings.push(Ring { brokers, links });
        }
    }
    rings
}

type Neighbours = BTreeMap<BrokerId, Vec<BrokerId>>;

fn neighbours(links: &BTreeSet<(BrokerId, BrokerId)>) -> Neighbours {
    let mut neighbours = Neighbours::new();
    for (one, other) in links {
        neighbours.entry(*one).or_default().push(*other);
        neighbours.entry(*other).or_default().push(*one);
    }
    neighbours
}

/// Links that are on no cycle (Tarjan's bridges; without recursion, since a network may be long).
fn single_ways(neighbours: &Neighbours) -> BTreeSet<(BrokerId, BrokerId)> {
    let mut entered: HashMap<BrokerId, usize> = HashMap::new();
    let mut lowest: HashMap<BrokerId, usize> = HashMap::new();
    let mut single = BTreeSet::new();
    for start in neighbours.keys() {
        let mut stack: Vec<(BrokerId, Option<BrokerId>, usize)> = vec![(*start, None, 0)];
        while let Some((at, from, next)) = stack.pop() {
            if next == 0 {
                if entered.contains_key(&at) {
                    continue;
                }
                let now = entered.len();
                entered.insert(at, now);
                lowest.insert(at, now);
            }
            let around = neighbours.get(&at).map(Vec::as_slice).unwrap_or_default();
            let Some(to) = around.get(next).copied() else {
                // All looked at: the broker it was entered from learns how far back this one reaches.
                if let Some(from) = from {
                    let reach = lowest.get(&at).copied().unwrap_or(0);
                    if reach > entered.get(&from).copied().unwrap_or(0) {
                        single.insert(link(from, at));
                    }
                    lowest.entry(from).and_modify(|low| *low = (*low).min(reach));
                }
                continue;
            };
            stack.push((at, from, next + 1));
            match entered.get(&to).copied() {
                Some(when) if Some(to) != from => {
                    lowest.entry(at).and_modify(|low| *low = (*low).min(when));
                }
                Some(_) => {}
                None => stack.push((to, Some(at), 0)),
            }
        }
    }
    single
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze;

    fn check_rings(bridges: &str, expected: &str) {
        let brokers: String =
            "abcdefg".chars().map(|name| format!("broker {name} {{ host = \"{name}\" }}\n")).collect();
        let text = format!("topology t {{ activemq = \"6.2\" }}\nsite s {{\n{brokers}}}\n{bridges}");
        let files = HashMap::from([("main.topo".to_owned(), text)]);
        let analysis = analyze("main.topo", &[], &files);
        let names = |ring: &Ring| -> String {
            ring.brokers.iter().map(|broker| analysis.model.broker(*broker).name.value.as_str()).collect()
        };
        let found: Vec<String> = rings(&analysis.network).iter().map(names).collect();
        assert_eq!(found.join(" "), expected, "{bridges}");
    }

    #[test]
    fn a_triangle_is_a_ring() {
        check_rings("bridge a <-> b; bridge b <-> c; bridge c <-> a", "abc");
        check_rings("bridge a -> b; bridge b -> c; bridge c -> a", "abc");
    }

    #[test]
    fn a_chain_a_star_and_two_bridges_between_two_are_none() {
        check_rings("bridge a <-> b; bridge b <-> c; bridge b <-> d", "");
        check_rings("bridge a -> b; bridge b -> a; bridge b <-> c", "");
        check_rings("bridge a <-> b; bridge b <-> a", "");
    }

    #[test]
    fn two_triangles_with_a_link_between_them_are_two() {
        check_rings(
            "bridge a <-> b; bridge b <-> c; bridge c <-> a; bridge c <-> d; bridge d <-> e; bridge e <-> f; bridge f <-> d",
            "abc def",
        );
    }

    #[test]
    fn a_square_with_a_tail() {
        check_rings("bridge e <-> a; bridge a <-> b; bridge b <-> c; bridge c <-> d; bridge d <-> a", "abcd");
    }
}
