//! TOPO0206 ttl-below-hops: a TTL that ends before a request or its reply is where it has to go.

use super::crossing::{Crossing, carries, crossings};
use super::{Check, Context, FixKind, Level, Rule, bridges};
use crate::diagnostic::{Diagnostic, Loc, Report, Safety};
use crate::model::{BrokerId, Setting};
use crate::network::{Edge, Ways, node_name};
use std::collections::{BTreeMap, HashMap, HashSet};

pub(super) static RULE: Rule = Rule {
    code: "TOPO0206",
    name: "ttl-below-hops",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "a TTL that ends before a request is where it has to go",
    page: include_str!("ttl_below_hops.md"),
    check: Check::Model(check),
};

/// The two TTLs of a bridge by ActiveMQ's names.
const TTLS: [&str; 2] = ["messageTTL", "consumerTTL"];

/// A written TTL that is too low, for the way that needs the most of it.
struct Low<'a> {
    setting: &'a Setting,
    /// The bridge it was found at; of several that share a default the first.
    edge: Edge,
    needed: i64,
    hops: usize,
    client: &'a str,
    connector: &'a str,
    from: BrokerId,
    to: BrokerId,
    reply: bool,
}

fn check(context: &Context<'_>, report: &mut Report) {
    // What topoc writes by itself is enough for the longest way.
    let written = |bridge: &crate::model::Bridge| bridge.ttl_setting(TTLS[0]).is_some();
    if !context.model.bridges.iter().any(written) {
        return;
    }
    let mut low: BTreeMap<Loc, Low<'_>> = BTreeMap::new();
    let mut back: HashMap<BrokerId, Ways> = HashMap::new();
    for crossing in crossings(context) {
        let open = |edge: &Edge| carries(context.model, *edge, crossing.queue);
        let way = crossing.way();
        if falls_short(context, &way, &open) {
            blame(context, &crossing, &way, false, &mut low);
            continue;
        }
        let back = back.entry(crossing.to).or_insert_with(|| context.network.ways_over(crossing.to, |_| true));
        if let Some(way) = back.to(crossing.from).filter(|way| falls_short(context, way, &|_| true)) {
            blame(context, &crossing, &way, true, &mut low);
        }
    }
    for found in low.values() {
        report.add(say(context, found));
    }
}

/// The message and consumer TTL that the bridge at a place (from 0) of a way of so many bridges needs. A message has
/// crossed those before it; a subscription comes from the far end.
fn needed(place: usize, hops: usize) -> [i64; 2] {
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    [number(place + 1), number(hops - place)]
}

fn passes(context: &Context<'_>, edge: Edge, place: usize, hops: usize) -> bool {
    let Some(bridge) = bridges::of(context, edge.bridge) else { return false };
    let [message, consumer] = needed(place, hops);
    bridge.message_ttl(context.network).is_none_or(|ttl| ttl >= message)
        && bridge.consumer_ttl(context.network).is_none_or(|ttl| ttl >= consumer)
}

/// Whether no way as short as this one is passed by all of its bridges.
fn falls_short(context: &Context<'_>, way: &[Edge], open: &dyn Fn(&Edge) -> bool) -> bool {
    let hops = way.len();
    let passes = |edge: &Edge, place| passes(context, *edge, place, hops);
    if way.iter().enumerate().all(|(place, edge)| passes(edge, place)) {
        return false;
    }
    let (Some(first), Some(last)) = (way.first(), way.last()) else { return false };
    let mut here = HashSet::from([first.from]);
    for place in 0..hops {
        let leaving = here.iter().flat_map(|broker| context.network.leaving(*broker));
        here = leaving.filter(|edge| open(edge) && passes(edge, place)).map(|edge| edge.to).collect();
    }
    !here.contains(&last.to)
}

/// Takes note of every written TTL on a way that is too low for it.
fn blame<'a>(
    context: &Context<'a>,
    crossing: &Crossing<'a>,
    way: &[Edge],
    reply: bool,
    low: &mut BTreeMap<Loc, Low<'a>>,
) {
    for (place, edge) in way.iter().enumerate() {
        let Some(bridge) = bridges::of(context, edge.bridge) else { continue };
        let ttls = [bridge.message_ttl(context.network), bridge.consumer_ttl(context.network)];
        for ((name, ttl), needed) in TTLS.into_iter().zip(ttls).zip(needed(place, way.len())) {
            let Some(setting) = bridge.ttl_setting(name).filter(|_| ttl.is_some_and(|ttl| ttl < needed)) else {
                continue;
            };
            let found = Low {
                setting,
                edge: *edge,
                needed,
                hops: way.len(),
                client: &crossing.client.dialer.name.value,
                connector: &crossing.connector.dialer.name.value,
                from: crossing.from,
                to: crossing.to,
                reply,
            };
            let known = low.entry(setting.value_at).or_insert_with(|| Low { ..found });
            if known.needed < needed {
                *known = found;
            }
        }
    }
}

fn say(context: &Context<'_>, low: &Low<'_>) -> Diagnostic {
    let name = |broker| node_name(context.model, broker);
    let bridge = bridges::of(context, low.edge.bridge);
    let title = bridge.map(|bridge| bridges::title(context.model, bridge)).unwrap_or_default();
    let (from, to) = (name(low.from), name(low.to));
    let bridges = if low.hops == 1 { "1 bridge".to_owned() } else { format!("{} bridges", low.hops) };
    let who = match low.reply {
        false => format!("requests of `{}` at `{from}` to `{}` at `{to}`", low.client, low.connector),
        true => format!("replies of `{}` at `{to}` to `{}` at `{from}`", low.connector, low.client),
    };
    let setting = low.setting;
    let message = format!("`{}` of bridge `{title}` stops {who}", setting.name);
    let needed = low.needed;
    let diagnostic = Diagnostic::new(&RULE, setting.value_at, message);
    // Where only one of message and consumer TTL is written, the other is 1 without being seen.
    if !below(setting, needed) {
        return diagnostic
            .here(format!("leaves the other TTL at 1, and the way crosses {bridges}: at least {needed} here"))
            .help("write `network-ttl` instead of it, which is both, or leave it out");
    }
    diagnostic
        .here(format!("the way crosses {bridges}: at least {needed} here"))
        .help(format!("write `{} = {needed}`, or leave it out: topoc writes the longest way", setting.name))
        .fix(format!("write {needed}"), Safety::Unsafe, setting.value_at, needed.to_string())
}

fn below(setting: &Setting, needed: i64) -> bool {
    matches!(setting.value, crate::model::SettingValue::Integer(value) if (0..needed).contains(&value))
}
