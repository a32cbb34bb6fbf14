//! TOPO0202 static-list-to-pair: a bridge's `static:` list with both members of one pair.

use super::bridge_needs_discovery::MASTERSLAVE_SINCE;
use super::{Check, Context, FixKind, Level, Rule, bridges, place};
use crate::addresses::Addresses;
use crate::diagnostic::{Diagnostic, Report, Safety};
use crate::model::{Bridge, PairId, RawUri};
use crate::network::dialled;
use crate::uri::Uri;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0202",
    name: "static-list-to-pair",
    level: Level::Warning,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "a bridge's `static:` list with both members of one pair",
    page: include_str!("static_list_to_pair.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    let lists = bridges::by_hand(context)
        .filter(|(_, raw, uri)| matches!(uri.scheme.text(&raw.text.value), "static" | "simple"));
    let mut lists = lists.peekable();
    if lists.peek().is_none() {
        return;
    }
    for (bridge, raw, uri) in lists {
        if let Some((pair, first, second)) = both_members(context, context.addresses, raw, uri) {
            report.add(found(context, bridge, raw, uri, pair, [first, second]));
        }
    }
}

/// The first two addresses of a list that lead to different members of one pair.
fn both_members<'u>(
    context: &Context<'_>,
    addresses: &Addresses,
    raw: &RawUri,
    uri: &'u Uri,
) -> Option<(PairId, &'u Uri, &'u Uri)> {
    let members = uri.members().iter().filter_map(|member| {
        let broker = dialled(addresses, member, &raw.text.value)?;
        Some((context.model.broker(broker).pair?, broker, member))
    });
    let members: Vec<_> = members.collect();
    members.iter().enumerate().find_map(|(index, (pair, broker, second))| {
        let other = |(other_pair, other, _): &&_| other_pair == pair && other != broker;
        members[..index].iter().find(other).map(|(_, _, first)| (*pair, *first, *second))
    })
}

fn found(
    context: &Context<'_>,
    bridge: &Bridge,
    raw: &RawUri,
    uri: &Uri,
    pair: PairId,
    [first, second]: [&Uri; 2],
) -> Diagnostic {
    let pair = &context.model.pair(pair).name.value;
    let title = bridges::title(context.model, bridge);
    let message = format!("bridge `{title}` dials both members of pair `{pair}` at once");
    let diagnostic = Diagnostic::new(&RULE, place::inside(context, raw, second.range.clone()), message)
        .here("one bridge to this one")
        .also(
            place::inside(context, raw, first.range.clone()),
            "and one to this one; whichever waits for the lock refuses",
        );
    let near = bridges::endpoint(context.model, &bridge.from);
    if context.model.release() < MASTERSLAVE_SINCE {
        return diagnostic.help(format!("leave `uri` out: `bridge {near} -> {pair}` dials whichever is the master"));
    }
    let diagnostic = diagnostic
        .help(format!("write `masterslave:(...)`, or leave `uri` out: `bridge {near} -> {pair}` means the same"));
    let only_these = uri.members().len() == 2;
    match bridges::edit(context, raw, uri.scheme.range(), "masterslave").filter(|_| only_these) {
        Some(edit) => diagnostic.fix_all("dial whichever is the master", Safety::Unsafe, vec![edit]),
        None => diagnostic,
    }
}
