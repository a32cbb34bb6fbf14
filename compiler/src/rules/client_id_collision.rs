//! TOPO0214 client-id-collision: two bridges that come to one broker with one client id.

use super::{Check, Context, FixKind, Level, Rule, bridges, double_bridge, place};
use crate::diagnostic::{Diagnostic, Edit, Report, Safety};
use crate::model::{Bridge, BridgeId, BrokerId, Model, RawUri, SettingsExt};
use crate::network::{dialled, node, node_name};
use crate::uri::{Uri, UriKind};
use std::collections::{BTreeSet, HashMap, HashSet};
use topoc_dsl::syntax::quote;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0214",
    name: "client-id-collision",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "two bridges towards one broker with one name and one broker name",
    page: include_str!("client_id_collision.md"),
    check: Check::Model(check),
};

/// Two bridges whose client id at a broker is the same.
struct Collision {
    first: (BridgeId, BrokerId),
    second: (BridgeId, BrokerId),
    far: BrokerId,
    client_id: String,
}

fn check(context: &Context<'_>, report: &mut Report) {
    let mut said = BTreeSet::new();
    for collision in collisions(context) {
        if said.insert(collision.second.0) {
            report.diagnostics.extend(found(context, &collision));
        }
    }
    for (bridge, raw, uri) in bridges::by_hand(context) {
        if let Some((first, second, far)) = twice_in_list(context, raw, uri) {
            let edit = without(context, raw, uri, second);
            report.add(found_in_list(context, bridge, raw, [first, second], far, edit));
        }
    }
}

/// The brokers of one name that this rule reports for what follows from it.
pub(super) fn reported(context: &Context<'_>) -> HashSet<(BrokerId, BrokerId)> {
    let ends = |collision: Collision| {
        let at_pair = |(_, owner)| node(context.model, owner);
        (at_pair(collision.first), at_pair(collision.second))
    };
    collisions(context).into_iter().map(ends).collect()
}

fn collisions(context: &Context<'_>) -> Vec<Collision> {
    let model = context.model;
    let mut known: HashMap<(BrokerId, String), (BridgeId, BrokerId)> = HashMap::new();
    let mut collisions = Vec::new();
    for edge in context.network.edges() {
        let Some(bridge) = bridges::of(context, edge.bridge) else { continue };
        // Over a duplex bridge the owner dials as well: the other direction is no connection of its own.
        if node(model, bridge.from.broker) != edge.from {
            continue;
        }
        for owner in model.members(&bridge.from) {
            let id = client_id(model, bridge, owner);
            let second = (edge.bridge, owner);
            match known.get(&(edge.to, id.clone())) {
                Some(first) if !take_turns(model, first.1, owner) && !doubled(context, *first, second) => {
                    collisions.push(Collision { first: *first, second, far: edge.to, client_id: id });
                }
                Some(_) => {}
                None => drop(known.insert((edge.to, id), second)),
            }
        }
    }
    collisions
}

/// What the far broker knows the bridge by (`DemandForwardingBridgeSupport.startRemoteBridge`).
fn client_id(model: &Model, bridge: &Bridge, owner: BrokerId) -> String {
    let token = bridge.settings.find("clientIdToken").map_or_else(|| "_".to_owned(), |token| token.value.to_string());
    format!("{}{token}{}{token}outbound", bridge.name.value, model.broker(owner).broker_name.value)
}

/// Of a pair only one member runs at a time.
fn take_turns(model: &Model, one: BrokerId, other: BrokerId) -> bool {
    one != other && model.broker(one).pair.is_some() && model.broker(one).pair == model.broker(other).pair
}

/// Two bridges of one broker that double-bridge speaks of.
fn doubled(context: &Context<'_>, first: (BridgeId, BrokerId), second: (BridgeId, BrokerId)) -> bool {
    first.1 == second.1 && double_bridge::collide(context, first.0, second.0)
}

fn found(context: &Context<'_>, collision: &Collision) -> Option<Diagnostic> {
    let model = context.model;
    let (first, second) = (bridges::of(context, collision.first.0)?, bridges::of(context, collision.second.0)?);
    let far = node_name(model, collision.far);
    let title = bridges::title(model, second);
    let (name, owner) = (&second.name.value, model.broker(collision.second.1));
    let message = format!("bridge `{title}` comes to `{far}` with the client id of another bridge");
    let diagnostic = Diagnostic::new(&RULE, second.name.at, message);
    if collision.first.1 == collision.second.1 {
        return Some(
            diagnostic
                .here(format!("the broker stops here with `Bean name '{name}' is already used`"))
                .also(first.name.at, "the first bridge of that name")
                .help("give one of the two another `name`"),
        );
    }
    let called = &owner.broker_name.value;
    let diagnostic = diagnostic
        .here(format!("`{far}` refuses whoever comes second: `{}` is `already connected`", collision.client_id))
        .also(first.name.at, "this bridge has the same client id")
        .also(owner.broker_name.at, format!("its broker is called `{called}` by ActiveMQ, which is part of the id"));
    let site = &model.site(owner.site).name.value;
    let other = format!("{called}-{site}");
    let diagnostic =
        diagnostic.help(format!("write `broker-name = \"{other}\"` in broker `{site}.{}`", owner.name.value));
    let edit = match owner.named_by_hand {
        true => Some(Edit { at: owner.broker_name.at, text: quote(&other).into() }),
        false => bridges::add_to_block(context, owner.at, &format!("broker-name = {}", quote(&other))),
    };
    Some(match edit {
        Some(edit) => diagnostic.fix_all(format!("call it `{other}`"), Safety::Unsafe, vec![edit]),
        None => diagnostic,
    })
}

/// Two members of a `static:` list that lead to one broker. The same URI twice is one bridge
/// (`DiscoveryNetworkConnector.onServiceAdd`).
fn twice_in_list<'u>(context: &Context<'_>, raw: &RawUri, uri: &'u Uri) -> Option<(&'u Uri, &'u Uri, BrokerId)> {
    let source = &raw.text.value;
    if !matches!(uri.scheme.text(source), "static" | "simple") {
        return None;
    }
    let text = |member: &Uri| source.get(member.range.clone()).unwrap_or_default().to_ascii_lowercase();
    let mut known: HashMap<BrokerId, &Uri> = HashMap::new();
    uri.members().iter().filter(|member| matches!(member.kind, UriKind::Address { .. })).find_map(|member| {
        let broker = dialled(context.addresses, member, source)?;
        let first = *known.entry(broker).or_insert(member);
        (text(first) != text(member)).then_some((first, member, broker))
    })
}

/// The list without one member that is not its first.
fn without(context: &Context<'_>, raw: &RawUri, uri: &Uri, member: &Uri) -> Option<Edit> {
    let before = uri.members().iter().rev().find(|other| other.range.end < member.range.start)?;
    bridges::edit(context, raw, before.range.end..member.range.end, "")
}

fn found_in_list(
    context: &Context<'_>,
    bridge: &Bridge,
    raw: &RawUri,
    [first, second]: [&Uri; 2],
    far: BrokerId,
    edit: Option<Edit>,
) -> Diagnostic {
    let far = &context.model.broker(far).name.value;
    let title = bridges::title(context.model, bridge);
    let message = format!("bridge `{title}` dials broker `{far}` twice with one client id");
    let diagnostic = Diagnostic::new(&RULE, place::inside(context, raw, second.range.clone()), message)
        .here(format!("`{far}` refuses whoever comes second: `already connected`"))
        .also(place::inside(context, raw, first.range.clone()), "leads to the same broker")
        .help("remove one of the two addresses");
    match edit {
        Some(edit) => diagnostic.fix_all("dial it once", Safety::Unsafe, vec![edit]),
        None => diagnostic,
    }
}
