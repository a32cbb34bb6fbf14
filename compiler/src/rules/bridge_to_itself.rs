//! TOPO0223 bridge-to-itself: a bridge whose two ends are one broker.

use super::{Check, Context, FixKind, Level, Rule, bridges, place};
use crate::diagnostic::{Diagnostic, Loc, Report, Safety};
use crate::model::{Bridge, BrokerId, RawUri, Remote};
use crate::network::{dialled, node, node_name};
use crate::uri::{Uri, UriKind};

pub(super) static RULE: Rule = Rule {
    code: "TOPO0223",
    name: "bridge-to-itself",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "a bridge whose two ends are one broker, or the two members of a pair",
    page: include_str!("bridge_to_itself.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    for bridge in &context.model.bridges {
        if let Some(at) = to_itself(context, bridge) {
            report.add(found(context, bridge, at));
        }
    }
}

/// Where it is written that a bridge leads to the broker that owns it.
fn to_itself(context: &Context<'_>, bridge: &Bridge) -> Option<Loc> {
    let near = node(context.model, bridge.from.broker);
    if let Some(raw) = bridge.uri_by_hand() {
        return by_uri(context, near, raw, raw.uri.as_ref().ok()?);
    }
    match &bridge.to {
        Remote::Broker(far) => (node(context.model, far.broker) == near).then_some(bridge.at),
        Remote::Discovery(_) => None,
    }
}

/// A list may name its owner beside others, so that every broker can have the same one: that member alone is closed. One
/// that works through its list stays with the first broker that answers.
fn by_uri(context: &Context<'_>, near: BrokerId, raw: &RawUri, uri: &Uri) -> Option<Loc> {
    let source = &raw.text.value;
    let own = |address: &&Uri| {
        dialled(context.addresses, address, source).is_some_and(|broker| node(context.model, broker) == near)
    };
    let found = match uri.scheme.text(source) {
        "masterslave" => uri.addresses().into_iter().find(own),
        "static" | "simple" => {
            let lists = uri.members().iter().filter(|member| matches!(member.kind, UriKind::Composite { .. }));
            let in_list = lists.flat_map(Uri::addresses).find(own);
            in_list.or_else(|| uri.members().first().filter(|_| uri.members().iter().all(|member| own(&member))))
        }
        _ => None,
    };
    found.map(|address| place::inside(context, raw, address.range.clone()))
}

fn found(context: &Context<'_>, bridge: &Bridge, at: Loc) -> Diagnostic {
    let model = context.model;
    let name = node_name(model, bridge.from.broker);
    let title = bridges::title(model, bridge);
    let pair = model.broker(bridge.from.broker).pair.is_some();
    let (message, label) = match pair {
        false => (
            format!("bridge `{title}` leads from broker `{name}` to itself"),
            "the broker closes it at once and does not try again",
        ),
        true => (
            format!("bridge `{title}` stays inside pair `{name}`"),
            "only one member runs at a time: there is nobody to dial but itself",
        ),
    };
    let diagnostic = Diagnostic::new(&RULE, at, message).here(label);
    let diagnostic = match pair {
        false => diagnostic.help("name the other broker, or remove the bridge"),
        true => diagnostic.help("remove it: master and slave share their messages by the store"),
    };
    match bridges::remove(context, bridge.at).filter(|_| at == bridge.at && !has_block(context, bridge.at)) {
        Some(edit) => diagnostic.fix_all("remove it", Safety::Unsafe, vec![edit]),
        None => diagnostic,
    }
}

/// Whether a block stands behind a bridge's header.
fn has_block(context: &Context<'_>, at: Loc) -> bool {
    let text = context.sources.file(at.file).map_or("", |source| &source.text);
    text.get(at.span.end as usize..).is_some_and(|behind| behind.trim_start_matches([' ', '\t']).starts_with('{'))
}
