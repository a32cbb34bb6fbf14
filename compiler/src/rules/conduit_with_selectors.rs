//! TOPO0216 conduit-with-selectors: a bridge that forgets the selectors of the consumers behind it.

use super::crossing::{crossings, homes};
use super::{Check, Context, FixKind, Level, Rule, bridges};
use crate::diagnostic::{Diagnostic, Edit, Loc, Report, Safety};
use crate::dispatch::requests_of;
use crate::model::{Bridge, BridgeId, BrokerId, Connector, ConnectorId, SettingsExt};
use std::collections::{BTreeMap, BTreeSet, HashMap};

pub(super) static RULE: Rule = Rule {
    code: "TOPO0216",
    name: "conduit-with-selectors",
    level: Level::Warning,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "conduit subscriptions on a bridge to a consumer with a selector",
    page: include_str!("conduit_with_selectors.md"),
    check: Check::Model(check),
};

const SETTING: &str = "conduitSubscriptions";
/// More places than these tell nobody anything.
const SHOWN: usize = 4;

/// A selector and the bridges that requests for it cross.
struct Selected<'a> {
    connector: &'a Connector,
    bridges: BTreeSet<BridgeId>,
}

fn check(context: &Context<'_>, report: &mut Report) {
    let picky = picky(context);
    if picky.is_empty() {
        return;
    }
    // A selector that stands in `defaults` is one mistake, however many connectors take it.
    let mut found_at: BTreeMap<Loc, Selected<'_>> = BTreeMap::new();
    for crossing in crossings(context) {
        for connector in picky.get(&(crossing.to, crossing.queue)).into_iter().flatten() {
            let Some(selector) = &connector.selector else { continue };
            let conduits = crossing.backwards().map(|edge| edge.bridge);
            let conduits = conduits.filter(|id| bridges::of(context, *id).is_some_and(Bridge::is_conduit));
            let selected =
                found_at.entry(selector.at).or_insert_with(|| Selected { connector, bridges: BTreeSet::new() });
            selected.bridges.extend(conduits);
        }
    }
    for (at, selected) in found_at.iter().filter(|(_, selected)| !selected.bridges.is_empty()) {
        report.add(found(context, *at, selected));
    }
}

/// Connectors with a selector, by the brokers where they are at home and the queue that they consume.
fn picky<'a>(context: &Context<'a>) -> HashMap<(BrokerId, &'a str), Vec<&'a Connector>> {
    let model = context.model;
    let mut picky: HashMap<(BrokerId, &str), Vec<&Connector>> = HashMap::new();
    for (id, connector) in (0_u32..).map(ConnectorId).zip(&model.connectors) {
        let selects = connector.selector.is_some() && !connector.dialer.damaged;
        let Some(queue) = requests_of(model, id).filter(|_| selects) else { continue };
        for home in homes(model, connector) {
            picky.entry((home, queue)).or_default().push(connector);
        }
    }
    picky
}

fn found(context: &Context<'_>, at: Loc, selected: &Selected<'_>) -> Diagnostic {
    let bridges: Vec<&Bridge> = selected.bridges.iter().filter_map(|id| bridges::of(context, *id)).collect();
    let title = bridges.first().map(|bridge| bridges::title(context.model, bridge)).unwrap_or_default();
    let name = &selected.connector.dialer.name.value;
    let message = format!("bridge `{title}` does not know of the selector of connector `{name}`");
    let mut diagnostic = Diagnostic::new(&RULE, at, message)
        .here("a conduit subscription has no selector: requests cross that nobody takes on the other side")
        .help("write `conduit-subscriptions = false` on the bridge: each consumer then has a subscription of its own");
    for bridge in bridges.iter().take(SHOWN) {
        diagnostic = diagnostic.also(bridge.at, "counts the consumers behind it as one");
    }
    let edits: Option<Vec<Edit>> = bridges.iter().map(|bridge| each_alone(context, bridge)).collect();
    match edits {
        Some(mut edits) => {
            // A value in `defaults` is changed once.
            let mut seen = BTreeSet::new();
            edits.retain(|edit| edit.at.span.is_empty() || seen.insert(edit.at));
            diagnostic.fix_all("give each consumer a subscription of its own", Safety::Unsafe, edits)
        }
        None => diagnostic,
    }
}

fn each_alone(context: &Context<'_>, bridge: &Bridge) -> Option<Edit> {
    match bridge.settings.find(SETTING) {
        Some(setting) => Some(Edit { at: setting.value_at, text: "false".to_owned().into() }),
        None => bridges::add_field(context, bridge, "conduit-subscriptions = false"),
    }
}
