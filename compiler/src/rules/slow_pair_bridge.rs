//! TOPO0222 slow-pair-bridge: a bridge to a pair through something that accepts before the broker is up.

use super::{Check, Context, FixKind, Level, Rule, bridges};
use crate::diagnostic::{Diagnostic, Loc, Report};
use crate::dialling::{self, DialledAddress};
use crate::model::{Bridge, Listener, RawUri, Remote};
use crate::uri::Uri;
use std::collections::{BTreeMap, BTreeSet};

pub(super) static RULE: Rule = Rule {
    code: "TOPO0222",
    name: "slow-pair-bridge",
    level: Level::Warning,
    since: "0.1.0",
    fix: FixKind::None,
    summary: "a bridge to a pair through something that accepts before the broker is up",
    page: include_str!("slow_pair_bridge.md"),
    check: Check::Model(check),
};

/// The bridges through one listener that is reached through a proxy.
struct Slow<'a> {
    listener: &'a Listener,
    bridges: Vec<&'a Bridge>,
}

fn check(context: &Context<'_>, report: &mut Report) {
    let proxied = |listener: &Listener| listener.proxied.is_some();
    if !context.model.brokers.iter().any(|broker| broker.listeners.iter().any(proxied)) {
        return;
    }
    // One proxy is one finding, however many bridges go through it.
    let mut slow: BTreeMap<Loc, Slow<'_>> = BTreeMap::new();
    for bridge in &context.model.bridges {
        for listener in dialled_in_turn(context, bridge) {
            let Some(at) = listener.proxied else { continue };
            let entry = slow.entry(at).or_insert_with(|| Slow { listener, bridges: Vec::new() });
            if entry.bridges.last().is_none_or(|last| last.at != bridge.at) {
                entry.bridges.push(bridge);
            }
        }
    }
    let mut said = BTreeSet::new();
    for (at, slow) in slow {
        let bridges: Vec<Loc> = slow.bridges.iter().map(|bridge| bridge.at).collect();
        // Both members of a pair are mostly behind one kind of proxy: the same bridges are named once.
        if said.insert(bridges) {
            report.add(found(context, at, &slow));
        }
    }
}

/// The listeners that a bridge dials one after the other until one answers: those of a pair, or of a list in its URI.
fn dialled_in_turn<'a>(context: &Context<'a>, bridge: &Bridge) -> Vec<&'a Listener> {
    let addresses = match (bridge.uri_by_hand(), &bridge.to) {
        (Some(raw), _) => raw.uri.as_ref().map(|uri| by_uri(context, raw, uri)).unwrap_or_default(),
        (None, Remote::Broker(far)) => {
            let site = context.model.broker(bridge.from.broker).site;
            let reached = dialling::reached(context.model, site, far);
            if reached.len() > 1 { reached } else { Vec::new() }
        }
        (None, Remote::Discovery(_)) => Vec::new(),
    };
    let listener = |address: DialledAddress| context.model.broker(address.broker?).listeners.get(address.listener?);
    addresses.into_iter().filter_map(listener).collect()
}

fn by_uri(context: &Context<'_>, raw: &RawUri, uri: &Uri) -> Vec<DialledAddress> {
    let source = &raw.text.value;
    let lists: Vec<&Uri> = match uri.scheme.text(source) {
        "masterslave" => vec![uri],
        _ => uri.members().iter().filter(|member| member.scheme.text(source) == "failover").collect(),
    };
    let lists = lists.into_iter().map(Uri::addresses).filter(|list| list.len() > 1);
    lists.flatten().filter_map(|address| dialling::dialled(address, source, context.addresses)).collect()
}

fn found(context: &Context<'_>, at: Loc, slow: &Slow<'_>) -> Diagnostic {
    let titles: Vec<String> = slow.bridges.iter().map(|bridge| bridges::title(context.model, bridge)).collect();
    let who = match titles.as_slice() {
        [one] => format!("bridge `{one}`"),
        [first, ..] => format!("bridge `{first}` and {} more", titles.len() - 1),
        [] => String::new(),
    };
    let message = format!("{who} may be down for 30 s after the far broker is up");
    let diagnostic = Diagnostic::new(&RULE, at, message)
        .here(format!(
            "something before listener `{}` accepts while the broker is not there yet",
            slow.listener.name.value
        ))
        .also_at(slow.bridges.first().map(|bridge| bridge.at), "dials one member after the other");
    diagnostic.help(
        "let the proxy refuse connections while the broker is down, and write `via = direct`; \
         or let bridges dial the broker itself",
    )
}
