//! TOPO0506 finesse-order-not-local: a connector that prefers a Finesse node of another site.

use super::{Check, Context, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Edit, Loc, Report, Safety};
use crate::model::{Connector, Finesse, FinesseId, Set, SiteId};
use std::collections::HashMap;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0506",
    name: "finesse-order-not-local",
    level: Level::Warning,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "a connector whose first Finesse node is of another site although its own has one",
    page: include_str!("finesse_order_not_local.md"),
    check: Check::Model(check),
};

/// What is asked of every connector, made once.
struct Places<'a> {
    /// The first node of each site.
    locals: HashMap<SiteId, &'a Finesse>,
    /// How many connectors have the list that begins at a place: one list in `defaults` is that of many.
    owners: HashMap<Loc, usize>,
}

fn check(context: &Context<'_>, report: &mut Report) {
    let model = context.model;
    let mut places = Places { locals: HashMap::new(), owners: HashMap::new() };
    for node in &model.finesse {
        places.locals.entry(node.site).or_insert(node);
    }
    for first in model.connectors.iter().filter_map(|connector| connector.finesse.first()) {
        *places.owners.entry(first.at).or_default() += 1;
    }
    for connector in model.connectors.iter().filter(|connector| !connector.dialer.damaged) {
        report.diagnostics.extend(judge(context, &places, connector));
    }
}

fn judge(context: &Context<'_>, places: &Places<'_>, connector: &Connector) -> Option<Diagnostic> {
    let model = context.model;
    let site = connector.dialer.site;
    let node = |id: FinesseId| model.finesse.get(id.index());
    let first = connector.finesse.first()?;
    let far = node(first.value).filter(|far| far.site != site)?;
    let local = places.locals.get(&site)?;
    let name = &connector.dialer.name.value;
    let message = format!("connector `{name}` prefers Finesse node `{}`, which is not of its own site", far.name.value);
    let diagnostic = Diagnostic::new(&RULE, first.at, message)
        .here(format!("a node of site `{}`", model.site(far.site).name.value))
        .also(local.name.at, format!("the node of its own site, `{}`", model.site(site).name.value));
    let place = connector.finesse.iter().position(|id| node(id.value).is_some_and(|node| node.site == site));
    let text = |at: &Set<FinesseId>| context.sources.text(at.at).to_owned();
    let mut order: Vec<String> = connector.finesse.iter().map(text).collect();
    let wanted = place.map_or_else(|| local.name.value.clone(), |place| order.remove(place));
    order.insert(0, wanted);
    let diagnostic = diagnostic.help(format!("write `finesse = [{}]`", order.join(", ")));
    if place.is_none() || places.owners.get(&first.at).is_some_and(|owners| *owners > 1) {
        return Some(diagnostic);
    }
    let edits = connector.finesse.iter().zip(order).map(|(old, text)| Edit { at: old.at, text: text.into() });
    let edits = edits.take(place.unwrap_or_default() + 1).collect();
    Some(diagnostic.fix_all("list the local node first", Safety::Unsafe, edits))
}
