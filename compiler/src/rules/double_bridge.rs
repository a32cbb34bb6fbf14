//! TOPO0208 double-bridge: two bridges in the same direction between the same two brokers.

use super::{Check, Context, FixKind, Level, Rule, bridges};
use crate::destination::{self, DestinationKind};
use crate::diagnostic::{Diagnostic, Edit, Loc, Report, Safety};
use crate::model::{Bridge, BridgeId, BrokerId, Remote};
use crate::network::{Edge, node_name};
use std::collections::{BTreeMap, BTreeSet};
use topoc_dsl::Span;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0208",
    name: "double-bridge",
    level: Level::Warning,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "two bridges in the same direction between the same two brokers",
    page: include_str!("double_bridge.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    let mut by_direction: BTreeMap<(BrokerId, BrokerId), Vec<BridgeId>> = BTreeMap::new();
    for edge in context.network.edges() {
        by_direction.entry((edge.from, edge.to)).or_default().push(edge.bridge);
    }
    let mut said = BTreeSet::new();
    for ((from, to), ids) in &by_direction {
        for (index, later) in ids.iter().enumerate() {
            let earlier = ids[..index].iter().find(|earlier| collide(context, **earlier, *later));
            let Some(earlier) = earlier.filter(|_| said.insert(*later)) else { continue };
            if let Some(diagnostic) = found(context, *earlier, *later, (*from, *to)) {
                report.add(diagnostic);
            }
        }
    }
}

/// Whether both can be up at once and something may cross either.
pub(super) fn collide(context: &Context<'_>, one: BridgeId, other: BridgeId) -> bool {
    let (Some(one), Some(other)) = (bridges::of(context, one), bridges::of(context, other)) else { return false };
    let (owners, others) = (context.model.members(&one.from), context.model.members(&other.from));
    let pair = |bridge: &Bridge| context.model.broker(bridge.from.broker).pair;
    // Of a pair only one member runs at a time, and each needs bridges of its own.
    let take_turns =
        pair(one).is_some() && pair(one) == pair(other) && !owners.iter().any(|owner| others.contains(owner));
    !take_turns && share(one, other)
}

/// Whether some destination may cross both. Bridges side by side for queues and for topics are good practice.
fn share(one: &Bridge, other: &Bridge) -> bool {
    let both = |kind| carries_any(one, kind) && carries_any(other, kind);
    let allowed = one.dynamic.is_empty() || other.dynamic.is_empty() || overlap(one, other);
    allowed && (both(DestinationKind::Queue) || both(DestinationKind::Topic))
}

fn carries_any(bridge: &Bridge, kind: DestinationKind) -> bool {
    let is_kind = |(_, text): &(Loc, String)| destination::read(text).0 == kind;
    let excluded = bridge.excluded.iter().any(|entry| is_kind(entry) && destination::read(&entry.1).1 == ">");
    !excluded && (bridge.dynamic.is_empty() || bridge.dynamic.iter().chain(&bridge.fixed).any(is_kind))
}

fn overlap(one: &Bridge, other: &Bridge) -> bool {
    let lists = |bridge: &Bridge| -> Vec<(DestinationKind, String)> {
        let texts = bridge.dynamic.iter().chain(&bridge.fixed).map(|(_, text)| destination::read(text));
        texts.map(|(kind, name)| (kind, name.to_owned())).collect()
    };
    let theirs = lists(other);
    lists(one).iter().any(|(kind, name)| {
        theirs.iter().any(|(other_kind, other)| {
            kind == other_kind && (destination::matches(name, other) || destination::matches(other, name))
        })
    })
}

fn found(context: &Context<'_>, earlier: BridgeId, later: BridgeId, way: (BrokerId, BrokerId)) -> Option<Diagnostic> {
    let (first, second) = (directions(context, earlier), directions(context, later));
    let (first_bridge, second_bridge) = (bridges::of(context, earlier)?, bridges::of(context, later)?);
    if let Some(diagnostic) = to_each_member(context, first_bridge, second_bridge) {
        return Some(diagnostic);
    }
    // The one to go is the one that adds nothing.
    let goes_first = !second.is_subset(&first) && first.is_subset(&second);
    let (stays, goes) = if goes_first { (second_bridge, first_bridge) } else { (first_bridge, second_bridge) };
    let (from, to) = (node_name(context.model, way.0), node_name(context.model, way.1));
    let title = bridges::title(context.model, goes);
    let message = format!("bridge `{title}` is a second one from `{from}` to `{to}`");
    let diagnostic = Diagnostic::new(&RULE, goes.at, message)
        .here("everything has two ways here, and one of the two may be refused: `already connected`")
        .also(stays.at, "this one does it already");
    if !second.is_subset(&first) && !goes_first {
        return Some(diagnostic.help("leave one direction to each of the two, or write one bridge with `<->`"));
    }
    let diagnostic = diagnostic.help(format!("remove it; `{}` is enough", bridges::title(context.model, stays)));
    Some(match removal(context, goes.at) {
        Some(edit) => diagnostic.fix_all("remove it", Safety::Unsafe, vec![edit]),
        None => diagnostic,
    })
}

/// One bridge to the master and one to the slave: neither is too much, but they are one bridge to the pair.
fn to_each_member(context: &Context<'_>, first: &Bridge, second: &Bridge) -> Option<Diagnostic> {
    let (Remote::Broker(one), Remote::Broker(other)) = (&first.to, &second.to) else { return None };
    let both_single = one.pair.is_none() && other.pair.is_none() && one.broker != other.broker;
    let pair =
        context.model.broker(one.broker).pair.filter(|_| both_single && first.from.broker == second.from.broker)?;
    let pair = &context.model.pair(pair).name.value;
    let near = bridges::endpoint(context.model, &first.from);
    let arrow = if first.duplex || second.duplex { "<->" } else { "->" };
    let title = bridges::title(context.model, second);
    let message = format!("bridge `{title}` goes to a second member of pair `{pair}`");
    let diagnostic = Diagnostic::new(&RULE, second.at, message)
        .here("only one of the two listens at a time: the other bridge is refused for ever")
        .also(first.at, "this one goes to the first")
        .help(format!("write one bridge to the pair, which finds the master: `bridge {near} {arrow} {pair}`"));
    Some(diagnostic)
}

fn directions(context: &Context<'_>, bridge: BridgeId) -> BTreeSet<(BrokerId, BrokerId)> {
    let edges = context.network.edges().iter().filter(|edge| edge.bridge == bridge);
    edges.map(|Edge { from, to, .. }| (*from, *to)).collect()
}

/// Takes away a bridge without a block: its whole line, or what stands before a comment.
fn removal(context: &Context<'_>, at: Loc) -> Option<Edit> {
    let text = &context.sources.file(at.file)?.text;
    let (start, end) = (at.span.start as usize, at.span.end as usize);
    let line = text.get(..start)?.rfind('\n').map_or(0, |newline| newline + 1);
    let behind = text.get(end..)?;
    let rest = behind.split_inclusive('\n').next().unwrap_or("");
    let first = text.get(line..start)?.trim().is_empty();
    let span = match rest.trim() {
        "" if first => Span::new(line, end + rest.len()),
        comment if comment.starts_with("//") => Span::new(start, end + rest.len() - rest.trim_start().len()),
        _ => return None,
    };
    Some(Edit { at: Loc { file: at.file, span }, text: String::new().into() })
}
