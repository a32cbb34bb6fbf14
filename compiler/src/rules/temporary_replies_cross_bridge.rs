//! TOPO0210 temporary-replies-cross-bridge: temporary reply queues where bridges lie between client and connector.

use super::crossing::{Crossing, crossings};
use super::{Check, Context, FixKind, Level, Rule, bridges};
use crate::diagnostic::{Diagnostic, Loc, Report, Safety, Severity};
use crate::model::{Bridge, BrokerId, Client, Setting, SettingsExt};
use crate::network::{node, node_name};
use std::collections::{HashMap, HashSet};

pub(super) static RULE: Rule = Rule {
    code: "TOPO0210",
    name: "temporary-replies-cross-bridge",
    level: Level::Warning,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "temporary reply queues where bridges lie between client and connector",
    page: include_str!("temporary_replies_cross_bridge.md"),
    check: Check::Model(check),
};

const SETTING: &str = "bridgeTempDestinations";

fn check(context: &Context<'_>, report: &mut Report) {
    let mut blamed = HashSet::new();
    if context.model.clients.iter().any(|client| client.temporary_replies.is_some()) {
        let mut crossings: HashMap<BrokerId, Crossing<'_>> = HashMap::new();
        for crossing in self::crossings(context) {
            crossings.entry(crossing.from).or_insert(crossing);
        }
        for client in &context.model.clients {
            let Some(at) = client.temporary_replies else { continue };
            let brokers: Vec<BrokerId> =
                client.dialer.brokers.iter().map(|endpoint| node(context.model, endpoint.broker)).collect();
            let crossing = brokers.iter().find_map(|broker| crossings.get(broker));
            if let Some(crossing) = crossing.filter(|_| !client.dialer.damaged) {
                let shut = crossing.way().iter().filter_map(|edge| bridges::of(context, edge.bridge)).find_map(shut);
                blamed.extend(shut.map(|setting| setting.value_at));
                report.add(crosses(context, client, at, crossing, shut));
            }
        }
    }
    for bridge in &context.model.bridges {
        if let Some(setting) = shut(bridge).filter(|setting| blamed.insert(setting.value_at)) {
            report.add(never_crosses(context, bridge, setting));
        }
    }
}

/// The setting that keeps temporary queues on their side of a bridge.
fn shut(bridge: &Bridge) -> Option<&Setting> {
    let off = bridge.settings.bool(SETTING) == Some(false);
    bridge.settings.find(SETTING).filter(|_| off)
}

fn crosses(
    context: &Context<'_>,
    client: &Client,
    at: Loc,
    crossing: &Crossing<'_>,
    shut: Option<&Setting>,
) -> Diagnostic {
    let client = &client.dialer.name.value;
    let connector = &crossing.connector.dialer.name.value;
    let (near, far) = (node_name(context.model, crossing.from), node_name(context.model, crossing.to));
    let message = match shut {
        None => format!("client `{client}` may lose its replies for good when a bridge breaks"),
        Some(_) => format!("client `{client}` gets no replies from `{connector}` across a bridge"),
    };
    let first = crossing.way().first().and_then(|edge| bridges::of(context, edge.bridge));
    let diagnostic = Diagnostic::new(&RULE, at, message).here("a broker may delete this queue when a bridge breaks");
    let diagnostic = match (shut, first) {
        (Some(setting), _) => diagnostic.also(setting.at, "temporary queues do not cross here"),
        (None, Some(bridge)) => {
            diagnostic.also(bridge.at, format!("requests from `{near}` may cross here to `{connector}` at `{far}`"))
        }
        (None, None) => diagnostic,
    };
    diagnostic.help("write `replies = fixed`: the client then has a reply queue of its own that stays").fix(
        "use a fixed reply queue",
        Safety::Unsafe,
        at,
        "fixed",
    )
}

/// Nobody here replies to a temporary queue; whoever does so without being in the topology gets nothing.
fn never_crosses(context: &Context<'_>, bridge: &Bridge, setting: &Setting) -> Diagnostic {
    let message = format!("temporary queues do not cross bridge `{}`", bridges::title(context.model, bridge));
    Diagnostic::new(&RULE, setting.value_at, message)
        .level(Severity::Note)
        .here("a client that asks for replies on a temporary queue gets none from the other side")
        .help("keep it if every client has a fixed reply queue; else write `true`")
}
